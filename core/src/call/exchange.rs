//! Requests that went out inside a dialog, until nothing more of them is to come.

use super::answer::{answer_lines, contact, shown_status};
use super::attempt::login;
use super::media::{Role, Spot, View};
use super::start::{self, body, described, forward, has_session};
use super::{Call, End, Exchange, ExchangeState, Kind, LegState, NewTarget, Origin, Side, Step};
use crate::cdr::{EndDirection, EndReason};
use crate::cx::Cx;
use crate::dialog::{Ack, Tag, first_contact};
use crate::input::Flow;
use crate::nat;
use crate::sip::{Message, Method, Uri, Writer};
use crate::timers::TimerId;
use crate::transaction::{ClientId, Kind as Machine, NewRequest, Reply, ServerId, resend};
use bytes::Bytes;

/// A peer's request that goes on to the other leg.
#[derive(Clone, Copy)]
pub(super) struct NewExchange {
    pub(super) branch: u8,
    /// Which leg it came in on.
    pub(super) from: Side,
    pub(super) kind: Kind,
    pub(super) server: ServerId,
    pub(super) flow: Flow,
}

impl Exchange {
    /// Cancels what it has armed.
    pub(super) fn silence(&mut self, cx: &mut Cx) {
        if let ExchangeState::Crossed { timer } = self.state {
            cx.timers.cancel(&mut Some::<TimerId>(timer));
        }
    }
}

impl Call {
    /// Carries a request from one leg to the other, with these header lines added.
    pub(super) fn carry(
        &mut self,
        step: &mut Step<'_>,
        new: NewExchange,
        message: &Message<'_>,
        method: &str,
        lines: &[u8],
        has_offer: bool,
    ) {
        let id = self.next_exchange_id();
        let owner = step.owner(id);
        let to = new.from.other();
        let credentials = self.known_credentials(step, new.branch, to, method);
        let mut added = Writer::lines();
        if matches!(new.kind, Kind::Invite | Kind::Update)
            && let Some(branch) = self.branch(new.branch)
        {
            self.write_party(&step.cx.config, branch, new.from, message, &mut added);
        }
        self.event_line(new.branch, new.from, message, &mut added);
        added.raw(lines).raw(&credentials);
        let Some(attempt) = self.branch(new.branch).map(|branch| branch.attempt) else { return };
        let spot = Spot { attempt, branch: Some(new.branch), from: new.from };
        let view = self.speak(step, spot, if has_offer { Role::Offer } else { Role::Answer }, message);
        let Some(branch) = self.branch_mut(new.branch) else { return };
        let tag = branch.leg(new.from).dialog.local_tag;
        let refreshes = matches!(new.kind, Kind::Invite | Kind::Update);
        let new_target = refreshes.then(|| new_target(message, new.flow)).flatten();
        let (bytes, token) =
            forward(step.cx, &mut branch.leg_mut(to).dialog, message, method, added.as_bytes(), view.as_ref());
        let far = &branch.leg(to).dialog;
        let machine = if new.kind == Kind::Invite { Machine::Invite } else { Machine::Other };
        let request = NewRequest { flow: far.flow, kind: machine, branch: token, bytes: bytes.clone() };
        let client_cseq = far.local_cseq;
        let Some(client) = step.transactions.request(step.cx, request, owner) else {
            return step.reply(new.server, 503, &tag);
        };
        step.transactions.adopt(new.server, owner, tag);
        if new.kind == Kind::Invite {
            step.reply(new.server, 100, b"");
        }
        if has_offer {
            branch.leg_mut(new.from).session.offered();
            branch.leg_mut(to).session.offers();
        }
        let cseq = message.cseq().map_or(0, |cseq| cseq.number);
        self.exchanges.push(Exchange {
            id,
            branch: new.branch,
            kind: new.kind,
            to,
            origin: Origin::Peer { server: new.server, cseq },
            state: ExchangeState::Asked,
            client_cseq,
            client,
            sent: bytes,
            credentials: credentials.into(),
            has_offer,
            is_cancelled: false,
            crossings: 0,
            new_target,
        });
    }

