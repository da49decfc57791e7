//! From a call to its CDR.

use super::start::{New, user_of};
use super::{Call, Leg};
use crate::cdr::{CallRecord, EndDirection, billed_seconds};
use crate::cx::Cx;
use crate::event::Event;
use crate::routing::Refusal;
use crate::sip::Message;

/// Writes the CDR of an INVITE that got no further.
pub(super) fn refused(cx: &mut Cx, new: &New, message: &Message<'_>, refusal: &Refusal, story: &[String]) {
    let now_ms = cx.now.wall.as_millis();
    let call_id = message.call_id().unwrap_or_default();
    let record = CallRecord {
        flow_no: new.number,
        caller: new.calling.number.clone(),
        callee: new.callee_in.clone(),
        caller_in: user_of(message),
        callee_out: String::new(),
        caller_ip: new.calling.source.remote.ip(),
        callee_ip: None,
        caller_gateway: new.calling.gateway.clone(),
        callee_gateway: String::new(),
        invite_ms: now_ms,
        ring_ms: None,
        answer_ms: None,
        end_ms: now_ms,
        hold_time_s: 0,
        hold_time_ms: 0,
        end_direction: EndDirection::Server,
        end_reason: refusal.reason,
        sip_status: refusal.status,
        media: String::new(),
        media_rule: String::new(),
        call_id_in: String::from_utf8_lossy(call_id).into_owned(),
        call_id_out: String::new(),
        caller_codec: String::new(),
        callee_codec: String::new(),
        rtp_caller_packets: None,
        rtp_callee_packets: None,
        route: story.join("; "),
    };
    write(cx, record);
}

/// The CDR of a call that has just ended; the relay's packet counts are still to come.
pub(super) fn of_call(cx: &Cx, call: &Call) -> CallRecord {
    let end = call.end.expect("a CDR is written where the call's end is decided");
    let talked = call.times.answer_mono.map_or(0, |answer| cx.now.mono.since(answer).as_millis());
    let hold_time_ms = u64::try_from(talked).unwrap_or(u64::MAX);
    let codec = |leg: fn(&super::Branch) -> &Leg| call.talk().map(|talk| leg(talk).codec.clone()).unwrap_or_default();
    let to = call.destination();
    let to = to.as_deref();
    let number_out = to.map(|to| to.number.clone()).unwrap_or_default();
    let (media, media_rule) = call.media_names(to);
    CallRecord {
        flow_no: call.number,
        caller: to.map_or_else(|| call.calling.number.clone(), |to| to.caller.clone()),
        callee: to.map_or_else(|| call.callee_in.clone(), |to| to.number.clone()),
        caller_in: call.calling.number_in.clone(),
        callee_out: number_out,
        caller_ip: call.calling.source.remote.ip(),
        callee_ip: to.and_then(|to| to.flow).map(|flow| flow.remote.ip()),
        caller_gateway: call.calling.gateway.clone(),
        callee_gateway: to.map(|to| to.gateway.clone()).unwrap_or_default(),
        invite_ms: call.times.invite.as_millis(),
        ring_ms: call.times.ring.map(|at| at.as_millis()),
        answer_ms: call.times.answer.map(|at| at.as_millis()),
        end_ms: cx.now.wall.as_millis(),
        hold_time_s: billed_seconds(hold_time_ms, call.precision_ms),
        hold_time_ms,
        end_direction: end.direction,
        end_reason: end.reason,
        sip_status: end.status,
        media: media.to_owned(),
        media_rule: media_rule.to_owned(),
        call_id_in: String::from_utf8_lossy(call.ingress.dialog.parties.call_id()).into_owned(),
        call_id_out: to.map(|to| String::from_utf8_lossy(&to.call_id).into_owned()).unwrap_or_default(),
        caller_codec: codec(|talk| &talk.caller),
        callee_codec: codec(|talk| &talk.callee),
        rtp_caller_packets: None,
        rtp_callee_packets: None,
        route: call.story.join("; "),
    }
}

/// Writes a CDR.
pub(super) fn write(cx: &mut Cx, record: CallRecord) {
    cx.counters.calls_ended += 1;
    cx.emit(Event::CallEnded { record: Box::new(record) });
}
