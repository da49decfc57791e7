//! What a live call takes once it talks, counted at the allocator.

#[path = "../benches/conversation/mod.rs"]
mod conversation;
mod counting;

use conversation::{Between, Conversation, tell};
use crosspoint_core::media::tone::Sounds;
use crosspoint_core::media::{LegSocket, MediaOp, MediaShard, SessionId};
use crosspoint_core::rng::media_stream;
use crosspoint_core::time::Instant;
use crosspoint_core::{Command, Seed};
use std::time::Duration;

const CALLS: usize = 1000;

/// The goal, in bytes: two dialogs, the caller's and the callee's names and numbers, the way, its explanation, the facts that its
/// media was decided on.
const PER_CALL: usize = 5632;

/// Longer than any transaction lives (RFC 3261 §17: 64 T1, 32 s).
const OVER: Duration = Duration::from_secs(40);

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

fn bytes_per_call(between: Between) -> usize {
    let mut peers = Conversation::new(between);
    peers.call(0);
    for number in 1..=CALLS {
        peers.answered(number);
    }
    peers.pass(OVER);
    let mut switch = peers.fresh();
    tell(&mut switch, &peers.told, drop);
    let status = switch.status();
    assert_eq!((status.calls, status.transactions), (CALLS, 0), "the calls are up, and nothing else");
    let with = counting::taken();
    drop(switch);
    (with - counting::taken()) / CALLS
}

/// The goal for a call whose media is relayed, in bytes: besides its signalling it has descriptions, leases and the session
/// of its shard. Socket buffers are the system's.
const PER_RELAYED_CALL: usize = 8 << 10;

/// One test, since the allocator counts for the whole process.
#[test]
fn a_call_takes_few_bytes() {
    for (between, who) in [(Between::Gateways, "gateways"), (Between::Phones, "phones")] {
        let bytes = bytes_per_call(between);
        println!("bytes per call between {who}: {bytes}");
        assert!(bytes < PER_CALL, "{bytes} bytes per call between {who}");
    }
    let [in_core, in_shard] = bytes_per_relayed_call();
    println!("bytes per relayed call: {in_core} in the core, {in_shard} in the shard");
    let bytes = in_core + in_shard;
    assert!(bytes < PER_RELAYED_CALL, "{bytes} bytes per relayed call");
}

/// In the core, and in the shard.
fn bytes_per_relayed_call() -> [usize; 2] {
    let mut shard = MediaShard::new(media_stream(Seed::from_number(1), 0), Sounds::default());
    let mut peers = Conversation::new(Between::Relayed);
    (0..=CALLS).for_each(|number| drop(peers.answered(number)));
    peers.pass(OVER);
    let mut ops = Vec::new();
    let mut switch = peers.fresh();
    tell(&mut switch, &peers.told, |command| {
        if let Command::Media(_, op) = command {
            ops.push(op);
        }
    });
    assert_eq!(switch.relays().sessions(), CALLS + 1);
    let with = counting::taken();
    drop(switch);
    let in_core = (with - counting::taken()) / CALLS;
    // its table of sockets has one size for all calls: that of the highest port
    let Some(MediaOp::Install { legs, .. }) = ops.first() else { panic!("a call begins with its session") };
    let mut legs = legs.clone();
    legs[0].socket = LegSocket(39_999);
    shard.apply(Instant::EPOCH, MediaOp::Install { session: SessionId(u64::MAX), generation: 1, legs });
    shard.apply(Instant::EPOCH, MediaOp::Remove { session: SessionId(u64::MAX), generation: 2 });
    while shard.poll_report().is_some() {}
    let before = counting::taken();
    for op in &ops {
        shard.apply(Instant::EPOCH, op.clone());
        while shard.poll_report().is_some() {}
    }
    [in_core, (counting::taken() - before) / CALLS]
}
