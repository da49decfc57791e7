//! The six rules of `lib.rs` and the snapshot, under random conversations of two gateways with the switch.
//!
//! The script of a conversation is a list of bytes; each picks one step of [`Talk::step`]. Where a test fails, quickcheck
//! prints the shortest list that still does.

mod talk;

use crosspoint_core::{Control, Input, Switch};
use quickcheck::{QuickCheck, TestResult};
use std::time::Duration;
use talk::Talk;

/// Commands that one input may make at the most (R1): a datagram touches one call of at most eight exchanges; a tick fires
/// at most 256 timers of at most two commands each.
const MOST_COMMANDS: usize = 600;

fn check(property: fn(Vec<u8>) -> TestResult) {
    QuickCheck::new().tests(300).quickcheck(property as fn(Vec<u8>) -> TestResult);
}

#[test]
fn r1_an_input_makes_a_bounded_number_of_commands() {
    check(|script| {
        let mut talk = Talk::new();
        for step in script {
            talk.step(step);
            if talk.most_commands > MOST_COMMANDS {
                return TestResult::error(format!("{} commands", talk.most_commands));
            }
        }
        TestResult::passed()
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "R2 is asserted in debug builds")]
#[should_panic(expected = "drain the commands before the next input (R2)")]
fn r2_an_undrained_switch_takes_no_input() {
    let mut talk = Talk::new();
    let now = talk.now;
    talk.switch.handle(now, Input::Control(Control::Drain));
    talk.switch.handle(now, Input::Tick);
}

#[test]
fn r3_a_drained_switch_has_no_timer_without_an_owner_and_no_deadline_without_a_reason() {
    check(|script| {
        let mut talk = Talk::new();
        for step in script {
            talk.step(step);
            let orphans = talk.switch.orphaned_timers();
            if orphans > 0 {
                return TestResult::error(format!("{orphans} timers without an owner"));
            }
            if talk.switch.poll_timeout().is_some_and(|deadline| deadline.why.is_empty()) {
                return TestResult::error("a deadline without a reason");
            }
        }
        TestResult::passed()
    });
}

#[test]
fn r4_a_spurious_tick_changes_nothing() {
    check(|script| {
        let mut talk = Talk::new();
        for step in script {
            talk.step(step);
            if talk.switch.poll_timeout().is_some_and(|deadline| deadline.at <= talk.now.mono) {
                continue;
            }
            // the first one tells the switch the time, which is all that it may do
            talk.switch.handle(talk.now, Input::Tick);
            let before = talk.switch.snapshot();
            talk.switch.handle(talk.now, Input::Tick);
            if talk.switch.poll_command().is_some() || talk.switch.snapshot() != before {
                return TestResult::error("a tick before the deadline did something");
            }
        }
        TestResult::passed()
    });
}

#[test]
fn r5_a_tick_moves_the_deadline() {
    check(|script| {
        let mut talk = Talk::new();
        for step in script {
            talk.step(step);
            let over_budget = talk.switch.counters().ticks_over_budget;
            talk.input(|switch, now| {
                switch.handle(now, Input::Tick);
            });
            let still_due = talk.switch.poll_timeout().is_some_and(|deadline| deadline.at <= talk.now.mono);
            if still_due && talk.switch.counters().ticks_over_budget == over_budget {
                return TestResult::error("due after a tick that had budget left");
            }
        }
        TestResult::passed()
    });
}

#[test]
fn r6_time_is_clamped_and_regressions_are_counted() {
    let mut talk = Talk::new();
    talk.pass(Duration::from_secs(10));
    let earlier = talk.now;
    talk.pass(Duration::from_secs(10));
    talk.step(0);
    let deadline = talk.switch.poll_timeout();
    talk.switch.handle(earlier, Input::Tick);
    while talk.switch.poll_command().is_some() {}
    assert_eq!(talk.switch.counters().clock_regressions, 1);
    assert_eq!(talk.switch.poll_timeout(), deadline, "an earlier clock moved a deadline");
}

#[test]
fn a_restored_switch_goes_on_as_if_never_interrupted() {
    check(|script| {
        let mut straight = Talk::new();
        let mut broken = Talk::new();
        for (i, step) in script.into_iter().enumerate() {
            straight.step(step);
            broken.switch = Switch::restore(&broken.switch.snapshot()).expect("a snapshot restores");
            broken.step(step);
            if straight.digest.value() != broken.digest.value() {
                return TestResult::error(format!("other commands after a restore before step {i}"));
            }
        }
        TestResult::passed()
    });
}

#[test]
fn whatever_was_said_nothing_is_left_in_the_end() {
    check(|script| {
        let mut talk = Talk::new();
        for step in script {
            talk.step(step);
        }
        talk.pass(Duration::from_secs(7200 + 300));
        let status = talk.switch.status();
        if (status.calls, status.transactions, status.timers) != (0, 0, 0) {
            return TestResult::error(format!("{status:?}"));
        }
        if talk.ended != talk.started {
            return TestResult::error(format!("{} calls, {} records", talk.started, talk.ended));
        }
        TestResult::passed()
    });
}

#[test]
fn equal_inputs_give_equal_commands() {
    check(|script| {
        let run = |script: &[u8]| {
            let mut talk = Talk::new();
            script.iter().for_each(|&step| talk.step(step));
            talk.digest.value()
        };
        TestResult::from_bool(run(&script) == run(&script))
    });
}

#[test]
fn a_damaged_snapshot_is_refused_with_a_reason() {
    let snapshot = Talk::new().switch.snapshot();
    assert!(Switch::restore(&snapshot[..snapshot.len() / 2]).is_err());
    assert!(Switch::restore(b"something else").unwrap_err().to_string().contains("version"));
}
