//! What a callee answers to an INVITE of ours.

use super::media::{Role, Spot};
use super::start::{self, body, codec, has_session};
use super::{
    AttemptState, Branch, Call, Exchange, ExchangeState, Kind, LAST_ATTEMPT, LAST_EXCHANGE, Leg, LegState, Of, Open,
    Origin, ROLE_ORPHAN, Reliable, Session, Side, Step, headers,
};
use crate::cdr::EndReason;
use crate::dialog::{Ack, Dialog, MAX_FORWARDS};
use crate::event::Event;
use crate::input::Flow;
use crate::limits;
use crate::routing::failover::Failure;
use crate::sip::{Index, Message, Name, NameAddr, Scanned, Uri, Writer, scan};
use crate::timers::CallTimer;
use crate::transaction::{ClientId, Kind as Machine, NewRequest, Reply};
use bytes::Bytes;
use std::collections::VecDeque;

/// Keeps a callee's dialog that is over: its 2xx comes again as long as its ACK is lost (RFC 3261 §13.2.2.4).
pub(super) fn keep(ended: &mut Vec<Dialog>, dialog: &Dialog) {
    if dialog.has_acks() && ended.len() < limits::BRANCHES_PER_CALL {
        ended.push(dialog.clone());
    }
}

impl Call {
    /// A callee answers the INVITE of this attempt.
    pub(super) fn on_attempt_answer(
        &mut self,
        step: &mut Step<'_>,
        id: u8,
        client: ClientId,
        message: &Message<'_>,
        flow: Flow,
        status: u16,
    ) {
        let Some(attempt) = self.attempt(id).filter(|attempt| attempt.client == client) else {
            return self.on_stray_answer(step, message, flow, status);
        };
        let state = attempt.state;
        if (state, status) == (AttemptState::Inviting, 100) {
            let patience = attempt.way.policy.trying;
            // said again it gives no more time (RFC 3261 §16.7 step 2, of timer C)
            if !std::mem::replace(&mut attempt.heard.any, true) {
                self.watch(step, id, patience);
            }
            return;
        }
        if state == AttemptState::Cancelled && status >= 300 {
            attempt.state = AttemptState::Failed;
            return;
        }
        match (state, status) {
            (AttemptState::Inviting, 101..200) => self.on_progress(step, id, message, flow, status),
            (AttemptState::Inviting, 200..300) => {
                let completed = self.completed(id, message).unwrap_or_default();
                let mut index = Index::default();
                match scan(&completed, &mut index) {
                    Ok(Scanned::Message(whole)) => self.on_accepted(step, id, &whole, flow, status),
                    // nothing is missing, or both together are more than a message may be
                    _ => self.on_accepted(step, id, message, flow, status),
                }
            }
            (AttemptState::Inviting, 401 | 407) if self.answer_challenge(step, id, message) => {}
            (AttemptState::Inviting, 421) if self.offer_reliable(step, id, message) => {}
            (AttemptState::Inviting, 300..400) if self.follow(step, id, message, status) => {}
            (AttemptState::Inviting, 300..) => self.on_refused(step, id, message, status),
            (AttemptState::Cancelled | AttemptState::Answered, 200..300) => {
                self.on_further_answer(step, id, message, flow);
            }
            _ => {}
        }
    }

    /// No final answer came to the INVITE of this attempt; `status` says what that is taken for (RFC 3261 §8.1.3.1).
    pub(super) fn on_attempt_silence(&mut self, step: &mut Step<'_>, id: u8, client: ClientId, status: u16) {
        let Some(attempt) = self.attempt(id).filter(|attempt| attempt.client == client) else { return };
        let failure = if status == 408 { Failure::InviteTimeout } else { Failure::Undelivered };
        match attempt.state {
            AttemptState::Inviting => self.fail(step, id, failure, status, None),
            AttemptState::Cancelled => attempt.state = AttemptState::Failed,
            _ => {}
        }
    }

    /// A callee refuses.
    fn on_refused(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, status: u16) {
        let gateway = self.attempt(id).map(|attempt| attempt.way.gateway.clone()).unwrap_or_default();
        if status == 503
            && !gateway.is_empty()
            && let Some(seconds) = headers::retry_after(message)
        {
            step.trunks.hold(step.cx, &gateway, seconds);
        }
        self.fail(step, id, Failure::Answered, status, Some(message));
    }

