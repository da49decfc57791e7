//! What a peer answers to what we sent on a leg.

use super::record::{MEDIA_RESULT, MEDIA_RULE};
use super::start::{body, codec};
use super::{
    Call, CallId, Calls, End, FIRST_INVITE, LegState, ROLE_BYE_CALLEE, ROLE_BYE_CALLER, ROLE_ORPHAN, ROLE_PASSING,
    Side, headers, owner,
};
use crate::cdr::{EndDirection, EndReason};
use crate::cx::Cx;
use crate::event::Event;
use crate::handle::Handle;
use crate::input::Flow;
use crate::sip::{Message, Name, Uri, Writer};
use crate::timers::{CallTimer, TimerKey};
use crate::transaction::{Kind, NewRequest, Owner, Reply, Transactions};

impl Calls {
    /// A response that a client transaction of ours lets through.
    pub fn on_answer(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        from: Owner,
        message: &Message<'_>,
        flow: Flow,
    ) {
        let status = message.status().expect("only responses reach a client transaction's owner");
        match from.role {
            ROLE_PASSING => return self.on_passing_answer(cx, transactions, from, message, status),
            ROLE_ORPHAN => return,
            ROLE_BYE_CALLER | ROLE_BYE_CALLEE if status < 200 => return,
            ROLE_BYE_CALLER | ROLE_BYE_CALLEE => return self.on_bye_done(cx, from),
            _ => {}
        }
        let id: CallId = Handle::from_bits(from.id);
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.exchange(from.role).is_none_or(|exchange| exchange.is_answered) {
            return self.on_repeated_answer(cx, transactions, id, message, flow, status);
        }
        if from.role == FIRST_INVITE {
            self.on_first_answer(cx, transactions, id, message, flow, status);
        } else {
            self.on_exchange_answer(cx, transactions, id, from.role, message, flow, status);
        }
        self.reap(cx, id);
    }

    /// The callee answers the INVITE that makes the call.
    fn on_first_answer(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: CallId,
        message: &Message<'_>,
        flow: Flow,
        status: u16,
    ) {
        let call = self.calls.get_mut(id).expect("looked up by the caller");
        if call.callee.state != LegState::Inviting {
            return self.on_answer_too_late(cx, transactions, id, message, flow, status);
        }
        match status {
            100 => watch_progress(cx, call, id, call.policy.trying),
            101..200 => on_ringing(cx, transactions, call, id, message, flow, status),
            200..300 => on_accepted(cx, transactions, call, id, message, flow, status),
            _ => {
                let status = shown_status(status);
                relay(cx, transactions, call, FIRST_INVITE, message, status);
                call.callee.state = LegState::Gone;
                call.caller.state = LegState::Gone;
                let reason = EndReason::from_peer(status, message);
                self.end(cx, transactions, id, End { reason, direction: EndDirection::Callee, status });
            }
        }
    }

    /// The callee answers an INVITE that has been cancelled (RFC 3261 §9.1).
    fn on_answer_too_late(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: CallId,
        message: &Message<'_>,
        flow: Flow,
        status: u16,
    ) {
        let call = self.calls.get_mut(id).expect("looked up by the caller");
        match status {
            ..200 => {}
            200..300 => {
                // The CANCEL crossed the 200: the callee believes in a call, so it is acknowledged and ended.
                // The exchange is answered with it, so that the same 200 again only gets its ACK again.
                call.exchange(FIRST_INVITE).expect("it is what was answered").is_answered = true;
                call.callee.dialog.take_answer(message, flow);
                call.callee.state = LegState::Answered;
                self.release(cx, transactions, id, Side::Callee);
            }
            _ => call.callee.state = LegState::Gone,
        }
    }

    /// A peer answers a request that passed through inside the dialogs.
    #[expect(clippy::too_many_arguments, reason = "the same row of facts as its callers")]
    fn on_exchange_answer(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: CallId,
        exchange_id: u8,
        message: &Message<'_>,
        flow: Flow,
        status: u16,
    ) {
        let call = self.calls.get_mut(id).expect("looked up by the caller");
        let exchange = call.exchange(exchange_id).expect("looked up by the caller").clone();
        match status {
            100 => return,
            101..200 if !exchange.is_invite => return, // RFC 4320 §4.1
            _ => relay(cx, transactions, call, exchange_id, message, shown_status(status)),
        }
        if (200..300).contains(&status) && exchange.is_invite {
            // Both sides have agreed to the target refresh (RFC 3261 §12.2).
            if let Some(target) = exchange.new_target {
                let dialog = &mut call.leg_mut(exchange.from).dialog;
                dialog.target = target.uri;
                dialog.flow = target.flow;
            }
            call.leg_mut(exchange.from.other()).dialog.take_target(message, flow, false);
            call.exchange(exchange_id).expect("found above").is_answered = true;
        } else if status >= 200 {
            call.exchanges.retain(|other| other.id != exchange_id);
        }
        // The far side knows no such dialog (RFC 3261 §12.2.1.2).
        if matches!(status, 408 | 481) {
            let direction = exchange.from.other().direction();
            self.end(cx, transactions, id, End { reason: EndReason::DialogGone, direction, status: 200 });
        }
    }

