//! Requests inside a call's dialogs: who may pass to the other leg, who waits, who is refused.

use super::exchange::NewExchange;
use super::media::Opening;
use super::start::has_session;
use super::{
    Branch, Call, CallId, Calls, Desk, Exchange, ExchangeState, Kind, LegState, Of, Open, Side, Step, glare, refer,
};
use crate::dialog::Tag;
use crate::input::Flow;
use crate::limits;
use crate::sip::{Message, Method};
use crate::transaction::{Reply, ServerId};

/// A dialog of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InDialog {
    call: CallId,
    /// None: an early dialog of the switch's own.
    branch: Option<u8>,
    side: Side,
}

impl Calls {
    /// The dialog that this request belongs to (RFC 3261 §12.2.2): our tag finds it, Call-ID and the peer's tag confirm it.
    pub fn dialog_of(&self, message: &Message<'_>) -> Option<InDialog> {
        let local_tag = message.to().ok()?.tag()?;
        let remote_tag = message.from().ok()?.tag().unwrap_or_default();
        self.find_dialog(message.call_id().ok()?, local_tag, remote_tag)
    }

    /// The dialog with these identifiers, as the switch has them.
    pub(super) fn find_dialog(&self, call_id: &[u8], local_tag: &[u8], remote_tag: &[u8]) -> Option<InDialog> {
        let place = self.by_tag.get(&Tag::try_from(local_tag).ok()?)?;
        let call = self.calls.get(place.call)?;
        let is_its = |branch: &&Branch| match place.of {
            Of::Branch(id) => branch.id == id && branch.caller.dialog.is_of(call_id, remote_tag),
            Of::Attempt(id) => branch.attempt == id && branch.callee.dialog.is_of(call_id, remote_tag),
            Of::Own => false,
        };
        let branch = match place.of {
            Of::Own if !call.ingress.dialog.is_of(call_id, remote_tag) => return None,
            Of::Own => None,
            Of::Branch(_) | Of::Attempt(_) => Some(call.branches.iter().find(is_its)?.id),
        };
        let side = if matches!(place.of, Of::Attempt(_)) { Side::Callee } else { Side::Caller };
        Some(InDialog { call: place.call, branch, side })
    }

    /// The call and the branch that a dialog is in, and on which side.
    pub(super) fn look(&self, dialog: InDialog) -> Option<(&Call, &Branch, Side)> {
        let call = self.calls.get(dialog.call)?;
        Some((call, call.branch(dialog.branch?)?, dialog.side))
    }

    /// A request inside a dialog; `server` is to be answered.
    pub fn on_request(
        &mut self,
        desk: Desk<'_>,
        dialog: InDialog,
        message: &Message<'_>,
        flow: Flow,
        server: ServerId,
    ) {
        self.step(desk, dialog.call, |call, step| match dialog.branch {
            Some(branch) => call.on_request(step, (branch, dialog.side), message, flow, server),
            None => call.on_own_request(step, message, server),
        });
    }

    /// The ACK of a 2xx. False where it belongs to no dialog.
    pub fn on_ack(&mut self, desk: Desk<'_>, message: &Message<'_>) -> bool {
        let Some(dialog) = self.dialog_of(message) else { return false };
        let Some(branch) = dialog.branch else { return false };
        let taken = self.step(desk, dialog.call, |call, step| call.on_ack(step, branch, dialog.side, message));
        taken.is_some()
    }
}

/// What a request asks of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// An INVITE: the next offer and answer, whoever makes them.
    Invite,
    /// Another request that carries an offer.
    Offer,
    /// Nothing.
    Nothing,
}

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// It goes on to the other leg.
    Pass,
    /// It takes the place of a request of the other leg's, which met one of this side's and waits to be sent again.
    Instead(u8),
    /// It waits for the other leg, or for an ACK.
    Wait,
    /// It is answered with this.
    Refuse(u16, &'static [u8]),
}

/// What is under way on one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Business {
    /// An INVITE of the peer's has no final answer.
    invite_in: bool,
    /// An INVITE of ours has no final answer.
    invite_out: bool,
    /// An INVITE of ours without an offer has no answer: the peer may be making the offer right now.
    awaits_offer: bool,
    /// An ACK is still to come or to go.
    ack: bool,
    /// Whose offer is open.
    open: Open,
    /// A request of the peer's that met one from the other side and waits.
    crossed: Option<u8>,
}

