//! Topology hiding: nothing that one leg carries outside of its body names an address of another leg's side.

use super::{Found, Violation};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

/// Whose addresses are known.
#[derive(Debug)]
pub(super) struct Topology {
    switch: SocketAddr,
    peers: BTreeSet<Ipv4Addr>,
}

impl Topology {
    pub(super) fn new(switch: SocketAddr) -> Topology {
        Topology { switch, peers: BTreeSet::new() }
    }

    pub(super) fn came(&mut self, from: SocketAddr, _datagram: &[u8]) {
        if let SocketAddr::V4(from) = from {
            self.peers.insert(*from.ip());
        }
    }

    pub(super) fn went(&self, to: SocketAddr, datagram: &[u8], found: &mut Found) {
        let head = head_of(datagram);
        let is_foreign = |ip: &Ipv4Addr| *ip != to.ip() && *ip != self.switch.ip() && self.peers.contains(ip);
        let Some(foreign) = addresses(head).find(is_foreign) else { return };
        let first = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or_default());
        if first.starts_with("SIP/2.0 200") && contains(head, b" REGISTER\r\n") {
            return; // it lists every binding of the phone's user (RFC 3261 §10.3)
        }
        found.add(Violation::new("topology", format!("{to} learns the address of {foreign} from {first}")));
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The part before the body.
fn head_of(datagram: &[u8]) -> &[u8] {
    let end = datagram.windows(4).position(|window| window == b"\r\n\r\n");
    &datagram[..end.unwrap_or(datagram.len())]
}

/// The IPv4 addresses that stand in a text.
fn addresses(text: &[u8]) -> impl Iterator<Item = Ipv4Addr> {
    let words = text.split(|byte| !(byte.is_ascii_digit() || *byte == b'.'));
    words.filter(|word| word.len() > 6).filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok())
}
