//! What the shard sends of itself, in time that passes as it asks: to a station, and into a call.

use super::super::super::rtp::Header;
use super::super::super::tone::{Cadence, Recording, SoundId};
use super::*;

/// A packet that the shard sent: when, through which socket, to whom, and what.
struct Sent {
    at_ms: u64,
    socket: u32,
    to: SocketAddr,
    header: Header,
    octets: Vec<u8>,
}

impl Sent {
    fn peak(&self) -> i32 {
        self.octets.iter().map(|octet| i32::from(Law::A.decode(*octet)).abs()).max().expect("160 octets")
    }
}

/// What is due at this moment.
fn due(shard: &mut MediaShard, now: Instant) -> Vec<Sent> {
    let mut out = [0; PACKET_BYTES];
    shard.tick(now);
    std::iter::from_fn(|| {
        let (socket, to) = shard.poll_packet(now, &mut out)?;
        let header = Header::read(&out).expect("RTP");
        Some(Sent { at_ms: now.as_millis(), socket: socket.0, to, header, octets: out[12..].to_vec() })
    })
    .collect()
}

/// What is sent until then, whenever the shard wants a tick.
fn run(shard: &mut MediaShard, until_ms: u64) -> Vec<Sent> {
    let mut sent = Vec::new();
    while let Some(next) = shard.poll_timeout().filter(|next| *next <= at(until_ms)) {
        sent.extend(due(shard, next));
        assert!(shard.poll_timeout().is_none_or(|later| later > next), "progress (rule R5)");
    }
    sent
}

fn ringback() -> Program {
    Program::Tone(Cadence::ringback())
}

/// The first recording, which has two packets and a half, once.
fn goodbye() -> Program {
    Program::Recording { sound: SoundId(0), times: Some(1) }
}

fn sounds() -> Sounds {
    Sounds::new([wav(400, 8000)])
}

/// As many samples, all of this height.
fn wav(samples: usize, height: i16) -> Recording {
    let data = height.to_le_bytes().repeat(samples);
    let size = (data.len() as u32).to_le_bytes();
    let head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data";
    Recording::read_wav(&[&head[..], &size, &data].concat()).expect("a file of this test")
}

fn station(generation: u32, leg: LegPlan, program: Program) -> MediaOp {
    MediaOp::Station { session: SESSION, generation, leg: Box::new(leg), law: Law::A, program }
}

fn play(generation: u32, to: Party, program: Option<Program>) -> MediaOp {
    MediaOp::Play { session: SESSION, generation, to, law: Law::A, program }
}

/// With one station, that was confirmed.
fn playing(program: Program) -> MediaShard {
    let mut shard = MediaShard::new(media_stream(Seed::from_number(1), 0), sounds());
    shard.apply(at(0), station(1, leg(0, CALLER), program));
    assert_eq!(reports(&mut shard), [MediaReport::Applied { session: SESSION, generation: 1 }]);
    shard
}

/// Between two legs, with what the op plays to the caller.
fn ringing(program: Program) -> MediaShard {
    let mut shard = shard(legs());
    shard.set_sounds(sounds());
    shard.apply(at(0), play(2, Party::Caller, Some(program)));
    assert_eq!(reports(&mut shard), [MediaReport::Applied { session: SESSION, generation: 2 }]);
    shard
}

/// Whether packets follow each other without a gap, 20 ms and 160 samples apart.
fn assert_steady(sent: &[Sent]) {
    for pair in sent.windows(2) {
        let (before, after) = (&pair[0].header, &pair[1].header);
        assert_eq!(pair[1].at_ms - pair[0].at_ms, 20);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        assert_eq!(after.timestamp, before.timestamp.wrapping_add(160));
        assert_eq!((after.ssrc, after.marker), (before.ssrc, false));
    }
}

#[test]
fn a_station_plays_its_tone_with_cadence_and_exact_timestamps() {
    let mut shard = playing(ringback());
    let sent = run(&mut shard, 9_990);
    assert_eq!((sent.len(), sent[0].at_ms, sent[0].header.marker), (500, 0, true));
    assert!(sent.iter().all(|packet| (packet.socket, packet.to) == (0, address(CALLER))));
    assert_steady(&sent);
    for packet in &sent {
        assert_eq!(packet.header.payload_type, 8);
        let is_on = packet.at_ms % 5000 < 1000;
        assert_eq!(packet.peak() > 4500, is_on, "at {} ms: {}", packet.at_ms, packet.peak());
    }
    let [caller, callee] = stats(&mut shard);
    assert_eq!((caller.sent.packets, caller.sent.bytes, caller.played.packets), (500, 500 * 172, 0));
    assert_eq!(callee, LegStats::default());
}

