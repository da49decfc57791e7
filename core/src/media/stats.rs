//! What a leg sent and got, counted packet by packet (RFC 3550 A.1, A.3 and A.8), in integers.

use super::latch::Move;
use super::op::Party;
use super::rtcp::{ReportBlock, SenderInfo};
use super::rtp::Header;
use super::shard::{MediaDrop, Relay};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// A sequence number that is this far ahead or farther is a jump, not a gap: a minute of 20 ms packets (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3000;

/// A sequence number that is this far behind or farther is a jump, not a late packet (RFC 3550 A.1).
const MAX_MISORDER: u16 = 100;

/// What became of the datagrams that were fed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Given on to the other leg.
    pub forwarded: u64,
    /// Keep-alives, which are for us.
    pub consumed: u64,
    /// Dropped, by reason, in the order of [`MediaDrop::ALL`].
    pub dropped: [u64; MediaDrop::ALL.len()],
}

impl Tally {
    /// Counts one.
    pub fn count(&mut self, relay: Relay) {
        match relay {
            Relay::Forward { .. } => self.forwarded += 1,
            Relay::Consume => self.consumed += 1,
            Relay::Drop(why) => self.dropped[why as usize] += 1,
        }
    }

    /// How many were dropped for this reason.
    pub fn dropped_for(&self, why: MediaDrop) -> u64 {
        self.dropped[why as usize]
    }

    /// How many were fed.
    pub fn fed(&self) -> u64 {
        self.forwarded + self.consumed + self.dropped.iter().sum::<u64>()
    }
}

/// All about one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegStats {
    /// What became of what arrived at its sockets.
    pub tally: Tally,
    /// The media that came from its peer, whether or not the other leg could take it.
    pub received: Received,
    /// Media that went to its peer from the other end: the other leg's peer, or the switch where that is there.
    pub sent: Sent,
    /// Media that the switch sent to its peer instead.
    pub played: Sent,
    /// RTCP packets that came from its peer.
    pub rtcp_received: u64,
    /// RTCP packets that went to its peer.
    pub rtcp_sent: u64,
    /// What its peer last said of what it sent.
    pub sender: Option<SenderInfo>,
    /// What its peer last said of what it hears from the other leg.
    pub hears: Option<ReportBlock>,
    /// Where its RTP goes, and why.
    pub rtp: Move,
    /// Where its RTCP goes, and why, if it has a socket of its own.
    pub rtcp: Option<Move>,
}

/// Who sends and is sent nothing, while the call talks: one-way audio. The other one's peer is silent, or what it sends is
/// rejected, as its tally shows.
pub fn one_way(legs: &[LegStats; 2]) -> Option<Party> {
    Party::BOTH.into_iter().find(|party| {
        let leg = &legs[*party as usize];
        leg.received.packets > 0 && leg.sent.packets == 0
    })
}

/// Media that went to a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Datagrams.
    pub packets: u64,
    /// Their octets, headers of RTP included.
    pub bytes: u64,
}

impl Sent {
    pub(super) fn count(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}

/// Media that came. Of what is not RTP only packets and bytes are counted.
///
/// Every RTP packet is new, a duplicate or stray, and a new one is in order, ahead of a gap, or reordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Datagrams.
    pub packets: u64,
    /// Their octets, headers of RTP included.
    pub bytes: u64,
    /// Packets of telephone-event (RFC 4733).
    pub events: u64,
    /// Times that the synchronization source changed.
    pub ssrc_changes: u64,
    /// Times that the payload type changed, telephone-event left out.
    pub payload_changes: u64,
    /// Times that sequence numbers were left out; some may have come later.
    pub gaps: u64,
    /// Packets that came after one with a higher number.
    pub reordered: u64,
    /// Packets that had come before.
    pub duplicates: u64,
    /// Packets whose number was far from all others.
    pub strays: u64,
    /// Times that two such in a row showed that the sender counts anew.
    pub restarts: u64,
    /// Lost of earlier sources and before restarts.
    lost_before: u64,
    payload_type: Option<u8>,
    run: Option<Run>,
}

/// Consecutive numbers of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    ssrc: u32,
    /// The lowest and the highest number, extended by its cycles, which begin at 1 so that nothing is below 0.
    lowest: u64,
    highest: u64,
    /// Different numbers that came.
    came: u64,
    /// Bit `n`: number `highest - n` came.
    seen: u128,
    /// The number after a stray one.
    after_stray: Option<u16>,
    /// Of the packet before: arrival minus timestamp, in clock units (A.8).
    transit: Option<u32>,
    /// 16 times the jitter (A.8).
    jitter_16: u64,
}

