//! Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3, §8.2.2.2; RFC 6026).

use super::world::{OWNER, World, branch, field, flow, our_request, peer, their_request, their_response, with_message};
use crate::command::Command;
use crate::limits;
use crate::transaction::{Answer, Kind, NewRequest, Owner, Party, Received};
use bytes::Bytes;

const COOKIE: &str = "z9hG4bKcarol";

/// The ACK of a failure.
fn their_ack(branch: &str, failure: &str) -> String {
    their_request("ACK", branch).replace("<sip:bob@example.net>", field(failure, "To"))
}

#[test]
fn retransmissions_are_absorbed_and_get_the_last_answer() {
    let mut world = World::new();
    let invite = their_request("INVITE", COOKIE);
    let Received::New(id) = world.hear_request(&invite) else { panic!() };
    assert_eq!(world.hear_request(&invite), Received::Absorbed);
    assert_eq!(world.sent.len(), 0, "nothing has been answered yet");
    world.answer(id, 100);
    world.answer(id, 180);
    world.sent.clear();
    assert_eq!(world.hear_request(&invite), Received::Absorbed);
    assert!(world.sent_one().starts_with("SIP/2.0 180 "));
    assert_eq!(world.cx.counters.absorbed, 2);
}

#[test]
fn branch_sent_by_and_method_make_a_server_transaction() {
    let mut world = World::new();
    let first = their_request("OPTIONS", COOKIE);
    assert!(matches!(world.hear_request(&first), Received::New(_)));
    let in_dialog = |text: String| text.replace("sip:bob@example.net>", "sip:bob@example.net>;tag=b1");
    // none of them is a copy that took another way, since each is within a dialog
    for (text, same) in [
        (in_dialog(first.clone()), true),
        (first.replace("192.0.2.7:5060;", "192.0.2.7;"), true),
        (in_dialog(first.replace("192.0.2.7:5060;", "192.0.2.7:5062;")), false),
        (in_dialog(first.replace("UDP 192.0.2.7:", "UDP 192.0.2.8:")), false),
        (in_dialog(first.replace("carol\r\n", "dave\r\n").replace(COOKIE, "z9hG4bKdave")), false),
        (in_dialog(first.replace("OPTIONS", "INFO")), false),
    ] {
        assert_eq!(world.hear_request(&text) == Received::Absorbed, same, "{text}");
    }
    assert!(
        world.hear_request(&in_dialog(their_request("BYE", COOKIE).replace("192.0.2.7:5060", "Host.Example:5060")))
            != Received::Absorbed
    );
    let lower = in_dialog(their_request("BYE", COOKIE).replace("192.0.2.7:5060", "host.example:5060"));
    assert_eq!(world.hear_request(&lower), Received::Absorbed, "host names have no case");
}

#[test]
fn without_the_cookie_the_rules_of_rfc_2543_apply() {
    for branch in ["", ";branch=1"] {
        let legacy = |method| their_request(method, "x").replace(";branch=x", branch);
        let mut world = World::new();
        let Received::New(id) = world.hear_request(&legacy("INVITE")) else { panic!() };
        assert_eq!(world.hear_request(&legacy("INVITE")), Received::Absorbed);
        assert_eq!(world.hear_request(&legacy("CANCEL")), Received::Cancel { invite: id });
        for (of_this, of_another) in [
            ("INVITE-of-carol", "other"),
            ("tag=c1", "tag=c2"),
            ("CSeq: 1", "CSeq: 2"),
            ("UDP 192.0.2.7", "UDP 192.0.2.8"),
            ("CANCEL sip:bob", "CANCEL sip:bib"),
        ] {
            assert_eq!(world.hear_request(&legacy("CANCEL").replace(of_this, of_another)), Received::Absorbed);
            assert!(world.log.ends_with("-> 481 to CANCEL\n"), "{of_another}: {}", world.log);
        }
        world.answer(id, 487);
        let ack = legacy("ACK").replace("sip:bob@example.net>", "sip:bob@example.net>;tag=ours");
        assert_eq!(world.hear_request(&ack), Received::Absorbed);
        world.wait_ms(5_000);
        world.assert_empty();

        let bye = legacy("BYE").replace("sip:bob@example.net>", "sip:bob@example.net>;tag=ours");
        assert!(matches!(world.hear_request(&bye), Received::New(_)));
        assert!(matches!(world.hear_request(&bye.replace("tag=ours", "tag=else")), Received::New(_)));
        assert_eq!(world.hear_request(&bye), Received::Absorbed);
    }
}

