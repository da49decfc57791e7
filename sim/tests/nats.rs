//! Phones behind NATs and SIP ALGs: what RFC 3261, RFC 3581 and a switch make of addresses that mean nothing outside.

use crosspoint_sim::net::NatId;
use crosspoint_sim::net::alg::{self, Case};
use crosspoint_sim::net::nat::{Dependence, Settings};
use crosspoint_sim::phone::{End, Phone, State};
use crosspoint_sim::world::World;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const ALICE: &str = "alice";
const BOB: &str = "bob";
const EVERY: [Dependence; 3] =
    [Dependence::EndpointIndependent, Dependence::AddressDependent, Dependence::AddressAndPortDependent];

fn s(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// Alice and Bob, each behind a NAT of this kind and at the very same address there, which they hold open; registered.
fn world(change: impl Fn(&mut Settings)) -> (World, [NatId; 2]) {
    let text = "[switch]\ndomain = \"example.net\"\n[[listen]]\ntransport = \"udp\"\nbind = \"10.0.0.1:5060\"\n[[phone]]\n\
                user = \"alice\"\npassword = \"secret\"\n[[phone]]\nuser = \"bob\"\npassword = \"secret\"\n";
    let mut world = World::of_config(7, text);
    let nats = [(ALICE, [198, 51, 100, 1]), (BOB, [198, 51, 100, 2])].map(|(name, public)| {
        let mut kind = Settings::new(IpAddr::from(public));
        change(&mut kind);
        let behind_alg = kind.alg.is_some();
        let nat = world.network().add_nat(kind);
        world.add_phone_behind(7, name, Some(nat), |settings| {
            settings.local = SocketAddr::from(([192, 168, 100, 200], 5060));
            settings.audio = SocketAddr::from(([192, 168, 100, 200], 4000));
            (settings.keep_alive_ms, settings.behind_alg) = (Some(20_000), behind_alg);
        });
        nat
    });
    world.register_all();
    (world, nats)
}

/// Alice calls Bob and hangs up after a while. How it ended for her.
fn call(world: &mut World) -> Option<End> {
    world.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
    world.later(s(60), ALICE, Phone::hang_up);
    world.run_for(s(120));
    match world.phone(ALICE).calls().last().map(|call| call.state()) {
        Some(State::Over(end)) => Some(end),
        _ => None,
    }
}

/// RFC 3581 and rewriting to the source (behaviour 1(a)): whatever the NAT, a phone that holds it open is reached.
#[test]
fn a_call_goes_through_every_kind_of_nat() {
    for (mapping, filtering, preserves_ports) in
        EVERY.iter().flat_map(|m| EVERY.iter().flat_map(move |f| [false, true].map(|p| (*m, *f, p))))
    {
        let (mut world, _) = world(|nat| {
            (nat.mapping, nat.filtering, nat.preserves_ports) = (mapping, filtering, preserves_ports);
        });
        world.run_for(s(600)); // many times the expiry
        assert_eq!(call(&mut world), Some(End::HungUp), "{mapping:?} {filtering:?}");
        assert_eq!(world.violations(), [] as [String; 0], "{mapping:?} {filtering:?}");
    }
}

/// Behaviour 1(a): the way in closes after thirty seconds in which nothing went out, and the INVITE finds no answer.
#[test]
fn a_phone_that_does_not_hold_its_nat_open_is_not_reached() {
    let (mut world, _) = world(|_| {});
    world.act(BOB, |bob, _| bob.settings_mut().keep_alive_ms = None);
    world.run_for(s(51)); // the last one that was planned went out after twenty
    assert_eq!(call(&mut world), Some(End::Refused(408)));
    assert_eq!(world.violations(), [] as [String; 0]);
}

/// A NAT that loses its power gives Bob another port; the switch learns of it when he registers again.
#[test]
fn after_a_reboot_of_its_nat_a_phone_is_reached_once_it_registers() {
    let (mut world, [_, of_bob]) = world(|_| {});
    world.network().reboot_nat(of_bob);
    assert_eq!(call(&mut world), Some(End::Refused(408)));
    world.act(BOB, Phone::register);
    world.run_for(s(5));
    assert_eq!(call(&mut world), Some(End::HungUp));
    assert_eq!(world.violations(), [] as [String; 0]);
}

/// As [`after_a_reboot_of_its_nat_a_phone_is_reached_once_it_registers`], in the middle of a call: the switch goes on
/// sending to where Bob was, until he says something from elsewhere (RFC 3261 §12.2: the remote target stays).
#[test]
fn a_reboot_of_the_nat_in_a_call_leaves_the_phone_that_hangs_up_heard() {
    let (mut world, [_, of_bob]) = world(|_| {});
    world.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
    world.run_for(s(10));
    world.network().reboot_nat(of_bob);
    world.act(BOB, Phone::hang_up);
    assert!(world.run_until_idle(s(120)), "{}", world.ladder("a reboot in a call"));
    let ends = [ALICE, BOB].map(|name| world.phone(name).calls()[0].state());
    assert_eq!(ends, [State::Over(End::PeerHungUp), State::Over(End::HungUp)]);
    assert_eq!(world.violations(), [] as [String; 0]);
}

/// How Alice's call ends where her NAT has this address outside and this ALG, and what is held against anybody.
fn through(public: [u8; 4], alg: alg::Settings) -> (Option<End>, Vec<String>) {
    let (mut world, _) = world(|nat| {
        if nat.public == IpAddr::from([198, 51, 100, 1]) {
            (nat.public, nat.alg) = (IpAddr::from(public), Some(alg));
        }
    });
    (call(&mut world), world.violations())
}

#[test]
fn a_call_goes_through_an_alg_that_rewrites_some_or_all_and_is_right_about_it() {
    let careful = alg::Settings::careful();
    let algs = [
        careful,
        alg::Settings { rewrites_contact: false, rewrites_via: false, ..careful },
        alg::Settings { rewrites_contact: true, ..alg::Settings::none() },
        alg::Settings { rewrites_via: true, ..alg::Settings::none() },
        alg::Settings { header_names: Case::Lower, ..alg::Settings::none() },
        alg::Settings { header_names: Case::Upper, ..careful },
        alg::Settings { limit_bytes: Some(1300), ..careful },
    ];
    for alg in algs {
        assert_eq!(through([198, 51, 100, 1], alg), (Some(End::HungUp), vec![]), "{alg:?}");
    }
}

/// RFC 3261 §18.3: of a body longer than its Content-Length the end is cut off; one that is shorter is an error, and the
/// request is refused.
#[test]
fn an_alg_that_is_wrong_about_the_length_breaks_offers_or_cuts_their_end_off() {
    assert_eq!(through([198, 51, 100, 100], alg::Settings::careless()), (Some(End::HungUp), vec![]));
    assert_eq!(through([9, 9, 9, 1], alg::Settings::careless()), (Some(End::Refused(400)), vec![]));
}

/// RFC 3261 §17.1.1.2, Timer B: Alice hears nothing of an INVITE that never leaves her ALG, though she has registered.
#[test]
fn what_is_too_large_for_an_alg_never_arrives() {
    let small = alg::Settings { limit_bytes: Some(700), ..alg::Settings::none() };
    let (end, violations) = through([198, 51, 100, 1], small);
    assert_eq!(end, Some(End::TimedOut));
    assert_eq!(violations, ["alice: call 1 never got a final answer"]);
}
