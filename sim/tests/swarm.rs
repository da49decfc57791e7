//! Drawn scenarios: many seeds are clean, everything that can be drawn is drawn, and what fails becomes small.

use crosspoint_core::event::Event;
use crosspoint_sim::scenario::{Act, Op, Scenario, SwitchFault, Violation, minimise, play, play_with};
use crosspoint_sim::swarm;
use quickcheck::{Gen, QuickCheck};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How calls end in drawn worlds.
const EVERY_END: [&str; 8] =
    ["normal", "cancelled", "busy", "rejected", "no_answer", "response_timeout", "no_ack", "no_available_router"];

/// The long form, and 500 seeds in the test command, run in release: `crosspoint-sim swarm --seeds 0..20000`.
#[test]
fn forty_seeds_are_clean_and_see_every_kind_of_call() {
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..40 {
        let world = play_with(&Scenario::draw(seed, 20), |_| {});
        assert_eq!(world.found(), [], "crosspoint-sim swarm --seeds {seed}..{}", seed + 1);
        for event in world.events() {
            if let Event::CallEnded { record } = event {
                *ends.entry(record.end_reason.name()).or_default() += 1;
            }
        }
    }
    // a swarm in which nothing goes wrong finds nothing
    for expected in EVERY_END {
        assert!(ends.contains_key(expected), "{expected} never happens: {ends:?}");
    }
}

#[test]
fn every_option_is_drawn_and_left_out_and_every_kind_of_operation_with_it() {
    let (mut seen, mut kinds) = (BTreeMap::new(), BTreeSet::new());
    for seed in 0..200 {
        let scenario = Scenario::draw(seed, 20);
        for name in scenario.options.names() {
            *seen.entry(name).or_insert(0) += 1;
        }
        for op in &scenario.ops {
            let text = toml::Table::try_from(op).unwrap();
            for (kind, value) in text.iter().filter(|(key, _)| !matches!(key.as_str(), "id" | "at_ms")) {
                let inner = value.as_str().map(str::to_owned);
                let inner = inner.or_else(|| value.as_table().and_then(|table| table.keys().next()).cloned());
                kinds.insert(if kind == "call" {
                    kind.clone()
                } else {
                    format!("{kind} {}", inner.unwrap_or_default())
                });
            }
        }
    }
    assert_eq!(seen.len(), 37, "an option is never drawn: {seen:?}");
    assert!(seen.values().all(|count| (5..195).contains(count)), "{seen:?}");
    insta::assert_debug_snapshot!(kinds);
}

/// A scenario says all there is to it: what is kept is what was drawn.
#[test]
fn a_scenario_survives_its_toml() {
    for seed in 0..100 {
        let drawn = Scenario::draw(seed, 20);
        assert_eq!(Scenario::of_toml(&drawn.to_toml()).unwrap(), drawn, "seed {seed}");
    }
}

/// The frame and every operation have substreams of their own: more calls leave those that are there as they were.
#[test]
fn drawing_more_calls_changes_none_of_the_others() {
    let calls = |count| {
        let scenario = Scenario::draw(17, count);
        let of_calls = scenario.ops.into_iter().filter(|op| matches!(op.act, Act::Call(_)));
        of_calls.map(|op| (op.id, op.act)).collect::<BTreeMap<u64, Act>>()
    };
    let (few, many) = (calls(10), calls(40));
    assert!(few.iter().all(|(id, act)| many[id] == *act));
}

/// A made-up fault that takes one certain call and a crash after it.
#[test]
fn what_fails_becomes_as_small_as_it_can() {
    let drawn = Scenario::draw(3, 30);
    let crash = Op { id: 1000, at_ms: 9000, act: Act::Switch(SwitchFault::Crash { lost_ms: 0 }) };
    let scenario = Scenario { ops: drawn.ops.iter().cloned().chain([crash]).collect(), ..drawn };
    let breaks = |scenario: &Scenario| {
        let has = |id| scenario.ops.iter().any(|op| op.id == id);
        let violation = Violation { check: "made-up", text: String::new(), call_ids: Vec::new() };
        if has(7) && has(1000) { vec![violation] } else { Vec::new() }
    };
    let small = minimise(&scenario, "made-up", 1000, breaks).scenario;
    assert_eq!(small.ops.iter().map(|op| op.id).collect::<Vec<_>>(), [7, 1000]);
    let Act::Call(call) = &small.ops[0].act else { panic!("{small:?}") };
    assert!(call.steps.is_empty(), "{call:?}");
    assert!(small.phones.len() <= 2 && small.nats.is_empty(), "{small:?}");
}

/// quickcheck draws scenarios too, and shrinks them by the same steps.
#[test]
fn scenarios_of_quickcheck_are_clean() {
    fn is_clean(scenario: Scenario) -> bool {
        swarm::violations(&scenario).is_empty()
    }
    QuickCheck::new().tests(8).rng(Gen::new(10)).quickcheck(is_clean as fn(Scenario) -> bool);
}

/// What once failed.
#[test]
fn kept_scenarios_stay_clean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/seeds");
    let mut played = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let scenario = Scenario::of_toml(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(play(&scenario).violations, [], "crosspoint-sim run {}", path.display());
        played += 1;
    }
    assert!(played > 0, "{} is empty", folder.display());
}
