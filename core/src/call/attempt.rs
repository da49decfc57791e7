//! INVITEs of ours: one for each way that the route has, several at once where phones ring together, the next ones where
//! those have failed and no rule says stop.

use super::media::{Ending, Media, Opening, Role, Spot};
use super::start::Invitation;
use super::{
    Attempt, AttemptState, Call, Destination, End, Failed, Heard, LAST_ATTEMPT, LegState, Of, Side, Step, answer,
    options, start,
};
use crate::auth::client::Login;
use crate::cdr::{EndDirection, EndReason};
use crate::config::{Config, GatewayAuth};
use crate::dialog::{Dialog, Tag};
use crate::dns;
use crate::event::Event;
use crate::input::Flow;
use crate::routing::failover::{self, AttemptFacts, Failure, Next, Outcome};
use crate::routing::{Hop, Rel100, Target, Way};
use crate::sip::{Index, Message, Scanned, address_text, scan};
use crate::timers::CallTimer;
use crate::transaction::{ClientId, Kind, NewRequest, resend};
use bytes::Bytes;
use std::collections::VecDeque;

impl Attempt {
    /// It is no longer waited for, nor counted as a call of its gateway or phone.
    pub(super) fn stop(&mut self, step: &mut Step<'_>) {
        step.cx.timers.cancel(&mut self.timer);
        for session in self.media.close(step.relays, step.cx) {
            step.relays.forget(session);
        }
        if std::mem::take(&mut self.is_counted) {
            step.load.remove(&self.way.uses);
        }
    }

    /// Whether its way has addresses or names that have not been tried.
    fn has_rest(&self) -> bool {
        !self.addresses.is_empty() || self.next_target < self.way.targets.len()
    }

    /// The same way, with what has not been tried of it.
    fn rest(&self) -> Way {
        let Dialog { target: uri, routes, .. } = &self.dialog;
        let at = |flow: &Flow| Target { hop: Hop::Flow(*flow), uri: uri.clone(), routes: routes.clone() };
        let addresses = self.addresses.iter().map(at);
        let targets = addresses.chain(self.way.targets[self.next_target..].iter().cloned()).collect();
        Way { targets, ..self.way.clone() }
    }

    /// What the records say of it.
    pub(super) fn destination(&self) -> Destination {
        Destination {
            rule: self.way.rule.name().to_owned(),
            caller: self.way.caller.clone(),
            number: self.way.number.clone(),
            gateway: self.way.gateway.clone(),
            flow: (self.state != AttemptState::Resolving).then_some(self.dialog.flow),
            call_id: self.dialog.parties.call_id().into(),
            media: self.media.decided.as_ref().map(|decided| (decided.decision.outcome, decided.decision.rule)),
        }
    }
}

/// Whether one of these may still lead to an answered call.
pub(super) fn is_live(attempts: &[Attempt]) -> bool {
    attempts.iter().any(Attempt::is_live)
}

impl Call {
    /// Begins the next round of ways, if there is one: every attempt before has failed.
    pub(super) fn advance(&mut self, step: &mut Step<'_>) {
        self.with_invite(|call, invite| call.advance_with(step, invite));
    }

    /// The same, where the caller's INVITE is at hand.
    pub(super) fn advance_with(&mut self, step: &mut Step<'_>, invite: &Message<'_>) {
        while self.end.is_none() && self.announcement.is_none() && !is_live(&self.attempts) {
            let Some(round) = self.ways.front().map(|way| way.round) else { return self.give_up(step) };
            while let Some(way) = self.ways.pop_front_if(|way| way.round == round) {
                self.begin(step, invite, way);
            }
        }
    }

