//! What the generated crossings found, each as short as it can be told.

use crosspoint_sim::net::{Fate, Plan};
use crosspoint_sim::phone::{Answering, Change, Hold, Phone};
use crosspoint_sim::world::World;
use crosspoint_tests::scene::{ALICE, BOB, call, finish, ms, s, set, two};

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

/// RFC 3261 §9.2: nothing crossed on Alice's leg, so she is told of her own CANCEL and not of Bob's UPDATE.
#[test]
fn a_cancelled_re_invite_that_met_an_update_is_answered_487() {
    let mut world = talking();
    let slow = Plan { latency_min_us: 5000, latency_max_us: 5000, ..Plan::GOOD };
    world.set_link(BOB, slow, slow);
    set(&mut world, BOB, |bob| bob.far_side_cancels = true);
    world.act(ALICE, |alice, now| alice.change(now, Change::REFRESH));
    world.later(ms(3), BOB, |bob, now| bob.change(now, Change::hold(Hold::SendOnly).by_update()));
    world.later(ms(4), ALICE, Phone::cancel_change);
    world.later(s(5), ALICE, Phone::hang_up);
    let ladder = finish(world, "CANCEL of a re-INVITE that met an UPDATE", &["200 normal by caller, 6 s"]);
    insta::assert_snapshot!(ladder);
}

/// RFC 3261 §13.2.2.4: Bob's offer has to be answered before the BYE; RFC 3264 §6.1, §8: as an answer of this leg, to a
/// hold.
#[test]
fn a_bye_overtakes_the_answer_to_a_held_offer() {
    let mut world = talking();
    world.act(BOB, |bob, now| bob.change(now, Change::hold(Hold::Inactive)));
    world.run_for(s(1));
    world.forget_log();
    world.act(ALICE, |alice, now| alice.change(now, Change::REFRESH.without_offer()));
    world.later(ms(3), ALICE, Phone::hang_up);
    let ladder = finish(world, "BYE before the ACK that answers", &["200 normal by caller, 2 s"]);
    insta::assert_snapshot!(ladder);
}

/// RFC 3261 §13.3.1.4: the 2xx goes out until its ACK, also where the call has ended meanwhile.
#[test]
fn a_lost_2xx_to_a_re_invite_comes_again_after_the_bye() {
    let mut world = talking();
    world.fault_to(ALICE, "200 INVITE", 1, Fate::Lose);
    world.act(ALICE, |alice, now| alice.change(now, Change::hold(Hold::SendOnly)));
    world.later(ms(3), BOB, Phone::hang_up);
    world.run_for(s(2));
    assert!(world.phone(ALICE).unanswered().is_empty(), "{}", world.ladder("so far"));
    insta::assert_snapshot!(finish(world, "200 to a re-INVITE is lost, then BYE", &["200 normal by callee, 1 s"]));
}
