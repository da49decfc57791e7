//! How many calls a range of ports is good for, counted both ways (behaviour 1(g)).

use std::ops::RangeInclusive;

/// Calls that are relayed at once, at most. Each has two legs of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Ports of the range.
    pub ports: u32,
    /// Calls where RTCP is multiplexed or off: one port a leg.
    pub calls_with_single_ports: u32,
    /// Calls where RTCP has a port of its own: a pair a leg.
    pub calls_with_pairs: u32,
}

impl Capacity {
    /// Of these ports, divided among `shards` (at least 1): both legs of a call are on one shard, so that what one has
    /// left over does not help another.
    ///
    /// ```
    /// use crosspoint_core::ports::Capacity;
    ///
    /// let capacity = Capacity::of(10_000..=39_999, 1);
    /// assert_eq!((capacity.ports, capacity.calls_with_single_ports, capacity.calls_with_pairs), (30_000, 15_000, 7_500));
    /// ```
    pub fn of(ports: RangeInclusive<u16>, shards: u16) -> Capacity {
        let nothing = RangeInclusive::new(1, 0);
        let ranges = super::Range::split(ports, &nothing, shards);
        let total = |each: fn(&super::Range) -> u32| ranges.iter().map(each).sum();
        Capacity {
            ports: total(|range| range.counts().total()),
            calls_with_single_ports: total(|range| range.counts().total() / 2),
            calls_with_pairs: total(|range| range.free_pairs() / 2),
        }
    }
}

impl std::fmt::Display for Capacity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} ports: {} calls with one port a leg, {} with a pair a leg",
            self.ports, self.calls_with_single_ports, self.calls_with_pairs
        )
    }
}
