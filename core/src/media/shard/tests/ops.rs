//! Ops in order and out of it.

use super::*;

fn applied(generation: u32) -> MediaReport {
    MediaReport::Applied { session: SESSION, generation }
}

fn refused(generation: u32, why: Refusal) -> MediaReport {
    MediaReport::Refused { session: SESSION, generation, why }
}

fn remove(generation: u32) -> MediaOp {
    MediaOp::Remove { session: SESSION, generation }
}

/// What the op is answered with.
fn answers(shard: &mut MediaShard, op: MediaOp) -> Vec<MediaReport> {
    shard.apply(at(0), op);
    reports(shard)
}

#[test]
fn packets_before_and_after_a_session_are_dropped() {
    let mut shard = empty();
    assert_eq!(relay(&mut shard, 0, 0, CALLER, rtp(0, 1)), Relay::Drop(MediaDrop::NoSession));
    shard.apply(at(0), install(SESSION, 1, legs()));
    assert_eq!(relay(&mut shard, 0, 0, CALLER, rtp(0, 2)), forward(2, CALLEE));
    shard.apply(at(0), remove(2));
    for socket in 0..4 {
        assert_eq!(relay(&mut shard, 0, socket, CALLER, rtp(0, 3)), Relay::Drop(MediaDrop::NoSession));
    }
    assert_eq!(shard.tally().dropped_for(MediaDrop::NoSession), 5);
    assert!(shard.is_empty() && shard.poll_timeout().is_none());
}

#[test]
fn the_end_tells_what_has_passed() {
    let mut shard = shard(legs());
    relay(&mut shard, 0, 0, CALLER, rtp(0, 1));
    reports(&mut shard);
    let [MediaReport::Stats { session: SESSION, legs }, end] = &answers(&mut shard, remove(2))[..] else {
        panic!("stats, then the answer")
    };
    assert_eq!((legs[0].received.packets, legs[1].sent.packets, end), (1, 1, &applied(2)));
}

#[test]
fn older_ops_are_ignored() {
    let mut shard = shard(legs());
    assert_eq!(answers(&mut shard, update(5, Party::Caller, leg(0, CALLER))), [applied(5)]);
    for late in [update(5, Party::Caller, leg(0, STRANGER)), update(2, Party::Caller, leg(0, STRANGER)), remove(4)] {
        assert_eq!(answers(&mut shard, late), []);
    }
    assert_eq!(answers(&mut shard, install(SESSION, 1, legs())), []);
    assert_eq!(relay(&mut shard, 0, 2, CALLEE, rtp(0, 1)), forward(0, CALLER));
}

#[test]
fn an_install_after_its_remove_starts_nothing() {
    let mut shard = empty();
    assert_eq!(answers(&mut shard, remove(2)), [refused(2, Refusal::Unknown)]);
    assert_eq!(answers(&mut shard, install(SESSION, 1, legs())), []);
    assert!(shard.is_empty());
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let mut shard = shard(legs());
    let before = postcard::to_stdvec(&shard).unwrap();
    let other = |legs| install(SessionId(2), 1, legs);
    let refused_2 = |why| MediaReport::Refused { session: SessionId(2), generation: 1, why };
    let far = LegPlan { socket: LegSocket(MEDIA_SOCKETS as u32), ..leg(4, CALLER) };
    let cases = [
        (install(SESSION, 2, legs()), refused(2, Refusal::Installed)),
        (other([leg(4, CALLER), leg(2, CALLEE)]), refused_2(Refusal::SocketTaken)),
        (other([leg(4, CALLER), leg(5, CALLEE)]), refused_2(Refusal::SocketTaken)),
        (other([far, leg(6, CALLEE)]), refused_2(Refusal::SocketNumber)),
        (update(2, Party::Caller, leg(2, CALLER)), refused(2, Refusal::SocketTaken)),
        (
            MediaOp::Read { session: SessionId(2) },
            MediaReport::Refused { session: SessionId(2), generation: 0, why: Refusal::Unknown },
        ),
        (MediaOp::Remove { session: SESSION, generation: 1 }, applied(0)),
    ];
    for (op, answer) in cases {
        let expected = if answer == applied(0) { vec![] } else { vec![answer] };
        assert_eq!(answers(&mut shard, op.clone()), expected, "{op:?}");
        assert_eq!(postcard::to_stdvec(&shard).unwrap(), before, "{op:?}");
    }
}

#[test]
fn a_full_shard_takes_no_more() {
    let mut shard = empty();
    let plan = |number: u64, offset: u32| LegPlan { rtcp: RtcpPlan::Off, ..leg(2 * number as u32 + offset, CALLER) };
    for number in 0..MEDIA_SESSIONS as u64 {
        shard.apply(at(0), install(SessionId(number), 1, [plan(number, 0), plan(number, 1)]));
    }
    assert_eq!((shard.len(), reports(&mut shard).len()), (MEDIA_SESSIONS, MEDIA_SESSIONS), "answers are never lost");
    let more = MEDIA_SESSIONS as u64;
    shard.apply(at(0), install(SessionId(more), 1, [plan(more, 0), plan(more, 1)]));
    assert!(matches!(reports(&mut shard)[..], [MediaReport::Refused { why: Refusal::Full, .. }]));
}

#[test]
fn reports_of_packets_are_bounded_and_the_loss_is_counted() {
    let mut shard = shard(legs());
    for generation in 2..2000 {
        let leg = leg(0, CALLER);
        let (session, party, learning) = (SESSION, Party::Caller, Learning::Reopen);
        shard.apply(at(0), MediaOp::Update { session, generation, party, leg: Box::new(leg), learning });
        relay(&mut shard, 0, 0, CALLER, rtp(0, 1));
    }
    // one answer and one latch each, until the queue is at its bound
    let told = MEDIA_REPORTS_WAITING as u64 / 2;
    assert_eq!(shard.lost_reports(), 1998 - told);
    assert_eq!(reports(&mut shard).len() as u64, 1998 + told);
}

#[test]
fn a_session_is_small() {
    let bytes = size_of::<Session>() + 2 * leg(0, CALLER).sockets().count() * size_of::<Option<Place>>();
    assert!(bytes < 2048, "{bytes} bytes with its places; limits.rs counts on 2 KiB, of the 8 of a relayed call");
}

#[test]
fn a_shard_is_plain_data() {
    let mut one = shard(legs());
    relay(&mut one, 10, 0, CALLER, rtp(0, 1));
    let bytes = postcard::to_stdvec(&one).unwrap();
    let mut two: MediaShard = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(relay(&mut one, 20, 2, CALLEE, rtp(0, 1)), relay(&mut two, 20, 2, CALLEE, rtp(0, 1)));
    assert_eq!(postcard::to_stdvec(&one).unwrap(), postcard::to_stdvec(&two).unwrap());
}
