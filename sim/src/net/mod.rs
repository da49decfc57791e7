//! The network between nodes: links, NATs, ALGs, partitions.
//!
//! A [`Network`] is a function of its seed and of what is sent through it. It asks nothing of the core's SIP; a datagram
//! is only read by an ALG, and where a [`Fault`] is scripted for it.

pub mod alg;
mod chance;
mod fault;
mod link;
pub mod nat;
mod network;
mod partition;
mod passage;
mod plan;

pub use fault::{Fate, Fault, kind_of};
pub use link::{Carried, Link};
pub use network::Network;
pub use partition::{Direction, Stopped};
pub use passage::{Arrival, Arrivals, Loss, NatId, NodeId, Passage};
pub use plan::{Burst, HEADERS_BYTES, Plan, Rate};