#[test]
fn a_late_tick_is_made_up_for_and_shifts_nothing() {
    let mut shard = playing(ringback());
    let first = due(&mut shard, at(0))[0].header;
    let sent = due(&mut shard, at(75));
    let stamps: Vec<u32> = sent.iter().map(|packet| packet.header.timestamp.wrapping_sub(first.timestamp)).collect();
    assert_eq!(stamps, [160, 320, 480]);
    assert_eq!(shard.poll_timeout(), Some(at(80)));
}

#[test]
fn ringback_plays_until_it_is_stopped_and_then_the_callee_is_heard() {
    let mut shard = ringing(ringback());
    let sent = run(&mut shard, 3_000);
    assert_eq!(sent.len(), 151);
    assert!(sent.iter().all(|packet| (packet.socket, packet.to) == (0, address(CALLER))));
    assert_steady(&sent);
    // the callee's own ringing is not mixed with ours, and the caller is heard
    assert_eq!(relay(&mut shard, 3_001, 2, CALLEE, rtp(8, 1)), Relay::Drop(MediaDrop::PlayedOver));
    assert_eq!(relay(&mut shard, 3_001, 0, CALLER, rtp(8, 1)), forward(2, CALLEE));
    assert_eq!(relay(&mut shard, 3_001, 2, STRANGER, rtp(8, 1)), Relay::Drop(MediaDrop::Spoofed));
    shard.apply(at(3_005), play(3, Party::Caller, None));
    assert_eq!(shard.poll_timeout(), None);
    assert_eq!(relay(&mut shard, 3_010, 2, CALLEE, rtp(8, 2)), forward(0, CALLER));
    assert!(run(&mut shard, 10_000).is_empty() && shard.poll_timeout().is_none());
    let [caller, callee] = stats(&mut shard);
    assert_eq!((caller.played.packets, caller.sent.packets), (151, 1));
    assert_eq!((callee.received.packets, callee.tally.dropped_for(MediaDrop::PlayedOver)), (2, 1));
}

#[test]
fn ringback_does_not_hide_one_way_audio() {
    let mut shard = ringing(ringback());
    run(&mut shard, 1_000);
    relay(&mut shard, 1_000, 0, CALLER, rtp(8, 1));
    shard.apply(at(1_000), play(3, Party::Caller, None));
    assert_eq!(one_way(&stats(&mut shard)), Some(Party::Caller));
    assert_eq!(one_way(&stats(&mut playing(ringback()))), None);
}

#[test]
fn a_sound_after_a_sound_goes_on_in_the_same_stream() {
    let mut shard = ringing(ringback());
    let mut sent = run(&mut shard, 100);
    shard.apply(at(105), play(3, Party::Caller, Some(goodbye())));
    assert_eq!(shard.turns.len(), 1);
    sent.extend(run(&mut shard, 1_000));
    assert_eq!(sent.len(), 6 + 3);
    assert_steady(&sent);
    let ends: Vec<MediaReport> = reports(&mut shard);
    assert_eq!(ends.last(), Some(&MediaReport::Played { session: SESSION, generation: 3 }));
}

#[test]
fn the_end_of_a_recording_is_told_once_when_it_has_been_heard() {
    let mut shard = playing(goodbye());
    let played = MediaReport::Played { session: SESSION, generation: 1 };
    let sent = run(&mut shard, 59);
    assert_eq!((sent.len(), reports(&mut shard)), (3, vec![]));
    assert!(sent[..2].iter().all(|packet| packet.octets == [Law::A.encode(8000); 160]));
    assert_eq!(sent[2].octets[79..81], [Law::A.encode(8000), Law::A.encode(0)], "filled up");
    assert!(run(&mut shard, 60).is_empty());
    assert_eq!(reports(&mut shard), [played]);
    assert!(run(&mut shard, 10_000).is_empty() && shard.poll_timeout().is_none());
    assert_eq!(reports(&mut shard), []);
    // another one, in another law
    let (session, to, program) = (SESSION, Party::Caller, Some(goodbye()));
    shard.apply(at(10_000), MediaOp::Play { session, generation: 2, to, law: Law::Mu, program });
    let again = run(&mut shard, 20_000);
    assert_eq!((again.len(), again[0].header.payload_type), (3, 0));
    assert_eq!(again[0].header.ssrc, sent[0].header.ssrc);
    assert_eq!(again[0].octets, [Law::Mu.encode(8000); 160]);
}

