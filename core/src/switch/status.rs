//! What a running switch holds, in numbers.

use super::Switch;
use crate::counters::DropReason;
use crate::ports::{Counts, Pool};
use crate::relays::Relays;
use serde::Serialize;
use std::collections::BTreeMap;

/// The answer to the command `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Calls up, in whatever state.
    pub calls: usize,
    /// Transactions, those that only absorb stragglers included.
    pub transactions: usize,
    /// Timers of calls and transactions. Those of the registrar, of gateways and of drop reports do not count: they
    /// are there as long as somebody is registered or watched, or is refused.
    pub timers: usize,
    /// Gateways.
    pub trunks: usize,
    /// Gateways that no calls go to because of their state; `trunks` says why.
    pub trunks_unusable: usize,
    /// Host names being looked up.
    pub lookups: usize,
    /// Registered contacts.
    pub bindings: usize,
    /// Bytes that the bindings take, by the registrar's own account.
    pub binding_bytes: usize,
    /// Media ports by range and state.
    pub ports: BTreeMap<&'static str, Counts>,
    /// Leases of media ports that are open ahead of demand.
    pub ports_warm: usize,
    /// Replies about media ports that the driver owes for longer than it may; each holds a port that is lost until it comes.
    pub ports_overdue: u32,
    /// Sessions of the relay, those included whose last statistics are still to come.
    pub media_sessions: usize,
    /// Milliseconds since the switch began.
    pub uptime_ms: u64,
    /// Counts the configurations of this process, from 1.
    pub config_generation: u64,
    /// Whether new calls are refused because the process is to end.
    pub is_draining: bool,
    /// Every counter by name.
    pub counters: BTreeMap<&'static str, u64>,
    /// Inputs dropped, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

impl Switch {
    /// What it holds now.
    pub fn status(&self) -> Status {
        let counters = &self.cx.counters;
        let ports = self.relays.ports();
        Status {
            calls: self.calls.len(),
            transactions: self.transactions.len(),
            timers: self.calls.timers() + self.transactions.timers(),
            trunks: self.trunks.len(),
            trunks_unusable: self.trunks.unusable(self.cx.now),
            lookups: self.resolver.pending(),
            bindings: self.registrar.len(),
            binding_bytes: self.registrar.memory_bytes(),
            ports: [Pool::Relay, Pool::Ivr].map(|pool| (pool.name(), ports.counts(pool))).into(),
            ports_warm: ports.warm(),
            ports_overdue: ports.overdue(),
            media_sessions: self.relays.sessions(),
            uptime_ms: self.cx.now.mono.since(self.started.mono).as_millis() as u64,
            config_generation: self.generation,
            is_draining: self.is_draining,
            counters: counters.list().into_iter().map(|(name, _, value)| (name, value)).collect(),
            dropped: DropReason::ALL.iter().map(|&reason| (reason.name(), counters.dropped[reason as usize])).collect(),
        }
    }

    /// Whether no call and no transaction is left. [`Switch::status`] counts more, and walks for it.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.transactions.is_empty()
    }

    /// The media ports and sessions of its calls, to look at.
    pub fn relays(&self) -> &Relays {
        &self.relays
    }

    /// Names of dialogs that are held: none where there is no call. For oracles.
    pub fn dialog_names(&self) -> usize {
        self.calls.tags()
    }

    /// Whether routing still counts a call somewhere: not where there is none. For oracles.
    pub fn has_load(&self) -> bool {
        !self.calls.load().is_empty()
    }

    /// Timers that are armed but that nobody owns: 0, or an owner forgot to cancel one. For oracles; walks all owners.
    pub fn orphaned_timers(&self) -> usize {
        let owned = self.calls.timers()
            + self.transactions.timers()
            + self.registrar.timers()
            + self.trunks.timers()
            + self.relays.timers()
            + self.resolver.timers()
            + self.peers.timers()
            + self.drops.timers()
            + usize::from(self.drain_limit.is_some());
        self.cx.timers.len().saturating_sub(owned)
    }
}
