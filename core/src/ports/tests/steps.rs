//! Each transition of a lease, step by step.

use super::*;

#[test]
fn asked_held_quarantined_closed() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    let lease = rig.ask(1, Pool::Relay, true);
    assert_eq!((rig.state(lease), rig.ports.counts(Pool::Relay)), ("asked", counts(8, 2, 0, 0)));
    assert_eq!(rig.results(), []);
    let place = rig.waiting[0].1;
    rig.reply(Ok(()));
    assert_eq!(rig.results(), [PortResult::Granted { lease, owner: owner(1), place }]);
    assert_eq!((rig.state(lease), rig.ports.poll_timeout()), ("held", None));

    assert!(rig.release(lease));
    assert_eq!((rig.state(lease), rig.ports.counts(Pool::Relay)), ("quarantined", counts(8, 0, 2, 0)));
    assert_eq!(rig.ports.poll_timeout(), Some(rig.now + QUARANTINE));
    rig.pass(QUARANTINE - MS);
    assert_eq!((rig.state(lease), rig.bound.len()), ("quarantined", 2), "it stays open so that nobody else gets it");
    rig.pass(MS);
    assert_eq!((rig.state(lease), rig.bound.len()), ("closed", 0));
    assert_eq!(rig.ports.counts(Pool::Relay), counts(10, 0, 0, 0));
    assert!(!rig.release(lease), "there is nothing to give back");
}

#[test]
fn an_owner_that_is_gone_while_asked_leaves_nothing_behind() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    let opened = rig.ask(1, Pool::Relay, true);
    let refused = rig.ask(2, Pool::Relay, true);
    let in_use = rig.ask(3, Pool::Relay, true);
    for lease in [opened, refused, in_use] {
        assert!(rig.release(lease));
        assert!(!rig.release(lease), "once is enough");
        assert_eq!(rig.state(lease), "abandoned");
    }
    assert_eq!(rig.ports.counts(Pool::Relay), counts(4, 6, 0, 0));
    rig.reply(Ok(()));
    assert_eq!(rig.state(opened), "closed");
    assert_eq!(rig.ports.counts(Pool::Relay), counts(6, 4, 0, 0), "closed at once: nobody was told of it");
    rig.reply(Err(BindError::Other));
    assert_eq!((rig.state(refused), rig.ports.counts(Pool::Relay)), ("closed", counts(8, 2, 0, 0)));
    rig.reply(Err(BindError::AddressInUse));
    assert_eq!((rig.state(in_use), rig.ports.counts(Pool::Relay)), ("closed", counts(8, 0, 0, 2)));
    assert_eq!((rig.results(), rig.waiting.len(), rig.bound.len()), (vec![], 0, 0), "no result, no other try");
}

#[test]
fn a_port_in_use_is_shelved_and_another_tried() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    let lease = rig.ask(1, Pool::Relay, true);
    let first = rig.waiting[0].1.port;
    rig.reply(Err(BindError::AddressInUse));
    assert_eq!((rig.state(lease), rig.ports.counts(Pool::Relay)), ("asked", counts(6, 2, 0, 2)));
    assert_eq!(rig.ports.state(Pool::Relay, first + 1), PortState::Shelved);
    rig.reply(Err(BindError::AddressInUse));
    let third = rig.waiting[0].1;
    rig.reply(Ok(()));
    assert_eq!(rig.granted(), third);
    assert_eq!((rig.ports.counts(Pool::Relay), rig.ports.tally().in_use), (counts(4, 2, 0, 4), 2));

    rig.pass(SHELF);
    assert_eq!(rig.ports.counts(Pool::Relay), counts(8, 2, 0, 0), "whoever had it may have gone");
}

#[test]
fn the_third_port_in_use_is_the_last() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    let lease = rig.ask(1, Pool::Relay, false);
    for _ in 0..3 {
        assert_eq!(rig.results(), []);
        rig.reply(Err(BindError::AddressInUse));
    }
    assert_eq!(rig.refusal(), Refusal::AddressInUse);
    assert_eq!((rig.state(lease), rig.waiting.len()), ("closed", 0));
    assert_eq!(rig.ports.counts(Pool::Relay), counts(7, 0, 0, 3));
}

