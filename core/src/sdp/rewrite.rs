//! The splice: every line as it came, but for the words the switch owns.

use super::attribute::{self, Verdict};
use super::payload::PayloadMap;
use super::scan::{Connection, Line, Media, Origin, lines, offset_in, parts, words};
use super::stream::Profile;
use crate::sip::{push_ip, push_number};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What to write anew. The default changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrite<'r> {
    /// The `o=` line.
    pub origin: Option<NewOrigin>,
    /// Where the leg is to send its media instead; None while it goes from phone to phone.
    pub relay: Option<Relay<'r>>,
}

/// An `o=` line that tells nothing of the other leg: no user name, an address of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrigin {
    /// The switch's own address.
    pub address: IpAddr,
    /// Session id and version of this leg's own count; None keeps what was written.
    pub session: Option<(u64, u64)>,
}

/// The relay, as one leg is to see it.
///
/// What it changes besides addresses and ports, and why:
///
/// * ICE lines (RFC 8839 §5) go: candidates would lead past the relay. Who sees none uses `c=` and `m=`.
/// * `a=group:BUNDLE` and `a=bundle-only` go: bundled streams share one port (RFC 9143 §7), but the relay has one for each.
///   Who sees no group has a port for each stream; one that is bundle-only has port 0 and is thereby refused.
/// * `a=rtcp-mux` and `a=rtcp-mux-only` stay: whether RTCP is muxed is agreed from phone to phone, and then true of both
///   legs. So an offer with `a=rtcp-mux` still needs [`RtcpPort::Next`], as its answer may not mux (RFC 5761 §5.1.1).
///
/// ```
/// use crosspoint_core::sdp::{self, PayloadMap, Relay, RelayedStream, Rewrite, RtcpPort};
///
/// let audio = RelayedStream { port: 30_000, rtcp: RtcpPort::Next, payloads: PayloadMap::default() };
/// let relay = Relay { address: "192.0.2.1".parse().unwrap(), streams: &[Some(audio)] };
/// let mut out = Vec::new();
/// let body = b"c=IN IP4 10.0.0.5\r\nm=audio 4000 RTP/AVP 8\r\na=rtcp:4001\r\na=ice-lite\r\na=ptime:20\r\n";
/// sdp::rewrite(body, &Rewrite { relay: Some(relay), ..Rewrite::default() }, &mut out);
/// assert_eq!(out, b"c=IN IP4 192.0.2.1\r\nm=audio 30000 RTP/AVP 8\r\na=rtcp:30001\r\na=ptime:20\r\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relay<'r> {
    /// The relay's address on this leg; its family goes before that of what stood there.
    pub address: IpAddr,
    /// What is relayed of each stream, by the order of the `m=` lines; None, or beyond the end, is a stream that stays
    /// direct. A stream of port 0 is refused and stays so, whatever stands here (RFC 3264 §6).
    pub streams: &'r [Option<RelayedStream>],
}

/// A stream at the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayedStream {
    /// The relay's port for it: of RTP, or of datagrams of any other kind.
    pub port: u16,
    /// The relay's port for RTCP.
    pub rtcp: RtcpPort,
    /// From the writer's payload types to those that this leg knows. The packets that this leg sends bear its own, so they
    /// are to be mapped by the inverse.
    pub payloads: PayloadMap,
}

/// Which port of the relay takes RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcpPort {
    /// That of RTP: it is muxed (RFC 5761), or there is none.
    Same,
    /// The next one, as relays lease them in pairs (RFC 3550 §11).
    Next,
}

impl Rewrite<'static> {
    /// Topology hiding where media goes end to end: the origin alone, with its id and version kept.
    pub fn hiding(address: IpAddr) -> Rewrite<'static> {
        Rewrite { origin: Some(NewOrigin { address, session: None }), relay: None }
    }
}

/// Writes `body` to `out`, with what `rewrite` names changed. Takes any bytes; a line that cannot be read is copied, but
/// for those that would tell an address of the other leg: `o=`, and `c=` and `a=rtcp` of what is relayed. Four passes.
///
/// The session's own lines are the relay's where every live stream is. Where one stays direct they serve that, and each
/// relayed stream has a `c=` line of its own, put in where there is none (RFC 8866 §5.7).
pub fn rewrite(body: &[u8], rewrite: &Rewrite<'_>, out: &mut Vec<u8>) {
    out.reserve(body.len() + 64);
    let whole = Whole::of(body, rewrite);
    for (index, part) in parts(body).enumerate() {
        let owner = whole.owner(index, part);
        let mut missing = whole.missing_connection(owner, part);
        for line in lines(part) {
            if !matches!(line.kind, b'm' | b'i') {
                missing.take().into_iter().for_each(|address| insert_connection(address, part, out));
            }
            match whole.write(&line, owner, out) {
                Verdict::Written => out.extend_from_slice(line.end),
                Verdict::Kept => out.extend_from_slice(line.whole),
                Verdict::Removed => {}
            }
        }
        missing.take().into_iter().for_each(|address| insert_connection(address, part, out));
    }
}

/// Whose a part of the description is.
#[derive(Clone, Copy)]
enum Owner<'r> {
    /// A direct stream's, or what such a one stands on: as it came.
    Theirs,
    /// A refused stream's, or what relayed streams alone stand on: the address is the relay's.
    Nobodys(IpAddr),
    /// A relayed stream's.
    Ours(IpAddr, &'r RelayedStream, Profile),
}