    /// Sends a request of the switch's own on a leg. False where there is no room for its transaction.
    pub(super) fn ask(
        &mut self,
        step: &mut Step<'_>,
        branch_id: u8,
        to: Side,
        kind: Kind,
        bytes: Bytes,
        token: Tag,
    ) -> bool {
        let id = self.next_exchange_id();
        let owner = step.owner(id);
        let Some(branch) = self.branch(branch_id) else { return false };
        let dialog = &branch.leg(to).dialog;
        let client_cseq = dialog.local_cseq;
        let new = NewRequest { flow: dialog.flow, kind: Machine::Other, branch: token, bytes: bytes.clone() };
        let Some(client) = step.transactions.request(step.cx, new, owner) else { return false };
        self.exchanges.push(Exchange {
            id,
            branch: branch_id,
            kind,
            to,
            origin: Origin::Switch,
            state: ExchangeState::Asked,
            client_cseq,
            client,
            sent: bytes,
            credentials: Box::default(),
            has_offer: false,
            is_cancelled: false,
            crossings: 0,
            new_target: None,
        });
        true
    }

    /// A peer answers a request that went out inside a dialog.
    pub(super) fn on_exchange_answer(
        &mut self,
        step: &mut Step<'_>,
        id: u8,
        client: ClientId,
        message: &Message<'_>,
        flow: Flow,
        status: u16,
    ) {
        let Some(exchange) = self.exchange(id).filter(|exchange| exchange.client == client) else {
            return self.on_repeated_answer(step, message, status);
        };
        let (state, kind, origin, is_cancelled) =
            (exchange.state, exchange.kind, exchange.origin, exchange.is_cancelled);
        if state != ExchangeState::Asked {
            return self.on_repeated_answer(step, message, status);
        }
        if status < 200 {
            // RFC 4320 §4.1: only an INVITE's provisional answers say anything.
            if status > 100 && kind == Kind::Invite {
                self.pass_back(step, id, message, status);
            }
            return;
        }
        if is_cancelled && matches!(status, 401 | 407 | 491) {
            // Nobody asks again: to its peer it is cancelled and nothing else (RFC 3261 §9.2).
            return self.on_refusal(step, id, Some(message), 487);
        }
        if matches!(status, 401 | 407) && self.answer_exchange_challenge(step, id, message) {
            return;
        }
        if status == 491 && self.on_crossing(step, id) {
            return;
        }
        match origin {
            Origin::Switch => self.on_own_answer(id),
            Origin::Peer { .. } if (200..300).contains(&status) => self.on_consent(step, id, message, flow, status),
            Origin::Peer { .. } => self.on_refusal(step, id, Some(message), status),
        }
    }

    /// A peer agrees to what the other one asked.
    fn on_consent(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, flow: Flow, status: u16) {
        let exchange = self.exchange(id).expect("looked up by the caller").clone();
        let Some(branch) = self.branch_mut(exchange.branch) else { return };
        let near = exchange.to.other();
        if matches!(exchange.kind, Kind::Invite | Kind::Update) {
            // Both sides have agreed to the target refresh (RFC 3261 §12.2).
            if let Some(target) = exchange.new_target.clone() {
                let dialog = &mut branch.leg_mut(near).dialog;
                dialog.target = target.uri;
                dialog.flow = target.flow;
            }
            branch.leg_mut(exchange.to).dialog.take_target(message, flow, false);
        }
        if exchange.has_offer {
            branch.leg_mut(near).session.agree();
            branch.leg_mut(exchange.to).session.agree();
        } else if exchange.kind == Kind::Invite && has_session(message) {
            // The offer came with the answer; its answer comes with the ACK (RFC 3261 §13.2.1).
            branch.leg_mut(exchange.to).session.offered();
            branch.leg_mut(exchange.to).keep_offer(message);
            branch.leg_mut(near).session.offers();
        }
        match exchange.kind {
            Kind::Subscribe => branch.subscribed(&exchange, message),
            Kind::LastNotify => branch.unsubscribed(&exchange),
            _ => {}
        }
        if self.end.is_some() {
            self.linger(step);
        }
        self.pass_back(step, id, message, status);
        if exchange.kind == Kind::Invite {
            self.exchange(id).expect("looked up above").state = ExchangeState::Answered;
        } else {
            self.exchanges.retain(|other| other.id != id);
            self.admit_waiting(step, exchange.branch);
        }
    }

