//! Media ports and threads of a simulated switch, and what befalls them.

use crosspoint_core::ports::Pool;
use crosspoint_sim::churn::{self, Churn};
use crosspoint_sim::scenario::{Scenario, play_with};
use crosspoint_sim::world::{PortTrouble, World};
use std::time::Duration;

const S: Duration = Duration::from_secs(1);

/// Sockets that the switch has open, and leases that it takes for open ahead of demand.
fn open(world: &World) -> (usize, usize) {
    (world.open_sockets(), world.relays().ports().warm())
}

#[test]
fn the_switch_opens_ports_ahead_of_demand_and_a_crash_closes_them() {
    let mut world = World::new(7, &["alice"]);
    world.run_for(S);
    let before = open(&world);
    assert!(before.1 > 0 && before.0 == 2 * before.1, "{before:?}");
    world.crash(Duration::ZERO);
    assert_eq!(open(&world), (0, 0));
    world.run_for(S);
    assert_eq!(open(&world), before);
    assert_eq!(world.violations(), [] as [String; 0]);
}

#[test]
fn a_thread_that_stands_still_opens_nothing_and_makes_up_for_it() {
    let mut world = World::new(7, &["alice"]);
    world.stall_shard(0, 10 * S);
    world.run_for(9 * S);
    let ports = world.relays().ports();
    assert!(world.open_sockets() == 0 && ports.overdue() > 0, "{:?}", ports.view(0));
    world.run_for(5 * S);
    let (sockets, warm) = open(&world);
    assert!(warm > 0 && sockets == 2 * warm && world.relays().ports().overdue() == 0);
    assert_eq!(world.relays().ports().tally().unexpected_replies, 0);
}

#[test]
fn ports_of_another_process_are_shelved_and_free_once_it_has_gone() {
    let mut world = World::new(7, &["alice"]);
    world.occupy_ports(20_000..=21_999, 30 * S);
    world.run_for(20 * S);
    let counts = world.relays().ports().counts(Pool::Relay);
    assert!(counts.used > 0 && counts.used as usize == world.open_sockets() && counts.shelved > 0, "{counts:?}");
    world.run_for(120 * S);
    assert_eq!(world.relays().ports().counts(Pool::Relay).shelved, 0);
}

#[test]
fn a_reply_that_never_comes_costs_its_port_and_stops_the_stock() {
    let mut world = World::new(7, &["alice"]);
    *world.port_trouble() = PortTrouble { lost_permille: 1000, ..PortTrouble::default() };
    world.run_for(60 * S);
    let ports = world.relays().ports();
    assert_eq!((ports.warm(), ports.counts(Pool::Relay).used), (0, 2 * ports.overdue()));
    assert_eq!(world.open_sockets(), ports.counts(Pool::Relay).used as usize);
}

/// The long form: `crosspoint-sim ports --calls 200000`.
#[test]
fn thousands_of_calls_over_ports_that_are_hard_to_get_lose_none_and_misdeliver_nothing() {
    let world = churn::run(&Churn { seed: 5, calls: 4000 }, |_, _| {});
    assert_eq!(world.found(), []);
    let tally = world.relays().ports().tally();
    assert!(tally.granted > 4000 && tally.refused > 100 && tally.in_use > 100, "{tally:?}");
    let heard: u64 = (0..100).map(|n| world.phone(&format!("u{n:03}")).audio().received).sum();
    assert!(heard > 4000, "{heard}");
}

#[test]
fn in_calm_both_sides_of_a_relayed_call_hear_each_other() {
    let text = "seed = 7\nnats = [{ id = 1, nat = { public = \"203.0.113.9\" } }]\n\
                phones = [{ name = \"u1\", behind = 1 }, { name = \"u2\" }]";
    let scenario = Scenario::of_toml(text).unwrap();
    let world = play_with(&scenario, |_| {});
    assert_eq!(world.found(), []);
    assert!(world.relays().ports().tally().granted >= 4, "two calls, two legs each");
    let [one, two] = ["u1", "u2"].map(|name| world.phone(name).audio().received);
    assert!(one > 10 && two > 10, "{one} and {two} packets");
}