    /// Begins one attempt, if its gateway or phone can still take it.
    fn begin(&mut self, step: &mut Step<'_>, invite: &Message<'_>, mut way: Way) {
        let id = self.next.attempt;
        self.next.attempt = if id == LAST_ATTEMPT { 0 } else { id + 1 };
        let is_full = step.recheck(&self.calling, &way);
        if is_full.is_none() && !way.gateway.is_empty() {
            self.tried = self.tried.saturating_add(1);
        }
        let service_route = step.trunks.service_route(&way.gateway);
        for target in way.targets.iter_mut().filter(|target| target.routes.is_empty()) {
            target.routes = service_route.to_vec(); // RFC 3608 §5
        }
        let dialog = start::callee_dialog(step.cx, invite, &way, &self.calling);
        step.name(dialog.local_tag, Of::Attempt(id));
        step.load.add(&way.uses);
        let timer = Some(step.arm(way.policy.invite, CallTimer::Progress(id)));
        self.attempts.push(Attempt {
            id,
            state: AttemptState::Resolving,
            way,
            next_target: 0,
            addresses: VecDeque::new(),
            dialog,
            client: ClientId::from_bits(0),
            accepted: None,
            sent: Bytes::new(),
            auth: None,
            credentials: Box::default(),
            timer,
            heard: Heard::default(),
            is_counted: true,
            media: Media::default(),
        });
        match is_full {
            Some(why) => {
                self.story.push(why);
                self.fail(step, id, Failure::Unavailable, 503, None);
            }
            None => self.aim(step, invite, id),
        }
    }

    /// Calls the next address of an attempt, looking up its name first where it has one (RFC 3263 §4).
    fn aim(&mut self, step: &mut Step<'_>, invite: &Message<'_>, id: u8) {
        let owner = step.owner(id);
        let attempt = self.attempts.iter_mut().find(|attempt| attempt.id == id).expect("the caller holds this attempt");
        let flow = loop {
            if let Some(flow) = attempt.addresses.pop_front() {
                break flow;
            }
            let Some(target) = attempt.way.targets.get(attempt.next_target) else {
                return self.fail(step, id, Failure::Dns, 503, None);
            };
            attempt.next_target += 1;
            attempt.dialog.target.clone_from(&target.uri);
            attempt.dialog.routes.clone_from(&target.routes);
            match &target.hop {
                Hop::Flow(flow) => break *flow,
                Hop::Name(name) => match step.resolver.resolve(step.cx, name, owner) {
                    None => return,
                    Some(Ok(set)) => attempt.addresses.extend(set.flows()),
                    Some(Err(failure)) => self.story.push(format!("{name}: {}", failure.name())),
                },
            }
        };
        attempt.dialog.flow = flow;
        self.decide_media(step, id);
        let offer = Some(invite).filter(|_| self.ingress.has_offer);
        match self.open_ports(step, id, offer) {
            Opening::Held => self.invite_callee(step, invite, id),
            Opening::Waiting => self.attempt(id).expect("looked up above").state = AttemptState::Opening,
            Opening::Refused(why) => {
                self.tell_lack(step, why);
                self.fail(step, id, Failure::NoMediaPorts, 503, None);
            }
        }
    }

    /// Calls the callee of an attempt, whose media has all the ports that it needs.
    pub(super) fn invite_callee(&mut self, step: &mut Step<'_>, invite: &Message<'_>, id: u8) {
        let spot = Spot { attempt: id, branch: None, from: Side::Caller };
        let view = self.speak(step, spot, Role::Offer, invite);
        let attempt = self.attempts.iter_mut().find(|attempt| attempt.id == id).expect("the caller holds this attempt");
        let invitation = Invitation {
            invite,
            ingress: &self.ingress,
            calling: &self.calling,
            replaces: &self.replaces,
            view: view.as_ref(),
        };
        let (bytes, branch) = start::callee_invite(step.cx, attempt, invitation);
        self.send_invite(step, id, bytes, branch);
    }

    /// The name that an attempt waits for has an answer.
    pub(super) fn on_resolved(&mut self, step: &mut Step<'_>, id: u8, answer: dns::Answer) {
        let Some(attempt) = self.attempt(id).filter(|attempt| attempt.state == AttemptState::Resolving) else { return };
        match answer {
            Ok(set) => attempt.addresses.extend(set.flows()),
            Err(failure) => self.story.push(failure.name().to_owned()),
        }
        self.with_invite(|call, invite| call.aim(step, invite, id));
    }