    /// A peer refuses what the other one asked, or never answers it (`message` is none).
    fn on_refusal(&mut self, step: &mut Step<'_>, id: u8, message: Option<&Message<'_>>, status: u16) {
        let exchange = self.exchange(id).expect("looked up by the caller").clone();
        let near = exchange.to.other();
        if exchange.has_offer
            && let Some(branch) = self.branch_mut(exchange.branch)
        {
            branch.leg_mut(near).session.withdraw();
            branch.leg_mut(exchange.to).session.withdraw();
        }
        match message {
            Some(message) => self.pass_back(step, id, message, shown_status(status)),
            // RFC 4320 §4.2: a non-INVITE request that got no answer is not answered 408 either.
            None if exchange.kind != Kind::Invite && status == 408 => {}
            None => {
                let tag = self.branch(exchange.branch).map(|branch| branch.leg(near).dialog.local_tag);
                if let (Some(server), Some(tag)) = (exchange.server(), tag) {
                    step.reply(server, status, &tag);
                }
            }
        }
        self.exchanges.retain(|other| other.id != id);
        // The far side knows no such dialog (RFC 3261 §12.2.1.2; RFC 5057 §5.1 for the usage).
        let is_of_call = !matches!(exchange.kind, Kind::Subscribe | Kind::LastNotify);
        if (matches!(status, 408 | 481) || message.is_none()) && is_of_call && self.winner == Some(exchange.branch) {
            let direction = exchange.to.direction();
            return self.end(step, End { reason: EndReason::DialogGone, direction, status: 200 });
        }
        if exchange.kind == Kind::LastNotify
            && let Some(branch) = self.branch_mut(exchange.branch)
        {
            branch.unsubscribed(&exchange);
        }
        self.admit_waiting(step, exchange.branch);
    }

    /// The answer to a request of the switch's own.
    fn on_own_answer(&mut self, id: u8) {
        let Some(exchange) = self.exchange(id).cloned() else { return };
        self.exchanges.retain(|other| other.id != id);
        if exchange.kind == Kind::Bye
            && let Some(branch) = self.branch_mut(exchange.branch)
        {
            branch.leg_mut(exchange.to).state = LegState::Gone;
        }
    }

    /// A request inside a dialog ended without an answer; `status` says what that is to be taken for.
    pub(super) fn on_exchange_silence(&mut self, step: &mut Step<'_>, id: u8, client: ClientId, status: u16) {
        let Some(exchange) = self.exchange(id).filter(|exchange| exchange.client == client) else { return };
        match exchange.origin {
            Origin::Switch => self.on_own_answer(id),
            Origin::Peer { .. } => self.on_refusal(step, id, None, status),
        }
    }

    /// Passes an answer back over the exchange it answers, with this status.
    fn pass_back(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, status: u16) {
        let exchange = self.exchange(id).expect("looked up by the caller");
        let (branch_id, kind, near) = (exchange.branch, exchange.kind, exchange.to.other());
        let Some(server) = exchange.server() else { return };
        let Some(branch) = self.branch(branch_id) else { return };
        let mut lines = answer_lines(step, message);
        if status < 300 && matches!(kind, Kind::Invite | Kind::Update) {
            self.write_party(&step.cx.config, branch, near.other(), message, &mut lines);
        }
        if status < 300 && kind == Kind::Invite {
            start::allow(message, &mut lines);
        }
        if status < 300 && !matches!(kind, Kind::Bye | Kind::Prack) {
            contact(step, branch.leg(near).dialog.flow, &mut lines);
        }
        let view = self.view_back(step, id, message, status);
        let Some(branch) = self.branch_mut(branch_id) else { return };
        let dialog = &mut branch.leg_mut(near).dialog;
        let body = body(step.cx, dialog, message, view.as_ref());
        let reason = message.reason().filter(|_| message.status() == Some(status));
        let to_tag = &dialog.local_tag;
        let reply = Reply { status, reason, to_tag, headers: lines.as_bytes(), body: &body };
        step.transactions.respond(step.cx, server, reply);
    }

    /// The relay as who asked is to see it in this answer: a refusal changes nothing.
    fn view_back(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, status: u16) -> Option<View> {
        let exchange = self.exchange(id)?;
        let (branch, from, has_offer) = (exchange.branch, exchange.to, exchange.has_offer);
        let attempt = self.branch(branch)?.attempt;
        let role = if has_offer { Role::Answer } else { Role::Offer };
        (status < 300).then(|| self.speak(step, Spot { attempt, branch: Some(branch), from }, role, message)).flatten()
    }

    /// A 2xx to an INVITE once more: its ACK was lost, or is still to come from the other side.
    fn on_repeated_answer(&mut self, step: &mut Step<'_>, message: &Message<'_>, status: u16) {
        let (Ok(cseq), Ok(call_id), 200..300) = (message.cseq(), message.call_id(), status) else { return };
        if cseq.method != Method::Invite {
            return;
        }
        let remote_tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let legs = self.branches.iter().flat_map(|branch| [&branch.caller, &branch.callee]);
        for leg in legs.filter(|leg| leg.dialog.is_of(call_id, remote_tag)) {
            if let Some(ack) = leg.dialog.ack_of(cseq.number) {
                step.cx.counters.resent += 1;
                step.cx.send(leg.dialog.flow, ack.bytes.clone());
            }
        }
    }

