//! What several of the tests need: a stream taken apart.

mod announcement;
mod cadence;
mod echo;
mod g711;
mod player;
mod sine;
mod wav;

use super::*;
use crate::media::rtp::Header;
use crate::rng::{Seed, Stream};
use crate::time::Instant;
use std::time::Duration;

fn chance() -> Stream {
    Stream::new(Seed::from_number(5), 77)
}

fn at_ms(ms: u64) -> Instant {
    Instant::from_micros(1_000_000) + Duration::from_millis(ms)
}

/// Of a packet without anything between header and payload.
fn header(packet: &[u8]) -> Header {
    assert_eq!(packet[0], 0x80);
    Header::read(packet).expect("a packet")
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
