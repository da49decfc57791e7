//! What the switch answers to requests outside any dialog that it does not take on: RFC 3261 §8.2 from outside.

use crosspoint_core::config::Config;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch, Verdict};
use std::sync::Arc;

/// The answers of a new switch with the embedded configuration to one datagram, and its verdict.
fn answers(datagram: &str) -> (Verdict, Vec<String>) {
    let now = Now { mono: Instant::from_micros(1), wall: UnixMicros(1_800_000_000_000_000) };
    let mut switch = Switch::new(Arc::new(Config::embedded("secret")), Seed::from_number(1), now);
    let remote = "192.0.2.1:5060".parse().expect("an address");
    let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote };
    let verdict = switch.handle(now, Input::Datagram { flow, bytes: datagram.as_bytes() });
    let mut sent = Vec::new();
    while let Some(command) = switch.poll_command() {
        if let Command::Send { bytes, .. } = command {
            sent.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    (verdict, sent)
}

/// A request with these start line's parts and further header lines.
fn request(method: &str, uri: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\nFrom: <sip:a@example.net>;tag=a\r\n\
         To: <sip:b@localhost>\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\nContact: <sip:a@192.0.2.1>\r\n{more}\
         Content-Length: 0\r\n\r\n"
    )
}

/// The one answer, which must begin with this status.
fn refused(datagram: &str, status: u16) -> String {
    let (_, sent) = answers(datagram);
    let [answer] = &sent[..] else { panic!("{} answers to {datagram}", sent.len()) };
    assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{status} expected: {answer}\nto {datagram}");
    answer.clone()
}

#[test]
fn what_is_not_for_this_switch_is_refused_with_the_right_status() {
    refused(&request("INVITE", "http://example.net", "Max-Forwards: 70\r\n"), 416);
    refused(&request("INVITE", "sip:1001@localhost", "Max-Forwards: 0\r\n"), 483);
    refused(&request("MESSAGE", "sip:1001@localhost", "Max-Forwards: 0\r\n"), 483);
    refused(&request("REGISTER", "sip:elsewhere.example", "Max-Forwards: 70\r\n"), 404);
    refused(&request("BYE", "sip:1001@localhost", "Max-Forwards: 70\r\n"), 481);
    refused(&request("CANCEL", "sip:1001@localhost", "Max-Forwards: 70\r\n"), 481);
}

#[test]
fn a_request_inside_a_dialog_that_we_do_not_have_gets_481() {
    let text = request("INFO", "sip:1001@localhost", "Max-Forwards: 70\r\n");
    refused(&text.replace("To: <sip:b@localhost>", "To: <sip:b@localhost>;tag=unknown"), 481);
}

#[test]
fn extensions_we_do_not_carry_are_named() {
    let answer = refused(&request("INVITE", "sip:1001@localhost", "Require: 100rel, Timer, x-ours\r\n"), 420);
    assert!(answer.contains("\r\nUnsupported: Timer\r\n"), "{answer}");
    let answer = refused(&request("OPTIONS", "sip:localhost", "Proxy-Require: x-new\r\n"), 420);
    assert!(answer.contains("\r\nUnsupported: x-new\r\n"), "{answer}");
}

#[test]
fn a_known_method_that_is_not_carried_is_refused_an_unknown_one_may_pass() {
    let answer = refused(&request("PUBLISH", "sip:1001@localhost", "Event: presence\r\n"), 405);
    assert!(answer.contains("\r\nAllow: INVITE, ACK, "), "{answer}");
    // An unknown one may be meant for a user behind the switch, so its sender has to say who he is.
    refused(&request("NEWTHING", "sip:1001@localhost", ""), 401);
}

#[test]
fn who_does_not_say_who_he_is_is_challenged_and_learns_nothing() {
    for user in ["1001", "nobody"] {
        let answer = refused(&request("INVITE", &format!("sip:{user}@localhost"), "Max-Forwards: 70\r\n"), 401);
        assert!(answer.contains("\r\nWWW-Authenticate: Digest realm=\"localhost\""), "{answer}");
        // OPTIONS is answered by the switch itself, whoever it is for
        refused(&request("OPTIONS", &format!("sip:{user}@localhost"), "Max-Forwards: 0\r\n"), 200);
    }
}

#[test]
fn an_ack_is_never_answered() {
    let (verdict, sent) = answers(&request("ACK", "sip:1001@localhost", ""));
    assert!(matches!(verdict, Verdict::Dropped(_)) && sent.is_empty(), "{verdict:?} {sent:?}");
}
