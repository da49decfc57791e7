//! How bad a link is, as data.

use serde::{Deserialize, Serialize};

/// What goes before every payload on the wire: an IPv4 and a UDP header (RFC 791 §3.1, RFC 768).
pub const HEADERS_BYTES: u64 = 28;

/// How bad a link is. Chances are in thousandths; what is left out in TOML is good.
///
/// ```
/// use crosspoint_sim::net::{Burst, Plan};
///
/// let dsl = Plan { loss_permille: 2, burst: Some(Burst { enter_permille: 5, leave_permille: 250, loss_permille: 800 }), ..Plan::GOOD };
/// let text = toml::to_string(&dsl).unwrap();
/// assert_eq!(toml::from_str::<Plan>(&text).unwrap(), dsl);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Shortest way, in microseconds.
    pub latency_min_us: u64,
    /// Longest way, in microseconds; every datagram draws evenly between the two.
    pub latency_max_us: u64,
    /// Datagrams that take up to [`Plan::tail_us`] longer still: the long tail of the distribution.
    pub tail_permille: u64,
    /// The longest that those take more, in microseconds, drawn evenly.
    pub tail_us: u64,
    /// Datagrams that get lost, each by itself.
    pub loss_permille: u64,
    /// Datagrams that arrive twice.
    pub duplicate_permille: u64,
    /// Datagrams that are held back for [`Plan::reorder_us`], so that later ones overtake them.
    pub reorder_permille: u64,
    /// How long those are held back, in microseconds.
    pub reorder_us: u64,
    /// The largest IP packet that gets through: the fragments of a larger one are lost, as many a firewall does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu_bytes: Option<u64>,
    /// Losses that come together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<Burst>,
    /// How much gets through in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// Losses that come together, after Gilbert and Elliott: a chain of two states that takes a step with every datagram.
///
/// The chain belongs to a key, so a burst strikes consecutive datagrams of one call; its mean length is 1000 /
/// [`Burst::leave_permille`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// How likely a datagram begins a burst.
    pub enter_permille: u64,
    /// How likely a burst is over with the next datagram.
    pub leave_permille: u64,
    /// Datagrams lost inside a burst.
    pub loss_permille: u64,
}

/// A rate, and the queue before it. What the queue holds is common to all keys, as it is on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// What gets through, headers included ([`HEADERS_BYTES`]).
    pub bytes_per_s: u64,
    /// What waits at most; a datagram that finds no room is lost.
    pub queue_bytes: u64,
}

impl Default for Plan {
    /// [`Plan::GOOD`].
    fn default() -> Plan {
        Plan::GOOD
    }
}

impl Plan {
    /// No way at all: at once and for certain. The side of a path that has no link of its own, as a server's.
    pub const AT_ONCE: Plan = Plan {
        latency_min_us: 0,
        latency_max_us: 0,
        tail_permille: 0,
        tail_us: 0,
        loss_permille: 0,
        duplicate_permille: 0,
        reorder_permille: 0,
        reorder_us: 0,
        mtu_bytes: None,
        burst: None,
        rate: None,
    };

    /// A good wire: always 1 ms, nothing lost.
    pub const GOOD: Plan = Plan { latency_min_us: 1000, latency_max_us: 1000, ..Plan::AT_ONCE };

    /// A bad mobile link: 5 to 80 ms, 5 % lost, 2 % doubled, 5 % overtaken.
    pub const BAD: Plan = Plan {
        latency_min_us: 5000,
        latency_max_us: 80_000,
        loss_permille: 50,
        duplicate_permille: 20,
        reorder_permille: 50,
        reorder_us: 150_000,
        ..Plan::AT_ONCE
    };

    /// Everything arrives twice.
    pub const DOUBLED: Plan = Plan { duplicate_permille: 1000, ..Plan::GOOD };

    /// Whether what is sent first arrives first, once.
    pub fn is_in_order(&self) -> bool {
        self.latency_min_us == self.latency_max_us
            && self.tail_permille + self.loss_permille + self.reorder_permille == 0
            && self.burst.is_none()
            && self.rate.is_none()
            && self.mtu_bytes.is_none()
    }

    /// This way with everything mended: as short as it can be, and nothing lost.
    pub const fn calmed(&self) -> Plan {
        Plan { latency_min_us: self.latency_min_us, latency_max_us: self.latency_min_us, ..Plan::AT_ONCE }
    }

    /// Whether nothing but the latency is left to say.
    pub(super) fn is_calm(&self) -> bool {
        *self == self.calmed()
    }
}
