//! A leg of the caller's whose other end is the switch itself: one port, one session, a description of the switch's own.

use super::super::{Call, Side, Step};
use super::description::{Around, Description};
use super::{Port, decide};
use crate::config::MediaWatch;
use crate::cx::Cx;
use crate::input::Flow;
use crate::media::tone::{Law, Program};
use crate::media::{Learning, LegPlan, Party, SessionId};
use crate::ports::{Kind, Owner, Pool, Refusal, Shard};
use crate::relays::{Asked, Granted, Held, Relays};
use crate::sdp::{self, PayloadMap, Taken};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What the switch holds to be heard by the caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Station {
    shard: Shard,
    port: Port,
    /// What the shard has of it, once it plays.
    session: Option<SessionId>,
    /// What the shard was told last.
    told: Option<(LegPlan, Law)>,
}

impl Station {
    /// Takes what came of its ask for a port: whether it was its own.
    pub(in crate::call) fn take(&mut self, lease: crate::ports::LeaseId, held: Option<Held>) -> bool {
        let is_its = self.port.lease() == lease;
        if let Some(held) = held.filter(|_| is_its) {
            self.port = Port::Held(held);
        }
        is_its
    }

    /// Whether this session is its own.
    pub(super) fn is_in(&self, session: SessionId) -> bool {
        self.session == Some(session)
    }

    /// Whether its port is open.
    pub(in crate::call) fn is_held(&self) -> bool {
        self.port.held().is_some()
    }

    /// Where it takes the media of a caller who signals from here, once its port is open.
    pub(in crate::call) fn address(&self, step: &Step<'_>, caller: Flow) -> Option<SocketAddr> {
        let listen = &step.cx.config.listen[usize::from(caller.socket.0)];
        Some(SocketAddr::new(listen.advertise.ip(), self.port.held()?.place.port))
    }

    /// Gives back what it holds; gives the session that it ended, whose statistics are still to come.
    pub(super) fn close(mut self, relays: &mut Relays, cx: &mut Cx) -> Option<SessionId> {
        let session = self.session.take();
        if let Some(session) = session {
            relays.end(cx, session);
        }
        relays.release(cx, self.port.lease());
        session
    }
}

impl Call {
    /// Asks for the port of a station.
    pub(in crate::call) fn ask_station(&self, step: &mut Step<'_>) -> Result<Station, Refusal> {
        let listen = &step.cx.config.listen[usize::from(self.calling.source.socket.0)];
        let kind = Kind { pool: Pool::Ivr, address: listen.bind.ip(), is_pair: false };
        let shard = step.relays.pick_shard(kind);
        let owner = Owner { flow_no: self.number, party: Side::Caller.party() };
        let port = match step.relays.ask(step.cx, step.id.to_bits(), owner, shard, kind) {
            Asked::Held(held) => Port::Held(held),
            Asked::Waiting(lease) => Port::Waiting(lease),
            Asked::Refused(why) => return Err(why),
        };
        Ok(Station { shard, port, session: None, told: None })
    }

    /// Plays to the caller from now on as this description of its says; gives where the switch takes its media. None
    /// without a port.
    pub(in crate::call) fn play_at(
        &self,
        step: &mut Step<'_>,
        station: &mut Station,
        (description, taken): (&[u8], &Taken),
        program: Program,
    ) -> Option<SocketAddr> {
        let (held, law) = (station.port.held()?, Law::of_payload_type(taken.payload_type)?);
        let leg = self.station_leg(step, held, (description, taken))?;
        match (station.session, station.told.replace((leg, law))) {
            (Some(session), Some((before, law_before))) => {
                let is_elsewhere = before.signalled != leg.signalled;
                let learning = if is_elsewhere { Learning::Reopen } else { Learning::Keep };
                step.relays.update(step.cx, session, Party::Caller, leg, learning);
                if law != law_before {
                    step.relays.play(step.cx, session, Party::Caller, law, Some(program));
                }
            }
            _ => {
                let call = step.id.to_bits();
                let session = step.relays.begin_station(step.cx, call, station.shard, leg, (law, program));
                station.session = Some(session);
            }
        }
        station.address(step, self.calling.source)
    }

    /// The leg that takes this of a description.
    fn station_leg(&self, step: &Step<'_>, held: Held, (description, taken): (&[u8], &Taken)) -> Option<LegPlan> {
        let streams = sdp::streams(description).ok()?;
        let stream = streams.get(taken.index)?;
        let plan = Description::of(stream).plan(Around {
            held,
            signalling_host: self.calling.source.remote.ip(),
            is_behind_nat: decide::is_behind_nat(step, self),
            is_muxed: taken.is_muxed,
            packets: PayloadMap::IDENTITY,
            watch: MediaWatch::default(),
        });
        // who only listens is to hear it
        Some(LegPlan { is_held: stream.is_held(), ..plan })
    }

    /// Ports that a station has asked for are open, or not to be had: whether they are one's.
    pub(super) fn on_station_granted(&mut self, step: &mut Step<'_>, granted: Granted) -> bool {
        self.on_announcement_granted(step, granted) || self.on_answering_granted(step, granted)
    }
}
