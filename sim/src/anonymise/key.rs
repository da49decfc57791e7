//! The secret of one anonymisation, and the permutations that follow from it.

use crosspoint_core::rng::{Seed, Stream};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Most values that a permutation has.
const VALUES: usize = 256;

/// What is replaced; each kind has permutations of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Numbers, names, the labels of hosts, and the words of free text.
    Word = 1,
    /// Tags, branches, Call-IDs, nonces.
    Id,
    /// Passwords.
    Password,
    /// Hexadecimal digits.
    Hex,
    /// Octets of IPv4 addresses.
    V4,
    /// Hexadecimal digits of IPv6 addresses.
    V6,
    /// Bodies that are no text.
    Binary,
}

/// The key.
#[derive(Clone, Copy)]
pub(super) struct Key(u64, u64);

/// What stands before the next symbol: it decides which permutation holds there.
#[derive(Clone)]
pub(super) struct Context(SipHasher13);

impl Key {
    /// The key of this number that follows from the seed.
    pub(super) fn new(seed: Seed, number: u64) -> Key {
        let mut stream = Stream::new(seed, number);
        Key(stream.next_u64(), stream.next_u64())
    }

    /// The context of the first symbol of this kind; `place` tells beginnings apart.
    pub(super) fn context(&self, kind: Kind, place: usize) -> Context {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write_u8(kind as u8);
        hasher.write_u64(place as u64);
        Context(hasher)
    }
}

impl Context {
    /// A symbol more stands before the next one.
    pub(super) fn push(&mut self, symbol: u8) {
        self.0.write_u8(symbol);
    }

    /// Where the one of this rank goes among `count` (at most 256) that may be exchanged here; `group` tells groups apart.
    /// Nothing stays where it is, unless it is alone.
    pub(super) fn exchange(&self, group: u8, count: usize, rank: usize) -> usize {
        let mut hasher = self.0;
        hasher.write_u16(u16::from(group) | 0x100);
        let mut draw = hasher.finish();
        let mut order = [0; VALUES];
        order.iter_mut().take(count).enumerate().for_each(|(i, value)| *value = i as u8);
        // Sattolo's algorithm: one cycle through all of them
        for last in (1..count).rev() {
            draw = draw.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let other = ((u128::from(mix(draw)) * last as u128) >> 64) as usize;
            order.swap(last, other);
        }
        usize::from(order[rank])
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
