//! A description passes from one leg to the other: what it says is kept, what the other leg is shown leads to the relay,
//! and the shard is told.
//!
//! An offer changes nothing until it is answered: media goes on as agreed before, and a refusal leaves it so (RFC 3264
//! §8). Of the first offer of a call, before which nothing was agreed, the relay makes use at once.

use super::super::{Call, Side, Step};
use super::description::{Around, Description};
use super::open::description;
use super::{Media, Stream, Told};
use crate::config::MediaWatch;
use crate::media::{Learning, LegPlan};
use crate::sdp::{self, PayloadMap, Profile, Relay, RelayedStream, RtcpPort};
use crate::sip::Message;
use crate::timers::CallTimer;
use std::net::IpAddr;
use std::time::Duration;

/// How long after the answer both sides are to be heard: users who hear nothing say so, and hang up, within ten seconds.
const LISTEN_AFTER: Duration = Duration::from_secs(10);

/// What a description is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::call) enum Role {
    /// One that asks for an answer.
    Offer,
    /// The answer, or a preview of it.
    Answer,
}

/// Where a description passes.
#[derive(Clone, Copy, Debug)]
pub(in crate::call) struct Spot {
    /// The attempt whose legs these are.
    pub(in crate::call) attempt: u8,
    /// The branch; none while the INVITE goes out.
    pub(in crate::call) branch: Option<u8>,
    /// Whose description it is.
    pub(in crate::call) from: Side,
}

/// The relay as the other leg is to see it.
#[derive(Clone, Debug)]
pub(in crate::call) struct View {
    address: IpAddr,
    streams: Vec<Option<RelayedStream>>,
}

impl View {
    /// For the writer.
    pub(in crate::call) fn relay(&self) -> Relay<'_> {
        Relay { address: self.address, streams: &self.streams }
    }
}

/// A stream that the other leg is to see refused: the relay has no ports for it (RFC 3264 §6).
const REFUSED: RelayedStream = RelayedStream { port: 0, rtcp: RtcpPort::Same, payloads: PayloadMap::IDENTITY };

impl Stream {
    /// Takes in what one side says of the stream, and gives what the other one is to see.
    fn hear(&mut self, from: Side, role: Role, said: &sdp::Stream<'_>) -> RelayedStream {
        let Some(ports) = self.held() else { return REFUSED };
        let [near, far] = [from as usize, from.other() as usize];
        let known = self.legs[far].described().map(Description::events).unwrap_or_default();
        let payloads = PayloadMap::of_events(&said.formats, &known);
        let heard = Some(Description::of(said));
        self.legs[far].packets_shown = payloads.inverse();
        match role {
            Role::Offer => self.legs[near].offered = heard.map(Box::new),
            Role::Answer => {
                self.legs[near].agreed = heard;
                self.legs[near].offered = None;
                let far = &mut self.legs[far];
                far.agreed = far.offered.take().map(|offered| *offered).or(far.agreed.take());
                for leg in &mut self.legs {
                    leg.packets = leg.packets_shown;
                }
            }
        }
        let place = ports[far].place;
        let rtcp = if place.kind.is_pair { RtcpPort::Next } else { RtcpPort::Same };
        RelayedStream { port: place.port, rtcp, payloads }
    }

    /// The callee's leg is that of another branch again, which said this.
    fn return_to(&mut self, said: Option<Description>) {
        let Some(said) = said else { return };
        let [caller, callee] = &mut self.legs;
        let known = caller.described().map(Description::events).unwrap_or_default();
        caller.packets = PayloadMap::of_events(&said.events(), &known).inverse();
        callee.agreed = Some(said);
    }

    /// The plans of both legs as they are now; none before anybody has said anything.
    fn plans(&self, hosts: [IpAddr; 2], is_behind_nat: [bool; 2], watches: [MediaWatch; 2]) -> Option<[LegPlan; 2]> {
        let ports = self.held()?;
        let somebody = self.legs[0].described().or(self.legs[1].described())?;
        let unknown = somebody.unknown();
        let said = [0, 1].map(|leg| self.legs[leg].described().unwrap_or(&unknown));
        let is_muxed = self.legs.iter().all(|leg| leg.agreed.as_ref().is_some_and(Description::can_mux));
        Some([0, 1].map(|leg| {
            said[leg].plan(Around {
                held: ports[leg],
                signalling_host: hosts[leg],
                is_behind_nat: is_behind_nat[leg],
                is_muxed,
                packets: self.legs[leg].packets,
                watch: watches[leg],
            })
        }))
    }
}

impl Media {
    fn is_behind_nat(&self) -> [bool; 2] {
        let behind = |side: &crate::media::Side| side.nat.observed().is_some();
        self.decided
            .as_ref()
            .map_or([false; 2], |decided| [behind(&decided.facts.caller), behind(&decided.facts.callee)])
    }
}