    /// The callee rings, or makes other progress.
    fn on_progress(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, flow: Flow, status: u16) {
        let has_sdp = has_session(message);
        let attempt = self.attempt(id).expect("looked up by the caller");
        attempt.heard.any = true;
        attempt.heard.ringing = true;
        attempt.heard.session |= has_sdp;
        let policy = &attempt.way.policy;
        let (kind, patience) = match (status, has_sdp) {
            (180, _) => (0, policy.ringing),
            (_, true) => (1, policy.progress_sdp),
            (_, false) => (2, policy.progress),
        };
        self.watch_progress(step, id, message, kind, patience);
        if status == 180 && self.times.ring.is_none() {
            self.times.ring = Some(step.cx.now.wall);
        }
        if message.to().is_ok_and(|to| to.tag().is_none()) {
            // No dialog: nothing but the status says anything (RFC 3261 §12.1).
            if !self.ring_locally(step, id) {
                self.show_plain(step, message, status);
            }
            return;
        }
        let Some(branch) = self.branch_of(step, id, message) else { return };
        self.hear_provisional(step, branch, message, flow, status);
    }

    /// The callee accepts.
    fn on_accepted(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, flow: Flow, status: u16) {
        let Some(branch_id) = self.branch_of(step, id, message) else {
            return self.on_stray_answer(step, message, flow, status);
        };
        let cseq = message.cseq().map_or(0, |cseq| cseq.number);
        let has_offer = self.ingress.has_offer;
        let attempts = &mut self.attempts;
        let attempt = attempts.iter_mut().find(|attempt| attempt.id == id).expect("looked up by the caller");
        step.cx.timers.cancel(&mut attempt.timer);
        attempt.state = AttemptState::Answered;
        attempt.accepted = Some(cseq);
        attempt.sent = Bytes::new();
        // Nothing else is tried any more, and little more is told: calls that talk are many.
        self.story.iter_mut().for_each(String::shrink_to_fit);
        self.story.shrink_to_fit();
        (attempt.way.targets, attempt.addresses) = Default::default();
        let (client, auth) = (attempt.client, attempt.auth.take());
        let credentials = std::mem::take(&mut attempt.credentials);
        self.to = None;
        self.winner = Some(branch_id);
        self.ways = VecDeque::new();
        self.ingress.invite = Bytes::new();
        self.cancel_attempts(step, Some(id), EndReason::AnsweredElsewhere.header());
        self.lose_other_branches(branch_id);
        let branch = self.branch_mut(branch_id).expect("just found or made");
        branch.callee.dialog.take_answer(message, flow);
        branch.callee.codec = codec(message);
        branch.callee.auth = auth;
        branch.callee.state = LegState::Answered;
        if has_offer || has_session(message) {
            hear_session(&mut branch.callee.session, has_offer);
        }
        branch.callee.keep_offer(message);
        let exchange = self.next_exchange_id();
        let server = self.ingress.server;
        let server_cseq = self.ingress.dialog.remote_cseq.unwrap_or(0);
        self.exchanges.push(Exchange {
            id: exchange,
            branch: branch_id,
            kind: Kind::Invite,
            to: Side::Callee,
            origin: Origin::Peer { server, cseq: server_cseq },
            state: ExchangeState::Answered,
            client_cseq: cseq,
            client,
            sent: Bytes::new(),
            credentials,
            has_offer,
            is_cancelled: false,
            crossings: 0,
            new_target: None,
        });
        self.show_answer(step, branch_id, message, status);
    }

    /// A 2xx of an attempt that has one already, or has been cancelled.
    fn on_further_answer(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, flow: Flow) {
        let (Ok(cseq), Ok(call_id)) = (message.cseq(), message.call_id()) else { return };
        let remote_tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let known = |branch: &&mut Branch| branch.attempt == id && branch.callee.dialog.is_of(call_id, remote_tag);
        if let Some(branch) = self.branches.iter_mut().find(known) {
            let leg = &mut branch.callee;
            if let Some(ack) = leg.dialog.ack_of(cseq.number) {
                // Its ACK was lost.
                step.cx.counters.resent += 1;
                step.cx.send(leg.dialog.flow, ack.bytes.clone());
                return;
            }
            if Some(branch.id) == self.winner {
                return; // its ACK is still to come from the caller
            }
        }
        if self.acknowledge_again(step, message) {
            return;
        }
        // The CANCEL crossed the 2xx, or a second branch of a fork answered: the callee believes in a call, so it is
        // acknowledged and ended (RFC 3261 §9.1, §13.2.2.4).
        let has_offer = self.ingress.has_offer;
        let Some(attempt) = self.attempt(id) else { return };
        attempt.state = AttemptState::Answered;
        attempt.accepted = Some(cseq.number);
        let mut dialog = attempt.dialog.clone();
        let (auth, credentials) = (attempt.auth.clone(), attempt.credentials.clone());
        dialog.take_answer(message, flow);
        dialog.local_cseq = dialog.local_cseq.max(cseq.number);
        let Some(branch_id) = self.add_branch(step, id, dialog) else { return };
        let branch = self.branch_mut(branch_id).expect("just added");
        branch.caller.state = LegState::Gone;
        branch.callee.auth = auth;
        branch.callee.state = LegState::Answered;
        if !has_offer {
            hear_session(&mut branch.callee.session, false);
            branch.callee.keep_offer(message);
        }
        self.acknowledge(step, branch_id, Side::Callee, cseq.number, &credentials, None);
        self.leave(step, branch_id, Side::Callee);
    }

