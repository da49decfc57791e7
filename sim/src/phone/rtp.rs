//! The phone's audio: PCMU packets every 20 ms (RFC 3551), and a count of what comes in.

use super::sdp::Direction;
use crosspoint_core::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// 20 ms at 8,000 samples per second.
const SAMPLES: usize = 160;
const PACKET_TIME: Duration = Duration::from_millis(20);
/// Version 2 and nothing else, payload type 0 (RFC 3550 §5.1).
const FIRST_BYTES: [u8; 2] = [0x80, 0];
const HEADER_BYTES: usize = 12;

/// One call's audio.
#[derive(Clone, Debug)]
pub(super) struct Media {
    to: SocketAddr,
    sends: bool,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    next_at: Instant,
}

/// What a phone has sent and heard so far, all calls together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audio {
    /// Packets sent.
    pub sent: u64,
    /// Well-formed PCMU packets received.
    pub received: u64,
    /// Packets received that were no PCMU of 20 ms.
    pub odd: u64,
}

impl Media {
    /// Audio toward `to`, from now on.
    pub(super) fn new(now: Instant, to: SocketAddr, direction: Direction, ssrc: u32) -> Media {
        Media { to, sends: direction.sends(), ssrc, sequence: 1, timestamp: 0, next_at: now }
    }

    /// A new description of the far side.
    pub(super) fn redirect(&mut self, now: Instant, to: SocketAddr, direction: Direction) {
        (self.to, self.sends) = (to, direction.sends());
        self.next_at = self.next_at.max(now);
    }

    /// When the next packet is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.sends.then_some(self.next_at)
    }

    /// The packet that is due, if one is.
    pub(super) fn poll(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        (self.sends && self.next_at <= now).then_some(())?;
        let mut packet = Vec::with_capacity(HEADER_BYTES + SAMPLES);
        packet.extend_from_slice(&FIRST_BYTES);
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&self.timestamp.to_be_bytes());
        packet.extend_from_slice(&self.ssrc.to_be_bytes());
        // a square wave of 400 Hz: ten samples up, ten down
        packet.extend((0..SAMPLES).map(|i| if i % 20 < 10 { 0x10 } else { 0x90 }));
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(SAMPLES as u32);
        self.next_at = self.next_at + PACKET_TIME;
        Some((self.to, packet))
    }
}

/// Whether this is a PCMU packet as the phones here send it.
pub(super) fn is_audio(packet: &[u8]) -> bool {
    packet.len() == HEADER_BYTES + SAMPLES && packet[0] == FIRST_BYTES[0] && packet[1] & 0x7f == FIRST_BYTES[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_packets_a_second() {
        let mut media = Media::new(Instant::EPOCH, "192.0.2.1:4000".parse().unwrap(), Direction::SendRecv, 7);
        let end = Instant::EPOCH + Duration::from_millis(999);
        let packets: Vec<_> = std::iter::from_fn(|| media.poll(end)).collect();
        assert_eq!(packets.len(), 50);
        assert!(packets.iter().all(|(_, packet)| is_audio(packet)));
        assert_ne!(packets[0].1[2..8], packets[1].1[2..8], "sequence and timestamp move");
    }
}
