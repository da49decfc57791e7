//! What our answers, and the requests the layer builds itself, look like on the wire.

use super::world::{World, field, flow, our_request, their_request, their_response};
use crate::transaction::{Received, Reply};

fn via_of_answer(via: &str, from: &str) -> String {
    let mut world = World::new();
    let request = their_request("OPTIONS", "x").replace("SIP/2.0/UDP 192.0.2.7:5060;branch=x", via);
    let Received::New(id) = world.hear_request_from(flow(from), &request) else { panic!() };
    world.answer(id, 200);
    assert_eq!(world.sent[0].0, flow(from), "an answer goes where its request came from");
    field(&world.sent_one(), "Via").to_string()
}

#[test]
fn the_top_via_tells_where_the_request_came_from() {
    let branch = ";branch=z9hG4bKx";
    for (via, from, expected) in [
        // RFC 3261 §18.2.1
        ("SIP/2.0/UDP 192.0.2.7:5060", "192.0.2.7:5060", "SIP/2.0/UDP 192.0.2.7:5060"),
        ("SIP/2.0/UDP 192.0.2.7:5060", "192.0.2.7:6000", "SIP/2.0/UDP 192.0.2.7:5060"),
        ("SIP/2.0/UDP 10.0.0.1", "192.0.2.7:6000", "SIP/2.0/UDP 10.0.0.1;received=192.0.2.7"),
        ("SIP/2.0/UDP phone.example", "192.0.2.7:6000", "SIP/2.0/UDP phone.example;received=192.0.2.7"),
        ("SIP/2.0/UDP [2001:db8::1]:5060", "[2001:db8::1]:5060", "SIP/2.0/UDP [2001:db8::1]:5060"),
        ("SIP/2.0/UDP [2001:db8::1]", "[2001:db8::2]:5060", "SIP/2.0/UDP [2001:db8::1];received=2001:db8::2"),
    ] {
        assert_eq!(via_of_answer(&format!("{via}{branch}"), from), {
            let (sent_by, received) = expected.split_once(';').map_or((expected, None), |(s, r)| (s, Some(r)));
            format!("{sent_by}{branch}{}", received.map(|r| format!(";{r}")).unwrap_or_default())
        });
    }
    // RFC 3581 §4, and what the sender says of itself is not believed
    assert_eq!(
        via_of_answer("SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bKx;x=\"a;b\"", "192.0.2.7:6000"),
        "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKx;x=\"a;b\";rport=6000;received=192.0.2.7"
    );
    assert_eq!(
        via_of_answer("SIP/2.0/UDP 10.0.0.1;received=10.0.0.1;RPORT=1;branch=z9hG4bKx", "192.0.2.7:6000"),
        "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;rport=6000;received=192.0.2.7"
    );
}

#[test]
fn an_answer_repeats_its_request_and_adds_what_the_user_says() {
    let mut world = World::new();
    let request = their_request("INVITE", "z9hG4bKx")
        .replace(
            "\r\nMax-Forwards",
            ", SIP/2.0/UDP p2.example;branch=z9hG4bK2\r\nv: SIP/2.0/UDP p3.example;branch=3\r\nMax-Forwards",
        )
        .replace("From: <sip:carol@example.net>", "f: \"Carol,\r\n \t of <Tests>\"\r\n <sip:carol@example.net>");
    let Received::New(id) = world.hear_request(&request) else { panic!() };
    let headers = b"Contact: <sip:192.0.2.1>\r\nSupported: timer\r\n";
    world.layer.respond(&mut world.cx, id, Reply { headers, body: b"v=0\r\n", ..Reply::new(200, b"ours") });
    world.layer.respond(&mut world.cx, id, Reply::new(486, b"ours"));
    world.wait_ms(1);
    insta::assert_snapshot!(world.sent_one().replace("\r\n", "\n"));
}

#[test]
fn a_tag_is_added_only_where_there_is_none() {
    let mut world = World::new();
    let request = their_request("BYE", "z9hG4bKx").replace("sip:bob@example.net>", "sip:bob@example.net>;tag=old");
    let Received::New(id) = world.hear_request(&request) else { panic!() };
    world.layer.respond(&mut world.cx, id, Reply { reason: Some("Gone Fishing"), ..Reply::new(200, b"new") });
    world.wait_ms(1);
    let ok = world.sent_one();
    assert_eq!(field(&ok, "To"), "<sip:bob@example.net>;tag=old");
    assert!(ok.starts_with("SIP/2.0 200 Gone Fishing\r\n"), "{ok}");
}

#[test]
fn the_ack_of_a_failure_has_the_answers_to_and_the_rest_of_the_invite() {
    let mut world = World::new();
    world.ask("INVITE", 'a');
    world.sent.clear();
    world.hear_response(&their_response(&our_request("INVITE", 'a'), 503, "b1"));
    insta::assert_snapshot!(world.sent_one().replace("\r\n", "\n"));
}