    /// A final answer once more, or a second branch of a fork that answered.
    fn on_repeated_answer(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: CallId,
        message: &Message<'_>,
        flow: Flow,
        status: u16,
    ) {
        let Ok(cseq) = message.cseq() else { return };
        let call = self.calls.get_mut(id).expect("looked up by the caller");
        if !(200..300).contains(&status) || cseq.method != crate::sip::Method::Invite {
            return;
        }
        let Ok(call_id) = message.call_id() else { return };
        let remote_tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        for side in [Side::Callee, Side::Caller] {
            let dialog = &call.leg(side).dialog;
            if dialog.is_of(call_id, remote_tag) {
                // Its ACK was lost, or is still to come from the other side.
                if let Some(ack) = dialog.last_ack.as_ref().filter(|ack| ack.cseq == cseq.number) {
                    cx.counters.resent += 1;
                    cx.send(dialog.flow, ack.bytes.clone());
                }
                return;
            }
        }
        if *call.callee.dialog.call_id == *call_id {
            lose_branch(cx, transactions, call, id, message, flow, cseq.number);
        }
    }

    /// A client transaction ended without an answer; `status` says what that is to be taken for (RFC 3261 §8.1.3.1).
    pub(super) fn on_no_answer(&mut self, cx: &mut Cx, transactions: &mut Transactions, from: Owner, status: u16) {
        match from.role {
            ROLE_PASSING => return self.on_passing_silence(cx, transactions, from, status),
            ROLE_ORPHAN => return,
            ROLE_BYE_CALLER | ROLE_BYE_CALLEE => return self.on_bye_done(cx, from),
            _ => {}
        }
        let id: CallId = Handle::from_bits(from.id);
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(exchange) = call.exchange(from.role).cloned() else { return };
        if from.role == FIRST_INVITE {
            if call.callee.state == LegState::Inviting || call.callee.state == LegState::Closing {
                call.callee.state = LegState::Gone;
            }
            let reason = if status == 503 { EndReason::ConnectionTimeout } else { EndReason::ResponseTimeout };
            self.end(cx, transactions, id, End { reason, direction: EndDirection::Server, status });
        } else {
            call.exchanges.retain(|other| other.id != from.role);
            // RFC 4320 §4.2: a non-INVITE request that got no answer is not answered 408 either; its sender times out itself.
            if exchange.is_invite {
                let tag = call.leg(exchange.from).dialog.local_tag;
                super::reply(cx, transactions, exchange.server, status, &tag);
            }
            let direction = exchange.from.other().direction();
            self.end(cx, transactions, id, End { reason: EndReason::DialogGone, direction, status: 200 });
        }
        self.reap(cx, id);
    }
}

/// The callee rings, or makes other progress.
fn on_ringing(
    cx: &mut Cx,
    transactions: &mut Transactions,
    call: &mut Call,
    id: CallId,
    message: &Message<'_>,
    flow: Flow,
    status: u16,
) {
    if message.to().is_ok_and(|to| to.tag().is_some()) {
        call.callee.dialog.take_answer(message, flow);
    }
    if status == 180 && call.times.ring.is_none() {
        call.times.ring = Some(cx.now.wall);
    }
    let patience = match (status, message.is_sdp()) {
        (180, _) => call.policy.ringing,
        (_, true) => call.policy.progress_sdp,
        (_, false) => call.policy.progress,
    };
    watch_progress(cx, call, id, patience);
    relay(cx, transactions, call, FIRST_INVITE, message, status);
}

