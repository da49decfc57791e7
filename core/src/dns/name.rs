//! A next hop as it is written: host, port, transport.

use crate::config::Peer;
use crate::input::Transport;
use crate::sip::{DEFAULT_PORT, host_ip};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;

/// What RFC 3263 starts from: the TARGET, the port and the transport of a URI, each as far as it is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// A host name, or an address with or without brackets.
    pub host: String,
    /// The port, where one is given: then SRV is not asked.
    pub port: Option<u16>,
    /// The transport, where one is given: then NAPTR is not asked.
    pub transport: Option<Transport>,
}

impl Name {
    /// A host without more.
    pub fn host(host: &str) -> Name {
        Name { host: host.to_owned(), port: None, transport: None }
    }

    /// Where it leads if its host is an address: there without asking (RFC 3263 §4.2).
    pub fn literal(&self) -> Option<SocketAddr> {
        let ip = host_ip(self.host.as_bytes())?;
        Some(SocketAddr::new(ip.to_canonical(), self.port.unwrap_or(DEFAULT_PORT)))
    }
}

/// As it stands in a URI, and as findings and stories show it.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Where the peer of a gateway is found.
impl From<&Peer> for Name {
    fn from(peer: &Peer) -> Name {
        match peer {
            Peer::Address { ip, port } => Name { host: ip.to_string(), port: *port, transport: None },
            Peer::Name { host, port } => Name { host: host.clone(), port: *port, transport: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn an_address_in_any_spelling_is_literal() {
        for (host, port, literal) in [
            ("192.0.2.1", None, "192.0.2.1:5060"),
            ("192.0.2.1", Some(5070), "192.0.2.1:5070"),
            ("2001:db8::1", None, "[2001:db8::1]:5060"),
            ("[2001:db8::1]", Some(5080), "[2001:db8::1]:5080"),
            ("[::ffff:192.0.2.1]", None, "192.0.2.1:5060"),
        ] {
            let name = Name { port, ..Name::host(host) };
            assert_eq!(name.literal(), Some(literal.parse().unwrap()), "{host}");
        }
        assert_eq!(Name::host("192.0.2.example").literal(), None);
    }
}
