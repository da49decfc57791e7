//! What may befall the switch and its machine, one fault at a time.

use crosspoint_core::cdr::{CallRecord, EndReason};
use crosspoint_core::event::Event;
use crosspoint_sim::phone::{Answering, Phone, State};
use crosspoint_sim::scenario::{Options, Scenario, play_with};
use crosspoint_sim::world::World;
use quickcheck::quickcheck;
use std::time::Duration;

const NONE: [String; 0] = [];

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn call_bob(phone: &mut Phone, now: crosspoint_core::time::Instant) {
    phone.call(now, "bob");
}

/// Alice and bob, registered since the first second.
fn two() -> World {
    let mut world = World::new(7, &["alice", "bob"]);
    world.register_all();
    world
}

fn records(world: &World) -> Vec<&CallRecord> {
    let mut records = Vec::new();
    for event in world.events() {
        if let Event::CallEnded { record } = event {
            records.push(&**record);
        }
    }
    records
}

fn counter(world: &World, name: &str) -> u64 {
    world.status().counters[name]
}

/// A drawn world with all kinds of calls over bad links, and no fault but those of the test.
fn busy(seed: u64, calls: u64, change: impl FnOnce(&mut World)) -> World {
    let options = Options {
        loss: true,
        doubles: true,
        reordering: true,
        slow: true,
        changes: true,
        cancels: true,
        refusals: true,
        ..Options::default()
    };
    play_with(&Scenario::draw_with(seed, calls, options), change)
}

#[test]
fn a_restart_from_a_snapshot_anywhere_changes_no_command() {
    for seed in 0..6 {
        let uninterrupted = busy(seed, 12, |_| {});
        let restarted = busy(seed, 12, |world| {
            for i in 0..400 {
                world.at(ms(97 * i + seed), World::restart_from_snapshot);
            }
        });
        assert_eq!(restarted.digest(), uninterrupted.digest(), "seed {seed}");
        assert_eq!(restarted.violations(), NONE, "seed {seed}");
    }
}

