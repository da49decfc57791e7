//! One side of a call: what its configuration says of it, and where it was seen.

use super::facts::{Nat, Side};
use super::op::Interruption;
use crate::config::{Cidr, Config, Endpoint, Peer};
use crate::input::SocketId;
use crate::nat::Evidence;
use crate::params::MediaProxy;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};

/// The network of a side that no other name fits.
const DEFAULT_NETWORK: &str = "default";

/// Where a side was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Where its packets come from; unknown before it has sent any.
    pub source: Option<IpAddr>,
    /// The local socket that carries its signalling; where that is unknown, the first one of its family.
    pub socket: Option<SocketId>,
    /// What shows an address translator before it.
    pub evidence: Evidence,
}

/// This endpoint as a side of a call; one that is not in the configuration any more is like one that says nothing. A gateway of a fixed address is seen there where `seen` knows nothing better.
pub fn side(config: &Config, endpoint: Option<&Endpoint<'_>>, seen: Seen) -> Side {
    let unplaced = Side {
        mode: MediaProxy::Auto,
        registers: false,
        is_encrypted: false,
        has_local_ring: false,
        is_watched: false,
        network: String::new(),
        source: None,
        nat: Nat::None,
    };
    match endpoint {
        None => placed(config, unplaced, seen),
        Some(Endpoint::Phone(phone)) => {
            let side = Side {
                mode: phone.media_proxy,
                registers: true,
                is_encrypted: phone.encryption,
                has_local_ring: phone.local_ring,
                is_watched: phone.watch.interruption != Interruption::None,
                ..unplaced
            };
            placed(config, side, seen)
        }
        Some(Endpoint::Gateway(gateway)) => {
            let fixed = gateway.peers.iter().find_map(|peer| match peer {
                Peer::Address { ip, .. } => Some(*ip),
                Peer::Name { .. } => None,
            });
            let seen = Seen { source: seen.source.or(fixed), ..seen };
            let is_watched = gateway.watch.interruption != Interruption::None;
            placed(config, Side { mode: gateway.media_proxy, is_watched, ..unplaced }, seen)
        }
    }
}

fn placed(config: &Config, side: Side, seen: Seen) -> Side {
    let at = seen.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
    let carrier = seen.socket.and_then(|socket| config.listen.get(usize::from(socket.0)));
    let local = carrier.or_else(|| config.listen.iter().find(|listen| listen.bind.is_ipv4() == at.is_ipv4()));
    let tag = local.and_then(|listen| listen.network.as_deref());
    Side {
        network: network_of(config, tag, at).to_owned(),
        source: seen.source.map(|source| source.to_canonical()),
        nat: Nat::shown_by(seen.evidence, at),
        ..side
    }
}

/// The network of a leg (behaviour 1(a)): that of the local socket which carries its signalling, else the `[[network]]`
/// with the longest prefix that holds its observed source, else `default`.
pub fn network_of<'c>(config: &'c Config, local: Option<&'c str>, source: IpAddr) -> &'c str {
    let source = source.to_canonical();
    let holding = config.networks.iter().flat_map(|network| {
        let cidrs = network.cidrs.iter().filter(|cidr| holds(cidr, source));
        cidrs.map(|cidr| (cidr.prefix_bits, network.name.as_str()))
    });
    // of two with one prefix the first in the file
    let longest = holding.reduce(|best, other| if other.0 > best.0 { other } else { best });
    local.or(longest.map(|(_, name)| name)).unwrap_or(DEFAULT_NETWORK)
}

fn holds(cidr: &Cidr, ip: IpAddr) -> bool {
    let bits = u32::from(cidr.prefix_bits);
    match (cidr.address, ip) {
        (IpAddr::V4(block), IpAddr::V4(ip)) => (block.to_bits() ^ ip.to_bits()).leading_zeros() >= bits,
        (IpAddr::V6(block), IpAddr::V6(ip)) => (block.to_bits() ^ ip.to_bits()).leading_zeros() >= bits,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        crate::config::parse(text).expect("the file of this test has no faults").config
    }

    const NETWORKS: &str = "[[network]]\nname = \"lan\"\ncidrs = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n[[network]]\n\
        name = \"branch\"\ncidrs = [\"10.7.0.0/16\"]\n";

    #[test]
    fn the_longest_prefix_names_the_network_unless_the_socket_does() {
        let config = config(NETWORKS);
        let network = |local, source: &str| network_of(&config, local, source.parse().unwrap());
        assert_eq!(network(None, "10.1.2.3"), "lan");
        assert_eq!(network(None, "10.7.2.3"), "branch");
        assert_eq!(network(None, "::ffff:10.7.2.3"), "branch");
        assert_eq!(network(None, "2001:db8:9::1"), "lan");
        assert_eq!(network(None, "192.0.2.1"), "default");
        assert_eq!(network(Some("public"), "10.1.2.3"), "public");
    }

    #[test]
    fn a_side_is_what_its_endpoint_says() {
        let config = config(&format!(
            "{NETWORKS}[[phone]]\nuser = \"1001\"\npassword = \"s\"\nmedia_proxy = \"Must On\"\nlocal_ring = true\n\
             [[gateway]]\nname = \"west\"\ndirection = \"routing\"\npeers = [\"10.7.0.1\"]\nprefixes = [\"00\"]\n"
        ));
        let phone = side(&config, config.endpoint("1001").ok().as_ref(), Seen::default());
        assert_eq!((phone.mode.name(), phone.registers, phone.has_local_ring), ("Must On", true, true));
        let west = side(&config, config.endpoint("gateway:west").ok().as_ref(), Seen::default());
        assert_eq!((west.mode.name(), west.registers, west.network.as_str()), ("Auto", false, "branch"));
        assert_eq!(config.endpoint("wst").unwrap_err(), "there is no phone and no gateway `wst`, did you mean `west`?");
    }
}