impl Business {
    fn of(branch: &Branch, exchanges: &[Exchange], has_offer: bool, side: Side) -> Business {
        let leg = branch.leg(side);
        let is_early = leg.state == LegState::Early;
        let mut business = Business {
            invite_in: is_early && side == Side::Caller,
            invite_out: is_early && side == Side::Callee,
            awaits_offer: is_early && side == Side::Callee && !has_offer && !leg.session.is_agreed(),
            ack: leg.state == LegState::Answered,
            open: leg.session.open(),
            crossed: None,
        };
        for exchange in exchanges.iter().filter(|exchange| exchange.branch == branch.id) {
            let is_out = exchange.to == side;
            match exchange.state {
                ExchangeState::Asked if exchange.kind == Kind::Invite && is_out => {
                    business.invite_out = true;
                    business.awaits_offer |= !exchange.has_offer;
                }
                ExchangeState::Asked if exchange.kind == Kind::Invite => business.invite_in = true,
                ExchangeState::Answered => business.ack = true,
                ExchangeState::Crossed { .. } if !is_out => business.crossed = Some(exchange.id),
                _ => {}
            }
        }
        business
    }

    fn is_idle(self) -> bool {
        !self.invite_in && !self.invite_out && !self.ack && self.open == Open::None && self.crossed.is_none()
    }
}

/// RFC 3261 §14.2 and RFC 3311 §5.2 on the leg it came in on; on the other leg it waits for what is under way there.
fn gate(asks: Asks, near: Business, far: Business) -> Gate {
    let is_far_free = match asks {
        Asks::Nothing => return Gate::Pass,
        Asks::Invite => far.is_idle(),
        Asks::Offer => far.open == Open::None && far.crossed.is_none(),
    };
    if asks == Asks::Invite && near.ack {
        return Gate::Wait; // its ACK was overtaken, or ours has still to go
    }
    if (asks == Asks::Invite && near.invite_out) || near.awaits_offer || near.open == Open::Ours {
        return Gate::Refuse(491, b"");
    }
    if near.crossed.is_some() || near.open == Open::Peers || (asks == Asks::Invite && near.invite_in) {
        return Gate::Refuse(500, b"Retry-After: 2\r\n");
    }
    match far.crossed {
        Some(exchange) => Gate::Instead(exchange),
        None if is_far_free => Gate::Pass,
        None => Gate::Wait,
    }
}

impl Call {
    /// A request inside a dialog.
    fn on_request(
        &mut self,
        step: &mut Step<'_>,
        (branch_id, side): (u8, Side),
        message: &Message<'_>,
        flow: Flow,
        server: ServerId,
    ) {
        let Some(branch) = self.branch_mut(branch_id) else { return };
        let dialog = &mut branch.leg_mut(side).dialog;
        let tag = dialog.local_tag;
        let (Some(method), Ok(cseq)) = (message.method(), message.cseq()) else { return };
        if dialog.remote_cseq.is_some_and(|last| cseq.number <= last) {
            return step.reply(server, 500, &tag); // RFC 3261 §12.2.2: out of order
        }
        dialog.remote_cseq = Some(cseq.number);
        match method {
            Method::Bye => self.on_bye(step, branch_id, side, message, server),
            Method::Prack => self.on_prack(step, branch_id, side, message, server),
            Method::Register => crate::switch::not_allowed(step.cx, step.transactions, server, method, &tag),
            _ if self.answering.is_some() => self.on_station_request(step, branch_id, message, flow, server),
            _ => self.admit(step, (branch_id, side), message, flow, server),
        }
    }