    /// Sends an attempt's INVITE, for the first time or again with credentials.
    fn send_invite(&mut self, step: &mut Step<'_>, id: u8, bytes: Bytes, branch: Tag) {
        let owner = step.owner(id);
        let number = self.number;
        let attempt = self.attempt(id).expect("the caller holds this attempt");
        let flow = attempt.dialog.flow;
        let new = NewRequest { flow, kind: Kind::Invite, branch, bytes: bytes.clone() };
        let Some(client) = step.transactions.request(step.cx, new, owner) else {
            return self.fail(step, id, Failure::Unavailable, 503, None);
        };
        attempt.client = client;
        attempt.state = AttemptState::Inviting;
        attempt.sent = bytes;
        let destination = attempt.destination();
        let to = if attempt.way.gateway.is_empty() { "phone" } else { &attempt.way.gateway };
        let result = [&attempt.way.number, " at ", &address_text(flow.remote), " (", to, ")"].concat();
        let rule = attempt.way.rule.name();
        self.story.push(["tried ", &result, " (", rule, ")"].concat());
        self.to = Some(Box::new(destination));
        step.cx.emit(Event::RouteDecided { call: number, rule, result });
    }

    /// Answers a callee's challenge; false where that would be no use.
    pub(super) fn answer_challenge(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>) -> bool {
        let config = step.cx.config.clone();
        let attempt = self.attempt(id).expect("the caller holds this attempt");
        let Some(login) = login(&config, &attempt.way.gateway) else { return false };
        let client = attempt.auth.get_or_insert_with(Box::default);
        let lines = match client.answer(step.cx, message, "INVITE", &attempt.dialog.target, b"", &login) {
            Ok(lines) => lines,
            Err(why) => {
                let text = format!("{}: {}", attempt.way.gateway, why.name());
                self.story.push(text);
                return false;
            }
        };
        attempt.dialog.local_cseq += 1;
        let branch: Tag = step.cx.rng.ids.token();
        let bytes = resend(&attempt.sent, &branch, attempt.dialog.local_cseq, &lines);
        attempt.credentials = lines.into();
        // The new INVITE is a new request: what answered the challenged one is over.
        self.drop_branches_of(id);
        self.send_invite(step, id, bytes, branch);
        true
    }

    /// Offers reliable provisional answers to a callee that insists on them (421), though the caller knows none: the switch
    /// answers for it. False where they cannot be offered, or have been.
    pub(super) fn offer_reliable(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>) -> bool {
        const LINE: &[u8] = b"Supported: 100rel\r\n";
        let has_offer = self.ingress.has_offer;
        let attempt = self.attempt(id).expect("the caller holds this attempt");
        let is_offered = memchr::memmem::find(&attempt.sent, LINE).is_some();
        let may_be = has_offer && attempt.way.policy.rel100 != Rel100::Off;
        if is_offered || !may_be || !options::requires(message, options::RELIABLE) {
            return false;
        }
        attempt.dialog.local_cseq += 1;
        let branch: Tag = step.cx.rng.ids.token();
        let lines = [LINE, &attempt.credentials].concat();
        let bytes = resend(&attempt.sent, &branch, attempt.dialog.local_cseq, &lines);
        self.drop_branches_of(id);
        self.send_invite(step, id, bytes, branch);
        true
    }

