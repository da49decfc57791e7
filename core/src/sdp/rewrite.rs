//! The splice: every line as it came, but for the words the switch owns.

use super::scan::{Connection, Line, Origin, lines, number, offset_in, words};
use crate::sip::{push_ip, push_number};
use std::net::IpAddr;

/// What to write anew. The default changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrite<'r> {
    /// The `o=` line.
    pub origin: Option<NewOrigin>,
    /// The address of every `c=` line and of `a=rtcp` (RFC 3605), but for that of a hold (RFC 3264 §8.4).
    pub connection: Option<IpAddr>,
    /// RTP ports, by the order of the `m=` lines; a line beyond the end keeps its port, and port 0 is kept always
    /// (RFC 3264 §6). `a=rtcp` names the next port, or the same one where it named the same before (RFC 5761).
    pub ports: &'r [u16],
}

/// An `o=` line that tells nothing of the other leg: no user name, an address of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrigin {
    /// The switch's own address.
    pub address: IpAddr,
    /// Session id and version of this leg's own count; None keeps what was written.
    pub session: Option<(u64, u64)>,
}

impl Rewrite<'static> {
    /// Topology hiding where media goes end to end: the origin alone, with its id and version kept.
    pub fn hiding(address: IpAddr) -> Rewrite<'static> {
        Rewrite { origin: Some(NewOrigin { address, session: None }), ..Rewrite::default() }
    }
}

/// Where in the body the splice is.
#[derive(Default)]
struct Place {
    /// The new port of the section, if it has one.
    new_port: Option<u16>,
    /// The port that the section's `m=` line named.
    old_port: Option<u16>,
    /// How many `m=` lines have gone by.
    sections: usize,
}

/// Writes `body` to `out`, with what `rewrite` names changed. Takes any bytes; a line that cannot be read is copied, but
/// for `o=`, whose place one of ours takes, since it may tell what it must not. One pass.
pub fn rewrite(body: &[u8], rewrite: &Rewrite<'_>, out: &mut Vec<u8>) {
    out.reserve(body.len() + 64);
    let mut place = Place::default();
    for line in lines(body) {
        let written = match line.kind {
            b'o' => rewrite.origin.map(|origin| write_origin(&line, origin, out)),
            b'c' => rewrite.connection.and_then(|address| write_connection(&line, address, out)),
            b'm' => place.enter(&line, rewrite).and_then(|port| write_media(&line, port, out)),
            b'a' if line.value.starts_with(b"rtcp:") => write_rtcp(&line, &place, rewrite.connection, out),
            _ => None,
        };
        match written {
            Some(()) => out.extend_from_slice(line.end),
            None => out.extend_from_slice(line.whole),
        }
    }
}

impl Place {
    /// Goes on to the section of this `m=` line; gives the port it is to have.
    fn enter(&mut self, line: &Line<'_>, rewrite: &Rewrite<'_>) -> Option<u16> {
        self.old_port = words(line.value).nth(1).and_then(|port| number(digits(port)));
        self.new_port = rewrite.ports.get(self.sections).copied();
        self.sections += 1;
        if matches!(self.old_port, None | Some(0)) {
            self.new_port = None;
        }
        self.new_port
    }
}

/// The port of `49170/2`.
fn digits(port: &[u8]) -> &[u8] {
    let end = port.iter().position(|byte| *byte == b'/').unwrap_or(port.len());
    &port[..end]
}

/// An address with its family, `IP4` or `IP6` (RFC 8866 §8.2.7).
fn write_address(before: &[u8], address: IpAddr, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    out.extend_from_slice(if address.is_ipv4() { b"IP4 " } else { b"IP6 " });
    push_ip(out, address);
}

fn write_origin(line: &Line<'_>, origin: NewOrigin, out: &mut Vec<u8>) {
    out.extend_from_slice(b"o=- ");
    match (origin.session, Origin::parse(line.value)) {
        (Some((id, version)), _) => {
            push_number(out, id);
            out.push(b' ');
            push_number(out, version);
        }
        (None, Some(old)) if number_like(old.id) && number_like(old.version) => {
            out.extend_from_slice(old.id);
            out.push(b' ');
            out.extend_from_slice(old.version);
        }
        (None, _) => out.extend_from_slice(b"0 0"),
    }
    write_address(b" IN ", origin.address, out);
}

