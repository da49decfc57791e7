//! The gateways, and which one an address or a number belongs to.

use super::MediaWatch;
use super::gateway_rules::{GatewayRules, Prefix};
use super::identity::IdentityPolicy;
use crate::auth::Secret;
use crate::auth::client::Login;
use crate::params::MediaProxy;
use crate::sip::DEFAULT_PORT;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// Gateways in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateways {
    list: Vec<Gateway>,
    /// The addresses of the gateways that bring calls in with the place of the gateway, sorted.
    by_address: Vec<((IpAddr, Option<u16>), usize)>,
    /// The places of all by name.
    by_name: Vec<usize>,
    /// The prefixes of routing gateways, sorted: the digits, the place of the gateway, that of the prefix in it.
    by_prefix: Vec<(String, usize, usize)>,
    /// The mapping gateways that show who they are by digest: user name, place and password, sorted.
    by_user: Vec<(String, usize, Secret)>,
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
    /// Where it is; without a port, any port of that host is it, and 5060, or what its name says, is called.
    pub peers: Vec<Peer>,
    /// How it is known, and how the switch makes itself known to it.
    pub auth: GatewayAuth,
    /// Smaller is tried first among equally long prefixes.
    pub priority: u32,
    /// Most concurrent calls; 0 is no limit.
    pub capacity: u32,
    /// Its side of the media-proxy decision.
    pub media_proxy: MediaProxy,
    /// What is watched in its media.
    pub watch: MediaWatch,
    /// What it is shown of who calls, and what it is believed.
    pub identity: IdentityPolicy,
    /// What it says about routing.
    pub rules: GatewayRules,
    /// How it is watched.
    pub ping: Ping,
}

/// How the health of a gateway is watched by OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Seconds from one round to the next; 0 is off.
    pub every_s: u32,
    /// Rounds in a row without an answer until it is down.
    pub fails: u32,
    /// Rounds in a row with an answer until it is up again.
    pub oks: u32,
}

impl Default for Ping {
    fn default() -> Ping {
        Ping { every_s: 0, fails: 3, oks: 2 }
    }
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
    /// The switch registers to it, and is challenged by it.
    Register {
        /// The user name, which is also the user part of the address-of-record and of our Contact.
        user: String,
        /// The password.
        password: String,
        /// The host part of the address-of-record; none is the address of the peer.
        domain: Option<String>,
        /// Whether calls go to it only while the registration stands.
        required: bool,
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

/// Where a gateway is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Peer {
    /// At an address.
    Address {
        /// The address; never IPv4 mapped into IPv6.
        ip: IpAddr,
        /// Its port, where one is given.
        port: Option<u16>,
    },
    /// Where its name leads (RFC 3263).
    Name {
        /// The host name, in lower case, without a dot at the end.
        host: String,
        /// Its port, where one is given.
        port: Option<u16>,
    },
}

impl Peer {
    /// Where calls to it go, if that is written.
    pub fn target(&self) -> Option<SocketAddr> {
        match self {
            Peer::Address { ip, port } => Some(SocketAddr::new(*ip, port.unwrap_or(DEFAULT_PORT))),
            Peer::Name { .. } => None,
        }
    }
}

impl Gateway {
    /// Who we are where it challenges us.
    pub fn login(&self) -> Option<Login<'_>> {
        match &self.auth {
            GatewayAuth::Ip => None,
            GatewayAuth::Digest { user, password } | GatewayAuth::Register { user, password, .. } => {
                Some(Login { user, password })
            }
        }
    }

    /// Whether calls go to it only while we are registered there.
    pub fn needs_registration(&self) -> bool {
        matches!(self.auth, GatewayAuth::Register { required: true, .. })
    }

    /// Whether calls from it have to show its credentials.
    pub fn is_challenged(&self) -> bool {
        self.mapping && matches!(self.auth, GatewayAuth::Digest { .. })
    }

    /// Whether its peers may bring calls in: also one that we register at, for that is what we do it for.
    pub fn brings_calls(&self) -> bool {
        self.mapping || matches!(self.auth, GatewayAuth::Register { .. })
    }
}

impl Gateways {
    /// Gateways of these. Where two that bring calls in have a peer in common, the earlier is found by it.
    pub fn new(list: Vec<Gateway>) -> Gateways {
        let bring_calls = list.iter().enumerate().filter(|(_, gateway)| gateway.brings_calls());
        let peers = bring_calls.flat_map(|(i, gateway)| gateway.peers.iter().map(move |peer| (peer, i)));
        let mut by_address: Vec<((IpAddr, Option<u16>), usize)> = peers
            .filter_map(|(peer, i)| match peer {
                Peer::Address { ip, port } => Some(((*ip, *port), i)),
                Peer::Name { .. } => None,
            })
            .collect();
        by_address.sort_unstable();
        by_address.dedup_by_key(|(address, _)| *address);
        let mut by_name: Vec<usize> = (0..list.len()).collect();
        by_name.sort_by(|&a, &b| list[a].name.cmp(&list[b].name));
        let mut by_prefix = Vec::new();
        for (place, gateway) in list.iter().enumerate().filter(|(_, gateway)| gateway.routing) {
            let prefixes = gateway.rules.prefixes.iter().enumerate();
            by_prefix.extend(prefixes.map(|(i, prefix)| (prefix.digits.clone(), place, i)));
        }
        by_prefix.sort_unstable();
        let challenged = list.iter().enumerate().filter(|(_, gateway)| gateway.is_challenged());
        let user = |(place, gateway): (usize, &Gateway)| {
            let Login { user, password } = gateway.login()?;
            Some((user.to_owned(), place, Secret::Password(password.to_owned())))
        };
        let mut by_user: Vec<_> = challenged.filter_map(user).collect();
        by_user.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Gateways { list, by_address, by_name, by_prefix, by_user }
    }

