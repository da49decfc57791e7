//! What an operator sees of a live call.

use super::{Call, Calls};
use crate::time::Now;
use serde::Serialize;

/// One live call, for the command `calls`.
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
    /// How its way was found: what each rule said to each candidate, every attempt and what followed from its failure.
    pub route: Vec<String>,
    /// `relay` or `direct`; empty before that is decided.
    pub media: &'static str,
    /// The rule that decided so.
    pub media_rule: &'static str,
    /// Where the relay sends each stream, by its `m=` line: see [`StreamView`].
    pub streams: Vec<StreamView>,
    /// Milliseconds since the answer.
    pub talk_ms: Option<u64>,
    /// Call-ID of the caller's leg.
    pub call_id_in: String,
    /// Call-ID of the callee's leg.
    pub call_id_out: String,
}

/// A relayed stream of a live call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamView {
    /// The switch's port on the caller's side.
    pub caller_port: u16,
    /// Where the caller's media is, how settled that is, and why: what it signalled, or what a packet has shown.
    pub caller: String,
    /// The switch's port on the callee's side.
    pub callee_port: u16,
    /// The same of the callee's media.
    pub callee: String,
}

impl Calls {
    /// Live calls, at most `limit`, by rising slot.
    pub fn view(&self, now: Now, limit: usize) -> Vec<CallView> {
        self.calls.iter().take(limit).map(|(_, call)| view(call, now)).collect()
    }
}

fn view(call: &Call, now: Now) -> CallView {
    let state = match (call.end, call.winner) {
        (Some(_), _) => "ending",
        (None, None) if call.times.ring.is_some() => "ringing",
        (None, None) => "calling",
        (None, Some(_)) => "answered",
    };
    let to = call.destination();
    let to = to.as_deref();
    let (media, media_rule) = call.media_names(to);
    CallView {
        flow_no: call.number,
        caller: to.map_or_else(|| call.calling.number.clone(), |to| to.caller.clone()),
        callee: to.map_or_else(|| call.callee_in.clone(), |to| to.number.clone()),
        state,
        route_rule: to.map(|to| to.rule.clone()).unwrap_or_default(),
        route: call.story.clone(),
        media,
        media_rule,
        streams: call.current_media().map(|media| media.views()).unwrap_or_default(),
        talk_ms: call.times.answer_mono.map(|at| now.mono.since(at).as_millis() as u64),
        call_id_in: String::from_utf8_lossy(call.ingress.dialog.parties.call_id()).into_owned(),
        call_id_out: to.map(|to| String::from_utf8_lossy(&to.call_id).into_owned()).unwrap_or_default(),
    }
}