#[test]
fn other_failures_refuse_at_once_and_leave_the_port_free() {
    for (why, refusal) in [(BindError::NoSockets, Refusal::NoSockets), (BindError::Other, Refusal::BindFailed)] {
        let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
        rig.ask(1, Pool::Relay, true);
        rig.reply(Err(why));
        assert_eq!((rig.refusal(), rig.ports.counts(Pool::Relay)), (refusal, counts(10, 0, 0, 0)));
        assert_eq!((rig.waiting.len(), rig.ports.poll_timeout()), (0, None));
    }
}

#[test]
fn no_reply_refuses_in_time_and_the_late_one_closes() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    let lease = rig.ask(1, Pool::Relay, true);
    rig.pass(OPEN_WAIT - MS);
    assert_eq!(rig.results(), []);
    rig.pass(MS);
    assert_eq!(rig.refusal(), Refusal::NoReply);
    assert_eq!((rig.state(lease), rig.ports.overdue(), rig.ports.poll_timeout()), ("overdue", 1, None));
    assert!(!rig.release(lease));
    rig.pass(10 * OPEN_WAIT);
    assert_eq!(rig.ports.counts(Pool::Relay), counts(8, 2, 0, 0), "it may be open");
    rig.reply(Ok(()));
    assert_eq!((rig.state(lease), rig.ports.overdue(), rig.bound.len()), ("closed", 0, 0));
    assert_eq!((rig.ports.counts(Pool::Relay), rig.results()), (counts(10, 0, 0, 0), vec![]));
}

#[test]
fn another_try_does_not_lengthen_the_wait() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    rig.ask(1, Pool::Relay, true);
    rig.pass(OPEN_WAIT - MS);
    rig.reply(Err(BindError::AddressInUse));
    rig.pass(MS);
    assert_eq!(rig.refusal(), Refusal::NoReply);
}

#[test]
fn an_abandoned_lease_without_a_reply_is_told_as_overdue() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    let lease = rig.ask(1, Pool::Relay, true);
    rig.release(lease);
    rig.pass(OPEN_WAIT);
    assert_eq!((rig.state(lease), rig.ports.overdue(), rig.results()), ("overdue", 1, vec![]));
    rig.reply(Err(BindError::Other));
    assert_eq!((rig.state(lease), rig.ports.overdue()), ("closed", 0));
}

#[test]
fn a_second_reply_and_an_unknown_one_are_counted_and_ignored() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    rig.ask(1, Pool::Relay, true);
    let (request, _) = rig.waiting[0];
    rig.reply(Ok(()));
    rig.results();
    let before = rig.ports.counts(Pool::Relay);
    rig.ports.on_reply(rig.now, PortReply::Refused { request, why: BindError::AddressInUse });
    rig.ports.on_reply(rig.now, PortReply::Opened { request });
    rig.ports.on_reply(rig.now, PortReply::Opened { request: 77 });
    rig.drain();
    assert_eq!((rig.ports.counts(Pool::Relay), rig.results()), (before, vec![]));
    assert_eq!(rig.ports.tally().unexpected_replies, 3);
}

#[test]
fn a_result_that_nobody_took_goes_with_its_lease() {
    let mut rig = Rig::new(settings((10_000, 10_009), 1, 0));
    let lease = rig.ask(1, Pool::Relay, true);
    let (request, _) = rig.waiting[0];
    rig.ports.on_reply(rig.now, PortReply::Opened { request });
    assert!(rig.ports.release(rig.now, lease));
    rig.drain();
    assert_eq!((rig.results(), rig.state(lease)), (vec![], "quarantined"));
}

#[test]
fn a_full_range_refuses_at_once() {
    let mut rig = Rig::new(settings((10_000, 10_001), 1, 0));
    let single = rig.ask(1, Pool::Relay, false);
    let none = rig.ask(2, Pool::Relay, true);
    assert_eq!(rig.results(), [PortResult::Refused { lease: none, owner: owner(2), why: Refusal::NoneFree }]);
    assert_eq!(rig.state(none), "closed");
    rig.ask(3, Pool::Relay, false);
    rig.reply_all();
    assert_eq!(rig.results().len(), 2, "its other half is good for a single port");
    rig.release(single);
    rig.ask(4, Pool::Relay, false);
    assert_eq!(rig.refusal(), Refusal::NoneFree, "quarantine is not free");
}