    /// A 2xx to an INVITE that has been replaced by another one since: it is acknowledged and ended.
    fn on_stray_answer(&mut self, step: &mut Step<'_>, message: &Message<'_>, flow: Flow, status: u16) {
        let (Ok(cseq), Ok(call_id), 200..300) = (message.cseq(), message.call_id(), status) else { return };
        if self.acknowledge_again(step, message) {
            return;
        }
        let Some(attempt) = self.attempts.iter().find(|attempt| attempt.dialog.parties.call_id() == call_id) else {
            return;
        };
        let mut dialog = attempt.dialog.clone();
        dialog.take_answer(message, flow);
        let ack = dialog.ack(step.cx, cseq.number).finish(b"");
        dialog.keep_ack(Ack { cseq: cseq.number, bytes: ack.clone() });
        step.cx.send(dialog.flow, ack);
        let (bye, branch) = dialog.request(step.cx, "BYE", MAX_FORWARDS);
        let new = NewRequest { flow: dialog.flow, kind: Machine::Other, branch, bytes: bye.finish(b"") };
        let owner = step.owner(ROLE_ORPHAN);
        step.transactions.request(step.cx, new, owner);
        keep(&mut self.ended, &dialog);
    }

    /// No 2xx to the INVITE of an attempt comes any more: nothing is to be sent again for it.
    pub(super) fn on_settled(&mut self, id: u8, client: ClientId) {
        let Some(attempt) = self.attempt(id).filter(|attempt| attempt.client == client) else { return };
        let Some(cseq) = attempt.accepted else { return };
        for branch in self.branches.iter_mut().filter(|branch| branch.attempt == id) {
            branch.callee.dialog.forget_ack(cseq);
        }
    }

    /// Answers a 2xx of a dialog that is over with the ACK that it had; false where there is none.
    fn acknowledge_again(&self, step: &mut Step<'_>, message: &Message<'_>) -> bool {
        let (Ok(cseq), Ok(call_id)) = (message.cseq(), message.call_id()) else { return false };
        let remote_tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let Some(dialog) = self.ended.iter().find(|dialog| dialog.is_of(call_id, remote_tag)) else { return false };
        let Some(ack) = dialog.ack_of(cseq.number) else { return false };
        step.cx.counters.resent += 1;
        step.cx.send(dialog.flow, ack.bytes.clone());
        true
    }

    /// The branch that this answer is of, made if it is the first with its To-tag. What else the answer says of the dialog is
    /// the caller's to take.
    fn branch_of(&mut self, step: &mut Step<'_>, attempt: u8, message: &Message<'_>) -> Option<u8> {
        let remote_tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let is_its =
            |branch: &&mut Branch| branch.attempt == attempt && *branch.callee.dialog.remote_tag == *remote_tag;
        if let Some(branch) = self.branches.iter_mut().find(is_its) {
            return Some(branch.id);
        }
        let mut dialog = self.attempt(attempt)?.dialog.clone();
        dialog.remote_tag = remote_tag.into();
        self.add_branch(step, attempt, dialog)
    }

    /// Makes a branch around a callee's dialog. None where there are too many.
    pub(super) fn add_branch(&mut self, step: &mut Step<'_>, attempt: u8, callee: Dialog) -> Option<u8> {
        if self.branches.len() >= limits::BRANCHES_PER_CALL {
            return None;
        }
        let id = self.next.branch;
        self.next.branch = id.wrapping_add(1);
        let mut caller = self.ingress.dialog.clone();
        if std::mem::replace(&mut self.ingress.is_tag_used, true) {
            caller.local_tag = step.cx.rng.ids.token();
        }
        step.name(caller.local_tag, Of::Branch(id));
        let (mut to_caller, mut to_callee) = (Session::default(), Session::default());
        if self.ingress.has_offer {
            to_caller.offered();
            to_callee.offers();
        }
        let leg = |dialog, session, codec| Leg {
            state: LegState::Early,
            dialog,
            session,
            open_offer: Bytes::new(),
            codec,
            auth: None,
        };
        self.branches.push(Branch {
            id,
            attempt,
            caller: leg(caller, to_caller, self.ingress.codec.clone()),
            callee: leg(callee, to_callee, String::new()),
            reliable: Reliable::default(),
            waiting: VecDeque::new(),
            waiting_timer: None,
            subscriptions: Vec::new(),
            linger_timer: None,
            said: Vec::new(),
            is_shown: false,
        });
        Some(id)
    }

