//! Drawn scenarios: many seeds are clean, everything that can be drawn is drawn, and what fails becomes small.

use crosspoint_sim::scenario::{Act, Op, Scenario, SwitchFault, Violation, minimise, play};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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
    assert_eq!(seen.len(), 29, "an option is never drawn: {seen:?}");
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
