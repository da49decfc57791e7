//! One behaviour, one ladder: the messages on both sides of the switch, short enough to read aloud against RFC 3261.
//!
//! Every ladder ends with what must hold in any world: nothing violated, nothing left.

use crosspoint_core::event::Event;
use crosspoint_sim::check::Lawful;
use crosspoint_sim::net::{Fate, Plan};
use crosspoint_sim::phone::{Answering, Phone};
use crosspoint_sim::world::World;
use std::time::Duration;

const ALICE: &str = "alice";
const BOB: &str = "bob";

/// Alice to the left, bob to the right, both registered, nothing on paper yet.
fn two_phones() -> World {
    let mut world = World::new(1, &[ALICE, BOB]);
    world.register_all();
    world.forget_log();
    world
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn answering(world: &mut World, answering: Answering) {
    world.act(BOB, move |bob, _| bob.settings_mut().answering = answering);
}

fn call(world: &mut World) {
    world.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
}

/// Runs to the end, checks what must hold, and gives the ladder.
fn ladder(mut world: World, title: &str) -> String {
    assert!(world.run_until_idle(s(600)), "the world does not come to rest\n{}", world.ladder(title));
    assert_eq!(world.violations(), Vec::<String>::new(), "{}", world.ladder(title));
    world.ladder(title)
}

/// How each call ended, by its record.
fn ends(world: &World) -> Vec<String> {
    let records = world.events().iter().filter_map(|event| match event {
        Event::CallEnded { record } => {
            let (reason, by) = (record.end_reason.name(), record.end_direction.name());
            Some(format!("{} {reason} by {by}, {} s", record.sip_status, record.hold_time_s))
        }
        _ => None,
    });
    records.collect()
}

#[test]
fn register_with_challenge() {
    let mut world = World::new(1, &[ALICE, BOB]);
    world.act(ALICE, Phone::register);
    insta::assert_snapshot!(ladder(world, "register"));
}

#[test]
fn wrong_password() {
    let mut world = World::new(1, &[ALICE, BOB]);
    world.permit(Lawful::RefusedCredentials);
    world.act(ALICE, |alice, _| alice.settings_mut().password = "guess".into());
    world.act(ALICE, Phone::register);
    insta::assert_snapshot!(ladder(world, "wrong password"));
}

#[test]
fn re_register_and_unregister() {
    let mut world = World::new(1, &[ALICE, BOB]);
    world.register_all();
    world.forget_log();
    world.act(ALICE, Phone::register);
    world.later(s(10), ALICE, Phone::unregister);
    insta::assert_snapshot!(ladder(world, "re-register, unregister"));
}

#[test]
fn call_answered_and_hung_up_by_the_caller() {
    let mut world = two_phones();
    call(&mut world);
    world.later(s(5), ALICE, Phone::hang_up);
    world.run_for(s(40));
    assert_eq!(ends(&world), ["200 normal by caller, 3 s"]);
    insta::assert_snapshot!(ladder(world, "answered, caller hangs up"));
}

#[test]
fn hung_up_by_the_callee() {
    let mut world = two_phones();
    call(&mut world);
    world.later(s(5), BOB, Phone::hang_up);
    world.run_for(s(40));
    assert_eq!(ends(&world), ["200 normal by callee, 3 s"]);
    insta::assert_snapshot!(ladder(world, "callee hangs up"));
}

#[test]
fn both_hang_up_at_once() {
    let mut world = two_phones();
    call(&mut world);
    world.later(s(5), ALICE, Phone::hang_up);
    world.later(s(5), BOB, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "both hang up at once"));
}

#[test]
fn busy() {
    let mut world = two_phones();
    answering(&mut world, Answering::Reject { status: 486, after: Duration::ZERO });
    call(&mut world);
    world.run_for(s(40));
    assert_eq!(ends(&world), ["486 busy by callee, 0 s"]);
    insta::assert_snapshot!(ladder(world, "busy"));
}

#[test]
fn no_answer() {
    let mut world = two_phones();
    answering(&mut world, Answering::RingOnly);
    call(&mut world);
    world.run_for(s(200));
    assert_eq!(ends(&world), ["480 no_answer by server, 0 s"]);
    insta::assert_snapshot!(ladder(world, "it rings for two minutes"));
}

#[test]
fn cancelled_before_any_ringing() {
    let mut world = two_phones();
    answering(&mut world, Answering::Answer { ring_after: s(3), after: s(20) });
    call(&mut world);
    world.later(s(1), ALICE, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "cancelled before 180"));
}

#[test]
fn cancelled_while_it_rings() {
    let mut world = two_phones();
    answering(&mut world, Answering::RingOnly);
    call(&mut world);
    world.later(s(1), ALICE, Phone::hang_up);
    world.run_for(s(80));
    assert_eq!(ends(&world), ["487 cancelled by caller, 0 s"]);
    insta::assert_snapshot!(ladder(world, "cancelled after 180"));
}

