//! Reads packet captures far enough for tests: pcap and pcapng, Ethernet (VLAN, PPPoE) and Linux cooked, IPv4 and IPv6
//! with fragments; gives what UDP datagrams and TCP segments carry.

use std::collections::BTreeMap;

type Number = u64;

/// Parts of IPv6 datagrams seen so far, by identification: offset and bytes.
type Fragments = BTreeMap<Number, BTreeMap<Number, Vec<u8>>>;

/// The payloads of all UDP datagrams and TCP segments of a capture, in its order. Frames of other kinds are left out.
pub(crate) fn payloads(capture: &[u8]) -> Vec<Vec<u8>> {
    let frames = if capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) { pcapng(capture) } else { pcap(capture) };
    let mut fragments = Fragments::new();
    frames.into_iter().filter_map(|(link, frame)| internet(network(link, frame)?, &mut fragments)).collect()
}

fn little(bytes: &[u8], at: usize, length: usize) -> Option<Number> {
    let field = bytes.get(at..at + length)?;
    Some(field.iter().rev().fold(0, |value, byte| value << 8 | Number::from(*byte)))
}

fn big(bytes: &[u8], at: usize, length: usize) -> Option<Number> {
    let field = bytes.get(at..at + length)?;
    Some(field.iter().fold(0, |value, byte| value << 8 | Number::from(*byte)))
}

/// A classic capture: 24 bytes, then records of 16 bytes and the frame (all little-endian here).
fn pcap(capture: &[u8]) -> Vec<(Number, &[u8])> {
    assert_eq!(little(capture, 0, 4), Some(0xa1b2_c3d4), "a little-endian capture in microseconds");
    let link = little(capture, 20, 4).expect("a header");
    let mut frames = Vec::new();
    let mut at = 24;
    while let Some(length) = little(capture, at + 8, 4) {
        let Some(frame) = capture.get(at + 16..at + 16 + length as usize) else { break };
        frames.push((link, frame));
        at += 16 + length as usize;
    }
    frames
}

/// A block capture: interface descriptions (type 1) and enhanced packets (type 6), of one section.
fn pcapng(capture: &[u8]) -> Vec<(Number, &[u8])> {
    let (mut links, mut frames) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let (Some(kind), Some(length)) = (little(capture, at, 4), little(capture, at + 4, 4)) {
        match kind {
            1 => links.extend(little(capture, at + 8, 2)),
            6 => {
                let interface = little(capture, at + 8, 4).expect("a packet names its interface") as usize;
                let bytes = little(capture, at + 20, 4).expect("a packet has a length") as usize;
                frames.push((links[interface], &capture[at + 28..at + 28 + bytes]));
            }
            _ => {}
        }
        at += length as usize;
    }
    frames
}

/// The IP packet in a frame: link type 1 is Ethernet, 113 Linux cooked.
fn network(link: Number, frame: &[u8]) -> Option<&[u8]> {
    let mut at = if link == 113 { 14 } else { 12 };
    loop {
        match big(frame, at, 2)? {
            0x8100 => at += 4,                            // VLAN tag
            0x8864 => return frame.get(at + 2 + 6 + 2..), // PPPoE session, then PPP's protocol
            0x0800 | 0x86dd => return frame.get(at + 2..),
            _ => return None,
        }
    }
}

fn internet(packet: &[u8], fragments: &mut Fragments) -> Option<Vec<u8>> {
    match packet.first()? >> 4 {
        4 => {
            let header_bytes = usize::from(packet[0] & 15) * 4;
            let total = big(packet, 2, 2)? as usize;
            transport(big(packet, 9, 1)?, packet.get(header_bytes..total)?)
        }
        6 => {
            let rest = packet.get(40..40 + big(packet, 4, 2)? as usize)?;
            match big(packet, 6, 1)? {
                44 => joined(rest, fragments),
                protocol => transport(protocol, rest),
            }
        }
        _ => None,
    }
}

/// Keeps an IPv6 fragment (RFC 8200 §4.5); gives the datagram when its last part has come after all others.
fn joined(fragment: &[u8], fragments: &mut Fragments) -> Option<Vec<u8>> {
    let (protocol, offset_and_more) = (big(fragment, 0, 1)?, big(fragment, 2, 2)?);
    let parts = fragments.entry(big(fragment, 4, 4)?).or_default();
    parts.insert(offset_and_more & !7, fragment.get(8..)?.to_vec());
    let is_last = offset_and_more & 1 == 0;
    if is_last { transport(protocol, &parts.values().flatten().copied().collect::<Vec<u8>>()) } else { None }
}

fn transport(protocol: Number, segment: &[u8]) -> Option<Vec<u8>> {
    let payload = match protocol {
        17 => segment.get(8..big(segment, 4, 2)? as usize)?,
        6 => segment.get((big(segment, 12, 1)? >> 4) as usize * 4..)?,
        _ => return None,
    };
    Some(payload.to_vec())
}
