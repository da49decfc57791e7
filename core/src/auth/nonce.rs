//! Nonces that need no memory until they are answered, and the memory of those that were.
//!
//! A nonce is 128 bits in 22 characters: when it was made (40 bits of milliseconds), a serial number (24 bits), and 64
//! bits of SipHash-2-4 over both, the source address and the realm under the switch's own key. SipHash is made for
//! authenticating short messages, and a forger has one try per datagram.

use crate::limits;
use crate::rng::Stream;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::net::IpAddr;
use std::time::Duration;

/// How long a nonce may be used with rising counts once it has been answered in time. A phone that registers every
/// minute then needs a new one each fifth time; a captured answer is of no use after it.
pub(super) const LIFETIME: Duration = Duration::from_secs(300);

/// Counts below the highest that are still told apart: requests of one client may overtake each other (RFC 7616 §3.4).
const WINDOW: u32 = 64;

/// Characters of a nonce: 128 bits at 6 a character.
pub(super) const CHARACTERS: usize = 22;

/// The characters of a nonce; none needs escaping in a quoted string.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// When a nonce was made, and which one of that millisecond: orders nonces by age and is unique to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Stamp(u64);

impl Stamp {
    fn at(now: Instant, serial: u32) -> Stamp {
        Stamp(now.as_millis() << 24 | u64::from(serial & 0xff_ffff))
    }

    fn made(self) -> Instant {
        Instant::from_micros((self.0 >> 24) * 1000)
    }
}

/// Makes nonces and knows them again.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Mint {
    key: (u64, u64),
    serial: u32,
}

/// The key is a secret, so it does not print.
impl std::fmt::Debug for Mint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mint(..)")
    }
}

impl Mint {
    pub(super) fn new(chance: &mut Stream) -> Mint {
        Mint { key: (chance.next_u64(), chance.next_u64()), serial: 0 }
    }

    /// A new nonce for this source and realm.
    pub(super) fn make(&mut self, now: Instant, source: IpAddr, realm: &str) -> [u8; CHARACTERS] {
        self.serial = self.serial.wrapping_add(1);
        let stamp = Stamp::at(now, self.serial);
        encode(u128::from(stamp.0) << 64 | u128::from(self.seal(stamp, source, realm)))
    }

    /// The stamp of a nonce that was made here for this source and realm.
    pub(super) fn open(&self, nonce: &[u8], source: IpAddr, realm: &str) -> Option<Stamp> {
        let bits = decode(nonce)?;
        let stamp = Stamp((bits >> 64) as u64);
        let same: bool = subtle::ConstantTimeEq::ct_eq(&(bits as u64), &self.seal(stamp, source, realm)).into();
        same.then_some(stamp)
    }

    fn seal(&self, stamp: Stamp, source: IpAddr, realm: &str) -> u64 {
        let source = match source {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut hasher = SipHasher24::new_with_keys(self.key.0, self.key.1);
        hasher.write(&stamp.0.to_le_bytes());
        hasher.write(&source.octets());
        hasher.write(realm.as_bytes());
        hasher.finish()
    }
}

fn encode(mut bits: u128) -> [u8; CHARACTERS] {
    let mut out = [0; CHARACTERS];
    for character in &mut out {
        *character = ALPHABET[(bits & 63) as usize];
        bits >>= 6;
    }
    out
}

fn decode(nonce: &[u8]) -> Option<u128> {
    let characters: &[u8; CHARACTERS] = nonce.try_into().ok()?;
    let bits = characters.iter().rev().try_fold(0u128, |bits, character| {
        let digit = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        Some(bits << 6 | u128::from(digit))
    })?;
    // 22 characters carry 132 bits: of the 16 spellings of one value only ours counts
    (encode(bits) == *characters).then_some(bits)
}

/// Which counts of one nonce have been used.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Counts {
    highest: u32,
    /// Bit n: the count `highest - n` has been used.
    used: u64,
}

impl Counts {
    /// Uses this count; false where it was used before or is too far behind to tell.
    fn take(&mut self, count: u32) -> bool {
        if let Some(behind) = self.highest.checked_sub(count) {
            let bit = if behind < WINDOW { 1 << behind } else { return false };
            let fresh = self.used & bit == 0;
            self.used |= bit;
            return fresh;
        }
        self.used = self.used.checked_shl(count - self.highest).unwrap_or(0) | 1;
        self.highest = count;
        true
    }
}

/// The nonces that have been answered, by age, with their counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Answered {
    nonces: BTreeMap<Stamp, Counts>,
    /// Nonces up to this one may have been answered and forgotten, so one that is not here counts as used.
    forgotten: Option<Stamp>,
}