/// What is known before a line is written.
struct Whole<'w> {
    rewrite: &'w Rewrite<'w>,
    /// Whether a live stream stays direct.
    any_direct: bool,
    /// The session's `c=` line.
    has_connection: bool,
    /// It is the hold of old.
    is_held: bool,
}

impl<'w> Whole<'w> {
    fn of(body: &[u8], rewrite: &'w Rewrite<'w>) -> Whole<'w> {
        let mut whole = Whole { rewrite, any_direct: false, has_connection: false, is_held: false };
        if rewrite.relay.is_some() {
            for (index, part) in parts(body).enumerate() {
                whole.any_direct |= index > 0 && matches!(whole.owner(index, part), Owner::Theirs);
            }
            for line in lines(body).take_while(|line| line.kind != b'm').filter(|line| line.kind == b'c') {
                whole.has_connection = true;
                whole.is_held = Connection::parse(line.value).is_some_and(|connection| connection.is_hold());
            }
        }
        whole
    }

    /// Whose the part of this index is; part 0 is the session's.
    fn owner(&self, index: usize, part: &[u8]) -> Owner<'w> {
        let Some(relay) = &self.rewrite.relay else { return Owner::Theirs };
        let Some(stream) = index.checked_sub(1) else {
            return if self.any_direct { Owner::Theirs } else { Owner::Nobodys(relay.address) };
        };
        let media = lines(part).next().and_then(|line| Media::parse(line.value)).filter(|media| media.port != 0);
        match (media, relay.streams.get(stream)) {
            (None, _) => Owner::Nobodys(relay.address),
            (Some(media), Some(Some(relayed))) => Owner::Ours(relay.address, relayed, Profile::of(media.proto)),
            (Some(_), _) => Owner::Theirs,
        }
    }

    /// The address of a `c=` line that the part needs and has not.
    fn missing_connection(&self, owner: Owner<'_>, part: &[u8]) -> Option<IpAddr> {
        let Owner::Ours(address, ..) = owner else { return None };
        let inherits_ours = self.has_connection && !self.any_direct;
        let is_missing = !inherits_ours && !lines(part).any(|line| line.kind == b'c');
        is_missing.then(|| if self.is_held { unspecified(address) } else { address })
    }

    fn write(&self, line: &Line<'_>, owner: Owner<'_>, out: &mut Vec<u8>) -> Verdict {
        if let (b'o', Some(origin)) = (line.kind, self.rewrite.origin) {
            write_origin(line, origin, out);
            return Verdict::Written;
        }
        match (line.kind, owner) {
            (b'c', Owner::Ours(address, ..) | Owner::Nobodys(address)) => write_connection(line, address, out),
            (b'm', Owner::Ours(_, stream, profile)) => write_media(line, stream, profile, out),
            (b'a', _) if self.rewrite.relay.is_some() && attribute::is_bundle(line.value) => Verdict::Removed,
            (b'a', Owner::Ours(address, stream, profile)) => {
                attribute::write(line.value, address, stream, profile.is_rtp(), out)
            }
            (b'a', Owner::Nobodys(_)) if attribute::tells_address(line.value) => Verdict::Removed,
            _ => Verdict::Kept,
        }
    }
}

/// The address of a hold in the old spelling (RFC 3264 §8.4), in the family of this one.
fn unspecified(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// A `c=` line, after what must stand before it (RFC 8866 §9: `m=`, `i=`), with the line end of the part.
fn insert_connection(address: IpAddr, part: &[u8], out: &mut Vec<u8>) {
    let first = lines(part).next().map_or(&b""[..], |line| line.end);
    let end = if first.is_empty() { b"\r\n" } else { first };
    if out.last().is_some_and(|byte| *byte != b'\n') {
        out.extend_from_slice(end);
    }
    write_address(b"c=IN ", address, out);
    out.extend_from_slice(end);
}

/// An address with its family, `IP4` or `IP6` (RFC 8866 §8.2.7).
pub(super) fn write_address(before: &[u8], address: IpAddr, out: &mut Vec<u8>) {
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

/// A hold stays one, in the family of the leg.
fn write_connection(line: &Line<'_>, address: IpAddr, out: &mut Vec<u8>) -> Verdict {
    let is_held = Connection::parse(line.value).is_some_and(|connection| connection.is_hold());
    write_address(b"c=IN ", if is_held { unspecified(address) } else { address }, out);
    Verdict::Written
}

/// Replaces the port, and the payload types that are called otherwise; spaces, protocol and other formats stay as they are.
/// A count of ports goes (`49170/2`): the relay has one of them, and the ones behind it may be another call's.
fn write_media(line: &Line<'_>, stream: &RelayedStream, profile: Profile, out: &mut Vec<u8>) -> Verdict {
    let mut fields = words(line.value);
    let (Some(old), Some(proto)) = (fields.nth(1), fields.next()) else { return Verdict::Kept };
    let port_at = offset_in(old, line.value);
    let proto_end = offset_in(proto, line.value) + proto.len();
    out.extend_from_slice(b"m=");
    out.extend_from_slice(&line.value[..port_at]);
    push_number(out, stream.port.into());
    out.extend_from_slice(&line.value[port_at + old.len()..proto_end]);
    let formats = &line.value[proto_end..];
    if profile.is_rtp() {
        attribute::write_numbers(formats, b" \t", &stream.payloads, out);
    } else {
        out.extend_from_slice(formats);
    }
    Verdict::Written
}

#[cfg(test)]
mod tests;
