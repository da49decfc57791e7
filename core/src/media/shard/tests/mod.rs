//! Sessions through the whole shard: ops, packets, silence. The properties stand in `model`.

use super::super::{
    Interruption, Kind, LATE, Learning, LegStats, PayloadTypes, Reason, RtcpPlan, Silence, TargetState, Way, one_way,
};
use super::*;
use crate::rng::{Seed, media_stream};
use crate::sdp::PayloadMap;
use std::time::Duration;

mod model;
mod ops;
mod playing;
mod silence;

const SESSION: SessionId = SessionId(1);
const CALLER: &str = "192.0.2.1:4000";
const CALLEE: &str = "198.51.100.2:6000";
const STRANGER: &str = "203.0.113.66:6666";

fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A leg that receives where it says, its RTP at this socket of ours and its RTCP at the next.
fn leg(socket: u32, peer: &str) -> LegPlan {
    let peer = address(peer);
    let rtcp = SocketAddr::new(peer.ip(), peer.port() + 1);
    LegPlan {
        socket: LegSocket(socket),
        kind: Kind::Rtp,
        signalled: Some(peer),
        rtcp: RtcpPlan::Own { socket: LegSocket(socket + 1), signalled: Some(rtcp) },
        signalling_host: peer.ip(),
        is_behind_nat: false,
        clock_hz: 8000,
        events: PayloadTypes::default().with(101),
        payload_map: PayloadMap::default(),
        is_held: false,
        interruption: Interruption::None,
        interruption_after_ms: 0,
    }
}

fn legs() -> [LegPlan; 2] {
    [leg(0, CALLER), leg(2, CALLEE)]
}

fn install(session: SessionId, generation: u32, legs: [LegPlan; 2]) -> MediaOp {
    MediaOp::Install { session, generation, legs: Box::new(legs) }
}

fn update(generation: u32, party: Party, leg: LegPlan) -> MediaOp {
    MediaOp::Update { session: SESSION, generation, party, leg: Box::new(leg), learning: Learning::Keep }
}

fn reports(shard: &mut MediaShard) -> Vec<MediaReport> {
    std::iter::from_fn(|| shard.poll_report()).collect()
}

/// Without a session, and with no recording.
fn empty() -> MediaShard {
    MediaShard::new(media_stream(Seed::from_number(1), 0), Sounds::default())
}

/// With one session, that was confirmed.
fn shard(legs: [LegPlan; 2]) -> MediaShard {
    let mut shard = empty();
    shard.apply(at(0), install(SESSION, 1, legs));
    assert_eq!(reports(&mut shard), [MediaReport::Applied { session: SESSION, generation: 1 }]);
    shard
}

fn rtp(payload_type: u8, sequence: u16) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    let mut packet = vec![0x80, payload_type, high, low, 0, 0, 0, 160, 0, 0, 0, 7];
    packet.resize(172, 0xd5);
    packet
}

/// A receiver report without blocks (RFC 3550 §6.4.2).
fn rtcp() -> Vec<u8> {
    vec![0x80, 201, 0, 1, 0, 0, 0, 7]
}

fn relay(shard: &mut MediaShard, ms: u64, socket: u32, from: &str, mut packet: Vec<u8>) -> Relay {
    shard.relay(at(ms), LegSocket(socket), address(from), &mut packet)
}

fn forward(socket: u32, to: &str) -> Relay {
    Relay::Forward { out: LegSocket(socket), to: address(to) }
}

fn stats(shard: &mut MediaShard) -> [LegStats; 2] {
    shard.apply(at(0), MediaOp::Read { session: SESSION });
    match reports(shard).pop() {
        Some(MediaReport::Stats { legs, .. }) => *legs,
        other => panic!("a reading is answered by stats, not {other:?}"),
    }
}

