//! Instructions that a packet costs in the core: a relayed one, for judging its source, counting it and deciding where it
//! goes; and one that the switch plays, for its 160 samples and for whose turn is next.
//!
//! The limits are a tenth above what they cost: 364, 17,800 (a sine for each sample) and 8,200.
//!
//! `cargo bench -p crosspoint-core --bench media`; what it needs stands in `sip.rs`. Fails where a limit is exceeded.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the code that gungraun's macros make"
)]

use crosspoint_core::media::tone::{Cadence, Law, PACKET_BYTES, Program, Recording, SoundId, Sounds};
use crosspoint_core::media::{
    Interruption, Kind, LegPlan, LegSocket, MediaOp, MediaShard, PayloadTypes, Relay, RtcpPlan, SessionId,
};
use crosspoint_core::rng::{Seed, media_stream};
use crosspoint_core::sdp::PayloadMap;
use crosspoint_core::time::Instant;
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use std::hint::black_box;
use std::net::SocketAddr;

/// Packets that are measured together: two seconds of one direction.
const PACKETS: u16 = 100;

/// Sessions beside the measured one.
const SESSIONS: u32 = 500;

const EVENT: u8 = 101;

fn peer(socket: u32) -> SocketAddr {
    SocketAddr::new([192, 0, 2, 1].into(), 4000 + socket as u16)
}

fn empty() -> MediaShard {
    // a second of a recording
    let head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x80\x3e\0\0";
    let samples: Vec<u8> = (0..8000u16).flat_map(|n| n.wrapping_mul(7919).to_le_bytes()).collect();
    let recording = Recording::read_wav(&[&head[..], &samples].concat()).expect("a file of a second");
    MediaShard::new(media_stream(Seed::from_number(1), 0), Sounds::new([recording]))
}

fn leg(socket: u32) -> LegPlan {
    LegPlan {
        socket: LegSocket(socket),
        kind: Kind::Rtp,
        signalled: Some(peer(socket)),
        rtcp: RtcpPlan::Muxed,
        signalling_host: peer(socket).ip(),
        is_behind_nat: false,
        clock_hz: 8000,
        events: PayloadTypes::default().with(EVENT),
        payload_map: PayloadMap::default().with(EVENT, 97).expect("two payload types in range"),
        is_held: false,
        interruption: Interruption::Both,
        interruption_after_ms: 60_000,
    }
}

fn at(sequence: u16) -> Instant {
    Instant::from_micros(u64::from(sequence) * 20_000)
}

fn packet(payload_type: u8, sequence: u16) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    let timestamp = (u32::from(sequence) * 160).to_be_bytes();
    [&[0x80, payload_type, high, low], &timestamp[..], &[0, 0, 0, 7], &[0xd5; 160]].concat()
}

/// A shard with many sessions, all legs locked, and the packets that come next to one of them.
fn warm(payload_type: u8, from: SocketAddr) -> (MediaShard, SocketAddr, Vec<Vec<u8>>) {
    let mut shard = empty();
    for number in 0..SESSIONS {
        let legs = Box::new([leg(2 * number), leg(2 * number + 1)]);
        shard.apply(at(0), MediaOp::Install { session: SessionId(number.into()), generation: 1, legs });
        for socket in [2 * number, 2 * number + 1] {
            shard.relay(at(0), LegSocket(socket), peer(socket), &mut packet(0, 0));
        }
    }
    while shard.poll_report().is_some() {}
    (shard, from, (1..=PACKETS).map(|sequence| packet(payload_type, sequence)).collect())
}

fn relayed((mut shard, from, mut packets): (MediaShard, SocketAddr, Vec<Vec<u8>>)) -> (MediaShard, Vec<Vec<u8>>) {
    for (packet, sequence) in packets.iter_mut().zip(1..) {
        let relay: Relay = shard.relay(at(sequence), LegSocket(black_box(200)), from, packet);
        black_box(relay);
    }
    (shard, packets)
}

#[library_benchmark(config = at_most(400))]
#[bench::media(warm(0, peer(200)))]
#[bench::event(warm(EVENT, peer(200)))]
#[bench::spoofed(warm(0, peer(999)))]
fn relay(next: (MediaShard, SocketAddr, Vec<Vec<u8>>)) -> (MediaShard, Vec<Vec<u8>>) {
    relayed(next)
}

/// A shard that plays this to each of its stations.
fn ringing(program: Program) -> MediaShard {
    let mut shard = empty();
    for number in 0..u32::from(PACKETS) {
        let (session, leg) = (SessionId(number.into()), Box::new(leg(number)));
        let op = MediaOp::Station { session, generation: 1, leg, law: Law::A, program: program.clone() };
        shard.apply(Instant::from_micros(u64::from(number) * 200), op);
    }
    while shard.poll_report().is_some() {}
    shard
}

#[library_benchmark]
#[bench::tone(args = (ringing(Program::Tone(Cadence::ringback()))), config = at_most(19_600))]
#[bench::recording(args = (ringing(Program::Recording { sound: SoundId(0), times: None })), config = at_most(9000))]
fn play(mut shard: MediaShard) -> (MediaShard, [u8; PACKET_BYTES]) {
    let mut packet = [0; PACKET_BYTES];
    for number in 0..u64::from(PACKETS) {
        black_box(shard.poll_packet(Instant::from_micros(number * 200), &mut packet));
    }
    (shard, packet)
}

/// Fails the run where a packet takes more instructions than this.
fn at_most(instructions_per_packet: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions_per_packet * u64::from(PACKETS))]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

library_benchmark_group!(name = media, benchmarks = [relay, play]);
main!(library_benchmark_groups = media);
