//! What passes through a call: requests that change nothing of it, transfers, what nobody knows, reasons.

use crosspoint_sim::net::Fate;
use crosspoint_sim::phone::{Answering, Notice, Phone, State};
use crosspoint_sim::world::World;
use crosspoint_tests::scene::{ALICE, BOB, CAROL, agreed, call, finish, hang_up, ms, phones, s, set};

/// Alice and Bob talk, Carol is there too; nothing on paper yet.
fn talking() -> World {
    let mut world = phones(&[ALICE, BOB, CAROL], |settings| {
        settings.answering = Answering::Answer { ring_after: s(0), after: s(0) };
        (settings.lines, settings.takes_any_method) = (2, true);
    });
    call(&mut world, ALICE, BOB);
    world.run_for(s(1));
    world.forget_log();
    world
}

/// The bodies of the NOTIFYs that a phone has had.
fn reports(world: &World, name: &str) -> Vec<String> {
    let bodies = world.notices(name).iter().filter_map(|notice| match notice {
        Notice::Received { method, body } if method == "NOTIFY" => Some(body.trim_end().to_owned()),
        _ => None,
    });
    bodies.collect()
}

#[test]
fn info_and_message() {
    let mut world = talking();
    world.act(ALICE, |alice, now| alice.send_within(now, "INFO", "Signal=5"));
    world.run_for(s(1));
    world.act(BOB, |bob, now| bob.send_within(now, "MESSAGE", "hello"));
    world.run_for(s(1));
    for (name, method, body) in [(BOB, "INFO", "Signal=5"), (ALICE, "MESSAGE", "hello")] {
        let received = Notice::Received { method: method.to_owned(), body: body.to_owned() };
        assert!(world.notices(name).contains(&received), "{:?}", world.notices(name));
    }
    insta::assert_snapshot!(hang_up(world, BOB, "INFO, MESSAGE", &["200 normal by callee, 3 s"]));
}

#[test]
fn a_subscription_inside_a_call() {
    let mut world = talking();
    world.act(BOB, |bob, now| bob.subscribe(now, "dialog"));
    world.run_for(s(1));
    assert_eq!(reports(&world, BOB), [""]);
    // it was never ended, so its dialogs stay for a while
    insta::assert_snapshot!(hang_up(world, ALICE, "SUBSCRIBE and NOTIFY", &["200 normal by caller, 2 s"]));
}

#[test]
fn a_blind_transfer_by_the_caller() {
    let mut world = talking();
    set(&mut world, CAROL, |carol| carol.answering = Answering::Answer { ring_after: s(0), after: s(1) });
    world.act(ALICE, |alice, now| alice.refer(now, CAROL));
    world.run_for(s(3));
    assert_eq!(reports(&world, ALICE), ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"]);
    assert!(world.phone(ALICE).current_call().is_none());
    agreed(&world, BOB, CAROL);
    let ends = ["200 normal by caller, 2 s", "200 normal by callee, 2 s"];
    insta::assert_snapshot!(hang_up(world, CAROL, "the caller transfers the callee", &ends));
}

#[test]
fn a_blind_transfer_by_the_callee() {
    let mut world = talking();
    world.act(BOB, |bob, now| bob.refer(now, CAROL));
    world.run_for(s(3));
    assert_eq!(reports(&world, BOB), ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]);
    agreed(&world, ALICE, CAROL);
    let ends = ["200 normal by callee, 1 s", "200 normal by caller, 3 s"];
    insta::assert_snapshot!(hang_up(world, ALICE, "the callee transfers the caller", &ends));
}