#[test]
fn media_passes_both_ways_and_tells_where_it_goes() {
    let mut shard = shard(legs());
    assert_eq!(relay(&mut shard, 10, 0, CALLER, rtp(0, 1)), forward(2, CALLEE));
    assert_eq!(relay(&mut shard, 20, 2, CALLEE, rtp(0, 1)), forward(0, CALLER));
    let told: Vec<(Party, Move)> = reports(&mut shard)
        .into_iter()
        .map(|report| match report {
            MediaReport::Latched { party, moved, .. } => (party, moved),
            other => panic!("only latches, not {other:?}"),
        })
        .collect();
    assert_eq!(told.len(), 2);
    for ((party, moved), (want, peer, ms)) in
        told.into_iter().zip([(Party::Caller, CALLER, 10), (Party::Callee, CALLEE, 20)])
    {
        assert_eq!((party, moved.state, moved.reason), (want, TargetState::Locked, Reason::SignalledAddress));
        assert_eq!((moved.target, moved.at), (Some(address(peer)), at(ms)));
        assert_eq!(moved.rtp, Some((7, 1)));
    }
    let [caller, callee] = stats(&mut shard);
    assert_eq!((caller.received.packets, caller.received.bytes), (1, 172));
    assert_eq!((callee.sent.packets, callee.sent.bytes), (1, 172));
    assert_eq!((callee.received.packets, caller.sent.packets), (1, 1));
}

#[test]
fn control_goes_by_its_own_sockets() {
    let mut shard = shard(legs());
    assert_eq!(relay(&mut shard, 10, 1, "192.0.2.1:4001", rtcp()), forward(3, "198.51.100.2:6001"));
    // from another port of the host that RTP is at
    assert_eq!(relay(&mut shard, 20, 3, "198.51.100.2:7777", rtcp()), forward(1, "192.0.2.1:4001"));
    assert_eq!(relay(&mut shard, 30, 1, "192.0.2.1:4001", rtcp()), forward(3, "198.51.100.2:7777"));
    assert_eq!(relay(&mut shard, 40, 1, STRANGER, rtcp()), Relay::Drop(MediaDrop::Spoofed));
    assert_eq!(relay(&mut shard, 40, 3, STRANGER, rtcp()), Relay::Drop(MediaDrop::Untrusted));
    assert_eq!(relay(&mut shard, 50, 1, "192.0.2.1:4001", rtp(0, 1)), Relay::Drop(MediaDrop::NotRtp));
    let [caller, callee] = stats(&mut shard);
    assert_eq!((caller.rtcp_received, callee.rtcp_sent, caller.rtcp_sent), (2, 2, 1));
    assert_eq!(caller.received.packets, 0, "control is no media");
    assert_eq!(callee.rtcp.unwrap().reason, Reason::RtpHost);
}

#[test]
fn control_passes_between_a_leg_that_multiplexes_and_one_that_does_not() {
    let [mut caller, callee] = legs();
    caller.rtcp = RtcpPlan::Muxed;
    let mut shard = shard([caller, callee]);
    assert_eq!(relay(&mut shard, 10, 0, CALLER, rtcp()), forward(3, "198.51.100.2:6001"));
    assert_eq!(relay(&mut shard, 10, 3, "198.51.100.2:6001", rtcp()), forward(0, CALLER));
    let silent = LegPlan { rtcp: RtcpPlan::Off, ..callee };
    shard.apply(at(20), update(2, Party::Callee, silent));
    assert_eq!(relay(&mut shard, 20, 0, CALLER, rtcp()), Relay::Drop(MediaDrop::NoRtcp));
    assert_eq!(relay(&mut shard, 20, 3, "198.51.100.2:6001", rtcp()), Relay::Drop(MediaDrop::NoSession));
}

