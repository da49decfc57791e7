//! Answers to messages that must not touch any state.

use super::{Switch, Verdict};
use crate::counters::DropReason;
use crate::input::Flow;
use crate::sip::{Defect, Message, Method, Name};

/// Answers a request that failed the sanity step, or drops it: a response, an ACK, and a request without what an answer
/// is made of get none (RFC 3261 §8.2.6.2, §18.3).
pub(super) fn refuse(switch: &mut Switch, flow: Flow, message: &Message<'_>, defect: &Defect) -> Verdict {
    let Some(method) = message.method() else {
        return Verdict::Dropped(DropReason::BrokenResponse);
    };
    let needed = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq];
    let can_be_answered = needed.iter().all(|&name| message.value(name).is_some());
    let (Some(status), true) = (defect.status, can_be_answered && method != Method::Ack) else {
        return Verdict::Dropped(DropReason::BrokenRequest);
    };
    let warning = format!("Warning: 399 crosspoint \"{}\"\r\n", defect.reason);
    switch.transactions.refuse_broken(&mut switch.cx, message, flow, status, warning.as_bytes());
    Verdict::Accepted
}
