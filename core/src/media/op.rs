//! What signalling tells a media shard, and what the shard tells back.
//!
//! A [`MediaOp`] is self-sufficient: whoever carries it out needs nothing else of a call (architecture §4), so another
//! relay than [`super::MediaShard`] could take the same ops and give the same reports.

use super::latch::Move;
use super::stats::LegStats;
use super::tone::{Law, Program};
use crate::sdp::PayloadMap;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// Names one relayed stream: one `m=` line of one branch of a call. Signalling gives each number once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// Names one open socket of a shard: its port, or whatever small number signalling and driver agree on; it indexes a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LegSocket(pub u32);

/// One of the two legs of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Party {
    /// Who calls.
    Caller,
    /// Who is called.
    Callee,
}

impl Party {
    /// Both, in the order of their legs.
    pub const BOTH: [Party; 2] = [Party::Caller, Party::Callee];

    /// As shown.
    pub fn name(self) -> &'static str {
        match self {
            Party::Caller => "caller",
            Party::Callee => "callee",
        }
    }

    /// The one at the other end.
    pub fn other(self) -> Party {
        match self {
            Party::Caller => Party::Callee,
            Party::Callee => Party::Caller,
        }
    }
}

/// The two transports of RTP (RFC 3550 §11). A stream that is not RTP has the first alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Component {
    /// Media, and control where the two are multiplexed (RFC 5761).
    Rtp,
    /// Control, where it has a socket of its own.
    Rtcp,
}

/// What the datagrams of a leg are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// RTP: read, counted, payload types mapped.
    Rtp,
    /// SRTP whose keys only the two ends have: headers are read and nothing is edited, as they are authenticated
    /// (RFC 3711 §3.1); control is encrypted and not read.
    SecureRtp,
    /// `udptl` and whatever else: passed as they come.
    Datagrams,
}

/// How a leg receives RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RtcpPlan {
    /// Not at all.
    Off,
    /// With its RTP (`a=rtcp-mux`, RFC 5761).
    Muxed,
    /// At a socket of its own.
    Own {
        /// Ours.
        socket: LegSocket,
        /// The peer's: of `a=rtcp`, or the port above that of RTP.
        signalled: Option<SocketAddr>,
    },
}

impl RtcpPlan {
    /// Where the peer says that it receives RTCP, at a socket of its own.
    pub fn signalled(&self) -> Option<SocketAddr> {
        match self {
            RtcpPlan::Own { signalled, .. } => *signalled,
            RtcpPlan::Off | RtcpPlan::Muxed => None,
        }
    }
}

/// A set of payload types (0 to 127).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadTypes(u128);

impl PayloadTypes {
    /// With this one too; one above 127 is none and changes nothing.
    #[must_use]
    pub fn with(self, payload_type: u8) -> PayloadTypes {
        PayloadTypes(self.0 | 1u128.checked_shl(payload_type.into()).unwrap_or(0))
    }

    /// Whether it is in the set.
    pub fn has(self, payload_type: u8) -> bool {
        self.0.checked_shr(payload_type.into()).is_some_and(|rest| rest & 1 == 1)
    }

    /// Those that this map calls something else.
    pub fn changed_by(map: &PayloadMap) -> PayloadTypes {
        // most legs have none, and looking is long
        let numbers = if map.is_identity() { 0..0 } else { 0..128 };
        let changed = numbers.filter(|payload_type| map.get(*payload_type) != *payload_type);
        changed.fold(PayloadTypes::default(), PayloadTypes::with)
    }
}

/// All that a shard has to know of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegPlan {
    /// Our socket for media.
    pub socket: LegSocket,
    /// What its datagrams are.
    pub kind: Kind,
    /// Where the peer's `c=` and `m=` lines say that it receives; `None` before there is a description, and where it
    /// names no address.
    pub signalled: Option<SocketAddr>,
    /// How it receives RTCP.
    pub rtcp: RtcpPlan,
    /// Where the peer's signalling comes from: the second best source for its media.
    pub signalling_host: IpAddr,
    /// Behind an address translator media may come from anywhere while the learning window is open.
    pub is_behind_nat: bool,
    /// Clock rate of its codec, in Hz: the unit of its jitter.
    pub clock_hz: u32,
    /// Its payload types of telephone-event (RFC 4733): counted by themselves, and no jitter.
    pub events: PayloadTypes,
    /// What the other leg calls its payload types: packets that come from this leg get the new numbers.
    pub payload_map: PayloadMap,
    /// Its media is on hold, in either direction: silence means nothing.
    pub is_held: bool,
    /// Which silences to report.
    pub interruption: Interruption,
    /// How long a silence is an interruption, in ms; [`super::INTERRUPTION_MIN_MS`] at least.
    pub interruption_after_ms: u32,
}

impl LegPlan {
    /// Its sockets.
    pub fn sockets(&self) -> impl Iterator<Item = (LegSocket, Component)> + use<> {
        let own = match self.rtcp {
            RtcpPlan::Own { socket, .. } => Some((socket, Component::Rtcp)),
            RtcpPlan::Off | RtcpPlan::Muxed => None,
        };
        [(self.socket, Component::Rtp)].into_iter().chain(own)
    }
}

/// Whether an update lets a leg be learned anew although its peer gave the same address as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Learning {
    /// What is locked stays locked: a session refresh.
    Keep,
    /// The window opens again: an answer, a registration that moved.
    Reopen,
}