/// The callee answers the call.
fn on_accepted(
    cx: &mut Cx,
    transactions: &mut Transactions,
    call: &mut Call,
    id: CallId,
    message: &Message<'_>,
    flow: Flow,
    status: u16,
) {
    call.callee.dialog.take_answer(message, flow);
    call.callee.codec = codec(message);
    call.caller.state = LegState::Answered;
    call.callee.state = LegState::Answered;
    call.times.answer = Some(cx.now.wall);
    call.times.answer_mono = Some(cx.now.mono);
    cx.counters.calls_answered += 1;
    cx.timers.cancel(&mut call.timer);
    if let Some(max_talk) = call.policy.max_talk {
        let key = TimerKey::Call(id.to_bits(), CallTimer::MaxDuration);
        call.timer = Some(cx.timers.arm(cx.now.mono + max_talk, key));
    }
    relay(cx, transactions, call, FIRST_INVITE, message, status);
    let first = call.exchange(FIRST_INVITE).expect("it is what was answered");
    first.is_answered = true;
    cx.emit(Event::MediaDecided {
        call: call.number,
        rule: MEDIA_RULE,
        result: MEDIA_RESULT,
        facts: "this build relays no media".to_owned(),
    });
    cx.emit(Event::CallAnswered { call: call.number });
}

/// Passes a response back over the exchange it answers, with this status.
fn relay(
    cx: &mut Cx,
    transactions: &mut Transactions,
    call: &mut Call,
    exchange_id: u8,
    message: &Message<'_>,
    status: u16,
) {
    let Some(exchange) = call.exchange(exchange_id) else { return };
    let (from, server, is_invite) = (exchange.from, exchange.server, exchange.is_invite);
    let dialog = &call.leg(from).dialog;
    let listen = &cx.config.listen[usize::from(dialog.flow.socket.0)];
    let mut lines = Writer::lines();
    headers::copy(message, &cx.config.domain, &mut lines);
    if is_invite {
        lines.header("Allow", headers::ALLOW);
    }
    match status {
        // The callee's redirection is a way to other numbers, which this switch serves.
        300..400 => redirected(message, &cx.config.domain, &mut lines),
        ..300 => {
            lines.raw(b"Contact: <sip:").address(listen.advertise).raw(b">\r\n");
        }
        _ => {}
    }
    let body = body(cx, dialog.flow, message);
    let reason = message.reason().filter(|_| message.status() == Some(status));
    let to_tag = &dialog.local_tag.clone();
    transactions.respond(cx, server, Reply { status, reason, to_tag, headers: lines.as_bytes(), body: &body });
}

/// The Contacts of a 3xx as numbers of this switch: the caller learns the number, not the callee's addresses.
fn redirected(message: &Message<'_>, domain: &str, lines: &mut Writer) {
    for contact in message.list(Name::Contact).filter_map(|value| crate::sip::NameAddr::parse(value).ok()) {
        if let Some(user) = Uri::parse(contact.uri).ok().and_then(|uri| uri.user) {
            lines.raw(b"Contact: <sip:").raw(user).raw(b"@").raw(domain.as_bytes()).raw(b">\r\n");
        }
    }
}

/// Gives the callee this long for its next step.
fn watch_progress(cx: &mut Cx, call: &mut Call, id: CallId, patience: std::time::Duration) {
    cx.timers.cancel(&mut call.timer);
    let key = TimerKey::Call(id.to_bits(), CallTimer::Progress);
    call.timer = Some(cx.timers.arm(cx.now.mono + patience, key));
}

/// Acknowledges and ends a branch of a fork that answered after another had (RFC 3261 §13.2.2.4).
fn lose_branch(
    cx: &mut Cx,
    transactions: &mut Transactions,
    call: &Call,
    id: CallId,
    message: &Message<'_>,
    flow: Flow,
    cseq: u32,
) {
    let mut branch = call.callee.dialog.clone();
    branch.take_answer(message, flow);
    let ack = branch.ack(cx, cseq).finish(b"");
    cx.send(branch.flow, ack);
    branch.local_cseq = branch.local_cseq.max(cseq);
    let (bye, token) = branch.request(cx, "BYE", crate::dialog::MAX_FORWARDS);
    let new = NewRequest { flow: branch.flow, kind: Kind::Other, branch: token, bytes: bye.finish(b"") };
    transactions.request(cx, new, owner(id, ROLE_ORPHAN));
}

/// The status that the other leg is shown: a challenge to us is none of its business.
fn shown_status(status: u16) -> u16 {
    match status {
        // RFC 3261 §22: it could not answer a challenge whose realm it does not see.
        401 | 407 => 503,
        // RFC 3261 §8.2.1, §20.2: about our own Require and Supported, which it did not write.
        420 | 421 | 494 => 500,
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_to_the_switch_is_not_shown_to_the_caller() {
        assert_eq!(shown_status(407), 503);
        assert_eq!(shown_status(486), 486);
    }
}
