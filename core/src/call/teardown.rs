//! The end of a call: decided once, here, and carried out on every leg.
//!
//! [`Call::end`] is the one owner. It writes the CDR at that moment and releases each leg according to what that leg is
//! still owed: a final answer, a CANCEL, an ACK before the BYE, a BYE. The call itself lives on until all legs are gone.

use super::media::Ending;
use super::{Branch, Call, End, Exchange, ExchangeState, Kind, LegState, Origin, Side, Step, headers, record};
use crate::cdr::{EndDirection, EndReason};
use crate::cx::Cx;
use crate::dialog::MAX_FORWARDS;
use crate::sip::Message;
use crate::transaction::ServerId;
use bytes::Bytes;

impl Branch {
    /// Cancels what it has armed: nothing more is to come.
    pub(super) fn silence(&mut self, cx: &mut Cx) {
        self.reliable.stop(cx);
        cx.timers.cancel(&mut self.waiting_timer);
        cx.timers.cancel(&mut self.linger_timer);
    }

    /// Both its dialogs are gone: whoever still waits for an answer in them gets it.
    pub(super) fn bury(&mut self, step: &mut Step<'_>, exchanges: &mut Vec<Exchange>) {
        self.silence(step.cx);
        step.by_tag.remove(&self.caller.dialog.local_tag);
        for one in self.waiting.drain(..) {
            let dialog = if one.side == Side::Caller { &self.caller.dialog } else { &self.callee.dialog };
            step.reply(one.server, 481, &dialog.local_tag);
        }
        let id = self.id;
        for mut exchange in exchanges.extract_if(.., |exchange| exchange.branch == id) {
            exchange.silence(step.cx);
            if let Some(server) = exchange.server() {
                // What a PRACK acknowledges has arrived, whatever became of who sent it.
                let status = if exchange.kind == Kind::Prack && !exchange.has_offer { 200 } else { 481 };
                step.reply(server, status, &self.leg(exchange.to.other()).dialog.local_tag);
            }
            step.transactions.disown(step.cx, exchange.client);
        }
    }
}

impl Call {
    /// Ends the call for this reason, unless it has ended already. Does not remove it.
    pub(super) fn end(&mut self, step: &mut Step<'_>, end: End) {
        if self.end.is_some() {
            return;
        }
        self.end = Some(end);
        self.stop_announcement(step);
        self.drop_own(step);
        step.cx.timers.cancel(&mut self.timer);
        step.cx.timers.cancel(&mut self.listen_timer);
        let record = record::of_call(step.cx, self);
        self.close_record(step, record);
        self.ways.clear();
        self.ingress.invite = Bytes::new();
        self.refuse_pending(step);
        if !std::mem::replace(&mut self.ingress.is_answered, true) {
            step.reply(self.ingress.server, end.status, &self.ingress.dialog.local_tag);
        }
        let farewell = parting(&self.farewell, end).to_vec();
        self.cancel_attempts(step, None, &farewell);
        self.attempts.iter_mut().for_each(|attempt| attempt.stop(step));
        if let Some(uses) = self.uses.take() {
            step.load.remove(&uses);
        }
        let branches: Vec<u8> = self.branches.iter().map(|branch| branch.id).collect();
        for branch in branches {
            for side in Side::BOTH {
                self.release(step, branch, side);
            }
        }
        self.linger(step);
    }

