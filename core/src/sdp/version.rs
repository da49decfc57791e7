//! The count of one leg's descriptions: the `o=` line says of each which it is (RFC 8866 §5.2).
//!
//! A description that passes keeps its body, but not its number: the switch may have refused one that the other leg never
//! saw, or have shown one of another phone before. What goes out on a leg rises by one where it differs from the last
//! that went out there, and by nothing where it does not (RFC 3264 §8).

use super::scan::{Origin, lines, offset_in};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Ids of the switch's own begin here: all have 19 digits, so that no length tells what was digested, and fit 63 bits.
const ID_FLOOR: u64 = 1_000_000_000_000_000_000;

/// The last description that went out on a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The session's number on this leg.
    pub id: u64,
    /// Its version.
    pub version: u64,
    /// Of all that it says but `o=`.
    digest: u64,
}

impl Version {
    /// That of a body which is to go out after the one of `last`; the first keeps its writer's numbers, where they are any.
    pub fn next(last: Option<Version>, body: &[u8]) -> Version {
        let digest = digest(body);
        match last {
            Some(last) if last.digest == digest => last,
            Some(last) => Version { version: last.version.wrapping_add(1), digest, ..last },
            None => {
                let written = lines(body).find(|line| line.kind == b'o').and_then(|line| Origin::parse(line.value));
                let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse().ok();
                let id = written.and_then(|origin| number(origin.id)).unwrap_or(ID_FLOOR + digest % ID_FLOOR);
                let version = written.and_then(|origin| number(origin.version)).unwrap_or(1);
                Version { id, version, digest }
            }
        }
    }
}

/// Of all but the `o=` line. Two bodies that differ have the same one time in 2^64: the only harm is a version that stays.
fn digest(body: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    let (before, behind) = match lines(body).find(|line| line.kind == b'o') {
        Some(origin) => {
            let start = offset_in(origin.whole, body);
            (&body[..start], &body[start + origin.whole.len()..])
        }
        None => (body, &body[..0]),
    };
    hasher.write(before);
    hasher.write(behind);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn the_version_rises_by_one_with_each_change_whatever_the_writer_counts() {
        let first = Version::next(None, b"v=0\r\no=a 7 3 IN IP4 192.0.2.1\r\nm=audio 4 RTP/AVP 0\r\n");
        assert_eq!((first.id, first.version), (7, 3));
        let again = Version::next(Some(first), b"v=0\r\no=a 7 9 IN IP4 192.0.2.1\r\nm=audio 4 RTP/AVP 0\r\n");
        assert_eq!((again.id, again.version), (7, 3), "nothing has changed but the count");
        let other = Version::next(Some(again), b"v=0\r\no=b 1 1 IN IP4 192.0.2.2\r\nm=audio 6 RTP/AVP 0\r\n");
        assert_eq!((other.id, other.version), (7, 4));
    }

    #[test]
    fn numbers_that_cannot_be_read_are_replaced() {
        let huge = Version::next(None, b"v=0\r\no=- 99999999999999999999 x IN IP4 192.0.2.1\r\n");
        assert_eq!(huge.version, 1);
        assert!(huge.id < 1 << 63, "it fits every reader's 64 bits, signed or not");
    }
}
