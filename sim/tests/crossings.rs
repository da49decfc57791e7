//! The short form of the generated crossings; the long one is `crosspoint-sim crossings --count 1000000`.

use crosspoint_sim::crossings::{self, Ground, Links, PER_WORLD, Tally};
use std::process::Command;

fn worlds(seeds: std::ops::Range<u64>, ground: Ground, links: Links) {
    let expected = (seeds.end - seeds.start) * PER_WORLD;
    let run = |seed| crossings::run(seed, PER_WORLD, ground, links).unwrap_or_else(|failure| panic!("{failure}"));
    let tally = seeds.map(run).fold(Tally::default(), Tally::plus);
    assert_eq!(tally.crossings, expected);
    // where nothing crosses, nothing is shown
    assert!(tally.glares > expected / 20 && tally.up > expected / 5, "{tally:?}");
}

/// Before phones judge a switch they are judged by one another.
#[test]
fn two_thousand_face_to_face() {
    worlds(0..10, Ground::FaceToFace, Links::Good);
    worlds(100..110, Ground::FaceToFace, Links::Bad);
}

#[test]
fn two_thousand_through_the_switch() {
    worlds(200..220, Ground::Switch, Links::Good);
}

#[test]
fn a_thousand_through_the_switch_over_bad_links() {
    worlds(300..310, Ground::Switch, Links::Bad);
}

#[test]
fn the_binary_runs_them_on_two_threads() {
    let arguments = ["crossings", "--count", "250", "--seed", "7", "--face-to-face"];
    let output = Command::new(env!("CARGO_BIN_EXE_crosspoint-sim")).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.starts_with("250 crossings: both sides agreed, nothing left;"), "{text}");
}
