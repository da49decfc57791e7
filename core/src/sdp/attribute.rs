//! The attributes of a relayed stream.

use super::payload::PayloadMap;
use super::rewrite::{RelayedStream, RtcpPort, write_address};
use super::scan::{number, offset_in, words};
use crate::sip::push_number;
use std::net::IpAddr;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is written anew, without its line end.
    Written,
    /// It is to be copied.
    Kept,
    /// It is taken out.
    Removed,
}

/// The attributes of ICE (RFC 8839 §5, RFC 8840 §8.2 for the end of candidates).
const ICE: [&[u8]; 9] = [
    b"candidate",
    b"remote-candidates",
    b"end-of-candidates",
    b"ice-ufrag",
    b"ice-pwd",
    b"ice-options",
    b"ice-lite",
    b"ice-mismatch",
    b"ice-pacing",
];

/// Attributes that begin with a payload type: RFC 8866 §6.6 and §6.15, RFC 4585 §4.2.
const BY_PAYLOAD_TYPE: [&[u8]; 3] = [b"rtpmap", b"fmtp", b"rtcp-fb"];

/// Name and value; a flag has an empty value.
fn split(attribute: &[u8]) -> (&[u8], &[u8]) {
    let colon = attribute.iter().position(|byte| *byte == b':').unwrap_or(attribute.len());
    (attribute[..colon].trim_ascii(), attribute.get(colon + 1..).unwrap_or_default())
}

/// Whether it puts streams into one port (RFC 9143 §5 and §6).
pub(super) fn is_bundle(attribute: &[u8]) -> bool {
    match split(attribute) {
        (b"group", value) => words(value).next() == Some(b"BUNDLE"),
        (name, _) => name == b"bundle-only",
    }
}

/// Whether it tells where media goes: ICE, and RTCP by RFC 3605.
pub(super) fn tells_address(attribute: &[u8]) -> bool {
    let (name, _) = split(attribute);
    name == b"rtcp" || ICE.contains(&name)
}

/// Writes an attribute of a relayed stream, where something of it changes.
pub(super) fn write(
    attribute: &[u8],
    address: IpAddr,
    stream: &RelayedStream,
    is_rtp: bool,
    out: &mut Vec<u8>,
) -> Verdict {
    let (name, value) = split(attribute);
    if name == b"rtcp" {
        write_rtcp(value, address, stream, out);
        return Verdict::Written;
    }
    if ICE.contains(&name) {
        return Verdict::Removed;
    }
    if is_rtp && BY_PAYLOAD_TYPE.contains(&name) && !stream.payloads.is_identity() {
        out.extend_from_slice(b"a=");
        out.extend_from_slice(&attribute[..attribute.len() - value.len()]);
        write_by_payload_type(name, value, &stream.payloads, out);
        return Verdict::Written;
    }
    Verdict::Kept
}

/// `a=rtcp:53020` or `a=rtcp:53020 IN IP6 2001:db8::1` (RFC 3605 §2.1): with an address where one stood.
fn write_rtcp(value: &[u8], address: IpAddr, stream: &RelayedStream, out: &mut Vec<u8>) {
    let port = match stream.rtcp {
        RtcpPort::Same => stream.port,
        RtcpPort::Next => stream.port.saturating_add(1),
    };
    out.extend_from_slice(b"a=rtcp:");
    push_number(out, port.into());
    if words(value).nth(3).is_some() {
        write_address(b" IN ", address, out);
    }
}

/// `101 telephone-event/8000`: the first word is a payload type, or `*` for all.
fn write_by_payload_type(name: &[u8], value: &[u8], map: &PayloadMap, out: &mut Vec<u8>) {
    let Some(first) = words(value).next() else { return out.extend_from_slice(value) };
    let (head, rest) = value.split_at(offset_in(first, value) + first.len());
    write_numbers(head, b" \t", map, out);
    if name == b"fmtp" {
        write_parameters(rest, map, out);
    } else {
        out.extend_from_slice(rest);
    }
}

/// Format parameters that name payload types: the redundant ones of `0/5/100` (RFC 2198 §5), the one that `apt=97` is a
/// retransmission of (RFC 4588 §8.1).
fn write_parameters(parameters: &[u8], map: &PayloadMap, out: &mut Vec<u8>) {
    let is_redundancy = parameters.contains(&b'/')
        && parameters.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b' ' | b'\t'));
    if is_redundancy {
        return write_numbers(parameters, b"/ \t", map, out);
    }
    for parameter in parameters.split_inclusive(|byte| matches!(byte, b';' | b' ' | b'\t')) {
        match parameter.split_at_checked(4) {
            Some((name, number)) if name.eq_ignore_ascii_case(b"apt=") => {
                out.extend_from_slice(name);
                write_numbers(number, b"; \t", map, out);
            }
            _ => out.extend_from_slice(parameter),
        }
    }
}

/// The words between these separators, payload types among them mapped; all else as it is.
pub(super) fn write_numbers(text: &[u8], separators: &[u8], map: &PayloadMap, out: &mut Vec<u8>) {
    let is_separator = |byte: &u8| separators.contains(byte);
    for piece in text.split_inclusive(is_separator) {
        let (word, separator) = piece.split_at(piece.len() - usize::from(piece.last().is_some_and(is_separator)));
        match number::<u8>(word).filter(|old| map.get(*old) != *old) {
            Some(old) => push_number(out, map.get(old).into()),
            None => out.extend_from_slice(word),
        }
        out.extend_from_slice(separator);
    }
}
