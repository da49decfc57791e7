//! The network between nodes: links, and what lies between them.
//!
//! A [`Network`] is a function of its seed and of what is sent through it. It asks nothing of the core's SIP; a datagram
//! is only read where something is scripted for it.

mod chance;
mod fault;
mod link;
mod network;
mod passage;
mod plan;

pub use fault::{Fate, Fault, kind_of};
pub use link::{Carried, Link};
pub use network::Network;
pub use passage::{Arrival, Arrivals, Loss, NatId, NodeId, Passage};
pub use plan::{Burst, HEADERS_BYTES, Plan, Rate};
