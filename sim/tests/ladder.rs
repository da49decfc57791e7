//! Ladders: what is kept of a log, how it is cut, and that no far side can write on the reader's screen.

use bytes::Bytes;
use crosspoint_core::event::Event;
use crosspoint_core::rng::Seed;
use crosspoint_core::time::Instant;
use crosspoint_sim::ladder::{Log, Outcome};
use crosspoint_sim::net::{Loss, Network, Plan};
use crosspoint_sim::phone::Answering;
use crosspoint_sim::scenario;
use crosspoint_sim::world::World;
use std::process::{Command, Output};
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
            && text.contains("|--INVITE c1.1")
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
    sent(&mut log, 1, Outcome::Lost(Loss::NatFiltered));
    sent(&mut log, 1, Outcome::ARRIVED);
    sent(&mut log, 2, Outcome::Lost(Loss::Lost));
    sent(&mut log, 3, Outcome::Arrived { copies: 2, is_rewritten: true });
    let text = log.text("losses");
    let lines: Vec<&str> = text.lines().skip(2).map(str::trim).collect();
    assert!(lines[0].ends_with("X|   br1 t1 (lost: nat-filtered) (again x1)"), "{text}");
    assert!(lines[1].ends_with("X|   br2 t1") && lines[2].ends_with(">|   br3 t1 (doubled) (rewritten)"), "{text}");
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

/// Both phones of a number ring; the record names one leg out.
#[test]
fn a_ladder_of_a_fork_has_every_leg() {
    let names = ["alice", "bob", "desk"];
    let mut world = World::new(1, &names);
    world.act("desk", |desk, _| {
        let settings = desk.settings_mut();
        (settings.user, settings.answering) = ("bob".into(), Answering::RingOnly);
    });
    world.register_all();
    world.act("alice", |alice, now| {
        alice.call(now, "bob");
    });
    world.run_for(Duration::from_secs(5));
    world.act("alice", |alice, now| alice.hang_up(now));
    assert!(world.run_until_idle(Duration::from_secs(60)), "{}", world.ladder("a fork"));
    let number = numbers(&world)[0];
    let text = world.log().of_call(number).unwrap().text("a fork");
    let invites: Vec<bool> = ["c1", "c2", "c3"].map(|call| text.contains(&format!("INVITE {call}.1--"))).into();
    assert_eq!(invites, [true; 3], "{text}");
    assert!(text.contains("CANCEL") && !text.contains("c4") && !text.contains("REGISTER"), "{text}");
    // and of a leg that no record names
    let recorded = Log::of_recording(&world.into_recording(), None).unwrap();
    let again = recorded.of_call(number).unwrap().text("a fork");
    assert_eq!(again.matches("INVITE c3.1").count(), text.matches("INVITE c3.1").count(), "{again}");
}

#[test]
fn a_recording_shows_the_call_of_its_world() {
    let recording = scenario::run("call", 7).unwrap().into_recording();
    let log = Log::of_recording(&recording, None).unwrap();
    let call = log.calls().next().unwrap();
    insta::assert_snapshot!(log.of_call(call).unwrap().text("a recorded call"));
    // what is before the call too
    assert!(log.text_limited("all", 100).contains("* registered alice"));
}

#[test]
fn a_damaged_recording_ends_in_a_note() {
    let recording = scenario::run("call", 7).unwrap().into_recording();
    let seed = Some(Seed::from_number(7));
    let last_line = |recording: &[u8]| {
        let text = Log::of_recording(recording, seed).unwrap().text_limited("damaged", 1000);
        text.lines().last().unwrap().to_owned()
    };
    assert!(last_line(&recording).contains("200 BYE"));
    let cut_off = &recording[..recording.len() / 2];
    assert!(last_line(cut_off).contains("~~ the recording has no end: its process runs or was killed ~~"));
    assert!(Log::of_recording(cut_off, None).is_err());
    let bye = recording.windows(8).position(|bytes| bytes == b"BYE sip:").unwrap();
    let mut damaged = recording.clone();
    // the address it came from
    damaged[bye - 6..bye].fill(0xff);
    assert!(last_line(&damaged).contains("~~ the recording ends here: "), "{}", last_line(&damaged));
    let mut altered = recording;
    // the password of the first phone
    let password = altered.windows(6).position(|bytes| bytes == b"secret").unwrap();
    altered[password] ^= 1;
    assert!(last_line(&altered).contains("~~ this build does not do what was recorded"), "{}", last_line(&altered));
    assert!(Log::of_recording(b"something else", None).is_err());
}

fn binary(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crosspoint-sim")).arg("ladder").args(arguments).output().unwrap()
}

#[test]
fn the_binary_draws_a_recording_and_a_world_in_every_format() {
    let file = format!("{}/ladder.recording", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, scenario::run("busy", 3).unwrap().into_recording()).unwrap();
    for (format, begins) in [("text", file.as_str()), ("svg", "<svg "), ("mermaid", "sequenceDiagram\n")] {
        for which in [&[file.as_str()][..], &["--seed", "3", "--scenario", "busy"]] {
            let output = binary(&[which, &["--format", format]].concat());
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(text.contains("486 INVITE") && (which.len() > 1 || text.starts_with(begins)), "{text}");
        }
    }
    let output = binary(&[&file, "--call", "5"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.starts_with("there is no call 5; there are: 18"), "{said}");
    assert!(!binary(&["/no/such/file"]).status.success() && !binary(&[]).status.success());
}

#[test]
fn what_a_network_did_is_told_by_its_passage() {
    let mut network = Network::new(Seed::from_number(1));
    let [here, there] = ["192.0.2.1:5060", "192.0.2.2:5060"].map(|at| at.parse().unwrap());
    let nodes = [here, there].map(|at| network.add_node(at, None, Plan::GOOD, Plan::GOOD));
    let sent = Bytes::from(options(1, "c"));
    let passage = network.send(Instant::EPOCH, nodes[0], there, sent.clone(), 0);
    assert_eq!(Outcome::of(&passage, &sent), Outcome::ARRIVED);
    assert_eq!(Outcome::of(&passage, b"other"), Outcome::Arrived { copies: 1, is_rewritten: true });
    let passage = network.send(Instant::EPOCH, nodes[0], "192.0.2.3:5060".parse().unwrap(), sent.clone(), 0);
    assert_eq!(Outcome::of(&passage, &sent), Outcome::Lost(Loss::Nobody));
}
