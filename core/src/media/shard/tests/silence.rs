//! Interruption of media, in its four modes.

use super::*;

const AFTER_MS: u64 = 5000;

fn watched(interruption: Interruption) -> [LegPlan; 2] {
    let [caller, callee] = legs();
    [caller, LegPlan { interruption, interruption_after_ms: AFTER_MS as u32, ..callee }]
}

/// Ticks whenever the shard wants it until then, and the silences that were told.
fn silences(shard: &mut MediaShard, until_ms: u64) -> Vec<Silence> {
    while let Some(next) = shard.poll_timeout().filter(|next| *next <= at(until_ms)) {
        shard.tick(next);
        assert!(shard.poll_timeout().is_none_or(|later| later > next), "progress (rule R5)");
    }
    let is_silence = |report| match report {
        MediaReport::Silent { session: SESSION, silence } => Some(silence),
        _ => None,
    };
    reports(shard).into_iter().filter_map(is_silence).collect()
}

fn silence(way: Way, since_ms: u64) -> Silence {
    Silence { party: Party::Callee, way, since: at(since_ms) }
}

#[test]
fn each_mode_watches_its_directions() {
    let cases: [(Interruption, &[Way]); 4] = [
        (Interruption::None, &[]),
        (Interruption::FromRemote, &[Way::From]),
        (Interruption::ToRemote, &[Way::To]),
        (Interruption::Both, &[Way::From, Way::To]),
    ];
    for (mode, ways) in cases {
        let mut silent = shard(watched(mode));
        let expected: Vec<Silence> = ways.iter().map(|way| silence(*way, 0)).collect();
        assert_eq!(silences(&mut silent, 20_000), expected, "{mode:?}: told once");
        for (socket, from, stops) in [(0, CALLER, Way::From), (2, CALLEE, Way::To)] {
            let mut one_way = shard(watched(mode));
            for second in 0..20 {
                relay(&mut one_way, second * 1000, socket, from, rtp(0, second as u16));
            }
            let expected: Vec<Silence> = ways.iter().filter(|way| **way == stops).map(|way| silence(*way, 0)).collect();
            assert_eq!(silences(&mut one_way, 19_000), expected, "{mode:?}, media at {socket} alone");
        }
    }
}

#[test]
fn the_silent_party_is_who_should_have_sent() {
    assert_eq!(silence(Way::From, 0).silent_party(), Party::Callee);
    assert_eq!(silence(Way::To, 0).silent_party(), Party::Caller);
}

#[test]
fn silence_is_told_when_it_has_lasted_and_again_when_it_returns() {
    let mut shard = shard(watched(Interruption::FromRemote));
    assert_eq!(shard.poll_timeout(), Some(at(AFTER_MS)));
    relay(&mut shard, 3000, 2, CALLEE, rtp(0, 1));
    assert_eq!(silences(&mut shard, 7999), []);
    assert_eq!(silences(&mut shard, 8000), [silence(Way::From, 3000)]);
    assert_eq!(silences(&mut shard, 30_000), []);
    relay(&mut shard, 30_000, 2, CALLEE, rtp(0, 2));
    assert_eq!(silences(&mut shard, 60_000), [silence(Way::From, 30_000)]);
}

#[test]
fn neither_control_nor_strangers_nor_keep_alives_break_a_silence() {
    let mut shard = shard(watched(Interruption::FromRemote));
    relay(&mut shard, 10, 2, CALLEE, rtp(0, 1));
    for second in 1..10 {
        relay(&mut shard, second * 1000, 3, "198.51.100.2:6001", rtcp());
        relay(&mut shard, second * 1000, 2, STRANGER, rtp(0, 2));
        relay(&mut shard, second * 1000, 2, CALLEE, vec![]);
    }
    assert_eq!(silences(&mut shard, 9000), [silence(Way::From, 10)]);
}

#[test]
fn a_held_leg_may_be_silent_and_the_watch_begins_when_it_returns() {
    let [caller, callee] = watched(Interruption::Both);
    for held in Party::BOTH {
        let mut shard = shard([caller, callee]);
        let plan = [caller, callee][held as usize];
        shard.apply(at(1000), update(2, held, LegPlan { is_held: true, ..plan }));
        assert_eq!(shard.poll_timeout(), None);
        assert_eq!(silences(&mut shard, 60_000), []);
        shard.apply(at(60_000), update(3, held, plan));
        assert_eq!(silences(&mut shard, 64_999), []);
        assert_eq!(silences(&mut shard, 65_000), [silence(Way::From, 60_000), silence(Way::To, 60_000)]);
    }
}

#[test]
fn a_refresh_does_not_begin_the_watch_anew() {
    let [caller, callee] = watched(Interruption::FromRemote);
    let mut shard = shard([caller, callee]);
    shard.apply(at(4000), update(2, Party::Callee, callee));
    assert_eq!(silences(&mut shard, 5000), [silence(Way::From, 0)]);
}

#[test]
fn a_watch_has_a_least_length() {
    let [caller, callee] = watched(Interruption::Both);
    let shard = shard([caller, LegPlan { interruption_after_ms: 0, ..callee }]);
    assert_eq!(shard.poll_timeout(), Some(at(super::super::super::INTERRUPTION_MIN_MS.into())));
}

#[test]
fn a_spurious_tick_changes_nothing() {
    let mut shard = shard(watched(Interruption::Both));
    shard.tick(at(100));
    let before = postcard::to_stdvec(&shard).unwrap();
    shard.tick(at(100));
    assert_eq!(postcard::to_stdvec(&shard).unwrap(), before);
    shard.tick(at(50));
    assert_eq!(postcard::to_stdvec(&shard).unwrap(), before, "an earlier time counts as the last one (rule R6)");
}

#[test]
fn a_tick_looks_at_so_many_and_the_next_at_the_rest() {
    let mut shard = empty();
    let sessions = TIMERS_PER_TICK as u64 + 44;
    for number in 0..sessions {
        let own = |leg: LegPlan| LegPlan {
            socket: LegSocket(leg.socket.0 / 2 + 2 * number as u32),
            rtcp: RtcpPlan::Off,
            ..leg
        };
        shard.apply(at(0), install(SessionId(number), 1, watched(Interruption::FromRemote).map(own)));
    }
    assert_eq!(reports(&mut shard).len() as u64, sessions);
    shard.tick(at(AFTER_MS));
    assert_eq!((reports(&mut shard).len(), shard.poll_timeout()), (TIMERS_PER_TICK, Some(at(AFTER_MS))));
    shard.tick(at(AFTER_MS));
    assert_eq!((reports(&mut shard).len(), shard.poll_timeout()), (44, Some(at(AFTER_MS) + Duration::from_secs(5))));
}