/// What signalling wants. The generations of a session rise; an op that is not above what was applied is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaOp {
    /// Relay between these two legs, in the order of [`Party::BOTH`].
    Install {
        /// Which session.
        session: SessionId,
        /// Of this op.
        generation: u32,
        /// The caller's leg, the callee's leg.
        legs: Box<[LegPlan; 2]>,
    },
    /// Play to this leg, whose other end is the switch itself: echo, tone, announcement. The leg is the caller's, of a
    /// session of one leg; where it is held, nothing is sent to it (RFC 3264 §8.4).
    Station {
        /// Which session.
        session: SessionId,
        /// Of this op.
        generation: u32,
        /// The caller's leg, of [`Kind::Rtp`].
        leg: Box<LegPlan>,
        /// What was negotiated: payload type 0 or 8.
        law: Law,
        /// What is heard.
        program: Program,
    },
    /// Let a leg hear this instead of what comes from the other leg's peer; that is counted and goes nowhere meanwhile,
    /// also after the end of the program. What plays already is replaced, in the same stream.
    Play {
        /// Which session.
        session: SessionId,
        /// Of this op.
        generation: u32,
        /// Who hears it; has a leg of [`Kind::Rtp`].
        to: Party,
        /// What was negotiated: payload type 0 or 8.
        law: Law,
        /// What is heard; no echo where there is another leg. `None` stops what plays.
        program: Option<Program>,
    },
    /// Change one leg and leave the other as it is, and what plays too.
    Update {
        /// Which session.
        session: SessionId,
        /// Of this op.
        generation: u32,
        /// Whose leg.
        party: Party,
        /// The whole of it.
        leg: Box<LegPlan>,
        /// Whether it is learned anew in any case.
        learning: Learning,
    },
    /// End it; its last [`MediaReport::Stats`] follows.
    Remove {
        /// Which session.
        session: SessionId,
        /// Of this op.
        generation: u32,
    },
    /// Tell its [`MediaReport::Stats`] now.
    Read {
        /// Which session.
        session: SessionId,
    },
}

/// Why an op was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The session is installed already.
    Installed,
    /// There is no such session.
    Unknown,
    /// The shard holds [`crate::limits::MEDIA_SESSIONS`].
    Full,
    /// A socket is another leg's, or named twice.
    SocketTaken,
    /// The number of a socket is [`crate::limits::MEDIA_SOCKETS`] or above.
    SocketNumber,
    /// The session has the caller's leg alone.
    OneLeg,
    /// The program is an echo, and the leg has another one to hear.
    Echo,
    /// The shard has no recording of this number.
    NoSound,
    /// The switch plays to the leg, or is to do so, and the leg's datagrams are not of [`Kind::Rtp`].
    NotRtp,
}

/// Which directions of a leg are watched for interruption (behaviour §3). "Remote" is the device of the leg that has the
/// setting. We read "both" as: an interruption of either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interruption {
    /// None.
    #[default]
    None,
    /// What goes to the device.
    ToRemote,
    /// What comes from the device.
    FromRemote,
    /// Each of the two.
    Both,
}

impl Interruption {
    /// All four.
    pub const ALL: [Interruption; 4] =
        [Interruption::None, Interruption::ToRemote, Interruption::FromRemote, Interruption::Both];

    /// As in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Interruption::None => "none",
            Interruption::ToRemote => "to_remote",
            Interruption::FromRemote => "from_remote",
            Interruption::Both => "both",
        }
    }

    /// Whether this direction is watched.
    pub fn watches(self, way: Way) -> bool {
        match self {
            Interruption::None => false,
            Interruption::ToRemote => way == Way::To,
            Interruption::FromRemote => way == Way::From,
            Interruption::Both => true,
        }
    }
}

/// Which way a silence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// Nothing comes from the party.
    From,
    /// Nothing goes to the party.
    To,
}

impl Way {
    /// As in explanations.
    pub fn name(self) -> &'static str {
        match self {
            Way::From => "from",
            Way::To => "to",
        }
    }
}

/// An interruption: a watched direction without media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Whose leg is watched.
    pub party: Party,
    /// Which of its directions.
    pub way: Way,
    /// When the last packet passed, or when the watch began.
    pub since: Instant,
}

impl Silence {
    /// Who should have sent.
    pub fn silent_party(self) -> Party {
        match self.way {
            Way::From => self.party,
            Way::To => self.party.other(),
        }
    }
}

impl MediaReport {
    /// The session that it is about.
    pub fn session(&self) -> SessionId {
        match self {
            MediaReport::Applied { session, .. }
            | MediaReport::Refused { session, .. }
            | MediaReport::Latched { session, .. }
            | MediaReport::Silent { session, .. }
            | MediaReport::Played { session, .. }
            | MediaReport::Stats { session, .. } => *session,
        }
    }
}

/// What a shard tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaReport {
    /// The op with this generation is in effect.
    Applied {
        /// Which session.
        session: SessionId,
        /// Of the op.
        generation: u32,
    },
    /// An op changed nothing. One that came too late is ignored without this.
    Refused {
        /// Which session.
        session: SessionId,
        /// Of the op; 0 of [`MediaOp::Read`], which has none.
        generation: u32,
        /// Why.
        why: Refusal,
    },
    /// A packet changed where a leg's media goes, or settled it.
    Latched {
        /// Which session.
        session: SessionId,
        /// Whose leg.
        party: Party,
        /// Which of its transports.
        component: Component,
        /// How, why and by which packet.
        moved: Move,
    },
    /// A watched direction has been silent for too long; told once for each silence.
    Silent {
        /// Which session.
        session: SessionId,
        /// Which direction, since when.
        silence: Silence,
    },
    /// A program has been heard to its end; told once for each that has one.
    Played {
        /// Which session.
        session: SessionId,
        /// Of the op that began it.
        generation: u32,
    },
    /// What has passed so far.
    Stats {
        /// Which session.
        session: SessionId,
        /// The caller's leg, the callee's leg; without a count where there is none.
        legs: Box<[LegStats; 2]>,
    },
}
