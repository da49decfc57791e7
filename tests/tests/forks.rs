//! A callee behind a forking proxy: several To tags answer the one INVITE (RFC 3261 §12.1, §13.2.2.4).

use crosspoint_sim::phone::{Branch, Phone, Reliability, Reply, State, Step};
use crosspoint_sim::world::World;
use crosspoint_tests::scene::{ALICE, BOB, agreed, call, finish, hang_up, ms, s, set, two};
use std::time::Duration;

/// A branch that receives audio at this port of an address of its own.
fn branch(port: u16, steps: &[(u64, Reply)]) -> Branch {
    let steps = steps.iter().map(|(after, reply)| Step { after: ms(*after), reply: *reply }).collect();
    Branch { audio: Some(([10, 0, 2, 1], port).into()), codecs: None, steps }
}

/// Alice calls Bob, who is this fork.
fn fork(branches: Vec<Branch>) -> World {
    let mut world = two(|_| {});
    set(&mut world, BOB, |bob| bob.branches = branches);
    call(&mut world, ALICE, BOB);
    world
}

/// Where Alice sends her audio.
fn sends_to(world: &World) -> u16 {
    let call = world.phone(ALICE).current_call().expect("a call is up");
    call.agreed().expect("something is agreed on").peer_audio().port()
}

#[test]
fn one_has_early_media_and_another_answers() {
    let mut world = fork(vec![
        branch(5000, &[(10, Reply::Ringing), (20, Reply::Progress)]),
        branch(6000, &[(30, Reply::Progress), (1000, Reply::Answer)]),
    ]);
    world.run_for(s(2));
    agreed(&world, ALICE, BOB);
    assert_eq!(sends_to(&world), 6000, "whoever answered");
    insta::assert_snapshot!(hang_up(world, ALICE, "A has early media, B answers", &["200 normal by caller, 1 s"]));
}

#[test]
fn one_rings_and_another_rings() {
    let mut world =
        fork(vec![branch(5000, &[(10, Reply::Ringing)]), branch(6000, &[(20, Reply::Ringing), (1000, Reply::Answer)])]);
    world.run_for(s(2));
    insta::assert_snapshot!(hang_up(world, BOB, "both ring, the caller hears it once", &["200 normal by callee, 1 s"]));
}

#[test]
fn both_have_reliable_early_media() {
    let mut world = two(|settings| settings.reliability = Reliability::Supported);
    let branches = vec![
        branch(5000, &[(10, Reply::ReliableProgress)]),
        branch(6000, &[(20, Reply::ReliableProgress), (1000, Reply::Answer)]),
    ];
    set(&mut world, BOB, |bob| bob.branches = branches);
    call(&mut world, ALICE, BOB);
    world.run_for(s(2));
    agreed(&world, ALICE, BOB);
    assert_eq!(sends_to(&world), 6000);
    insta::assert_snapshot!(hang_up(world, ALICE, "reliable early media of both", &["200 normal by caller, 1 s"]));
}

#[test]
fn both_answer() {
    let mut world = fork(vec![
        branch(5000, &[(10, Reply::Progress), (100, Reply::Answer)]),
        branch(6000, &[(20, Reply::Ringing), (100, Reply::Answer)]),
    ]);
    world.run_for(s(2));
    assert_eq!(sends_to(&world), 5000, "the first one; the other is acknowledged and ended");
    insta::assert_snapshot!(hang_up(world, ALICE, "both answer", &["200 normal by caller, 2 s"]));
}

#[test]
fn the_cancel_crosses_the_answer() {
    let mut world = fork(vec![
        branch(5000, &[(10, Reply::Progress)]),
        branch(6000, &[(20, Reply::Ringing), (1000, Reply::Answer)]),
    ]);
    // the 200 leaves at 1.001 s
    world.later(Duration::from_micros(1_000_500), ALICE, Phone::hang_up);
    insta::assert_snapshot!(finish(world, "CANCEL crosses the 200 of B", &["487 cancelled by caller, 0 s"]));
}

#[test]
fn all_refuse() {
    let world = fork(vec![
        branch(5000, &[(10, Reply::Progress), (20, Reply::Refuse(480))]),
        branch(6000, &[(30, Reply::Ringing), (500, Reply::Refuse(486))]),
    ]);
    insta::assert_snapshot!(finish(world, "A has early media, all refuse", &["480 called_not_online by callee, 0 s"]));
}

/// Every order of {180, 183 with SDP, 200} on two branches: the caller ends up with whoever answered first, and nobody
/// else has a call.
#[test]
fn every_order_of_two_branches() {
    let replies = [Reply::Ringing, Reply::Progress, Reply::Answer];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    // which branch speaks next: all 20 ways to shuffle three and three
    let turns: Vec<u32> = (0..64_u32).filter(|turns| turns.count_ones() == 3).collect();
    for reliable in [false, true] {
        for (first, second) in orders.iter().flat_map(|a| orders.iter().map(move |b| (a, b))) {
            let mut world = two(|settings| settings.reliability = Reliability::Supported);
            for turns in &turns {
                let mut steps = [Vec::new(), Vec::new()];
                let mut winner = None;
                for turn in 0..6 {
                    let which = usize::from(turns & (1 << turn) != 0);
                    let reply = match replies[[first, second][which][steps[which].len()]] {
                        Reply::Progress if reliable => Reply::ReliableProgress,
                        reply => reply,
                    };
                    if reply == Reply::Answer {
                        winner = winner.or(Some(which));
                    }
                    steps[which].push((10 * (turn + 1), reply));
                }
                let branches = vec![branch(5000, &steps[0]), branch(6000, &steps[1])];
                set(&mut world, BOB, |bob| bob.branches = branches);
                call(&mut world, ALICE, BOB);
                world.run_for(s(1));
                let title = format!("{first:?} {second:?} {turns:06b} reliable: {reliable}");
                let state = world.phone(ALICE).current_call().map(|call| call.state());
                assert_eq!(state, Some(State::Up), "{}", world.ladder(&title));
                agreed(&world, ALICE, BOB);
                assert_eq!(Some(sends_to(&world)), winner.map(|which| [5000, 6000][which]), "{}", world.ladder(&title));
                world.act(ALICE, Phone::hang_up);
                assert!(world.run_until_idle(s(200)), "{}", world.ladder(&title));
                assert_eq!(world.violations(), [] as [String; 0], "{}", world.ladder(&title));
                world.forget_past();
            }
        }
    }
}
