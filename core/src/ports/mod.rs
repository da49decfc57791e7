//! Media ports: which numbers are free, and who has which (architecture §5, behaviour 1(g), user-pains 6).
//!
//! The core chooses; the driver opens exactly what it is told and replies once. A leg whose ports are not open yet waits,
//! since a description must not name a port that nobody holds.
//!
//! | module | holds |
//! |---|---|
//! | `range` | the port numbers of one shard by state: free, used, quarantined, shelved; drawn by chance |
//! | `bag` | a set out of which one is drawn in constant time |
//! | `lease` | a lease with its states, and the values in and out: commands, replies, results |
//! | `shard` | one shard's share of the ranges, and its stock of leases that are open ahead of demand |
//! | `machine` | [`Ports`]: all leases and their timers |
//! | `capacity` | calls that a range is good for, with single ports and with pairs |
//! | `firewall` | the rules that let in what a configuration listens to |
//! | `view` | what an operator sees |

mod bag;
mod capacity;
mod firewall;
mod lease;
mod machine;
mod range;
mod shard;
#[cfg(test)]
mod tests;
mod view;

pub use capacity::Capacity;
pub use firewall::{FirewallFormat, firewall};
pub use lease::{
    BindError, Kind, Lease, LeaseId, LeaseState, Owner, Place, Pool, PortCommand, PortReply, PortResult, Refusal, Shard,
};
pub use machine::{OPEN_WAIT, Ports, QUARANTINE, SHELF, STOCK_PAUSE, Settings, Tally};
pub use range::{Counts, PortState, Range};
pub use view::{LeaseView, PortsView, RangeView};
