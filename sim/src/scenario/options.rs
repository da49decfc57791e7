//! Swarm options: what kinds of things a scenario may have at all.
//!
//! A world with everything in it hides what a world with little shows: where every call is held, transferred and lost,
//! few live long enough to meet a crash. So every seed leaves most kinds out, and another selection each time (swarm
//! testing, Groce et al. 2012).

use crosspoint_core::rng::Stream;
use serde::{Deserialize, Serialize};

/// Defines [`Options`] and draws it: each kind with its chance in thousandths.
macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $permille:literal,)*) => {
        /// What may happen in a scenario. Printed with every failure.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, rename_all = "kebab-case")]
        pub struct Options {
            $($(#[$doc])* #[serde(skip_serializing_if = "super::op::is_default")] pub $name: bool,)*
        }

        impl Options {
            /// Draws a selection: every kind by its own chance, always in this order.
            pub fn draw(stream: &mut Stream) -> Options {
                Options { $($name: stream.below(1000) < $permille,)* }
            }

            /// The names of those that are on.
            pub fn names(&self) -> Vec<&'static str> {
                let all = [$((stringify!($name), self.$name),)*];
                all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
            }
        }
    };
}

options! {
    /// Links lose datagrams, one by one.
    loss: 500,
    /// Links lose datagrams in bursts.
    bursts: 200,
    /// Links deliver twice.
    doubles: 300,
    /// Links let later datagrams overtake earlier ones.
    reordering: 300,
    /// Links are slow: long and uneven latencies.
    slow: 300,
    /// Links carry few bytes a second, and queue.
    narrow: 100,
    /// Phones sit behind address translators.
    nat: 400,
    /// Their translators rewrite SIP.
    alg: 100,
    /// Somebody is cut off for a while.
    partitions: 150,
    /// Translators are rebooted.
    nat_reboots: 150,
    /// Send buffers are full.
    full_buffers: 200,
    /// The switch is killed and starts again.
    crashes: 200,
    /// The switch goes on from its snapshot.
    restores: 200,
    /// Clocks are set, and go back.
    clocks: 200,
    /// The switch's thread does not run for a while.
    stalls: 150,
    /// The record sink is slow.
    slow_sink: 100,
    /// The configuration is replaced.
    reloads: 200,
    /// Phones register anew, leave, lose their power.
    phone_faults: 300,
    /// Calls are put on hold, change codecs, are refreshed.
    changes: 500,
    /// Both sides change a call at once.
    glare: 300,
    /// Requests that change nothing pass inside calls.
    inside: 300,
    /// Calls are transferred.
    transfers: 200,
    /// Provisional answers are reliable.
    prack: 300,
    /// Early media, and offers in 2xx and ACK.
    odd_offers: 300,
    /// Callees fork.
    forks: 200,
    /// Gateways refuse, are silent, want credentials.
    failover: 300,
    /// Callers give up while it rings.
    cancels: 500,
    /// Callees refuse, are busy, do not answer.
    refusals: 500,
    /// Phones break the rules.
    misbehaviour: 250,
    /// Strangers attack.
    attacks: 200,
    /// Strangers flood.
    floods: 80,
    /// Phones talk while things happen.
    media: 500,
    /// They send from elsewhere than they receive, go on after the end, have RTCP in every way.
    odd_media: 400,
    /// Media ports are refused, replies about them are late or lost.
    port_faults: 250,
    /// Media threads do not run for a while.
    shard_stalls: 150,
    /// Strangers send media to the switch's ports.
    sprays: 150,
    /// The switch plays ringback to those who call some phones, and answers numbers of its own.
    tones: 300,
}

impl std::fmt::Display for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.names();
        f.write_str(&if names.is_empty() { "nothing".to_owned() } else { names.join(" ") })
    }
}