#[test]
fn the_end_is_told_where_nobody_can_be_sent_anything() {
    let mut shard = MediaShard::new(media_stream(Seed::from_number(1), 0), sounds());
    shard.apply(at(0), station(1, LegPlan { signalled: None, ..leg(0, CALLER) }, goodbye()));
    reports(&mut shard);
    assert!(run(&mut shard, 59).is_empty() && reports(&mut shard).is_empty());
    assert!(run(&mut shard, 1_000).is_empty());
    assert_eq!(reports(&mut shard), [MediaReport::Played { session: SESSION, generation: 1 }]);
}

#[test]
fn time_goes_on_without_a_target_and_on_hold() {
    let mut shard = MediaShard::new(media_stream(Seed::from_number(1), 0), sounds());
    let nowhere = LegPlan { signalled: None, ..leg(0, CALLER) };
    shard.apply(at(0), station(1, nowhere, ringback()));
    assert!(run(&mut shard, 990).is_empty());
    // the caller's first packet shows where it is
    assert_eq!(relay(&mut shard, 991, 0, CALLER, rtp(8, 1)), Relay::Consume);
    let sent = run(&mut shard, 1_020);
    let [on, off] = &sent[..] else { panic!("two packets are due, not {}", sent.len()) };
    assert_eq!((on.at_ms, on.header.marker), (1_000, true));
    assert!(on.peak() < 100, "the pause of the cadence has begun meanwhile");
    shard.apply(at(1_030), update(2, Party::Caller, LegPlan { is_held: true, ..nowhere }));
    assert!(run(&mut shard, 5_010).is_empty());
    shard.apply(at(5_015), update(3, Party::Caller, nowhere));
    let back = &run(&mut shard, 5_020)[0];
    assert!(back.header.marker && back.peak() > 4500);
    assert_eq!(back.header.sequence, off.header.sequence.wrapping_add(1));
    assert_eq!(back.header.timestamp, off.header.timestamp.wrapping_add(200 * 160));
}

#[test]
fn an_echo_sends_back_what_its_own_peer_sends() {
    let mut shard = playing(Program::Echo);
    assert_eq!(shard.poll_timeout(), None);
    let mut echoes = Vec::new();
    for sequence in [7, 8, 10] {
        let mut packet = rtp(8, sequence);
        let sent = shard.relay(at(10), LegSocket(0), address(CALLER), &mut packet);
        assert_eq!(sent, forward(0, CALLER));
        assert_eq!(packet[12..], rtp(8, sequence)[12..]);
        echoes.push(Header::read(&packet).expect("RTP"));
    }
    assert_ne!(echoes[0].ssrc, 7, "not the peer's own source");
    let steps: Vec<u16> = echoes.iter().map(|echo| echo.sequence.wrapping_sub(echoes[0].sequence)).collect();
    assert_eq!(steps, [0, 1, 3], "what was lost on the way here stays lost");
    // digits, control and keep-alives are for us, and others' packets for nobody
    assert_eq!(relay(&mut shard, 20, 0, CALLER, rtp(101, 11)), Relay::Consume);
    assert_eq!(relay(&mut shard, 20, 1, "192.0.2.1:4001", rtcp()), Relay::Consume);
    assert_eq!(relay(&mut shard, 20, 0, STRANGER, vec![]), Relay::Consume);
    assert_eq!(relay(&mut shard, 20, 0, STRANGER, rtp(8, 1)), Relay::Drop(MediaDrop::Spoofed));
    let [caller, _] = stats(&mut shard);
    assert_eq!((caller.received.packets, caller.sent.packets, caller.tally.forwarded), (4, 3, 3));
    shard.apply(at(30), update(2, Party::Caller, LegPlan { is_held: true, ..leg(0, CALLER) }));
    assert_eq!(relay(&mut shard, 40, 0, CALLER, rtp(8, 12)), Relay::Consume, "who holds hears nothing");
}

#[test]
fn strangers_neither_reach_a_station_nor_turn_it_to_themselves() {
    for program in [ringback(), Program::Echo] {
        let mut shard = playing(program);
        assert_eq!(relay(&mut shard, 10, 0, STRANGER, rtp(8, 1)), Relay::Drop(MediaDrop::Untrusted));
        relay(&mut shard, 20, 0, CALLER, rtp(8, 1));
        assert_eq!(relay(&mut shard, 30, 0, STRANGER, rtp(8, 1)), Relay::Drop(MediaDrop::Spoofed));
        assert!(run(&mut shard, 1_000).iter().all(|packet| packet.to == address(CALLER)));
    }
}

