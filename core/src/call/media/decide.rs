//! Relay or direct, for one attempt.

use super::super::{Attempt, Call, Step};
use super::open::description;
use super::{Decided, Media};
use crate::config::{Config, Endpoint, MediaWatch};
use crate::dialog::first_contact;
use crate::event::Event;
use crate::input::Flow;
use crate::media::{self, Decision, Facts, Needs, Outcome, Seen, Switches, decide};
use crate::nat::{Evidence, via_shows_nat};
use crate::sdp;
use crate::sip::{Message, Uri};

/// What a message shows of an address translator before its sender (behaviour 1(a), "NAT facts").
pub(in crate::call) fn evidence(message: &Message<'_>, source: Flow) -> Evidence {
    let via = message.via().is_ok_and(|via| via_shows_nat(&via, source.remote));
    let contact = first_contact(message).and_then(|contact| Uri::parse(contact.uri).ok()?.host_ip());
    // Of all its streams the first that is not refused: the others of a phone are where that one is.
    let session = description(message).and_then(|description| sdp::scan(description).ok());
    let first = session.iter().flat_map(|session| &session.media).find(|media| media.port != 0);
    let address = first.and_then(|media| media.connection?.ip());
    Evidence::of(via, contact, address, source.remote.ip())
}

/// A phone by its user name, else a gateway by its name; none that is not in the configuration any more.
fn endpoint<'c>(config: &'c Config, user: &'c str, gateway: &str) -> Option<Endpoint<'c>> {
    match gateway {
        "" => config.phones.find(user).map(Endpoint::Phone),
        name => config.gateways.find(name).map(Endpoint::Gateway),
    }
}

/// One of these as a side of the call, seen there, with what its messages show and what its REGISTERs have shown.
fn side(step: &Step<'_>, (user, gateway): (&str, &str), flow: Flow, shown: Evidence) -> media::Side {
    let registered = match user {
        "" => Evidence::default(),
        user => step.registrar.evidence_at(user.as_bytes(), flow.remote, step.cx.now),
    };
    let (source, socket) = (Some(flow.remote.ip()), Some(flow.socket));
    let seen = Seen { source, socket, evidence: shown.and(registered) };
    media::side(&step.cx.config, endpoint(&step.cx.config, user, gateway).as_ref(), seen)
}

/// What is watched in the media of one of these.
fn watch(config: &Config, user: &str, gateway: &str) -> MediaWatch {
    match endpoint(config, user, gateway) {
        Some(Endpoint::Phone(phone)) => phone.watch,
        Some(Endpoint::Gateway(gateway)) => gateway.watch,
        None => MediaWatch::default(),
    }
}

/// Whether the caller is behind an address translator.
pub(super) fn is_behind_nat(step: &Step<'_>, call: &Call) -> bool {
    caller(step, call, call.ingress.evidence).nat.observed().is_some()
}

fn caller(step: &Step<'_>, call: &Call, shown: Evidence) -> media::Side {
    let calling = &call.calling;
    side(step, (&calling.user, &calling.gateway), calling.source, shown)
}

impl Media {
    /// Whether it goes through the switch.
    pub(in crate::call) fn is_relayed(&self) -> bool {
        self.decided.as_ref().is_some_and(|decided| decided.decision.outcome == Outcome::Relay)
    }
}

impl Call {
    /// Decides how the media of an attempt goes whose next hop is known, and tells it. What the caller has been shown of an
    /// attempt before holds for the later ones too.
    pub(in crate::call) fn decide_media(&mut self, step: &mut Step<'_>, id: u8) {
        let Some(attempt) = self.attempts.iter().find(|attempt| attempt.id == id) else { return };
        let facts = self.facts(step, attempt, [self.ingress.evidence, Evidence::default()]);
        let decision = match &self.frozen {
            Some(frozen) => frozen.clone(),
            None => decide(&facts),
        };
        self.tell_decision(step, id, Decided { decision, facts });
    }

    /// Decides anew upon a later offer, which may bring the media of a direct call into the switch and never takes it out
    /// again (behaviour 1(a), "When").
    pub(in crate::call) fn decide_again(
        &mut self,
        step: &mut Step<'_>,
        id: u8,
        from: super::Side,
        offer: &Message<'_>,
        flow: Flow,
    ) {
        let Some(attempt) = self.attempts.iter().find(|attempt| attempt.id == id) else { return };
        if attempt.media.is_relayed() {
            return;
        }
        let mut evidences = [self.ingress.evidence, Evidence::default()];
        evidences[from as usize] = evidences[from as usize].and(evidence(offer, flow));
        let facts = self.facts(step, attempt, evidences);
        let decision = decide(&facts);
        if decision.outcome == Outcome::Relay {
            self.frozen = Some(decision.clone());
            self.tell_decision(step, id, Decided { decision, facts });
            self.to = self.attempt(id).map(|attempt| Box::new(attempt.destination()));
        }
    }

    /// What is known of both sides; `shown` is what their messages show.
    fn facts(&self, step: &Step<'_>, attempt: &Attempt, shown: [Evidence; 2]) -> Facts {
        let way = &attempt.way;
        let caller = caller(step, self, shown[0]);
        let callee = side(step, (&way.user, &way.gateway), attempt.dialog.flow, shown[1]);
        let needs = Needs::of(&caller, &callee);
        Facts { switches: Switches::of(&step.cx.config.parameters), caller, callee, needs }
    }

    fn tell_decision(&mut self, step: &mut Step<'_>, id: u8, decided: Decided) {
        let Decision { outcome, rule, notes } = &decided.decision;
        let notes: String = notes.iter().map(|note| format!(", {}", note.name())).collect();
        let why = rule.why(&decided.facts);
        self.story.push(format!("media {}: {why}{notes} ({})", outcome.name(), rule.id()));
        step.cx.emit(Event::MediaDecided {
            call: self.number,
            rule: rule.id(),
            result: outcome.name(),
            facts: Box::new(decided.facts.clone()),
        });
        let config = &step.cx.config;
        let caller = watch(config, &self.calling.user, &self.calling.gateway);
        let attempt = self.attempt(id).expect("the caller holds this attempt");
        attempt.media.watches = [caller, watch(config, &attempt.way.user, &attempt.way.gateway)];
        attempt.media.decided = Some(Box::new(decided));
    }
}
