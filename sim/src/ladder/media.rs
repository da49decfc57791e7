//! What passes between the switch and its media shards, in words.

use crosspoint_core::media::tone::Program;
use crosspoint_core::media::{LegPlan, MediaOp, MediaReport, Party, Way};

/// What the switch wants.
pub(crate) fn op(op: &MediaOp) -> String {
    match op {
        MediaOp::Install { session, legs, .. } => {
            format!("media {}: relays {}, {}", session.0, leg(Party::Caller, &legs[0]), leg(Party::Callee, &legs[1]))
        }
        MediaOp::Station { session, leg: plan, program, .. } => {
            format!("media {}: {} for the {}", session.0, what(program), leg(Party::Caller, plan))
        }
        MediaOp::Play { session, to, program: Some(program), .. } => {
            format!("media {}: {} for the {}", session.0, what(program), to.name())
        }
        MediaOp::Play { session, program: None, .. } => format!("media {}: plays no more", session.0),
        MediaOp::Update { session, party, leg: plan, .. } => format!("media {}: {}", session.0, leg(*party, plan)),
        MediaOp::Remove { session, .. } => format!("media {}: removed", session.0),
        MediaOp::Read { session } => format!("media {}: read", session.0),
    }
}

fn what(program: &Program) -> &'static str {
    match program {
        Program::Tone(_) => "a tone",
        Program::Recording { .. } => "a recording",
        Program::Echo => "the echo",
    }
}

fn leg(party: Party, plan: &LegPlan) -> String {
    let at = plan.signalled.map_or_else(|| "nowhere yet".to_owned(), |at| at.to_string());
    format!("{} at {at} by port {}", party.name(), plan.socket.0)
}

/// What a shard tells; none where it says only that it did what it was told.
pub(crate) fn report(report: &MediaReport) -> Option<String> {
    Some(match report {
        MediaReport::Applied { .. } => return None,
        MediaReport::Refused { session, why, .. } => format!("media {}: refused, {why:?}", session.0),
        MediaReport::Latched { session, party, component, moved } => {
            let at = moved.target.map_or_else(|| "nowhere".to_owned(), |at| at.to_string());
            let (state, reason) = (format!("{:?}", moved.state).to_lowercase(), moved.reason.name());
            format!("media {}: {} {component:?} {state} at {at}: {reason}", session.0, party.name())
        }
        MediaReport::Silent { session, silence } => {
            let way = if silence.way == Way::From { "from" } else { "to" };
            format!("media {}: nothing {way} the {}", session.0, silence.party.name())
        }
        MediaReport::Played { session, .. } => format!("media {}: played to the end", session.0),
        MediaReport::Stats { session, legs } => {
            let packets = |leg: usize| legs[leg].received.packets;
            format!("media {}: {} packets of the caller, {} of the callee", session.0, packets(0), packets(1))
        }
    })
}
