//! What one shard has: its share of both ranges, and the leases that are open ahead of demand.

use super::lease::{Kind, LeaseId, Pool};
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
    /// All free, with a stock to be filled with this kind.
    pub(super) fn new(relay: Range, ivr: Range, kind: Kind) -> ShardPorts {
        let stock = Stock { open: VecDeque::new(), asked: 0, kind, is_timed: true };
        ShardPorts { relay, ivr, stock, owned: 0, overdue: 0 }
    }

    pub(super) fn range(&self, pool: Pool) -> &Range {
        match pool {
            Pool::Relay => &self.relay,
            Pool::Ivr => &self.ivr,
        }
    }

    /// Whether an ask would be granted, as far as ports go.
    pub(super) fn has_room(&self, kind: Kind) -> bool {
        self.range(kind.pool).has_room(kind.is_pair) || self.stock.find(kind).is_some()
    }

    pub(super) fn range_mut(&mut self, pool: Pool) -> &mut Range {
        match pool {
            Pool::Relay => &mut self.relay,
            Pool::Ivr => &mut self.ivr,
        }
    }
}

/// Leases of the relay that are open before somebody asks, so that a call need not wait. It follows demand: what is taken
/// is replaced by the like, and where there is none of a kind the oldest of others makes room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stock {
    /// Oldest first.
    open: VecDeque<(LeaseId, Kind)>,
    /// Asked for, to be put here.
    pub(super) asked: usize,
    /// What was wanted last.
    pub(super) kind: Kind,
    /// A timer will see to it; until then nothing is opened for it.
    pub(super) is_timed: bool,
}

impl Stock {
    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    pub(super) fn put(&mut self, lease: LeaseId, kind: Kind) {
        self.open.push_back((lease, kind));
    }

    fn find(&self, kind: Kind) -> Option<usize> {
        self.open.iter().position(|(_, open)| *open == kind)
    }

    /// The one of this kind that has been open longest.
    pub(super) fn take(&mut self, kind: Kind) -> Option<LeaseId> {
        let (lease, _) = self.open.remove(self.find(kind)?)?;
        Some(lease)
    }

    /// The one that has been open longest.
    pub(super) fn take_oldest(&mut self) -> Option<LeaseId> {
        Some(self.open.pop_front()?.0)
    }
}
