//! All chance comes from one [`Seed`], through named streams.
//!
//! Tags, branches, Call-IDs and nonces must be unguessable (RFC 3261 §19.3), so the generator is ChaCha12 from a kept
//! crate. Every subsystem draws from a stream of its own: a new draw in one does not shift the values another sees.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// The only source of chance: 256 bits, from the operating system in production, from a number in tests.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// The seed that a test or a simulated world names by a number.
    pub fn from_number(number: u64) -> Seed {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Seed(bytes)
    }
}

/// A seed is a secret of the running switch, so it does not print.
impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// One stream of pseudo-random values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stream(ChaCha12Rng);

/// 32 letters and digits that need no escaping in any SIP token and cannot be misread for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

impl Stream {
    /// The stream of `seed` with this number; streams of different numbers are independent.
    pub fn new(seed: Seed, number: u64) -> Stream {
        let mut rng = ChaCha12Rng::from_seed(seed.0);
        rng.set_stream(number);
        Stream(rng)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A value in `0..bound`, near enough uniform for ports and jitter; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Fills `out` with random bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    /// A token of `N` characters carrying 5 bits each, for tags, branches and Call-IDs.
    pub fn token<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let mut bits = 0;
        for (i, byte) in out.iter_mut().enumerate() {
            // 12 characters of 5 bits from each draw of 64 bits
            if i % 12 == 0 {
                bits = self.next_u64();
            }
            *byte = ALPHABET[(bits & 31) as usize];
            bits >>= 5;
        }
        out
    }
}

/// The named streams of one switch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Streams {
    /// Tags, branches, Call-IDs.
    pub ids: Stream,
    /// The key under which nonces are made.
    pub nonce: Stream,
    /// Timer jitter, `Retry-After` values.
    pub jitter: Stream,
    /// Our own nonces in answers to challenges.
    pub cnonce: Stream,
    /// Ids of questions to nameservers, the order inside SRV sets.
    pub dns: Stream,
    /// Numbers of media ports.
    pub ports: Stream,
}

impl Streams {
    /// The streams of this seed.
    pub fn new(seed: Seed) -> Streams {
        let stream = |number| Stream::new(seed, number);
        Streams {
            ids: stream(1),
            nonce: stream(2),
            jitter: stream(3),
            cnonce: stream(4),
            dns: stream(5),
            ports: stream(6),
        }
    }
}

/// The chance of the media shard with this number. Those of the switch itself have smaller numbers.
pub fn media_stream(seed: Seed, shard: u16) -> Stream {
    const MEDIA: u64 = 1 << 16;
    Stream::new(seed, MEDIA | u64::from(shard))
}

/// The keys with which every [`crate::handle::Table`] of this seed hashes, so that a sender cannot choose collisions.
pub fn table_key(seed: Seed) -> (u64, u64) {
    let mut stream = Stream::new(seed, 0);
    (stream.next_u64(), stream.next_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_are_independent_and_repeatable() {
        let mut a = Streams::new(Seed::from_number(7));
        let mut b = Streams::new(Seed::from_number(7));
        b.nonce.next_u64();
        assert_eq!(a.ids.token::<16>(), b.ids.token::<16>());
        assert_ne!(a.ids.token::<16>(), a.jitter.token::<16>());
    }

    #[test]
    fn below_stays_below() {
        let mut stream = Stream::new(Seed::from_number(1), 9);
        for bound in [1, 2, 3, 1000] {
            assert!((0..100).all(|_| stream.below(bound) < bound));
        }
        assert_eq!(stream.below(0), 0);
    }

    #[test]
    fn a_seed_does_not_print() {
        assert_eq!(format!("{:?}", Seed::from_number(99)), "Seed(..)");
    }
}