    /// One branch has answered: the early dialogs of the others are over (RFC 3261 §13.2.2.4).
    fn lose_other_branches(&mut self, winner: u8) {
        for branch in self.branches.iter_mut().filter(|branch| branch.id != winner) {
            for side in Side::BOTH {
                if branch.leg(side).state == LegState::Early {
                    branch.leg_mut(side).state = LegState::Gone;
                }
            }
            branch.subscriptions.clear();
        }
    }

    /// Shows the caller the 2xx that makes the call, once everything before it has arrived.
    pub(super) fn show_answer(&mut self, step: &mut Step<'_>, branch_id: u8, message: &Message<'_>, status: u16) {
        let branch = self.branch_mut(branch_id).expect("the caller holds this branch");
        if branch.reliable.must_hold() {
            // RFC 3262 §3: no 2xx while a reliable answer with SDP is not acknowledged.
            return branch.reliable.hold(message);
        }
        branch.reliable.stop(step.cx);
        branch.caller.state = LegState::Answered;
        if branch.caller.session.open() == Open::Peers || has_session(message) {
            show_session(&mut branch.caller.session);
        }
        let attempt = branch.attempt;
        self.ingress.is_answered = true;
        self.stop_ringing(step, attempt);
        self.show(step, branch_id, message, status, b"");
        self.times.answer = Some(step.cx.now.wall);
        self.times.answer_mono = Some(step.cx.now.mono);
        step.cx.counters.calls_answered += 1;
        if let Some(max_talk) = self.attempt(attempt).and_then(|attempt| attempt.way.policy.max_talk) {
            self.timer = Some(step.arm(max_talk, CallTimer::MaxDuration));
        }
        self.talk_begins(step, branch_id);
        step.cx.emit(Event::CallAnswered { call: self.number });
    }

    /// Passes an answer of a branch to the caller's INVITE, with these lines added.
    pub(super) fn show(
        &mut self,
        step: &mut Step<'_>,
        branch_id: u8,
        message: &Message<'_>,
        status: u16,
        added: &[u8],
    ) {
        let (server, has_offer) = (self.ingress.server, self.ingress.has_offer);
        let branch = self.branch_mut(branch_id).expect("the caller holds this branch");
        branch.is_shown = true;
        let attempt = branch.attempt;
        let spot = Spot { attempt, branch: Some(branch_id), from: Side::Callee };
        let view = self.speak(step, spot, if has_offer { Role::Answer } else { Role::Offer }, message);
        let branch = self.branch(branch_id).expect("looked up above");
        let mut lines = answer_lines(step, message);
        self.write_party(&step.cx.config, branch, Side::Callee, message, &mut lines);
        start::allow(message, &mut lines);
        contact(step, branch.caller.dialog.flow, &mut lines);
        lines.raw(added);
        let dialog = &mut self.branch_mut(branch_id).expect("looked up above").caller.dialog;
        let body = body(step.cx, dialog, message, view.as_ref());
        let (reason, to_tag) = (message.reason(), &dialog.local_tag);
        let reply = Reply { status, reason, to_tag, headers: lines.as_bytes(), body: &body };
        step.transactions.respond(step.cx, server, reply);
    }

    /// Passes a provisional answer that makes no dialog.
    fn show_plain(&mut self, step: &mut Step<'_>, message: &Message<'_>, status: u16) {
        if self.ingress.has_rung || self.is_ringing() {
            return;
        }
        self.ingress.has_rung |= status == 180;
        let (server, tag) = (self.ingress.server, self.ingress.dialog.local_tag);
        let lines = answer_lines(step, message);
        let reply = Reply { reason: message.reason(), headers: lines.as_bytes(), ..Reply::new(status, &tag) };
        step.transactions.respond(step.cx, server, reply);
    }

