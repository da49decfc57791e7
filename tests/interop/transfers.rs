//! Transfers between real phones: blind, and attended with Replaces, the switch between each pair.
//!
//! baresip 1.0.0 starts no attended transfer, does not understand Replaces, and as the one who is transferred puts the
//! whole Refer-To into its Request-URI; so in those that pair is linphone, and baresip the third, which is called anew.

use crate::exchange::{Exchange, Expected, Line};
use crate::phone::{Answer, BARESIP, LINPHONE, Phone};
use crate::{folder, turn};
use crosspoint_tests::capture::Trace;
use crosspoint_tests::process::installed;

/// The leg of the one who is transferred, from its new call to the end.
const TRANSFERRED: &str = "INVITE> <401 ACK> INVITE> <180 <200 ACK> <BYE 200>";

/// The leg of the one to whom.
const CALLED: &str = "<INVITE 180> 200> <ACK BYE> <200";

/// Which side of their call transfers the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Caller,
    Callee,
}

#[test]
fn phones_transfer_each_other() {
    let turn = turn();
    if !installed(&["baresip", "linphonec", "tshark"]) {
        return;
    }
    let folder = folder("transfers");
    let lines = [
        Line { user: "u00001", make: &BARESIP, answer: Answer::Plain },
        Line { user: "u00002", make: &LINPHONE, answer: Answer::Plain },
        Line { user: "u00003", make: &BARESIP, answer: Answer::Plain },
        Line { user: "u00004", make: &LINPHONE, answer: Answer::Plain },
        Line { user: "u00005", make: &LINPHONE, answer: Answer::Plain },
    ];
    let (mut exchange, [mut ann, mut bob, mut carl, mut dora, mut erin]) = Exchange::start(&folder, "", &lines);
    let x = &mut exchange;
    blind(x, &mut ann, &mut bob, &mut carl, By::Caller);
    blind(x, &mut bob, &mut ann, &mut dora, By::Callee);
    blind(x, &mut bob, &mut dora, &mut ann, By::Caller);
    // both ends of this one name the subscription by the CSeq of their own leg's REFER (RFC 3515 §2.4.6)
    blind(x, &mut ann, &mut carl, &mut bob, By::Callee);
    attended(x, &mut bob, &mut dora, &mut erin, By::Caller);
    attended(x, &mut dora, &mut bob, &mut ann, By::Callee);
    drop((ann, bob, carl, dora, erin));
    drop(turn);
    exchange.close();
}

/// `by` and `whom` talk; `by` sends `whom` to `to`, who answers.
fn blind(x: &mut Exchange, by: &mut Phone, whom: &mut Phone, to: &mut Phone, side: By) {
    eprintln!("blind: {} {} transfers {} to {}", by.make.program, by.user, whom.user, to.user);
    talk_first(x, by, whom, side);
    by.transfer(to.user);
    to.wait_for(to.make.is_called);
    to.answer();
    whom.wait_for(whom.make.talks);
    to.wait_for(to.make.talks);
    by.wait_for(by.make.is_free);
    whom.wait_for(whom.make.is_free);
    hang_up_last(x, whom, to);

    let trace = x.cut();
    let [first] = &trace.dialogs(by.port)[..] else { panic!("not one dialog: {}", trace.ladder(by.port)) };
    assert_follows(first, "<202 <NOTIFY 200> <NOTIFY 200> BYE> <200");
    check_transferred(&trace, by, whom);
    assert_eq!(trace.ladder(to.port), CALLED);
    bill_first(x, by, whom, side);
    bill_last(x, whom, to);
}

