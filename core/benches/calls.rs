//! Instructions that calls cost, from the INVITE until nothing of them is left: scanning, transactions, routing, both
//! dialogs, records, timers.
//!
//! The limits are a fiftieth above what a call costs: 211,900 and 258,000. Of that some 14,000 decide about its media, gather
//! the facts and tell them; when a call had one attempt and one branch it was 182,968 and 224,038.
//!
//! `cargo bench -p crosspoint-core --bench calls`; what it needs stands in `sip.rs`. Fails where a limit is exceeded.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the code that gungraun's macros make"
)]

mod conversation;

use conversation::{Between, Conversation, Moment, tell};
use crosspoint_core::Switch;
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use std::hint::black_box;
use std::time::Duration;

/// Calls that are measured together.
const CALLS: usize = 50;

/// Longer than any transaction lives (RFC 3261 §17: 64 T1, 32 s).
const OVER: Duration = Duration::from_secs(40);

/// A switch that has had as many calls before, and what it is told next.
fn warm(between: Between) -> (Switch, Vec<Moment>) {
    let mut peers = Conversation::new(between);
    let mut round = |first| {
        (first..first + CALLS).for_each(|number| peers.call(number));
        peers.pass(OVER);
        peers.told.len()
    };
    let begun = round(0);
    round(CALLS);
    let mut switch = peers.fresh();
    let measured = peers.told.split_off(begun);
    tell(&mut switch, &peers.told, drop);
    (switch, measured)
}

fn told((mut switch, moments): (Switch, Vec<Moment>)) -> (Switch, Vec<Moment>) {
    tell(&mut switch, &moments, |command| drop(black_box(command)));
    (switch, moments)
}

#[library_benchmark(config = at_most(216_500))]
#[bench::static_route(warm(Between::Gateways))]
fn between_gateways(next: (Switch, Vec<Moment>)) -> (Switch, Vec<Moment>) {
    told(next)
}

#[library_benchmark(config = at_most(263_500))]
#[bench::digest(warm(Between::Phones))]
fn between_phones(next: (Switch, Vec<Moment>)) -> (Switch, Vec<Moment>) {
    told(next)
}

/// Fails the run where a call takes more instructions than this.
fn at_most(instructions_per_call: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions_per_call * CALLS as u64)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

library_benchmark_group!(name = calls, benchmarks = [between_gateways, between_phones]);
main!(library_benchmark_groups = calls);
