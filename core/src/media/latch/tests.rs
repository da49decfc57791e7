//! The target machine: every transition, every rejection.

use super::*;
use Reason::*;
use TargetState::*;

const SIGNALLED: &str = "192.0.2.1:4000";
/// The host that the peer signals from.
const HOST: &str = "198.51.100.7";
const STRANGER: &str = "203.0.113.66:6666";

fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn latch() -> Latch {
    Latch::new(at(0), Some(address(SIGNALLED)))
}

/// Trust in the signalling host, and in anybody where this is behind a translator.
fn trust(anybody: bool) -> Trust {
    Trust { host: Some(HOST.parse().unwrap()), host_reason: SignallingHost, anybody }
}

fn packet(from: &str) -> PacketId {
    PacketId { from: address(from), rtp: Some((7, 1)) }
}

/// State, target and reason, as one reads them.
fn shown(latch: &Latch) -> (TargetState, String, Reason) {
    let moved = latch.moved();
    (moved.state, moved.target.map(|target| target.to_string()).unwrap_or_default(), moved.reason)
}

fn is(state: TargetState, target: &str, reason: Reason) -> (TargetState, String, Reason) {
    (state, target.to_owned(), reason)
}

/// Packets by their time in ms and source, and whether they are the leg's; then where media goes.
#[track_caller]
fn expect(
    behind_nat: bool,
    packets: &[(u64, &str, Result<(), MediaDrop>)],
    end: (TargetState, String, Reason),
) -> Latch {
    let mut latch = latch();
    for (ms, from, verdict) in packets {
        assert_eq!(latch.judge(at(*ms), packet(from), trust(behind_nat)), *verdict, "from {from} at {ms} ms");
    }
    assert_eq!(shown(&latch), end);
    latch
}

const OWN: Result<(), MediaDrop> = Ok(());
const UNTRUSTED: Result<(), MediaDrop> = Err(MediaDrop::Untrusted);
const SPOOFED: Result<(), MediaDrop> = Err(MediaDrop::Spoofed);
const NATTED: &str = "198.51.100.7:40000";
const NATTED_TOO: &str = "198.51.100.7:40002";
const ELSEWHERE: &str = "203.0.113.5:9000";

#[test]
fn a_target_begins_as_signalled() {
    let latch = latch();
    assert_eq!(shown(&latch), is(Signalled, SIGNALLED, Signalling));
    assert_eq!(latch.moved().rtp, None);
}

#[test]
fn a_packet_from_the_signalled_address_locks_at_once() {
    let latch = expect(true, &[(20, SIGNALLED, OWN)], is(Locked, SIGNALLED, SignalledAddress));
    assert_eq!((latch.moved().rtp, latch.moved().at), (Some((7, 1)), at(20)));
    expect(true, &[(60_000, SIGNALLED, OWN)], is(Locked, SIGNALLED, SignalledAddress));
}

#[test]
fn a_locked_target_rejects_all_others() {
    let packets = [(20, SIGNALLED, OWN), (40, STRANGER, SPOOFED), (60, NATTED, SPOOFED), (80, SIGNALLED, OWN)];
    let latch = expect(true, &packets, is(Locked, SIGNALLED, SignalledAddress));
    assert_eq!(latch.moves(), 1);
}

#[test]
fn the_signalling_host_is_learned_and_locks_when_the_window_is_over() {
    expect(false, &[(20, NATTED, OWN)], is(Learned, NATTED, SignallingHost));
    let packets = [(20, NATTED, OWN), (4999, NATTED, OWN)];
    expect(false, &packets, is(Learned, NATTED, SignallingHost));
    let packets = [(20, NATTED, OWN), (5000, NATTED, OWN)];
    let latch = expect(false, &packets, is(Locked, NATTED, WindowOver));
    assert_eq!((latch.moved().rtp, latch.moved().at), (Some((7, 1)), at(5000)));
}

#[test]
fn the_signalling_host_is_learned_late_too_and_locks_at_once() {
    expect(false, &[(30_000, NATTED, OWN), (30_020, NATTED_TOO, SPOOFED)], is(Locked, NATTED, SignallingHost));
}

