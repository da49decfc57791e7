//! Gateways that are known by name, in worlds whose zone says where they are.

use crosspoint_core::event::Event;
use crosspoint_core::input::Control;
use crosspoint_sim::check::Lawful;
use crosspoint_sim::world::{Manner, SWITCH, World};
use std::sync::Arc;
use std::time::Duration;

/// The address of the first phone that a world adds.
const FIRST: &str = "A 10.0.1.100";
const ELSEWHERE: &str = "A 10.0.1.200";

fn config(peers: &str) -> String {
    format!(
        "[switch]\ndomain = \"example.net\"\nnameservers = [\"10.0.0.53\"]\n[[listen]]\nbind = \"{SWITCH}\"\n\
         [[gateway]]\nname = \"west\"\ndirection = \"mapping\"\npeers = [{peers}]\n\
         [[phone]]\nuser = \"carrier\"\npassword = \"another\"\n"
    )
}

/// A world with one phone, which calls without an account that would be let in.
fn world(records: &[&str]) -> World {
    let mut world = World::of_config(1, &config("\"gw.example\""));
    world.zone().set("gw.example", records);
    world.add_phone(1, "carrier", |_| {});
    world
}

/// Whether a call of the phone is taken for one of the gateway: then nobody asks who it is.
fn is_recognised(world: &mut World) -> bool {
    let challenges = world.status().counters["challenges"];
    world.act("carrier", |phone, now| {
        phone.call(now, "123");
    });
    world.run_for(Duration::from_secs(40));
    world.status().counters["challenges"] == challenges
}

