//! Who hears whom, and what the relay counts.

use super::trace::{Trace, record};
use crate::check::media::STRANGE;
use crate::check::{Checks, Held};
use crate::phone::{Speech, rtp};
use crate::world::World;
use crosspoint_core::cdr::CallRecord;
use crosspoint_core::event::Event;
use crosspoint_core::media::{
    Interruption, Kind, Learning, LegPlan, LegSocket, LegStats, MediaDrop, MediaOp, MediaReport, Party, PayloadTypes,
    Relay, RtcpPlan, SessionId,
};
use crosspoint_core::ports::Shard;
use crosspoint_core::sdp::PayloadMap;
use crosspoint_core::time::Instant;
use std::time::Duration;

const SHARD: Shard = Shard(0);
const SESSION: SessionId = SessionId(7);

/// An audio packet of this source.
fn audio(source: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 0, 0, 1, 0, 0, 0, 0];
    packet.extend_from_slice(&source.to_be_bytes());
    packet.resize(172, 0x55);
    packet
}

fn leg(socket: u32) -> LegPlan {
    LegPlan {
        socket: LegSocket(socket),
        kind: Kind::Rtp,
        signalled: None,
        rtcp: RtcpPlan::Off,
        signalling_host: [10, 0, 1, 1].into(),
        is_behind_nat: false,
        clock_hz: 8000,
        events: PayloadTypes::default(),
        payload_map: PayloadMap::default(),
        is_held: false,
        interruption: Interruption::None,
        interruption_after_ms: 0,
    }
}

/// A session of which 2 packets came from the caller, 1 from the callee and 1 from nobody; what a report that counts so
/// many is found to be.
fn reported(counted: [u64; 2]) -> usize {
    let mut checks = Trace::default().checks();
    let forward = Relay::Forward { out: LegSocket(2), to: ([10, 0, 1, 2], 4000).into() };
    checks.media_op(SHARD, &MediaOp::Install { session: SESSION, generation: 1, legs: Box::new([leg(1), leg(2)]) });
    checks.media_op(
        SHARD,
        &MediaOp::Update {
            session: SESSION,
            generation: 2,
            party: Party::Callee,
            leg: Box::new(leg(3)),
            learning: Learning::Keep,
        },
    );
    checks.media_came(SHARD, LegSocket(1), &audio(16), forward);
    checks.media_came(SHARD, LegSocket(1), &audio(16), Relay::Drop(MediaDrop::NoTarget));
    checks.media_came(SHARD, LegSocket(3), &audio(32), forward);
    checks.media_came(SHARD, LegSocket(3), &audio(48), Relay::Drop(MediaDrop::Spoofed));
    checks.media_came(SHARD, LegSocket(2), &audio(32), Relay::Drop(MediaDrop::NoSession));
    let mut legs = [LegStats::default(); 2];
    (legs[0].received.packets, legs[1].received.packets) = counted.into();
    checks.media_report(SHARD, &MediaReport::Stats { session: SESSION, legs: Box::new(legs) });
    count(&checks, "media-statistics")
}

fn count(checks: &Checks, check: &str) -> usize {
    let found = checks.finish(Instant::EPOCH, &mut std::iter::empty(), &Held::default());
    found.iter().filter(|violation| violation.check == check).count()
}

#[test]
fn media_statistics_of_a_shard() {
    assert_eq!(reported([2, 1]), 0);
    for counted in [[1, 1], [3, 1], [2, 0], [2, 2], [1, 2]] {
        assert_eq!(reported(counted), 1, "{counted:?}");
    }
}

/// A call between two phones, and what became of it.
fn call() -> World {
    let mut world = World::new(7, &["alice", "bob"]);
    for name in ["alice", "bob"] {
        world.act(name, |phone, _| phone.settings_mut().speech = Speech { is_named: true, ..Speech::bursts(5, 1000) });
    }
    world.register_all();
    world.act("alice", |alice, now| {
        alice.call(now, "bob");
    });
    world.run_for(Duration::from_secs(10));
    world.act("alice", |alice, now| alice.hang_up(now));
    world.run_until_idle(Duration::from_secs(60));
    world
}

#[test]
fn media_statistics_of_a_record() {
    let world = call();
    let call_id = world.phone("alice").calls()[0].call_id().to_owned();
    let packets = |said| {
        let mut checks = Checks::new(crate::world::SWITCH);
        checks.media_came(SHARD, LegSocket(1), &audio(rtp::base_of("alice", 1)), Relay::Consume);
        let ended = CallRecord { call_id_in: call_id.clone(), rtp_caller_packets: Some(said), ..record() };
        checks.event(Instant::EPOCH, &Event::CallEnded { record: Box::new(ended) });
        let phones = &mut std::iter::once(world.phone("alice"));
        let found = checks.finish(Instant::EPOCH, phones, &Held::default());
        found.iter().filter(|violation| violation.check == "media-statistics").count()
    };
    assert_eq!([packets(1), packets(0), packets(2)], [0, 1, 1]);
}

#[test]
fn media_delivery() {
    let mut world = call();
    assert_eq!(world.violations(), [] as [String; 0]);
    let at = world.phone("bob").calls()[0].agreed().unwrap().ours.audio;
    let hears = |world: &mut World, source| {
        world.act("bob", |bob, _| bob.handle_media(at, &audio(source)));
        world.found().iter().filter(|violation| violation.check == "media-delivery").count()
    };
    assert_eq!(hears(&mut world, rtp::base_of("alice", 1)), 0);
    assert_eq!(hears(&mut world, rtp::base_of("bob", 1)), 1, "himself");
    assert_eq!(hears(&mut world, rtp::base_of("alice", 2)), 2, "of another call");
    assert_eq!(hears(&mut world, STRANGE | 3), 3, "a stranger");
}
