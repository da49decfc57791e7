//! Scripts for single calls: two calls of the same phones at once, each its own way.

use crosspoint_sim::phone::{Answering, Branch, Change, Hold, Outcome, Phone, Reliability, Reply, Script, State, Step};
use crosspoint_sim::world::World;
use std::time::Duration;

const ALICE: &str = "alice";
const BOB: &str = "bob";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn answer(ring_ms: u64, after_ms: u64) -> Option<Answering> {
    Some(Answering::Answer { ring_after: ms(ring_ms), after: ms(after_ms) })
}

/// Alice and Bob, registered, with as many lines as a test needs.
fn two() -> World {
    let mut world = World::new(7, &[ALICE, BOB]);
    for name in [ALICE, BOB] {
        world.act(name, |phone, _| (phone.settings_mut().lines, phone.settings_mut().talks) = (10, false));
    }
    world.register_all();
    world.forget_log();
    world
}

fn expect(world: &mut World, name: &str, op: u64, script: Script) {
    world.act(name, |phone, _| phone.expect(op, script));
}

fn call(world: &mut World, op: u64) {
    world.act(ALICE, |alice, now| {
        alice.call_for(now, op, BOB, &[]);
    });
}

#[track_caller]
fn finish(mut world: World, title: &str) -> String {
    assert!(world.run_until_idle(Duration::from_secs(300)), "{}", world.ladder(title));
    assert_eq!(world.violations(), [] as [String; 0], "{}", world.ladder(title));
    world.ladder(title)
}

#[test]
fn two_calls_at_once_go_two_ways() {
    let mut world = two();
    expect(&mut world, BOB, 1, Script { answering: answer(0, 100), ..Script::default() });
    let busy = Script { answering: Some(Answering::Reject { status: 486, after: ms(50) }), ..Script::default() };
    expect(&mut world, BOB, 2, busy);
    call(&mut world, 1);
    call(&mut world, 2);
    world.run_for(ms(1000));
    assert_eq!(world.phone(ALICE).call_of(1).unwrap().state(), State::Up);
    assert_eq!(world.phone(ALICE).call_of(2).unwrap().final_status(), Some(486));
    assert_eq!(world.phone(BOB).call_of(1).unwrap().state(), State::Up);
    world.act(BOB, |bob, now| bob.hang_up_op(now, 1));
    insta::assert_snapshot!(finish(world, "op 1 is answered, op 2 is refused"));
}

#[test]
fn each_side_of_a_call_has_a_script() {
    let mut world = two();
    let caller = Script {
        reliability: Some(Reliability::Supported),
        prack_after_ms: Some(30),
        hang_up_after_ms: Some(500),
        ..Script::default()
    };
    let callee = Script {
        reliability: Some(Reliability::Supported),
        answering: answer(10, 100),
        rings_with: Some(183),
        early_media: Some(true),
        ..Script::default()
    };
    expect(&mut world, ALICE, 1, caller);
    expect(&mut world, BOB, 1, callee);
    call(&mut world, 1);
    insta::assert_snapshot!(finish(world, "183 with PRACK by script, and a call of half a second"));
}

#[test]
fn a_call_at_a_gateway_has_its_outcome_by_op() {
    let mut world = two();
    let outcome = Outcome::Refuse { status: 503, retry_after_s: Some(3), contacts: Vec::new() };
    expect(&mut world, BOB, 1, Script { outcome: Some(outcome), ..Script::default() });
    call(&mut world, 1);
    world.run_for(ms(100));
    insta::assert_snapshot!(finish(world, "503 by script"));
}

#[test]
fn a_fork_is_scripted_for_one_call() {
    let mut world = two();
    let step = |after, reply| Step { after: ms(after), reply };
    let early = Branch { steps: vec![step(10, Reply::Ringing), step(40, Reply::Refuse(486))], ..Branch::default() };
    let late = Branch { steps: vec![step(20, Reply::Progress), step(90, Reply::Answer)], ..Branch::default() };
    expect(&mut world, BOB, 1, Script { branches: vec![early, late], ..Script::default() });
    call(&mut world, 1);
    world.run_for(ms(500));
    world.act(ALICE, |alice, now| alice.hang_up_op(now, 1));
    insta::assert_snapshot!(finish(world, "two branches by script"));
}

#[test]
fn calls_are_changed_and_referred_by_op() {
    let mut world = two();
    for op in [1, 2] {
        expect(&mut world, BOB, op, Script { answering: answer(0, 0), ..Script::default() });
        call(&mut world, op);
    }
    world.run_for(ms(100));
    world.act(ALICE, |alice, now| alice.hold_op(now, 1));
    world.act(BOB, |bob, now| bob.change_op(now, 2, Change::hold(Hold::Inactive)));
    world.run_for(ms(100));
    let directions = [1, 2].map(|op| world.phone(ALICE).call_of(op).unwrap().direction());
    assert_eq!(format!("{directions:?}"), "[SendOnly, Inactive]");
    world.act(ALICE, |alice, now| alice.resume_op(now, 1));
    world.act(ALICE, |alice, now| alice.send_within_op(now, 2, "INFO", "Signal=5"));
    world.run_for(ms(100));
    world.act(BOB, Phone::hang_up);
    world.run_for(ms(100));
    let states = [1, 2].map(|op| world.phone(ALICE).call_of(op).unwrap().is_over());
    assert_eq!(states, [false, true], "the latest call is the current one");
    world.act(BOB, |bob, now| bob.hang_up_op(now, 1));
    finish(world, "changes by op");
}

#[test]
fn a_script_stands_in_toml() {
    let step = |after, reply| Step { after: ms(after), reply };
    let script = Script {
        answering: Some(Answering::RingOnly),
        outcome: Some(Outcome::Refuse { status: 302, retry_after_s: None, contacts: vec!["sip:a@b".to_owned()] }),
        branches: vec![Branch {
            steps: vec![step(1, Reply::Refuse(486)), step(2, Reply::Answer)],
            ..Branch::default()
        }],
        hang_up_after_ms: Some(7),
        ..Script::default()
    };
    let text = toml::to_string(&script).unwrap();
    assert_eq!(toml::from_str::<Script>(&text).unwrap(), script, "{text}");
    assert_eq!(toml::to_string(&Script::default()).unwrap(), "", "what is usual is not written");
    let change = Change::hold(Hold::Zero).by_update();
    assert_eq!(toml::from_str::<Change>(&toml::to_string(&change).unwrap()).unwrap(), change);
    assert!(toml::from_str::<Script>("answers = 1").is_err());
}
