//! Media of somebody who is in no call.

use crate::check::media::STRANGE;
use crosspoint_core::rng::Stream;

/// The next datagram: as a phone's, G.711 or now and then control, from a source that no phone has.
pub(super) fn next(turn: u64, stream: &mut Stream) -> Vec<u8> {
    let source = (stream.below(8) as u32 | STRANGE).to_be_bytes();
    if turn % 4 == 3 {
        let mut report = vec![0x80, 201, 0, 1];
        report.extend_from_slice(&source);
        return report;
    }
    let mut packet = vec![0x80, 0];
    packet.extend_from_slice(&(turn as u16).to_be_bytes());
    packet.extend_from_slice(&(turn as u32).wrapping_mul(160).to_be_bytes());
    packet.extend_from_slice(&source);
    packet.resize(172, 0x55);
    packet
}
