//! Relay or direct, for one attempt.

use super::super::{Attempt, Call, Step};
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
    let description = message.content_type().and_then(|kind| sdp::find_sdp(kind, message.body()));
    // Of all its streams the first that is not refused: the others of a phone are where that one is.
    let session = description.and_then(|description| sdp::scan(description).ok());
    let first = session.iter().flat_map(|session| &session.media).find(|media| media.port != 0);
    let address = first.and_then(|media| media.connection?.ip());
    Evidence::of(via, contact, address, source.remote.ip())
}

/// A side of the call: a phone by its user name, else a gateway by its name.
fn side(config: &Config, user: &str, gateway: &str, seen: Seen) -> media::Side {
    let phone = config.phones.find(user).filter(|_| gateway.is_empty()).map(Endpoint::Phone);
    let endpoint = phone.or_else(|| config.gateways.find(gateway).map(Endpoint::Gateway));
    media::side(config, endpoint.as_ref(), seen)
}

/// What is watched in the media of one of these.
fn watch(config: &Config, user: &str, gateway: &str) -> MediaWatch {
    let phone = config.phones.find(user).filter(|_| gateway.is_empty()).map(|phone| phone.watch);
    phone.or_else(|| config.gateways.find(gateway).map(|gateway| gateway.watch)).unwrap_or_default()
}

fn seen(flow: Flow, evidence: Evidence) -> Seen {
    Seen { source: Some(flow.remote.ip()), socket: Some(flow.socket), evidence }
}

/// Whether the caller is behind an address translator.
pub(super) fn is_behind_nat(step: &Step<'_>, call: &Call) -> bool {
    let calling = &call.calling;
    let registered = step.registrar.evidence_at(calling.user.as_bytes(), calling.source.remote, step.cx.now);
    let shown = call.ingress.evidence.and(registered);
    side(&step.cx.config, &calling.user, &calling.gateway, seen(calling.source, shown)).nat.observed().is_some()
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
            self.to = self.attempt(id).map(|attempt| attempt.destination());
        }
    }

    /// What is known of both sides; `shown` is what their messages show.
    fn facts(&self, step: &Step<'_>, attempt: &Attempt, shown: [Evidence; 2]) -> Facts {
        let config = &step.cx.config;
        let (calling, way, to) = (&self.calling, &attempt.way, attempt.dialog.flow);
        let registered = |user: &str, flow: Flow| match user {
            "" => Evidence::default(),
            user => step.registrar.evidence_at(user.as_bytes(), flow.remote, step.cx.now),
        };
        let by_caller = shown[0].and(registered(&calling.user, calling.source));
        let by_callee = shown[1].and(registered(&way.user, to));
        let caller = side(config, &calling.user, &calling.gateway, seen(calling.source, by_caller));
        let callee = side(config, &way.user, &way.gateway, seen(to, by_callee));
        let needs = Needs::of(&caller, &callee);
        Facts { switches: Switches::of(&config.parameters), caller, callee, needs }
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
