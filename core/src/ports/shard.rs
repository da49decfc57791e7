//! What one shard has: its share of both ranges, and the leases that are open ahead of demand.

use super::lease::{LeaseId, Pool};
use super::range::Range;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A shard's ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShardPorts {
    relay: Range,
    ivr: Range,
    pub(super) stock: Stock,
    /// Leases that have an owner and are asked for or held.
    pub(super) owned: u32,
    /// Replies that the driver owes for longer than it may.
    pub(super) overdue: u32,
}

impl ShardPorts {
    pub(super) fn new(relay: Range, ivr: Range) -> ShardPorts {
        ShardPorts { relay, ivr, stock: Stock::default(), owned: 0, overdue: 0 }
    }

    pub(super) fn range(&self, pool: Pool) -> &Range {
        match pool {
            Pool::Relay => &self.relay,
            Pool::Ivr => &self.ivr,
        }
    }

    /// Whether an ask would be granted, as far as ports go.
    pub(super) fn has_room(&self, pool: Pool, is_pair: bool) -> bool {
        self.range(pool).has_room(is_pair) || (pool == Pool::Relay && !self.stock.of(is_pair).is_empty())
    }

    pub(super) fn range_mut(&mut self, pool: Pool) -> &mut Range {
        match pool {
            Pool::Relay => &mut self.relay,
            Pool::Ivr => &mut self.ivr,
        }
    }
}

/// Leases of the relay that are open before somebody asks, so that a call need not wait. It follows demand: what is taken
/// is replaced by the like, and where there is none of a kind one of the other makes room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stock {
    singles: VecDeque<LeaseId>,
    pairs: VecDeque<LeaseId>,
    /// Asked for, to be put here.
    pub(super) asked: usize,
    /// What was wanted last: pairs, or single ports.
    pub(super) is_pair: bool,
    /// A timer will see to it; until then nothing is opened for it.
    pub(super) is_timed: bool,
}

impl Default for Stock {
    fn default() -> Stock {
        // Most phones offer RTCP a port of its own.
        Stock { singles: VecDeque::new(), pairs: VecDeque::new(), asked: 0, is_pair: true, is_timed: true }
    }
}

impl Stock {
    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.singles.len() + self.pairs.len()
    }

    fn of(&self, is_pair: bool) -> &VecDeque<LeaseId> {
        if is_pair { &self.pairs } else { &self.singles }
    }

    fn of_mut(&mut self, is_pair: bool) -> &mut VecDeque<LeaseId> {
        if is_pair { &mut self.pairs } else { &mut self.singles }
    }

    pub(super) fn put(&mut self, lease: LeaseId, is_pair: bool) {
        self.of_mut(is_pair).push_back(lease);
    }

    /// The one of this kind that has been open longest.
    pub(super) fn take(&mut self, is_pair: bool) -> Option<LeaseId> {
        self.of_mut(is_pair).pop_front()
    }
}