    /// An attempt has failed: another address, another way, or the end. Where the switch itself gave up waiting, the INVITE
    /// is cancelled.
    pub(super) fn fail(
        &mut self,
        step: &mut Step<'_>,
        id: u8,
        failure: Failure,
        status: u16,
        message: Option<&Message<'_>>,
    ) {
        let tried = self.tried;
        let Some(attempt) = self.attempt(id).filter(|attempt| attempt.is_live()) else { return };
        attempt.stop(step);
        let is_silent = matches!(failure, Failure::InviteTimeout | Failure::AnswerTimeout);
        if is_silent && attempt.state == AttemptState::Inviting {
            attempt.state = AttemptState::Cancelled;
            step.transactions.cancel(step.cx, attempt.client, reason_of(failure, status, None).header());
        } else {
            attempt.state = AttemptState::Failed;
        }
        self.drop_branches_of(id);
        let attempt = self.attempt(id).expect("looked up above");
        if attempt.has_rest() && is_of_address(failure, status, attempt) {
            let way = attempt.rest();
            // the same gateway at another address: begun anew, it counts once
            self.tried = tried.saturating_sub((!way.gateway.is_empty()).into());
            return self.with_invite(|call, invite| call.begin(step, invite, way));
        }
        let Heard { ringing: had_18x, session: had_sdp, media: had_rtp, .. } = attempt.heard;
        let facts = AttemptFacts { failure, status, had_18x, had_sdp, had_rtp, tried };
        let next = failover::after_failure(&attempt.way.policy.failover, &facts);
        let way = attempt.way.clone();
        self.tell_failure(step, id, failure, status, next);
        self.failed.push(Failed {
            way,
            outcome: Outcome { failure, status },
            reason: reason_of(failure, status, message),
            message: message.map(|message| Bytes::copy_from_slice(message.bytes())).unwrap_or_default(),
        });
        if failure == Failure::Answered && status >= 600 {
            self.cancel_attempts(step, None, EndReason::Rejected.header()); // RFC 3261 §16.7 step 5
        }
        if !next.goes_on {
            self.ways.clear();
        }
        match is_live(&self.attempts) {
            true => self.ring_on(step),
            false => self.advance(step),
        }
    }

    /// Puts a failure and what follows from it into the call's story.
    fn tell_failure(&mut self, step: &mut Step<'_>, id: u8, failure: Failure, status: u16, next: Next) {
        let number = self.number;
        let has_next = !next.goes_on || !self.ways.is_empty() || is_live(&self.attempts);
        let attempt = self.attempt(id).expect("the caller holds this attempt");
        let to = if attempt.way.gateway.is_empty() { &attempt.way.number } else { &attempt.way.gateway };
        let how = match failure {
            Failure::Answered => format!("{status}"),
            _ => failure.name().to_owned(),
        };
        let rule = next.rule.name();
        let verdict = if has_next { next.rule.verdict().name() } else { "nobody is left" };
        let result = format!("{to} failed: {how}; {verdict}");
        self.story.push(format!("{result} ({rule})"));
        step.cx.emit(Event::RouteDecided { call: number, rule, result });
    }

    /// Nobody is left to try: the caller gets the best of the failures (RFC 3261 §16.7 step 6).
    fn give_up(&mut self, step: &mut Step<'_>) {
        let outcomes: Vec<Outcome> = self.failed.iter().map(|failed| failed.outcome).collect();
        let best = failover::best(&outcomes);
        let last = best.attempt.map(|at| self.failed.swap_remove(at)).or_else(|| self.failed.pop());
        let reason = last.as_ref().map_or(EndReason::NoRoute, |failed| failed.reason);
        let theirs = last.filter(|_| best.attempt.is_some());
        let direction = if theirs.is_some() { EndDirection::Callee } else { EndDirection::Server };
        let end = End { reason, direction, status: answer::shown_status(best.status) };
        let message = theirs.map(|failed| failed.message).unwrap_or_default();
        self.refuse(step, Ending { end, message, lines: String::new() });
    }

    /// Cancels every attempt that may still lead to an answer, but for one, with these lines in the CANCELs.
    pub(super) fn cancel_attempts(&mut self, step: &mut Step<'_>, but: Option<u8>, lines: &[u8]) {
        let live: Vec<u8> =
            self.attempts.iter().filter(|a| a.is_live() && Some(a.id) != but).map(|attempt| attempt.id).collect();
        for id in live {
            self.cancel_attempt(step, id, lines);
        }
    }

