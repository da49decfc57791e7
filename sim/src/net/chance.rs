//! The chances of one link: a small stream of draws for every datagram, named by the link, the key of the datagram and
//! its number among the datagrams of that key.
//!
//! So nothing shifts: neither another key's datagrams, nor how many draws the datagram before has taken, change what
//! becomes of this one. That is what lets a failure shrink.

use crosspoint_core::rng::Stream;
use crosspoint_core::time::Instant;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// How long datagrams are counted before all counts begin anew, so that memory is flat over a day of calls. The hour is
/// part of a stream's name, so no draw comes twice.
const PERIOD_US: u64 = 3600 * 1_000_000;

/// What a link remembers of one key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    datagrams: u32,
    /// Whether the chain of [`super::Burst`] is in its bad state.
    pub(super) is_in_burst: bool,
}

/// The chances of one link.
#[derive(Debug)]
pub(super) struct Chances {
    name: u64,
    period: u64,
    counts: BTreeMap<u64, Count>,
}

impl Chances {
    /// Chances under a name drawn from this stream.
    pub(super) fn new(mut stream: Stream) -> Chances {
        Chances { name: stream.next_u64(), period: 0, counts: BTreeMap::new() }
    }

    /// The draws for the next datagram of this key, and what is remembered of the key.
    pub(super) fn next(&mut self, now: Instant, key: u64) -> (Draws, &mut Count) {
        let period = now.as_micros() / PERIOD_US;
        if period != self.period {
            self.period = period;
            self.counts.clear();
        }
        let count = self.counts.entry(key).or_default();
        count.datagrams += 1;
        (Draws::named([self.name, period, key, count.datagrams.into()]), count)
    }
}

/// A stream of draws, short and cheap: SplitMix64 (Steele, Lea, Flood 2014) from a state that only the name decides.
#[derive(Debug)]
pub(super) struct Draws(u64);

impl Draws {
    /// The draws of this name.
    pub(super) fn named(name: impl IntoIterator<Item = u64>) -> Draws {
        Draws(name.into_iter().fold(0, |state, part| mixed(state ^ mixed(part.wrapping_add(GOLDEN)))))
    }

    /// The next 64 bits.
    pub(super) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// A value in `0..=most`.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        ((u128::from(self.next_u64()) * (u128::from(most) + 1)) >> 64) as u64
    }

    /// Whether it comes to something this likely.
    pub(super) fn is(&mut self, permille: u64) -> bool {
        self.up_to(999) < permille
    }
}

/// An address as a part of a name.
pub(super) fn address_words(address: SocketAddr) -> [u64; 3] {
    let ip = match address.ip() {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    };
    [ip as u64, (ip >> 64) as u64, u64::from(address.port())]
}

/// The step of SplitMix64: 2^64 over the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosspoint_core::rng::Seed;

    fn chances() -> Chances {
        Chances::new(Stream::new(Seed::from_number(7), 1))
    }

    #[test]
    fn the_draws_of_a_key_hang_on_nothing_but_that_key() {
        let (mut with, mut without) = (chances(), chances());
        for n in 0..100 {
            let now = Instant::from_micros(n);
            with.next(now, 5).0.next_u64();
            let (mut a, mut b) = (with.next(now, 6).0, without.next(now, 6).0);
            assert_eq!([a.next_u64(), a.next_u64()], [b.next_u64(), b.next_u64()]);
        }
    }

    #[test]
    fn no_draw_comes_twice_and_no_count_is_kept_for_good() {
        let mut chances = chances();
        let mut seen = std::collections::BTreeSet::new();
        for hour in 0..5 {
            for key in (0..100).map(|n| 1000 * hour + n) {
                let now = Instant::from_micros(hour * PERIOD_US + key);
                assert!(seen.insert(chances.next(now, key).0.next_u64()));
                assert!(seen.insert(chances.next(now, key).0.next_u64()));
            }
            assert_eq!(chances.counts.len(), 100);
        }
    }
}
