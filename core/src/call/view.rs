//! What an operator sees of a live call.

use super::{Call, Calls, LegState};
use crate::time::Now;
use serde::Serialize;

/// One live call, for `crosspoint-tokio calls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallView {
    /// Its number: what `hangup` takes and the CDR will say.
    pub flow_no: u64,
    /// The calling user as the callee sees it.
    pub caller: String,
    /// The called number as it goes out.
    pub callee: String,
    /// `calling`, `ringing`, `answered`, `ending`.
    pub state: &'static str,
    /// The rule that chose the route.
    pub route_rule: String,
    /// The rule that decided about the media.
    pub media_rule: &'static str,
    /// Milliseconds since the answer.
    pub talk_ms: Option<u64>,
    /// Call-ID of the caller's leg.
    pub call_id_in: String,
    /// Call-ID of the callee's leg.
    pub call_id_out: String,
}

impl Calls {
    /// Live calls, at most `limit`, by rising slot.
    pub fn view(&self, now: Now, limit: usize) -> Vec<CallView> {
        self.calls.iter().take(limit).map(|(_, call)| view(call, now)).collect()
    }
}

fn view(call: &Call, now: Now) -> CallView {
    let state = match (call.end, call.callee.state) {
        (Some(_), _) => "ending",
        (None, LegState::Inviting) if call.times.ring.is_some() => "ringing",
        (None, LegState::Inviting) => "calling",
        (None, _) => "answered",
    };
    CallView {
        flow_no: call.number,
        caller: call.caller_out.clone(),
        callee: call.destination.number.clone(),
        state,
        route_rule: call.route_rule.clone(),
        media_rule: super::record::MEDIA_RULE,
        talk_ms: call.times.answer_mono.map(|at| now.mono.since(at).as_millis() as u64),
        call_id_in: String::from_utf8_lossy(&call.caller.dialog.call_id).into_owned(),
        call_id_out: String::from_utf8_lossy(&call.callee.dialog.call_id).into_owned(),
    }
}
