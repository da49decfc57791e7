//! What is kept of one stream of a description.

use crate::config::MediaWatch;
use crate::media::{Kind, LegPlan, LegSocket, PayloadTypes, RtcpPlan};
use crate::relays::Held;
use crate::sdp::{Direction, Format, Mux, PayloadMap, Profile, Stream};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// A stream as its peer takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    kind: Kind,
    target: Option<SocketAddr>,
    rtcp: Option<SocketAddr>,
    /// It takes RTCP at its RTP port, or offers to.
    can_mux: bool,
    clock_hz: u32,
    /// Payload types of telephone-event with their clock rates.
    events: Box<[(u8, u32)]>,
    /// Media does not flow both ways.
    is_held: bool,
}

/// What a leg's plan needs besides its description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// The switch's port on this leg.
    pub(super) held: Held,
    /// Where its signalling comes from.
    pub(super) signalling_host: IpAddr,
    pub(super) is_behind_nat: bool,
    /// RTCP comes to the RTP ports on both legs.
    pub(super) is_muxed: bool,
    /// The other peer's numbers of telephone-event, as this one knows them.
    pub(super) packets: PayloadMap,
    pub(super) watch: MediaWatch,
}

impl Description {
    /// That of a stream that is not refused.
    pub(super) fn of(stream: &Stream<'_>) -> Description {
        let kind = match stream.profile {
            Profile::Rtp => Kind::Rtp,
            Profile::Srtp => Kind::SecureRtp,
            Profile::Udptl | Profile::Tcp | Profile::Other => Kind::Datagrams,
        };
        let events = stream.telephone_events().map(|event| (event.payload_type, event.clock_rate_hz));
        Description {
            kind,
            target: stream.target(),
            rtcp: stream.rtcp_target(),
            can_mux: stream.mux != Mux::No,
            clock_hz: stream.formats.first().map_or(0, |format| format.clock_rate_hz),
            events: events.collect(),
            is_held: stream.is_held() || stream.direction != Direction::SendRecv,
        }
    }

    /// That of a peer which has said nothing yet of a stream like this one.
    pub(super) fn unknown(&self) -> Description {
        Description { target: None, rtcp: None, ..self.clone() }
    }

    /// Whether it takes RTCP at its RTP port.
    pub(super) fn can_mux(&self) -> bool {
        self.can_mux
    }

    /// Whether its media does not flow both ways.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// The telephone-events, as formats.
    pub(super) fn events(&self) -> Vec<Format<'static>> {
        let format = |&(payload_type, clock_rate_hz)| Format { payload_type, name: b"telephone-event", clock_rate_hz };
        self.events.iter().map(format).collect()
    }

    /// What the shard is to know of the leg.
    pub(super) fn plan(&self, around: Around) -> LegPlan {
        let Around { held, packets, .. } = around;
        let port = u32::from(held.place.port);
        let rtcp = match self.kind {
            Kind::Datagrams => RtcpPlan::Off,
            _ if around.is_muxed => RtcpPlan::Muxed,
            _ if held.place.kind.is_pair => RtcpPlan::Own { socket: LegSocket(port + 1), signalled: self.rtcp },
            _ => RtcpPlan::Off,
        };
        // Its packets bear its own numbers, or those that it was shown.
        let own = self.events.iter().map(|(payload_type, _)| *payload_type);
        let shown = self.events.iter().map(|(payload_type, _)| packets.inverse().get(*payload_type));
        LegPlan {
            socket: LegSocket(port),
            kind: self.kind,
            signalled: self.target,
            rtcp,
            signalling_host: around.signalling_host,
            is_behind_nat: around.is_behind_nat,
            clock_hz: self.clock_hz,
            events: own.chain(shown).fold(PayloadTypes::default(), PayloadTypes::with),
            payload_map: packets,
            is_held: self.is_held,
            interruption: around.watch.interruption,
            interruption_after_ms: around.watch.after_s.saturating_mul(1000),
        }
    }
}
