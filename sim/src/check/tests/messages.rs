//! What each message must be by itself.

use super::trace::{ALICE, BOB, Passes, Trace, answer, request};

#[test]
fn a_call_is_clean() {
    Trace::call().passes();
}

#[test]
fn headers() {
    Trace::call().replaced("INVITE", "CSeq: 1 INVITE", "CSeq: 1 UPDATE").violates("headers");
    Trace::call().replaced("INVITE", ";tag=s2", "").violates("headers");
    Trace::call().replaced("SIP/2.0 180", "Call-ID: c1", "Call-ID: c1\r\nCall-ID: c1").violates("headers");
}

#[test]
fn via() {
    Trace::call().replaced("BYE", "10.0.0.1:5060;branch", "10.0.0.9:5060;branch").violates("via");
    Trace::call().replaced("BYE", "Max-Forwards", "Via: SIP/2.0/UDP x;branch=z9hG4bKx\r\nMax-Forwards").violates("via");
}

#[test]
fn max_forwards() {
    Trace::call().replaced("BYE", "Max-Forwards: 70", "Max-Forwards: 71").violates("max-forwards");
    Trace::call().replaced("BYE", "Max-Forwards: 70", "X: 70").violates("max-forwards");
    Trace::call().replaced("INVITE", "Max-Forwards: 69", "Max-Forwards: 70").violates("max-forwards");
}

#[test]
fn contact() {
    Trace::call().replaced("INVITE", "Contact:", "X:").violates("contact");
    Trace::call().replaced("SIP/2.0 200", "Contact:", "X:").violates("contact");
}

#[test]
fn content() {
    Trace::call().replaced("BYE", "Content-Length: 0", "Content-Length: 1").violates("content-length");
    Trace::call()
        .replaced("BYE", "Content-Length: 0", "Content-Type: x/y\r\nContent-Length: 0")
        .violates("content-type");
    Trace::call().replaced("BYE", "Content-Length: 0\r\n\r\n", "Content-Length: 1\r\n\r\nx").violates("content-type");
}

#[test]
fn topology() {
    Trace::call().replaced("BYE", "From: <sip:a@example.net>", "From: <sip:a@10.0.1.1>").violates("topology");
    Trace::call().replaced("BYE", "Content-Length", "X-Seen: 10.0.1.1:5060\r\nContent-Length").violates("topology");
    // its own address, one that nobody has, and one that it has named itself are no secrets
    Trace::call().replaced("BYE", "Content-Length", "X: 10.0.1.2, 10.9.9.9\r\nContent-Length").passes();
    let named =
        answer(180, &request("INVITE", 2, "s1", 1, ["s2", ""]), "b").replace("Content-L", "X: 10.0.1.1\r\nContent-L");
    let named = Trace::call().and(100, Passes::To(BOB, named));
    named.replaced("BYE", "Content-Length", "X-Seen: 10.0.1.1\r\nContent-Length").passes();
}

#[test]
fn reliable() {
    let ringing = |rseq: u32| {
        let plain = answer(183, &request("INVITE", 1, "a1", 1, ["a", ""]), "s1");
        plain.replace("Content-L", &format!("Require: 100rel\r\nRSeq: {rseq}\r\nContent-L"))
    };
    let both =
        |second| Trace::call().and(100, Passes::From(ALICE, ringing(7))).and(110, Passes::From(ALICE, ringing(second)));
    both(8).passes();
    both(7).passes();
    both(9).violates("reliable");
    let alone = ringing(7).replace("Require: 100rel\r\n", "");
    Trace::call().and(100, Passes::From(ALICE, alone)).violates("reliable");
    let prack = request("PRACK", 2, "s9", 2, ["s2", "b"]).replace("Content-L", "RAck: 5 1 INVITE\r\nContent-L");
    Trace::call().and(110, Passes::From(BOB, prack)).violates("reliable");
}
