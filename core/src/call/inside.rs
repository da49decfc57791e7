//! Requests inside a call's two dialogs.

use super::start::forward;
use super::{CallId, Calls, End, Exchange, LAST_EXCHANGE, LegState, NewTarget, Side, owner, reply};
use crate::cdr::EndReason;
use crate::cx::Cx;
use crate::dialog::{Ack, Tag, first_contact};
use crate::handle::Handle;
use crate::input::Flow;
use crate::limits;
use crate::nat;
use crate::sip::{Message, Method, Uri};
use crate::transaction::{Kind, NewRequest, Owner, Reply, ServerId, Transactions};

impl Calls {
    /// The call and leg whose dialog this request belongs to (RFC 3261 §12.2.2): our tag finds it, Call-ID and the peer's
    /// tag confirm it.
    pub fn dialog_of(&self, message: &Message<'_>) -> Option<(CallId, Side)> {
        let tag = Tag::try_from(message.to().ok()?.tag()?).ok()?;
        let &(id, side) = self.by_tag.get(&tag)?;
        let dialog = &self.calls.get(id)?.leg(side).dialog;
        let remote_tag = message.from().ok()?.tag().unwrap_or_default();
        dialog.is_of(message.call_id().ok()?, remote_tag).then_some((id, side))
    }

    /// A request inside a dialog; `server` is to be answered.
    pub fn on_request(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        (id, side): (CallId, Side),
        message: &Message<'_>,
        flow: Flow,
        server: ServerId,
    ) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let leg = call.leg_mut(side);
        let tag = leg.dialog.local_tag;
        let (Some(method), Ok(cseq)) = (message.method(), message.cseq()) else { return };
        if leg.dialog.remote_cseq.is_some_and(|last| cseq.number <= last) {
            return reply(cx, transactions, server, 500, &tag); // RFC 3261 §12.2.2: out of order
        }
        leg.dialog.remote_cseq = Some(cseq.number);
        match method {
            Method::Bye => self.on_bye(cx, transactions, id, side, message, server),
            Method::Invite | Method::Info | Method::Message | Method::Options => {
                self.pass_inside(cx, transactions, (id, side), message, flow, server);
            }
            _ => crate::switch::not_allowed(cx, transactions, server, method, &tag),
        }
        self.reap(cx, id);
    }

    /// Carries a request from one leg to the other.
    fn pass_inside(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        (id, side): (CallId, Side),
        message: &Message<'_>,
        flow: Flow,
        server: ServerId,
    ) {
        let call = self.calls.get_mut(id).expect("looked up by the caller");
        let tag = call.leg(side).dialog.local_tag;
        let is_invite = message.method() == Some(Method::Invite);
        let states = [call.caller.state, call.callee.state];
        let is_over = call.end.is_some() || call.leg(side.other()).dialog.remote_tag.is_empty();
        if let Some((status, headers)) = refusal(is_invite, states, is_over, &call.exchanges) {
            return transactions.respond(cx, server, Reply { status, reason: None, to_tag: &tag, headers, body: b"" });
        }
        let new_target = is_invite.then(|| new_target(message, flow)).flatten();
        let exchange_id = call.next_exchange;
        call.next_exchange = if exchange_id == LAST_EXCHANGE { 1 } else { exchange_id + 1 };
        let far = &mut call.leg_mut(side.other()).dialog;
        let method = message.method().expect("requests have one");
        let name = std::str::from_utf8(method.as_bytes()).expect("a method that passes is one of four known ones");
        let (bytes, branch) = forward(cx, far, message, name);
        let client_cseq = far.local_cseq;
        let kind = if is_invite { Kind::Invite } else { Kind::Other };
        let new = NewRequest { flow: far.flow, kind, branch, bytes };
        let Some(client) = transactions.request(cx, new, owner(id, exchange_id)) else {
            return reply(cx, transactions, server, 503, &tag);
        };
        transactions.adopt(server, owner(id, exchange_id), tag);
        if is_invite {
            reply(cx, transactions, server, 100, b"");
        }
        call.exchanges.push(Exchange {
            id: exchange_id,
            from: side,
            is_invite,
            server_cseq: message.cseq().map_or(0, |cseq| cseq.number),
            client_cseq,
            server,
            client,
            is_answered: false,
            is_cancelled: false,
            new_target,
        });
    }

    /// The ACK of a 2xx: it stops the resending on its own leg and goes on to the other.
    /// False where it belongs to nothing that waits for it.
    pub fn on_ack(&mut self, cx: &mut Cx, transactions: &mut Transactions, message: &Message<'_>) -> bool {
        let Some((id, side)) = self.dialog_of(message) else { return false };
        let call = self.calls.get_mut(id).expect("dialog_of found it");
        let Ok(cseq) = message.cseq() else { return false };
        let is_awaited = |exchange: &&Exchange| {
            exchange.is_invite && exchange.is_answered && exchange.from == side && exchange.server_cseq == cseq.number
        };
        let Some(exchange) = call.exchanges.iter().find(is_awaited).cloned() else { return true };
        call.exchanges.retain(|other| other.id != exchange.id);
        transactions.acknowledged(cx, exchange.server);
        match call.leg(side).state {
            LegState::Answered => call.leg_mut(side).state = LegState::Confirmed,
            LegState::Closing => self.release(cx, transactions, id, side),
            _ => {}
        }
        self.acknowledge(cx, id, &exchange, Some(message));
        self.reap(cx, id);
        true
    }

    /// Sends the ACK of an exchange's 2xx on the leg that gave it, with the body of the ACK that came, if one did.
    pub(super) fn acknowledge(&mut self, cx: &mut Cx, id: CallId, exchange: &Exchange, with: Option<&Message<'_>>) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let far = call.leg_mut(exchange.from.other());
        let is_open = matches!(far.state, LegState::Answered | LegState::Confirmed);
        let has_ack = far.dialog.last_ack.as_ref().is_some_and(|ack| ack.cseq == exchange.client_cseq);
        if !is_open || has_ack {
            return;
        }
        let mut writer = far.dialog.ack(cx, exchange.client_cseq);
        let bytes = match with {
            Some(message) => {
                super::headers::copy(message, &cx.config.domain, &mut writer);
                super::start::finish(cx, far.dialog.flow, writer, message)
            }
            None => writer.finish(b""),
        };
        far.dialog.last_ack = Some(Ack { cseq: exchange.client_cseq, bytes: bytes.clone() });
        if far.state == LegState::Answered {
            far.state = LegState::Confirmed;
        }
        cx.send(far.dialog.flow, bytes);
    }

    /// A CANCEL for this INVITE has come; the CANCEL itself has been answered.
    pub fn on_cancel(&mut self, cx: &mut Cx, transactions: &mut Transactions, from: Owner, message: &Message<'_>) {
        let id: CallId = Handle::from_bits(from.id);
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(exchange) = call.exchange(from.role).filter(|exchange| !exchange.is_answered) else { return };
        if from.role == super::FIRST_INVITE {
            let direction = crate::cdr::EndDirection::Caller;
            call.farewell = super::headers::reason_lines(message);
            let reason = EndReason::from_peer(487, message);
            self.end(cx, transactions, id, End { reason, direction, status: 487 });
            self.reap(cx, id);
        } else if !exchange.is_cancelled {
            exchange.is_cancelled = true;
            let client = exchange.client;
            transactions.cancel(cx, client, &super::headers::reason_lines(message));
        }
    }
}

