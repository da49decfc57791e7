//! A media shard as a thread of its own, for any driver: its sockets, and the loop that feeds the core's
//! [`MediaShard`](crosspoint_core::media::MediaShard) with what comes to them.
//!
//! The loop decides nothing. It opens and closes exactly what it is told, one reply each, carries ops to the shard and
//! reports back, and sends what the shard says where it says: what came, and what the shard plays itself. Both ends are plain queues; the signalling end has a
//! descriptor that becomes readable when there is a report.
//!
//! **The ready set is served at most every so often** ([`Settings::batch_us`]): in between, packets gather in their
//! sockets, and one wake-up serves them all. That costs this much latency at most and saves most of the wake-ups.

mod lease;
mod port;
mod relay;
#[cfg(test)]
mod tests;
mod thread;

pub use port::Port;
pub use relay::{Counts, Settings, Shard, Work};
pub use thread::{Order, Remote, Report, spawn};