/// Digits of any length: ids are NTP stamps of 64 bits as a rule, but not by law (RFC 8866 §5.2).
fn number_like(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_digit)
}

fn write_connection(line: &Line<'_>, address: IpAddr, out: &mut Vec<u8>) -> Option<()> {
    if Connection::parse(line.value)?.is_hold() {
        return None;
    }
    write_address(b"c=IN ", address, out);
    Some(())
}

/// Replaces the port number alone; spaces, a count after `/`, protocol and formats stay as they are.
fn write_media(line: &Line<'_>, port: u16, out: &mut Vec<u8>) -> Option<()> {
    let old = digits(words(line.value).nth(1)?);
    let start = offset_in(old, line.value);
    out.extend_from_slice(b"m=");
    out.extend_from_slice(&line.value[..start]);
    push_number(out, port.into());
    out.extend_from_slice(&line.value[start + old.len()..]);
    Some(())
}

/// `a=rtcp:53020` or `a=rtcp:53020 IN IP6 2001:db8::1` (RFC 3605 §2.1).
fn write_rtcp(line: &Line<'_>, place: &Place, address: Option<IpAddr>, out: &mut Vec<u8>) -> Option<()> {
    let value = line.value.strip_prefix(b"rtcp:")?;
    let old: u16 = number(words(value).next()?)?;
    let has_address = words(value).nth(3).is_some();
    if place.new_port.is_none() && !(has_address && address.is_some()) {
        return None;
    }
    let port = match place.new_port {
        Some(rtp) if Some(old) == place.old_port => rtp,
        Some(rtp) => rtp.saturating_add(1),
        None => old,
    };
    out.extend_from_slice(b"a=rtcp:");
    push_number(out, port.into());
    match address {
        Some(address) if has_address => write_address(b" IN ", address, out),
        None if has_address => {
            let first = words(value).next()?;
            let end = offset_in(first, value) + first.len();
            out.extend_from_slice(&value[end..]);
        }
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn rewritten(body: &str, how: &Rewrite<'_>) -> String {
        let mut out = Vec::new();
        rewrite(body.as_bytes(), how, &mut out);
        String::from_utf8(out).unwrap()
    }

    const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

    #[test]
    fn hiding_keeps_id_and_version_and_nothing_else_of_the_origin() {
        let body = "v=0\r\no=Alice Smith 18446744073709551616 02 IN IP6 fe80::1\r\nm=audio 4 RTP/AVP 0\r\n";
        let expected = "v=0\r\no=- 18446744073709551616 02 IN IP4 192.0.2.1\r\nm=audio 4 RTP/AVP 0\r\n";
        assert_eq!(rewritten(body, &Rewrite::hiding(V4)), expected);
        assert_eq!(rewritten("o=a 1 2 IN IP4 10.0.0.1\n", &Rewrite::hiding(V6)), "o=- 1 2 IN IP6 2001:db8::1\n");
        let counted = Rewrite { origin: Some(NewOrigin { address: V4, session: Some((7, 3)) }), ..Rewrite::default() };
        assert_eq!(rewritten("o=a 1 2 IN IP4 10.0.0.1", &counted), "o=- 7 3 IN IP4 192.0.2.1");
    }

    #[test]
    fn an_origin_that_cannot_be_read_leaks_nothing() {
        for broken in ["o=10.0.0.5", "o=", "o=- secret.lan 1 IN IP4 10.0.0.5", "o=- 1 10.0.0.5 IN IP4 10.0.0.5"] {
            assert_eq!(rewritten(broken, &Rewrite::hiding(V4)), "o=- 0 0 IN IP4 192.0.2.1", "{broken}");
        }
    }

    #[test]
    fn relaying_moves_address_and_ports_and_keeps_port_0() {
        let body = "c=IN IP4 10.0.0.5/127\r\nm=audio  4000/2 RTP/AVP 8 0\r\na=rtcp:4001\r\nm=video 0 RTP/AVP 31\r\n\
            m=audio 4010 RTP/AVP 0\r\nc=IN IP6 fe80::5\r\na=rtcp:4010 IN IP6 fe80::5\r\nm=image 4020 udptl t38\r\n";
        let how = Rewrite { origin: None, connection: Some(V4), ports: &[30_000, 30_002, 30_004] };
        let expected = "c=IN IP4 192.0.2.1\r\nm=audio  30000/2 RTP/AVP 8 0\r\na=rtcp:30001\r\nm=video 0 RTP/AVP 31\r\n\
            m=audio 30004 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\na=rtcp:30004 IN IP4 192.0.2.1\r\nm=image 4020 udptl t38\r\n";
        assert_eq!(rewritten(body, &how), expected);
    }

    #[test]
    fn a_hold_address_stays_unspecified() {
        let body = "c=IN IP4 0.0.0.0\r\nm=audio 4 RTP/AVP 0\r\nc=IN IP6 ::\r\n";
        assert_eq!(rewritten(body, &Rewrite { connection: Some(V4), ..Rewrite::default() }), body);
    }

    #[test]
    fn rtcp_follows_only_what_is_changed() {
        let body = "m=audio 4 RTP/AVP 0\na=rtcp:9 IN IP4 10.0.0.5\n";
        let ports = Rewrite { ports: &[6], ..Rewrite::default() };
        assert_eq!(rewritten(body, &ports), "m=audio 6 RTP/AVP 0\na=rtcp:7 IN IP4 10.0.0.5\n");
        let address = Rewrite { connection: Some(V6), ..Rewrite::default() };
        assert_eq!(rewritten(body, &address), "m=audio 4 RTP/AVP 0\na=rtcp:9 IN IP6 2001:db8::1\n");
        let without_address = "m=audio 4 RTP/AVP 0\na=rtcp:9\na=rtcp-mux\na=rtcp:x\na=rtcp-fb:* nack\n";
        assert_eq!(rewritten(without_address, &address), without_address);
    }

    #[test]
    fn what_cannot_be_read_is_copied() {
        let body = "m=audio x RTP/AVP 0\nm=\nc=IN\na=rtcp:\nM=1\n=\n\n\r\nm=audio 70000 RTP/AVP 0\n";
        assert_eq!(rewritten(body, &Rewrite { origin: None, connection: Some(V4), ports: &[6, 8, 10] }), body);
    }

    quickcheck! {
        fn the_default_changes_nothing(body: Vec<u8>) -> bool {
            let mut out = Vec::new();
            rewrite(&body, &Rewrite::default(), &mut out);
            out == body
        }

        /// Bodies out of pieces of real ones, so that the rare branches are reached.
        fn a_rewrite_keeps_the_lines_and_is_stable(picks: Vec<(u8, bool)>) -> bool {
            const PIECES: [&str; 12] = [
                "o=a b 1 2 IN IP4 10.0.0.1", "o=x", "c=IN IP4 10.0.0.1", "c=IN IP6 ::", "m=audio 10 RTP/AVP 0", "junk",
                "m=audio 0 RTP/AVP 0", "m=audio 10/2 RTP/AVP 0", "a=rtcp:10", "a=rtcp:11 IN IP4 10.0.0.1", "m=x", "",
            ];
            let mut body = Vec::new();
            for (pick, bare) in picks {
                body.extend_from_slice(PIECES[usize::from(pick) % PIECES.len()].as_bytes());
                body.extend_from_slice(if bare { b"\n" } else { b"\r\n" });
            }
            let how = Rewrite { connection: Some(V4), ports: &[20, 22, 24], ..Rewrite::hiding(V4) };
            let (mut once, mut twice) = (Vec::new(), Vec::new());
            rewrite(&body, &how, &mut once);
            rewrite(&once, &how, &mut twice);
            let kinds = |body: &[u8]| lines(body).map(|line| (line.kind, line.end.len())).collect::<Vec<_>>();
            kinds(&body) == kinds(&once) && once == twice && !once.windows(8).any(|at| at == b"10.0.0.1")
        }
    }
}