    /// Cancels one attempt, with these header lines in the CANCEL.
    pub(super) fn cancel_attempt(&mut self, step: &mut Step<'_>, id: u8, lines: &[u8]) {
        let Some(attempt) = self.attempt(id).filter(|attempt| attempt.is_live()) else { return };
        attempt.stop(step);
        if attempt.state == AttemptState::Inviting {
            attempt.state = AttemptState::Cancelled;
            step.transactions.cancel(step.cx, attempt.client, lines);
        } else {
            attempt.state = AttemptState::Failed;
        }
        self.drop_branches_of(id);
    }

    /// The early dialogs of an attempt are over (RFC 3261 §12.3).
    pub(super) fn drop_branches_of(&mut self, attempt: u8) {
        for branch in self.branches.iter_mut().filter(|branch| branch.attempt == attempt) {
            for side in Side::BOTH {
                // The caller's PRACK may be on its way: 481 to it would end the call of many a caller.
                let is_awaited = side == Side::Caller && branch.reliable.outlive_callee();
                if branch.leg(side).state == LegState::Early && !is_awaited {
                    branch.leg_mut(side).state = LegState::Gone;
                }
            }
            branch.subscriptions.clear();
        }
    }

    /// The callee of an attempt has not made the progress that its state demands.
    pub(super) fn on_no_progress(&mut self, step: &mut Step<'_>, id: u8) {
        let Some(attempt) = self.attempt(id).filter(|attempt| attempt.is_live()) else { return };
        attempt.timer = None;
        let (failure, status) = match attempt.heard {
            Heard { ringing: true, .. } => (Failure::AnswerTimeout, 480),
            Heard { any: true, .. } => (Failure::AnswerTimeout, 408),
            _ => (Failure::InviteTimeout, 408),
        };
        self.fail(step, id, failure, status, None);
    }

    /// Does something with the caller's INVITE; nothing once the call is answered or over, for then it is not kept.
    pub(super) fn with_invite(&mut self, act: impl FnOnce(&mut Call, &Message<'_>)) {
        let kept = self.ingress.invite.clone();
        let mut index = Index::default();
        if let Ok(Scanned::Message(invite)) = scan(&kept, &mut index) {
            act(self, &invite);
        }
    }
}

/// Whether a failure is one of the address alone, so that the next address of the same gateway or name, or another flow to
/// the same phone, may do better: no transport, no answer at all, 503 (RFC 3263 §4.3); of a phone 408 and 430, since
/// whatever else it is, the phone itself has said it (RFC 5626 §7).
fn is_of_address(failure: Failure, status: u16, attempt: &Attempt) -> bool {
    let is_phone = attempt.way.gateway.is_empty();
    match failure {
        Failure::Undelivered | Failure::InviteTimeout => true,
        Failure::Answered if attempt.heard.ringing => false,
        Failure::Answered if is_phone => matches!(status, 408 | 430),
        Failure::Answered => status == 503,
        _ => false,
    }
}

/// What the CDR calls a failure.
fn reason_of(failure: Failure, status: u16, message: Option<&Message<'_>>) -> EndReason {
    match (failure, message) {
        (Failure::Answered, Some(_)) if matches!(status, 401 | 407) => EndReason::CredentialsRejected,
        (_, Some(message)) => EndReason::from_peer(status, message),
        (Failure::AnswerTimeout, None) if status == 480 => EndReason::NoAnswer,
        (Failure::Undelivered, None) => EndReason::ConnectionTimeout,
        (Failure::Dns, None) => EndReason::DnsFailure,
        (Failure::Unavailable, None) => EndReason::Capacity,
        (Failure::NoMediaPorts, None) => EndReason::NoMediaPorts,
        (Failure::DeadRedirect, None) => EndReason::RedirectLoop,
        (Failure::Cancelled, None) => EndReason::Cancelled,
        (_, None) => EndReason::ResponseTimeout,
    }
}

/// Who the switch is to a gateway that asks; none where it has no account there.
pub(super) fn login<'c>(config: &'c Config, gateway: &str) -> Option<Login<'c>> {
    match &config.gateways.find(gateway)?.auth {
        GatewayAuth::Ip => None,
        GatewayAuth::Digest { user, password } | GatewayAuth::Register { user, password, .. } => {
            Some(Login { user, password })
        }
    }
}