/// Why a request cannot pass to the other leg now: status and headers. `is_over`: the call has ended, or the other side has
/// not said anything yet that makes a dialog.
fn refusal(
    is_invite: bool,
    states: [LegState; 2],
    is_over: bool,
    exchanges: &[Exchange],
) -> Option<(u16, &'static [u8])> {
    if is_over || states.contains(&LegState::Gone) {
        return Some((481, b""));
    }
    if exchanges.len() >= limits::EXCHANGES_PER_CALL {
        return Some((500, b"Retry-After: 2\r\n"));
    }
    // RFC 3261 §14.2: one offer at a time.
    let is_inviting = exchanges.iter().any(|exchange| exchange.is_invite);
    if is_invite && (is_inviting || states != [LegState::Confirmed; 2]) {
        return Some((491, b""));
    }
    None
}

/// Where a re-INVITE wants its dialog's further requests to go.
fn new_target(message: &Message<'_>, flow: Flow) -> Option<NewTarget> {
    let contact = first_contact(message)?;
    let uri = Uri::parse(contact.uri).ok()?;
    let behind_nat = message.via().is_ok_and(|via| nat::via_shows_nat(&via, flow.remote));
    let remote = nat::reach(&uri, flow.remote, behind_nat);
    Some(NewTarget { uri: contact.uri.into(), flow: Flow { remote, ..flow } })
}