/// `by` talks with `whom`, then with `to`, and joins the two. A `to` that does not understand Replaces rings again, and
/// `by` has to hang up there.
fn attended(x: &mut Exchange, by: &mut Phone, whom: &mut Phone, to: &mut Phone, side: By) {
    eprintln!("attended: {} {} joins {} and {}", by.make.program, by.user, whom.user, to.user);
    let is_replaced = to.make.program == LINPHONE.program;
    talk_first(x, by, whom, side);
    by.hold();
    by.wait_for(by.make.holds);
    x.connect(by, to);
    by.join();
    if !is_replaced {
        to.wait_for(to.make.is_called);
        to.answer();
    }
    to.wait_for(to.make.talks);
    by.wait_for(by.make.is_free);
    if !is_replaced {
        by.hang_up();
    }
    for phone in [&mut *by, &mut *whom, &mut *to] {
        phone.wait_for(phone.make.is_free);
    }
    hang_up_last(x, whom, to);

    let trace = x.cut();
    let [first, second] = &trace.dialogs(by.port)[..] else { panic!("not two: {}", trace.ladder(by.port)) };
    assert_follows(first, "INVITE(sendonly)> <200(recvonly) ACK> REFER> <202 <NOTIFY 200> <NOTIFY 200> BYE> <200");
    // a `to` that has taken a second call has put the first on hold
    let ending = if is_replaced { "<BYE 200>" } else { "<INVITE(sendonly) 200(recvonly)> <ACK BYE> <200" };
    assert_eq!(*second, format!("INVITE> <401 ACK> INVITE> <180 <200 ACK> {ending}"));
    check_transferred(&trace, by, whom);
    let [replaced, replacing] = &trace.dialogs(to.port)[..] else { panic!("not two: {}", trace.ladder(to.port)) };
    let ending = if is_replaced { "BYE> <200" } else { "INVITE(sendonly)> <200(recvonly) ACK> <BYE 200>" };
    assert_eq!(*replaced, format!("<INVITE 180> 200> <ACK {ending}"));
    assert_eq!(replacing, CALLED);
    check_replaces(&trace, to);
    bill_first(x, by, whom, side);
    let ended_by = if is_replaced { "callee" } else { "caller" };
    x.bill(Expected { caller: by.user, callee: to.user, ended_by, status: "200", is_answered: true });
    bill_last(x, whom, to);
}

fn talk_first(x: &mut Exchange, by: &mut Phone, whom: &mut Phone, side: By) {
    match side {
        By::Caller => x.connect(by, whom),
        By::Callee => x.connect(whom, by),
    }
}

fn hang_up_last(x: &mut Exchange, whom: &mut Phone, to: &mut Phone) {
    x.talk(whom, to);
    to.hang_up();
    whom.wait_for(whom.make.is_free);
    to.wait_for(to.make.is_free);
}

fn bill_first(x: &mut Exchange, by: &Phone, whom: &Phone, side: By) {
    let (caller, callee, ended_by) = match side {
        By::Caller => (by.user, whom.user, "caller"),
        By::Callee => (whom.user, by.user, "callee"),
    };
    x.bill(Expected { caller, callee, ended_by, status: "200", is_answered: true });
}

fn bill_last(x: &mut Exchange, whom: &Phone, to: &Phone) {
    x.bill(Expected { caller: whom.user, callee: to.user, ended_by: "callee", status: "200", is_answered: true });
}

/// The transferred side has taken the REFER, called anew and told how that went, and `by` was told the same.
fn check_transferred(trace: &Trace, by: &Phone, whom: &Phone) {
    let [first, second] = &trace.dialogs(whom.port)[..] else { panic!("not two: {}", trace.ladder(whom.port)) };
    assert_follows(first, "<REFER 202> NOTIFY> <200 NOTIFY> <200 <BYE 200>");
    assert_eq!(second, TRANSFERRED);
    let told: Vec<&str> = trace
        .messages()
        .filter(|(packet, sip)| packet.to == by.port && sip.start == "NOTIFY")
        .map(|(_, sip)| sip.fragment.get(8..11).unwrap_or_default())
        .collect();
    assert_eq!(told, ["100", "200"], "what the NOTIFYs say");
}

/// The INVITE with Replaces names a dialog that the phone has: with its own tag as `to-tag` (RFC 3891 §3).
fn check_replaces(trace: &Trace, to: &Phone) {
    let own = |start: &'static str| {
        trace.messages().filter(move |(packet, sip)| packet.to == to.port && sip.start == start).map(|(_, sip)| sip)
    };
    let replaces = own("INVITE").find_map(|sip| sip.header("Replaces")).expect("an INVITE with Replaces");
    let ack = own("ACK").next().expect("the first call was answered");
    let tag = |name| ack.header(name).and_then(|value| value.split_once("tag=")).expect("a dialog has tags").1;
    let mut parts = replaces.split(';');
    assert_eq!(parts.next(), ack.header("Call-ID"), "{replaces}");
    let mut tags: Vec<&str> = parts.collect();
    tags.sort_unstable();
    assert_eq!(tags, [format!("from-tag={}", tag("From")), format!("to-tag={}", tag("To"))], "{replaces}");
}

/// The steps are in the ladder, in this order; others may stand between.
fn assert_follows(ladder: &str, steps: &str) {
    let mut left = ladder.split(' ');
    for step in steps.split(' ') {
        assert!(left.any(|other| other == step), "`{step}` of `{steps}` is not in its place: {ladder}");
    }
}