#[test]
fn a_second_port_of_the_signalling_host_displaces_nothing() {
    expect(true, &[(20, NATTED, OWN), (40, NATTED_TOO, UNTRUSTED)], is(Learned, NATTED, SignallingHost));
}

#[test]
fn the_signalled_address_displaces_what_was_learned() {
    let packets = [(20, NATTED, OWN), (40, SIGNALLED, OWN), (60, NATTED, SPOOFED)];
    expect(false, &packets, is(Locked, SIGNALLED, SignalledAddress));
    let packets = [(20, STRANGER, OWN), (40, SIGNALLED, OWN), (60, STRANGER, SPOOFED)];
    expect(true, &packets, is(Locked, SIGNALLED, SignalledAddress));
}

#[test]
fn strangers_are_believed_only_behind_a_translator() {
    expect(false, &[(20, STRANGER, UNTRUSTED)], is(Signalled, SIGNALLED, Signalling));
    expect(true, &[(20, STRANGER, OWN)], is(Learned, STRANGER, BehindNat));
}

#[test]
fn strangers_are_believed_only_in_the_window() {
    expect(true, &[(4999, STRANGER, OWN)], is(Learned, STRANGER, BehindNat));
    expect(true, &[(5000, STRANGER, UNTRUSTED)], is(Signalled, SIGNALLED, Signalling));
}

#[test]
fn a_stranger_gives_way_to_the_signalling_host_and_not_to_another() {
    let packets = [(20, STRANGER, OWN), (30, ELSEWHERE, UNTRUSTED), (40, NATTED, OWN), (50, STRANGER, UNTRUSTED)];
    expect(true, &packets, is(Learned, NATTED, SignallingHost));
}

#[test]
fn after_the_window_what_was_learned_is_locked_against_better_sources_too() {
    let packets = [(20, STRANGER, OWN), (5000, SIGNALLED, SPOOFED), (5001, STRANGER, OWN)];
    expect(true, &packets, is(Locked, STRANGER, WindowOver));
}

#[test]
fn without_a_signalled_address_there_is_no_target_until_a_packet_comes() {
    for nothing in [None, Some("0.0.0.0:4000"), Some("192.0.2.1:0"), Some("[::]:4000")] {
        let mut latch = Latch::new(at(0), nothing.map(address));
        assert_eq!(latch.target(), None, "{nothing:?}");
        assert_eq!(latch.judge(at(20), packet(NATTED), trust(false)), OWN);
        assert_eq!(shown(&latch), is(Learned, NATTED, SignallingHost));
    }
}

#[test]
fn an_address_is_the_same_in_the_dress_of_the_other_family() {
    assert_eq!(canonical(address("[::ffff:192.0.2.1]:4000")), address(SIGNALLED));
    assert_eq!(canonical(address("[2001:db8::1]:4000")), address("[2001:db8::1]:4000"));
    assert_eq!(Latch::new(at(0), Some(address("[::ffff:192.0.2.1]:4000"))).target(), Some(address(SIGNALLED)));
}

#[test]
fn the_same_description_again_keeps_what_is_locked() {
    let mut latch = expect(false, &[(6000, NATTED, OWN)], is(Locked, NATTED, SignallingHost));
    latch.signal(at(7000), Some(address(SIGNALLED)), false);
    assert_eq!(shown(&latch), is(Locked, NATTED, SignallingHost));
}

#[test]
fn signalling_reopens_the_window_and_media_goes_on_to_where_it_went() {
    let mut latch =
        expect(true, &[(20, SIGNALLED, OWN), (40, STRANGER, SPOOFED)], is(Locked, SIGNALLED, SignalledAddress));
    latch.signal(at(60_000), Some(address(SIGNALLED)), true);
    assert_eq!(shown(&latch), is(Signalled, SIGNALLED, Reopened));
    assert_eq!(latch.judge(at(60_020), packet(STRANGER), trust(true)), OWN);
    assert_eq!(shown(&latch), is(Learned, STRANGER, BehindNat));
    latch.signal(at(61_000), Some(address(SIGNALLED)), true);
    assert_eq!(shown(&latch), is(Signalled, STRANGER, Reopened));
    assert_eq!(latch.judge(at(66_000), packet(ELSEWHERE), trust(true)), UNTRUSTED, "the window is over again");
}