#[test]
fn what_is_removed_plays_no_more() {
    let mut station = playing(ringback());
    run(&mut station, 100);
    station.apply(at(105), MediaOp::Remove { session: SESSION, generation: 2 });
    assert!(run(&mut station, 1_000).is_empty() && station.is_empty());
    assert_eq!(relay(&mut station, 1_000, 0, CALLER, rtp(8, 1)), Relay::Drop(MediaDrop::NoSession));
    let mut call = ringing(ringback());
    call.apply(at(5), play(3, Party::Callee, Some(ringback())));
    assert_eq!(run(&mut call, 20).len(), 3, "two packets and one, to one each");
    call.apply(at(25), MediaOp::Remove { session: SESSION, generation: 4 });
    assert!(run(&mut call, 1_000).is_empty() && call.poll_timeout().is_none());
}

#[test]
fn what_plays_keeps_its_recording_when_others_come() {
    let mut shard = playing(Program::Recording { sound: SoundId(0), times: None });
    run(&mut shard, 10);
    shard.set_sounds(Sounds::default());
    assert_eq!(run(&mut shard, 30)[0].octets[0], Law::A.encode(8000));
    shard.apply(at(35), play(2, Party::Caller, Some(goodbye())));
    assert_eq!(reports(&mut shard), [MediaReport::Refused { session: SESSION, generation: 2, why: Refusal::NoSound }]);
}

#[test]
fn what_cannot_be_played_is_refused_and_changes_nothing() {
    let refused = |generation, why| MediaReport::Refused { session: SESSION, generation, why };
    let unknown = || Program::Recording { sound: SoundId(1), times: None };
    let secure = |socket| LegPlan { kind: Kind::SecureRtp, ..leg(socket, CALLER) };
    let cases = [
        (playing(ringback()), play(2, Party::Callee, Some(ringback())), refused(2, Refusal::OneLeg)),
        (playing(ringback()), update(2, Party::Callee, leg(2, CALLEE)), refused(2, Refusal::OneLeg)),
        (playing(ringback()), update(2, Party::Caller, secure(0)), refused(2, Refusal::NotRtp)),
        (playing(ringback()), station(2, leg(4, CALLER), ringback()), refused(2, Refusal::Installed)),
        (ringing(ringback()), play(3, Party::Caller, Some(Program::Echo)), refused(3, Refusal::Echo)),
        (ringing(ringback()), play(3, Party::Callee, Some(unknown())), refused(3, Refusal::NoSound)),
        (ringing(ringback()), update(3, Party::Caller, secure(0)), refused(3, Refusal::NotRtp)),
        (shard([secure(0), leg(2, CALLEE)]), play(2, Party::Caller, Some(ringback())), refused(2, Refusal::NotRtp)),
        (empty(), play(2, Party::Caller, Some(ringback())), refused(2, Refusal::Unknown)),
        (empty(), station(1, secure(0), ringback()), refused(1, Refusal::NotRtp)),
        (empty(), station(1, leg(0, CALLER), unknown()), refused(1, Refusal::NoSound)),
        (
            shard(legs()),
            play(1, Party::Caller, Some(ringback())),
            MediaReport::Applied { session: SESSION, generation: 1 },
        ),
    ];
    for (mut shard, op, answer) in cases {
        let before = postcard::to_stdvec(&shard).unwrap();
        shard.apply(at(0), op.clone());
        let is_late = matches!(answer, MediaReport::Applied { .. });
        assert_eq!(reports(&mut shard), if is_late { vec![] } else { vec![answer] }, "{op:?}");
        assert_eq!(postcard::to_stdvec(&shard).unwrap(), before, "{op:?}");
    }
}

#[test]
fn silence_from_a_station_is_told_and_what_it_plays_is_none() {
    let watched = LegPlan { interruption: Interruption::Both, interruption_after_ms: 2_000, ..leg(0, CALLER) };
    let mut shard = empty();
    shard.apply(at(0), station(1, watched, ringback()));
    run(&mut shard, 10_000);
    let silences: Vec<MediaReport> =
        reports(&mut shard).into_iter().filter(|report| matches!(report, MediaReport::Silent { .. })).collect();
    let silence = Silence { party: Party::Caller, way: Way::From, since: at(0) };
    assert_eq!(silences, [MediaReport::Silent { session: SESSION, silence }]);
}

#[test]
fn many_that_nobody_can_be_sent_are_left_for_the_next_tick() {
    let mut shard = empty();
    let count = TIMERS_PER_TICK as u32 + 10;
    for number in 0..count {
        let nowhere = LegPlan { signalled: None, ..leg(2 * number, CALLER) };
        let (session, leg) = (SessionId(number.into()), Box::new(nowhere));
        shard.apply(at(0), MediaOp::Station { session, generation: 1, leg, law: Law::A, program: ringback() });
    }
    assert!(due(&mut shard, at(0)).is_empty());
    assert_eq!(shard.poll_timeout(), Some(at(0)));
    assert!(due(&mut shard, at(0)).is_empty());
    assert_eq!(shard.poll_timeout(), Some(at(20)));
}
