//! Ports: a description waits until those that it is to name are held.

use super::super::{Attempt, AttemptState, Call, Side, Step};
use super::{Media, Port, Relayed, Ring, Stream};
use crate::cx::Cx;
use crate::event::Event;
use crate::input::{Flow, SocketId};
use crate::limits;
use crate::media::SessionId;
use crate::ports::{Kind, Owner, Pool, Refusal, Shard};
use crate::relays::{Asked, Granted, Relays};
use crate::routing::failover::Failure;
use crate::sdp::{self, Mux, Profile};
use crate::sip::Message;

/// What came of asking for the ports of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::call) enum Opening {
    /// All are held, or none is needed.
    Held,
    /// The driver has not opened all of them.
    Waiting,
    /// They are not to be had.
    Refused(Refusal),
}

/// What a stream of an offer needs: a pair, a single port, nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    Single,
    Pair,
}

impl Need {
    /// Those of an offer, by its `m=` lines; one of audio where the callee is to make the offer.
    fn of(offer: Option<&[u8]>) -> Vec<Need> {
        let Some(offer) = offer else { return vec![Need::Pair] };
        let streams = sdp::streams(offer).unwrap_or_default();
        let need = |stream: &sdp::Stream<'_>| match stream.profile {
            _ if stream.is_rejected() => Need::Nothing,
            Profile::Tcp => Need::Nothing,
            // RFC 5761 §5.1.1: an offer to multiplex may be turned down; RFC 8858 §3: one that says "only" may not
            Profile::Rtp | Profile::Srtp if stream.mux != Mux::Only => Need::Pair,
            Profile::Rtp | Profile::Srtp | Profile::Udptl | Profile::Other => Need::Single,
        };
        streams.iter().take(limits::RELAYED_STREAMS).map(need).collect()
    }
}

/// The session description of a message, also as a part of its body.
pub(in crate::call) fn description<'m>(message: &'m Message<'_>) -> Option<&'m [u8]> {
    message.content_type().and_then(|kind| sdp::find_sdp(kind, message.body()))
}

impl Stream {
    /// Gives back what it holds of the relay, and the session that it ended, whose statistics are still to come.
    pub(super) fn close(&mut self, relays: &mut Relays, cx: &mut Cx) -> Option<SessionId> {
        let session = self.session.take();
        if let Some(session) = session {
            relays.end(cx, session);
        }
        for port in self.ports.take().into_iter().flatten() {
            relays.release(cx, port.lease());
        }
        *self = Stream::default();
        session
    }
}

impl Media {
    /// Gives back all that it holds of the relay; gives the sessions that it ended.
    pub(in crate::call) fn close(&mut self, relays: &mut Relays, cx: &mut Cx) -> Vec<SessionId> {
        let Some(mut relayed) = self.relayed.take() else { return Vec::new() };
        relayed.streams.iter_mut().filter_map(|stream| stream.close(relays, cx)).collect()
    }

    fn is_waiting(&self) -> bool {
        let ports = self.relayed.iter().flat_map(|relayed| &relayed.streams).filter_map(|stream| stream.ports);
        ports.flatten().any(|port| matches!(port, Port::Waiting(_)))
    }
}

/// Leases of one attempt.
struct Asking<'a> {
    call: u64,
    flow_no: u64,
    shard: Shard,
    /// The local address of each leg.
    kinds: [Kind; 2],
    relays: &'a mut Relays,
    cx: &'a mut Cx,
}

impl Asking<'_> {
    /// Both ports of a stream, or none of them.
    fn ask(&mut self, is_pair: bool) -> Result<[Port; 2], Refusal> {
        let caller = self.ask_for(Side::Caller, is_pair)?;
        match self.ask_for(Side::Callee, is_pair) {
            Ok(callee) => Ok([caller, callee]),
            Err(why) => {
                self.relays.release(self.cx, caller.lease());
                Err(why)
            }
        }
    }

    fn ask_for(&mut self, side: Side, is_pair: bool) -> Result<Port, Refusal> {
        let owner = Owner { flow_no: self.flow_no, party: side.party() };
        let kind = Kind { is_pair, ..self.kinds[side as usize] };
        match self.relays.ask(self.cx, self.call, owner, self.shard, kind) {
            Asked::Held(held) => Ok(Port::Held(held)),
            Asked::Waiting(lease) => Ok(Port::Waiting(lease)),
            Asked::Refused(why) => Err(why),
        }
    }
}

