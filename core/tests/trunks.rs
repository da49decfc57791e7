//! Gateways as the switch watches them and registers at them, in virtual time, with peers that follow a script. Time goes
//! through a snapshot every second, and no timer may lose its owner.

mod by_name;
mod peers;

use crosspoint_core::trunk::{Rule, TrunkView, Trunks};
use peers::{World, answer, line, peer};
use std::time::Duration;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn view(world: &mut World) -> TrunkView {
    world.tell_the_time();
    world.switch.trunks().remove(0)
}

const PINGED: &str = "[[gateway]]\nname = \"gw\"\ndirection = \"routing\"\npeers = [\"192.0.2.1\"]\nping_s = 10\nping_fails = 3\nping_oks = 2\n";

#[test]
fn a_gateway_is_down_after_three_silent_rounds_and_up_after_two_answered_ones() {
    let mut world = World::new(PINGED);
    world.answers(peer(1), "404 Not Found", "");
    world.pass(s(60));
    assert_eq!(world.news(), [""; 0], "any final answer shows life");
    let seen = view(&mut world);
    assert_eq!((seen.usable, seen.health, seen.ping_rtt_ms), (true, "up", Some(20)));

    world.silence(peer(1));
    world.pass(s(20 + 4));
    assert!(view(&mut world).usable, "two rounds are not three");
    world.pass(s(10));
    assert_eq!(world.news(), ["gw down trunk.down 3 rounds of OPTIONS"]);
    let seen = view(&mut world);
    assert_eq!((seen.usable, seen.rule, seen.until_ms), (false, Some("trunk.down"), None));

    world.answers(peer(1), "503 Service Unavailable", "");
    world.pass(s(100));
    assert_eq!(world.news(), [""; 0], "503 is no sign of life");
    world.answers(peer(1), "200 OK", "");
    world.pass(s(10));
    assert!(!view(&mut world).usable, "one round is not two");
    world.pass(s(10));
    assert_eq!(world.news(), ["gw up trunk.up 2 rounds of OPTIONS"]);
    assert!(view(&mut world).usable);
    assert_eq!(world.switch.counters().trunks_down, 1);
}

#[test]
fn one_answer_in_between_begins_the_count_anew() {
    let mut world = World::new(PINGED);
    let mut rounds: Vec<String> = Vec::new();
    world.script(peer(1), move |request| {
        let call_id = line(request, "Call-ID: ");
        if !rounds.iter().any(|known| known == call_id) {
            rounds.push(call_id.to_owned());
        }
        let is_third = rounds.iter().position(|known| known == call_id).is_some_and(|at| at % 3 == 2);
        is_third.then(|| answer(request, "200 OK", ""))
    });
    world.pass(s(300));
    assert_eq!(world.news(), [""; 0]);
    assert!(world.switch.counters().ping_rounds_failed >= 10);
}

#[test]
fn gateways_are_not_asked_together_and_the_second_peer_answers_for_the_first() {
    let gateways: String = (1..=5)
        .map(|n| {
            format!(
                "[[gateway]]\nname = \"gw{n}\"\ndirection = \"routing\"\npeers = [\"192.0.2.{n}\", \"192.0.2.10{n}:5060\"]\nping_s = 60\n"
            )
        })
        .collect();
    let mut world = World::new(&gateways);
    for n in 101..=105 {
        world.answers(peer(n), "200 OK", "");
    }
    world.pass(s(600));
    assert_eq!(world.news(), [""; 0]);
    let first = |n: u8| world.sent.iter().find(|(_, to, _)| *to == peer(n)).map(|(at, ..)| at.as_millis()).unwrap();
    let mut firsts: Vec<u128> = (1..=5).map(first).collect();
    firsts.sort_unstable();
    assert!(firsts.windows(2).all(|pair| pair[1] - pair[0] > 500), "{firsts:?}");
    assert_eq!(world.requests(peer(101), "OPTIONS").len(), 10);
    let options = world.requests(peer(101), "OPTIONS")[0].to_owned();
    assert!(
        options.starts_with("OPTIONS sip:192.0.2.101:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK")
    );
    assert!(
        options.contains("\r\nFrom: <sip:example.net>;tag=") && options.contains("\r\nTo: <sip:192.0.2.101:5060>\r\n")
    );
}

