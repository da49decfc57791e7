//! What the echo number sends back: each packet as it came, under a source of ours.
//!
//! The packet is changed in place, twelve bytes of it. Sequence numbers and timestamps are theirs with something added,
//! so the phone measures the loss, reordering and jitter of the way there and back; counting them anew would hide them.

use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// The number that answers with an echo, of the configuration that is built in.
pub const ECHO_NUMBER: &str = "9000";

/// The fixed header of RFC 3550 §5.1.
const HEADER_BYTES: usize = 12;

/// RTCP packet types in the octet where RTP has marker and payload type (RFC 5761 §4).
const RTCP_TYPES: std::ops::RangeInclusive<u8> = 192..=223;

/// One echo. It changes nothing of itself, so that packets may come in any order, and from a source that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    payload_type: u8,
    /// Not zero: a phone that sees its own source takes the packet for a loop (RFC 3550 §8.2).
    ssrc_mask: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
}

/// Why a packet is not sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEchoed {
    /// It ends within its header.
    #[error("it is shorter than an RTP header")]
    Short,
    /// STUN, DTLS or anything else.
    #[error("it is no RTP of version 2")]
    Version,
    /// A report is about one way, and would be false of the other.
    #[error("it is RTCP")]
    Rtcp,
    /// Another payload type than that of the answer, such as telephone-event: digits that come back would be dialled.
    #[error("it has payload type {0}, which was not agreed on")]
    PayloadType(u8),
}

impl Echo {
    /// An echo of the one payload type, 0 to 127, that the answer named. How it is coded does not matter.
    pub fn new(payload_type: u8, chance: &mut Stream) -> Echo {
        let (numbers, sequence) = (chance.next_u64(), chance.next_u64());
        Echo {
            payload_type,
            ssrc_mask: (numbers >> 32) as u32 | 1,
            sequence_offset: sequence as u16,
            timestamp_offset: numbers as u32,
        }
    }

    /// Makes the packet the one to send back, at once.
    ///
    /// # Errors
    /// Why it is not sent back; it is unchanged then.
    pub fn turn(&self, packet: &mut [u8]) -> Result<(), NotEchoed> {
        let header: &mut [u8; HEADER_BYTES] = packet.first_chunk_mut().ok_or(NotEchoed::Short)?;
        if header[0] >> 6 != 2 {
            return Err(NotEchoed::Version);
        }
        if RTCP_TYPES.contains(&header[1]) {
            return Err(NotEchoed::Rtcp);
        }
        let payload_type = header[1] & 0x7f;
        if payload_type != self.payload_type {
            return Err(NotEchoed::PayloadType(payload_type));
        }
        let [_, _, s0, s1, t0, t1, t2, t3, ssrc @ ..] = *header;
        let sequence = u16::from_be_bytes([s0, s1]).wrapping_add(self.sequence_offset);
        let timestamp = u32::from_be_bytes([t0, t1, t2, t3]).wrapping_add(self.timestamp_offset);
        header[2..4].copy_from_slice(&sequence.to_be_bytes());
        header[4..8].copy_from_slice(&timestamp.to_be_bytes());
        header[8..].copy_from_slice(&(u32::from_be_bytes(ssrc) ^ self.ssrc_mask).to_be_bytes());
        Ok(())
    }
}
