//! `docs/ladders.md` and its picture, written from `ladder_page.md` beside this file and a world that is run for it.

use crosspoint_core::event::Event;
use crosspoint_sim::ladder::{LINES, Log};
use crosspoint_sim::net::{Fate, Loss};
use crosspoint_sim::world::World;
use std::path::Path;
use std::time::Duration;

/// Why a message is lost where it is more than a bad link.
const LOSSES: [Loss; 9] = [
    Loss::Nobody,
    Loss::TooBig,
    Loss::QueueFull,
    Loss::Partitioned,
    Loss::NatExpired,
    Loss::NatFiltered,
    Loss::NatFull,
    Loss::NoHairpin,
    Loss::AlgDropped,
];
const TITLE: &str = "a call, two messages lost";

/// Alice calls bob, who answers and hangs up; the first INVITE to bob and the first 200 to alice do not arrive.
fn example() -> Log {
    let mut world = World::new(7, &["alice", "bob"]);
    world.register_all();
    world.forget_log();
    world.fault_to("bob", "INVITE", 1, Fate::Lose);
    world.fault_to("alice", "200 INVITE", 1, Fate::Lose);
    world.act("alice", |alice, now| {
        alice.call(now, "bob");
    });
    world.later(Duration::from_secs(6), "bob", |bob, now| bob.hang_up(now));
    assert!(world.run_until_idle(Duration::from_secs(120)));
    assert!(world.violations().is_empty(), "{}", world.ladder(TITLE));
    let started = world.events().iter().find_map(|event| match event {
        Event::CallStarted { call, .. } => Some(*call),
        _ => None,
    });
    world.log().of_call(started.expect("there was a call")).expect("its legs are known")
}

fn page(log: &Log) -> String {
    let losses = LOSSES.iter().map(|loss| loss.word());
    include_str!("ladder_page.md")
        .replace("{text}", &log.text(TITLE))
        .replace("{losses}", &losses.collect::<Vec<_>>().join("`, `"))
        .replace("{mermaid}", &log.mermaid(TITLE, LINES))
}

/// Without what is shown where one points at it: there stand random values.
fn without_tooltips(svg: &str) -> String {
    let (first, rest) = svg.split_once("</title>").expect("a picture has a title");
    let behind = |part: &str| part.split_once("</title>").map(|(_, behind)| behind.to_owned());
    let parts =
        rest.split("<title>").enumerate().map(|(i, part)| if i == 0 { Some(part.to_owned()) } else { behind(part) });
    std::iter::once(first.to_owned()).chain(parts.flatten()).collect()
}

/// Written anew by `UPDATE_DOCS=1 cargo test -p crosspoint-sim --test ladder_page`.
#[test]
fn the_page_is_up_to_date() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let log = example();
    let (page, picture) = (page(&log), log.svg(TITLE, LINES));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(docs.join("ladders.md"), &page).expect("docs/ladders.md can be written");
        std::fs::write(docs.join("ladder.svg"), &picture).expect("docs/ladder.svg can be written");
    }
    let read = |name| std::fs::read_to_string(docs.join(name)).expect("it is there");
    assert!(read("ladders.md") == page, "docs/ladders.md is out of date; UPDATE_DOCS=1 writes it anew");
    let is_same = without_tooltips(&read("ladder.svg")) == without_tooltips(&picture);
    assert!(is_same, "docs/ladder.svg is out of date; UPDATE_DOCS=1 writes it anew");
    assert!(!without_tooltips(&picture).contains("Call-ID: ") && picture.contains("Call-ID: "));
}
