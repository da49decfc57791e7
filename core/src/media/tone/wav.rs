//! Reads a WAVE file: one channel at 8000 Hz, as 16-bit PCM or G.711. Everything else is refused with what it is, since
//! `sox in.wav -r 8000 -c 1 -b 16 out.wav` makes of it what is wanted, better than a switch would.
//!
//! Files are read as they are found: chunks in any order, with or without the byte that pads an odd one, sizes that a
//! program which wrote to a pipe could not know.

use super::SAMPLES_PER_S;
use super::g711::Law;
use super::sound::Recording;
use crate::limits::WAV_BYTES;

/// Encodings of a format chunk (`mmreg.h`).
const PCM: u16 = 1;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
/// The encoding stands in a GUID further on.
const EXTENSIBLE: u16 = 0xfffe;

/// Where that GUID begins in the chunk, with the encoding as its first two bytes.
const GUID_AT: usize = 24;
/// The rest of it.
const GUID_END: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// Why bytes are no recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// Too long to keep.
    #[error("it has {0} bytes, at most {WAV_BYTES} (ten minutes) are taken")]
    TooLong(usize),
    /// Another kind of file.
    #[error("it does not begin with RIFF and WAVE")]
    NotWave,
    /// It says nothing of its encoding.
    #[error("it has no format chunk")]
    NoFormat,
    /// The format chunk ends too early.
    #[error("its format chunk has {0} bytes, less than what it should hold")]
    ShortFormat(usize),
    /// Not one that is read.
    #[error("its encoding is {0:#06x}, only PCM (1), A-law (6) and mu-law (7) are read")]
    Encoding(u16),
    /// Stereo, mostly.
    #[error("it has {0} channels, not 1")]
    Channels(u16),
    /// Another rate than telephony's.
    #[error("it has {0} samples a second, not {SAMPLES_PER_S}")]
    Rate(u32),
    /// Another width than the encoding's.
    #[error("a sample has {found} bits, not {expected}")]
    Bits {
        /// What the file says.
        found: u16,
        /// What the encoding should have.
        expected: u16,
    },
    /// It says how, but not what.
    #[error("it has no data chunk")]
    NoData,
    /// Not a single sample.
    #[error("its data chunk is empty")]
    Empty,
}

impl Recording {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// What is not as it should be; the first that is found.
    pub fn read_wav(file: &[u8]) -> Result<Recording, WavError> {
        if file.len() > WAV_BYTES {
            return Err(WavError::TooLong(file.len()));
        }
        // the length that RIFF gives is left alone: it is wrong wherever a file was written to a pipe or cut short
        let [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', chunks @ ..] = file else {
            return Err(WavError::NotWave);
        };
        let (format, data) = find_chunks(chunks);
        let law = law_of(format.ok_or(WavError::NoFormat)?)?;
        let data = data.ok_or(WavError::NoData)?;
        let samples: Vec<i16> = match law {
            Some(law) => data.iter().map(|&octet| law.decode(octet)).collect(),
            // half a sample at the end is none
            None => data.as_chunks().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect(),
        };
        if samples.is_empty() { Err(WavError::Empty) } else { Ok(Recording { samples }) }
    }
}

/// The first format chunk and the first data chunk. Every turn takes the eight bytes of a chunk's head at least.
fn find_chunks(mut rest: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    let (mut format, mut data) = (None, None);
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [id @ .., s0, s1, s2, s3] = *head;
        let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        // a size beyond the end is that of a file cut short, or of one whose writer did not know it
        let (chunk, after) = after.split_at(size.min(after.len()));
        match &id {
            b"fmt " => format = format.or(Some(chunk)),
            b"data" => data = data.or(Some(chunk)),
            _ => {}
        }
        rest = past_padding(size, after);
    }
    (format, data)
}

/// A byte pads a chunk of odd size, but some writers leave it out; no identifier begins with anything but a letter.
fn past_padding(size: usize, after: &[u8]) -> &[u8] {
    match after {
        [pad, rest @ ..] if size % 2 == 1 && !pad.is_ascii_alphabetic() => rest,
        _ => after,
    }
}

/// The law of the samples, or `None` where they are 16-bit PCM. The rates in bytes and the size of a block follow from
/// the rest and are wrong often enough, so they are not looked at.
fn law_of(format: &[u8]) -> Result<Option<Law>, WavError> {
    let short = || WavError::ShortFormat(format.len());
    let &[e0, e1, c0, c1, r0, r1, r2, r3, _, _, _, _, _, _, b0, b1] = format.first_chunk().ok_or_else(short)?;
    let encoding = match u16::from_le_bytes([e0, e1]) {
        EXTENSIBLE => match format.get(GUID_AT..GUID_AT + 16).ok_or_else(short)? {
            [e0, e1, end @ ..] if *end == GUID_END => u16::from_le_bytes([*e0, *e1]),
            _ => EXTENSIBLE,
        },
        encoding => encoding,
    };
    let (law, expected) = match encoding {
        PCM => (None, 16),
        A_LAW => (Some(Law::A), 8),
        MU_LAW => (Some(Law::Mu), 8),
        _ => return Err(WavError::Encoding(encoding)),
    };
    let (channels, rate, found) =
        (u16::from_le_bytes([c0, c1]), u32::from_le_bytes([r0, r1, r2, r3]), u16::from_le_bytes([b0, b1]));
    if channels != 1 {
        return Err(WavError::Channels(channels));
    }
    if rate as usize != SAMPLES_PER_S {
        return Err(WavError::Rate(rate));
    }
    if found != expected { Err(WavError::Bits { found, expected }) } else { Ok(law) }
}
