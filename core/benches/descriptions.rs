//! Instructions that a call's media costs in signalling: to decide whether it is relayed; to read a description and write
//! it on for the relay.
//!
//! The limits are a tenth above what they cost: 460 and 573 for a decision, 32,200 for a description.
//!
//! `cargo bench -p crosspoint-core --bench descriptions`; what it needs stands in `sip.rs`. Fails where a limit is exceeded.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the code that gungraun's macros make"
)]

use crosspoint_core::media::{Decision, Facts, Nat, Needs, Side, Switches, decide};
use crosspoint_core::nat::Evidence;
use crosspoint_core::params::MediaProxy;
use crosspoint_core::sdp::{self, NewOrigin, PayloadMap, Relay, RelayedStream, Rewrite, RtcpPort};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use std::hint::black_box;
use std::net::IpAddr;

/// What a desk phone offers: four codecs, telephone-event, attributes.
const OFFER: &[u8] = b"v=0\r\no=alice 7 1 IN IP4 10.0.0.5\r\ns=call\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 9 8 0 18 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n\
    a=rtcp:4001 IN IP4 10.0.0.5\r\na=sendrecv\r\n";

fn side(source: IpAddr, behind: bool) -> Side {
    let evidence = Evidence { via: behind, ..Evidence::default() };
    Side {
        mode: MediaProxy::Auto,
        registers: true,
        is_encrypted: false,
        has_local_ring: false,
        is_watched: false,
        network: "default".to_owned(),
        source: Some(source),
        nat: Nat::shown_by(evidence, source),
    }
}

/// Both in one network, so that every rule is looked at.
fn facts(behind: bool) -> Facts {
    let (caller, callee) = (side([192, 0, 2, 1].into(), behind), side([198, 51, 100, 2].into(), false));
    Facts {
        switches: Switches { mode: MediaProxy::Auto, between_net: true, behind_nat: true, same_nat: true },
        needs: Needs::of(&caller, &callee),
        caller,
        callee,
    }
}

fn at_most(limit: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, limit)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

#[library_benchmark(config = at_most(640))]
#[bench::translator(args = (facts(true)))]
#[bench::direct(args = (facts(false)))]
fn decision(facts: Facts) -> (Facts, Decision) {
    let decision = decide(black_box(&facts));
    (facts, decision)
}

fn out() -> Vec<u8> {
    Vec::with_capacity(2 * OFFER.len())
}

// As a call does it: read the streams, write the relay's addresses, then the origin of this leg.
#[library_benchmark(config = at_most(35_500))]
#[bench::offer(args = (out(), out()))]
fn description(mut relayed: Vec<u8>, mut out: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let offer = black_box(OFFER);
    let streams = sdp::streams(offer).expect("a sound description");
    let payloads = PayloadMap::of_events(&streams[0].formats, &streams[0].formats);
    let audio = RelayedStream { port: 30_000, rtcp: RtcpPort::Next, payloads };
    let relay = Relay { address: [203, 0, 113, 9].into(), streams: &[Some(audio)] };
    sdp::rewrite(offer, &Rewrite { relay: Some(relay), ..Rewrite::default() }, &mut relayed);
    let origin = NewOrigin { address: [203, 0, 113, 9].into(), session: Some((7, 2)) };
    sdp::rewrite(&relayed, &Rewrite { origin: Some(origin), ..Rewrite::default() }, &mut out);
    (relayed, out)
}

library_benchmark_group!(name = signalling, benchmarks = [decision, description]);
main!(library_benchmark_groups = signalling);
