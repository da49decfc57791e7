//! From a call to its CDR.

use super::{Call, Identity};
use crate::cdr::{CallRecord, EndDirection, EndReason, billed_seconds};
use crate::cx::Cx;
use crate::event::Event;
use crate::input::Flow;
use crate::sip::Message;

/// The rule in force while the switch relays no media (behaviour 1(a) comes with the relay): every call's media is direct.
pub(super) const MEDIA_RULE: &str = "M0";
/// What that rule decides.
pub(super) const MEDIA_RESULT: &str = "direct";

/// A call that got no further than its INVITE.
pub(super) struct Refusal<'a> {
    pub(super) number: u64,
    pub(super) caller_in: &'a str,
    pub(super) callee_in: &'a str,
    pub(super) identity: &'a Identity,
    pub(super) flow: Flow,
    pub(super) message: &'a Message<'a>,
    pub(super) status: u16,
    pub(super) reason: EndReason,
}

/// Writes the CDR of a refused INVITE.
pub(super) fn refused(cx: &mut Cx, refusal: Refusal<'_>) {
    let now_ms = cx.now.wall.as_millis();
    let call_id = refusal.message.call_id().unwrap_or_default();
    let record = CallRecord {
        flow_no: refusal.number,
        caller: refusal.identity.number.clone(),
        callee: refusal.callee_in.to_owned(),
        caller_in: refusal.caller_in.to_owned(),
        callee_out: String::new(),
        caller_ip: refusal.flow.remote.ip(),
        callee_ip: None,
        caller_gateway: refusal.identity.gateway.clone(),
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
    };
    ended(cx, record);
}

/// Writes the CDR of a call that has just ended.
pub(super) fn of_call(cx: &mut Cx, call: &Call) {
    let end = call.end.expect("a CDR is written where the call's end is decided");
    let talked = call.times.answer_mono.map_or(0, |answer| cx.now.mono.since(answer).as_millis());
    let hold_time_ms = u64::try_from(talked).unwrap_or(u64::MAX);
    let codec = |side: &super::Leg| if call.times.answer.is_some() { side.codec.clone() } else { String::new() };
    let record = CallRecord {
        flow_no: call.number,
        caller: call.caller_out.clone(),
        callee: call.destination.number.clone(),
        caller_in: call.caller_in.clone(),
        callee_out: call.destination.number.clone(),
        caller_ip: call.source.remote.ip(),
        callee_ip: Some(call.destination.flow.remote.ip()),
        caller_gateway: call.caller.gateway.clone(),
        callee_gateway: call.callee.gateway.clone(),
        invite_ms: call.times.invite.as_millis(),
        ring_ms: call.times.ring.map(|at| at.as_millis()),
        answer_ms: call.times.answer.map(|at| at.as_millis()),
        end_ms: cx.now.wall.as_millis(),
        hold_time_s: billed_seconds(hold_time_ms, call.policy.precision_ms),
        hold_time_ms,
        end_direction: end.direction,
        end_reason: end.reason,
        sip_status: end.status,
        media: MEDIA_RESULT.to_owned(),
        media_rule: MEDIA_RULE.to_owned(),
        call_id_in: String::from_utf8_lossy(&call.caller.dialog.call_id).into_owned(),
        call_id_out: String::from_utf8_lossy(&call.callee.dialog.call_id).into_owned(),
        caller_codec: codec(&call.caller),
        callee_codec: codec(&call.callee),
        rtp_caller_packets: None,
        rtp_callee_packets: None,
    };
    ended(cx, record);
}

fn ended(cx: &mut Cx, record: CallRecord) {
    cx.counters.calls_ended += 1;
    cx.emit(Event::CallEnded { record: Box::new(record) });
}
