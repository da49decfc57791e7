//! Dialogs: Call-ID, tags, CSeq, BYE.

use super::trace::{ALICE, BOB, Passes, Trace, answer, request};

#[test]
fn call_id() {
    Trace::call().replaced("INVITE", "Call-ID: c2", "Call-ID: c1").violates("call-id");
}

#[test]
fn in_dialog() {
    Trace::call().replaced("BYE", "Call-ID: c2", "Call-ID: c7").violates("in-dialog");
    Trace::call().replaced("BYE", ";tag=b", ";tag=x").violates("in-dialog");
    Trace::call().replaced("BYE", ";tag=s2", ";tag=x").violates("in-dialog");
}

#[test]
fn cseq() {
    Trace::call().replaced("BYE", "CSeq: 2 BYE", "CSeq: 1 BYE").violates("cseq");
}

#[test]
fn a_bye_ends_what_was_answered() {
    let early = request("BYE", 2, "s8", 2, ["s2", "b"]);
    Trace::call().and(200, Passes::From(BOB, early)).violates("bye");
    // the caller's side waits for the ACK
    let bye = request("BYE", 1, "s9", 1, ["s1", "a"]);
    Trace::call().and(305, Passes::From(ALICE, bye.clone())).violates("bye");
    let violations = Trace::call().and(320, Passes::From(ALICE, bye.clone())).violations();
    assert!(violations.iter().all(|violation| violation.check != "bye"), "{violations:?}");
}

#[test]
fn nothing_follows_a_bye() {
    let info = |method: &str| {
        let request = request(method, 2, "s8", 3, ["s2", "b"]);
        Trace::call()
            .and(6000, Passes::From(BOB, request.clone()))
            .and(6010, Passes::To(BOB, answer(200, &request, "b")))
    };
    info("INFO").violates("after-bye");
    info("NOTIFY").passes();
}

#[test]
fn left_in_call() {
    // RFC 3261 §15: the callee's BYE is left out
    let trace = Trace::call().changed("BYE", true, |_| None);
    trace
        .changed("SIP/2.0 200 X\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKs3", false, |_| None)
        .violates("left-in-call");
}
