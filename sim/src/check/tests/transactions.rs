//! Transactions: answers, resends, ACK, CANCEL.

use super::trace::{ALICE, BOB, Passes, Trace, answer, request};

/// An INVITE that rings; what follows is for the test.
fn ringing() -> Trace {
    let mut trace = Trace::call();
    trace.0.truncate(6);
    trace
}

fn invite_in() -> String {
    request("INVITE", 1, "a1", 1, ["a", ""])
}

fn invite_out() -> String {
    request("INVITE", 2, "s1", 1, ["s2", ""])
}

fn to(peer: &'static str, text: &str) -> Passes {
    Passes::To(peer, text.to_owned())
}

fn from(peer: &'static str, text: &str) -> Passes {
    Passes::From(peer, text.to_owned())
}

#[test]
fn one_final_answer() {
    let busy = answer(486, &invite_in(), "s1");
    Trace::call().and(320, from(ALICE, &busy)).violates("one-final-answer");
    let other = answer(200, &invite_in(), "s9");
    Trace::call().and(300, from(ALICE, &other)).violates("one-final-answer");
}

#[test]
fn no_provisional_after_final() {
    Trace::call().and(300, from(ALICE, &answer(180, &invite_in(), "s1"))).violates("no-provisional-after-final");
}

#[test]
fn request_answered() {
    ringing().violates("request-answered");
    let bye = request("BYE", 1, "a9", 9, ["a", "s1"]);
    Trace::call().and(5500, to(ALICE, &bye)).violates("request-answered");
    let info = request("INFO", 1, "a9", 9, ["a", "s1"]);
    Trace::call().and(1000, to(ALICE, &info)).violates("request-answered");
}

#[test]
fn response_matches() {
    for (what, with) in [
        ("branch=z9hG4bKa1", "branch=z9hG4bKzz"),
        ("tag=a", "tag=x"),
        ("Call-ID: c1", "Call-ID: c9"),
        ("CSeq: 1 INVITE", "CSeq: 1 INFO"),
        (";tag=s1", ""),
    ] {
        Trace::call().replaced("SIP/2.0 180", what, with).violates("response-matches");
    }
    let astray = answer(180, &invite_in(), "s1");
    Trace::call().and(100, from(BOB, &astray)).violates("response-matches");
}

#[test]
fn a_request_is_sent_again_in_its_time_and_until_it_is_answered() {
    let again = |at_ms| Trace::call().and(at_ms, from(BOB, &invite_out()));
    again(99).violates("resend-schedule");
    again(500).violates("resend-schedule");
    let bye = request("BYE", 2, "s3", 2, ["s2", "b"]);
    let late = |times: &[u64]| {
        let trace = Trace::call().changed("SIP/2.0 200 X\r\nVia: SIP/2.0/UDP 10.0.0.1", false, |text| {
            (!text.contains("BYE")).then_some(text)
        });
        let trace = times.iter().fold(trace, |trace, at| trace.and(5400 + at, from(BOB, &bye)));
        trace.and(12_000, to(BOB, &answer(200, &bye, "b")))
    };
    late(&[500, 1500, 3500]).passes();
    late(&[500, 1500]).violates("resend-schedule");
    late(&[500, 1500, 3400]).violates("resend-schedule");
}

#[test]
fn a_final_answer_is_sent_again_until_its_ack() {
    let ok = answer(200, &invite_in(), "s1");
    Trace::call().and(800, from(ALICE, &ok)).violates("resend-schedule");
    let late_ack = |times: &[u64]| {
        let mut trace = Trace::call();
        for (at, passes) in &mut trace.0 {
            if matches!(passes, Passes::To(_, text) | Passes::From(_, text) if text.starts_with("ACK")) {
                *at = 2000;
            }
        }
        times.iter().fold(trace, |trace, at| trace.and(300 + at, from(ALICE, &ok)))
    };
    let sorted = |mut trace: Trace| {
        trace.0.sort_by_key(|(at, _)| *at);
        trace
    };
    sorted(late_ack(&[500, 1500])).passes();
    sorted(late_ack(&[500])).violates("resend-schedule");
    sorted(late_ack(&[500, 1400])).violates("resend-schedule");
    // what is asked again is answered again
    let asked_again = sorted(late_ack(&[500, 1500])).and(1200, to(ALICE, &invite_in()));
    asked_again.and(1200, from(ALICE, &ok)).passes();
}

