//! What several of the tests need: a stream taken apart.

mod announcement;
mod cadence;
mod echo;
mod g711;
mod player;
mod sine;
mod wav;

use super::*;
use crate::rng::{Seed, Stream};
use crate::time::Instant;
use std::time::Duration;

fn chance() -> Stream {
    Stream::new(Seed::from_number(5), 77)
}

fn at_ms(ms: u64) -> Instant {
    Instant::from_micros(1_000_000) + Duration::from_millis(ms)
}

/// A packet, read field by field as RFC 3550 §5.1 draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    first: u8,
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

fn header(packet: &[u8]) -> Header {
    Header {
        first: packet[0],
        marker: packet[1] & 0x80 != 0,
        payload_type: packet[1] & 0x7f,
        sequence: u16::from_be_bytes([packet[2], packet[3]]),
        timestamp: u32::from_be_bytes(packet[4..8].try_into().unwrap()),
        ssrc: u32::from_be_bytes(packet[8..12].try_into().unwrap()),
    }
}

/// What a phone hears of the first packets of a sound, sample by sample.
fn heard(sound: &Sound, law: Law, packets: u64) -> Vec<i16> {
    let mut player = Player::new(law, at_ms(0), &mut chance());
    let mut packet = [0; PACKET_BYTES];
    let mut samples = Vec::new();
    for n in 0..packets {
        if player.turn(at_ms(n * 20), sound, &mut packet) == Turn::Ended {
            break;
        }
        samples.extend(packet[12..].iter().map(|&octet| law.decode(octet)));
    }
    samples
}