impl Call {
    /// The description in this message passes: gives the relay as the other leg is to see it; none where media is direct,
    /// or nothing is described.
    pub(in crate::call) fn speak(
        &mut self,
        step: &mut Step<'_>,
        spot: Spot,
        role: Role,
        message: &Message<'_>,
    ) -> Option<View> {
        let Spot { attempt: id, branch, from } = spot;
        let description = description(message)?;
        if from == Side::Callee && self.frozen.is_none() {
            // From here on the caller has been shown how this call's media goes (behaviour 1(a), "When").
            self.frozen = self.attempt(id)?.media.decided.as_ref().map(|decided| decided.decision.clone());
        }
        if self.end.is_some() || !self.attempt(id)?.media.is_relayed() {
            return None;
        }
        let said = sdp::streams(description).unwrap_or_default();
        if role == Role::Offer {
            self.open_ports_now(step, id, message);
        }
        let to = self.flow_of(id, branch, from.other());
        let address = step.cx.config.listen[usize::from(to.socket.0)].advertise.ip();
        let relayed = self.attempt(id)?.media.relayed.as_mut()?;
        let mut streams = Vec::with_capacity(said.len());
        for (index, one) in said.iter().enumerate() {
            let stream = match one.profile {
                Profile::Tcp => None,
                _ if one.is_rejected() => {
                    if role == Role::Answer
                        && let Some(stream) = relayed.streams.get_mut(index)
                    {
                        let ended = stream.close(step.relays, step.cx);
                        ended.into_iter().for_each(|session| step.relays.forget(session));
                    }
                    None
                }
                _ => Some(relayed.streams.get_mut(index).map_or(REFUSED, |stream| stream.hear(from, role, one))),
            };
            streams.push(stream);
        }
        if from == Side::Callee {
            relayed.speaker = branch;
            let said = relayed.streams.iter().map(|stream| stream.legs[Side::Callee as usize].described().cloned());
            let said = said.collect();
            if let Some(branch) = branch.and_then(|branch| self.branch_mut(branch)) {
                branch.said = said;
            }
        }
        self.tell_shard(step, id, branch, Learning::Keep);
        Some(View { address, streams })
    }

    /// The branch has answered: both its peers may now send from wherever their translators let them, so each leg is
    /// learned anew.
    pub(in crate::call) fn talk_begins(&mut self, step: &mut Step<'_>, branch: u8) {
        let Some((id, said)) = self.branch(branch).map(|branch| (branch.attempt, branch.said.clone())) else { return };
        if let Some(relayed) = self.attempt(id).and_then(|attempt| attempt.media.relayed.as_mut())
            && relayed.speaker.replace(branch) != Some(branch)
        {
            // It answers with what it said before another branch spoke.
            relayed.streams.iter_mut().zip(said).for_each(|(stream, said)| stream.return_to(said));
        }
        self.tell_shard(step, id, Some(branch), Learning::Reopen);
        if self.attempt(id).is_some_and(|attempt| attempt.media.relayed.is_some()) {
            self.listen_timer = Some(step.arm(LISTEN_AFTER, CallTimer::Listen));
        }
    }

    /// Tells the shard how the legs of an attempt are now, as far as that differs from what it was told. A leg whose own
    /// peer has said something else is learned anew, one of which only the other side changed is not.
    fn tell_shard(&mut self, step: &mut Step<'_>, id: u8, branch: Option<u8>, learning: Learning) {
        let hosts = Side::BOTH.map(|side| self.flow_of(id, branch, side).remote.ip());
        let (call, is_talking) = (step.id.to_bits(), self.winner.is_some());
        let Some(attempt) = self.attempt(id) else { return };
        let is_behind_nat = attempt.media.is_behind_nat();
        // While it rings silence means nothing.
        let watches = if is_talking { attempt.media.watches } else { Default::default() };
        let Some(relayed) = &mut attempt.media.relayed else { return };
        for stream in &mut relayed.streams {
            let Some(plans) = stream.plans(hosts, is_behind_nat, watches) else { continue };
            let Some(session) = stream.session else {
                stream.session = Some(step.relays.begin(step.cx, call, relayed.shard, plans));
                stream.legs.iter_mut().zip(plans).for_each(|(leg, plan)| leg.told = Some(Told::of(&plan)));
                continue;
            };
            for (side, plan) in Side::BOTH.into_iter().zip(plans) {
                let now = Told::of(&plan);
                let before = stream.legs[side as usize].told.replace(now);
                if before == Some(now) && learning == Learning::Keep {
                    continue;
                }
                let is_elsewhere = before.is_none_or(|before| !before.is_where(&now));
                let learning = if is_elsewhere { Learning::Reopen } else { learning };
                step.relays.update(step.cx, session, side.party(), plan, learning);
            }
        }
    }

    /// The path of a leg's signalling.
    fn flow_of(&self, id: u8, branch: Option<u8>, side: Side) -> crate::input::Flow {
        if let Some(branch) = branch.and_then(|branch| self.branch(branch)) {
            return branch.leg(side).dialog.flow;
        }
        let attempt = self.attempts.iter().find(|attempt| attempt.id == id);
        match (side, attempt) {
            (Side::Callee, Some(attempt)) => attempt.dialog.flow,
            _ => self.calling.source,
        }
    }
}
