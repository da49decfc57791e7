//! The gateways, and which one an address or a number belongs to.

use crate::params::MediaProxy;
use crate::sip::DEFAULT_PORT;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// Gateways in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateways {
    list: Vec<Gateway>,
    /// The peers of mapping gateways with the place of the gateway, sorted.
    by_peer: Vec<(Peer, usize)>,
}

/// A gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its name in routes and records.
    pub name: String,
    /// Whether it may bring calls in.
    pub mapping: bool,
    /// Whether calls may go out to it.
    pub routing: bool,
    /// Its addresses; without a port, any port of that host is it, and 5060 is called.
    pub peers: Vec<Peer>,
    /// How it is known, and how the switch makes itself known to it.
    pub auth: GatewayAuth,
    /// Called-number prefixes it takes; the empty one is everything.
    pub prefixes: Vec<String>,
    /// Smaller is tried first among equally long prefixes.
    pub priority: u32,
    /// Most concurrent calls; 0 is no limit.
    pub capacity: u32,
    /// How the called number is changed on the way out; the first rule that matches is applied.
    pub rewrite_callee: Vec<Rewrite>,
    /// Its side of the media-proxy decision.
    pub media_proxy: MediaProxy,
}

/// How a gateway and the switch know each other.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatewayAuth {
    /// By its address.
    Ip,
    /// By digest, whichever of the two asks.
    Digest {
        /// The user name.
        user: String,
        /// The password.
        password: String,
    },
    /// The switch registers to it.
    Register {
        /// The user name.
        user: String,
        /// The password.
        password: String,
    },
}

impl std::fmt::Debug for GatewayAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GatewayAuth::Ip => f.write_str("Ip"),
            GatewayAuth::Digest { user, .. } => write!(f, "Digest({user:?}, …)"),
            GatewayAuth::Register { user, .. } => write!(f, "Register({user:?}, …)"),
        }
    }
}

/// The address of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    /// Its host.
    pub ip: IpAddr,
    /// Its port, where one is given.
    pub port: Option<u16>,
}

/// Numbers that begin with `prefix` get `replace` in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// What the number must begin with.
    pub prefix: String,
    /// What stands there instead.
    pub replace: String,
}

impl Peer {
    /// Where calls to it go.
    pub fn target(self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port.unwrap_or(DEFAULT_PORT))
    }
}

impl Gateway {
    /// Octets of its longest prefix that this number begins with; `None` where it does not take the number.
    pub fn longest_prefix(&self, number: &str) -> Option<usize> {
        self.prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len).max()
    }

    /// The called number as this gateway is to see it.
    pub fn rewritten<'n>(&self, number: &'n str) -> Cow<'n, str> {
        let matching = self.rewrite_callee.iter().find_map(|rule| Some((rule, number.strip_prefix(&*rule.prefix)?)));
        matching.map_or(Cow::Borrowed(number), |(rule, rest)| Cow::Owned(format!("{}{rest}", rule.replace)))
    }
}

impl Gateways {
    /// Gateways of these. Where two mapping gateways have a peer in common, the earlier is found by it.
    pub fn new(list: Vec<Gateway>) -> Gateways {
        let mapping = list.iter().enumerate().filter(|(_, gateway)| gateway.mapping);
        let mut by_peer: Vec<(Peer, usize)> =
            mapping.flat_map(|(i, gateway)| gateway.peers.iter().map(move |&peer| (peer, i))).collect();
        by_peer.sort_unstable();
        by_peer.dedup_by_key(|(peer, _)| *peer);
        Gateways { list, by_peer }
    }

    /// The place in [`Gateways::list`] of the mapping gateway that a message from this address is from: one with address
    /// and port goes before one with the address alone. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn find_peer(&self, from: SocketAddr) -> Option<usize> {
        let ip = from.ip().to_canonical();
        [Some(from.port()), None].into_iter().find_map(|port| {
            let wanted = Peer { ip, port };
            let at = self.by_peer.binary_search_by(|(peer, _)| peer.cmp(&wanted)).ok()?;
            self.by_peer.get(at).map(|(_, gateway)| *gateway)
        })
    }

    /// The gateways in the order of the file.
    pub fn list(&self) -> &[Gateway] {
        &self.list
    }

    /// Each in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Gateway> {
        self.list.iter()
    }

    /// The gateway in this place.
    pub fn get(&self, place: usize) -> Option<&Gateway> {
        self.list.get(place)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl<'g> IntoIterator for &'g Gateways {
    type Item = &'g Gateway;
    type IntoIter = std::slice::Iter<'g, Gateway>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Gateway, GatewayAuth, Gateways, Peer, Rewrite};
    use crate::params::MediaProxy;

    fn gateway(name: &str, mapping: bool, peers: &[(&str, Option<u16>)]) -> Gateway {
        let peers = peers.iter().map(|&(ip, port)| Peer { ip: ip.parse().expect("an address"), port }).collect();
        Gateway {
            name: name.to_owned(),
            mapping,
            routing: !mapping,
            peers,
            auth: GatewayAuth::Ip,
            prefixes: vec![String::new(), "00".to_owned(), "0049".to_owned()],
            priority: 0,
            capacity: 0,
            rewrite_callee: vec![
                Rewrite { prefix: "00".to_owned(), replace: "+".to_owned() },
                Rewrite { prefix: "0".to_owned(), replace: "+44".to_owned() },
            ],
            media_proxy: MediaProxy::Auto,
        }
    }

    #[test]
    fn a_source_finds_its_mapping_gateway() {
        let gateways = Gateways::new(vec![
            gateway("out", false, &[("192.0.2.1", None)]),
            gateway("any", true, &[("192.0.2.1", None), ("2001:db8::1", Some(5070))]),
            gateway("port", true, &[("192.0.2.1", Some(5080))]),
        ]);
        let name = |from: &str| {
            let place = gateways.find_peer(from.parse().expect("an address"))?;
            gateways.get(place).map(|gateway| gateway.name.clone())
        };
        assert_eq!(name("192.0.2.1:5060").as_deref(), Some("any"));
        assert_eq!(name("192.0.2.1:5080").as_deref(), Some("port"), "the port decides");
        assert_eq!(name("[::ffff:192.0.2.1]:5080").as_deref(), Some("port"));
        assert_eq!(name("[2001:db8::1]:5070").as_deref(), Some("any"));
        assert_eq!(name("[2001:db8::1]:5060"), None);
        assert_eq!(name("192.0.2.2:5060"), None);
    }

    #[test]
    fn prefixes_and_rewriting() {
        let gateway = gateway("out", false, &[]);
        for (number, prefix, rewritten) in
            [("004930", Some(4), "+4930"), ("0044", Some(2), "+44"), ("030", Some(0), "+4430"), ("1", Some(0), "1")]
        {
            assert_eq!(gateway.longest_prefix(number), prefix, "{number}");
            assert_eq!(gateway.rewritten(number), rewritten);
        }
        let picky = Gateway { prefixes: vec!["1".to_owned()], ..gateway };
        assert_eq!(picky.longest_prefix("2"), None);
    }
}