    /// Answers a peer's challenge; false where that would be no use.
    fn answer_exchange_challenge(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>) -> bool {
        let exchange = self.exchange(id).expect("looked up by the caller").clone();
        let gateway = self.gateway_of(exchange.branch, exchange.to);
        let config = step.cx.config.clone();
        let Some(login) = login(&config, &gateway) else { return false };
        let Some(branch) = self.branch_mut(exchange.branch) else { return false };
        let leg = branch.leg_mut(exchange.to);
        let client = leg.auth.get_or_insert_with(Box::default);
        let method = message.cseq().map_or(&b""[..], |cseq| cseq.method.as_bytes());
        let method = std::str::from_utf8(method).unwrap_or_default();
        let Ok(lines) = client.answer(step.cx, message, method, &leg.dialog.target, b"", &login) else { return false };
        self.send_again(step, id, &lines)
    }

    /// Sends an exchange's request again, as a new request with these credentials.
    pub(super) fn send_again(&mut self, step: &mut Step<'_>, id: u8, auth_lines: &[u8]) -> bool {
        let owner = step.owner(id);
        let exchange = self.exchange(id).expect("looked up by the caller");
        let (branch_id, to, kind, sent) = (exchange.branch, exchange.to, exchange.kind, exchange.sent.clone());
        let Some(branch) = self.branch_mut(branch_id) else { return false };
        let dialog = &mut branch.leg_mut(to).dialog;
        dialog.local_cseq += 1;
        let (cseq, flow) = (dialog.local_cseq, dialog.flow);
        let token: Tag = step.cx.rng.ids.token();
        let bytes = resend(&sent, &token, cseq, auth_lines);
        let machine = if kind == Kind::Invite { Machine::Invite } else { Machine::Other };
        let new = NewRequest { flow, kind: machine, branch: token, bytes: bytes.clone() };
        let Some(client) = step.transactions.request(step.cx, new, owner) else { return false };
        let exchange = self.exchange(id).expect("looked up above");
        exchange.client = client;
        exchange.client_cseq = cseq;
        exchange.sent = bytes;
        if !auth_lines.is_empty() {
            exchange.credentials = auth_lines.into();
        }
        exchange.state = ExchangeState::Asked;
        true
    }

    /// The ACK of a 2xx: it stops the resending on its own leg and goes on to the other.
    pub(super) fn on_ack(&mut self, step: &mut Step<'_>, branch_id: u8, side: Side, message: &Message<'_>) {
        let Ok(cseq) = message.cseq() else { return };
        let is_awaited = |exchange: &&Exchange| {
            let is_its = matches!(exchange.origin, Origin::Peer { cseq: asked, .. } if asked == cseq.number);
            exchange.state == ExchangeState::Answered
                && exchange.branch == branch_id
                && exchange.from() == Some(side)
                && is_its
        };
        let Some(exchange) = self.exchanges.iter().find(is_awaited).cloned() else { return };
        self.exchanges.retain(|other| other.id != exchange.id);
        if let Some(server) = exchange.server() {
            step.transactions.acknowledged(step.cx, server);
        }
        let Some(branch) = self.branch_mut(branch_id) else { return };
        if !exchange.has_offer {
            for side in Side::BOTH {
                branch.leg_mut(side).session.agree();
                branch.leg_mut(side).open_offer = Bytes::new();
            }
        }
        match branch.leg(side).state {
            LegState::Answered => branch.leg_mut(side).state = LegState::Confirmed,
            LegState::Closing => self.release(step, branch_id, side),
            _ => {}
        }
        if self.answering.is_some() && !exchange.has_offer && self.end.is_none() {
            return self.on_station_ack(step, branch_id, message);
        }
        self.acknowledge(step, branch_id, exchange.to, exchange.client_cseq, &exchange.credentials, Some(message));
        self.admit_waiting(step, branch_id);
    }