#[test]
fn a_503_to_options_with_retry_after_keeps_calls_away_for_that_time() {
    let mut world = World::new(&PINGED.replace("ping_fails = 3", "ping_fails = 100"));
    world.answers(peer(1), "503 Service Unavailable", "Retry-After: 5 (busy)\r\n");
    while world.told.is_empty() {
        world.pass(Duration::from_millis(10));
    }
    let seen = view(&mut world);
    assert_eq!((seen.usable, seen.rule), (false, Some("trunk.retry-after")));
    let held_at = world.told[0].0.as_millis() as u64;
    assert_eq!(seen.until_ms, Some(1_767_322_984_000 + held_at + 5000));
    world.silence(peer(1));
    world.pass(s(5));
    assert_eq!(world.news(), ["gw held trunk.retry-after 5 s", "gw released trunk.retry-after-over"]);
    assert!(view(&mut world).usable);
}

#[test]
fn a_hold_is_bounded_and_the_longer_one_stands() {
    use crosspoint_core::time::{Instant, Now, UnixMicros};
    let config = crosspoint_core::config::parse(PINGED).expect("the test's own configuration").config;
    let now = |seconds: u64| Now { mono: Instant::from_micros(seconds * 1_000_000), wall: UnixMicros(0) };
    let mut cx = crosspoint_core::Cx::new(config.into(), crosspoint_core::Seed::from_number(1), now(0));
    let mut trunks = Trunks::new(&mut cx);
    trunks.hold(&mut cx, "gw", 0);
    assert_eq!(trunks.usable("gw", now(0)), Ok(()));
    trunks.hold(&mut cx, "gw", u32::MAX);
    trunks.hold(&mut cx, "gw", 7);
    let unusable = trunks.usable("gw", now(3599)).expect_err("it is held");
    assert_eq!((unusable.rule, unusable.until), (Rule::RetryAfter, Some(now(3600).mono)));
    assert_eq!(trunks.usable("gw", now(3600)), Ok(()));
    assert_eq!((trunks.usable("nobody", now(0)), trunks.timers()), (Ok(()), 2));
}

#[test]
fn a_reload_keeps_what_it_does_not_change() {
    let mut world = World::new(PINGED);
    world.pass(s(60));
    assert_eq!(world.news(), ["gw down trunk.down 3 rounds of OPTIONS"]);
    world.reload(&format!("{PINGED}capacity = 5\n"));
    assert!(!view(&mut world).usable, "still down");
    world.reload(&PINGED.replace("192.0.2.1\"", "192.0.2.2\""));
    assert!(view(&mut world).usable, "another address is another gateway");
    world.reload("");
    world.pass(s(60));
    assert!(world.switch.trunks().is_empty());
    let asked = world.sent.len();
    world.pass(s(60));
    assert_eq!(world.sent.len(), asked, "nobody asks a gateway that is gone");
}

const REGISTERED: &str = "[[gateway]]\nname = \"gw\"\ndirection = \"routing\"\npeers = [\"192.0.2.1\"]\n\
    register = { user = \"4930\", password = \"right\", domain = \"sip.provider.example\", required = true }\n";

/// A registrar of another make: challenges every nonce once, knows one password, gives `expires_s`, keeps what it took.
fn registrar(expires_s: u32, password: &'static str) -> impl FnMut(&str) -> Option<String> {
    use crosspoint_core::auth::{Credentials, Secret};
    let mut nonce = 0;
    move |request| {
        if !request.starts_with("REGISTER ") {
            return None;
        }
        let contact = line(request, "Contact: ");
        let expires = line(request, "Expires: ").parse().unwrap_or(expires_s).min(expires_s);
        let value = line(request, "Authorization: ").as_bytes();
        let credentials = Credentials::parse(value).ok().flatten();
        let right = credentials.is_some_and(|credentials| {
            let (algorithm, _) = credentials.algorithm().expect("a known algorithm");
            let secret = Secret::Password(password.to_owned());
            let ha1 = secret.ha1(credentials.username, "provider", algorithm).expect("a password makes every hash");
            let expected = credentials.answer(ha1, b"REGISTER", b"").expect("a known algorithm");
            credentials.response == expected.hex().as_ref() && credentials.nonce == format!("n{nonce}").as_bytes()
        });
        if right {
            let lines =
                format!("Contact: {contact};expires={expires}\r\nService-Route: <sip:edge.provider.example;lr>\r\n");
            return Some(answer(request, "200 OK", &lines));
        }
        nonce += 1;
        let challenge = format!(
            "WWW-Authenticate: Digest realm=\"provider\", nonce=\"n{nonce}\", algorithm=SHA-256, qop=\"auth\"\r\n"
        );
        Some(answer(request, "401 Unauthorized", &challenge))
    }
}