    /// Gives a leg of an ended call what it is still owed.
    pub(super) fn release(&mut self, step: &mut Step<'_>, branch_id: u8, side: Side) {
        let Some(branch) = self.branch_mut(branch_id) else { return };
        match (branch.leg(side).state, side) {
            // The INVITE's final answer, or the CANCEL, ends it.
            (LegState::Early, _) => branch.leg_mut(side).state = LegState::Gone,
            // RFC 3261 §15: no BYE before the ACK of our 2xx, or before its transaction has given up.
            (LegState::Answered, Side::Caller) => branch.caller.state = LegState::Closing,
            (LegState::Answered, Side::Callee) => {
                let is_its =
                    |exchange: &&Exchange| exchange.branch == branch_id && exchange.state == ExchangeState::Answered;
                if let Some(first) = self.exchanges.iter().find(is_its).cloned() {
                    self.acknowledge(step, branch_id, side, first.client_cseq, &first.credentials, None);
                }
                self.leave(step, branch_id, side);
            }
            (LegState::Closing | LegState::Confirmed, _) => self.leave(step, branch_id, side),
            (LegState::Leaving | LegState::Gone, _) => {}
        }
    }

    /// Sends our BYE on a leg.
    pub(super) fn leave(&mut self, step: &mut Step<'_>, branch_id: u8, side: Side) {
        let credentials = self.known_credentials(step, branch_id, side, "BYE");
        let farewell = self.end.map(|end| parting(&self.farewell, end).to_vec()).unwrap_or_default();
        let Some(branch) = self.branch_mut(branch_id) else { return };
        let leg = branch.leg_mut(side);
        let (mut writer, token) = leg.dialog.request(step.cx, "BYE", MAX_FORWARDS);
        writer.raw(&credentials).raw(&farewell);
        leg.state = LegState::Leaving;
        if !self.ask(step, branch_id, side, Kind::Bye, writer.finish(b""), token) {
            // No room for the transaction: the peer will find out by its own timers.
            self.branch_mut(branch_id).expect("looked up above").leg_mut(side).state = LegState::Gone;
        }
    }

    /// A BYE has come: its leg is gone, the call over.
    pub(super) fn on_bye(
        &mut self,
        step: &mut Step<'_>,
        branch_id: u8,
        side: Side,
        message: &Message<'_>,
        server: ServerId,
    ) {
        let Some(branch) = self.branch_mut(branch_id) else { return };
        let (tag, state) = (branch.leg(side).dialog.local_tag, branch.leg(side).state);
        if side == Side::Callee && state == LegState::Early {
            // RFC 3261 §15: the callee must not end an early dialog by BYE.
            return step.reply(server, 481, &tag);
        }
        step.reply(server, 200, &tag);
        // A caller that hangs up has seen the 2xx, whatever became of its ACK.
        if side == Side::Caller && state > LegState::Early {
            step.transactions.acknowledged(step.cx, self.ingress.server);
        }
        let others_ring = state == LegState::Early && self.has_other_early(tag);
        self.acknowledge_all(step, branch_id, side);
        // Where our own BYE is under way, its answer is still to come.
        let branch = self.branch_mut(branch_id).expect("looked up above");
        if state != LegState::Leaving {
            branch.leg_mut(side).state = LegState::Gone;
        }
        if others_ring {
            branch.callee.state = LegState::Gone; // RFC 3261 §15.1.1: one early dialog of several
            return;
        }
        self.hang_up_by(step, side, message);
    }

    /// This side has had enough, and says so by this BYE or CANCEL. What was being announced is the reason all the same.
    pub(super) fn hang_up_by(&mut self, step: &mut Step<'_>, side: Side, message: &Message<'_>) {
        let status = if self.times.answer.is_some() { 200 } else { 487 }; // RFC 3261 §15.1.2
        let announced = self.announcement.as_ref().map(|announcement| announcement.end().reason);
        let reason = announced.unwrap_or_else(|| EndReason::from_peer(status, message));
        self.farewell = headers::reason_lines(message);
        self.end(step, End { reason, direction: side.direction(), status });
    }

    /// Acknowledges what this side has answered 2xx, before its dialog goes: each 2xx gets its ACK (RFC 3261 §13.2.2.4).
    fn acknowledge_all(&mut self, step: &mut Step<'_>, branch_id: u8, side: Side) {
        let is_its = |exchange: &&Exchange| {
            exchange.branch == branch_id && exchange.to == side && exchange.state == ExchangeState::Answered
        };
        let answered: Vec<Exchange> = self.exchanges.iter().filter(is_its).cloned().collect();
        for Exchange { client_cseq, credentials, .. } in answered {
            self.acknowledge(step, branch_id, side, client_cseq, &credentials, None);
        }
    }

