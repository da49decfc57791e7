//! The phone's audio: G.711 packets every 20 ms (RFC 3551), the control that goes with it (RFC 3550 §6), and a look at
//! what comes in.

use super::sdp::{Codec, Direction};
use super::speech::Speech;
use crosspoint_core::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// 20 ms at 8,000 samples per second.
const SAMPLES: usize = 160;
const PACKET_TIME: Duration = Duration::from_millis(20);
/// A sample is as long.
const SAMPLE_US: u64 = 125;
/// Version 2 and nothing else (RFC 3550 §5.1).
const FIRST_BYTE: u8 = 0x80;
const HEADER_BYTES: usize = 12;
/// Of a sender report without blocks (RFC 3550 §6.4.1).
const REPORT_BYTES: usize = 28;
const SENDER_REPORT: u8 = 200;
/// Packets after a pause.
const FEW: u32 = 2;
/// Sources of one call: the low bits of an SSRC count them.
const SOURCES: u32 = 16;

/// What a call's audio leaves with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where from: the phone's own address.
    pub from: SocketAddr,
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// Where a description leads media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) to: SocketAddr,
    /// Where it leads RTCP.
    pub(super) control: SocketAddr,
    pub(super) direction: Direction,
    pub(super) codec: Codec,
}

/// One call's audio.
#[derive(Clone, Debug)]
pub(super) struct Media {
    /// RTP is received there.
    local: SocketAddr,
    target: Target,
    speech: Speech,
    /// The first source of the call.
    base: u32,
    /// Which source of the call it is now.
    turn: u32,
    sequence: u16,
    next_at: Instant,
    /// What is left of a burst; none: there is no end.
    left: Option<u32>,
    /// A report is due with the next packet.
    reports: bool,
    sent: u32,
}

/// The first source of a call of this user: no two calls have one in common, near enough, and none begins with 1.
pub(crate) fn base_of(user: &str, call: u32) -> u32 {
    // FNV-1a
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = user.as_bytes().iter().chain(&call.to_be_bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    (hash >> 33) as u32 & !(SOURCES - 1)
}

/// The first source of the call that this source is of.
pub(crate) fn base(source: u32) -> u32 {
    source & !(SOURCES - 1)
}

impl Media {
    /// Audio from there to `target`, from now on, with its first source and sequence number.
    pub(super) fn new(
        now: Instant,
        local: SocketAddr,
        target: Target,
        speech: Speech,
        (base, sequence): (u32, u16),
    ) -> Media {
        Media {
            local,
            target,
            speech,
            base,
            turn: 0,
            sequence,
            next_at: now,
            left: speech.burst,
            reports: true,
            sent: 0,
        }
    }

    /// A new description of the far side; a new source begins with this sequence number.
    pub(super) fn redirect(&mut self, now: Instant, target: Target, sequence: u16) {
        let (was, is) = (self.target.direction.sends(), target.direction.sends());
        if self.speech.renews_source && !was && is {
            self.turn = (self.turn + 1) % SOURCES;
            (self.sequence, self.sent) = (sequence, 0);
        }
        if self.target != target {
            (self.left, self.reports) = (self.speech.burst, true);
            // the burst does not wait for the end of a pause
            self.next_at = if self.speech.burst.is_some() { now } else { self.next_at.max(now) };
        }
        self.target = target;
    }

    /// When the next packet is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.target.direction.sends().then_some(self.next_at)
    }

    /// How it speaks.
    pub(super) fn speech(&self) -> Speech {
        self.speech
    }

    /// The packet that is due, if one is.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Packet> {
        self.next_at().filter(|at| *at <= now)?;
        if self.reports && self.sent > 0 && self.speech.rtcp != super::Rtcp::Off {
            self.reports = false;
            return Some(self.report());
        }
        let timestamp = (self.next_at.as_micros() / SAMPLE_US) as u32;
        let source = self.base + self.turn;
        let payload_type = if self.target.codec == Codec::Pcma { 8 } else { 0 };
        let mut bytes = Vec::with_capacity(HEADER_BYTES + SAMPLES);
        bytes.extend_from_slice(&[FIRST_BYTE, payload_type]);
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&timestamp.to_be_bytes());
        bytes.extend_from_slice(&source.to_be_bytes());
        // a square wave of 400 Hz: ten samples up, ten down
        bytes.extend((0..SAMPLES).map(|i| if i % 20 < 10 { 0x10 } else { 0x90 }));
        self.sequence = self.sequence.wrapping_add(1);
        self.sent += 1;
        self.pace();
        let moved = if self.speech.is_asymmetric { 2 } else { 0 };
        let from = SocketAddr::new(self.local.ip(), self.local.port() + moved);
        Some(Packet { from, to: self.target.to, bytes })
    }

    fn pace(&mut self) {
        self.next_at = self.next_at + PACKET_TIME;
        let Some(left) = &mut self.left else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.next_at = self.next_at + Duration::from_millis(self.speech.pause_ms.max(1));
            (*left, self.reports) = (FEW, true);
        }
    }

    /// A sender report, from where RTCP is received.
    fn report(&self) -> Packet {
        let mut bytes = vec![FIRST_BYTE, SENDER_REPORT, 0, (REPORT_BYTES / 4 - 1) as u8];
        bytes.extend_from_slice(&(self.base + self.turn).to_be_bytes());
        let us = self.next_at.as_micros();
        bytes.extend_from_slice(&((us / 1_000_000) as u32).to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&((us / SAMPLE_US) as u32).to_be_bytes());
        bytes.extend_from_slice(&self.sent.to_be_bytes());
        bytes.extend_from_slice(&(self.sent * SAMPLES as u32).to_be_bytes());
        let port = self.local.port();
        let port = match self.speech.rtcp {
            super::Rtcp::Named => port + super::sdp::NAMED_RTCP,
            super::Rtcp::Muxed if self.target.control == self.target.to => port,
            _ => port + 1,
        };
        Packet { from: SocketAddr::new(self.local.ip(), port), to: self.target.control, bytes }
    }
}

