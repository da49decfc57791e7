//! Where a gateway is.

use crate::config::Gateway;
use std::net::SocketAddr;

/// The addresses of a gateway, in the order in which they are tried.
pub(super) fn targets_of(gateway: &Gateway) -> Vec<SocketAddr> {
    gateway.peers.iter().map(|peer| peer.target()).collect()
}