/// What was told about the gateway: its addresses and the rule.
fn told(world: &World) -> Vec<String> {
    let told = world.events().iter().filter_map(|event| match event {
        Event::GatewayLocated { addresses, rule, .. } => Some(format!("{addresses:?} {rule}")),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_gateway_is_recognised_by_where_its_name_leads() {
    let mut world = world(&[FIRST]);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.zone().take_asked(), ["NAPTR gw.example", "SRV _sip._udp.gw.example", "A gw.example"]);
    assert!(is_recognised(&mut world));
    assert_eq!(told(&world), ["[10.0.1.100] dns.resolved"]);
    let mut world = world_elsewhere();
    assert!(!is_recognised(&mut world));
}

fn world_elsewhere() -> World {
    let mut world = world(&[ELSEWHERE]);
    world.run_for(Duration::from_secs(1));
    world
}

#[test]
fn a_gateway_that_moves_is_followed_when_its_records_run_out() {
    let mut world = world_elsewhere();
    world.zone().set("gw.example", &[FIRST]);
    world.run_for(Duration::from_secs(58));
    assert!(!is_recognised(&mut world), "the old address counts for a minute");
    world.run_for(Duration::from_secs(30));
    assert!(is_recognised(&mut world));
    assert_eq!(told(&world), ["[10.0.1.200] dns.resolved", "[10.0.1.100] dns.resolved"]);
}

#[test]
fn a_failing_nameserver_does_not_make_a_gateway_a_stranger() {
    let mut world = world(&[FIRST]);
    world.run_for(Duration::from_secs(1));
    world.zone().behave("gw.example", Manner::Silent);
    world.run_for(Duration::from_secs(120));
    assert!(is_recognised(&mut world));
    world.zone().behave("gw.example", Manner::Answers);
    world.run_for(Duration::from_secs(60));
    let wanted = ["[10.0.1.100] dns.resolved", "[10.0.1.100] dns.timeout", "[10.0.1.100] dns.resolved"];
    assert_eq!(told(&world), wanted, "a change is told once");
}

#[test]
fn a_reload_looks_up_new_names_and_forgets_old_ones() {
    let mut world = world(&[ELSEWHERE]);
    world.permit(Lawful::RefusedCredentials);
    world.zone().set("new.example", &[FIRST]);
    world.run_for(Duration::from_secs(1));
    let reload = |world: &mut World, peers: &str| {
        let parsed = crosspoint_core::config::parse(&config(peers)).unwrap_or_else(|faults| panic!("{faults}"));
        world.control(Control::Reload(Arc::new(parsed.config)));
        world.run_for(Duration::from_secs(1));
    };
    reload(&mut world, "\"gw.example\", \"new.example:5060\"");
    assert!(is_recognised(&mut world));
    reload(&mut world, "\"gw.example\", \"new.example:5070\"");
    assert!(!is_recognised(&mut world), "the port is another");
    reload(&mut world, "\"new.example\"");
    assert!(is_recognised(&mut world), "without a port, any port of the host is it");
    reload(&mut world, "\"192.0.2.1\"");
    assert!(!is_recognised(&mut world));
    assert_eq!(world.violations(), [""; 0]);
}

#[test]
fn a_restart_from_a_snapshot_in_the_middle_of_a_lookup_changes_nothing() {
    let run = |snapshots: bool| {
        let mut world = world(&[FIRST]);
        world.zone().behave("_sip._udp.gw.example", Manner::Silent);
        if snapshots {
            world.snapshot_every_step();
        }
        world.run_for(Duration::from_secs(3));
        world.zone().behave("_sip._udp.gw.example", Manner::Truncates);
        world.run_for(Duration::from_secs(100));
        assert!(is_recognised(&mut world));
        world.digest()
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn a_recording_with_lookups_replays() {
    let mut world = world(&[FIRST]);
    world.zone().behave("_sip._udp.gw.example", Manner::Unreachable);
    world.run_for(Duration::from_secs(200));
    let log = world.into_recording();
    let replay = crosspoint_core::record::replay(&log, None).expect("it can be read");
    assert!(matches!(replay, crosspoint_core::record::Replay::Identical { .. }), "{replay:?}");
}

/// A world in which the first phone calls out through a gateway, the second phone, that is known by name.
fn world_with_a_way_out() -> World {
    let text = format!(
        "[switch]\ndomain = \"example.net\"\nnameservers = [\"10.0.0.53\"]\n[[listen]]\nbind = \"{SWITCH}\"\n\
         [[gateway]]\nname = \"east\"\ndirection = \"routing\"\npeers = [\"east.example\"]\nprefixes = [\"00\"]\n\
         [[phone]]\nuser = \"alice\"\npassword = \"secret\"\n"
    );
    let mut world = World::of_config(1, &text);
    world.add_phone(1, "alice", |_| {});
    world.add_phone(1, "east", |trunk| trunk.takes_any_number = true);
    world
}

#[test]
fn a_call_goes_out_where_a_name_leads() {
    let mut world = world_with_a_way_out();
    world.zone().set("_sip._udp.east.example", &["SRV 1 0 5060 a.east.example"]);
    world.zone().set("a.east.example", &["A 10.0.1.101"]);
    world.act("alice", |phone, now| {
        phone.call(now, "0049301234");
    });
    world.run_for(Duration::from_secs(10));
    let calls = world.phone("east").calls();
    assert!(calls.len() == 1 && calls[0].was_answered(), "{}", world.ladder("a call by name"));
    world.act("alice", |phone, now| phone.hang_up(now));
    assert!(world.run_until_idle(Duration::from_secs(60)));
    assert_eq!(world.violations(), [""; 0]);
}

#[test]
fn a_call_to_a_name_that_leads_nowhere_ends() {
    for manner in [Manner::Answers, Manner::Silent, Manner::Unreachable] {
        let mut world = world_with_a_way_out();
        world.zone().behave("east.example", manner);
        world.act("alice", |phone, now| {
            phone.call(now, "0049301234");
        });
        world.run_for(Duration::from_secs(9));
        let call = &world.phone("alice").calls()[0];
        assert!(call.final_status().is_some_and(|status| status >= 480), "{manner:?} {:?}", call.final_status());
        assert!(world.run_until_idle(Duration::from_secs(60)));
        assert_eq!(world.violations(), [""; 0]);
    }
}
