//! Zero residue: where nothing goes on, nothing is held.

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