#[test]
fn control_follows_media_that_moves_to_another_host() {
    let [mut caller, callee] = legs();
    caller.is_behind_nat = true;
    caller.signalled = Some(address("10.0.0.5:4000"));
    let mut shard = shard([caller, callee]);
    relay(&mut shard, 10, 0, STRANGER, rtp(0, 1));
    assert_eq!(relay(&mut shard, 11, 1, "203.0.113.66:6667", rtcp()), forward(3, "198.51.100.2:6001"));
    reports(&mut shard);
    relay(&mut shard, 20, 0, "192.0.2.1:40000", rtp(0, 1));
    let reasons: Vec<(Component, Reason)> = reports(&mut shard)
        .into_iter()
        .filter_map(|report| match report {
            MediaReport::Latched { component, moved, .. } => Some((component, moved.reason)),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [(Component::Rtp, Reason::SignallingHost), (Component::Rtcp, Reason::RtpMoved)]);
    assert_eq!(relay(&mut shard, 21, 1, "203.0.113.66:6667", rtcp()), Relay::Drop(MediaDrop::Untrusted));
}

/// Found by the simulator: a stranger's RTCP at the RTP port of a leg that multiplexes had media sent to it.
#[test]
fn multiplexed_control_from_anywhere_draws_no_media() {
    let [mut caller, callee] = legs();
    (caller.is_behind_nat, caller.rtcp) = (true, RtcpPlan::Muxed);
    caller.signalled = Some(address("10.0.0.5:4000"));
    let mut shard = shard([caller, callee]);
    assert_eq!(relay(&mut shard, 10, 0, STRANGER, rtcp()), Relay::Drop(MediaDrop::Untrusted));
    assert_eq!(relay(&mut shard, 11, 2, CALLEE, rtp(0, 1)), forward(0, "10.0.0.5:4000"));
    assert_eq!(relay(&mut shard, 12, 0, "192.0.2.9:40000", rtp(0, 1)), forward(2, CALLEE));
    assert_eq!(relay(&mut shard, 13, 0, "192.0.2.9:40000", rtcp()), forward(3, "198.51.100.2:6001"));
}

#[test]
fn what_a_peer_reports_is_read() {
    let mut shard = shard(legs());
    relay(&mut shard, 10, 2, CALLEE, rtp(0, 1));
    let block = |ssrc: u8, lost: u8| [[0, 0, 0, ssrc, 25, 0, 0, lost], [0, 0, 0, 9, 0, 0, 0, 80], [0; 8]].concat();
    let blocks = [block(9, 1), block(7, 2)].concat();
    let report = [&[0x82, 201, 0, 13, 0, 0, 0, 5], blocks.as_slice()].concat();
    assert_eq!(relay(&mut shard, 20, 1, "192.0.2.1:4001", report), forward(3, "198.51.100.2:6001"));
    let hears = stats(&mut shard)[0].hears.expect("the caller says what it hears");
    assert_eq!((hears.ssrc, hears.fraction_lost, hears.lost, hears.jitter), (7, 25, 2, 80));
}

#[test]
fn the_payload_type_is_the_other_legs() {
    let [mut caller, mut callee] = legs();
    caller.payload_map = PayloadMap::default().with(101, 120).unwrap();
    callee.payload_map = caller.payload_map.inverse();
    let mut shard = shard([caller, callee]);
    let mut event = rtp(0x80 | 101, 1);
    let mut expected = event.clone();
    expected[1] = 0x80 | 120;
    shard.relay(at(10), LegSocket(0), address(CALLER), &mut event);
    assert_eq!(event, expected, "its marker and all else stay");
    let becomes = |shard: &mut MediaShard, socket: u32, from: &str, payload_type: u8| {
        let mut packet = rtp(payload_type, 2);
        shard.relay(at(20), LegSocket(socket), address(from), &mut packet);
        packet[1]
    };
    assert_eq!(becomes(&mut shard, 0, CALLER, 0), 0);
    assert_eq!(becomes(&mut shard, 0, CALLER, 120), 101, "the number that became free");
    assert_eq!(becomes(&mut shard, 2, CALLEE, 120), 101, "the way back");
    shard.apply(at(30), update(2, Party::Caller, LegPlan { kind: Kind::SecureRtp, ..caller }));
    assert_eq!(becomes(&mut shard, 0, CALLER, 101), 101, "what is authenticated");
    shard.apply(at(30), update(3, Party::Caller, LegPlan { payload_map: PayloadMap::default(), ..caller }));
    assert_eq!(becomes(&mut shard, 0, CALLER, 101), 101, "with the map of now");
    assert_eq!(becomes(&mut shard, 2, CALLEE, 120), 101);
    assert_eq!(stats(&mut shard)[0].received.events, 3, "counted as its own leg calls it");
}

#[test]
fn a_set_has_what_was_put_in() {
    let set = PayloadTypes::default().with(0).with(127).with(128).with(255);
    assert_eq!((0..=255).filter(|number| set.has(*number)).collect::<Vec<u8>>(), [0, 127]);
    let map = PayloadMap::default().with(101, 97).unwrap();
    assert_eq!(PayloadTypes::changed_by(&map), PayloadTypes::default().with(101).with(97));
}

#[test]
fn datagrams_pass_as_they_come() {
    let datagrams = legs().map(|leg| LegPlan { kind: Kind::Datagrams, rtcp: RtcpPlan::Off, ..leg });
    let mut shard = shard(datagrams);
    for packet in [vec![0, 1, 2], rtp(101, 1), rtcp(), vec![0xff; 2000]] {
        let mut passed = packet.clone();
        assert_eq!(shard.relay(at(10), LegSocket(0), address(CALLER), &mut passed), forward(2, CALLEE));
        assert_eq!(passed, packet);
    }
    assert_eq!(relay(&mut shard, 20, 0, STRANGER, vec![1]), Relay::Drop(MediaDrop::Spoofed));
    assert_eq!(relay(&mut shard, 20, 0, CALLER, vec![]), Relay::Consume);
    assert_eq!(stats(&mut shard)[0].received.packets, 4);
}

#[test]
fn keep_alives_are_for_us_and_garbage_for_nobody() {
    let mut shard = shard(legs());
    assert_eq!(relay(&mut shard, 10, 0, STRANGER, vec![]), Relay::Consume);
    assert_eq!(relay(&mut shard, 10, 0, CALLER, b"\r\n".to_vec()), Relay::Drop(MediaDrop::NotRtp));
    assert_eq!(relay(&mut shard, 10, 0, CALLER, vec![0x80; 11]), Relay::Drop(MediaDrop::NotRtp));
    assert_eq!(relay(&mut shard, 10, 9, CALLER, rtp(0, 1)), Relay::Drop(MediaDrop::NoSession));
    let tally = *shard.tally();
    assert_eq!((tally.consumed, tally.dropped_for(MediaDrop::NotRtp), tally.fed()), (1, 2, 4));
    assert_eq!(stats(&mut shard)[0].tally.fed(), 3, "the socket of nobody is no leg's");
}

#[test]
fn without_a_target_there_is_nowhere_to_go() {
    let [caller, mut callee] = legs();
    callee.signalled = None;
    let mut shard = shard([caller, callee]);
    assert_eq!(relay(&mut shard, 10, 0, CALLER, rtp(0, 1)), Relay::Drop(MediaDrop::NoTarget));
    shard.apply(at(20), update(2, Party::Callee, leg(2, CALLEE)));
    assert_eq!(relay(&mut shard, 30, 0, CALLER, rtp(0, 2)), forward(2, CALLEE));
}

#[test]
fn one_way_audio_is_seen() {
    let mut shard = shard(legs());
    assert_eq!(one_way(&stats(&mut shard)), None, "nobody has sent");
    relay(&mut shard, 10, 2, CALLEE, rtp(0, 1));
    relay(&mut shard, 10, 0, STRANGER, rtp(0, 1));
    let legs = stats(&mut shard);
    assert_eq!(one_way(&legs), Some(Party::Callee));
    assert_eq!(legs[0].tally.dropped_for(MediaDrop::Untrusted), 1, "and this is why");
    relay(&mut shard, 20, 0, CALLER, rtp(0, 1));
    assert_eq!(one_way(&stats(&mut shard)), None);
}

#[test]
fn one_leg_moves_and_the_other_loses_nothing() {
    let mut shard = shard(legs());
    relay(&mut shard, 10, 0, CALLER, rtp(0, 1));
    relay(&mut shard, 10, 2, CALLEE, rtp(0, 1));
    let before = stats(&mut shard)[0];
    let (moved_to, at_ms) = ("198.51.100.2:6010", 1000);
    shard.apply(at(at_ms), update(2, Party::Callee, leg(4, moved_to)));
    assert_eq!(stats(&mut shard)[0], before);
    assert_eq!(relay(&mut shard, 1000, 0, CALLER, rtp(0, 2)), forward(4, moved_to), "at once");
    assert_eq!(relay(&mut shard, 1010, 2, CALLEE, rtp(0, 2)), Relay::Drop(MediaDrop::NoSession), "its old socket");
    assert_eq!(relay(&mut shard, 1010, 4, CALLEE, rtp(0, 2)), forward(0, CALLER), "a late one");
    assert_eq!(relay(&mut shard, 1020, 4, moved_to, rtp(0, 3)), forward(0, CALLER));
    let after_late = at_ms + LATE.as_millis() as u64;
    assert_eq!(relay(&mut shard, after_late, 4, CALLEE, rtp(0, 4)), Relay::Drop(MediaDrop::Spoofed));
    assert_eq!(stats(&mut shard)[1].received.packets, 3, "its counts go on");
}
