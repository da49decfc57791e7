//! The fixed header of RTP, read where it lies (RFC 3550 §5.1), and what else arrives at an RTP socket.

use serde::{Deserialize, Serialize};

/// Octets of the header without contributing sources and extension.
pub const HEADER_BYTES: usize = 12;

/// The version of RTP and RTCP, in the two highest bits of their first octet.
pub(super) const VERSION: u8 = 2;

/// What is read of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// 0 to 127.
    pub payload_type: u8,
    /// The marker bit: begins a talk spurt or an event.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// In units of the codec's clock.
    pub timestamp: u32,
    /// Synchronization source.
    pub ssrc: u32,
}

pub(super) fn u32_at(packet: &[u8], at: usize) -> Option<u32> {
    let octets = packet.get(at..at + 4)?;
    Some(u32::from_be_bytes(octets.try_into().expect("four octets")))
}

pub(super) fn u16_at(packet: &[u8], at: usize) -> Option<u16> {
    let octets = packet.get(at..at + 2)?;
    Some(u16::from_be_bytes(octets.try_into().expect("two octets")))
}

impl Header {
    /// Reads it, unless this is not RTP: version, and lengths that hold (RFC 3550 A.1). Padding is not looked at, since
    /// SRTP encrypts its count (RFC 3711 §3.1).
    pub fn read(packet: &[u8]) -> Option<Header> {
        let (first, second) = (*packet.first()?, *packet.get(1)?);
        let ssrc = u32_at(packet, 8)?;
        let sources = usize::from(first & 0x0f);
        let mut length = HEADER_BYTES + 4 * sources;
        if first & 0x10 != 0 {
            length += 4 + 4 * usize::from(u16_at(packet, length + 2)?);
        }
        (first >> 6 == VERSION && packet.len() >= length).then_some(Header {
            payload_type: second & 0x7f,
            marker: second & 0x80 != 0,
            sequence: u16_at(packet, 2)?,
            timestamp: u32_at(packet, 4)?,
            ssrc,
        })
    }

    /// The header as it lies in a packet without contributing sources, extension and padding.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        debug_assert!(self.payload_type < 128, "a payload type has 7 bits, not {}", self.payload_type);
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = VERSION << 6;
        bytes[1] = u8::from(self.marker) << 7 | self.payload_type;
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

/// Puts another payload type (0 to 127) into a packet that [`Header::read`] has read; the marker stays.
pub fn set_payload_type(packet: &mut [u8], payload_type: u8) {
    debug_assert!(payload_type < 128, "a payload type has 7 bits, not {payload_type}");
    packet[1] = packet[1] & 0x80 | payload_type & 0x7f;
}

/// Whether it keeps a binding of a translator alive and says nothing else (RFC 6263 §4): an empty datagram, or STUN by
/// its two zero bits and its magic cookie (RFC 8489 §5).
pub fn is_keep_alive(packet: &[u8]) -> bool {
    packet.is_empty() || (packet[0] >> 6 == 0 && packet.len() >= 20 && u32_at(packet, 4) == Some(0x2112_a442))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    const PACKET: [u8; 13] = [0x80, 0xe5, 0x12, 0x34, 0, 0, 0x01, 0x40, 0xde, 0xad, 0xbe, 0xef, 0xff];

    #[test]
    fn a_header_reads_as_it_lies() {
        let header = Header { payload_type: 101, marker: true, sequence: 0x1234, timestamp: 320, ssrc: 0xdead_beef };
        assert_eq!(Header::read(&PACKET), Some(header));
        assert_eq!(header.to_bytes(), PACKET[..12]);
        let mut packet = PACKET;
        set_payload_type(&mut packet, 120);
        assert_eq!(Header::read(&packet), Some(Header { payload_type: 120, ..header }));
        assert_eq!(packet[2..], PACKET[2..]);
    }

    #[test]
    fn lengths_have_to_hold() {
        assert_eq!(Header::read(&PACKET[..11]), None);
        assert!(Header::read(&PACKET[..12]).is_some(), "without payload");
        let with = |first: u8, tail: &[u8]| {
            let mut packet = PACKET[..12].to_vec();
            packet[0] = first;
            packet.extend(tail);
            Header::read(&packet).is_some()
        };
        assert!(!with(0x40, &[]), "version 1");
        assert!(!with(0xc0, &[]), "version 3");
        assert!(!with(0x82, &[0; 7]) && with(0x82, &[0; 8]), "two contributing sources");
        assert!(!with(0x90, &[0, 0, 0]) && with(0x90, &[0xbe, 0xde, 0, 0]), "an empty extension");
        assert!(!with(0x90, &[0xbe, 0xde, 0, 1]) && with(0x90, &[0xbe, 0xde, 0, 1, 0, 0, 0, 0]), "one word of it");
    }

    #[test]
    fn keep_alives_are_nothing_and_stun() {
        let mut indication = [0; 20];
        indication[..8].copy_from_slice(&[0x00, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
        assert!(is_keep_alive(&[]) && is_keep_alive(&indication));
        assert!(!is_keep_alive(&indication[..19]) && !is_keep_alive(&PACKET) && !is_keep_alive(b"\r\n"));
    }

    quickcheck! {
        fn any_bytes_are_read_or_not(packet: Vec<u8>) -> bool {
            let _ = is_keep_alive(&packet);
            Header::read(&packet).is_none_or(|header| header.payload_type < 128 && packet.len() >= HEADER_BYTES)
        }
    }
}
