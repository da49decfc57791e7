//! Who may have how many calls, how long they last, and how the devices of one phone ring.

use crosspoint_sim::phone::{Answering, Phone, Reliability};
use crosspoint_sim::world::World;
use crosspoint_sim::world::{DOMAIN, PASSWORD, SWITCH};
use crosspoint_tests::scene::{ALICE, BOB, CAROL, agreed, call, finish, gateways, hang_up, ms, s, set};

const DESK: &str = "desk";
const SOFT: &str = "soft";

/// Alice, Carol, and Bob with two devices; `q` of each, and what is said of phones.
fn devices(q: [Option<&str>; 2], switch: &str, phone: &str) -> World {
    let mut text =
        format!("[switch]\ndomain = \"{DOMAIN}\"\n{switch}\n[[listen]]\ntransport = \"udp\"\nbind = \"{SWITCH}\"\n");
    for name in [ALICE, BOB, CAROL] {
        text.push_str(&format!("[[phone]]\nuser = \"{name}\"\npassword = \"{PASSWORD}\"\n"));
        if name == BOB {
            text.push_str(phone);
        }
    }
    let mut world = World::of_config(1, &text);
    for (name, user, q) in [(ALICE, ALICE, None), (DESK, BOB, q[0]), (SOFT, BOB, q[1]), (CAROL, CAROL, None)] {
        world.add_phone(1, name, |settings| {
            (settings.reuse_nonce, settings.talks, settings.marks) = (true, false, true);
            (settings.user, settings.contact_q) = (user.to_owned(), q.map(str::to_owned));
            settings.crossing_grace = std::time::Duration::ZERO;
        });
    }
    world.register_all();
    world.forget_log();
    world
}

#[test]
fn two_devices_ring_together() {
    let mut world = devices([None, None], "", "");
    set(&mut world, DESK, |desk| desk.answering = Answering::RingOnly);
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, SOFT);
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "both ring, one answers, the other is cancelled",
        &["200 normal by caller, 2 s"]
    ));
}

#[test]
fn both_devices_answer_at_once() {
    let mut world = devices([None, None], "", "");
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, DESK);
    insta::assert_snapshot!(hang_up(world, DESK, "both answer at once", &["200 normal by callee, 2 s"]));
}

#[test]
fn two_devices_ring_reliably() {
    let mut world = devices([None, None], "", "");
    for name in [ALICE, DESK, SOFT] {
        set(&mut world, name, |phone| phone.reliability = Reliability::Supported);
    }
    set(&mut world, ALICE, |alice| alice.prack_after = ms(100));
    set(&mut world, DESK, |desk| desk.early_media = true);
    set(&mut world, SOFT, |soft| soft.answering = Answering::Answer { ring_after: s(0), after: ms(50) });
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, SOFT);
    let title = "both ring reliably, one answers before any PRACK";
    insta::assert_snapshot!(hang_up(world, ALICE, title, &["200 normal by caller, 4 s"]));
}

#[test]
fn two_devices_ring_and_the_caller_requires_100rel() {
    let mut world = devices([None, None], "", "");
    set(&mut world, ALICE, |alice| alice.reliability = Reliability::Required);
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, DESK);
    let title = "both ring, the caller requires 100rel";
    insta::assert_snapshot!(hang_up(world, ALICE, title, &["200 normal by caller, 2 s"]));
}

#[test]
fn one_device_is_busy_and_the_other_answers() {
    let mut world = devices([None, None], "", "");
    set(&mut world, DESK, |desk| desk.answering = Answering::Reject { status: 486, after: s(0) });
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, SOFT);
    insta::assert_snapshot!(hang_up(world, ALICE, "one is busy, the other answers", &["200 normal by caller, 2 s"]));
}

#[test]
fn one_device_declines_for_all() {
    let mut world = devices([None, None], "", "");
    set(&mut world, DESK, |desk| desk.answering = Answering::Reject { status: 603, after: s(1) });
    call(&mut world, ALICE, BOB);
    insta::assert_snapshot!(finish(
        world,
        "one declines with 603: the other stops ringing",
        &["603 rejected by callee, 0 s"]
    ));
}

#[test]
fn the_caller_gives_up_while_both_ring() {
    let mut world = devices([None, None], "", "");
    for name in [DESK, SOFT] {
        set(&mut world, name, |device| device.answering = Answering::RingOnly);
    }
    call(&mut world, ALICE, BOB);
    world.later(s(1), ALICE, Phone::hang_up);
    insta::assert_snapshot!(finish(world, "both ring, the caller gives up", &["487 cancelled by caller, 0 s"]));
}

#[test]
fn devices_of_lower_q_follow() {
    let mut world = devices([Some("0.5"), Some("1.0")], "", "");
    set(&mut world, SOFT, |soft| soft.answering = Answering::Reject { status: 480, after: s(1) });
    call(&mut world, ALICE, BOB);
    world.run_for(s(5));
    agreed(&world, ALICE, DESK);
    insta::assert_snapshot!(hang_up(world, ALICE, "q 1.0 refuses, q 0.5 follows", &["200 normal by caller, 2 s"]));
}

#[test]
fn max_calls_of_a_phone() {
    let mut world = devices([None, Some("0.1")], "", "max_calls = 1\n");
    call(&mut world, ALICE, BOB);
    world.run_for(s(3));
    call(&mut world, CAROL, BOB);
    world.run_for(s(1));
    let ends = ["486 phone_limit_exceeded by server, 0 s", "200 normal by caller, 2 s"];
    insta::assert_snapshot!(hang_up(world, ALICE, "a second call for a phone of one", &ends));
}

#[test]
fn max_calls_of_the_switch() {
    let mut world = devices([None, Some("0.1")], "max_calls = 1", "");
    call(&mut world, ALICE, BOB);
    world.run_for(s(3));
    call(&mut world, CAROL, ALICE);
    world.run_for(s(1));
    let ends = ["503 switch_limit_exceeded by server, 0 s", "200 normal by caller, 2 s"];
    insta::assert_snapshot!(hang_up(world, ALICE, "a second call for a switch of one", &ends));
}

#[test]
fn capacity_of_a_gateway() {
    let mut world = gateways("", &[("west", "capacity = 1")]);
    set(&mut world, ALICE, |alice| alice.lines = 2);
    call(&mut world, ALICE, "1");
    world.run_for(s(3));
    call(&mut world, ALICE, "2");
    world.run_for(s(1));
    let ends = ["503 connection_limit_exceeded by server, 0 s", "200 normal by caller, 2 s"];
    insta::assert_snapshot!(hang_up(world, ALICE, "a second call for a gateway of one line", &ends));
}

#[test]
fn the_longest_conversation_of_a_gateway() {
    let mut world = gateways("", &[("west", "max_duration_s = 60")]);
    call(&mut world, ALICE, "1");
    insta::assert_snapshot!(finish(world, "a minute and no more", &["200 max_duration by server, 60 s"]));
}
