//! Offers and answers through the switch (RFC 3264, RFC 6337), and changes that meet (RFC 3261 §14).

use crosspoint_sim::net::Fate;
use crosspoint_sim::phone::sdp::{Codec, Direction};
use crosspoint_sim::phone::{Answering, Change, Hold, Notice, Phone};
use crosspoint_sim::world::World;
use crosspoint_tests::scene::{ALICE, BOB, agreed, call, finish, hang_up, ms, s, set, two};

const ONE: [Codec; 1] = [Codec::Pcma];

/// Alice and Bob talk, nothing on paper yet.
fn talking() -> World {
    let mut world = two(|settings| {
        settings.answering = Answering::Answer { ring_after: s(0), after: s(0) };
    });
    call(&mut world, ALICE, BOB);
    world.run_for(s(1));
    world.forget_log();
    world
}

fn change(world: &mut World, name: &str, change: Change) {
    world.act(name, |phone, now| phone.change(now, change));
}

#[test]
fn offer_in_the_2xx() {
    let mut world = two(|_| {});
    set(&mut world, ALICE, |alice| alice.makes_offer = false);
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    assert_eq!(agreed(&world, ALICE, BOB).0, Direction::SendRecv);
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "offer in the 200, answer in the ACK",
        &["200 normal by caller, 2 s"]
    ));
}

#[test]
fn early_answer() {
    let mut world = two(|_| {});
    set(&mut world, BOB, |bob| (bob.rings_with, bob.early_media) = (183, true));
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(world, ALICE, "183 with SDP, then 200", &["200 normal by caller, 2 s"]));
}

#[test]
fn re_invite_without_offer() {
    let mut world = talking();
    change(&mut world, BOB, Change::hold(Hold::SendOnly).without_offer());
    world.run_for(s(1));
    assert_eq!(
        agreed(&world, ALICE, BOB).0,
        Direction::RecvOnly,
        "bob answers the offer that he asked for with a hold"
    );
    insta::assert_snapshot!(hang_up(world, ALICE, "re-INVITE without an offer", &["200 normal by caller, 2 s"]));
}

/// All ways to write a hold, from one side; what the other has then.
fn every_hold(by: &str, by_update: bool) -> String {
    let mut world = talking();
    let expected = [
        (Hold::SendOnly, Direction::SendOnly),
        (Hold::Inactive, Direction::Inactive),
        (Hold::Zero, Direction::SendOnly),
        (Hold::Off, Direction::SendRecv),
    ];
    let other = if by == ALICE { BOB } else { ALICE };
    for (hold, direction) in expected {
        change(&mut world, by, Change { by_update, ..Change::hold(hold) });
        world.run_for(s(1));
        assert_eq!(agreed(&world, by, other).0, direction, "{hold:?}");
    }
    let method = if by_update { "UPDATE" } else { "re-INVITE" };
    let title = format!("{by} holds by {method}: sendonly, inactive, c=0.0.0.0, and resumes");
    let expected = format!("200 normal by {}, 5 s", if by == ALICE { "caller" } else { "callee" });
    hang_up(world, by, &title, &[&expected])
}

#[test]
fn the_caller_holds_by_re_invite() {
    insta::assert_snapshot!(every_hold(ALICE, false));
}

#[test]
fn the_callee_holds_by_re_invite() {
    insta::assert_snapshot!(every_hold(BOB, false));
}

#[test]
fn the_caller_holds_by_update() {
    insta::assert_snapshot!(every_hold(ALICE, true));
}

#[test]
fn the_callee_holds_by_update() {
    insta::assert_snapshot!(every_hold(BOB, true));
}

/// Both change the session at once; the one named first is a third of a millisecond ahead.
fn glare(first: (&str, bool), second: (&str, bool), title: &str) -> String {
    let mut world = talking();
    let holds = Change { by_update: first.1, ..Change::hold(Hold::SendOnly) };
    let codecs = Change { by_update: second.1, ..Change::codecs(&ONE) };
    change(&mut world, first.0, holds);
    world.run_for(std::time::Duration::from_micros(300));
    change(&mut world, second.0, codecs);
    world.run_for(s(15));
    assert_eq!(agreed(&world, first.0, second.0), (Direction::SendOnly, ONE.to_vec()), "{}", world.ladder(title));
    hang_up(world, ALICE, title, &["200 normal by caller, 16 s"])
}

#[test]
fn two_re_invites_meet_on_the_callees_leg() {
    insta::assert_snapshot!(glare((ALICE, false), (BOB, false), "re-INVITE meets re-INVITE on the callee's leg"));
}

#[test]
fn two_updates_meet_on_the_callees_leg() {
    insta::assert_snapshot!(glare((ALICE, true), (BOB, true), "UPDATE meets UPDATE on the callee's leg"));
}

#[test]
fn two_re_invites_meet_on_the_callers_leg() {
    insta::assert_snapshot!(glare((BOB, false), (ALICE, false), "re-INVITE meets re-INVITE on the caller's leg"));
}

#[test]
fn two_updates_meet_on_the_callers_leg() {
    insta::assert_snapshot!(glare((BOB, true), (ALICE, true), "UPDATE meets UPDATE on the caller's leg"));
}

#[test]
fn a_re_invite_meets_an_update() {
    insta::assert_snapshot!(glare((ALICE, false), (BOB, true), "the caller's re-INVITE meets the callee's UPDATE"));
}

#[test]
fn an_update_meets_a_re_invite() {
    insta::assert_snapshot!(glare((ALICE, true), (BOB, false), "the caller's UPDATE meets the callee's re-INVITE"));
}