impl Call {
    /// Asks for the ports that this offer needs and that an attempt has not got; without an offer for those of one audio
    /// stream, which the callee is going to make.
    pub(in crate::call) fn open_ports(&mut self, step: &mut Step<'_>, id: u8, offer: Option<&Message<'_>>) -> Opening {
        let (number, caller) = (self.number, self.calling.source);
        let Some(attempt) = self.attempt(id).filter(|attempt| attempt.media.is_relayed()) else { return Opening::Held };
        let kind = |socket: SocketId| Kind {
            pool: Pool::Relay,
            address: step.cx.config.listen[usize::from(socket.0)].bind.ip(),
            is_pair: true,
        };
        let kinds = [kind(caller.socket), kind(attempt.dialog.flow.socket)];
        let needs = Need::of(offer.and_then(description));
        let relayed = attempt.media.relayed.get_or_insert_with(|| {
            let shard = step.relays.pick_shard(kinds[0]);
            Box::new(Relayed { shard, streams: Vec::with_capacity(1), speaker: None, ring: Ring::default() })
        });
        let mut asking = Asking {
            call: step.id.to_bits(),
            flow_no: number,
            shard: relayed.shard,
            kinds,
            relays: step.relays,
            cx: step.cx,
        };
        if relayed.streams.len() < needs.len() {
            relayed.streams.resize_with(needs.len(), Stream::default);
        }
        for (stream, need) in relayed.streams.iter_mut().zip(needs) {
            if need == Need::Nothing || stream.ports.is_some() {
                continue;
            }
            match asking.ask(need == Need::Pair) {
                Ok(ports) => stream.ports = Some(ports),
                Err(why) => return Opening::Refused(why),
            }
        }
        if attempt.media.is_waiting() { Opening::Waiting } else { Opening::Held }
    }

    /// An offer has come inside a dialog, from this side: decides anew where media is direct, and asks for the ports that it
    /// needs.
    pub(in crate::call) fn prepare_media(
        &mut self,
        step: &mut Step<'_>,
        (branch, from): (u8, Side),
        offer: &Message<'_>,
        flow: Flow,
    ) -> Opening {
        let Some(id) = self.branch(branch).map(|branch| branch.attempt) else { return Opening::Held };
        self.decide_again(step, id, from, offer, flow);
        let opening = self.open_ports(step, id, Some(offer));
        if let Opening::Refused(why) = opening {
            self.tell_lack(step, why);
        }
        opening
    }

    /// The same for an offer that cannot wait, since it came with an answer: streams whose ports are not at hand are refused.
    pub(super) fn open_ports_now(&mut self, step: &mut Step<'_>, id: u8, offer: &Message<'_>) {
        self.open_ports(step, id, Some(offer));
        let Some(attempt) = self.attempt(id) else { return };
        for stream in attempt.media.relayed.iter_mut().flat_map(|relayed| &mut relayed.streams) {
            if stream.ports.is_some() && stream.held().is_none() {
                stream.close(step.relays, step.cx);
            }
        }
    }

    /// Ports that it has asked for are open, or not to be had.
    pub(in crate::call) fn on_granted(&mut self, step: &mut Step<'_>, granted: Granted) {
        let is_its = |attempt: &mut Attempt| attempt.media.ports().any(|port| port.lease() == granted.lease);
        let Some(at) = self.attempts.iter_mut().position(is_its) else {
            if self.on_station_granted(step, granted) {
                return;
            }
            // Nobody waits for it any more.
            step.relays.release(step.cx, granted.lease);
            return;
        };
        let attempt = &mut self.attempts[at];
        let (id, state) = (attempt.id, attempt.state);
        match granted.result {
            Ok(held) => attempt.media.ports().filter(|port| port.lease() == held.lease).for_each(|port| {
                *port = Port::Held(held);
            }),
            Err(why) => {
                self.tell_lack(step, why);
                return self.lack_ports(step, id, granted.lease);
            }
        }
        if attempt.media.is_waiting() {
            return;
        }
        match state {
            AttemptState::Opening => self.with_invite(|call, invite| call.invite_callee(step, invite, id)),
            _ => {
                for branch in self.branches_of(id) {
                    self.admit_waiting(step, branch);
                }
            }
        }
    }

    fn branches_of(&self, attempt: u8) -> Vec<u8> {
        self.branches.iter().filter(|branch| branch.attempt == attempt).map(|branch| branch.id).collect()
    }

    /// The call, or a later offer inside it, gets no ports.
    pub(in crate::call) fn tell_lack(&mut self, step: &mut Step<'_>, why: Refusal) {
        self.story.push(format!("no media ports: {} (ports.refused)", why.words()));
        step.cx.emit(Event::PortsRefused { call: self.number, why: why.words() });
    }

    /// A stream gets no ports: its call goes no further, or the offer that waits for them is refused.
    fn lack_ports(&mut self, step: &mut Step<'_>, id: u8, lease: crate::ports::LeaseId) {
        let Some(attempt) = self.attempt(id) else { return };
        if attempt.state == AttemptState::Opening {
            return self.fail(step, id, Failure::NoMediaPorts, 503, None);
        }
        for stream in attempt.media.relayed.iter_mut().flat_map(|relayed| &mut relayed.streams) {
            let is_its = |port: &Port| port.lease() == lease;
            if stream.ports.as_ref().is_some_and(|ports| ports.iter().any(is_its)) {
                stream.close(step.relays, step.cx);
            }
        }
        for branch in self.branches_of(id) {
            self.on_waiting_timer(step, branch);
        }
    }
}

impl Media {
    fn ports(&mut self) -> impl Iterator<Item = &mut Port> {
        let streams = self.relayed.iter_mut().flat_map(|relayed| &mut relayed.streams);
        streams.flat_map(|stream| stream.ports.iter_mut().flatten())
    }
}
