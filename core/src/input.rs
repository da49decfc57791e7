//! What goes into the switch.

use crate::binding::BindingRecord;
use crate::config::Config;
use crate::media::MediaReport;
use crate::ports::{PortReply, Shard};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;

/// A signalling socket of the driver: the index of its `[[listen]]` table in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SocketId(pub u16);

/// How a message travels (RFC 3261 §18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transport {
    /// Datagrams; SIP resends.
    Udp,
}

impl Transport {
    /// The name a Via header gives it.
    pub fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
        }
    }

    /// Whether the transport itself delivers, so that SIP does not resend.
    pub fn is_reliable(self) -> bool {
        match self {
            Transport::Udp => false,
        }
    }
}

/// One path between a socket of ours and a far address: where a datagram came from, or is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// Our end.
    pub socket: SocketId,
    /// How.
    pub transport: Transport,
    /// Their end, as observed.
    pub remote: SocketAddr,
}

/// Names one [`crate::command::Query`]; never used twice by one switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QueryId(pub u64);

/// What came of a [`crate::command::Query`]. One that nothing comes of needs no reply: the switch has a deadline of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupReply<'a> {
    /// The query.
    pub query: QueryId,
    /// The server's message; `None` where the server cannot be reached.
    pub message: Option<&'a [u8]>,
}

/// Everything that can happen to a switch.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A datagram arrived.
    Datagram {
        /// From where, on which socket.
        flow: Flow,
        /// Its bytes, at most 65,535.
        bytes: &'a [u8],
    },
    /// The system says that nothing listens there (ICMP port or host unreachable).
    Undelivered {
        /// Where the datagram was to go.
        flow: Flow,
    },
    /// A nameserver was asked, and this came of it.
    Lookup(LookupReply<'a>),
    /// Media ports are open, or could not be opened: one for each [`crate::ports::PortCommand::Open`].
    Ports(PortReply),
    /// A media shard tells something, in the order in which it told it.
    Media(Shard, MediaReport),
    /// The operator or the process wants something.
    Control(Control),
    /// A deadline may have passed. Spurious ticks are harmless.
    Tick,
}

/// What an operator, or the process on its own behalf, asks of the switch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Control {
    /// Take this configuration for everything new; live calls keep the one they began with.
    Reload(Arc<Config>),
    /// Refuse new calls, let live ones end, then [`crate::Command::Halt`].
    Drain,
    /// A binding from the journal of an earlier run.
    Restore(Box<BindingRecord>),
    /// End this call, by its flow number.
    Hangup(u64),
}
