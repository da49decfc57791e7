//! `host [":" port]` as it stands in URIs and in Via.

use super::chars::{is_host_char, is_ipv6_char, split_while, trim_start};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The port of a SIP URI or a sent-by that names none (RFC 3261 §18.2.2, §19.1.2).
pub const DEFAULT_PORT: u16 = 5060;

/// A host and a port at the start of a text.
pub(super) struct HostPort<'m> {
    /// With its brackets where it is an IPv6 reference. Never empty.
    pub(super) host: &'m [u8],
    /// 1 to 65535.
    pub(super) port: Option<u16>,
    /// What stands behind.
    pub(super) rest: &'m [u8],
}

impl<'m> HostPort<'m> {
    /// Reads it. `spaced`: white space may stand around the colon (RFC 3261 §25.1 COLON, in Via only).
    #[inline]
    pub(super) fn parse(text: &'m [u8], spaced: bool) -> Result<HostPort<'m>, &'static str> {
        let (host, rest) = host(text)?;
        let trimmed = if spaced { trim_start(rest) } else { rest };
        let Some(behind) = trimmed.strip_prefix(b":") else { return Ok(HostPort { host, port: None, rest }) };
        let behind = if spaced { trim_start(behind) } else { behind };
        let (port, rest) = port(behind)?;
        Ok(HostPort { host, port: Some(port), rest })
    }
}

fn port(text: &[u8]) -> Result<(u16, &[u8]), &'static str> {
    let mut port = 0u32;
    let mut rest = text;
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        port = port * 10 + u32::from(digit - b'0');
        rest = behind;
        if port > u16::MAX.into() {
            break;
        }
    }
    match u16::try_from(port) {
        Ok(port @ 1..) => Ok((port, rest)),
        _ => Err("a port that is no number from 1 to 65535"),
    }
}

fn host(text: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    if text.first() != Some(&b'[') {
        let (host, rest) = split_while(text, is_host_char);
        return if host.is_empty() { Err("no host") } else { Ok((host, rest)) };
    }
    let inside = split_while(&text[1..], is_ipv6_char).0;
    match text.get(1 + inside.len()) {
        Some(b']') if inside.len() >= 2 && inside.contains(&b':') => Ok(text.split_at(inside.len() + 2)),
        _ => Err("an IPv6 reference that is none"),
    }
}

/// The address that a host is, if it is one: IPv4, or IPv6 with or without brackets. `:::` is read as `::`, as RFC 5118
/// §4.10 asks because of the fault in RFC 3261's ABNF.
pub fn host_ip(host: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(host).ok()?;
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if !inside.contains(':') {
        return text.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let parsed = match inside.contains(":::") {
        false => inside.parse::<Ipv6Addr>(),
        true => inside.replacen(":::", "::", 1).parse(),
    };
    parsed.ok().map(IpAddr::V6)
}

/// Octets of a host name: the 255 of RFC 1035 §2.3.4 less the root's and the first label's own.
const NAME_BYTES: usize = 253;
/// Octets between two dots (RFC 1035 §2.3.4).
const LABEL_BYTES: usize = 63;

/// A host name in the one spelling under which it is asked for and kept: lower case, no dot at the end. `None` where it is
/// none. Underscores are let through: they occur, and the names of services have them.
pub fn host_name(text: &str) -> Option<Box<str>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let octet = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        (1..=LABEL_BYTES).contains(&label.len()) && label.bytes().all(octet)
    };
    // RFC 3261 §25.1 toplabel: what ends in a number is an address, or meant to be one
    let is_number = text.rsplit('.').next().is_some_and(|label| label.bytes().all(|c| c.is_ascii_digit()));
    let is_name = text.len() <= NAME_BYTES && text.split('.').all(is_label) && !is_number;
    is_name.then(|| text.to_ascii_lowercase().into_boxed_str())
}

/// Whether two hosts are one name or one address.
pub(super) fn same_host(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b) || host_ip(a).is_some_and(|address| host_ip(b) == Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parts = (&'static [u8], Option<u16>, &'static [u8]);

    fn parsed(text: &'static str) -> Result<Parts, &'static str> {
        HostPort::parse(text.as_bytes(), false).map(|found| (found.host, found.port, found.rest))
    }

    #[test]
    fn hosts_of_every_kind_are_read() {
        assert_eq!(parsed("a-b.example:5060;x"), Ok((&b"a-b.example"[..], Some(5060), &b";x"[..])));
        assert_eq!(parsed("192.0.2.1"), Ok((&b"192.0.2.1"[..], None, &b""[..])));
        assert_eq!(parsed("[2001:db8::10:5070]"), Ok((&b"[2001:db8::10:5070]"[..], None, &b""[..])));
        assert_eq!(parsed("[::1]:5070?"), Ok((&b"[::1]"[..], Some(5070), &b"?"[..])));
    }

    #[test]
    fn broken_hosts_and_ports_are_refused() {
        for text in ["", ":5060", ";", "[::1", "[]", "[a.b]", "[::1%eth0]", "a:", "a:0", "a:65536", "2001:db8::10"] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn white_space_round_the_colon_is_for_via_only() {
        let found = HostPort::parse(b"first.example.com : 4000 ;x", true).ok().map(|found| (found.port, found.rest));
        assert_eq!(found, Some((Some(4000), &b" ;x"[..])));
        assert_eq!(parsed("a : 4000"), Ok((&b"a"[..], None, &b" : 4000"[..])));
    }

    #[test]
    fn addresses_are_known_in_every_spelling() {
        assert!(same_host(b"[2001:DB8::192.0.2.1]", b"[2001:db8:::192.0.2.1]"));
        assert!(same_host(b"Example.COM", b"example.com"));
        assert!(!same_host(b"a.example", b"b.example"));
        assert_eq!(host_ip(b"2001:db8::1"), "2001:db8::1".parse().ok());
        assert_eq!(host_ip(b"192.0.2.300"), None);
        assert_eq!(host_ip(b"[192.0.2.1]"), None);
    }

    #[test]
    fn host_names_have_one_spelling() {
        assert_eq!(host_name("SIP.Example.NET.").as_deref(), Some("sip.example.net"));
        assert_eq!(host_name("localhost").as_deref(), Some("localhost"));
        let long = format!("{}.example", "a".repeat(64));
        for refused in
            ["", ".", "a..b", ".a", "a b", "a\\.b", "ü.example", "192.0.2.256", "5060", &long, &"ab.".repeat(90)]
        {
            assert_eq!(host_name(refused), None, "{refused}");
        }
    }
}
