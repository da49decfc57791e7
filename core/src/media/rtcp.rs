//! RTCP as it passes: told from RTP, and what its reports say (RFC 3550 §6.4).
//!
//! A compound packet is walked once, within its own length and [`RTCP_PACKETS`]; what does not fit ends the walk.

use super::rtp::{VERSION, u16_at, u32_at};
use crate::limits::RTCP_PACKETS;
use serde::{Deserialize, Serialize};

/// Sender report (RFC 3550 §12.1).
const SENDER_REPORT: u8 = 200;
/// Receiver report.
const RECEIVER_REPORT: u8 = 201;

/// Octets of a report block (RFC 3550 §6.4.1).
const BLOCK_BYTES: usize = 24;

/// Whether a packet at a socket of RTP is RTCP: its type is in 192 to 223, which RTP leaves free by not using payload
/// types 64 to 95 (RFC 5761 §4).
pub fn is_rtcp(packet: &[u8]) -> bool {
    // the shortest RTCP packet is a header with one source: BYE, or RR without blocks
    packet.len() >= 4 && packet[0] >> 6 == VERSION && matches!(packet[1], 192..=223)
}

/// What a sender says of what it sent (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderInfo {
    /// Who.
    pub ssrc: u32,
    /// RTP packets sent.
    pub packets: u32,
    /// Octets of payload sent.
    pub payload_bytes: u32,
}

/// What a receiver says of one source (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportBlock {
    /// Of whom.
    pub ssrc: u32,
    /// Packets lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost in all, -2^23 to 2^23 - 1; less than none where packets came twice.
    pub lost: i32,
    /// Highest sequence number, the cycles in its upper half.
    pub highest: u32,
    /// Interarrival jitter, in units of the codec's clock.
    pub jitter: u32,
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'p> {
    /// The packet type.
    pub kind: u8,
    /// The five bits below the version: how many blocks or sources, or a subtype.
    pub count: u8,
    /// All after the four octets of header.
    pub body: &'p [u8],
}

/// The packets of a compound, as far as their lengths hold.
pub fn packets(compound: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = compound;
    std::iter::from_fn(move || {
        let bytes = 4 + 4 * usize::from(u16_at(rest, 2)?);
        let packet = rest.get(..bytes)?;
        rest = &rest[bytes..];
        (packet[0] >> 6 == VERSION).then_some(Packet { kind: packet[1], count: packet[0] & 0x1f, body: &packet[4..] })
    })
    .take(RTCP_PACKETS)
}

impl<'p> Packet<'p> {
    /// What it says of what its sender sent: a sender report does.
    pub fn sender(&self) -> Option<SenderInfo> {
        (self.kind == SENDER_REPORT).then_some(())?;
        // SSRC, 64 bits of NTP and 32 of RTP timestamp, two counts
        Some(SenderInfo {
            ssrc: u32_at(self.body, 0)?,
            packets: u32_at(self.body, 16)?,
            payload_bytes: u32_at(self.body, 20)?,
        })
    }

    /// Its report blocks: those of the count that are there in full.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'p> {
        let start = match self.kind {
            SENDER_REPORT => 24,
            RECEIVER_REPORT => 4,
            _ => self.body.len(),
        };
        let blocks = self.body.get(start..).unwrap_or_default();
        blocks.chunks_exact(BLOCK_BYTES).take(self.count.into()).filter_map(read_block)
    }
}

fn read_block(block: &[u8]) -> Option<ReportBlock> {
    let loss = u32_at(block, 4)?;
    Some(ReportBlock {
        ssrc: u32_at(block, 0)?,
        fraction_lost: (loss >> 24) as u8,
        // 24 bits with a sign
        lost: (loss << 8) as i32 >> 8,
        highest: u32_at(block, 8)?,
        jitter: u32_at(block, 12)?,
    })
}

#[cfg(test)]
mod tests;