#[test]
fn cancel_crosses_the_answer() {
    let mut world = two_phones();
    call(&mut world);
    // the 200 leaves bob at 2.003 s; the CANCEL is on its way then
    world.later(Duration::from_micros(2_002_500), ALICE, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "CANCEL crosses 200"));
}

#[test]
fn cancel_crosses_an_answer_that_comes_twice() {
    let mut world = two_phones();
    world.fault_from(BOB, "200 INVITE", 1, Fate::Double);
    call(&mut world);
    world.later(Duration::from_micros(2_002_500), ALICE, Phone::hang_up);
    let ladder = ladder(world, "CANCEL crosses 200, which comes twice");
    assert_eq!(ladder.matches("--BYE").count(), 1, "one BYE ends the leg\n{ladder}");
    insta::assert_snapshot!(ladder);
}

#[test]
fn lost_invite() {
    let mut world = two_phones();
    world.fault_to(BOB, "INVITE", 1, Fate::Lose);
    call(&mut world);
    world.later(s(5), ALICE, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "lost INVITE"));
}

#[test]
fn lost_200() {
    let mut world = two_phones();
    world.fault_to(ALICE, "200 INVITE", 1, Fate::Lose);
    call(&mut world);
    world.later(s(5), ALICE, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "lost 200"));
}

#[test]
fn lost_ack() {
    let mut world = two_phones();
    world.fault_to(BOB, "ACK", 1, Fate::Lose);
    call(&mut world);
    world.later(s(5), ALICE, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "lost ACK"));
}

#[test]
fn no_ack_ever() {
    let mut world = two_phones();
    world.act(ALICE, |alice, _| alice.settings_mut().acknowledges = false);
    call(&mut world);
    world.run_for(s(80));
    assert_eq!(ends(&world), ["200 no_ack by server, 32 s"]);
    insta::assert_snapshot!(world.ladder("the caller never acknowledges"));
}

#[test]
fn lost_bye() {
    let mut world = two_phones();
    world.fault_to(BOB, "BYE", 1, Fate::Lose);
    call(&mut world);
    world.later(s(5), ALICE, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "lost BYE"));
}

#[test]
fn everything_twice() {
    let mut world = two_phones();
    world.set_links(Plan::DOUBLED);
    call(&mut world);
    world.later(s(5), ALICE, Phone::hang_up);
    world.run_for(s(40));
    assert_eq!(ends(&world), ["200 normal by caller, 3 s"]);
    insta::assert_snapshot!(ladder(world, "everything arrives twice"));
}

#[test]
fn hold_and_resume() {
    let mut world = two_phones();
    call(&mut world);
    world.later(s(4), ALICE, Phone::hold);
    world.later(s(6), BOB, Phone::resume);
    world.later(s(9), BOB, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "hold by re-INVITE, one from each side"));
}

#[test]
fn nobody_there() {
    let mut world = World::new(1, &[ALICE, BOB]);
    world.act(ALICE, Phone::register);
    world.run_for(s(40));
    world.forget_log();
    call(&mut world);
    world.run_for(s(40));
    assert_eq!(ends(&world), ["480 called_not_online by server, 0 s"]);
    insta::assert_snapshot!(ladder(world, "the callee is not registered"));
}

#[test]
fn unknown_number() {
    let mut world = two_phones();
    world.act(ALICE, |alice, now| {
        alice.call(now, "12345");
    });
    world.run_for(s(40));
    assert_eq!(ends(&world), ["404 no_available_router by server, 0 s"]);
    insta::assert_snapshot!(ladder(world, "nobody takes the number"));
}

#[test]
fn silent_callee() {
    let mut world = two_phones();
    answering(&mut world, Answering::Silent);
    call(&mut world);
    world.run_for(s(80));
    assert_eq!(ends(&world), ["408 response_timeout by server, 0 s"]);
    insta::assert_snapshot!(ladder(world, "the callee is silent"));
}

#[test]
fn requests_that_pass() {
    let mut world = two_phones();
    world.act(ALICE, |alice, now| alice.message(now, BOB, "hello"));
    world.later(s(1), ALICE, |alice, now| alice.options(now, BOB));
    world.later(s(2), ALICE, |alice, now| {
        alice.call(now, BOB);
    });
    world.later(s(6), ALICE, |alice, now| alice.send_within(now, "INFO", "Signal=5"));
    world.later(s(7), BOB, |bob, now| bob.send_within(now, "MESSAGE", "back"));
    world.later(s(8), ALICE, Phone::hang_up);
    insta::assert_snapshot!(ladder(world, "MESSAGE, OPTIONS, INFO"));
}
