//! Where to send what is meant for a device: the address it claims, or the one it was seen at; and what shows that an
//! address translator makes the two differ.

mod evidence;

pub use evidence::Evidence;

use crate::sip::{DEFAULT_PORT, Scheme, Uri, Via, host_ip};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Whether the address can be meant for the whole Internet: not RFC 1918, 100.64/10 (RFC 6598), link-local, unique local
/// (RFC 4193) or loopback (behaviour 1(a), "non-global").
pub fn is_global(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let shared = Ipv4Addr::new(100, 64, 0, 0).to_bits();
            let is_shared = v4.to_bits() & 0xffc0_0000 == shared;
            !(v4.is_private() || is_shared || v4.is_link_local() || v4.is_loopback() || v4.is_unspecified())
        }
        IpAddr::V6(v6) => {
            !(v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback() || v6.is_unspecified())
        }
    }
}

/// Whether the top Via shows an address translator between its sender and us: sent-by differs from the source in host
/// or, where the sender asked for rport (RFC 3581), in port (behaviour 1(a)).
pub fn via_shows_nat(via: &Via<'_>, source: SocketAddr) -> bool {
    let host_differs = match host_ip(via.host) {
        Some(ip) => ip.to_canonical() != source.ip().to_canonical(),
        None => false,
    };
    host_differs || (via.rport().is_some() && via.port.unwrap_or(DEFAULT_PORT) != source.port())
}

/// The address at which to reach the device that gave this Contact and was seen at `source`.
///
/// Behind a translator only the observed source reaches it. So does it where the Contact names no address, or one that
/// is not global and not the source's host. Otherwise the Contact is believed.
pub fn reach(contact: &Uri<'_>, source: SocketAddr, behind_nat: bool) -> SocketAddr {
    let is_sip = matches!(contact.scheme, Scheme::Sip | Scheme::Sips);
    match contact.host_ip() {
        Some(ip) if is_sip && !behind_nat => {
            let same_host = ip.to_canonical() == source.ip().to_canonical();
            let same_family = ip.is_ipv4() == source.is_ipv4();
            if same_host || (is_global(ip) && same_family) {
                SocketAddr::new(ip, contact.port.unwrap_or(DEFAULT_PORT))
            } else {
                source
            }
        }
        _ => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_believed_only_where_it_can_be_reached() {
        let cases: [(&[u8], &str, bool, &str); 7] = [
            (b"sip:a@192.0.2.1:5080", "192.0.2.1:5071", false, "192.0.2.1:5080"),
            (b"sip:a@192.0.2.1:5080", "192.0.2.1:5071", true, "192.0.2.1:5071"),
            (b"sip:a@10.0.0.5:5060", "192.0.2.1:40000", false, "192.0.2.1:40000"),
            (b"sip:a@10.0.0.5", "10.0.0.5:4000", false, "10.0.0.5:5060"),
            (b"sip:a@198.51.100.9", "192.0.2.1:5060", false, "198.51.100.9:5060"),
            (b"sip:a@phone.example", "192.0.2.1:5060", false, "192.0.2.1:5060"),
            (b"tel:+4912", "192.0.2.1:5060", false, "192.0.2.1:5060"),
        ];
        for (contact, source, behind_nat, expected) in cases {
            let uri = Uri::parse(contact).unwrap();
            assert_eq!(reach(&uri, source.parse().unwrap(), behind_nat), expected.parse().unwrap(), "{contact:?}");
        }
    }

    #[test]
    fn shared_and_private_addresses_are_not_global() {
        for ip in ["10.1.1.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255", "169.254.1.1", "fd00::1"] {
            assert!(!is_global(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["100.63.255.255", "100.128.0.0", "8.8.8.8", "2001:db8::1", "172.32.0.1"] {
            assert!(is_global(ip.parse().unwrap()), "{ip}");
        }
    }
}