#[test]
fn cancel() {
    let cancelled = |cancel: &str, at_ms, before: Option<u16>| {
        let refused = answer(487, &invite_in(), "s1");
        let gone = answer(487, &invite_out(), "b");
        let mut trace = ringing();
        trace
            .0
            .retain(|(_, passes)| before.is_some() || !matches!(passes, Passes::To(_, text) if text.contains("180")));
        trace
            .and(200, from(ALICE, &refused))
            .and(210, to(ALICE, &request("ACK", 1, "a1", 1, ["a", "s1"])))
            .and(at_ms, from(BOB, cancel))
            .and(at_ms + 5, to(BOB, &answer(200, cancel, "b")))
            .and(300, to(BOB, &gone))
            .and(300, from(BOB, &request("ACK", 2, "s1", 1, ["s2", "b"])))
    };
    let cancel = request("CANCEL", 2, "s1", 1, ["s2", ""]).replace("Max-Forwards: 70", "Max-Forwards: 69");
    let wrong = |trace: Trace| trace.violations().iter().any(|violation| violation.check == "cancel");
    assert!(!wrong(cancelled(&cancel, 200, Some(180))));
    assert!(wrong(cancelled(&cancel, 200, None)), "before any answer");
    assert!(wrong(cancelled(&cancel, 350, Some(180))), "after the final one");
    assert!(wrong(cancelled(&cancel.replace("bKs1", "bKs8"), 200, Some(180))), "in no transaction");
    assert!(wrong(cancelled(&cancel.replace("sip:x@", "sip:y@"), 200, Some(180))), "of another URI");
}

#[test]
fn ack() {
    let failed = |acks: &[&str]| {
        let trace = ringing().and(200, to(BOB, &answer(486, &invite_out(), "b")));
        let trace = trace.and(200, from(ALICE, &answer(486, &invite_in(), "s1")));
        let trace = trace.and(210, to(ALICE, &request("ACK", 1, "a1", 1, ["a", "s1"])));
        acks.iter().fold(trace, |trace, ack| trace.and(200, from(BOB, ack)))
    };
    let wrong = |trace: Trace| trace.violations().iter().any(|violation| violation.check == "ack");
    let right = request("ACK", 2, "s1", 1, ["s2", "b"]);
    assert!(!wrong(failed(&[&right])) && !wrong(Trace::call()));
    assert!(wrong(failed(&[])), "a failure without ACK");
    assert!(wrong(failed(&[&right.replace("bKs1", "bKs7")])), "in a transaction of its own");
    assert!(wrong(failed(&[&right.replace(";tag=b", "")])), "with another To");
    let misled = Trace::call().replaced("ACK", "CSeq: 1 ACK", "CSeq: 2 ACK");
    assert!(wrong(misled), "of no 2xx");
    assert!(wrong(Trace::call().replaced("ACK", "bKs2", "bKs1")), "a 2xx in the transaction of its INVITE");
    let again = Trace::call().and(320, to(BOB, &answer(200, &invite_out(), "b")));
    let same = request("ACK", 2, "s2", 1, ["s2", "b"]);
    assert!(!wrong(again.clone().and(320, from(BOB, &same))));
    assert!(wrong(again.clone()), "a 2xx that comes again without its ACK");
    assert!(wrong(again.and(320, from(BOB, &same.replace("bKs2", "bKs6")))), "another ACK for the same 2xx");
}

#[test]
fn branch() {
    Trace::call().replaced("BYE", "branch=z9hG4bKs3", "branch=s3").violates("branch");
    Trace::call().replaced("BYE", "branch=z9hG4bKs3", "branch=z9hG4bKs1").violates("branch");
}