impl Answered {
    /// Why this nonce may not be used with this count now, if so; nothing is remembered yet.
    pub(super) fn refusal(
        &self,
        stamp: Stamp,
        count: u32,
        now: Instant,
        answer_within: Duration,
    ) -> Option<&'static str> {
        let age = now.since(stamp.made());
        if age > LIFETIME {
            return Some("auth.nonce-expired");
        }
        match self.nonces.get(&stamp) {
            Some(counts) => (!{ *counts }.take(count)).then_some("auth.nonce-replayed"),
            None if age > answer_within => Some("auth.answered-late"),
            None if self.forgotten.is_some_and(|forgotten| stamp <= forgotten) => Some("auth.nonce-forgotten"),
            None => None,
        }
    }

    /// Remembers that the nonce was accepted with this count, and forgets what has expired.
    pub(super) fn accept(&mut self, stamp: Stamp, count: u32, now: Instant) {
        self.nonces.entry(stamp).or_insert(Counts { highest: count, used: 0 }).take(count);
        // two for every one that comes: the table shrinks back after a rush, and the work stays bounded
        for _ in 0..2 {
            let Some((&oldest, _)) = self.nonces.first_key_value() else { return };
            let full = self.nonces.len() > limits::ANSWERED_NONCES;
            if !full && now.since(oldest.made()) <= LIFETIME {
                return;
            }
            self.nonces.pop_first();
            self.forgotten = Some(oldest);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nonces.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use quickcheck::quickcheck;

    const WITHIN: Duration = Duration::from_secs(10);

    fn ms(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    fn mint() -> Mint {
        Mint::new(&mut Stream::new(Seed::from_number(3), 2))
    }

    #[test]
    fn nonces_of_one_millisecond_differ() {
        let mut mint = mint();
        let source = "192.0.2.1".parse().unwrap();
        assert_ne!(mint.make(ms(5), source, "x"), mint.make(ms(5), source, "x"));
    }

    #[test]
    fn a_nonce_is_good_for_its_source_and_realm_alone() {
        let mut mint = mint();
        let source: IpAddr = "192.0.2.1".parse().unwrap();
        let nonce = mint.make(ms(5), source, "example.net");
        assert_eq!(mint.open(&nonce, source, "example.net").map(Stamp::made), Some(ms(5)));
        assert_eq!(mint.open(&nonce, "192.0.2.2".parse().unwrap(), "example.net"), None);
        assert_eq!(mint.open(&nonce, source, "example.org"), None);
        let other = Mint::new(&mut Stream::new(Seed::from_number(4), 2));
        assert_eq!(other.open(&nonce, source, "example.net"), None);
    }

    #[test]
    fn a_full_table_forgets_the_oldest_and_accepts_it_no_more() {
        let mut answered = Answered::default();
        let stamp = |n: usize| Stamp::at(ms(1), n as u32);
        for n in 0..=limits::ANSWERED_NONCES {
            answered.accept(stamp(n), 1, ms(2));
        }
        assert_eq!(answered.len(), limits::ANSWERED_NONCES);
        assert_eq!(answered.refusal(stamp(0), 2, ms(2), WITHIN), Some("auth.nonce-forgotten"));
        assert_eq!(answered.refusal(stamp(1), 2, ms(2), WITHIN), None);
        assert_eq!(answered.refusal(stamp(1), 1, ms(2), WITHIN), Some("auth.nonce-replayed"));
    }

    #[test]
    fn expired_nonces_leave_the_table() {
        let mut answered = Answered::default();
        for n in 0..100 {
            answered.accept(Stamp::at(ms(n), 0), 1, ms(n));
        }
        for n in 0..100 {
            answered.accept(Stamp::at(ms(400_000 + n), 0), 1, ms(400_000 + n));
        }
        assert_eq!(answered.len(), 100);
    }

    #[test]
    fn a_nonce_is_to_be_answered_soon_and_may_then_be_used_longer() {
        let mut answered = Answered::default();
        let stamp = Stamp::at(ms(0), 1);
        assert_eq!(answered.refusal(stamp, 1, ms(10_000), WITHIN), None);
        assert_eq!(answered.refusal(stamp, 1, ms(10_001), WITHIN), Some("auth.answered-late"));
        answered.accept(stamp, 1, ms(10_000));
        assert_eq!(answered.refusal(stamp, 2, ms(300_000), WITHIN), None);
        assert_eq!(answered.refusal(stamp, 2, ms(300_001), WITHIN), Some("auth.nonce-expired"));
    }

    quickcheck! {
        fn a_nonce_with_any_bit_changed_is_not_ours(at: u32, bit: u16) -> bool {
            let mut mint = mint();
            let source = "2001:db8::1".parse().unwrap();
            let mut nonce = mint.make(ms(u64::from(at)), source, "example.net");
            let bit = usize::from(bit) % (8 * CHARACTERS);
            nonce[bit / 8] ^= 1 << (bit % 8);
            mint.open(&nonce, source, "example.net").is_none()
        }

        fn bits_survive_their_characters(bits: (u64, u64)) -> bool {
            let bits = u128::from(bits.0) << 64 | u128::from(bits.1);
            decode(&encode(bits)) == Some(bits)
        }

        fn no_count_is_taken_twice(counts: Vec<u8>) -> bool {
            let mut window = Counts { highest: 0, used: 1 };
            let mut taken = std::collections::BTreeSet::from([0]);
            counts.into_iter().map(u32::from).all(|count| {
                let highest = *taken.last().expect("0 is in it");
                let fresh = count + WINDOW > highest && taken.insert(count);
                window.take(count) == fresh
            })
        }
    }
}
