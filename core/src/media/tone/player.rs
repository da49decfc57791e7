//! The RTP packets of a sound, each when it is due.
//!
//! Packet n of a stream is due n * 20 ms after its start and has the timestamp n * 160 after its first, whatever happens
//! in between: there is nothing that could drift. Silence is sent like everything else, since a translator on the way
//! forgets a stream that pauses, and phones take a pause of seconds for a lost call.

use super::g711::Law;
use super::{FRAME_MS, FRAME_SAMPLES, Sound};
use crate::limits::PLAYER_CATCH_UP;
use crate::media::rtp::{HEADER_BYTES, Header};
use crate::rng::Stream;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One packet: the header and 20 ms of G.711.
pub const PACKET_BYTES: usize = HEADER_BYTES + FRAME_SAMPLES;

/// One stream. It borrows the sound at each turn, so it is small and a snapshot of it too.
///
/// ```
/// use crosspoint_core::media::tone::{Cadence, Law, PACKET_BYTES, Player, Sound, Turn};
/// use crosspoint_core::rng::{Seed, Stream};
/// use crosspoint_core::time::Instant;
///
/// let ringback = Sound::Tone(Cadence::ringback());
/// let start = Instant::from_micros(1_000_000);
/// let mut player = Player::new(Law::A, start, &mut Stream::new(Seed::from_number(1), 9));
/// let mut packet = [0; PACKET_BYTES];
/// assert_eq!(player.turn(start, &ringback, &mut packet), Turn::Packet);
/// assert_eq!(packet[..2], [0x80, 0x80 | 8], "PCMA, with the marker of the first");
/// assert_eq!(player.turn(start, &ringback, &mut packet), Turn::Wait(Instant::from_micros(1_020_000)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Player {
    law: Law,
    ssrc: u32,
    /// When packet 0 is due.
    start: Instant,
    /// The timestamp of packet 0.
    first_timestamp: u32,
    /// The number of the packet that is due next.
    next: u64,
    /// The number of the packet with which the sound began.
    sound_from: u64,
    /// The sequence number of the next packet that is sent.
    sequence: u16,
    /// Whether packets have been left out before the next one, or none was sent yet.
    is_onset: bool,
}

/// What a player has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Send the packet that was written; then ask again, since more may be due.
    Packet,
    /// Nothing until then.
    Wait(Instant),
    /// The last packet has been heard to its end.
    Ended,
}

impl Player {
    /// A stream whose first packet is due at `start`. Source, first sequence number and first timestamp are chance, as
    /// RFC 3550 §5.1 wants it.
    pub fn new(law: Law, start: Instant, chance: &mut Stream) -> Player {
        let (numbers, sequence) = (chance.next_u64(), chance.next_u64());
        Player {
            law,
            ssrc: (numbers >> 32) as u32,
            start,
            first_timestamp: numbers as u32,
            next: 0,
            sound_from: 0,
            sequence: sequence as u16,
            is_onset: true,
        }
    }

    /// The synchronisation source of its packets.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// When its next packet is due, or the end of its last one.
    pub fn due(&self) -> Instant {
        self.start + Duration::from_millis(FRAME_MS.saturating_mul(self.next))
    }

    /// Begins another sound in the same stream, at the first packet that is not in the past: ringback and then why
    /// nobody answered.
    pub fn begin(&mut self, now: Instant, law: Law) {
        self.law = law;
        self.skip_to(self.due_by(now).saturating_sub(1));
        self.sound_from = self.next;
    }

    /// Writes the next packet of `sound` to `out` if it is due. To be called until there is nothing more to do.
    ///
    /// After a delay the missed packets follow at once, which a phone's buffer evens out; after one of more than
    /// [`PLAYER_CATCH_UP`] packets they are left out, and sound and timestamps go on where they would be without it.
    pub fn turn(&mut self, now: Instant, sound: &Sound, out: &mut [u8; PACKET_BYTES]) -> Turn {
        let end = self.end(sound);
        let due = self.due_by(now);
        if due.saturating_sub(self.next) > PLAYER_CATCH_UP {
            self.skip_to((due - 1).min(end));
        }
        if due <= self.next {
            return Turn::Wait(self.due());
        }
        if self.next >= end {
            return Turn::Ended;
        }
        let (header, payload) = out.split_first_chunk_mut().expect("a packet is longer than its header");
        *header = self.header().to_bytes();
        let payload = payload.try_into().expect("the rest of a packet is its payload");
        sound.write(self.next - self.sound_from, self.law, payload);
        self.next += 1;
        self.sequence = self.sequence.wrapping_add(1);
        self.is_onset = false;
        Turn::Packet
    }

    /// Leaves out what is due of `sound`, as there is nobody to send it to: sound and timestamps go on all the same.
    /// Says what comes next, never [`Turn::Packet`].
    pub fn pass(&mut self, now: Instant, sound: &Sound) -> Turn {
        let (due, end) = (self.due_by(now), self.end(sound));
        self.skip_to(due.min(end));
        if due <= self.next { Turn::Wait(self.due()) } else { Turn::Ended }
    }

    /// The number of the packet after the last of `sound`.
    fn end(&self, sound: &Sound) -> u64 {
        sound.frames().map_or(u64::MAX, |frames| self.sound_from.saturating_add(frames))
    }

    /// How many packets were due by then, from the first.
    fn due_by(&self, now: Instant) -> u64 {
        if now < self.start { 0 } else { now.since(self.start).as_millis() as u64 / FRAME_MS + 1 }
    }

    /// Leaves out the packets before this one.
    fn skip_to(&mut self, next: u64) {
        if next > self.next {
            self.next = next;
            self.is_onset = true;
        }
    }

    fn header(&self) -> Header {
        Header {
            payload_type: self.law.payload_type(),
            // RFC 3551 §4.1: set on the first packet after ones that were not sent, and on no other
            marker: self.is_onset,
            sequence: self.sequence,
            timestamp: self.first_timestamp.wrapping_add((self.next as u32).wrapping_mul(FRAME_SAMPLES as u32)),
            ssrc: self.ssrc,
        }
    }
}