#[test]
fn another_signalled_address_is_the_target_at_once() {
    let mut latch = expect(false, &[(20, NATTED, OWN)], is(Learned, NATTED, SignallingHost));
    let moved_to = "198.51.100.7:50000";
    latch.signal(at(10_000), Some(address(moved_to)), false);
    assert_eq!(shown(&latch), is(Signalled, moved_to, Signalling));
    // what was under way when it moved is its own, and moves nothing, although its host is trusted
    assert_eq!(latch.judge(at(10_499), packet(NATTED), trust(false)), OWN);
    assert_eq!(shown(&latch), is(Signalled, moved_to, Signalling));
    let mut other = latch.clone();
    assert_eq!(latch.judge(at(10_500), packet(NATTED), trust(false)), OWN);
    assert_eq!(shown(&latch), is(Learned, NATTED, SignallingHost));
    assert_eq!(other.judge(at(10_100), packet(moved_to), trust(false)), OWN);
    assert_eq!(other.judge(at(10_200), packet(NATTED), trust(false)), OWN, "late beside the locked one");
    assert_eq!(other.judge(at(10_500), packet(NATTED), trust(false)), SPOOFED);
    assert_eq!(shown(&other), is(Locked, moved_to, SignalledAddress));
}

/// An answerer's media overtakes its answer: behind a translator it is what shows where to send.
#[test]
fn a_first_description_lets_what_came_before_it_be_learned_again_at_once() {
    let private = "192.168.1.103:4000";
    let mut latch = Latch::new(at(0), None);
    assert_eq!(latch.judge(at(10), packet(NATTED), trust(true)), OWN);
    latch.signal(at(11), Some(address(private)), true);
    assert_eq!(shown(&latch), is(Signalled, private, Signalling));
    assert_eq!(latch.judge(at(30), packet(NATTED), trust(true)), OWN);
    assert_eq!(shown(&latch), is(Learned, NATTED, SignallingHost));
    assert_eq!(latch.judge(at(40), packet(STRANGER), trust(true)), UNTRUSTED);
}

#[test]
fn a_hold_of_old_stops_and_the_next_description_starts_again() {
    let mut latch = expect(false, &[(20, SIGNALLED, OWN)], is(Locked, SIGNALLED, SignalledAddress));
    latch.signal(at(1000), Some(address("0.0.0.0:4000")), false);
    assert_eq!(shown(&latch), is(Signalled, "", Signalling));
    latch.signal(at(2000), Some(address(SIGNALLED)), false);
    assert_eq!(shown(&latch), is(Signalled, SIGNALLED, Signalling));
}

#[test]
fn control_follows_media_to_its_host() {
    let rtp_at = |host: &str| Trust { host: Some(host.parse().unwrap()), host_reason: RtpHost, anybody: false };
    let mut latch = latch();
    assert_eq!(latch.judge(at(20), packet("203.0.113.66:6667"), rtp_at("203.0.113.66")), OWN);
    assert_eq!(shown(&latch), is(Learned, "203.0.113.66:6667", RtpHost));
    latch.follow(at(30), "203.0.113.66".parse().unwrap());
    assert_eq!(shown(&latch), is(Learned, "203.0.113.66:6667", RtpHost), "it is there");
    latch.follow(at(40), HOST.parse().unwrap());
    assert_eq!(shown(&latch), is(Signalled, SIGNALLED, RtpMoved));
    assert_eq!(latch.judge(at(50), packet("203.0.113.66:6667"), rtp_at(HOST)), UNTRUSTED);
    assert_eq!(latch.judge(at(60), packet("198.51.100.7:40001"), rtp_at(HOST)), OWN);
    assert_eq!(shown(&latch), is(Learned, "198.51.100.7:40001", RtpHost));
}

#[test]
fn control_at_its_signalled_address_stays_there() {
    let mut latch = expect(false, &[(20, SIGNALLED, OWN)], is(Locked, SIGNALLED, SignalledAddress));
    latch.follow(at(40), HOST.parse().unwrap());
    assert_eq!(shown(&latch), is(Locked, SIGNALLED, SignalledAddress));
}