#[test]
fn the_ranges_are_apart_and_a_port_of_both_is_the_relays() {
    let mut rig = Rig::new(Settings { ivr: 10_008..=10_011, ..settings((10_000, 10_009), 1, 0) });
    assert_eq!(rig.ports.counts(Pool::Ivr).total(), 2);
    rig.ask(1, Pool::Ivr, false);
    rig.ask(2, Pool::Ivr, false);
    rig.ask(3, Pool::Ivr, false);
    assert_eq!(rig.refusal(), Refusal::NoneFree);
    assert!(rig.waiting.iter().all(|(_, place)| place.port >= 10_010), "{:?}", rig.waiting);
}

#[test]
fn the_shard_with_the_fewest_leases_is_picked_unless_it_is_full_or_silent() {
    let mut rig = Rig::new(settings((10_000, 10_011), 3, 0));
    let leases: Vec<LeaseId> = (0..3).map(|flow_no| rig.ask(flow_no, Pool::Relay, true)).collect();
    let shards: Vec<u16> = leases.iter().map(|lease| rig.ports.lease(*lease).unwrap().place.shard.0).collect();
    assert_eq!(shards, [0, 1, 2]);
    rig.reply_all();
    rig.release(leases[1]);
    assert_eq!(rig.ports.pick_shard(kind(Pool::Relay, true)), Shard(1), "quarantine does not count");
    let single = rig.ask_of(4, Shard(1), kind(Pool::Relay, false));
    rig.release(single);
    assert_eq!(rig.ports.pick_shard(kind(Pool::Relay, true)), Shard(0), "no pair is left there");
    rig.pass(OPEN_WAIT);
    assert_eq!(rig.ports.pick_shard(kind(Pool::Relay, false)), Shard(0), "it does not reply");
    rig.reply_all();
    assert_eq!(rig.ports.pick_shard(kind(Pool::Relay, false)), Shard(1));
}

#[test]
fn a_stock_is_kept_open_ahead_of_demand() {
    let mut rig = Rig::new(settings((10_000, 10_199), 2, 32));
    assert_eq!(rig.waiting.len(), 64, "32 for each shard");
    assert!(rig.waiting.iter().all(|(_, place)| place.kind.is_pair));
    rig.reply_all();
    assert_eq!((rig.ports.warm(), rig.results(), rig.ports.poll_timeout()), (64, vec![], None));

    let lease = rig.ask(1, Pool::Relay, true);
    assert_eq!((rig.state(lease), rig.waiting.len()), ("held", 1), "at once, and another is opened");
    assert_eq!(rig.ports.tally().from_stock, 1);
    let place = rig.granted();
    assert!(place.kind.is_pair && place.shard == Shard(0));
}

#[test]
fn the_stock_follows_demand() {
    let mut rig = Rig::new(settings((10_000, 10_099), 1, 4));
    rig.reply_all();
    for flow_no in 0..5 {
        rig.ask(flow_no, Pool::Relay, false);
        rig.reply_all();
    }
    let warm = |rig: &Rig| -> Vec<bool> {
        let warm = rig.ports.leases().filter(|(_, lease)| lease.owner.is_none());
        warm.map(|(_, lease)| lease.place.kind.is_pair).collect()
    };
    assert_eq!(rig.ports.tally().from_stock, 4, "one that missed, and then single ports are there");
    assert_eq!(warm(&rig).iter().filter(|is_pair| **is_pair).count(), 3);
    rig.ports.set_warm(rig.now, 0);
    rig.tick();
    assert_eq!((warm(&rig).len(), rig.ports.poll_timeout(), rig.bound.len()), (0, None, 5));
}

