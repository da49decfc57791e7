//! What the switch holds: nothing where nothing goes on, and never more than its peers have caused.

use super::{Found, Violation};
use crosspoint_core::ports::{Lease, LeaseState, Pool, Ports};
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
    /// Leases of media ports that calls hold or wait for.
    pub leases: usize,
    /// Media ports that no lease accounts for and that are not to be had either.
    pub lost_ports: u32,
    /// Replies about media ports that the switch misses although its driver has given them.
    pub missed_replies: u64,
    /// Replies of its driver that the switch did not expect.
    pub unexpected_replies: u64,
    /// Media sessions that the switch keeps.
    pub sessions: usize,
    /// Media sessions in the shards of its driver.
    pub sessions_of_shards: usize,
}

impl Held {
    /// What this switch holds now.
    pub fn of(switch: &Switch) -> Held {
        let status = switch.status();
        let ports = switch.relays().ports();
        Held {
            calls: status.calls,
            transactions: status.transactions,
            timers: status.timers,
            orphaned_timers: switch.orphaned_timers(),
            dialog_names: switch.dialog_names(),
            has_load: switch.has_load(),
            bindings: status.bindings,
            leases: ports.leases().filter(|(_, lease)| is_a_calls(lease)).count(),
            lost_ports: lost_ports(ports),
            missed_replies: ports.overdue().into(),
            unexpected_replies: ports.tally().unexpected_replies,
            sessions: switch.relays().sessions(),
            sessions_of_shards: 0,
        }
    }
}

/// Whether a call has it or waits for it: what is given back, or open ahead of demand, is nobody's.
fn is_a_calls(lease: &Lease) -> bool {
    lease.owner.is_some() && matches!(lease.state, LeaseState::Asked { .. } | LeaseState::Held)
}

/// By how many ports the ranges and the leases differ.
fn lost_ports(ports: &Ports) -> u32 {
    let (mut used, mut quarantined) = (0, 0);
    for (_, lease) in ports.leases() {
        let is_over = matches!(lease.state, LeaseState::Quarantined { .. });
        *if is_over { &mut quarantined } else { &mut used } += 1 + u32::from(lease.place.kind.is_pair);
    }
    let counts = ports.counts(Pool::Relay).plus(ports.counts(Pool::Ivr));
    counts.used.abs_diff(used) + counts.quarantined.abs_diff(quarantined)
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
        (held.leases, "leases of media ports"),
        (held.lost_ports as usize, "media ports that no lease accounts for"),
        (held.missed_replies as usize, "leases whose reply was given"),
        (held.unexpected_replies as usize, "replies that nobody expected"),
        (held.sessions, "media sessions"),
        (held.sessions_of_shards, "sessions in media shards"),
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
        (held.lost_ports as usize, 0, "media ports that no lease accounts for"),
    ];
    for (count, most, what) in most.into_iter().filter(|(count, most, _)| count > most) {
        found.add(Violation::new("memory", format!("the switch holds {count} {what}, {most} can be")));
    }
}