    /// Lets a request pass, wait, or go back.
    pub(super) fn admit(
        &mut self,
        step: &mut Step<'_>,
        (branch_id, side): (u8, Side),
        message: &Message<'_>,
        flow: Flow,
        server: ServerId,
    ) {
        let Some(branch) = self.branch(branch_id) else { return };
        let tag = branch.leg(side).dialog.local_tag;
        let kind = kind_of(message);
        let asks = match kind {
            Kind::Invite => Asks::Invite,
            Kind::Update if has_session(message) => Asks::Offer,
            _ => Asks::Nothing,
        };
        let is_over = self.end.is_some() || Side::BOTH.iter().any(|side| branch.leg(*side).state >= LegState::Closing);
        let is_of_subscription = matches!(kind, Kind::Subscribe | Kind::LastNotify) || refer::is_notify(message);
        if is_over && (!is_of_subscription || branch.subscriptions.is_empty()) {
            return step.reply(server, 481, &tag);
        }
        let verdict = match self.exchanges.len() < limits::EXCHANGES_PER_CALL {
            true => {
                let business = |side| Business::of(branch, &self.exchanges, self.ingress.has_offer, side);
                gate(asks, business(side), business(side.other()))
            }
            false => Gate::Refuse(500, b"Retry-After: 2\r\n"),
        };
        match verdict {
            Gate::Pass => {}
            Gate::Instead(crossed) => self.yield_crossed(step, crossed),
            Gate::Wait => return self.wait(step, (branch_id, side), message, flow, server),
            Gate::Refuse(status, headers) => {
                let reply = Reply { headers, ..Reply::new(status, &tag) };
                return step.transactions.respond(step.cx, server, reply);
            }
        }
        if matches!(kind, Kind::Invite | Kind::Update) && has_session(message) {
            match self.prepare_media(step, (branch_id, side), message, flow) {
                Opening::Held => {}
                Opening::Waiting => return self.wait(step, (branch_id, side), message, flow, server),
                // as where they turn out not to be had: it may work later (RFC 3261 §21.5.1)
                Opening::Refused(_) => return glare::refuse_for_now(step, server, &tag),
            }
        }
        self.pass(step, NewExchange { branch: branch_id, from: side, kind, server, flow }, message);
    }

    /// Carries a request on, with what the switch writes itself.
    fn pass(&mut self, step: &mut Step<'_>, new: NewExchange, message: &Message<'_>) {
        let method = message.method().expect("requests have one");
        let name = String::from_utf8_lossy(method.as_bytes()).into_owned();
        let Some(branch) = self.branch(new.branch) else { return };
        let lines = match new.kind {
            Kind::Subscribe => refer::lines(step.cx, branch, new.from, message),
            _ => Vec::new(),
        };
        let has_offer = matches!(new.kind, Kind::Invite | Kind::Update) && has_session(message);
        self.carry(step, new, message, &name, &lines, has_offer);
    }
}

/// What a request inside a dialog is to the calls.
fn kind_of(message: &Message<'_>) -> Kind {
    match message.method() {
        Some(Method::Invite) => Kind::Invite,
        Some(Method::Update) => Kind::Update,
        Some(Method::Refer | Method::Subscribe) => Kind::Subscribe,
        Some(Method::Notify) if refer::is_last(message) => Kind::LastNotify,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Business = Business {
        invite_in: false,
        invite_out: false,
        awaits_offer: false,
        ack: false,
        open: Open::None,
        crossed: None,
    };

    #[test]
    fn only_what_really_crosses_is_refused_491() {
        let ours = Business { invite_out: true, open: Open::Ours, ..IDLE };
        let peers = Business { invite_in: true, open: Open::Peers, ..IDLE };
        let unacknowledged = Business { ack: true, ..IDLE };
        assert_eq!(gate(Asks::Invite, IDLE, IDLE), Gate::Pass);
        assert_eq!(gate(Asks::Invite, ours, peers), Gate::Refuse(491, b""), "RFC 3261 §14.2");
        assert_eq!(gate(Asks::Offer, ours, peers), Gate::Refuse(491, b""), "RFC 3311 §5.2");
        assert!(matches!(gate(Asks::Invite, peers, ours), Gate::Refuse(500, _)), "RFC 3261 §14.2");
        assert!(matches!(gate(Asks::Offer, peers, ours), Gate::Refuse(500, _)), "RFC 3311 §5.2");
        assert_eq!(gate(Asks::Invite, unacknowledged, unacknowledged), Gate::Wait);
        assert_eq!(gate(Asks::Invite, IDLE, unacknowledged), Gate::Wait);
        assert_eq!(gate(Asks::Nothing, ours, peers), Gate::Pass);
        // An early dialog whose offer a reliable answer has answered: the INVITE is still out, the session is not.
        let agreed = Business { invite_out: true, ..IDLE };
        assert_eq!(gate(Asks::Offer, agreed, Business { invite_in: true, ..IDLE }), Gate::Pass, "RFC 3311 §5.2");
        let crossed = Business { crossed: Some(70), open: Open::Peers, ..IDLE };
        assert_eq!(gate(Asks::Invite, IDLE, crossed), Gate::Instead(70));
    }
}
