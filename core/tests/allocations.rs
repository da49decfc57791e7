//! A packet allocates nothing, be it relayed, whatever it is and wherever it comes from, or made by a tone.

#![allow(unsafe_code, reason = "only an allocator can count allocations, and its trait is unsafe; it passes all on")]

use crosspoint_core::media::tone::{Cadence, Echo, Law, PACKET_BYTES, Player, Program, Sound, Sounds, Turn};
use crosspoint_core::media::{
    Interruption, Kind, Learning, LegPlan, LegSocket, MediaDrop, MediaOp, MediaShard, Party, PayloadTypes, Relay,
    RtcpPlan, SessionId,
};
use crosspoint_core::rng::{Seed, Stream, media_stream};
use crosspoint_core::sdp::PayloadMap;
use crosspoint_core::time::Instant;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;

/// The system's allocator, which counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

fn empty() -> MediaShard {
    MediaShard::new(media_stream(Seed::from_number(1), 0), Sounds::default())
}

fn leg(socket: u32, peer: SocketAddr) -> LegPlan {
    LegPlan {
        socket: LegSocket(socket),
        kind: Kind::Rtp,
        signalled: Some(peer),
        rtcp: RtcpPlan::Muxed,
        signalling_host: peer.ip(),
        is_behind_nat: true,
        clock_hz: 8000,
        events: PayloadTypes::default().with(96 + socket as u8),
        payload_map: PayloadMap::default().with(96, 97).expect("two payload types in range"),
        is_held: false,
        interruption: Interruption::Both,
        interruption_after_ms: 60_000,
    }
}

fn peers() -> [SocketAddr; 3] {
    [[192, 0, 2, 1], [198, 51, 100, 2], [203, 0, 113, 66]].map(|host| SocketAddr::new(host.into(), 4000))
}

/// RTP with an event, RTP, RTCP with a block, a keep-alive, garbage.
fn packets() -> [Vec<u8>; 5] {
    let rtp = |payload_type| [&[0x80, payload_type, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7][..], &[0xd5; 160]].concat();
    let report = [&[0x81, 201, 0, 7, 0, 0, 0, 7][..], &[0; 24]].concat();
    [rtp(96), rtp(0), report, vec![], vec![0xff; 40]]
}

#[test]
fn a_packet_allocates_nothing() {
    let [caller, callee, stranger] = peers();
    let mut shard = empty();
    let legs = Box::new([leg(0, caller), leg(1, callee)]);
    shard.apply(at(0), MediaOp::Install { session: SessionId(1), generation: 1, legs });
    let mut packets = packets();
    let before = ALLOCATIONS.get();
    let (mut forwarded, mut spoofed) = (0, 0);
    for turn in 0..1000u64 {
        for packet in &mut packets {
            // a stranger first, so that a leg is learned, displaced and locked
            for (socket, from) in [(0, stranger), (0, caller), (1, callee), (0, stranger), (9, caller)] {
                match shard.relay(at(20 * turn), LegSocket(socket), from, packet) {
                    Relay::Forward { .. } => forwarded += 1,
                    Relay::Drop(MediaDrop::Spoofed) => spoofed += 1,
                    Relay::Drop(_) | Relay::Consume => {}
                }
            }
        }
        shard.tick(at(20 * turn));
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    assert!(forwarded > 5000 && spoofed > 5000, "{forwarded} forwarded, {spoofed} rejected");
}

#[test]
fn what_a_shard_plays_allocates_nothing() {
    let mut shard = empty();
    // different phases, so that turns come in an order of their own
    for number in 0..100 {
        let (session, leg) = (SessionId(number), Box::new(leg(number as u32, peers()[0])));
        let program = if number % 4 == 0 { Program::Echo } else { Program::Tone(Cadence::ringback()) };
        shard.apply(at(number / 3), MediaOp::Station { session, generation: 1, leg, law: Law::A, program });
    }
    let [mut packet, mut media] = [[0; PACKET_BYTES]; 2];
    media[..2].copy_from_slice(&[0x80, 8]);
    let before = ALLOCATIONS.get();
    let (mut played, mut echoed) = (0, 0);
    for turn in 0..1000u64 {
        // one turn in ten is late for all of them
        let now = at(7 * turn + turn % 10 / 9 * 60);
        shard.tick(now);
        while shard.poll_packet(now, &mut packet).is_some() {
            played += 1;
        }
        echoed += u32::from(matches!(shard.relay(now, LegSocket(4), peers()[0], &mut media), Relay::Forward { .. }));
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    assert!(played > 25_000 && echoed == 1000, "{played} played, {echoed} returned");
}

#[test]
fn a_tone_and_an_echo_allocate_nothing() {
    let mut chance = Stream::new(Seed::from_number(1), 1);
    let ringback = Sound::Tone(Cadence::ringback());
    let (mut player, echo) = (Player::new(Law::A, at(0), &mut chance), Echo::new(8, &mut chance));
    let mut packet = [0; PACKET_BYTES];
    let before = ALLOCATIONS.get();
    for turn in 0..1000 {
        assert_eq!(player.turn(at(20 * turn), &ringback, &mut packet), Turn::Packet);
        assert_eq!(echo.turn(&mut packet), Ok(()));
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

#[test]
fn the_allocator_of_this_test_counts() {
    let before = ALLOCATIONS.get();
    let mut shard = empty();
    let party = Party::Caller;
    let leg = Box::new(leg(0, peers()[0]));
    let (session, generation, learning) = (SessionId(1), 1, Learning::Keep);
    shard.apply(at(0), MediaOp::Update { session, generation, party, leg, learning });
    assert!(ALLOCATIONS.get() - before >= 2, "a queue and a plan");
}