#[test]
fn a_stock_makes_room_where_ports_are_short() {
    let mut rig = Rig::new(settings((10_000, 10_003), 1, 4));
    rig.reply_all();
    assert_eq!((rig.ports.warm(), rig.ports.counts(Pool::Relay).free), (2, 0));
    assert_eq!(rig.ports.pick_shard(kind(Pool::Relay, true)), Shard(0));
    let mut leases = Vec::new();
    for flow_no in 0..4 {
        leases.push(rig.ask(flow_no, Pool::Relay, false));
        rig.reply_all();
    }
    assert!(leases.iter().all(|lease| rig.state(*lease) == "held"), "all four ports are had: {:?}", rig.results());
}

#[test]
fn a_shard_that_opens_nothing_is_asked_again_once_a_second() {
    let mut rig = Rig::new(settings((10_000, 10_099), 1, 4));
    while !rig.waiting.is_empty() {
        rig.reply(Err(BindError::NoSockets));
    }
    rig.ask(1, Pool::Relay, true);
    assert_eq!(rig.waiting.len(), 1, "an owner's is tried all the same");
    rig.reply(Err(BindError::NoSockets));
    assert_eq!(rig.refusal(), Refusal::NoSockets);
    rig.pass(STOCK_PAUSE - MS);
    assert_eq!(rig.waiting.len(), 0);
    rig.pass(MS);
    assert_eq!(rig.waiting.len(), 4);
    rig.pass(OPEN_WAIT);
    assert_eq!((rig.ports.overdue(), rig.results()), (4, vec![]));
    rig.reply_all();
    assert_eq!((rig.ports.overdue(), rig.ports.warm()), (0, 0), "it came too late");
}

#[test]
fn a_lost_reply_stops_no_stock_and_as_many_as_the_stock_has_do() {
    let mut rig = Rig::new(settings((10_000, 10_199), 2, 4));
    let (first, rest): (Vec<_>, Vec<_>) = rig.waiting.drain(..).partition(|(_, place)| place.shard == Shard(0));
    rig.waiting.extend(rest);
    rig.reply_all();
    rig.pass(OPEN_WAIT);
    assert_eq!((rig.ports.overdue(), rig.ports.warm()), (4, 4));
    rig.pass(3 * STOCK_PAUSE);
    assert_eq!(rig.waiting.len(), 0, "a shard that is silent costs no more ports than its stock has");
    let (request, place) = first[0];
    rig.reply_to(request, place, Ok(()));
    rig.tick();
    assert_eq!((rig.waiting.len(), rig.ports.overdue()), (4, 3), "it speaks");
    rig.reply_all();
    assert_eq!(rig.ports.warm(), 8, "although three replies were lost");
}

#[test]
fn what_comes_for_a_stock_that_is_not_wanted_any_more_is_closed() {
    let mut rig = Rig::new(settings((10_000, 10_099), 1, 4));
    rig.ports.set_warm(rig.now, 1);
    rig.tick();
    rig.reply_all();
    assert_eq!((rig.ports.warm(), rig.bound.len()), (1, 2));
}

#[test]
fn an_operator_sees_ports_with_their_owners() {
    let mut rig = Rig::new(settings((10_000, 10_099), 2, 1));
    rig.reply_all();
    let over = rig.ask(41, Pool::Relay, true);
    rig.ask(42, Pool::Relay, true);
    rig.reply_all();
    rig.release(over);
    rig.ask(43, Pool::Ivr, false);
    insta::assert_debug_snapshot!(rig.ports.view(5));
}

#[test]
fn the_stock_is_of_one_address_until_another_is_asked_for() {
    let mut rig = Rig::new(settings((10_000, 10_099), 1, 2));
    rig.reply_all();
    let v6 = Kind { address: V6, ..kind(Pool::Relay, true) };
    rig.ask_of(1, Shard(0), v6);
    assert_eq!(rig.waiting.len(), 2, "its own, and one to come");
    assert!(rig.waiting.iter().all(|(_, place)| place.kind == v6));
    rig.reply_all();
    rig.ask_of(2, Shard(0), v6);
    assert_eq!(rig.ports.tally().from_stock, 1);
    rig.ask(3, Pool::Relay, true);
    assert_eq!(rig.ports.tally().from_stock, 2, "and one of the first is there still");
}