#[test]
fn a_copy_that_took_another_way_is_refused_482() {
    let mut world = World::new();
    assert!(matches!(world.hear_request(&their_request("INVITE", COOKIE)), Received::New(_)));
    world.sent.clear();
    let other_way = their_request("INVITE", "z9hG4bKother");
    assert_eq!(world.hear_request(&other_way), Received::Absorbed);
    let refusal = world.sent_one();
    assert!(refusal.starts_with("SIP/2.0 482 "), "{refusal}");
    assert_eq!(world.hear_request(&their_ack("z9hG4bKother", &refusal)), Received::Absorbed);
    let other_caller = other_way.replace("tag=c1", "tag=c2").replace("other", "third");
    assert!(matches!(world.hear_request(&other_caller), Received::New(_)));
    let in_dialog = other_way.replace("sip:bob@example.net>", "sip:bob@example.net>;tag=ours");
    assert!(matches!(world.hear_request(&in_dialog), Received::New(_)), "§8.2.2.2 is for requests without a To tag");
}

#[test]
fn a_challenge_leaves_nothing_behind_and_its_ack_is_known_by_the_tag() {
    let mut world = World::new();
    for method in ["REGISTER", "INVITE"] {
        let request = their_request(method, COOKIE);
        for _ in 0..2 {
            let Received::New(id) = world.hear_request(&request) else { panic!() };
            world.answer(id, 401);
            world.assert_empty();
        }
        let [(_, first), (_, again)] = world.sent.as_slice() else { panic!() };
        assert_eq!(first, again, "a resent request is answered alike");
        world.sent.remove(0);
        let challenge = world.sent_one();
        if method == "INVITE" {
            assert_eq!(world.hear_request(&their_ack(COOKIE, &challenge)), Received::Absorbed);
            assert_eq!(world.hear_request(&their_ack("z9hG4bKother", &challenge)), Received::Ack);
        }
    }
}

/// Or a request sent twice would count as two wrong passwords.
#[test]
fn a_challenge_to_wrong_credentials_has_a_transaction() {
    let mut world = World::new();
    let request = their_request("REGISTER", COOKIE).replace("Max", "Authorization: Digest username=\"carol\"\r\nMax");
    let Received::New(id) = world.hear_request(&request) else { panic!() };
    world.answer(id, 401);
    world.sent.clear();
    assert_eq!(world.hear_request(&request), Received::Absorbed);
    assert_eq!(field(&world.sent_one(), "To"), "<sip:bob@example.net>;tag=ours");
}

#[test]
fn an_ack_of_nothing_is_the_users() {
    let mut world = World::new();
    assert_eq!(world.hear_request(&their_request("ACK", COOKIE)), Received::Ack);
    let Received::New(id) = world.hear_request(&their_request("INVITE", COOKIE)) else { panic!() };
    world.answer(id, 200);
    assert_eq!(world.hear_request(&their_request("ACK", COOKIE)), Received::Ack, "of a 2xx, with the INVITE's branch");
}

#[test]
fn every_2xx_is_delivered_for_32_s() {
    let mut world = World::new();
    let client = world.ask("INVITE", 'a');
    let deliver = Answer::Deliver { client, owner: OWNER };
    let invite = our_request("INVITE", 'a');
    for (status, tag) in [(100, ""), (180, "b1"), (200, "b1"), (200, "b1"), (200, "b2")] {
        assert_eq!(world.hear_response(&their_response(&invite, status, tag)), deliver, "{status} {tag}");
    }
    assert_eq!(world.hear_response(&their_response(&invite, 486, "b3")), Answer::Absorbed);
    assert_eq!(world.hear_response(&their_response(&invite, 180, "b3")), Answer::Absorbed);
    world.wait_ms(31_999);
    assert_eq!(world.hear_response(&their_response(&invite, 200, "b1")), deliver);
    world.wait_ms(1);
    assert_eq!(world.hear_response(&their_response(&invite, 200, "b1")), Answer::Stray);
    world.assert_empty();
}

