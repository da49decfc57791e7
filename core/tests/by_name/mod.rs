//! Gateways that are known by host name, as the switch watches them and registers at them, in virtual time.

use crate::peers::{World, answer, line, peer};
use std::collections::BTreeSet;
use std::time::Duration;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const PINGED: &str = "[[gateway]]\nname = \"gw\"\ndirection = \"routing\"\npeers = [\"gw.example\"]\nping_s = 20\nping_fails = 2\nping_oks = 1\n";
const REGISTERED: &str = "[[gateway]]\nname = \"gw\"\ndirection = \"routing\"\npeers = [\"gw.example\", \"192.0.2.9\"]\n\
    register = { user = \"4930\", password = \"right\", required = true }\n";

/// Two servers behind `gw.example`, the second for when the first fails.
fn two_servers(world: &mut World) {
    world.zone.records.insert("_sip._udp.gw.example", vec!["SRV 1 0 5060 a.example.", "SRV 2 0 5060 b.example."]);
    world.zone.records.insert("a.example", vec!["A 192.0.2.1"]);
    world.zone.records.insert("b.example", vec!["A 192.0.2.2"]);
}

#[test]
fn the_servers_behind_a_name_are_asked_in_their_order() {
    let mut world = World::new(PINGED);
    two_servers(&mut world);
    world.answers(peer(2), "200 OK", "");
    world.pass(s(100));
    assert_eq!(world.news(), [""; 0]);
    let first = world.requests(peer(1), "OPTIONS")[0].to_owned();
    assert!(first.starts_with("OPTIONS sip:gw.example SIP/2.0\r\n") && line(&first, "To: ") == "<sip:gw.example>");
    let rounds = |n: u8| {
        let requests = world.requests(peer(n), "OPTIONS");
        requests.iter().map(|text| line(text, "Call-ID: ")).collect::<BTreeSet<_>>().len()
    };
    assert_eq!((rounds(1), rounds(2)), (5, 5));
    assert_eq!(world.switch.counters().ping_rounds_failed, 0);
    world.silence(peer(2));
    world.pass(s(60));
    assert_eq!(world.news(), ["gw down trunk.down 2 rounds of OPTIONS"]);
}

#[test]
fn a_name_that_leads_nowhere_is_a_peer_that_does_not_answer() {
    let mut world = World::new(PINGED);
    world.pass(s(60));
    assert_eq!(world.news(), ["gw down trunk.down 2 rounds of OPTIONS, gw.example: dns.nxdomain"]);
    two_servers(&mut world);
    world.answers(peer(1), "200 OK", "");
    world.pass(s(60));
    assert_eq!(world.news(), ["gw up trunk.up 1 rounds of OPTIONS"]);
    world.reload(&PINGED.replace("[\"gw.example\"]", "[\"no.example\", \"192.0.2.3\"]"));
    world.answers(peer(3), "200 OK", "");
    world.pass(s(100));
    assert_eq!(world.news(), [""; 0], "the second peer answers for the first");
}

fn wait_for(world: &mut World, question: &str) {
    while !world.zone.asked.iter().any(|asked| asked == question) {
        world.pass(Duration::from_millis(100));
    }
}

#[test]
fn an_answer_for_a_gateway_that_has_moved_or_gone_finds_nothing() {
    let step = Duration::from_millis(100);
    let begin = |name: &str| {
        let mut world = World::new(&PINGED.replace("gw.example", name));
        world.zone.is_silent = true;
        wait_for(&mut world, &format!("NAPTR {name}"));
        world
    };
    let mut world = begin("new.example");
    let mut patience = Duration::ZERO;
    while world.switch.counters().ping_rounds_failed == 0 {
        world.pass(step);
        patience += step;
    }

    let mut world = begin("old.example");
    world.pass(5 * step);
    // a short interval, so that the next round begins while the first name is still being looked up
    world.reload(&PINGED.replace("gw.example", "new.example").replace("ping_s = 20", "ping_s = 1"));
    wait_for(&mut world, "NAPTR new.example");
    world.pass(patience - 3 * step);
    assert_eq!(world.switch.counters().ping_rounds_failed, 0, "the old name's failure is not the new one's");
    world.pass(3 * step);
    assert_eq!(world.switch.counters().ping_rounds_failed, 1);
    world.reload(&PINGED.replace("gw.example", "last.example"));
    wait_for(&mut world, "NAPTR last.example");
    world.reload("");
    world.pass(s(30));
    assert_eq!((world.switch.status().timers, world.switch.status().lookups), (0, 0));
}

#[test]
fn a_registration_is_made_where_a_name_leads_and_fails_over() {
    let mut world = World::new(REGISTERED);
    two_servers(&mut world);
    world.answers(peer(1), "503 Service Unavailable", "");
    world.script(peer(2), |request| {
        let contact = format!("Contact: {};expires=100\r\n", line(request, "Contact: "));
        Some(answer(request, "200 OK", &contact))
    });
    world.pass(s(5));
    assert_eq!(world.news(), ["gw registered trunk.registered for 100 s"]);
    let first = world.requests(peer(1), "REGISTER")[0].to_owned();
    assert!(first.starts_with("REGISTER sip:gw.example SIP/2.0\r\n"), "{first}");
    assert_eq!(line(&first, "To: "), "<sip:4930@gw.example>");
    world.pass(s(600));
    assert_eq!(world.news(), [""; 0], "it never lapses");
    let before = world.requests(peer(1), "REGISTER").len();
    world.reload("");
    world.pass(s(10));
    assert_eq!(world.requests(peer(1), "REGISTER").len(), before, "it is taken back where it stands");
    let last = world.requests(peer(2), "REGISTER").pop().expect("it was made").to_owned();
    assert_eq!(line(&last, "Expires: "), "0");
    assert_eq!(world.news(), ["gw unregistered trunk.unregistered"]);
}

#[test]
fn a_registration_at_a_name_that_leads_nowhere_fails_with_the_rule() {
    let mut world = World::new(&REGISTERED.replace(", \"192.0.2.9\"", ""));
    world.pass(s(5));
    assert_eq!(world.news(), ["gw registration-failed trunk.registration-failed gw.example: dns.nxdomain"]);
    let mut world = World::new(REGISTERED);
    world.zone.is_silent = true;
    world.pass(s(20));
    assert_eq!(world.requests(peer(9), "REGISTER").len(), 1, "the next peer is asked");
}
