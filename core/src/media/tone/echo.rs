//! What the echo number sends back: each packet as it came, under a source of ours.
//!
//! The packet is changed in place, ten bytes of it. Sequence numbers and timestamps are theirs with something added,
//! so the phone measures the loss, reordering and jitter of the way there and back; counting them anew would hide them.

use crate::media::rtcp::is_rtcp;
use crate::media::rtp::{HEADER_BYTES, Header};
use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// The number that answers with an echo, of the configuration that is built in.
pub const ECHO_NUMBER: &str = "9000";

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
    /// STUN, DTLS or anything else, or cut short.
    #[error("it is no RTP")]
    NotRtp,
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
        if is_rtcp(packet) {
            return Err(NotEchoed::Rtcp);
        }
        let header = Header::read(packet).ok_or(NotEchoed::NotRtp)?;
        if header.payload_type != self.payload_type {
            return Err(NotEchoed::PayloadType(header.payload_type));
        }
        let ours = Header {
            sequence: header.sequence.wrapping_add(self.sequence_offset),
            timestamp: header.timestamp.wrapping_add(self.timestamp_offset),
            ssrc: header.ssrc ^ self.ssrc_mask,
            ..header
        };
        // the first octet stays: it counts what else stands before the payload
        packet[1..HEADER_BYTES].copy_from_slice(&ours.to_bytes()[1..]);
        Ok(())
    }
}
