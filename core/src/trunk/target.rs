//! Where a gateway is.

use crate::config::{Gateway, Peer};
use std::net::SocketAddr;

/// The addresses of a gateway, in the order in which they are tried.
pub(super) fn targets_of(gateway: &Gateway) -> Vec<SocketAddr> {
    gateway.peers.iter().filter_map(Peer::target).collect()
}