#[test]
fn a_registration_is_made_with_credentials_and_refreshed_before_its_time_is_over() {
    let mut world = World::new(REGISTERED);
    assert_eq!(view(&mut world).rule, Some("trunk.not-registered"));
    world.script(peer(1), registrar(100, "right"));
    world.pass(s(3));
    assert_eq!(world.news(), ["gw registered trunk.registered for 100 s"]);
    let sent: Vec<String> = world.requests(peer(1), "REGISTER").iter().map(|text| (*text).to_owned()).collect();
    let [first, second] = &sent[..] else { panic!("{sent:?}") };
    assert!(first.starts_with("REGISTER sip:sip.provider.example SIP/2.0\r\n"), "{first}");
    assert_eq!(line(first, "To: "), "<sip:4930@sip.provider.example>");
    assert_eq!(line(first, "Contact: "), "<sip:4930@192.0.2.10:5060>");
    assert_eq!((line(first, "Expires: "), line(first, "CSeq: ")), ("", "1 REGISTER"), "Auto asks for nothing");
    assert_eq!((line(second, "CSeq: "), line(second, "Call-ID: ")), ("2 REGISTER", line(first, "Call-ID: ")));
    let seen = view(&mut world);
    assert_eq!((seen.usable, seen.registration, seen.health), (true, "registered", "unwatched"));

    world.pass(s(600));
    assert_eq!(world.news(), [""; 0], "it never lapses");
    let all = world.requests(peer(1), "REGISTER").len();
    assert!((9..=10).contains(&all), "one refresh every 75 to 80 s, each with the nonce it has: {all}");
    assert_eq!(world.switch.counters().trunk_registrations_failed, 0);
}

#[test]
fn a_wrong_password_is_offered_once_until_a_reload_changes_it() {
    let mut world = World::new(&REGISTERED.replace("right", "wrong"));
    world.script(peer(1), registrar(3600, "right"));
    world.pass(s(7200));
    assert_eq!(world.news(), ["gw registration-stopped trunk.credentials-rejected 401 Unauthorized"]);
    assert_eq!(world.requests(peer(1), "REGISTER").len(), 2, "one without, one with credentials");
    let seen = view(&mut world);
    assert_eq!((seen.usable, seen.registration), (false, "stopped"));
    assert_eq!(seen.registration_fault.as_deref(), Some("401 Unauthorized"));

    world.reload(&format!("{}capacity = 7\n", REGISTERED.replace("right", "wrong")));
    world.pass(s(600));
    assert_eq!(
        world.requests(peer(1), "REGISTER").len(),
        2,
        "a reload that changes something else changes nothing here"
    );
    world.reload(REGISTERED);
    world.pass(s(3));
    assert_eq!(world.news(), ["gw registered trunk.registered for 3600 s"]);
    assert!(view(&mut world).usable);
}

#[test]
fn who_is_forbidden_with_credentials_does_not_ask_again() {
    let mut world = World::new(REGISTERED);
    let mut challenge = registrar(3600, "right");
    world.script(peer(1), move |request| match line(request, "Authorization: ") {
        "" => challenge(request),
        _ => Some(answer(request, "403 Forbidden", "")),
    });
    world.pass(s(7200));
    assert_eq!(world.news(), ["gw registration-stopped trunk.credentials-rejected 403 Forbidden"]);
}

#[test]
fn a_423_is_followed_once_with_what_it_names() {
    let mut world = World::new(&format!("[parameters]\nSS_SIP_USER_AGENT_EXPIRE = 60\n{REGISTERED}"));
    world.script(peer(1), |request| {
        let asked: u32 = line(request, "Expires: ").parse().expect("it asks for something");
        match asked {
            0..300 => Some(answer(request, "423 Interval Too Brief", "Min-Expires: 300\r\n")),
            _ => Some(answer(request, "200 OK", &format!("Expires: {asked}\r\n"))),
        }
    });
    world.pass(s(3));
    assert_eq!(world.news(), ["gw registered trunk.registered for 300 s"]);
    world.pass(s(300));
    assert_eq!(world.requests(peer(1), "REGISTER").len(), 3, "the refresh asks for 300 s at once");
    // one that always wants more than it is given is left alone for a while
    world.answers(peer(1), "423 Interval Too Brief", "Min-Expires: 300\r\n");
    world.pass(s(200));
    assert_eq!(world.news(), ["gw registration-failed trunk.registration-failed 423 Interval Too Brief"]);
}