    /// A CANCEL for this INVITE has come.
    pub(super) fn on_cancel(&mut self, step: &mut Step<'_>, invite: ServerId, message: &Message<'_>) {
        if self.ingress.server == invite {
            if self.ingress.is_answered {
                return;
            }
            return self.hang_up_by(step, Side::Caller, message);
        }
        if self.cancel_waiting(step, invite) {
            return;
        }
        let is_its = |exchange: &&mut Exchange| exchange.server() == Some(invite) && !exchange.is_cancelled;
        let Some(exchange) = self.exchanges.iter_mut().find(is_its) else { return };
        match exchange.state {
            ExchangeState::Asked => {
                exchange.is_cancelled = true;
                let client = exchange.client;
                step.transactions.cancel(step.cx, client, &headers::reason_lines(message));
            }
            ExchangeState::Crossed { .. } => {
                let id = exchange.id;
                self.give_up_crossed(step, id);
            }
            ExchangeState::Answered => {}
        }
    }

    /// The conversation has reached its longest time.
    pub(super) fn on_max_duration(&mut self, step: &mut Step<'_>) {
        self.timer = None;
        let (reason, direction) = (EndReason::MaxDuration, EndDirection::Server);
        self.end(step, End { reason, direction, status: 200 });
    }

    /// An operator hangs the call up.
    pub(super) fn hang_up(&mut self, step: &mut Step<'_>) {
        let status = if self.times.answer.is_some() { 200 } else { 480 };
        let (reason, direction) = (EndReason::Operator, EndDirection::Server);
        self.refuse(step, Ending::of(End { reason, direction, status }));
    }

    /// Answers what is still unanswered inside the dialogs (RFC 3261 §15.1.2) and forgets it, but for INVITEs that
    /// still await their ACK, and for what subscriptions go on to need.
    fn refuse_pending(&mut self, step: &mut Step<'_>) {
        let pending = std::mem::take(&mut self.exchanges);
        for mut exchange in pending {
            let is_first = exchange.server() == Some(self.ingress.server);
            let is_kept = is_first
                || exchange.origin == Origin::Switch
                || matches!(exchange.kind, Kind::Subscribe | Kind::LastNotify);
            if is_kept {
                self.exchanges.push(exchange);
                continue;
            }
            let Some(server) = exchange.server() else { continue };
            if exchange.state == ExchangeState::Answered {
                // Who answered awaits an ACK before anything else; who asked gets the 2xx again until it has sent its own
                // (RFC 3261 §13.3.1.4).
                self.acknowledge(step, exchange.branch, exchange.to, exchange.client_cseq, &exchange.credentials, None);
                self.exchanges.push(exchange);
                continue;
            }
            exchange.silence(step.cx);
            if let Some(branch) = self.branch(exchange.branch) {
                let tag = branch.leg(exchange.to.other()).dialog.local_tag;
                step.reply(server, 487, &tag);
            }
            step.transactions.disown(step.cx, exchange.client);
        }
        for branch in 0..self.branches.len() {
            let branch = &mut self.branches[branch];
            step.cx.timers.cancel(&mut branch.waiting_timer);
            branch.reliable.stop(step.cx);
            for one in std::mem::take(&mut branch.waiting) {
                let tag = branch.leg(one.side).dialog.local_tag;
                step.reply(one.server, 487, &tag);
            }
        }
    }
}

/// The Reason lines for the legs that are told of an end: those that came from the other leg, else our own.
fn parting(farewell: &[u8], end: End) -> &[u8] {
    if farewell.is_empty() { end.reason.header() } else { farewell }
}