impl Received {
    /// Counts a datagram that is not RTP.
    pub(super) fn take_datagram(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }

    /// Counts a packet of RTP that arrived at `now`, on a clock of `clock_hz`.
    pub(super) fn take(&mut self, now: Instant, header: Header, bytes: usize, clock_hz: u32, is_event: bool) {
        self.take_datagram(bytes);
        if is_event {
            self.events += 1;
        } else {
            let before = self.payload_type.replace(header.payload_type);
            self.payload_changes += u64::from(before.is_some_and(|before| before != header.payload_type));
        }
        match &self.run {
            Some(run) if run.ssrc == header.ssrc => self.order(header.sequence),
            before => {
                self.ssrc_changes += u64::from(before.is_some());
                self.begin(Run::new(header.ssrc, header.sequence));
            }
        }
        // the timestamp of an event stands still while the event lasts (RFC 4733 §2.3.2)
        if let Some(run) = self.run.as_mut().filter(|_| !is_event) {
            run.time(clock_units(now, clock_hz).wrapping_sub(header.timestamp));
        }
    }

    /// Packets that never came, between the lowest and the highest number of each source (A.3).
    pub fn lost(&self) -> u64 {
        self.lost_before + self.run.map_or(0, |run| run.lost())
    }

    /// Interarrival jitter of the source that sends now, in units of its clock (RFC 3550 §6.4.1, A.8).
    pub fn jitter(&self) -> u64 {
        self.run.map_or(0, |run| run.jitter_16 >> 4)
    }

    /// The source that sends now.
    pub fn ssrc(&self) -> Option<u32> {
        self.run.map(|run| run.ssrc)
    }

    /// The payload type that came last, telephone-event left out.
    pub fn payload_type(&self) -> Option<u8> {
        self.payload_type
    }

    fn begin(&mut self, run: Run) {
        self.lost_before = self.lost();
        self.run = Some(run);
    }

    /// Places a sequence number among those that came.
    fn order(&mut self, sequence: u16) {
        let run = self.run.as_mut().expect("only a packet of the run's source is placed in it");
        let ahead = sequence.wrapping_sub(run.highest as u16);
        let behind = ahead.wrapping_neg();
        if (1..MAX_DROPOUT).contains(&ahead) {
            self.gaps += u64::from(ahead > 1);
            run.advance(ahead);
        } else if behind < MAX_MISORDER {
            match run.is_first(behind) {
                true => self.reordered += 1,
                false => self.duplicates += 1,
            }
        } else if run.after_stray == Some(sequence) {
            self.restarts += 1;
            let anew = Run { jitter_16: run.jitter_16, ..Run::new(run.ssrc, sequence) };
            self.begin(anew);
        } else {
            self.strays += 1;
            run.after_stray = Some(sequence.wrapping_add(1));
        }
    }
}

impl Run {
    fn new(ssrc: u32, sequence: u16) -> Run {
        let number = 0x1_0000 | u64::from(sequence);
        Run { ssrc, lowest: number, highest: number, came: 1, seen: 1, after_stray: None, transit: None, jitter_16: 0 }
    }

    fn advance(&mut self, ahead: u16) {
        self.seen = self.seen.checked_shl(ahead.into()).unwrap_or(0) | 1;
        self.highest += u64::from(ahead);
        self.came += 1;
        self.after_stray = None;
    }

    /// Notes the number that is so far behind the highest; whether it had not come before.
    fn is_first(&mut self, behind: u16) -> bool {
        let bit = 1u128 << behind;
        let is_first = self.seen & bit == 0;
        self.seen |= bit;
        self.came += u64::from(is_first);
        self.lowest = self.lowest.min(self.highest - u64::from(behind));
        is_first
    }

    fn lost(&self) -> u64 {
        self.highest - self.lowest + 1 - self.came
    }

    /// The calculation of A.8, with room for any timestamp.
    fn time(&mut self, transit: u32) {
        if let Some(before) = self.transit.replace(transit) {
            let d = u64::from((transit.wrapping_sub(before) as i32).unsigned_abs());
            self.jitter_16 = self.jitter_16 + d - ((self.jitter_16 + 8) >> 4);
        }
    }
}

/// A time in clock units, modulo 2^32 like a timestamp.
fn clock_units(now: Instant, clock_hz: u32) -> u32 {
    let (seconds, us) = (now.as_micros() / 1_000_000, now.as_micros() % 1_000_000);
    let rest = us * u64::from(clock_hz) / 1_000_000;
    (seconds as u32).wrapping_mul(clock_hz).wrapping_add(rest as u32)
}

#[cfg(test)]
mod tests;