#[test]
fn peers_are_tried_in_order_and_then_again_after_the_retry_delay() {
    let mut world = World::new(&REGISTERED.replace("[\"192.0.2.1\"]", "[\"192.0.2.1\", \"192.0.2.2\"]"));
    world.answers(peer(2), "503 Service Unavailable", "Retry-After: 200\r\n");
    world.pass(s(40));
    assert_eq!(world.news(), ["gw registration-failed trunk.registration-failed 503 Service Unavailable"]);
    assert_eq!((world.requests(peer(1), "REGISTER").len(), world.requests(peer(2), "REGISTER").len()), (1, 1));
    world.pass(s(150));
    assert_eq!(world.requests(peer(1), "REGISTER").len(), 1, "Retry-After is longer than the retry delay");
    world.answers(peer(2), "500 Server Internal Error", "");
    world.pass(s(90));
    assert_eq!(world.requests(peer(1), "REGISTER").len(), 2);
    assert_eq!(world.news(), ["gw registration-failed trunk.registration-failed 500 Server Internal Error"]);
    world.script(peer(2), registrar(3600, "right"));
    world.pass(s(66 + 32 + 1));
    assert_eq!(world.news(), ["gw registered trunk.registered for 3600 s"], "60 s and up to a tenth more, by default");
}

#[test]
fn an_answered_challenge_waits_no_longer_than_the_authentication_timeout() {
    let mut world = World::new(REGISTERED);
    let mut challenge = registrar(3600, "right");
    world.script(peer(1), move |request| line(request, "Authorization: ").is_empty().then(|| challenge(request))?);
    world.pass(s(13));
    assert_eq!(world.news(), ["gw registration-failed trunk.registration-failed no answer"]);
}

#[test]
fn a_failing_refresh_does_not_end_a_registration_before_its_time() {
    let mut world = World::new(REGISTERED);
    world.script(peer(1), registrar(300, "right"));
    world.pass(s(3));
    world.silence(peer(1));
    world.pass(s(290));
    assert!(view(&mut world).usable, "{:?}", world.told);
    world.pass(s(10));
    assert_eq!(view(&mut world).rule, Some("trunk.not-registered"));
    world.pass(s(120));
    assert!(world.news().contains(&"gw unregistered trunk.registration-expired".to_owned()));
}

#[test]
fn a_drain_takes_registrations_back_before_the_process_ends() {
    let mut world = World::new(REGISTERED);
    world.script(peer(1), registrar(3600, "right"));
    world.pass(s(3));
    world.news();
    world.drain();
    assert!(!world.is_halted);
    world.pass(s(3));
    assert_eq!(world.news(), ["gw unregistered trunk.unregistered"]);
    assert!(world.is_halted);
    let last = *world.requests(peer(1), "REGISTER").last().expect("it has registered");
    assert_eq!(line(last, "Expires: "), "0");
}

#[test]
fn a_dead_registrar_does_not_hold_the_process_up() {
    let mut world = World::new(REGISTERED);
    world.script(peer(1), registrar(3600, "right"));
    world.pass(s(3));
    world.silence(peer(1));
    world.drain();
    world.pass(s(7));
    assert!(world.is_halted);
}

#[test]
fn a_reload_takes_back_what_is_gone_and_registers_what_is_new() {
    let mut world = World::new(REGISTERED);
    world.script(peer(1), registrar(3600, "right"));
    world.pass(s(3));
    world.reload(&REGISTERED.replace("4930", "4940"));
    world.pass(s(3));
    let mut news = world.news();
    news.sort();
    assert_eq!(
        news,
        [
            "gw registered trunk.registered for 3600 s",
            "gw registered trunk.registered for 3600 s",
            "gw unregistered trunk.unregistered"
        ]
    );
    let of = |user: &str| {
        let to = format!("<sip:{user}@sip.provider.example>");
        let requests = world.requests(peer(1), "REGISTER");
        let last = requests.into_iter().rfind(|text| line(text, "To: ") == to).expect("it has registered");
        line(last, "Expires: ").to_owned()
    };
    assert_eq!((of("4930"), of("4940")), ("0".to_owned(), String::new()));
    world.reload("");
    world.pass(s(3));
    assert_eq!(world.news(), ["gw unregistered trunk.unregistered"]);
    assert_eq!(world.switch.status().transactions, 1, "the last REGISTER absorbs");
}