/// What a datagram is that has come for the phone's media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// G.711 of 20 ms, with its source.
    Audio(u32),
    /// Control, with its sender.
    Control(u32),
    /// Something else.
    Odd,
}

/// Looks at a datagram.
pub(crate) fn heard(datagram: &[u8]) -> Heard {
    let word =
        |at: usize| datagram.get(at..at + 4).map_or(0, |word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    match datagram {
        // RFC 5761 §4
        [first, 192..=223, ..] if first & 0xc0 == FIRST_BYTE && datagram.len() >= 8 => Heard::Control(word(4)),
        [FIRST_BYTE, kind, ..] if matches!(kind & 0x7f, 0 | 8) && datagram.len() == HEADER_BYTES + SAMPLES => {
            Heard::Audio(word(8))
        }
        _ => Heard::Odd,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rtcp;
    use super::*;

    fn media(speech: Speech) -> Media {
        let address = |text: &str| text.parse().unwrap();
        let (to, control) = (address("192.0.2.1:4000"), address("192.0.2.1:4001"));
        let target = Target { to, control, direction: Direction::SendRecv, codec: Codec::Pcmu };
        Media::new(Instant::EPOCH, address("192.0.2.9:5000"), target, speech, (0x40, u16::MAX))
    }

    fn packets(media: &mut Media, until_ms: u64) -> Vec<Packet> {
        let end = Instant::EPOCH + Duration::from_millis(until_ms);
        std::iter::from_fn(|| media.poll(end)).collect()
    }

    #[test]
    fn fifty_packets_a_second() {
        let mut media = media(Speech::default());
        let packets = packets(&mut media, 999);
        assert_eq!(packets.len(), 50);
        assert!(packets.iter().all(|packet| heard(&packet.bytes) == Heard::Audio(0x40)));
        assert_ne!(packets[0].bytes[2..8], packets[1].bytes[2..8], "sequence and timestamp move");
    }

    #[test]
    fn a_burst_follows_each_change_and_few_packets_each_pause_with_a_report() {
        let mut media = media(Speech { rtcp: Rtcp::Named, renews_source: true, ..Speech::bursts(5, 1000) });
        let kinds =
            |packets: Vec<Packet>| -> Vec<Heard> { packets.iter().map(|packet| heard(&packet.bytes)).collect() };
        let (audio, control) = (Heard::Audio(0x40), Heard::Control(0x40));
        assert_eq!(kinds(packets(&mut media, 900)), [audio, control, audio, audio, audio, audio]);
        assert_eq!(kinds(packets(&mut media, 1200)), [control, audio, audio]);
        let now = Instant::EPOCH + Duration::from_millis(1300);
        media.redirect(now, Target { direction: Direction::RecvOnly, ..media.target }, 1);
        assert_eq!(media.next_at(), None);
        media.redirect(now, Target { direction: Direction::SendRecv, codec: Codec::Pcma, ..media.target }, 7);
        let resumed = packets(&mut media, 1310);
        assert_eq!(resumed[0].bytes[1], 8, "it speaks what was agreed");
        assert_eq!(kinds(resumed), [Heard::Audio(0x41)], "another source");
    }

    #[test]
    fn no_two_calls_have_a_source_in_common() {
        let all: std::collections::BTreeSet<u32> =
            (0..100).flat_map(|call| ["u1", "u2"].map(|user| base_of(user, call))).collect();
        assert!(all.len() == 200 && all.iter().all(|base| base >> 31 == 0 && base % SOURCES == 0));
        assert_eq!(base(base_of("u1", 7) + 15), base_of("u1", 7));
    }
}
