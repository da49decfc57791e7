//! Numbers that the switch answers itself: echo and tone. The call has one dialog, and a port for it.

use super::answer::contact;
use super::exchange::new_target;
use super::media::{ALLOW, Ending, Station, description};
use super::start::described;
use super::{Call, Destination, End, Exchange, ExchangeState, Kind, LegState, Open, Origin, Side, Step};
use crate::cdr::{EndDirection, EndReason};
use crate::event::Event;
use crate::input::Flow;
use crate::media::tone::Program;
use crate::relays::Granted;
use crate::routing::Rule;
use crate::sdp;
use crate::sip::{Message, Method, Writer};
use crate::timers::CallTimer;
use crate::transaction::{ClientId, Reply, ServerId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest call: nobody listens to a tone for that long, and a phone that has lost its BYE takes up a port.
const LONGEST: Duration = Duration::from_secs(3600);

/// [`super::Branch::attempt`] of a branch without a callee.
const NO_ATTEMPT: u8 = u8::MAX;

/// Names no transaction: there is no request of ours behind an answer of the switch's own.
const NO_CLIENT: ClientId = ClientId::from_bits(u64::MAX);

/// What the switch lets the caller hear of a number of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answering {
    /// What is heard.
    program: Program,
    /// Where; none once the call is over.
    station: Option<Station>,
}

impl Answering {
    /// Where it is heard, which is given up.
    pub(super) fn take_station(&mut self) -> Option<Station> {
        self.station.take()
    }
}

impl Call {
    /// The called number is one of the switch's own.
    pub(super) fn answer_itself(&mut self, step: &mut Step<'_>, number: String, program: Program) {
        let rule = Rule::RouteStation.name();
        let result = format!("{number} answered by the switch");
        self.story.push("media relay: the switch is the other end (N1)".to_owned());
        step.cx.emit(Event::RouteDecided { call: self.number, rule, result });
        self.to = Some(Box::new(Destination {
            rule: rule.to_owned(),
            caller: self.calling.number.clone(),
            number,
            gateway: String::new(),
            flow: None,
            call_id: Box::default(),
            media: None,
        }));
        let mut can_take = true;
        if self.ingress.has_offer {
            self.with_invite(|_, invite| can_take = description(invite).and_then(sdp::take).is_some());
        }
        if !can_take {
            self.story.push("the caller offers no G.711 (media.no-g711)".to_owned());
            return self.refuse_itself(step, EndReason::CodecMismatch, 488);
        }
        match self.ask_station(step) {
            Ok(station) => {
                let is_held = station.is_held();
                self.answering = Some(Box::new(Answering { program, station: Some(station) }));
                if is_held {
                    self.accept(step);
                }
            }
            Err(why) => {
                self.story.push(format!("no media port: {}", why.words()));
                self.refuse_itself(step, EndReason::NoMediaPorts, 503);
            }
        }
    }

    fn refuse_itself(&mut self, step: &mut Step<'_>, reason: EndReason, status: u16) {
        self.refuse(step, Ending::of(End { reason, direction: EndDirection::Server, status }));
    }

    /// A port is open, or not to be had: whether it was for this.
    pub(super) fn on_answering_granted(&mut self, step: &mut Step<'_>, granted: Granted) -> bool {
        let Some(station) = self.answering.as_mut().and_then(|answering| answering.station.as_mut()) else {
            return false;
        };
        if !station.take(granted.lease, granted.result.ok()) {
            return false;
        }
        match granted.result {
            Ok(_) => self.accept(step),
            Err(why) => {
                self.story.push(format!("no media port: {}", why.words()));
                self.refuse_itself(step, EndReason::NoMediaPorts, 503);
            }
        }
        true
    }

    /// Answers the call.
    fn accept(&mut self, step: &mut Step<'_>) {
        let Some(id) = self.add_branch(step, NO_ATTEMPT, self.ingress.dialog.clone()) else { return };
        let mut description = None;
        self.with_invite(|call, invite| description = call.describe(step, id, invite));
        let (server, has_offer) = (self.ingress.server, self.ingress.has_offer);
        let cseq = self.ingress.dialog.remote_cseq.unwrap_or(0);
        self.winner = Some(id);
        self.ingress.invite = Bytes::new();
        self.ingress.is_answered = true;
        let branch = self.branch_mut(id).expect("just added");
        branch.caller.state = LegState::Answered;
        branch.callee.state = LegState::Gone;
        self.await_ack(step, id, (server, cseq), has_offer);
        self.consent(step, id, server, description);
        self.times.answer = Some(step.cx.now.wall);
        self.times.answer_mono = Some(step.cx.now.mono);
        step.cx.counters.calls_answered += 1;
        self.timer = Some(step.arm(LONGEST, CallTimer::MaxDuration));
        step.cx.emit(Event::CallAnswered { call: self.number });
    }

    /// What the switch says of itself to an INVITE or UPDATE: the answer to its offer, which is in effect at once; to an
    /// INVITE without one an offer (RFC 3261 §13.2.1). None where the offer cannot be taken, or nothing is to be said.
    fn describe(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>) -> Option<Vec<u8>> {
        match description(message) {
            Some(offer) => {
                let answer = self.hear(step, id, offer)?;
                self.branch_mut(id)?.caller.session.agree();
                Some(answer)
            }
            None if message.method() == Some(Method::Invite) => {
                self.branch_mut(id)?.caller.session.offers();
                let at = self.answering.as_ref()?.station.as_ref()?.address(step, self.calling.source)?;
                Some(sdp::offer(at, self.number))
            }
            None => None,
        }
    }

