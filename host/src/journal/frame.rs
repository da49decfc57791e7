//! Frames: how an entry lies in a journal file, so that a torn one is known for what it is.
//!
//! A frame is its payload's length (32 bits), its CRC-32 (32 bits), both little-endian, and the payload in postcard. A
//! process killed in the middle of a write leaves a torn frame at the end; everything before it stands.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest payload: a binding whose every text came from one datagram of 65,535 bytes, four times over.
const PAYLOAD_BYTES: usize = 1 << 18;

const HEAD_BYTES: usize = 8;

/// Appends the entry's frame to `out`; says whether it fits.
pub(super) fn push(out: &mut Vec<u8>, entry: &impl Serialize) -> bool {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD_BYTES]);
    let payload_at = out.len();
    if postcard::to_io(entry, &mut *out).is_err() || out.len() - payload_at > PAYLOAD_BYTES {
        out.truncate(start);
        return false;
    }
    let payload = &out[payload_at..];
    let length = u32::try_from(payload.len()).expect("PAYLOAD_BYTES is below 2^32");
    let checksum = crc32fast::hash(payload);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..payload_at].copy_from_slice(&checksum.to_le_bytes());
    true
}

/// What lies after the last whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Bytes before it, all good.
    pub good_bytes: usize,
    /// Bytes from there to the end of the file, of no use.
    pub lost_bytes: usize,
}

/// Reads frames until the end or the first that is not whole.
pub(super) struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Frames<'a> {
        Frames { bytes, at: 0 }
    }

    /// The next entry; `None` at the end and at a torn frame.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
        let rest = self.bytes.get(self.at..)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|n| *n <= PAYLOAD_BYTES)?;
        let payload = rest.get(..length)?;
        if crc32fast::hash(payload) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let entry = postcard::from_bytes(payload).ok()?;
        self.at += HEAD_BYTES + length;
        Some(entry)
    }

    /// What is left once [`Frames::next`] gives nothing more.
    pub(super) fn torn(&self) -> Option<Torn> {
        let lost_bytes = self.bytes.len() - self.at;
        (lost_bytes > 0).then_some(Torn { good_bytes: self.at, lost_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<(u32, String)>, Option<Torn>) {
        let mut frames = Frames::new(bytes);
        let entries = std::iter::from_fn(|| frames.next()).collect();
        (entries, frames.torn())
    }

    #[test]
    fn a_tail_torn_at_any_byte_costs_only_the_torn_frame() {
        let entries: Vec<(u32, String)> = (0..5).map(|i| (i, "x".repeat(i as usize * 3))).collect();
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for entry in &entries {
            assert!(push(&mut bytes, entry));
            ends.push(bytes.len());
        }
        for cut in 0..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            let torn = Torn { good_bytes: ends[whole], lost_bytes: cut - ends[whole] };
            let expected = (entries[..whole].to_vec(), (torn.lost_bytes > 0).then_some(torn));
            assert_eq!(read(&bytes[..cut]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_is_found() {
        let mut bytes = Vec::new();
        push(&mut bytes, &(7_u32, "seven"));
        for bit in 0..bytes.len() * 8 {
            let mut broken = bytes.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&broken).0, [], "bit {bit}");
        }
    }

    #[test]
    fn an_entry_too_long_is_refused_and_leaves_no_trace() {
        let mut bytes = vec![1, 2, 3];
        assert!(!push(&mut bytes, &"x".repeat(PAYLOAD_BYTES)));
        assert_eq!(bytes, [1, 2, 3]);
    }
}
