//! Local ring: who calls a phone with `local_ring` hears the switch's ringback until the answer (behaviour 1(a), rule S4).
//!
//! The caller is shown one 183 with an answer of the switch's own, under a tag of its own: the first description in a
//! dialog is the answer there, and the phone's, which comes with its 2xx, would be ignored (RFC 3261 §13.2.1).

use super::super::{Attempt, Call, ReliableWish, Step};
use super::open::description;
use super::own::audible;
use crate::media::tone::Law;
use crate::media::{Party, SessionId};
use crate::sdp;
use crate::sip::Message;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What the caller hears while the callee of an attempt rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ring {
    /// What the callee lets it hear.
    #[default]
    Callees,
    /// The switch's ringback.
    Ours {
        /// Where it plays.
        session: SessionId,
        /// What was negotiated for it.
        law: Law,
    },
    /// The callee's, although the switch should ring: it cannot.
    Impossible,
}

impl Attempt {
    fn rings_locally(&self) -> bool {
        self.media.is_relayed() && self.media.decided.as_ref().is_some_and(|one| one.facts.callee.has_local_ring)
    }

    fn ring(&self) -> Ring {
        self.media.relayed.as_ref().map_or(Ring::Callees, |relayed| relayed.ring)
    }
}

impl Call {
    /// The callee of an attempt rings: whether the caller hears the switch's ringback, and is not shown the callee's. Where
    /// the caller takes none but reliable answers, which a dialog of the switch's own has not, it is shown the callee's.
    pub(in crate::call) fn ring_locally(&mut self, step: &mut Step<'_>, id: u8) -> bool {
        let may_be = self.ingress.has_offer && self.ingress.reliable != ReliableWish::Required;
        let Some(attempt) = self.attempt(id).filter(|attempt| may_be && attempt.rings_locally()) else { return false };
        let ring = attempt.ring();
        if ring == Ring::Impossible {
            return false;
        }
        // it rings at several phones, of which one ringing is heard
        if !self.is_ringing() {
            self.with_invite(|call, invite| call.begin_ringing(step, id, invite));
        }
        self.is_ringing()
    }

    /// A phone has failed. If the caller heard the ringback by its ports, it hears it by those of another one that rings.
    pub(in crate::call) fn ring_on(&mut self, step: &mut Step<'_>) {
        let rings = |attempt: &&Attempt| attempt.is_live() && attempt.heard.ringing && attempt.rings_locally();
        let next = self.attempts.iter().find(rings).map(|attempt| attempt.id);
        if let Some(id) = next
            && !self.own.is_empty()
        {
            self.ring_locally(step, id);
        }
    }

    /// Whether the caller hears the switch's ringback.
    pub(in crate::call) fn is_ringing(&self) -> bool {
        self.attempts.iter().any(|attempt| matches!(attempt.ring(), Ring::Ours { .. }))
    }

    fn begin_ringing(&mut self, step: &mut Step<'_>, id: u8, invite: &Message<'_>) {
        let (caller, number) = (self.calling.source, self.number);
        let config = step.cx.config.clone();
        let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.id == id) else { return };
        let decision = attempt.media.decided.as_ref().map(|decided| decided.decision.clone());
        let phone = config.phones.find(&attempt.way.user);
        let Some(relayed) = attempt.media.relayed.as_mut() else { return };
        let offer = description(invite).unwrap_or_default();
        let place = audible(offer).and_then(|taken| {
            let stream = relayed.streams.get(taken.index)?;
            let law = Law::of_payload_type(taken.payload_type)?;
            Some((taken, stream.session?, stream.held()?[0].place.port, law))
        });
        let (Some((taken, session, port, law)), Some(phone)) = (place, phone) else {
            relayed.ring = Ring::Impossible;
            self.story.push("no ringback: the caller offers to hear no G.711 (media.local-ring)".to_owned());
            return;
        };
        relayed.ring = Ring::Ours { session, law };
        step.relays.play(step.cx, session, Party::Caller, law, Some(config.tones.ringback(&phone)));
        let address = config.listen[usize::from(caller.socket.0)].advertise.ip();
        let answer = sdp::answer(offer, &taken, SocketAddr::new(address, port), number);
        self.story.push("the caller hears the switch's ringback (media.local-ring)".to_owned());
        self.frozen = self.frozen.take().or(decision);
        self.show_own(step, &answer);
    }

    /// The callee answers: the caller hears it from now on.
    pub(in crate::call) fn stop_ringing(&mut self, step: &mut Step<'_>, id: u8) {
        self.drop_own(step);
        let Some(relayed) = self.attempt(id).and_then(|attempt| attempt.media.relayed.as_mut()) else { return };
        if let Ring::Ours { session, law } = std::mem::take(&mut relayed.ring) {
            step.relays.play(step.cx, session, Party::Caller, law, None);
        }
    }
}
