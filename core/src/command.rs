//! What comes out of the switch, in one ordered stream.

use crate::event::Event;
use crate::input::{Flow, QueryId};
use crate::media::MediaOp;
use crate::ports::{PortCommand, Shard};
use crate::time::Instant;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// One thing for the driver to do. Owned and small: see the `size_of` test in this file.
#[derive(Clone, Debug, Serialize)]
pub enum Command {
    /// Send this datagram.
    Send {
        /// From which socket, to where.
        flow: Flow,
        /// The datagram. Cloned by reference count from what the transaction keeps for resending.
        bytes: Bytes,
    },
    /// Ask a nameserver.
    Lookup(Query),
    /// Open or close media ports.
    Ports(PortCommand),
    /// For this media shard. The ops and port commands of one shard are carried out in the order in which they came.
    Media(Shard, MediaOp),
    /// Tell the world: CDR, registration, decision, configuration.
    Emit(Box<Event>),
    /// The drain is over: nothing is left to do, the process may end.
    Halt,
}

/// One message to a nameserver. The driver sends it from a port that it uses for nothing else, and gives back what comes
/// from that server, once: an [`crate::Input::Lookup`]. After `until` nobody waits for it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Query {
    /// What the reply names.
    pub id: QueryId,
    /// Whom to ask.
    pub server: SocketAddr,
    /// How.
    pub carrier: Carrier,
    /// When to stop listening.
    pub until: Instant,
    /// The message (RFC 1035 §4.1); its first two octets are those of its answer too. Over TCP the driver puts the two
    /// octets of its length before it (§4.2.2), and takes them off the answer.
    pub bytes: Bytes,
}

/// How a message travels to a nameserver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carrier {
    /// One datagram.
    Udp,
    /// A connection of its own.
    Tcp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stays_small() {
        assert!(size_of::<Command>() <= 96, "{} bytes", size_of::<Command>());
    }
}
