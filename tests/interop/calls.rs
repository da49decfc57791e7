//! baresip and linphone call each other through the switch, in both directions and each its own make: early media, hold
//! and resume, cancel, refusal, and hanging up by either side. What each leg carried is checked with tshark.

use crate::exchange::{Exchange, Expected, Line};
use crate::phone::{Answer, BARESIP, LINPHONE, Phone};
use crate::{folder, turn};
use crosspoint_tests::process::installed;

/// Who of a call does something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Caller,
    Callee,
}

/// A caller's leg up to the ringing: challenged once.
const CALLING: &str = "INVITE> <401 ACK> INVITE>";

#[test]
fn baresip_and_linphone_call_each_other() {
    let turn = turn();
    if !installed(&["baresip", "linphonec", "tshark"]) {
        return;
    }
    let folder = folder("calls");
    let lines = [
        Line { user: "u00001", make: &BARESIP, answer: Answer::Plain },
        Line { user: "u00002", make: &LINPHONE, answer: Answer::Plain },
        Line { user: "u00003", make: &BARESIP, answer: Answer::EarlyMedia },
        Line { user: "u00004", make: &LINPHONE, answer: Answer::EarlyMedia },
    ];
    let (mut exchange, [mut ann, mut bob, mut carl, mut dora]) = Exchange::start(&folder, "", &lines);
    let x = &mut exchange;
    for holder in [Side::Caller, Side::Callee] {
        for hanger in [Side::Caller, Side::Callee] {
            hold_and_hang_up(x, &mut ann, &mut bob, holder, hanger);
            hold_and_hang_up(x, &mut bob, &mut ann, holder, hanger);
        }
    }
    for ends_unanswered in [cancel, refuse] {
        ends_unanswered(x, &mut ann, &mut bob);
        ends_unanswered(x, &mut bob, &mut ann);
    }
    for callee in [&mut carl, &mut dora] {
        early_media(x, &mut ann, callee);
        early_media(x, &mut bob, callee);
    }
    drop((ann, bob, carl, dora));
    drop(turn);
    exchange.close();
}

fn hold_and_hang_up(x: &mut Exchange, caller: &mut Phone, callee: &mut Phone, holder: Side, hanger: Side) {
    x.connect(caller, callee);
    let by = |side, caller: &mut Phone, callee: &mut Phone, act: fn(&mut Phone)| {
        act(if side == Side::Caller { caller } else { callee });
    };
    by(holder, caller, callee, |phone| {
        phone.hold();
        phone.wait_for(phone.make.holds);
        phone.resume();
        phone.wait_for(phone.make.resumed);
    });
    x.talk(caller, callee);
    by(hanger, caller, callee, Phone::hang_up);
    caller.wait_for(caller.make.is_free);
    callee.wait_for(callee.make.is_free);

    let trace = x.cut();
    let holding = "INVITE(sendonly)> <200(recvonly) ACK> INVITE> <200 ACK>";
    let held = "<INVITE(sendonly) 200(recvonly)> <ACK <INVITE 200> <ACK";
    let (first, second) = if holder == Side::Caller { (holding, held) } else { (held, holding) };
    let (leaving, left) = ("BYE> <200", "<BYE 200>");
    let (last, other) = if hanger == Side::Caller { (leaving, left) } else { (left, leaving) };
    assert_eq!(trace.ladder(caller.port), format!("{CALLING} <180 <200 ACK> {first} {last}"));
    assert_eq!(trace.ladder(callee.port), format!("<INVITE 180> 200> <ACK {second} {other}"));
    let ended_by = if hanger == Side::Caller { "caller" } else { "callee" };
    x.bill(Expected { caller: caller.user, callee: callee.user, ended_by, status: "200", is_answered: true });
}

/// The caller changes its mind while it rings.
fn cancel(x: &mut Exchange, caller: &mut Phone, callee: &mut Phone) {
    caller.dial(callee.user);
    callee.wait_for(callee.make.is_called);
    caller.wait_for(caller.make.rings_back);
    caller.hang_up();
    caller.wait_for(caller.make.is_free);
    callee.wait_for(callee.make.is_free);

    let trace = x.cut();
    assert_eq!(trace.ladder(caller.port), format!("{CALLING} <180 CANCEL> <200 <487 ACK>"));
    assert_eq!(trace.ladder(callee.port), "<INVITE 180> <CANCEL 200> 487> <ACK");
    x.bill(Expected {
        caller: caller.user,
        callee: callee.user,
        ended_by: "caller",
        status: "487",
        is_answered: false,
    });
}

/// The callee does not want to.
fn refuse(x: &mut Exchange, caller: &mut Phone, callee: &mut Phone) {
    caller.dial(callee.user);
    callee.wait_for(callee.make.is_called);
    caller.wait_for(caller.make.rings_back);
    callee.hang_up();
    caller.wait_for(caller.make.is_free);
    callee.wait_for(callee.make.is_free);

    let trace = x.cut();
    let status = callee.make.refusal;
    assert_eq!(trace.ladder(caller.port), format!("{CALLING} <180 <{status} ACK>"));
    assert_eq!(trace.ladder(callee.port), format!("<INVITE 180> {status}> <ACK"));
    x.bill(Expected { caller: caller.user, callee: callee.user, ended_by: "callee", status, is_answered: false });
}

/// The callee's phone sends a session description with 183, and both talk before its user answers.
fn early_media(x: &mut Exchange, caller: &mut Phone, callee: &mut Phone) {
    caller.dial(callee.user);
    caller.wait_for(caller.make.hears_early);
    x.hear(caller, callee, |there, _| there > 10);
    callee.answer();
    caller.wait_for(caller.make.talks);
    callee.wait_for(callee.make.talks);
    x.talk(caller, callee);
    callee.hang_up();
    caller.wait_for(caller.make.is_free);
    callee.wait_for(callee.make.is_free);

    let trace = x.cut();
    let (heard, sent) = if callee.make.rings_before_183 { ("<180 <183", "180> 183>") } else { ("<183", "183>") };
    assert_eq!(trace.ladder(caller.port), format!("{CALLING} {heard} <200 ACK> <BYE 200>"));
    assert_eq!(trace.ladder(callee.port), format!("<INVITE {sent} 200> <ACK BYE> <200"));
    x.bill(Expected { caller: caller.user, callee: callee.user, ended_by: "callee", status: "200", is_answered: true });
}
