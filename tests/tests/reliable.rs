//! Provisional answers that have to arrive (RFC 3262), and UPDATE before the answer (RFC 3311).

use crosspoint_sim::net::Fate;
use crosspoint_sim::phone::sdp::{Codec, Direction};
use crosspoint_sim::phone::{Answering, Change, Hold, Phone, Reliability};
use crosspoint_sim::world::World;
use crosspoint_tests::scene::{ALICE, BOB, agreed, call, finish, hang_up, s, set, two};

const DONE: [&str; 1] = ["200 normal by caller, 2 s"];

/// Who does what: Alice and Bob, and whether Bob describes his early media, in a 183.
fn pair(alice: Reliability, bob: Reliability, early_media: bool) -> World {
    let mut world = two(|_| {});
    set(&mut world, ALICE, |settings| settings.reliability = alice);
    set(&mut world, BOB, |settings| {
        settings.reliability = bob;
        settings.early_media = early_media;
        settings.rings_with = if early_media { 183 } else { 180 };
    });
    world
}

/// Alice calls, they talk, she hangs up.
fn talk(mut world: World, title: &str) -> String {
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    assert_eq!(agreed(&world, ALICE, BOB).0, Direction::SendRecv);
    hang_up(world, ALICE, title, &DONE)
}

#[test]
fn end_to_end() {
    let world = pair(Reliability::Supported, Reliability::Supported, true);
    insta::assert_snapshot!(talk(world, "a reliable 183 with the answer, its PRACK passes"));
}

#[test]
fn the_prack_makes_an_offer() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, true);
    set(&mut world, ALICE, |alice| alice.offers_in_prack = true);
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    assert_eq!(agreed(&world, ALICE, BOB).1, [Codec::Pcma, Codec::Pcmu], "the order of the second offer");
    insta::assert_snapshot!(hang_up(world, ALICE, "the PRACK makes an offer", &DONE));
}

#[test]
fn the_183_makes_the_offer() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, true);
    set(&mut world, ALICE, |alice| alice.makes_offer = false);
    insta::assert_snapshot!(talk(world, "the reliable 183 makes the offer, the PRACK answers it"));
}

#[test]
fn the_200_waits_for_the_prack() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, true);
    set(&mut world, ALICE, |alice| alice.prack_after = s(3));
    call(&mut world, ALICE, BOB);
    world.run_for(s(5));
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(world, ALICE, "the 200 waits for the PRACK of a description", &DONE));
}

#[test]
fn a_reliable_answer_is_lost_on_either_leg() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, true);
    world.fault_from(BOB, "183 INVITE", 1, Fate::Lose);
    world.fault_to(ALICE, "183 INVITE", 1, Fate::Lose);
    insta::assert_snapshot!(talk(world, "the reliable 183 is lost on either leg"));
}

#[test]
fn a_prack_is_lost_on_either_leg() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, true);
    world.fault_from(ALICE, "PRACK", 1, Fate::Lose);
    world.fault_to(BOB, "PRACK", 1, Fate::Lose);
    world.fault_to(ALICE, "200 PRACK", 1, Fate::Lose);
    insta::assert_snapshot!(talk(world, "the PRACK and its 200 are lost once on each leg"));
}

#[test]
fn only_the_caller_requires_it() {
    let world = pair(Reliability::Required, Reliability::Unsupported, false);
    insta::assert_snapshot!(talk(world, "the caller requires 100rel, the callee knows nothing: 180"));
}

#[test]
fn only_the_caller_requires_it_and_hears_early_media() {
    let world = pair(Reliability::Required, Reliability::Unsupported, true);
    insta::assert_snapshot!(talk(world, "the caller requires 100rel, the callee knows nothing: 183 with SDP"));
}

/// RFC 3262 §5: the first reliable answer to an INVITE without an offer has one; the callee's 180 has none to give.
#[test]
fn only_the_caller_requires_it_and_makes_no_offer() {
    let mut world = pair(Reliability::Required, Reliability::Unsupported, false);
    set(&mut world, ALICE, |alice| alice.makes_offer = false);
    insta::assert_snapshot!(talk(world, "the caller requires 100rel and makes no offer, the callee knows nothing"));
}

#[test]
fn only_the_caller_requires_it_and_its_prack_is_lost() {
    let mut world = pair(Reliability::Required, Reliability::Unsupported, true);
    world.fault_from(ALICE, "PRACK", 1, Fate::Lose);
    insta::assert_snapshot!(talk(world, "the caller requires 100rel, its PRACK is lost once"));
}

