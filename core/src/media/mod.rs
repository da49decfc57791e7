//! Media: whether a call's media goes through the switch, and why; and the relay that it then goes through.
//!
//! | module | holds |
//! |---|---|
//! | `decision` | rules G1 to G3, S1 to S8 and those of the features: one table over facts |
//! | `facts` | what is known of the two sides: modes, networks, address translators with the evidence for them |
//! | `side` | the facts of one side, from the configuration and from where it was seen |
//! | `explain` | a decision explained, for people: what `explain media` prints |
//! | `tone` | what the switch plays itself: tones, announcements, the echo |
//! | `op` | what signalling tells a shard, and what it reports |
//! | `shard` | sessions by their sockets: the decision about each packet |
//! | `session` | two legs, and what passes between them; or one, with the switch at the other end; interruption |
//! | `playing` | what the switch itself sends to a leg |
//! | `turns` | whose packet is due next of those that the switch sends |
//! | `latch` | where a leg's media goes: signalled, learned, locked |
//! | `rtp`, `rtcp` | what is read of a packet |
//! | `stats` | packets, loss, order and jitter of a leg |

mod decision;
mod explain;
mod facts;
mod latch;
mod op;
mod playing;
pub mod rtcp;
pub mod rtp;
mod session;
mod shard;
mod side;
mod stats;
pub mod tone;
mod turns;

pub use decision::{Decision, Note, Outcome, Rule, Step, decide, steps};
pub use explain::{Explanation, explain};
pub use facts::{Facts, Nat, Need, Needs, Side, Switches};
pub use latch::{LATE, LEARNING_WINDOW, Move, Reason, TargetState};
pub use op::{
    Component, Interruption, Kind, Learning, LegPlan, LegSocket, MediaOp, MediaReport, Party, PayloadTypes, Refusal,
    RtcpPlan, SessionId, Silence, Way,
};
pub use session::INTERRUPTION_MIN_MS;
pub use shard::{MediaDrop, MediaShard, Relay};
pub use side::{Seen, network_of, side};
pub use stats::{LegStats, Received, Sent, Tally, one_way};
