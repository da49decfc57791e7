//! The transaction layer: requests and answers over a transport that loses, repeats and reorders them (RFC 3261 §17).
//!
//! Four machines, one file each, all pure: `on(event) -> (next state, actions)`. [`Transactions`] looks up the machine
//! that a message or a timer belongs to, lets it step, does what it asks, and removes it, its timers with it, once its
//! state is terminated.
//!
//! | file | machine | figure |
//! |---|---|---|
//! | `invite_client.rs` | INVITE client | RFC 6026 §8.4 (replaces RFC 3261 figure 5) |
//! | `client.rs` | non-INVITE client | RFC 3261 figure 6 |
//! | `invite_server.rs` | INVITE server | RFC 6026 §8.7 (replaces RFC 3261 figure 7) |
//! | `server.rs` | non-INVITE server | RFC 3261 figure 8 with RFC 4320 |
//!
//! Two things are decided otherwise than in the RFCs, to the same effect on the wire. The layer itself resends a 2xx to
//! an INVITE until its user says that the ACK has come ([`Transactions::acknowledged`]): one owner of every schedule.
//! And CANCELs are answered without a transaction of their own: the answer follows from the INVITE's.
//!
//! Every entry point does a bounded amount of work: one look-up, one step, at most one message out
//! ([`Transactions::undelivered`]: at most [`UNDELIVERED_PER_CALL`] steps).

mod armed;
mod client;
mod derived;
mod intervals;
mod invite_client;
mod invite_server;
mod key;
mod reply;
mod server;
mod table;
mod uac;
mod uas;

#[cfg(test)]
mod tests;

pub use derived::resend;
pub(crate) use intervals::Intervals;
pub use table::Transactions;
pub use uac::{Answer, Branch, ClientId, ClientTransaction, Kind, NewRequest, UNDELIVERED_PER_CALL};
pub use uas::{Received, Reply, ServerId, ServerTransaction};

use serde::{Deserialize, Serialize};

/// Whom the layer tells about a transaction: chosen by the user of the layer, never looked into here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Which subsystem.
    pub party: Party,
    /// Which call, say, by the bits of its handle.
    pub id: u64,
    /// Which part of it.
    pub role: u8,
}

/// The subsystems that have transactions. Who dispatches an answer or an [`Upcall`] goes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Party {
    /// [`crate::call::Calls`], requests that pass through included.
    Call,
    /// What the switch asks of gateways on its own behalf: OPTIONS, REGISTER.
    Trunk,
    /// The host names of mapping gateways ([`crate::dns::Peers`]): no transactions, but lookups.
    Dns,
}

/// What a timer or the network tells the owner of a transaction. The transaction itself is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upcall {
    /// No final answer came in 64 T1 (timers B and F): as a 408 (RFC 3261 §8.1.3.1).
    Timeout {
        /// The request's transaction.
        client: ClientId,
        /// Its owner.
        owner: Owner,
    },
    /// Nothing listens there: as a 503 (RFC 3261 §8.1.3.1).
    Undelivered {
        /// The request's transaction.
        client: ClientId,
        /// Its owner.
        owner: Owner,
    },
    /// An INVITE was accepted 64 T1 ago: its 2xx comes no more (timer M, RFC 6026 §8.4).
    Settled {
        /// The INVITE's transaction.
        client: ClientId,
        /// Its owner.
        owner: Owner,
    },
    /// A final answer to an INVITE was resent for 64 T1 and no ACK came (timer H, and L for a 2xx). After a 2xx the
    /// dialog is up and has to be ended with BYE (RFC 3261 §13.3.1.4).
    NoAck {
        /// The INVITE's transaction.
        server: ServerId,
        /// Its owner.
        owner: Owner,
    },
}

impl Upcall {
    /// Whom it is for.
    pub fn owner(&self) -> Owner {
        match *self {
            Upcall::Timeout { owner, .. }
            | Upcall::Undelivered { owner, .. }
            | Upcall::Settled { owner, .. }
            | Upcall::NoAck { owner, .. } => owner,
        }
    }
}
