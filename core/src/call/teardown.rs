//! The end of a call: decided once, here, and carried out on both legs.
//!
//! [`Calls::end`] is the one owner. It writes the CDR at that moment and releases each leg according to what that leg is
//! still owed: a final answer, a CANCEL, an ACK before the BYE, a BYE. The call itself lives on until both legs are gone.

use super::{
    Call, CallId, Calls, End, FIRST_INVITE, LegState, ROLE_BYE_CALLEE, ROLE_BYE_CALLER, Side, headers, owner, record,
    reply,
};
use crate::cdr::{EndDirection, EndReason};
use crate::cx::Cx;
use crate::dialog::MAX_FORWARDS;
use crate::handle::Handle;
use crate::sip::Message;
use crate::transaction::{Kind, NewRequest, Owner, ServerId, Transactions};

impl Calls {
    /// Ends the call for this reason, unless it has ended already. Does not remove it.
    pub(super) fn end(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: CallId, end: End) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.end.is_some() {
            return;
        }
        call.end = Some(end);
        cx.timers.cancel(&mut call.timer);
        record::of_call(cx, call);
        refuse_pending(cx, transactions, call);
        self.release(cx, transactions, id, Side::Caller);
        self.release(cx, transactions, id, Side::Callee);
    }

    /// Gives a leg of an ended call what it is still owed.
    pub(super) fn release(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: CallId, side: Side) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(end) = call.end else { return };
        match (call.leg(side).state, side) {
            (LegState::Inviting, Side::Caller) => {
                let tag = call.caller.dialog.local_tag;
                if let Some(first) = call.exchange(FIRST_INVITE) {
                    let server = first.server;
                    reply(cx, transactions, server, end.status, &tag);
                }
                call.caller.state = LegState::Gone;
            }
            (LegState::Inviting, Side::Callee) => {
                call.callee.state = LegState::Closing;
                if let Some(first) = call.exchange(FIRST_INVITE) {
                    let client = first.client;
                    transactions.cancel(cx, client, parting(&call.farewell, end));
                }
            }
            // RFC 3261 §15: no BYE before the ACK of our 2xx, or before its transaction has given up.
            (LegState::Answered, Side::Caller) => call.caller.state = LegState::Closing,
            (LegState::Answered, Side::Callee) => {
                if let Some(first) = call.exchange(FIRST_INVITE).cloned() {
                    self.acknowledge(cx, id, &first, None);
                }
                self.leave(cx, transactions, id, side);
            }
            (LegState::Closing, Side::Caller) | (LegState::Confirmed, _) => self.leave(cx, transactions, id, side),
            (LegState::Closing, Side::Callee) | (LegState::Leaving | LegState::Gone, _) => {}
        }
    }

    /// Sends our BYE on a leg.
    fn leave(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: CallId, side: Side) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let farewell = call.end.map_or(&b""[..], |end| parting(&call.farewell, end)).to_vec();
        let leg = call.leg_mut(side);
        let (mut writer, branch) = leg.dialog.request(cx, "BYE", MAX_FORWARDS);
        writer.raw(&farewell);
        let new = NewRequest { flow: leg.dialog.flow, kind: Kind::Other, branch, bytes: writer.finish(b"") };
        let role = if side == Side::Caller { ROLE_BYE_CALLER } else { ROLE_BYE_CALLEE };
        leg.state = match transactions.request(cx, new, owner(id, role)) {
            Some(_) => LegState::Leaving,
            // No room for the transaction: the peer will find out by its own timers.
            None => LegState::Gone,
        };
    }

    /// A BYE has come: its leg is gone, the call over.
    pub(super) fn on_bye(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: CallId,
        side: Side,
        message: &Message<'_>,
        server: ServerId,
    ) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let tag = call.leg(side).dialog.local_tag;
        let state = call.leg(side).state;
        if side == Side::Callee && state == LegState::Inviting {
            // RFC 3261 §15: the callee must not end an early dialog by BYE.
            return reply(cx, transactions, server, 481, &tag);
        }
        reply(cx, transactions, server, 200, &tag);
        if let Some(first) = call.exchange(FIRST_INVITE).filter(|first| first.from == side) {
            let (server, is_answered) = (first.server, first.is_answered);
            if is_answered {
                // Who hangs up has seen the 2xx, whatever became of its ACK.
                transactions.acknowledged(cx, server);
            } else {
                reply(cx, transactions, server, 487, &tag); // RFC 3261 §15.1.2
            }
        }
        // Where our own BYE is under way, its answer is still to come.
        if state != LegState::Leaving {
            call.leg_mut(side).state = LegState::Gone;
        }
        let status = if call.times.answer.is_some() { 200 } else { 487 };
        let end = End { reason: EndReason::from_peer(status, message), direction: side.direction(), status };
        call.farewell = headers::reason_lines(message);
        self.end(cx, transactions, id, end);
    }

    /// Our BYE on a leg has been answered, or never will be.
    pub(super) fn on_bye_done(&mut self, cx: &mut Cx, from: Owner) {
        let id: CallId = Handle::from_bits(from.id);
        let Some(call) = self.calls.get_mut(id) else { return };
        let side = if from.role == ROLE_BYE_CALLER { Side::Caller } else { Side::Callee };
        call.leg_mut(side).state = LegState::Gone;
        self.reap(cx, id);
    }

    /// The peer never acknowledged our 2xx (RFC 3261 §13.3.1.4): the call ends, also where the ACK was a re-INVITE's.
    pub(super) fn on_no_ack(&mut self, cx: &mut Cx, transactions: &mut Transactions, from: Owner) {
        let id: CallId = Handle::from_bits(from.id);
        let Some(call) = self.calls.get_mut(id) else { return };
        // A refusal that was never acknowledged has ended its exchange all the same.
        let Some(exchange) = call.exchange(from.role).filter(|exchange| exchange.is_answered).cloned() else { return };
        call.exchanges.retain(|other| other.id != from.role);
        let direction = EndDirection::Server;
        self.acknowledge(cx, id, &exchange, None);
        self.end(cx, transactions, id, End { reason: EndReason::NoAck, direction, status: 200 });
        if let Some(call) = self.calls.get(id)
            && call.leg(exchange.from).state == LegState::Closing
        {
            self.release(cx, transactions, id, exchange.from);
        }
        self.reap(cx, id);
    }

    /// The callee has not made the progress its state demands.
    pub(super) fn on_no_progress(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let (reason, status) = match call.times.ring {
            Some(_) => (EndReason::NoAnswer, 480),
            None => (EndReason::ResponseTimeout, 408),
        };
        self.end(cx, transactions, id, End { reason, direction: EndDirection::Server, status });
    }

    /// The conversation has reached its longest time.
    pub(super) fn on_max_duration(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: CallId) {
        let (reason, direction) = (EndReason::MaxDuration, EndDirection::Server);
        self.end(cx, transactions, id, End { reason, direction, status: 200 });
    }

    /// An operator hangs the call up.
    pub fn hang_up(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let status = if call.times.answer.is_some() { 200 } else { 480 };
        let (reason, direction) = (EndReason::Operator, EndDirection::Server);
        self.end(cx, transactions, id, End { reason, direction, status });
        self.reap(cx, id);
    }
}

/// The Reason lines for the leg that is told of an end: those that came from the other leg, else our own.
fn parting(farewell: &[u8], end: End) -> &[u8] {
    if farewell.is_empty() { end.reason.header() } else { farewell }
}

/// Answers what is still unanswered inside the dialogs (RFC 3261 §15.1.2) and forgets it; the first INVITE is the legs'
/// own matter.
fn refuse_pending(cx: &mut Cx, transactions: &mut Transactions, call: &mut Call) {
    let (first, pending): (Vec<_>, Vec<_>) =
        std::mem::take(&mut call.exchanges).into_iter().partition(|exchange| exchange.id == FIRST_INVITE);
    call.exchanges = first;
    for exchange in pending {
        let tag = call.leg(exchange.from).dialog.local_tag;
        if exchange.is_answered {
            transactions.acknowledged(cx, exchange.server);
        } else {
            reply(cx, transactions, exchange.server, 487, &tag);
            transactions.disown(cx, exchange.client);
        }
    }
}
