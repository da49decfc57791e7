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
    /// The earliest binding to expire.
    BindingExpiry,
    /// The coalesced drop report, at most once a second.
    DropReport,
    /// The drain has lasted as long as it may.
    DrainLimit,
}

/// The timers of RFC 3261 §17, by what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransactionTimer {
    /// Send again: A, E (client), G (server), and a 2xx until its ACK (RFC 6026 leaves that to the transaction user).
    Resend,
    /// Give up: B, F (client), H (server), L (RFC 6026).
    GiveUp,
    /// Absorb stragglers until then: D, K (client), I, J (server), M (RFC 6026).
    Linger,
    /// No final answer has been given to a non-INVITE request in time (RFC 4320): the user is told, once.
    Unanswered,
}

/// The timers of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallTimer {
    /// The callee has not made the progress that its state demands (SS_SIP_TIMEOUT_*).
    Progress,
    /// The conversation has lasted as long as it may (SS_SIP_NO_TIMER_REINVITE_INTERVAL).
    MaxDuration,
    /// Time to send the 2xx of leg 0 or 1 again, or to give up waiting for its ACK.
    AwaitAck(u8),
}

impl TimerKey {
    /// What the deadline is for, in words.
    pub fn why(self) -> &'static str {
        match self {
            TimerKey::Server(_, TransactionTimer::Resend) => "server transaction: send the answer again",
            TimerKey::Server(_, TransactionTimer::GiveUp) => "server transaction: give up on the ACK",
            TimerKey::Server(_, TransactionTimer::Linger) => "server transaction: end of absorbing",
            TimerKey::Server(_, TransactionTimer::Unanswered) => "server transaction: unanswered for too long",
            TimerKey::Client(_, TransactionTimer::Resend) => "client transaction: send the request again",
            TimerKey::Client(_, TransactionTimer::GiveUp) => "client transaction: no answer came",
            TimerKey::Client(_, TransactionTimer::Linger) => "client transaction: end of absorbing",
            TimerKey::Client(_, TransactionTimer::Unanswered) => "client transaction: unanswered for too long",
            TimerKey::Call(_, CallTimer::Progress) => "call: progress of the callee",
            TimerKey::Call(_, CallTimer::MaxDuration) => "call: longest conversation",
            TimerKey::Call(_, CallTimer::AwaitAck(_)) => "call: a 2xx awaits its ACK",
            TimerKey::BindingExpiry => "registrar: a binding expires",
            TimerKey::DropReport => "drops: coalesced report",
            TimerKey::DrainLimit => "drain: limit",
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