#[test]
fn a_final_answer_to_another_request_is_delivered_once() {
    let mut world = World::new();
    let client = world.ask("BYE", 'a');
    let ok = their_response(&our_request("BYE", 'a'), 200, "b1");
    assert_eq!(world.hear_response(&ok), Answer::Deliver { client, owner: OWNER });
    assert_eq!(world.hear_response(&ok), Answer::Absorbed);
    world.wait_ms(5_000);
    assert_eq!(world.hear_response(&ok), Answer::Stray);
    world.assert_empty();
}

#[test]
fn a_response_is_stray_unless_branch_and_method_are_ours() {
    let mut world = World::new();
    world.ask("BYE", 'a');
    let ok = their_response(&our_request("BYE", 'a'), 200, "b1");
    let aaa = "a".repeat(16);
    for stray in [
        ok.replace(&aaa, &"b".repeat(16)),
        ok.replace(&aaa, &"a".repeat(17)),
        ok.replace("z9hG4bK", "z9hG4bk"),
        ok.replace(";branch=", ";brunch="),
        ok.replace("17 BYE", "17 INVITE"),
        ok.replace("17 BYE", "17 CANCEL"),
    ] {
        assert_eq!(world.hear_response(&stray), Answer::Stray, "{stray}");
    }
    assert!(matches!(world.hear_response(&ok), Answer::Deliver { .. }));
}

#[test]
fn icmp_ends_what_waits_for_its_first_answer_there() {
    let mut world = World::new();
    world.ask("INVITE", 'a');
    world.ask("OPTIONS", 'b');
    world.ask("INVITE", 'c');
    world.hear_response(&their_response(&our_request("INVITE", 'c'), 100, ""));
    assert_eq!(world.undelivered(flow("192.0.2.7:5061")), 0);
    assert_eq!(world.undelivered(peer()), 2);
    assert_eq!(world.undelivered(peer()), 0);
    assert_eq!(world.layer.clients(), 1);
}

#[test]
fn one_icmp_error_ends_64_at_most() {
    let mut world = World::new();
    for n in 0..70 {
        let new = NewRequest {
            flow: peer(),
            kind: Kind::Other,
            branch: [n; 16],
            bytes: Bytes::from(our_request("BYE", 'a')),
        };
        world.layer.request(&mut world.cx, new, Owner { party: Party::Call, id: u64::from(n), role: 0 }).unwrap();
    }
    assert_eq!(world.layer.undelivered(&mut world.cx, peer()).len(), 64);
    assert_eq!(world.layer.undelivered(&mut world.cx, peer()).len(), 6);
}

#[test]
fn at_the_limit_requests_are_refused_503_and_none_of_ours_goes_out() {
    let mut world = World::new();
    let Received::New(server) = world.hear_request(&their_request("OPTIONS", COOKIE)) else { panic!() };
    let client = world.ask("BYE", 'a');
    let (server, client) = (world.layer.server(server).unwrap().clone(), world.layer.client(client).unwrap().clone());
    while world.layer.servers() < limits::TRANSACTIONS {
        world.layer.servers.insert(server.clone());
        world.layer.clients.insert(client.clone());
    }
    world.sent.clear();
    let refused =
        with_message(&their_request("INVITE", COOKIE), |m| world.layer.receive_request(&mut world.cx, m, peer()));
    assert_eq!(refused, Received::Refused);
    let Some(Command::Send { bytes, .. }) = world.cx.next_command() else { panic!("no refusal") };
    let refusal = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(refusal.starts_with("SIP/2.0 503 ") && refusal.contains("\r\nRetry-After: "), "{refusal}");

    let ack = with_message(&their_request("ACK", COOKIE), |m| world.layer.receive_request(&mut world.cx, m, peer()));
    assert_eq!(ack, Received::Ack);
    let bytes = Bytes::from(our_request("BYE", 'b'));
    let new = NewRequest { flow: peer(), kind: Kind::Other, branch: branch('b'), bytes };
    assert_eq!(world.layer.request(&mut world.cx, new, OWNER), None);
    assert!(world.cx.is_drained());
}
