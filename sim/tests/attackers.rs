//! Who has no right gets nothing: no 2xx, no call of others, no amplification.

use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use crosspoint_sim::node::{
    AMPLIFICATION_PERCENT, Attack, Attacker, Campaign, Flood, Flooding, Forgery, Knowledge, Method, Place,
};
use crosspoint_sim::phone::{Answering, Phone, State};
use crosspoint_sim::world::{DOMAIN, SWITCH, World};
use std::time::Duration;

const ALICE: &str = "alice";
const BOB: &str = "bob";
const EVE: &str = "eve";
const EVE_ADDRESS: &str = "198.18.0.1:5060";

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Alice and Bob, registered.
fn two() -> World {
    let mut world = World::new(7, &[ALICE, BOB]);
    for name in [ALICE, BOB] {
        world.act(name, |phone, _| phone.settings_mut().talks = false);
    }
    world.register_all();
    world.forget_log();
    world
}

fn attack(world: &mut World, attack: Attack, gap_ms: u64, count: u64) {
    let campaign = Campaign { attack, after_ms: 0, gap_us: gap_ms * 1000, count };
    let place = Place::new(EVE_ADDRESS.parse().unwrap(), SWITCH, DOMAIN);
    world.add_attacker(EVE, Attacker::new(place, campaign, Stream::new(Seed::from_number(7), 77)));
}

fn call(world: &mut World, answers_after: Duration) {
    let answering = Answering::Answer { ring_after: s(0), after: answers_after };
    world.act(BOB, |bob, _| bob.settings_mut().answering = answering);
    world.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
}

/// The call between the two is up and hurt by nobody; it ends when Alice says so.
#[track_caller]
fn ends_well(mut world: World, title: &str) -> String {
    for name in [ALICE, BOB] {
        let state = world.phone(name).current_call().map(|call| call.state());
        assert_eq!(state, Some(State::Up), "{name}\n{}", world.ladder(title));
    }
    world.act(ALICE, Phone::hang_up);
    finish(world, title)
}

#[track_caller]
fn finish(mut world: World, title: &str) -> String {
    let is_idle = world.run_until_idle(s(300));
    let ladder = world.ladder(title);
    assert!(is_idle, "{ladder}");
    assert_eq!(world.violations(), [] as [String; 0], "{ladder}");
    ladder
}

fn share(world: &World) -> u64 {
    let (sent, got) = world.attacker(EVE).octets();
    got * 100 / sent.max(1)
}

#[test]
fn passwords_are_not_guessed() {
    for method in [Method::Register, Method::Invite] {
        let mut world = two();
        let users = [ALICE, "nobody", BOB].map(str::to_owned).to_vec();
        attack(&mut world, Attack::GuessPasswords { method, users }, 100, 60);
        world.run_for(s(10));
        assert!(world.attacker(EVE).answers() >= 60, "{}", world.attacker(EVE).answers());
        // a challenge and a refusal for two requests
        assert!(share(&world) <= 150, "{} %", share(&world));
        finish(world, "guesses");
    }
}

#[test]
fn a_scanner_learns_nothing() {
    for method in [Method::Options, Method::Register, Method::Invite] {
        let mut world = two();
        attack(&mut world, Attack::Scan { method }, 10, 200);
        world.run_for(s(5));
        finish(world, "a scan");
    }
}

#[test]
fn what_was_said_once_is_not_taken_from_another() {
    let mut world = two();
    attack(&mut world, Attack::Replay, 50, 400);
    call(&mut world, s(1));
    world.run_for(s(10));
    world.act(ALICE, Phone::register);
    world.run_for(s(30));
    ends_well(world, "a replay");
}

#[test]
fn who_guesses_the_names_of_dialogs_hits_none() {
    for what in [Forgery::Bye, Forgery::Reinvite, Forgery::Cancel, Forgery::Answer] {
        let mut world = two();
        attack(&mut world, Attack::Forge { what, knows: Knowledge::Guessed }, 250, 40);
        call(&mut world, s(3));
        world.run_for(s(12));
        ends_well(world, "forged messages");
    }
}

