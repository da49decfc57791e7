//! The port numbers of one shard: which are free, and which of these is taken next.

use super::bag::Bag;
use crate::rng::Stream;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Single ports are taken from broken pairs once so many ports stand alone. Fewer would let a sender guess the next port
/// with a better chance than one in 2^8; without it, calls with single ports would break every pair there is.
const LONE_PORTS: usize = 1 << 8;

/// What is true of a port number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortState {
    /// Anybody's.
    Free,
    /// Of a lease: asked for, open ahead of demand, or with a leg.
    Used,
    /// Of a lease that is over, while packets of the old call may still come.
    Quarantined,
    /// Some other process has it: not tried again for a while.
    Shelved,
    /// Not one of the range: the other half of a pair that the range cuts, or a port of another range.
    Outside,
}

/// How many ports of a range are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Ports to be had.
    pub free: u32,
    /// Ports of leases that are asked for or open.
    pub used: u32,
    /// Ports that wait for late packets to end.
    pub quarantined: u32,
    /// Ports that could not be bound.
    pub shelved: u32,
}

impl Counts {
    /// All ports of the range.
    pub fn total(self) -> u32 {
        self.free + self.used + self.quarantined + self.shelved
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            free: self.free + other.free,
            used: self.used + other.used,
            quarantined: self.quarantined + other.quarantined,
            shelved: self.shelved + other.shelved,
        }
    }

    fn of(&mut self, state: PortState) -> Option<&mut u32> {
        match state {
            PortState::Free => Some(&mut self.free),
            PortState::Used => Some(&mut self.used),
            PortState::Quarantined => Some(&mut self.quarantined),
            PortState::Shelved => Some(&mut self.shelved),
            PortState::Outside => None,
        }
    }
}

/// Consecutive pairs of an even port and the odd one above it (RFC 3550 §11), of which single ports may be taken too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The even port of the first pair.
    first: u16,
    /// By port, from `first` on.
    states: Vec<PortState>,
    /// Pairs of which both ports are free.
    whole: Bag,
    /// Pairs of which one port is free.
    broken: Bag,
    counts: Counts,
}

impl Range {
    /// `ports` but for those in `except`, divided into one range for each of `shards` (at least 1) with no pair in two of
    /// them, the first ones a pair larger where it does not come out even. A range has no port where there are fewer
    /// pairs than shards.
    pub fn split(ports: RangeInclusive<u16>, except: &RangeInclusive<u16>, shards: u16) -> Vec<Range> {
        let first_pair = ports.start() / 2;
        let pairs = (ports.end() / 2 + 1).saturating_sub(first_pair);
        let (size, larger) = (pairs / shards.max(1), pairs % shards.max(1));
        let mut begin = first_pair;
        let mut ranges = Vec::new();
        for shard in 0..shards.max(1) {
            let size = size + u16::from(shard < larger);
            ranges.push(Range::new(begin, size, |port| ports.contains(&port) && !except.contains(&port)));
            begin += size;
        }
        ranges
    }

    fn new(first_pair: u16, pairs: u16, is_inside: impl Fn(u16) -> bool) -> Range {
        // A range that begins beyond the last pair has no pair, so that its first port names nothing.
        let first = first_pair.wrapping_mul(2);
        let mut range = Range {
            first,
            states: vec![PortState::Outside; 2 * usize::from(pairs)],
            whole: Bag::new(pairs),
            broken: Bag::new(pairs),
            counts: Counts::default(),
        };
        for offset in 0..range.states.len() {
            let port = first + offset as u16;
            if is_inside(port) {
                range.set(port, false, PortState::Free);
            }
        }
        range
    }

    /// Ports by state.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What is true of this port.
    pub fn state(&self, port: u16) -> PortState {
        let offset = port.checked_sub(self.first).map(usize::from);
        offset.and_then(|offset| self.states.get(offset)).copied().unwrap_or(PortState::Outside)
    }

    /// Pairs of which both ports are free.
    pub fn free_pairs(&self) -> u32 {
        self.whole.len() as u32
    }

    /// Whether [`Range::take`] would find something.
    pub fn has_room(&self, is_pair: bool) -> bool {
        self.whole.len() > 0 || (!is_pair && self.broken.len() > 0)
    }

    /// Takes a free port, or the even one of a free pair, by chance: who sends to a port that it was not told has to guess
    /// (user-pains 2). Constant time however full the range is; `None` where there is none.
    pub fn take(&mut self, chance: &mut Stream, is_pair: bool) -> Option<u16> {
        let port = if is_pair { self.first + 2 * self.whole.draw(chance)? } else { self.single(chance)? };
        self.set(port, is_pair, PortState::Used);
        Some(port)
    }

    /// A free port: any of them, but one of a broken pair where there is choice enough among these.
    fn single(&self, chance: &mut Stream) -> Option<u16> {
        let (lone, paired) = (self.broken.len(), 2 * self.whole.len());
        let choices = if lone >= LONE_PORTS { lone } else { lone + paired };
        let choice = chance.below(choices as u64) as usize;
        if choice >= choices {
            return None;
        }
        if choice >= lone {
            let choice = choice - lone;
            return Some(self.first + 2 * self.whole.at(choice / 2) + (choice % 2) as u16);
        }
        let even = self.first + 2 * self.broken.at(choice);
        Some(if self.state(even) == PortState::Free { even } else { even + 1 })
    }

    /// Puts the port, or the pair that begins with it, into another state.
    ///
    /// # Panics
    /// Where it is not one of the range.
    pub fn set(&mut self, port: u16, is_pair: bool, state: PortState) {
        let offset = usize::from(port - self.first);
        for old in &mut self.states[offset..=offset + usize::from(is_pair)] {
            if let Some(count) = self.counts.of(*old) {
                *count -= 1;
            }
            *old = state;
            if let Some(count) = self.counts.of(state) {
                *count += 1;
            }
        }
        let pair = offset / 2;
        let free = self.states[2 * pair..2 * pair + 2].iter().filter(|state| **state == PortState::Free).count();
        self.whole.set(pair as u16, free == 2);
        self.broken.set(pair as u16, free == 1);
    }
}
