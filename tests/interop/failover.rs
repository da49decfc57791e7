//! Failover across three gateways, played by SIPp: the first is dead, the second is out of service, the third answers. The
//! caller hears one ringing, and the event log says of each attempt what became of it and by which rule.

use crate::script::{Script, Sdp};
use crate::stage::Stage;
use crate::turn;
use crosspoint_tests::process::installed;
use std::net::UdpSocket;

const OFFER: Option<Sdp> = Some(Sdp::plain(30000));
const ANSWER: Option<Sdp> = Some(Sdp::plain(32000));

/// Of one call in the order they were made: the rule, and what came of it.
fn decisions(events: &[String], call: &str) -> Vec<String> {
    let field = |event: &str, name: &str| {
        let (_, rest) = event.split_once(&format!("\"{name}\":\"")).expect("a decision has it");
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    let own = events.iter().filter(|event| event.contains("\"route.decided\"") && event.contains(call));
    own.map(|event| format!("{}: {}", field(event, "rule"), field(event, "result"))).collect()
}

#[test]
fn a_call_is_answered_by_the_third_gateway() {
    let turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let mut ports = [0; 3];
    let mut stage = Stage::set("failover", "", |[first, second, third]| {
        ports = [first, second, third];
        // the third may be rung after the second has rung
        let lines = |priority, also: &str| format!("prefixes = [\"9\"]\npriority = {priority}\n{also}");
        let patient = "failover = { after_18x = true }\n";
        [
            ("first", first, lines(1, "timeout_invite_s = 1\n")),
            ("second", second, lines(2, patient)),
            ("third", third, lines(3, "")),
        ]
    });

    // nothing listens at the first: the system says so at once
    stage
        .play(caller("nobody-caller"), [None, Some(refusing("nobody-second", false)), Some(answering("nobody-third"))]);
    // the first takes everything and says nothing; the second rings before it refuses
    let silent = UdpSocket::bind(("127.0.0.1", ports[0])).expect("nobody listens there");
    stage.play(caller("silent-caller"), [None, Some(refusing("silent-second", true)), Some(answering("silent-third"))]);
    drop(silent);
    drop(turn);

    let events = stage.switch.events();
    let records = stage.strike();
    let [first, second, third] = ports.map(|port| format!("route.prefix: 9001 at 127.0.0.1:{port}"));
    for (record, dead) in
        records.iter().zip(["switch.unreachable: first failed: nothing listens there", "switch.timeout: first failed"])
    {
        assert_eq!(record["callee_gateway"], "third");
        assert_eq!((record["sip_status"].as_str(), record["end_direction"].as_str()), ("200", "caller"));
        let decisions = decisions(&events, &record["flow_no"]);
        let expected = [first.as_str(), dead, second.as_str(), "switch.failure: second failed: 503", third.as_str()];
        let is_as_expected = decisions.len() == expected.len()
            && decisions.iter().zip(expected).all(|(decision, start)| decision.starts_with(start));
        assert!(is_as_expected, "{decisions:#?}");
    }
}

/// It hears one 180 and the 200: a second 180, or anything else, fails its scenario.
fn caller(name: &'static str) -> Script {
    let caller = Script::caller(name).begin("INVITE", "9001", &[], OFFER).expect_status(180).expect_status(200);
    caller.with("m=audio 32000").ack(None).send("BYE", &[], None).expect_status(200)
}

fn refusing(name: &'static str, rings: bool) -> Script {
    let mut second = Script::callee(name).expect("INVITE");
    if rings {
        second = second.answer_invite(180, "second", &[], None).pause(100);
    }
    second.answer_invite(503, "second", &[], None).expect("ACK")
}

fn answering(name: &'static str) -> Script {
    let third = Script::callee(name).expect("INVITE").answer_invite(180, "callee", &[], None).pause(100);
    third.answer_invite(200, "callee", &[], ANSWER).expect("ACK").expect("BYE").answer(200, &[], None)
}