    /// Plays as this description of the caller's says, and gives the answer to it. None where it has no G.711.
    fn hear(&mut self, step: &mut Step<'_>, id: u8, offer: &[u8]) -> Option<Vec<u8>> {
        let mut taken = sdp::take(offer)?;
        let mut answering = self.answering.take()?;
        if answering.program != Program::Echo {
            taken.event = None; // it has nothing to hear
        }
        let program = answering.program.clone();
        let station = answering.station.as_mut();
        let at = station.and_then(|station| self.play_at(step, station, (offer, &taken), program));
        self.answering = Some(answering);
        let branch = self.branch_mut(id)?;
        for side in Side::BOTH {
            branch.leg_mut(side).codec = taken.name().to_owned();
        }
        Some(sdp::answer(offer, &taken, at?, self.number))
    }

    /// A 2xx of the switch's own.
    fn consent(&mut self, step: &mut Step<'_>, id: u8, server: ServerId, description: Option<Vec<u8>>) {
        let Some(branch) = self.branch_mut(id) else { return };
        let dialog = &mut branch.caller.dialog;
        let mut lines = Writer::lines();
        contact(step, dialog.flow, &mut lines);
        lines.header("Allow", ALLOW);
        if description.is_some() {
            lines.header("Content-Type", "application/sdp");
        }
        let body = description.map(|text| described(step.cx, dialog, &text, None)).unwrap_or_default();
        let reply = Reply { headers: lines.as_bytes(), body: &body, ..Reply::new(200, &dialog.local_tag) };
        step.transactions.respond(step.cx, server, reply);
    }

    /// The ACK of a 2xx is to come.
    fn await_ack(&mut self, step: &mut Step<'_>, branch: u8, (server, cseq): (ServerId, u32), has_offer: bool) {
        let id = self.next_exchange_id();
        if server != self.ingress.server
            && let Some(tag) = self.branch(branch).map(|branch| branch.caller.dialog.local_tag)
        {
            step.transactions.adopt(server, step.owner(id), tag);
        }
        self.exchanges.push(Exchange {
            id,
            branch,
            kind: Kind::Invite,
            to: Side::Callee,
            origin: Origin::Peer { server, cseq },
            state: ExchangeState::Answered,
            client_cseq: 0,
            client: NO_CLIENT,
            sent: Bytes::new(),
            credentials: Box::default(),
            has_offer,
            is_cancelled: false,
            crossings: 0,
            new_target: None,
        });
    }

    /// The ACK of a 2xx that made an offer has come: it brings the answer.
    pub(super) fn on_station_ack(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>) {
        let is_heard = description(message).is_some_and(|answer| self.hear(step, id, answer).is_some());
        if !is_heard {
            self.story.push("the caller's answer has no G.711 (media.no-g711)".to_owned());
            let (reason, direction) = (EndReason::CodecMismatch, EndDirection::Server);
            self.end(step, End { reason, direction, status: 200 });
        }
    }

    /// A request inside the dialog of a number of the switch's own, other than BYE and PRACK.
    pub(super) fn on_station_request(
        &mut self,
        step: &mut Step<'_>,
        id: u8,
        message: &Message<'_>,
        flow: Flow,
        server: ServerId,
    ) {
        let Some(tag) = self.branch(id).map(|branch| branch.caller.dialog.local_tag) else { return };
        match message.method() {
            _ if self.end.is_some() => step.reply(server, 481, &tag),
            Some(Method::Invite | Method::Update) => self.on_change(step, id, message, flow, server),
            _ => self.answer_own(step, tag, message, server),
        }
    }

    /// The caller changes the session, or refreshes it.
    fn on_change(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, flow: Flow, server: ServerId) {
        let Some(branch) = self.branch(id) else { return };
        let (tag, open) = (branch.caller.dialog.local_tag, branch.caller.session.open());
        let is_invite = message.method() == Some(Method::Invite);
        let has_offer = description(message).is_some();
        if has_offer && open == Open::Ours {
            return step.reply(server, 491, &tag); // RFC 3261 §14.2, RFC 3311 §5.2
        }
        let awaits_ack = self.exchanges.iter().any(|exchange| exchange.state == ExchangeState::Answered);
        if is_invite && awaits_ack {
            let reply = Reply { headers: b"Retry-After: 2\r\n", ..Reply::new(500, &tag) };
            return step.transactions.respond(step.cx, server, reply);
        }
        let description = self.describe(step, id, message);
        if description.is_none() && (has_offer || is_invite) {
            return step.reply(server, 488, &tag); // RFC 3261 §14.2: the session stays as it was
        }
        if let Some(target) = new_target(message, flow)
            && let Some(branch) = self.branch_mut(id)
        {
            branch.caller.dialog.target = target.uri;
            branch.caller.dialog.flow = target.flow;
        }
        if is_invite {
            let cseq = message.cseq().map_or(0, |cseq| cseq.number);
            self.await_ack(step, id, (server, cseq), has_offer);
        }
        self.consent(step, id, server, description);
    }
}