    /// The gateway of this name.
    pub fn find(&self, name: &str) -> Option<&Gateway> {
        let at = self.by_name.binary_search_by(|&place| self.list[place].name.as_str().cmp(name)).ok()?;
        self.list.get(*self.by_name.get(at)?)
    }

    /// The routing gateways that have a prefix of this number, with the longest such prefix of each: those with the
    /// longest of all first, each group in the order of the file.
    pub fn by_prefix(&self, number: &str) -> impl Iterator<Item = Vec<(&Gateway, &Prefix)>> {
        let beginnings = (0..=number.len()).rev().filter_map(|length| number.get(..length));
        beginnings.filter_map(|digits| {
            let from = self.by_prefix.partition_point(|(prefix, ..)| prefix.as_str() < digits);
            let rest = self.by_prefix.get(from..).unwrap_or_default();
            let of_these = rest.iter().take_while(|(prefix, ..)| prefix == digits);
            let longest = of_these.filter_map(|&(_, place, i)| {
                let gateway = self.list.get(place)?;
                let prefix = gateway.rules.prefixes.get(i)?;
                (gateway.rules.longest_prefix(number) == Some(prefix)).then_some((gateway, prefix))
            });
            let level: Vec<_> = longest.collect();
            (!level.is_empty()).then_some(level)
        })
    }

    /// The place and the secret of the mapping gateway that shows who it is by digest with this user name.
    pub fn find_user(&self, user: &str) -> Option<(usize, &Secret)> {
        let at = self.by_user.binary_search_by(|(known, ..)| known.as_str().cmp(user)).ok()?;
        self.by_user.get(at).map(|(_, place, secret)| (*place, secret))
    }

    /// The place in [`Gateways::list`] of the gateway that a message from this address is from, a mapping one or one that
    /// we register at: one with address and port goes before one with the address alone. An IPv4 address mapped into IPv6
    /// counts as IPv4. Those that are known by name are found by [`crate::dns::Peers::find`].
    pub fn find_peer(&self, from: SocketAddr) -> Option<usize> {
        let ip = from.ip().to_canonical();
        [Some(from.port()), None].into_iter().find_map(|port| {
            let at = self.by_address.binary_search_by(|(address, _)| address.cmp(&(ip, port))).ok()?;
            self.by_address.get(at).map(|(_, gateway)| *gateway)
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
    use super::{Gateway, GatewayAuth, Gateways, Peer, Ping};
    use crate::config::IdentityPolicy;
    use crate::config::{GatewayRules, Prefix};
    use crate::params::MediaProxy;

    fn gateway(name: &str, mapping: bool, peers: &[(&str, Option<u16>)]) -> Gateway {
        let peers =
            peers.iter().map(|&(ip, port)| Peer::Address { ip: ip.parse().expect("an address"), port }).collect();
        Gateway {
            name: name.to_owned(),
            mapping,
            routing: !mapping,
            peers,
            auth: GatewayAuth::Ip,
            priority: 0,
            capacity: 0,
            media_proxy: MediaProxy::Auto,
            watch: crate::config::MediaWatch::default(),
            identity: IdentityPolicy::GATEWAY,
            rules: GatewayRules::default(),
            ping: Ping::default(),
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
    fn gateways_are_found_by_name_and_by_prefix() {
        let with = |name: &str, prefixes: &[&str]| {
            let prefix = |digits: &&str| Prefix { digits: (*digits).to_owned(), continues: false };
            let rules = GatewayRules { prefixes: prefixes.iter().map(prefix).collect(), ..Default::default() };
            Gateway { rules, ..gateway(name, false, &[]) }
        };
        let mapping = Gateway { routing: false, ..with("in", &[""]) };
        let gateways =
            Gateways::new(vec![with("west", &["00", "1"]), with("all", &["", "0049"]), with("b", &["00"]), mapping]);
        let names = |number: &str| -> Vec<Vec<&str>> {
            gateways
                .by_prefix(number)
                .map(|level| level.iter().map(|(gateway, _)| gateway.name.as_str()).collect())
                .collect()
        };
        assert_eq!(names("0049"), [vec!["all"], vec!["west", "b"]], "each at its longest prefix");
        assert_eq!(names("0044"), [vec!["west", "b"], vec!["all"]]);
        assert_eq!(names("1"), [vec!["west"], vec!["all"]]);
        assert_eq!(names("\u{e9}"), [vec!["all"]]);
        assert_eq!(names(""), [vec!["all"]]);
        assert_eq!(gateways.find("b").map(|gateway| gateway.name.as_str()), Some("b"));
        assert_eq!(gateways.find(""), None);
        assert_eq!(gateways.find("c"), None);
    }

    #[test]
    fn who_we_register_at_brings_calls_in_and_who_is_challenged_is_found_by_its_user() {
        let (user, password) = ("1".to_owned(), "x".to_owned());
        let register =
            GatewayAuth::Register { user: user.clone(), password: password.clone(), domain: None, required: false };
        let digest = GatewayAuth::Digest { user, password };
        let gateways = Gateways::new(vec![
            Gateway { auth: register, ..gateway("out", false, &[("192.0.2.1", None)]) },
            Gateway { auth: digest.clone(), ..gateway("client only", false, &[("192.0.2.2", None)]) },
            Gateway { auth: digest, ..gateway("roaming", true, &[]) },
        ]);
        let from = |from: &str| gateways.find_peer(from.parse().expect("an address"));
        assert_eq!((from("192.0.2.1:5060"), from("192.0.2.2:5060")), (Some(0), None));
        assert_eq!(gateways.find_user("1").map(|(place, _)| place), Some(2));
        assert!(gateways.find_user("2").is_none());
    }
}