quickcheck! {
    /// Registrations at some moments; a crash that loses some seconds.
    fn a_crash_loses_exactly_the_bindings_changed_within_its_window(at: Vec<u16>, crash_after: u16, lost: u16) -> bool {
        let lost = lost % 30_000;
        let names: Vec<String> = (0..at.len()).map(|i| format!("u{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut world = World::new(1, &names);
        for (name, at) in names.iter().zip(&at) {
            world.later(ms(u64::from(*at)), name, Phone::register);
        }
        world.run_for(ms(u64::from(crash_after)));
        world.crash(ms(u64::from(lost)));
        // the REGISTER and its answer to the challenge take three ways of 1 ms
        let written = |at: &&u16| u64::from(**at) + 3 + u64::from(lost) <= u64::from(crash_after);
        world.status().bindings == at.iter().filter(written).count()
    }
}

#[test]
fn a_binding_that_was_refreshed_within_the_window_comes_back_as_it_was() {
    let mut world = two();
    world.later(ms(4000), "alice", Phone::register);
    world.run_for(ms(5000));
    world.crash(ms(2000));
    assert_eq!(world.status().bindings, 2);
    // registered for 3600 s in the first second, refreshed after five: the switch forgets it at its old end
    world.run_for(Duration::from_secs(3597));
    assert_eq!(world.status().bindings, 0);
}

#[test]
fn a_crash_leaves_a_record_of_the_answered_call_and_none_of_the_one_that_rang() {
    let mut world = World::new(7, &["alice", "bob", "carol", "dave"]);
    world.register_all();
    world.act("dave", |dave, _| dave.settings_mut().answering = Answering::RingOnly);
    world.act("alice", call_bob);
    world.act("carol", |carol, now| {
        carol.call(now, "dave");
    });
    world.run_for(ms(100_000));
    world.crash(Duration::ZERO);
    let records: Vec<_> = records(&world).into_iter().filter(|r| r.end_reason == EndReason::Interrupted).collect();
    let [record] = records[..] else { panic!("{records:?}") };
    assert_eq!((&*record.caller, &*record.callee, record.sip_status), ("alice", "bob", 200));
    // answered after three seconds; with a call up a segment begins every minute, and the last one tells that it lived
    let known_ms = record.end_ms - record.answer_ms.unwrap();
    assert!((56_000..=57_000).contains(&known_ms), "{known_ms}");
    assert_eq!(record.hold_time_ms, known_ms);
    assert_eq!(world.status().calls, 0);
    assert_eq!(world.status().bindings, 4);
    // the phones find out: 481, and the call is over for them too
    world.act("alice", Phone::hang_up);
    world.act("bob", Phone::hang_up);
    world.run_for(ms(1000));
    assert!(world.phone("alice").current_call().is_none());
    world.act("alice", call_bob);
    world.run_for(ms(5000));
    assert_eq!(world.phone("bob").current_call().map(|call| call.state()), Some(State::Up));
}

#[test]
fn a_call_answered_within_the_window_leaves_no_record() {
    let mut world = two();
    world.act("alice", call_bob);
    world.run_for(ms(5000));
    world.crash(ms(4000));
    assert_eq!(records(&world), [] as [&CallRecord; 0]);
}

#[test]
fn what_a_slow_sink_has_not_got_dies_with_the_process() {
    let mut world = World::new(7, &["alice", "bob"]);
    world.slow_sink(ms(5000));
    world.act("alice", Phone::register);
    world.later(ms(3000), "bob", Phone::register);
    world.run_for(ms(6000));
    world.crash(Duration::ZERO);
    assert_eq!(world.status().bindings, 1);
    world.run_for(ms(6000));
    assert_eq!(
        world.events().iter().filter(|e| matches!(e, Event::BindingChanged { change: "registered", .. })).count(),
        1
    );
}

/// When the switch sends INVITE to a silent bob, in milliseconds since alice's call.
fn resends(befalls: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = two();
    world.act("bob", |bob, _| bob.settings_mut().answering = Answering::Silent);
    world.forget_log();
    befalls(&mut world);
    world.act("alice", call_bob);
    // a line for every copy: nothing folds where the cut is that short
    let mut seen = Vec::new();
    for _ in 0..400 {
        world.run_for(ms(100));
        seen.extend(
            world
                .ladder("")
                .lines()
                .filter(|line| line.contains("            |--INVITE "))
                .map(|line| line[..10].to_owned()),
        );
        world.forget_log();
    }
    seen
}

#[test]
fn a_clock_that_goes_back_between_two_timers_changes_none_of_them() {
    let right = resends(|_| {});
    assert!(right.len() > 4, "{right:?}");
    for at in [100, 600, 2000] {
        let back = resends(move |world| world.at(ms(at), |world| world.regress_clock(ms(300))));
        assert_eq!(back, right, "back at {at} ms");
    }
}

#[test]
fn a_timer_that_is_due_while_the_clock_is_back_comes_when_it_is_right_again_and_the_rest_follows() {
    let right = resends(|_| {});
    let back = resends(|world| world.at(ms(400), |world| world.regress_clock(ms(700))));
    assert_eq!(back[0], right[0]);
    assert_eq!(back[1].trim(), "2100.0", "resent at the end of the gap, not before and not at 1501");
}

#[test]
fn a_clock_that_goes_back_is_counted_and_nothing_else() {
    let mut counted = 0;
    for seed in 0..5 {
        let world = busy(seed, 12, |world| {
            for i in 0..60 {
                world.at(ms(1999 * i), |world| world.regress_clock(ms(400)));
            }
        });
        assert_eq!(world.violations(), NONE, "seed {seed}");
        counted += counter(&world, "clock_regressions");
    }
    assert!(counted > 5, "{counted}");
}

#[test]
fn a_wall_clock_that_jumps_moves_no_timer_and_no_binding() {
    for by_ms in [7_200_000, -7_200_000] {
        let mut world = two();
        world.act("alice", call_bob);
        world.at(ms(4000), move |world| world.jump_wall_clock(by_ms));
        world.run_for(ms(10_000));
        world.act("bob", Phone::hang_up);
        assert!(world.run_until_idle(ms(60_000)));
        assert_eq!(world.status().bindings, 2);
        assert_eq!(world.violations(), NONE);
        // billed by the clock that does not jump
        assert_eq!(records(&world)[0].hold_time_s, 8, "jumps by {by_ms} ms");
    }
}

#[test]
fn a_stall_delivers_what_fits_into_the_receive_buffer() {
    let names: Vec<String> = (0..10).map(|i| format!("u{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::new(1, &names);
    world.kernel().receive_buffer_bytes = 4096;
    world.stall_switch(ms(300));
    for name in &names {
        world.act(name, Phone::register);
    }
    world.run_for(ms(299));
    assert_eq!(counter(&world, "requests_in"), 0);
    world.run_for(ms(1));
    // some 360 bytes and the overhead each
    assert_eq!(counter(&world, "requests_in"), 3);
    // SIP resends: in the end everybody is registered
    world.run_for(ms(5000));
    assert_eq!(world.status().bindings, 10);
}

#[test]
fn what_the_system_refuses_is_told_to_the_switch() {
    let mut world = two();
    world.refuse_sends(1000);
    world.act("alice", call_bob);
    world.run_for(ms(100));
    assert_eq!(counter(&world, "undelivered"), 1);
    assert_eq!(world.phone("alice").calls()[0].final_status(), None, "and nothing came out");
}

#[test]
fn a_phone_that_is_nowhere_is_told_by_an_icmp_error_or_held_against_the_switch() {
    for tells in [true, false] {
        let mut world = World::new(7, &["alice", "bob"]);
        world.tells_refusals(tells);
        world.act("alice", Phone::register);
        world.act("bob", Phone::register);
        world.run_for(ms(1000));
        world.unplug("bob");
        world.act("alice", call_bob);
        world.run_for(ms(1000));
        let status = world.phone("alice").calls()[0].final_status();
        // RFC 3261 §8.1.3.1: a transport error counts as 503; without one the switch goes on resending
        assert_eq!(status, tells.then_some(503));
        assert_eq!(world.violations().iter().any(|wrong| wrong.contains("where nobody is")), !tells);
    }
}

#[test]
fn a_kernel_as_unkind_as_it_gets_changes_nothing_in_the_end() {
    for seed in 0..30 {
        let world = busy(seed, 20, |world| {
            let kernel = world.kernel();
            (kernel.full_permille, kernel.refuse_permille, kernel.send_delay_us) = (20, 0, 20_000);
            (kernel.wake_delay_us, kernel.batch, kernel.cuts_batches) = (50_000, 7, true);
            kernel.receive_buffer_bytes = 20_000;
            for i in 0..30 {
                world.at(ms(2503 * i), |world| world.stall_switch(ms(400)));
            }
        });
        assert_eq!(world.violations(), NONE, "seed {seed}");
    }
}

#[test]
fn a_reload_in_the_middle_of_a_call_leaves_the_call() {
    let mut world = two();
    world.act("alice", call_bob);
    world.run_for(ms(5000));
    let without_bob = "[switch]\ndomain = \"example.net\"\n[[listen]]\ntransport = \"udp\"\nbind = \"10.0.0.1:5060\"\n\
                       [[phone]]\nuser = \"alice\"\npassword = \"secret\"\n";
    assert!(world.reload("nonsense").is_err());
    assert_eq!(world.status().config_generation, 1);
    world.reload(without_bob).unwrap();
    assert_eq!(world.status().config_generation, 2);
    world.act("alice", Phone::hold);
    world.run_for(ms(1000));
    world.act("bob", Phone::hang_up);
    world.run_for(ms(1000));
    assert_eq!(records(&world)[0].end_reason, EndReason::Normal);
    world.act("alice", call_bob);
    world.run_for(ms(1000));
    assert_eq!(world.phone("alice").calls()[1].final_status(), Some(404));
    // and the next process has the new one
    world.crash(Duration::ZERO);
    world.act("alice", call_bob);
    world.run_for(ms(1000));
    assert_eq!(world.phone("alice").calls()[2].final_status(), Some(404));
    assert!(world.run_until_idle(ms(60_000)));
}
