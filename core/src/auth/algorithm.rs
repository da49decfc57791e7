//! The hash algorithms of digest and what they make.

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use sha2::{Sha256, Sha512_256};
use subtle::ConstantTimeEq;

/// A digest algorithm (RFC 7616 §6.1, RFC 8760 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// What every SIP client knows.
    Md5,
    /// What RFC 8760 asks of every new one.
    Sha256,
    /// SHA-512/256 of FIPS 180-4; the digests printed in RFC 7616 §3.9.2 are of a cut SHA-512 and wrong.
    Sha512_256,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256];

    /// The name in a challenge.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512_256 => "SHA-512-256",
        }
    }

    /// The algorithm of this name, in any case; a `-sess` name is none.
    pub fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::of(name.as_bytes())
    }

    pub(super) fn of(name: &[u8]) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| name.eq_ignore_ascii_case(algorithm.name().as_bytes()))
    }

    /// The hash of these parts, written one after the other.
    pub fn hash(self, parts: &[&[u8]]) -> Hash {
        match self {
            Algorithm::Md5 => Hash::of::<Md5>(parts),
            Algorithm::Sha256 => Hash::of::<Sha256>(parts),
            Algorithm::Sha512_256 => Hash::of::<Sha512_256>(parts),
        }
    }
}

/// The longest hash in bytes.
const HASH_BYTES: usize = 32;

/// A hash of 16 or 32 bytes. Equality takes the same time wherever the difference is.
#[derive(Clone, Copy)]
pub struct Hash {
    bytes: [u8; HASH_BYTES],
    len: usize,
}

impl Hash {
    fn of<D: Digest>(parts: &[&[u8]]) -> Hash {
        let mut hasher = D::new();
        for part in parts {
            hasher.update(part);
        }
        Hash::from_bytes(&hasher.finalize()).expect("every algorithm here makes 16 or 32 bytes")
    }

    /// The hash that these 16 or 32 bytes are.
    pub fn from_bytes(bytes: &[u8]) -> Option<Hash> {
        let mut hash = Hash { bytes: [0; HASH_BYTES], len: bytes.len() };
        match bytes.len() {
            16 | HASH_BYTES => hash.bytes[..bytes.len()].copy_from_slice(bytes),
            _ => return None,
        }
        Some(hash)
    }

    /// The hash that these 32 or 64 hexadecimal digits are, in any case.
    pub fn from_hex(hex: &[u8]) -> Option<Hash> {
        let mut bytes = [0; HASH_BYTES];
        let out = bytes.get_mut(..hex.len() / 2)?;
        for (byte, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        if hex.len() % 2 == 1 {
            return None;
        }
        Hash::from_bytes(out)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Its lower-case hexadecimal digits, as they go into a further hash.
    pub fn hex(&self) -> Hex {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = Hex { digits: [0; 2 * HASH_BYTES], len: 2 * self.len };
        for (pair, byte) in hex.digits.chunks_exact_mut(2).zip(self.as_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }
}

/// The hexadecimal digits of a [`struct@Hash`].
pub struct Hex {
    digits: [u8; 2 * HASH_BYTES],
    len: usize,
}

impl AsRef<[u8]> for Hex {
    fn as_ref(&self) -> &[u8] {
        &self.digits[..self.len]
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

/// A hash may be an HA1, which is as good as the password, so it does not print.
impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(..)")
    }
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn names_are_read_in_any_case_and_sess_is_no_algorithm() {
        assert_eq!(Algorithm::parse("sha-512-256"), Some(Algorithm::Sha512_256));
        assert_eq!(Algorithm::parse("Md5"), Some(Algorithm::Md5));
        assert_eq!(Algorithm::parse("MD5-sess"), None);
        assert_eq!(Algorithm::parse("SHA256"), None);
    }

    #[test]
    fn hashes_agree_with_the_test_values_of_their_standards() {
        // RFC 1321 A.5; FIPS 180-4 examples of "abc"
        for (algorithm, expected) in [
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Algorithm::Sha512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ] {
            assert_eq!(algorithm.hash(&[b"a", b"", b"bc"]).hex().as_ref(), expected.as_bytes());
        }
    }

    #[test]
    fn hexadecimal_of_another_length_is_no_hash() {
        for hex in ["", "0", "00", &"0".repeat(31), &"0".repeat(33), &"0".repeat(66), &"g".repeat(32)] {
            assert!(Hash::from_hex(hex.as_bytes()).is_none(), "{hex}");
        }
    }

    quickcheck! {
        fn a_hash_survives_its_digits_in_either_case(data: Vec<u8>) -> bool {
            Algorithm::ALL.into_iter().all(|algorithm| {
                let hash = algorithm.hash(&[&data]);
                let upper = hash.hex().as_ref().to_ascii_uppercase();
                Hash::from_hex(hash.hex().as_ref()) == Some(hash) && Hash::from_hex(&upper) == Some(hash)
            })
        }
    }
}