    /// Sends the ACK of a 2xx on the leg that gave it, with the credentials of its INVITE and the body of the ACK that came,
    /// if one did.
    pub(super) fn acknowledge(
        &mut self,
        step: &mut Step<'_>,
        branch_id: u8,
        to: Side,
        cseq: u32,
        credentials: &[u8],
        with: Option<&Message<'_>>,
    ) {
        let Some(branch) = self.branch_mut(branch_id) else { return };
        let (attempt, far) = (branch.attempt, branch.leg_mut(to));
        let is_open = matches!(far.state, LegState::Answered | LegState::Confirmed);
        let has_ack = far.dialog.ack_of(cseq).is_some();
        if !is_open || has_ack {
            return;
        }
        let spot = Spot { attempt, branch: Some(branch_id), from: to.other() };
        let view = with.and_then(|message| self.speak(step, spot, Role::Answer, message));
        let far = self.branch_mut(branch_id).expect("looked up above").leg_mut(to);
        let mut writer = far.dialog.ack(step.cx, cseq);
        writer.raw(credentials);
        let bytes = match with {
            Some(message) => {
                super::headers::copy(message, &step.cx.config.domain, &mut writer);
                start::finish(step.cx, &mut far.dialog, writer, message, view.as_ref())
            }
            None => {
                let ours = step.cx.config.listen[usize::from(far.dialog.flow.socket.0)].advertise.ip();
                let answer = far.refuse_offer(ours).map(|refused| described(step.cx, &mut far.dialog, &refused, None));
                if answer.is_some() {
                    writer.header("Content-Type", "application/sdp");
                }
                writer.finish(&answer.unwrap_or_default())
            }
        };
        // It is kept as long as the call: without the room that its writer had to spare.
        far.dialog.keep_ack(Ack { cseq, bytes: Bytes::copy_from_slice(&bytes) });
        if far.state == LegState::Answered {
            far.state = LegState::Confirmed;
        }
        step.cx.send(far.dialog.flow, bytes);
    }

    /// The peer never acknowledged our 2xx (RFC 3261 §13.3.1.4): the call ends, also where the ACK was a re-INVITE's.
    pub(super) fn on_no_ack(&mut self, step: &mut Step<'_>, server: ServerId) {
        let is_its =
            |exchange: &&Exchange| exchange.state == ExchangeState::Answered && exchange.server() == Some(server);
        // A refusal that was never acknowledged has ended its exchange all the same.
        let Some(exchange) = self.exchanges.iter().find(is_its).cloned() else { return };
        self.exchanges.retain(|other| other.id != exchange.id);
        self.acknowledge(step, exchange.branch, exchange.to, exchange.client_cseq, &exchange.credentials, None);
        self.end(step, End { reason: EndReason::NoAck, direction: EndDirection::Server, status: 200 });
        let near = exchange.to.other();
        if self.branch(exchange.branch).is_some_and(|branch| branch.leg(near).state == LegState::Closing) {
            self.release(step, exchange.branch, near);
        }
    }

    /// The credentials that the peer of a leg has asked for before, so that it need not ask again; empty where it has not.
    pub(super) fn known_credentials(&mut self, step: &Step<'_>, branch: u8, to: Side, method: &str) -> Vec<u8> {
        if self.branch(branch).is_none_or(|branch| branch.leg(to).auth.is_none()) {
            return Vec::new();
        }
        let gateway = self.gateway_of(branch, to);
        let Some(login) = login(&step.cx.config, &gateway) else { return Vec::new() };
        let Some(branch) = self.branch_mut(branch) else { return Vec::new() };
        let leg = branch.leg_mut(to);
        let lines = leg.auth.as_mut().and_then(|auth| auth.again(method, &leg.dialog.target, b"", &login));
        lines.unwrap_or_default()
    }

    /// The gateway at the far end of a leg; empty for a phone.
    pub(super) fn gateway_of(&mut self, branch_id: u8, side: Side) -> String {
        match side {
            Side::Caller => self.calling.gateway.clone(),
            Side::Callee => {
                let attempt = self.branch(branch_id).map(|branch| branch.attempt);
                let attempt = attempt.and_then(|id| self.attempt(id));
                attempt.map(|attempt| attempt.way.gateway.clone()).unwrap_or_default()
            }
        }
    }
}

/// Where a target refresh wants its dialog's further requests to go.
pub(super) fn new_target(message: &Message<'_>, flow: Flow) -> Option<NewTarget> {
    let contact = first_contact(message)?;
    let uri = Uri::parse(contact.uri).ok()?;
    let behind_nat = message.via().is_ok_and(|via| nat::via_shows_nat(&via, flow.remote));
    let remote = nat::reach(&uri, flow.remote, behind_nat);
    Some(NewTarget { uri: contact.uri.into(), flow: Flow { remote, ..flow } })
}