    /// Passes a failure to the caller's INVITE, with this status.
    pub(super) fn show_failure(&mut self, step: &mut Step<'_>, message: &Message<'_>, status: u16) {
        let (server, tag) = (self.ingress.server, self.ingress.dialog.local_tag);
        let mut lines = answer_lines(step, message);
        if (300..400).contains(&status) {
            redirected(message, &step.cx.config.domain, &mut lines);
        }
        let body = body(step.cx, &mut self.ingress.dialog, message, None);
        let reason = message.reason().filter(|_| message.status() == Some(status));
        let reply = Reply { status, reason, to_tag: &tag, headers: lines.as_bytes(), body: &body };
        step.transactions.respond(step.cx, server, reply);
        self.ingress.is_answered = true;
    }

    /// Gives an attempt's callee this long for its next step.
    fn watch(&mut self, step: &mut Step<'_>, id: u8, patience: std::time::Duration) {
        let attempt = self.attempt(id).expect("the caller holds this attempt");
        step.cx.timers.cancel(&mut attempt.timer);
        attempt.timer = Some(step.arm(patience, CallTimer::Progress(id)));
    }

    /// The same for a kind of progress. It gives its time once, and once again for every branch of a fork: a callee that
    /// says the same for ever does not ring for ever.
    fn watch_progress(
        &mut self,
        step: &mut Step<'_>,
        id: u8,
        message: &Message<'_>,
        kind: usize,
        patience: std::time::Duration,
    ) {
        let tag = message.to().ok().and_then(|to| to.tag());
        let is_known = |tag: &[u8]| {
            self.branches.iter().any(|branch| branch.attempt == id && *branch.callee.dialog.remote_tag == *tag)
        };
        let is_new = self.branches.len() < limits::BRANCHES_PER_CALL && tag.is_some_and(|tag| !is_known(tag));
        let now = step.cx.now.mono;
        let since = &mut self.attempt(id).expect("the caller holds this attempt").heard.since[kind];
        if is_new {
            *since = None;
        }
        let waited = now.since(*since.get_or_insert(now));
        self.watch(step, id, patience.saturating_sub(waited));
    }

    /// The number of a new exchange: after the attempts', in turn.
    pub(super) fn next_exchange_id(&mut self) -> u8 {
        const COUNT: u8 = LAST_EXCHANGE - LAST_ATTEMPT;
        loop {
            let id = LAST_ATTEMPT + 1 + self.next.exchange;
            self.next.exchange = (self.next.exchange + 1) % COUNT;
            // A call holds far fewer than there are numbers.
            if self.exchanges.iter().all(|exchange| exchange.id != id) {
                return id;
            }
        }
    }
}

/// A description has come in an answer that decides: it answers our offer, or is the offer where there was none.
pub(super) fn hear_session(session: &mut Session, had_offer: bool) {
    match session.open() {
        Open::Ours => session.agree(),
        Open::None if !had_offer && !session.is_agreed() => session.offered(),
        _ => {}
    }
}

/// The same description goes out on the other leg.
pub(super) fn show_session(session: &mut Session) {
    match session.open() {
        Open::Peers => session.agree(),
        Open::None if !session.is_agreed() => session.offers(),
        _ => {}
    }
}

/// What passes of an answer's headers.
pub(super) fn answer_lines(step: &Step<'_>, message: &Message<'_>) -> Writer {
    let mut lines = Writer::lines();
    headers::copy(message, &step.cx.config.domain, &mut lines);
    lines
}

/// Our Contact.
pub(super) fn contact(step: &Step<'_>, flow: Flow, lines: &mut Writer) {
    let listen = &step.cx.config.listen[usize::from(flow.socket.0)];
    lines.raw(b"Contact: <sip:").address(listen.advertise).raw(b">\r\n");
}

/// The Contacts of a 3xx as numbers of this switch: the caller learns the number, not the callee's addresses.
fn redirected(message: &Message<'_>, domain: &str, lines: &mut Writer) {
    for contact in message.list(Name::Contact).filter_map(|value| NameAddr::parse(value).ok()) {
        if let Some(user) = Uri::parse(contact.uri).ok().and_then(|uri| uri.user) {
            lines.raw(b"Contact: <sip:").raw(user).raw(b"@").raw(domain.as_bytes()).raw(b">\r\n");
        }
    }
}

/// The status that the other leg is shown: a challenge to us is none of its business.
pub(super) fn shown_status(status: u16) -> u16 {
    match status {
        // RFC 3261 §22: it could not answer a challenge whose realm it does not see.
        401 | 407 => 503,
        // RFC 3261 §8.2.1, §20.2: about our own Require and Supported, which it did not write.
        421 | 494 => 500,
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
