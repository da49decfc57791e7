//! A leg of the caller's whose other end is the switch itself: one port, one session, a description of the switch's own.

use super::super::start::described;
use super::super::{Call, Side, Step, answer};
use super::description::{Around, Description};
use super::{Port, decide};
use crate::config::MediaWatch;
use crate::cx::Cx;
use crate::dialog::Tag;
use crate::media::tone::{Law, Program};
use crate::media::{LegPlan, SessionId};
use crate::ports::{Kind, Owner, Pool, Refusal, Shard};
use crate::relays::{Asked, Granted, Held, Relays};
use crate::sdp::{self, PayloadMap, Taken};
use crate::sip::Writer;
use crate::transaction::Reply;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What the switch holds to be heard by the caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Station {
    shard: Shard,
    port: Port,
    /// What the shard has of it, once it plays.
    session: Option<SessionId>,
}

impl Station {
    /// Takes what came of its ask for a port: whether it was its own.
    pub(super) fn take(&mut self, lease: crate::ports::LeaseId, held: Option<Held>) -> bool {
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

    pub(super) fn is_held(&self) -> bool {
        self.port.held().is_some()
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
    pub(super) fn ask_station(&self, step: &mut Step<'_>) -> Result<Station, Refusal> {
        let listen = &step.cx.config.listen[usize::from(self.calling.source.socket.0)];
        let kind = Kind { pool: Pool::Ivr, address: listen.bind.ip(), is_pair: false };
        let shard = step.relays.pick_shard(kind);
        let owner = Owner { flow_no: self.number, party: Side::Caller.party() };
        let port = match step.relays.ask(step.cx, step.id.to_bits(), owner, shard, kind) {
            Asked::Held(held) => Port::Held(held),
            Asked::Waiting(lease) => Port::Waiting(lease),
            Asked::Refused(why) => return Err(why),
        };
        Ok(Station { shard, port, session: None })
    }

    /// Begins to play to the caller, whose offer this is; gives the answer that it is to be shown. None without a port.
    pub(super) fn begin_station(
        &self,
        step: &mut Step<'_>,
        station: &mut Station,
        (offer, taken): (&[u8], &Taken),
        program: Program,
    ) -> Option<Vec<u8>> {
        let (held, law) = (station.port.held()?, Law::of_payload_type(taken.payload_type)?);
        let leg = self.station_leg(step, held, (offer, taken))?;
        let call = step.id.to_bits();
        station.session = Some(step.relays.begin_station(step.cx, call, station.shard, leg, (law, program)));
        let listen = &step.cx.config.listen[usize::from(self.calling.source.socket.0)];
        let at = SocketAddr::new(listen.advertise.ip(), held.place.port);
        Some(sdp::answer(offer, taken, at, self.number))
    }

    /// The leg that takes this of an offer.
    fn station_leg(&self, step: &Step<'_>, held: Held, (offer, taken): (&[u8], &Taken)) -> Option<LegPlan> {
        let streams = sdp::streams(offer).ok()?;
        Some(Description::of(streams.get(taken.index)?).plan(Around {
            held,
            signalling_host: self.calling.source.remote.ip(),
            is_behind_nat: decide::is_behind_nat(step, self),
            is_muxed: taken.is_muxed,
            packets: PayloadMap::IDENTITY,
            watch: MediaWatch::default(),
        }))
    }

    /// Shows the caller a description of the switch's own before the answer, in an early dialog of its own.
    pub(super) fn show_own(&mut self, step: &mut Step<'_>, description: &[u8]) {
        let tag: Tag = step.cx.rng.ids.token();
        let mut lines = Writer::lines();
        answer::contact(step, self.ingress.dialog.flow, &mut lines);
        lines.header("Content-Type", "application/sdp");
        let body = described(step.cx, &mut self.ingress.dialog.clone(), description, None);
        let reply = Reply { headers: lines.as_bytes(), body: &body, ..Reply::new(183, &tag) };
        step.transactions.respond(step.cx, self.ingress.server, reply);
    }

    /// Ports that a station has asked for are open, or not to be had: whether they are one's.
    pub(super) fn on_station_granted(&mut self, step: &mut Step<'_>, granted: Granted) -> bool {
        self.on_announcement_granted(step, granted)
    }
}
