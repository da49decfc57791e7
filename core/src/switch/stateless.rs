//! Answers to messages that must not touch any state.

use super::Verdict;
use crate::counters::DropReason;
use crate::cx::Cx;
use crate::input::Flow;
use crate::sip::{Defect, Message, Method, Name, Writer, reason_phrase};

/// Answers a request that failed the sanity step, or drops it: a response, an ACK, and a request without what an answer
/// is made of get none (RFC 3261 §8.2.6.2, §18.3).
pub(super) fn refuse(cx: &mut Cx, flow: Flow, message: &Message<'_>, defect: &Defect) -> Verdict {
    let Some(method) = message.method() else {
        return Verdict::Dropped(DropReason::BrokenResponse);
    };
    let needed = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq];
    let can_be_answered = needed.iter().all(|&name| message.value(name).is_some());
    let (Some(status), true) = (defect.status, can_be_answered && method != Method::Ack) else {
        return Verdict::Dropped(DropReason::BrokenRequest);
    };
    let mut writer = Writer::response(status, reason_phrase(status));
    for name in needed {
        for header in message.headers().filter(|header| header.name == name) {
            writer.pass(&header);
            if name != Name::Via {
                break; // of a repeated single header, the first
            }
        }
    }
    writer.header("Warning", format!("399 crosspoint \"{}\"", defect.reason));
    cx.send(flow, writer.finish(b""));
    Verdict::Accepted
}
