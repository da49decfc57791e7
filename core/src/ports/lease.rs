//! What a lease is, and the values that pass between its owner, this machine and the driver that opens sockets.

use crate::handle::Handle;
use crate::media::{LegSocket, Party};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// A thread of the driver that relays media, from 0. Both legs of a call are on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard(pub u16);

/// Which range a port is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Pool {
    /// SS_RTP_PORT_RANGE: relayed media.
    Relay,
    /// IVR_RTP_PORT: tones and announcements that the switch plays itself.
    Ivr,
}

impl Pool {
    /// As shown.
    pub fn name(self) -> &'static str {
        match self {
            Pool::Relay => "relay",
            Pool::Ivr => "ivr",
        }
    }
}

/// What is wanted of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind {
    /// What it is for.
    pub pool: Pool,
    /// The local address to bind: of the family and the network of the leg.
    pub address: IpAddr,
    /// Whether RTCP has the next port; else it comes to the same port or not at all.
    pub is_pair: bool,
}

/// One port, or the pair that begins with it, of a shard. No number is given twice at once, not for two addresses either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Who opens it.
    pub shard: Shard,
    /// Where RTP comes in; even in a pair.
    pub port: u16,
    /// What is there.
    pub kind: Kind,
}

impl Place {
    /// The sockets to open, of RTP first, with the names that the shard has for them: their port numbers.
    ///
    /// ```
    /// use crosspoint_core::media::LegSocket;
    /// use crosspoint_core::ports::{Kind, Place, Pool, Shard};
    ///
    /// let kind = Kind { pool: Pool::Relay, address: [192, 0, 2, 1].into(), is_pair: true };
    /// let place = Place { shard: Shard(0), port: 10_000, kind };
    /// let sockets: Vec<_> = place.sockets().collect();
    /// assert_eq!(sockets[1], (LegSocket(10_001), "192.0.2.1:10001".parse().unwrap()));
    /// ```
    pub fn sockets(self) -> impl Iterator<Item = (LegSocket, SocketAddr)> {
        let ports = self.port..=self.port + u16::from(self.kind.is_pair);
        ports.map(move |port| (LegSocket(port.into()), SocketAddr::new(self.kind.address, port)))
    }
}

/// Whose a lease is. A leg of several streams owns several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The call, by its flow number.
    pub flow_no: u64,
    /// Which side of it.
    pub party: Party,
}

/// Names a lease.
pub type LeaseId = Handle<Lease>;

/// The claim on a port, or a pair, from the asking to the closing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Which ports.
    pub place: Place,
    /// Whose it is or was last; `None` while it is open ahead of demand.
    pub owner: Option<Owner>,
    /// How far it has got.
    pub state: LeaseState,
}

/// `Asked → Held → Quarantined`, and then closed, which is no state: the lease is gone. `Abandoned` where the owner does not
/// wait for the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseState {
    /// The driver has been told to open it and has not replied.
    Asked {
        /// Names the reply.
        request: u64,
        /// When the owner is told that it gets none.
        until: Instant,
        /// How many ports have been tried, this one too.
        tries: u8,
    },
    /// Open, and its owner's.
    Held,
    /// Given back. Still open, so that late packets of the call end here and not in another one.
    Quarantined {
        /// When it is closed.
        until: Instant,
    },
    /// Nobody waits for the reply any more: whatever was opened is closed when it comes.
    Abandoned {
        /// When it is overdue; `None` once it is. A port of which this stays so is lost until the driver replies.
        until: Option<Instant>,
    },
}

impl LeaseState {
    /// As shown.
    pub fn name(self) -> &'static str {
        match self {
            LeaseState::Asked { .. } => "asked",
            LeaseState::Held => "held",
            LeaseState::Quarantined { .. } => "quarantined",
            LeaseState::Abandoned { until: Some(_) } => "abandoned",
            LeaseState::Abandoned { until: None } => "overdue",
        }
    }
}

/// What the driver has to do, in this order for each shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortCommand {
    /// Bind exactly [`Place::sockets`], or none of them, and reply exactly once.
    Open {
        /// Comes back in the reply.
        request: u64,
        /// What to open.
        place: Place,
    },
    /// Close what was opened. No reply.
    Close {
        /// What to close.
        place: Place,
    },
}

/// What the driver says to [`PortCommand::Open`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortReply {
    /// It is open.
    Opened {
        /// Of the command.
        request: u64,
    },
    /// Nothing of it is open.
    Refused {
        /// Of the command.
        request: u64,
        /// Why not.
        why: BindError,
    },
}

/// Why a port could not be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BindError {
    /// EADDRINUSE: some other socket has it, or the other port of the pair.
    AddressInUse,
    /// EMFILE, ENFILE, ENOBUFS: the process or the system has no more sockets.
    NoSockets,
    /// Anything else that bind says.
    Other,
}

/// What becomes of what an owner has asked for: one for each [`super::Ports::ask`], unless it gives the lease back before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortResult {
    /// It is open, and the owner's until it gives it back.
    Granted {
        /// What `ask` returned.
        lease: LeaseId,
        /// Who asked.
        owner: Owner,
        /// The ports.
        place: Place,
    },
    /// It gets none. There is nothing to give back.
    Refused {
        /// What `ask` returned.
        lease: LeaseId,
        /// Who asked.
        owner: Owner,
        /// Why.
        why: Refusal,
    },
}

/// Why an owner gets no port; the call answers 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The shard has no free port, or no free pair.
    NoneFree,
    /// Each port tried was taken by another process.
    AddressInUse,
    /// The process or the system has no more sockets.
    NoSockets,
    /// The driver could not bind it for some other reason.
    BindFailed,
    /// The driver did not reply in time.
    NoReply,
}

impl Refusal {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Refusal::NoneFree => "no media port is free",
            Refusal::AddressInUse => "media ports are in use by another process",
            Refusal::NoSockets => "no more sockets: the limit of open files",
            Refusal::BindFailed => "a media port could not be bound",
            Refusal::NoReply => "the media relay did not reply in time",
        }
    }
}

impl From<BindError> for Refusal {
    fn from(why: BindError) -> Refusal {
        match why {
            BindError::AddressInUse => Refusal::AddressInUse,
            BindError::NoSockets => Refusal::NoSockets,
            BindError::Other => Refusal::BindFailed,
        }
    }
}
