//! A partition: nodes that are parted from all others for a time, in one direction or both.

use super::passage::NodeId;
use crosspoint_core::time::Instant;
use serde::{Deserialize, Serialize};

/// Which way a partition stops datagrams, seen from its own side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// What comes and what goes: symmetric.
    Both,
    /// What goes out: they still hear the others.
    Out,
    /// What comes in: they are still heard.
    In,
}

/// What becomes of the datagrams that a partition stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// They are lost.
    Lost,
    /// They wait, and all arrive at once when it ends: the way is clogged.
    Held,
}

/// Some nodes on one side, all others on the other.
#[derive(Debug)]
pub(super) struct Partition {
    side: Vec<NodeId>,
    direction: Direction,
    pub(super) stopped: Stopped,
    pub(super) until: Instant,
}

impl Partition {
    /// Parts these from all others.
    pub(super) fn new(side: &[NodeId], direction: Direction, stopped: Stopped, until: Instant) -> Partition {
        let mut side = side.to_vec();
        side.sort_unstable();
        Partition { side, direction, stopped, until }
    }

    /// Whether it stops what goes this way at this time.
    pub(super) fn stops(&self, at: Instant, from: NodeId, to: NodeId) -> bool {
        let is_ours = |node| self.side.binary_search(&node).is_ok();
        let crosses = match self.direction {
            Direction::Both => is_ours(from) != is_ours(to),
            Direction::Out => is_ours(from) && !is_ours(to),
            Direction::In => !is_ours(from) && is_ours(to),
        };
        at < self.until && crosses
    }
}
