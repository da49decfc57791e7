//! What the switch holds: nothing where nothing goes on, and never more than its peers have caused.

use super::{Found, Violation};
use crosspoint_core::switch::Switch;

/// What a switch holds, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Calls, in whatever state.
    pub calls: usize,
    /// Transactions, those that only absorb stragglers included.
    pub transactions: usize,
    /// Timers of calls and transactions.
    pub timers: usize,
    /// Timers that are armed but that nobody owns.
    pub orphaned_timers: usize,
    /// Names of dialogs.
    pub dialog_names: usize,
    /// Whether routing counts a call somewhere.
    pub has_load: bool,
    /// Registered contacts.
    pub bindings: usize,
}

impl Held {
    /// What this switch holds now.
    pub fn of(switch: &Switch) -> Held {
        let status = switch.status();
        Held {
            calls: status.calls,
            transactions: status.transactions,
            timers: status.timers,
            orphaned_timers: switch.orphaned_timers(),
            dialog_names: switch.dialog_names(),
            has_load: switch.has_load(),
            bindings: status.bindings,
        }
    }
}

/// What is held although nothing goes on.
pub(super) fn residue(held: &Held, found: &mut Found) {
    let counts = [
        (held.calls, "calls"),
        (held.transactions, "transactions"),
        (held.timers, "timers"),
        (held.orphaned_timers, "timers without an owner"),
        (held.dialog_names, "names of dialogs"),
        (usize::from(held.has_load), "load of calls"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        found.add(Violation::new("residue", format!("the switch still holds {count} {what}")));
    }
}

/// Timers of one transaction: one for resends, one for its end (RFC 3261 §17), and the 100 that is due.
const TIMERS_PER_TRANSACTION: usize = 3;
/// Timers of one call: two for each of its branches and some of its own.
const TIMERS_PER_CALL: usize = 80;

/// What has been seen from outside and may still be held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caused {
    /// Calls that began and have no record.
    pub(super) open_calls: usize,
    /// Calls whose record was written not long ago: their BYEs and subscriptions may still be under way.
    pub(super) closing_calls: usize,
    /// Requests that came, and requests that went, for which less than 64*T1 has passed since they were answered.
    pub(super) requests: usize,
}

/// What is held beyond what was caused.
pub(super) fn bounds(held: &Held, caused: &Caused, found: &mut Found) {
    let calls = caused.open_calls + caused.closing_calls;
    let most = [
        (held.calls, calls, "calls"),
        (held.transactions, caused.requests, "transactions"),
        (held.timers, TIMERS_PER_TRANSACTION * caused.requests + TIMERS_PER_CALL * calls, "timers"),
        (held.orphaned_timers, 0, "timers without an owner"),
    ];
    for (count, most, what) in most.into_iter().filter(|(count, most, _)| count > most) {
        found.add(Violation::new("memory", format!("the switch holds {count} {what}, {most} can be")));
    }
}
