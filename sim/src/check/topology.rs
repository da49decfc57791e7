//! Topology hiding: nothing that one leg carries outside of its body names an address of another leg's side.

use super::scan::{Method, Seen};
use super::{At, Found, Violation};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Names kept of one peer: one that names thousands is no phone.
const NAMES_KEPT: usize = 64;

/// Which addresses are whose: a peer's is the one that its messages come from, and those that it names itself, since
/// whoever is behind a NAT, or calls a number at a host, has named that first.
#[derive(Debug)]
pub(super) struct Topology {
    switch: SocketAddr,
    peers: BTreeSet<Ipv4Addr>,
    named: BTreeMap<SocketAddr, BTreeSet<Ipv4Addr>>,
}

impl Topology {
    pub(super) fn new(switch: SocketAddr) -> Topology {
        Topology { switch, peers: BTreeSet::new(), named: BTreeMap::new() }
    }

    pub(super) fn came(&mut self, at: At, seen: &Seen<'_>) {
        let IpAddr::V4(own) = at.peer.ip() else { return };
        self.peers.insert(own);
        let others = addresses(seen.head).filter(|ip| *ip != own && *ip != self.switch.ip());
        for other in others {
            let named = self.named.entry(at.peer).or_default();
            if named.len() < NAMES_KEPT {
                named.insert(other);
            }
            // what it names as its own place is an address to hide as well
            if seen.status().is_none() && is_place(seen, other) {
                self.peers.insert(other);
            }
        }
    }

    pub(super) fn went(&self, at: At, seen: &Seen<'_>, found: &mut Found) {
        let is_foreign = |ip: &Ipv4Addr| {
            *ip != at.peer.ip()
                && *ip != self.switch.ip()
                && self.peers.contains(ip)
                && !self.named.get(&at.peer).is_some_and(|named| named.contains(ip))
        };
        let Some(foreign) = addresses(seen.head).find(is_foreign) else { return };
        // it lists every binding of the phone's user (RFC 3261 §10.3)
        if seen.method == Method::Register && seen.status() == Some(200) {
            return;
        }
        let text = format!("{} learns the address of {foreign} from {}", at.peer, seen.name());
        found.add(Violation::new("topology", text).of_call(&seen.call_id_text()));
    }
}

/// Whether this address stands in Via or Contact.
fn is_place(seen: &Seen<'_>, ip: Ipv4Addr) -> bool {
    addresses(seen.via).chain(addresses(seen.contact)).any(|place| place == ip)
}

/// The IPv4 addresses that stand in a text, read in one pass.
fn addresses(text: &[u8]) -> impl Iterator<Item = Ipv4Addr> {
    let mut place = 0;
    std::iter::from_fn(move || {
        while place < text.len() {
            // the first dot of an address has a digit on each side
            let Some(dot) = text[place..].iter().position(|byte| *byte == b'.').map(|dot| place + dot) else { break };
            let start = text[..dot].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |before| before + 1);
            let (read, end) = octets(text, start);
            place = end.max(dot + 1);
            if let Some(read) = read {
                return Some(read);
            }
        }
        place = text.len();
        None
    })
}

/// Reads four numbers with dots between them, from `start`; and where reading ended.
fn octets(text: &[u8], start: usize) -> (Option<Ipv4Addr>, usize) {
    let mut octets = [0_u8; 4];
    let mut place = start;
    for (n, octet) in octets.iter_mut().enumerate() {
        if n > 0 {
            if text.get(place) != Some(&b'.') {
                return (None, place);
            }
            place += 1;
        }
        let digits = text[place..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || digits > 3 {
            return (None, place + digits);
        }
        let number =
            text[place..place + digits].iter().fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'));
        let Ok(number) = u8::try_from(number) else { return (None, place + digits) };
        *octet = number;
        place += digits;
    }
    (Some(Ipv4Addr::from(octets)), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        let text = b"1.2.3.4 SIP/2.0/UDP 10.0.1.100:5060;x=1.2.3;y=300.1.1.1 a.b.c 192.0.2.1> 7.8.9.10";
        let found: Vec<String> = addresses(text).map(|ip| ip.to_string()).collect();
        assert_eq!(found, ["1.2.3.4", "10.0.1.100", "192.0.2.1", "7.8.9.10"]);
    }
}
