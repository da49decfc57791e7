//! What a live call takes once it talks, counted at the allocator.

#[path = "../benches/conversation/mod.rs"]
mod conversation;
mod counting;

use conversation::{Between, Conversation, tell};
use std::time::Duration;

const CALLS: usize = 1000;

/// The goal, in bytes: two dialogs, the caller's and the callee's names and numbers, the way, its explanation, the facts that its
/// media was decided on.
const PER_CALL: usize = 7168;

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

#[test]
fn a_call_takes_few_bytes() {
    for (between, who) in [(Between::Gateways, "gateways"), (Between::Phones, "phones")] {
        let bytes = bytes_per_call(between);
        println!("bytes per call between {who}: {bytes}");
        assert!(bytes < PER_CALL, "{bytes} bytes per call between {who}");
    }
}