#[test]
fn nobody_gets_much_for_little() {
    for method in [Method::Options, Method::Register, Method::Invite] {
        let mut world = two();
        attack(&mut world, Attack::Shortest { method }, 10, 100);
        world.run_for(s(40));
        assert_eq!(world.attacker(EVE).answers(), 100, "every one is answered, once");
        assert!((100..=AMPLIFICATION_PERCENT).contains(&share(&world)), "{method:?}: {} %", share(&world));
        finish(world, "short requests");
    }
}

#[test]
fn what_an_attacker_sees() {
    let mut world = two();
    let users = [ALICE, "nobody"].map(str::to_owned).to_vec();
    attack(&mut world, Attack::GuessPasswords { method: Method::Invite, users }, 100, 2);
    world.run_for(s(1));
    insta::assert_snapshot!(finish(world, "two guesses: a user that is there, and one that is not"));
    let mut world = two();
    attack(&mut world, Attack::Scan { method: Method::Register }, 100, 1);
    world.run_for(s(40));
    insta::assert_snapshot!(finish(world, "a REGISTER without credentials is answered once"));
    let mut world = two();
    attack(&mut world, Attack::Forge { what: Forgery::Reinvite, knows: Knowledge::Guessed }, 100, 1);
    world.run_for(s(40));
    insta::assert_snapshot!(finish(world, "a re-INVITE of a dialog that is not there is answered once"));
}

/// What an attacker must not get is seen where he gets it.
#[test]
fn a_gain_is_told() {
    let campaign = Campaign { attack: Attack::Scan { method: Method::Invite }, after_ms: 0, gap_us: 1, count: 1 };
    let place = Place::new(EVE_ADDRESS.parse().unwrap(), SWITCH, DOMAIN);
    let mut eve = Attacker::new(place, campaign, Stream::new(Seed::from_number(7), 77));
    eve.tick(Instant::EPOCH);
    let asked = eve.poll_send().unwrap();
    let gains = |eve: &Attacker| eve.violations().len();
    let mut say = |text: &str| eve.handle(Instant::EPOCH, SWITCH, text.as_bytes());
    say("SIP/2.0 401 Unauthorized\r\nCSeq: 1 INVITE\r\n\r\n");
    say("SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n");
    assert_eq!(gains(&eve), 0);
    let mut say = |text: &str| eve.handle(Instant::EPOCH, SWITCH, text.as_bytes());
    say("SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n");
    say("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n");
    say("INVITE sip:eve@198.18.0.1 SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n");
    assert_eq!(gains(&eve), 3);
    say_much(&mut eve, asked.datagram.len() * 5);
    assert!(eve.violations().last().unwrap().contains("octets"), "{:?}", eve.violations());
}

fn say_much(eve: &mut Attacker, octets: usize) {
    eve.handle(Instant::EPOCH, SWITCH, &vec![b'x'; octets]);
}

#[test]
fn garbage_disturbs_nobody() {
    let mut world = two();
    attack(&mut world, Attack::Garbage, 3, 4000);
    call(&mut world, s(1));
    world.run_for(s(15));
    ends_well(world, "garbage");
}

#[test]
fn long_messages_and_odd_credentials_open_nothing() {
    let name = |name: &str| Attack::ManyHeaders { name: name.to_owned(), count: 300 };
    let long = Attack::Oversized { bytes: 50_000 };
    for one in [long, name("Via"), name("Route"), name("Contact"), name("Record-Route"), Attack::FuzzCredentials] {
        let mut world = two();
        attack(&mut world, one.clone(), 20, 50);
        call(&mut world, s(1));
        world.run_for(s(5));
        ends_well(world, "odd messages");
    }
}

#[test]
fn calls_go_on_in_a_flood() {
    let of = |method| Flooding::Requests(method);
    for what in [of(Method::Invite), of(Method::Register), of(Method::Options), Flooding::Garbage] {
        let mut world = two();
        let flood = Flood { what, after_ms: 100, rate_per_s: 500, for_ms: 4000, sources: 20 };
        let place = Place::new(EVE_ADDRESS.parse().unwrap(), SWITCH, DOMAIN);
        world.add_attacker(EVE, Attacker::flood(place, flood, Stream::new(Seed::from_number(7), 77)));
        world.run_for(s(1));
        call(&mut world, s(1));
        world.run_for(s(5));
        ends_well(world, "a flood");
    }
}