#[test]
fn a_restored_switch_watches_and_registers_as_if_never_interrupted() {
    let run = |takes_snapshots| {
        let mut world =
            World::new(&format!("{REGISTERED}ping_s = 7\n{}", PINGED.replace("gw", "other").replace(".1\"", ".2\"")));
        world.takes_snapshots = takes_snapshots;
        world.script(peer(1), registrar(100, "right"));
        world.pass(s(300));
        world.drain();
        world.pass(s(3));
        assert!(world.is_halted && world.sent.len() > 100);
        (world.sent, world.told)
    };
    assert!(run(true) == run(false));
}

#[test]
fn a_gateway_that_we_register_at_may_call() {
    let mut world = World::new(REGISTERED);
    world.script(peer(1), registrar(3600, "right"));
    world.pass(s(3));
    let invite = invite(peer(1), "1001", "");
    let answers = world.receive(peer(1), &invite);
    let statuses: Vec<&str> = answers.iter().map(|text| &text["SIP/2.0 ".len()..][..3]).collect();
    assert_eq!(statuses, ["100", "480"], "it is known, and the phone is not registered");
}

fn invite(from: std::net::SocketAddr, to: &str, lines: &str) -> String {
    let unique = lines.len();
    format!(
        "INVITE sip:{to}@example.net SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKi{unique}\r\nMax-Forwards: 70\r\n\
         From: <sip:555@gw.example>;tag=gw\r\nTo: <sip:{to}@example.net>\r\nCall-ID: in\r\nCSeq: {unique} INVITE\r\n\
         Contact: <sip:555@{from}>\r\n{lines}Content-Length: 0\r\n\r\n"
    )
}

/// The statuses of the answers to an INVITE from here, and again with credentials of this user.
fn tries(gateways: &str, from: std::net::SocketAddr, user: &str, password: &str) -> Vec<String> {
    use crosspoint_core::auth::client::{Client, Login};
    use crosspoint_core::sip::{Index, Scanned, scan};
    use crosspoint_core::time::{Instant, Now, UnixMicros};
    let mut world = World::new(gateways);
    let first = world.receive(from, &invite(from, "1001", ""));
    let mut answers = first.clone();
    let mut index = Index::default();
    if let Some(Ok(Scanned::Message(challenge))) = first.last().map(|text| scan(text.as_bytes(), &mut index))
        && challenge.status() == Some(401)
    {
        let now = Now { mono: Instant::from_micros(1), wall: UnixMicros(1) };
        let config = world.switch.config().clone();
        let mut cx = crosspoint_core::Cx::new(config, crosspoint_core::Seed::from_number(2), now);
        let login = Login { user, password };
        let uri = b"sip:1001@example.net";
        let lines = Client::default().answer(&mut cx, &challenge, "INVITE", uri, b"", &login);
        let lines = String::from_utf8(lines.expect("our own challenge")).expect("text");
        answers.extend(world.receive(from, &invite(from, "1001", &lines)));
    }
    answers.iter().map(|text| text["SIP/2.0 ".len()..][..3].to_owned()).collect()
}

#[test]
fn a_mapping_gateway_is_known_by_its_credentials_wherever_it_is() {
    let roaming =
        "[[gateway]]\nname = \"gw\"\ndirection = \"mapping\"\nauth = { user = \"trunk\", password = \"x\" }\n";
    let taken = ["401", "100", "480"];
    assert_eq!(tries(roaming, peer(7), "trunk", "x"), taken);
    assert_eq!(tries(roaming, peer(7), "trunk", "y"), ["401", "401"]);
    assert_eq!(tries(roaming, peer(7), "1001", "secret"), taken, "phones call as ever");

    let placed = roaming.replace("auth", "peers = [\"192.0.2.7\"]\nauth");
    assert_eq!(tries(&placed, peer(7), "trunk", "x"), taken);
    assert_eq!(tries(&placed, peer(8), "trunk", "x"), ["401", "401"], "the address counts too");
    assert_eq!(tries(&placed, peer(7), "1001", "secret"), ["401", "401"], "and no phone calls from there");
}