/// RFC 5589 §6.1: the transferor may hang up at once; what it subscribed to is told all the same (RFC 5057 §4.1).
#[test]
fn the_subscription_outlives_the_call() {
    let mut world = talking();
    for name in [ALICE, BOB] {
        set(&mut world, name, |phone| phone.keeps_subscriptions = true);
    }
    set(&mut world, CAROL, |carol| carol.answering = Answering::Answer { ring_after: s(0), after: s(2) });
    world.act(ALICE, |alice, now| alice.refer(now, CAROL));
    world.later(ms(500), ALICE, Phone::hang_up);
    world.run_for(s(3));
    assert_eq!(reports(&world, ALICE), ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"]);
    let before = world.elapsed();
    world.act(CAROL, Phone::hang_up);
    world.run_until_idle(s(600));
    assert!(world.elapsed() - before < s(100), "with its last NOTIFY the subscription is over: nothing lingers");
    let ends = ["200 normal by caller, 2 s", "200 normal by callee, 1 s"];
    insta::assert_snapshot!(finish(world, "BYE before the last NOTIFY", &ends));
}

/// Found by fuzzing: the subscription of a REFER that is accepted after the BYE ends too, and its call with it.
#[test]
fn a_subscription_that_begins_after_the_call_ends_as_well() {
    let mut world = talking();
    set(&mut world, BOB, |bob| bob.takes_any_method = true);
    world.act(ALICE, |alice, now| alice.subscribe(now, "dialog"));
    // every answer before the BYE is lost
    for nth in 1..=3 {
        world.fault_from(BOB, "200 SUBSCRIBE", nth, Fate::Lose);
    }
    world.later(ms(200), ALICE, Phone::hang_up);
    world.run_for(s(2));
    insta::assert_snapshot!(finish(world, "SUBSCRIBE accepted after the BYE", &["200 normal by caller, 2 s"]));
}

#[test]
fn a_transfer_that_fails() {
    let mut world = talking();
    set(&mut world, CAROL, |carol| carol.answering = Answering::Reject { status: 486, after: s(0) });
    world.act(ALICE, |alice, now| alice.refer(now, CAROL));
    world.run_for(s(1));
    assert_eq!(reports(&world, ALICE), ["SIP/2.0 100 Trying", "SIP/2.0 486 Busy Here"]);
    agreed(&world, ALICE, BOB);
    let ends = ["486 busy by callee, 0 s", "200 normal by callee, 2 s"];
    insta::assert_snapshot!(hang_up(world, BOB, "a transfer to a busy phone: the call stays", &ends));
}

/// Alice holds Bob, calls Carol, and connects the two.
#[test]
fn an_attended_transfer() {
    let mut world = talking();
    world.act(ALICE, Phone::hold);
    world.run_for(s(1));
    call(&mut world, ALICE, CAROL);
    world.run_for(s(1));
    world.forget_log();
    world.act(ALICE, |alice, now| alice.refer_attended(now, 1, 2));
    world.run_for(s(2));
    assert!(world.phone(ALICE).current_call().is_none(), "{}", world.ladder("so far"));
    agreed(&world, BOB, CAROL);
    // the call to Carol that was replaced, the one to Bob that Alice ended, the one between the two
    let ends = ["200 normal by callee, 1 s", "200 normal by caller, 3 s", "200 normal by caller, 2 s"];
    insta::assert_snapshot!(hang_up(world, BOB, "Replaces names the dialogs of each leg", &ends));
}

/// The same with the call to Carol coming from her: the dialog that is replaced is that of a caller.
#[test]
fn an_attended_transfer_to_one_who_called() {
    let mut world = talking();
    world.act(ALICE, Phone::hold);
    world.run_for(s(1));
    call(&mut world, CAROL, ALICE);
    world.run_for(s(1));
    world.forget_log();
    world.act(ALICE, |alice, now| alice.refer_attended(now, 1, 2));
    world.run_for(s(2));
    assert!(world.phone(ALICE).current_call().is_none(), "{}", world.ladder("so far"));
    agreed(&world, BOB, CAROL);
    let ends = ["200 normal by caller, 1 s", "200 normal by caller, 3 s", "200 normal by callee, 2 s"];
    insta::assert_snapshot!(hang_up(world, CAROL, "Replaces names the dialog of a caller", &ends));
}

/// The one who is transferred is the caller, by the one who was called.
#[test]
fn an_attended_transfer_by_the_callee() {
    let mut world = talking();
    world.act(BOB, Phone::hold);
    world.run_for(s(1));
    call(&mut world, BOB, CAROL);
    world.run_for(s(1));
    world.forget_log();
    world.act(BOB, |bob, now| bob.refer_attended(now, 1, 2));
    world.run_for(s(2));
    assert!(world.phone(BOB).current_call().is_none(), "{}", world.ladder("so far"));
    agreed(&world, ALICE, CAROL);
    let ends = ["200 normal by callee, 1 s", "200 normal by callee, 3 s", "200 normal by caller, 2 s"];
    insta::assert_snapshot!(hang_up(world, ALICE, "the callee connects the caller", &ends));
}

/// RFC 3891 §3: a dialog that has ended is not replaced.
#[test]
fn an_attended_transfer_comes_too_late() {
    let mut world = talking();
    call(&mut world, ALICE, CAROL);
    world.run_for(s(1));
    world.forget_log();
    world.fault_to(BOB, "REFER", 1, Fate::Delay(400_000));
    world.act(ALICE, |alice, now| alice.refer_attended(now, 1, 2));
    world.later(ms(100), CAROL, Phone::hang_up);
    world.run_for(s(2));
    agreed(&world, ALICE, BOB);
    let ends = ["200 normal by callee, 2 s", "481 not_found by server, 0 s", "200 normal by callee, 4 s"];
    insta::assert_snapshot!(hang_up(world, BOB, "Carol has hung up meanwhile", &ends));
}

#[test]
fn replaces_for_an_unknown_dialog() {
    let mut world = talking();
    let replaces = ("Replaces", "nothing@here;to-tag=1;from-tag=2");
    world.act(CAROL, |carol, now| {
        carol.call_with(now, BOB, &[replaces]);
    });
    world.run_for(s(1));
    agreed(&world, ALICE, BOB);
    let ends = ["481 not_found by server, 0 s", "200 normal by caller, 2 s"];
    insta::assert_snapshot!(hang_up(world, ALICE, "Replaces names no dialog", &ends));
}

#[test]
fn what_nobody_knows_passes_byte_for_byte() {
    let mut world = talking();
    let body = b"--b\r\nContent-Type: application/isup\r\n\r\n\x01\x00\xff\xfe\r\n--b\r\nContent-Type: text/x-odd\r\n\r\nv=0\r\n--b--\r\n";
    let kind = ("Content-Type", "multipart/mixed;boundary=b");
    world.act(BOB, |bob, now| bob.send_any_within(now, "FROBNICATE", &[kind, ("X-Odd", "a;b=\"c\" ,d")], body));
    world.run_for(s(1));
    let Some(Notice::Unknown { method, headers, body: heard }) =
        world.notices(ALICE).iter().find(|notice| matches!(notice, Notice::Unknown { .. }))
    else {
        panic!("{:?}", world.notices(ALICE))
    };
    assert_eq!((method.as_str(), heard.as_slice()), ("FROBNICATE", body.as_slice()));
    for (name, value) in [kind, ("X-Odd", "a;b=\"c\" ,d")] {
        assert!(headers.contains(&(name.to_owned(), value.to_owned())), "{headers:?}");
    }
    insta::assert_snapshot!(hang_up(world, ALICE, "an unknown method", &["200 normal by caller, 2 s"]));
}

#[test]
fn an_option_that_the_callee_does_not_know() {
    let mut world = talking();
    world.act(CAROL, |carol, now| {
        carol.call_with(now, BOB, &[("Require", "x-future")]);
    });
    world.run_for(s(1));
    let ends = ["420 protocol_limit by callee, 0 s", "200 normal by caller, 2 s"];
    insta::assert_snapshot!(hang_up(world, ALICE, "the callee's 420 passes", &ends));
}

#[test]
fn an_option_that_does_not_work_across_the_switch() {
    let mut world = talking();
    world.act(CAROL, |carol, now| {
        carol.call_with(now, BOB, &[("Require", "timer")]);
    });
    world.run_for(s(1));
    insta::assert_snapshot!(hang_up(world, ALICE, "a 420 of the switch", &["200 normal by caller, 2 s"]));
}

#[test]
fn the_reason_of_a_bye() {
    let mut world = talking();
    set(&mut world, BOB, |bob| bob.reason = Some("Q.850;cause=31;text=\"so be it\"".to_owned()));
    insta::assert_snapshot!(hang_up(world, BOB, "a BYE with a Reason", &["200 normal by callee, 1 s"]));
}

#[test]
fn the_reason_of_a_cancel() {
    let mut world = talking();
    set(&mut world, CAROL, |carol| carol.answering = Answering::RingOnly);
    set(&mut world, BOB, |bob| bob.reason = Some("SIP;cause=200;text=\"picked up\"".to_owned()));
    call(&mut world, BOB, CAROL);
    world.run_for(s(1));
    assert_eq!(world.phone(CAROL).current_call().map(|call| call.state()), Some(State::Incoming));
    world.act(BOB, |bob, now| bob.hang_up_call(now, 2));
    world.run_for(s(1));
    let ends = ["487 answered_elsewhere by caller, 0 s", "200 normal by caller, 3 s"];
    insta::assert_snapshot!(hang_up(world, ALICE, "a CANCEL with a Reason", &ends));
}
