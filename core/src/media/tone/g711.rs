//! ITU-T G.711: one octet for one sample, by mu-law or A-law. Samples are 16 bits with sign, as files have them; the
//! recommendation counts in 14 bits (mu-law) and 13 bits (A-law), which are the upper ones of these.

use serde::{Deserialize, Serialize};

/// Which of the two laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Law {
    /// PCMU, of North America and Japan.
    Mu,
    /// PCMA, of everywhere else.
    A,
}

/// Set in the octets of what is not negative, by both laws.
const SIGN: u8 = 0x80;

/// What mu-law adds to a magnitude of 14 bits, so that its segments begin at powers of two.
const MU_BIAS: u16 = 33;

/// The largest magnitude of mu-law with its bias: 13 bits.
const MU_MAX: u16 = 0x1fff;

/// Every second bit of A-law is sent inverted, so that silence is no long run of equal bits (G.711 table 1a, note 2).
const A_INVERTED: u8 = 0x55;

impl Law {
    /// The static RTP payload type (RFC 3551 §6): 0 or 8.
    pub fn payload_type(self) -> u8 {
        match self {
            Law::Mu => 0,
            Law::A => 8,
        }
    }

    /// The law of this payload type; `None` of any but 0 and 8.
    pub fn of_payload_type(payload_type: u8) -> Option<Law> {
        [Law::Mu, Law::A].into_iter().find(|law| law.payload_type() == payload_type)
    }

    /// The octet that stands for the sample. Magnitudes beyond the law's largest become the largest.
    pub fn encode(self, sample: i16) -> u8 {
        // the ones' complement, so that zero and minus one are equally far from the middle
        let magnitude = if sample < 0 { !sample } else { sample } as u16;
        let positive = match self {
            Law::Mu => encode_mu(magnitude >> 2),
            Law::A => encode_a(magnitude >> 4),
        };
        if sample < 0 { positive ^ SIGN } else { positive }
    }

    /// The sample in the middle of those that the octet stands for.
    pub fn decode(self, octet: u8) -> i16 {
        match self {
            Law::Mu => signed(decode_mu(!octet), octet),
            Law::A => signed(decode_a(octet ^ A_INVERTED), octet),
        }
    }
}

fn signed(magnitude: i16, octet: u8) -> i16 {
    if octet & SIGN == 0 { -magnitude } else { magnitude }
}

/// Of a magnitude of 13 bits: all bits of the code are sent inverted (G.711 table 2a, note 2).
fn encode_mu(magnitude: u16) -> u8 {
    let biased = (magnitude + MU_BIAS).min(MU_MAX);
    let segment = biased.ilog2() - 5;
    let step = (biased >> (segment + 1)) & 0xf;
    !((segment as u8) << 4 | step as u8)
}

/// Of the code as it was before its bits were inverted.
fn decode_mu(code: u8) -> i16 {
    let (segment, step) = (code >> 4 & 7, i16::from(code & 0xf));
    // the middle of a step, with the bias, in units of half a step of the first segment
    let biased = (2 * step + MU_BIAS as i16) << segment;
    (biased - MU_BIAS as i16) << 2
}

/// Of a magnitude of 11 bits. The steps of the first two segments are equally wide.
fn encode_a(magnitude: u16) -> u8 {
    let segment = if magnitude < 16 { 0 } else { magnitude.ilog2() - 3 };
    let step = (magnitude >> segment.saturating_sub(1)) & 0xf;
    (SIGN | (segment as u8) << 4 | step as u8) ^ A_INVERTED
}

/// Of the code with its bits turned back.
fn decode_a(code: u8) -> i16 {
    let (segment, step) = (code >> 4 & 7, i16::from(code & 0xf));
    let leading = if segment == 0 { 0 } else { 16 };
    ((leading + step) << 4 | 8) << segment.saturating_sub(1)
}
