//! What a switch tells, in the few words of a ladder.

use crosspoint_core::event::Event;

/// The line for an event; none for those that ladders leave out.
pub(super) fn text(event: &Event) -> Option<String> {
    let text = match event {
        Event::BindingChanged { binding, change } => format!("{change} {}", binding.aor),
        Event::AuthFailed { user, rule, .. } => format!("refused {user} ({rule})"),
        Event::CallStarted { call, caller, callee, .. } => format!("call {call} {caller} -> {callee}"),
        Event::RouteDecided { rule, result, .. } => format!("route {result} ({rule})"),
        Event::MediaDecided { rule, result, .. } => format!("media {result} ({rule})"),
        Event::PortsRefused { why, .. } => format!("no ports: {why}"),
        Event::MediaOneWay { deaf, detail, .. } => format!("one-way audio: the {deaf} hears nothing; {detail}"),
        Event::CallAnswered { .. } | Event::Dropped { .. } => return None,
        Event::CallEnded { record } => format!(
            "cdr {} by {} status {} hold {} s",
            record.end_reason.name(),
            record.end_direction.name(),
            record.sip_status,
            record.hold_time_s
        ),
        Event::TrunkChanged { gateway, state, rule, detail } => format!("{gateway} {state} ({rule}) {detail}"),
        Event::GatewayLocated { gateway, addresses, rule, .. } => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("gateway {gateway} at {} ({rule})", addresses.join(", "))
        }
        Event::ConfigApplied { generation, .. } => format!("configuration {generation}"),
        Event::DrainStarted { calls } => format!("drain, {calls} calls up"),
    };
    Some(text)
}

/// The flow number of the call that an event is about.
pub(super) fn call_of(event: &Event) -> Option<u64> {
    match event {
        Event::CallStarted { call, .. }
        | Event::RouteDecided { call, .. }
        | Event::MediaDecided { call, .. }
        | Event::MediaOneWay { call, .. }
        | Event::PortsRefused { call, .. }
        | Event::CallAnswered { call } => Some(*call),
        Event::CallEnded { record } => Some(record.flow_no),
        Event::BindingChanged { .. }
        | Event::AuthFailed { .. }
        | Event::TrunkChanged { .. }
        | Event::Dropped { .. }
        | Event::GatewayLocated { .. }
        | Event::ConfigApplied { .. }
        | Event::DrainStarted { .. } => None,
    }
}

/// Whether an event's line is worth its place only where few calls are shown.
pub(super) fn is_detail(event: &Event) -> bool {
    // what is direct leaves the descriptions as they came, and the ladder shows those
    matches!(event, Event::MediaDecided { result: "direct", .. })
}
