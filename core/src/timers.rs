//! Ordered deadlines: one set for the whole switch, one deadline out.
//!
//! A B-tree keyed by (deadline, arming order): arm and cancel are O(log n), the order in which equal deadlines fire is
//! the order in which they were armed, and the earliest is read in O(log n) without a walk. Owners keep the
//! [`TimerId`]s of what they armed and cancel them when they end; nothing is deleted lazily.

use crate::time::{Deadline, Instant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names one armed timer. Cancelling one that has fired is a no-op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimerId {
    at: Instant,
    sequence: u64,
}

impl TimerId {
    /// When it fires.
    pub fn at(self) -> Instant {
        self.at
    }
}

/// Whom a timer wakes, and what for. The numbers are [`crate::handle::Handle::to_bits`] of the owner, so a timer cannot
/// reach the wrong owner through a reused slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimerKey {
    /// A server transaction.
    Server(u64, TransactionTimer),
    /// A client transaction.
    Client(u64, TransactionTimer),
    /// A call.
    Call(u64, CallTimer),
    /// A gateway, or a registration of ours at one.
    Trunk(u64, TrunkTimer),
    /// The earliest binding to expire.
    BindingExpiry,
    /// The resolver: a question or a lookup, where the timer is of one.
    Dns(u64, DnsTimer),
    /// Media ports: the end of a quarantine, a reply that is overdue, the stock.
    Ports,
    /// The coalesced drop report, at most once a second.
    DropReport,
    /// The drain has lasted as long as it may.
    DrainLimit,
}

/// The timers of a gateway and of our registration at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrunkTimer {
    /// A gateway: the next round of OPTIONS, or the end of the wait for an answer.
    Ping,
    /// A gateway: its Retry-After is over.
    Hold,
    /// A registration: the next REGISTER, or the end of the wait for an answer.
    Register,
}

/// The timers of a transaction, by the letters of RFC 3261 §17 and RFC 6026.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransactionTimer {
    /// INVITE client: send the request again.
    A,
    /// INVITE client: no answer came, or after a CANCEL (§9.1) no final one.
    B,
    /// INVITE client: absorb resent failures until then.
    D,
    /// Non-INVITE client: send the request again.
    E,
    /// Non-INVITE client: no final answer came. Non-INVITE server: its client has given up by now.
    F,
    /// INVITE server: send the final answer again.
    G,
    /// INVITE server: no ACK of a failure came.
    H,
    /// INVITE server: absorb resent ACKs until then.
    I,
    /// Non-INVITE server: absorb resent requests until then.
    J,
    /// Non-INVITE client: absorb resent answers until then.
    K,
    /// INVITE server: absorb resent INVITEs until then; without an ACK of the 2xx by now, none will come.
    L,
    /// INVITE client: take in further 2xx until then.
    M,
    /// Non-INVITE server: unanswered for so long that a 100 is due (RFC 4320 §4.1).
    Trying,
}

/// The timers of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallTimer {
    /// The callee of this attempt has not made the progress that its state demands (SS_SIP_TIMEOUT_*).
    Progress(u8),
    /// The conversation has lasted as long as it may (SS_SIP_NO_TIMER_REINVITE_INTERVAL).
    MaxDuration,
    /// A provisional answer of this branch has not been acknowledged (RFC 3262 §3).
    Reliable(u8),
    /// This exchange met a request of its peer and goes out again (RFC 3261 §14.1).
    Crossed(u8),
    /// Requests of this branch have waited long enough for the other leg.
    Waiting(u8),
    /// Subscriptions of this branch have outlived their call long enough.
    Linger(u8),
    /// The conversation has lasted long enough to see whether both sides are heard.
    Listen,
    /// The CDR has waited long enough for the relay's last statistics.
    Statistics,
    /// The caller has heard an announcement for long enough.
    Announced,
}

/// The timers of the resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DnsTimer {
    /// A nameserver has not answered.
    Answer,
    /// A lookup has lasted as long as it may.
    Lookup,
    /// Lookups can go on that did not fit into the last step.
    Ready,
    /// A host name of a mapping gateway is to be looked up.
    Peers,
}

