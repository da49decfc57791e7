//! What the switch tells, in the few words of a ladder.

use super::Member;
use crosspoint_core::event::Event;

/// The line for an event; none for those that ladders leave out.
pub(super) fn event(event: &Event) -> Option<String> {
    let text = match event {
        Event::BindingChanged { binding, change } => format!("{change} {}", binding.aor),
        Event::AuthFailed { user, rule, .. } => format!("refused {user} ({rule})"),
        Event::CallStarted { call, caller, callee, .. } => format!("call {call} {caller} -> {callee}"),
        Event::RouteDecided { rule, result, .. } => format!("route {result} ({rule})"),
        Event::MediaDecided { .. } | Event::CallAnswered { .. } | Event::Dropped { .. } => return None,
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

/// What a phone has heard; none where it heard nothing.
pub(super) fn audio(member: &Member) -> Option<String> {
    let audio = member.phone.audio();
    (audio.received > 0).then(|| format!("{} heard {} packets", member.name, audio.received))
}
