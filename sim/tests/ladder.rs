//! Ladders: what is kept of a log, how it is cut, and that no far side can write on the reader's screen.

use bytes::Bytes;
use crosspoint_core::event::Event;
use crosspoint_sim::ladder::{Log, Outcome};
use crosspoint_sim::world::World;
use std::time::Duration;

/// A request with nothing but what a ladder needs; `branch` makes it one of its own.
fn options(branch: u64, call_id: &str) -> String {
    format!(
        "OPTIONS sip:b@example.net SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK{branch}\r\nFrom: <sip:a@a>;tag=1\r\n\
         To: <sip:b@b>\r\nCall-ID: {call_id}\r\nCSeq: {branch} OPTIONS\r\n\r\n"
    )
}

/// Alice calls bob, bob calls carol; both calls are up at the end of the second.
fn two_calls() -> World {
    let mut world = World::new(1, &["alice", "bob", "carol"]);
    world.register_all();
    world.act("alice", |alice, now| {
        alice.call(now, "bob");
    });
    world.run_for(Duration::from_secs(5));
    world.act("alice", |alice, now| alice.hang_up(now));
    world.run_for(Duration::from_secs(40));
    world.act("bob", |bob, now| {
        bob.call(now, "carol");
    });
    world.run_for(Duration::from_secs(5));
    world
}

/// The flow numbers of all calls.
fn numbers(world: &World) -> Vec<u64> {
    let number = |event: &Event| match event {
        Event::CallStarted { call, .. } => Some(*call),
        _ => None,
    };
    world.events().iter().filter_map(number).collect()
}

#[test]
fn a_ladder_of_one_call_keeps_both_legs_and_what_the_switch_told_of_it() {
    let world = two_calls();
    let call_ids = world.call_ids(numbers(&world)[0]).unwrap();
    // whichever leg is named
    for id in &call_ids {
        let text = world.log().of_calls(&[id]).without_times().text("one call");
        insta::assert_snapshot!("one_call_of_two", text);
    }
    assert!(world.log().of_calls(&["nobody's"]).text("none").lines().count() <= 2);
}

#[test]
fn a_call_that_is_still_up_is_found_by_its_number_too() {
    let world = two_calls();
    let number = numbers(&world)[1];
    let text = world.log().of_call(number).unwrap().text("the second");
    assert!(
        text.contains(&format!("call {number} bob -> carol"))
            && text.contains("<-INVITE c1.1")
            && !text.contains("alice"),
        "{text}"
    );
    assert!(text.contains("INVITE c2.1"), "both legs:\n{text}");
    assert!(world.log().of_call(number + 1).is_none());
}

#[test]
fn what_is_too_long_loses_its_middle() {
    let mut log = Log::new(["a", "b"]).without_times();
    (1..=100).for_each(|n| log.message(n, "a", "b", options(n, "c").as_bytes(), 1));
    let text = log.text_limited("title", 7);
    let numbers: Vec<&str> = text.lines().skip(2).collect();
    let shown = |n: u64| format!("|--OPTIONS c1.{n}");
    assert_eq!(numbers.len(), 7, "{text}");
    for (line, expected) in [(0, shown(1)), (2, shown(3)), (4, shown(98)), (6, shown(100))] {
        assert!(numbers[line].contains(&expected), "{text}");
    }
    assert_eq!(numbers[3], "... 94 lines left out ...");
    assert_eq!(log.text_limited("title", 100).lines().count(), 102);
    assert_eq!(log.text("title").lines().count(), 62);
}

#[test]
fn a_network_says_why_it_lost_something() {
    let mut log = Log::new(["a", "b"]).without_times();
    let sent = |log: &mut Log, n, outcome| log.sent(n, "a", "b", Bytes::from(options(n, "c")), outcome);
    sent(&mut log, 1, Outcome::Lost { why: "nat-filtered" });
    sent(&mut log, 1, Outcome::Arrived { copies: 1 });
    sent(&mut log, 2, Outcome::Lost { why: "" });
    sent(&mut log, 3, Outcome::Arrived { copies: 2 });
    let text = log.text("losses");
    let lines: Vec<&str> = text.lines().skip(2).map(str::trim).collect();
    assert!(lines[0].ends_with("X|   br1 t1 (lost: nat-filtered) (again x1)"), "{text}");
    assert!(lines[1].ends_with("X|   br2 t1") && lines[2].ends_with(">|   br3 t1 (doubled)"), "{text}");
}

#[test]
fn nobody_far_away_writes_on_the_screen_of_the_reader() {
    let mut log = Log::new(["a", "b"]);
    let evil = "\u{1b}[2J\u{202e}evil\u{7}".repeat(40);
    log.message(0, "a", "b", options(1, &evil).as_bytes(), 1);
    log.message(0, "a", "b", options(1, "c").replace("OPTIONS", &evil).as_bytes(), 1);
    log.message(0, "a", "b", options(1, "c").replace("To:", &format!("Reason: {evil}\r\nTo:")).as_bytes(), 1);
    log.message(0, "a", "b", evil.as_bytes(), 0);
    log.message(0, "b", "b", b"\r\n\r\n", 1);
    log.event(0, "b", evil.clone());
    let text = log.text(&evil);
    assert!(text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() < 400), "{text}");
    assert!(text.contains("* keep-alive to itself"), "{text}");
}