impl TimerKey {
    /// What the deadline is for, in words.
    pub fn why(self) -> &'static str {
        match self {
            TimerKey::Server(_, timer) | TimerKey::Client(_, timer) => timer.why(),
            TimerKey::Call(_, CallTimer::Progress(_)) => "call: progress of the callee",
            TimerKey::Call(_, CallTimer::MaxDuration) => "call: longest conversation",
            TimerKey::Call(_, CallTimer::Reliable(_)) => "call: a reliable provisional answer is not acknowledged",
            TimerKey::Call(_, CallTimer::Crossed(_)) => "call: a request that met another goes out again",
            TimerKey::Call(_, CallTimer::Waiting(_)) => "call: requests have waited for the other leg",
            TimerKey::Call(_, CallTimer::Linger(_)) => "call: subscriptions outlive the call",
            TimerKey::Call(_, CallTimer::Listen) => "call: whether both sides are heard",
            TimerKey::Call(_, CallTimer::Statistics) => "call: last statistics of the relay",
            TimerKey::Call(_, CallTimer::Announced) => "call: longest announcement",
            TimerKey::Trunk(_, TrunkTimer::Ping) => "trunk: next OPTIONS, or its answer overdue",
            TimerKey::Trunk(_, TrunkTimer::Hold) => "trunk: end of a Retry-After",
            TimerKey::Trunk(_, TrunkTimer::Register) => "trunk: next REGISTER, or its answer overdue",
            TimerKey::BindingExpiry => "registrar: a binding expires",
            TimerKey::Dns(_, DnsTimer::Answer) => "dns: a nameserver has not answered",
            TimerKey::Dns(_, DnsTimer::Lookup) => "dns: limit of a lookup",
            TimerKey::Dns(_, DnsTimer::Ready) => "dns: lookups go on",
            TimerKey::Dns(_, DnsTimer::Peers) => "dns: a gateway's name is due",
            TimerKey::Ports => "ports: a lease or the stock is due",
            TimerKey::DropReport => "drops: coalesced report",
            TimerKey::DrainLimit => "drain: limit",
        }
    }
}

impl TransactionTimer {
    fn why(self) -> &'static str {
        match self {
            TransactionTimer::A => "INVITE client, timer A: send the request again",
            TransactionTimer::B => "INVITE client, timer B: no answer came",
            TransactionTimer::D => "INVITE client, timer D: end of absorbing",
            TransactionTimer::E => "non-INVITE client, timer E: send the request again",
            TransactionTimer::F => "non-INVITE transaction, timer F: no final answer",
            TransactionTimer::G => "INVITE server, timer G: send the answer again",
            TransactionTimer::H => "INVITE server, timer H: no ACK came",
            TransactionTimer::I => "INVITE server, timer I: end of absorbing",
            TransactionTimer::J => "non-INVITE server, timer J: end of absorbing",
            TransactionTimer::K => "non-INVITE client, timer K: end of absorbing",
            TransactionTimer::L => "INVITE server, timer L: end of absorbing, or no ACK came",
            TransactionTimer::M => "INVITE client, timer M: end of further 2xx",
            TransactionTimer::Trying => "non-INVITE server: a 100 is due",
        }
    }
}

/// The armed timers of one switch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timers {
    armed: BTreeMap<TimerId, TimerKey>,
    sequence: u64,
}

impl Timers {
    /// How many are armed.
    pub fn len(&self) -> usize {
        self.armed.len()
    }

    /// Whether none is armed.
    pub fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// Arms a timer. The caller keeps the id and cancels it when its owner ends.
    #[must_use = "the owner of a timer keeps its id to cancel it"]
    pub fn arm(&mut self, at: Instant, key: TimerKey) -> TimerId {
        let id = TimerId { at, sequence: self.sequence };
        self.sequence += 1;
        self.armed.insert(id, key);
        id
    }

    /// Disarms a timer; a no-op where it has fired or the slot is empty.
    pub fn cancel(&mut self, id: &mut Option<TimerId>) {
        if let Some(id) = id.take() {
            self.armed.remove(&id);
        }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Deadline> {
        self.armed.first_key_value().map(|(id, key)| Deadline { at: id.at, why: key.why() })
    }

    /// Takes out the earliest timer that is due at `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<(TimerId, TimerKey)> {
        let entry = self.armed.first_entry()?;
        (entry.key().at <= now).then(|| entry.remove_entry())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_deadlines_fire_in_the_order_of_arming_and_cancelled_ones_never() {
        let mut timers = Timers::default();
        let at = Instant::from_micros(5);
        let _ = timers.arm(at, TimerKey::BindingExpiry);
        let mut gone = Some(timers.arm(Instant::EPOCH, TimerKey::DrainLimit));
        let _ = timers.arm(at, TimerKey::DropReport);
        timers.cancel(&mut gone);
        assert_eq!(gone, None);
        assert_eq!(timers.next().unwrap().at, at);
        assert!(timers.pop_due(Instant::from_micros(4)).is_none());
        assert_eq!(timers.pop_due(at).unwrap().1, TimerKey::BindingExpiry);
        assert_eq!(timers.pop_due(at).unwrap().1, TimerKey::DropReport);
        assert!(timers.is_empty());
    }
}
