//! Whole worlds: the same seed, the same commands, in every process and build.

use crosspoint_core::record::{Replay, replay};
use crosspoint_sim::scenario::{self, Scenario};
use crosspoint_sim::world::World;
use std::process::Command;

const NONE: [String; 0] = [];

/// The random world of this seed, changed before it begins.
fn random(seed: u64, calls: u64, change: impl FnOnce(&mut World)) -> World {
    scenario::play_with(&Scenario::draw(seed, calls), change)
}

#[test]
fn every_named_scenario_is_clean() {
    for (name, _) in scenario::NAMES.iter().filter(|(name, _)| *name != "random") {
        let world = scenario::run(name, 7).unwrap();
        assert_eq!(world.violations(), NONE, "{}", world.ladder(name));
    }
    assert!(scenario::run("no such thing", 7).is_none());
}

/// The binary in a process of its own, with hash seeds and addresses of its own.
fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_crosspoint-sim")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_digest_in_two_processes_and_here() {
    let [first, second, other] = ["11", "11", "12"].map(|seed| run(&["run", "--seed", seed, "--calls", "20"]));
    assert_eq!(first, second);
    assert_ne!(digest_in(&first), digest_in(&other));
    let here = random(11, 20, |_| {});
    assert_eq!(digest_in(&first), format!("digest {:016x}", here.digest()));
}

/// `./test` names the release build in the environment; by hand there may be none.
#[test]
fn the_same_seed_gives_the_same_digest_in_debug_and_in_release() {
    let Ok(release) = std::env::var("CROSSPOINT_SIM_BIN") else {
        assert!(std::env::var("CI").is_err(), "CROSSPOINT_SIM_BIN names no release build");
        return eprintln!("passed over: CROSSPOINT_SIM_BIN names no release build");
    };
    for seed in 0..20 {
        let output = Command::new(&release).args(["run", "--seed", &seed.to_string()]).output().unwrap();
        let here = random(seed, crosspoint_sim::swarm::CALLS, |_| {});
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(digest_in(&text), format!("digest {:016x}", here.digest()), "seed {seed}");
    }
}

fn digest_in(output: &str) -> &str {
    output.lines().find(|line| line.starts_with("digest ")).unwrap()
}

#[test]
fn a_switch_restored_from_its_snapshot_at_every_step_gives_the_same_commands() {
    for seed in [3, 4] {
        let uninterrupted = random(seed, 12, |_| {});
        let restored = random(seed, 12, World::snapshot_every_step);
        assert_eq!(restored.digest(), uninterrupted.digest(), "seed {seed}");
        assert_eq!(restored.violations(), NONE, "seed {seed}");
    }
}

#[test]
fn a_recorded_world_replays_as_identical_and_a_changed_recording_does_not() {
    let world = random(5, 40, |_| {});
    let digest = world.digest();
    let mut log = world.into_recording();
    match replay(&log, None).unwrap() {
        Replay::Identical { digest: replayed, inputs } => {
            assert_eq!(replayed, digest);
            assert!(inputs > 100);
        }
        other => panic!("{other:?}"),
    }
    // one letter of a Call-ID, which comes back in the answer
    let at = log.windows(9).position(|bytes| bytes == b"Call-ID: ").unwrap() + 9;
    log[at] ^= 1;
    assert!(matches!(replay(&log, None).unwrap(), Replay::Diverged { .. }));
}

#[test]
fn the_binary_records_replays_and_refuses() {
    let file = std::env::temp_dir().join(format!("crosspoint-sim-{}.log", std::process::id()));
    let path = file.to_str().unwrap();
    run(&["run", "--seed", "9", "--calls", "10", "--record", path]);
    assert!(run(&["replay", path]).starts_with("identical: "));
    std::fs::write(&file, "nonsense").unwrap();
    let refused = Command::new(env!("CARGO_BIN_EXE_crosspoint-sim")).args(["replay", path]).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let wrong = Command::new(env!("CARGO_BIN_EXE_crosspoint-sim")).args(["ladder", "--seed", "x"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_ladder_of_one_call() {
    let text = run(&["ladder", "--seed", "7", "--scenario", "call", "--call", "180000000000001", "--no-times"]);
    insta::assert_snapshot!(text);
}