#[test]
fn only_the_caller_requires_it_and_its_prack_is_late() {
    let mut world = pair(Reliability::Required, Reliability::Unsupported, true);
    set(&mut world, ALICE, |alice| alice.prack_after = s(3));
    call(&mut world, ALICE, BOB);
    world.run_for(s(5));
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(world, ALICE, "the switch holds the callee's 200 for a PRACK", &DONE));
}

#[test]
fn no_prack_ever() {
    let mut world = pair(Reliability::Required, Reliability::Unsupported, false);
    set(&mut world, ALICE, |alice| alice.prack_after = s(300));
    set(&mut world, BOB, |bob| bob.answering = Answering::RingOnly);
    call(&mut world, ALICE, BOB);
    insta::assert_snapshot!(finish(world, "the PRACK never comes", &["504 no_prack by server, 0 s"]));
}

#[test]
fn no_prack_ever_end_to_end() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, false);
    set(&mut world, ALICE, |alice| alice.prack_after = s(300));
    set(&mut world, BOB, |bob| bob.answering = Answering::RingOnly);
    call(&mut world, ALICE, BOB);
    world.run_until_idle(s(600));
    let minded = ["bob: a reliable provisional answer got no PRACK"];
    assert_eq!(world.violations(), minded, "{}", world.ladder("no PRACK"));
    insta::assert_snapshot!(world.ladder("both do RFC 3262, and the PRACK never comes"));
}

#[test]
fn only_the_callee_knows_it() {
    let world = pair(Reliability::Unsupported, Reliability::Supported, true);
    insta::assert_snapshot!(talk(world, "only the callee knows 100rel: nobody offers it"));
}

#[test]
fn the_caller_knows_it_and_the_callee_does_not() {
    let world = pair(Reliability::Supported, Reliability::Unsupported, true);
    insta::assert_snapshot!(talk(world, "only the caller knows 100rel, and does not insist"));
}

#[test]
fn cancelled_before_the_prack() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, true);
    set(&mut world, ALICE, |alice| alice.prack_after = s(3));
    set(&mut world, BOB, |bob| bob.answering = Answering::RingOnly);
    call(&mut world, ALICE, BOB);
    world.later(s(1), ALICE, Phone::hang_up);
    insta::assert_snapshot!(finish(world, "cancelled before the PRACK", &["487 cancelled by caller, 0 s"]));
}

#[test]
fn update_before_the_answer() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, true);
    set(&mut world, BOB, |bob| bob.answering = Answering::RingOnly);
    call(&mut world, ALICE, BOB);
    world.run_for(s(1));
    world.act(ALICE, |alice, now| alice.change(now, Change::hold(Hold::SendOnly).by_update()));
    world.run_for(s(1));
    assert_eq!(agreed(&world, ALICE, BOB).0, Direction::SendOnly);
    world.act(BOB, |bob, now| bob.change(now, Change::codecs(&[Codec::Pcma]).by_update()));
    world.run_for(s(1));
    assert_eq!(agreed(&world, ALICE, BOB).1, [Codec::Pcma]);
    world.act(BOB, Phone::answer);
    world.run_for(s(2));
    assert_eq!(agreed(&world, ALICE, BOB), (Direction::SendOnly, vec![Codec::Pcma]));
    insta::assert_snapshot!(hang_up(world, ALICE, "UPDATE from either side before the answer", &DONE));
}

#[test]
fn updates_meet_before_the_answer() {
    let mut world = pair(Reliability::Supported, Reliability::Supported, true);
    set(&mut world, BOB, |bob| bob.answering = Answering::RingOnly);
    call(&mut world, ALICE, BOB);
    world.run_for(s(1));
    world.forget_log();
    world.act(ALICE, |alice, now| alice.change(now, Change::hold(Hold::SendOnly).by_update()));
    world.act(BOB, |bob, now| bob.change(now, Change::codecs(&[Codec::Pcma]).by_update()));
    world.run_for(s(10));
    assert_eq!(agreed(&world, ALICE, BOB), (Direction::SendOnly, vec![Codec::Pcma]));
    world.act(BOB, Phone::answer);
    world.run_for(s(2));
    insta::assert_snapshot!(hang_up(world, ALICE, "two UPDATEs meet before the answer", &DONE));
}