/// RFC 3261 §14.1: the owner of the Call-ID waits 2.1 s to 4 s, the other 0 s to 2 s; and there is a 491 for each leg on
/// which requests really met, so that no phone minds (`crossing_grace` is zero).
#[test]
fn nothing_crosses_where_one_is_answered_first() {
    let mut world = talking();
    change(&mut world, ALICE, Change::hold(Hold::SendOnly));
    world.run_for(ms(5));
    change(&mut world, BOB, Change::codecs(&ONE));
    world.run_for(s(1));
    assert_eq!(agreed(&world, ALICE, BOB), (Direction::SendOnly, ONE.to_vec()));
    let ladder = hang_up(world, ALICE, "one change after another", &["200 normal by caller, 2 s"]);
    assert!(!ladder.contains("491"), "{ladder}");
    insta::assert_snapshot!(ladder);
}

#[test]
fn a_re_invite_overtakes_an_ack() {
    let mut world = talking();
    world.fault_from(ALICE, "ACK", 1, Fate::Delay(40_000));
    change(&mut world, ALICE, Change::hold(Hold::SendOnly));
    world.run_for(ms(20));
    change(&mut world, ALICE, Change::codecs(&ONE));
    world.run_for(s(1));
    assert_eq!(agreed(&world, ALICE, BOB), (Direction::SendOnly, ONE.to_vec()));
    insta::assert_snapshot!(hang_up(world, ALICE, "a re-INVITE overtakes an ACK", &["200 normal by caller, 2 s"]));
}

#[test]
fn a_re_invite_overtakes_the_first_ack() {
    let mut world = two(|settings| settings.answering = Answering::Answer { ring_after: s(0), after: s(0) });
    world.fault_from(ALICE, "ACK", 1, Fate::Delay(300_000));
    call(&mut world, ALICE, BOB);
    world.run_for(ms(20));
    world.forget_log();
    change(&mut world, ALICE, Change::hold(Hold::SendOnly));
    world.run_for(s(1));
    assert_eq!(agreed(&world, ALICE, BOB).0, Direction::SendOnly);
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "a re-INVITE overtakes the first ACK",
        &["200 normal by caller, 1 s"]
    ));
}

#[test]
fn a_refused_re_invite_leaves_the_session() {
    let mut world = talking();
    set(&mut world, BOB, |bob| bob.refuses_changes = Some(488));
    change(&mut world, ALICE, Change::hold(Hold::SendOnly));
    world.run_for(s(1));
    assert_eq!(agreed(&world, ALICE, BOB).0, Direction::SendRecv);
    assert!(world.notices(ALICE).contains(&Notice::Replied { method: "INVITE".to_owned(), status: Some(488) }));
    insta::assert_snapshot!(hang_up(world, BOB, "a re-INVITE is refused", &["200 normal by callee, 2 s"]));
}

#[test]
fn a_refused_update_leaves_the_session() {
    let mut world = talking();
    set(&mut world, ALICE, |alice| alice.refuses_changes = Some(488));
    change(&mut world, BOB, Change::hold(Hold::SendOnly).by_update());
    world.run_for(s(1));
    assert_eq!(agreed(&world, ALICE, BOB).0, Direction::SendRecv);
    insta::assert_snapshot!(hang_up(world, BOB, "an UPDATE is refused", &["200 normal by callee, 2 s"]));
}

#[test]
fn a_re_invite_is_cancelled() {
    let mut world = talking();
    set(&mut world, BOB, |bob| bob.answers_changes_after = s(3));
    change(&mut world, ALICE, Change::hold(Hold::SendOnly));
    world.later(s(1), ALICE, Phone::cancel_change);
    world.run_for(s(2));
    assert_eq!(agreed(&world, ALICE, BOB).0, Direction::SendRecv);
    insta::assert_snapshot!(hang_up(world, ALICE, "a re-INVITE is cancelled", &["200 normal by caller, 3 s"]));
}

/// The 491 is between the switch and Bob: nothing of his has met Alice's re-INVITE on her own leg.
#[test]
fn a_re_invite_is_cancelled_and_meets_an_update() {
    let mut world = talking();
    world.fault_from(BOB, "491 INVITE", 1, Fate::Delay(10_000));
    change(&mut world, ALICE, Change::hold(Hold::SendOnly));
    world.later(ms(5), ALICE, Phone::cancel_change);
    change(&mut world, BOB, Change::codecs(&ONE).by_update());
    world.run_for(s(5));
    // Alice asks no more, but what she answers later is what she wanted.
    assert_eq!(agreed(&world, ALICE, BOB), (Direction::SendOnly, ONE.to_vec()));
    let title = "the CANCEL of a re-INVITE crosses its 491";
    insta::assert_snapshot!(hang_up(world, ALICE, title, &["200 normal by caller, 6 s"]));
}

#[test]
fn the_callee_hangs_up_during_a_re_invite() {
    let mut world = talking();
    set(&mut world, BOB, |bob| bob.answers_changes_after = s(3));
    change(&mut world, ALICE, Change::hold(Hold::SendOnly));
    world.later(s(1), BOB, Phone::hang_up);
    insta::assert_snapshot!(finish(world, "BYE of the callee during a re-INVITE", &["200 normal by callee, 2 s"]));
}

#[test]
fn the_caller_hangs_up_during_a_re_invite() {
    let mut world = talking();
    set(&mut world, BOB, |bob| bob.answers_changes_after = s(3));
    change(&mut world, ALICE, Change::hold(Hold::SendOnly));
    world.later(s(1), ALICE, Phone::hang_up);
    insta::assert_snapshot!(finish(world, "BYE of the caller during a re-INVITE", &["200 normal by caller, 2 s"]));
}
