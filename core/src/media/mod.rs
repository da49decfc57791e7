//! Media: whether a call's media goes through the switch, and why.
//!
//! | module | holds |
//! |---|---|
//! | `decision` | rules G1 to G3, S1 to S8 and those of the features: one table over facts |
//! | `facts` | what is known of the two sides: modes, networks, address translators with the evidence for them |
//! | `side` | the facts of one side, from the configuration and from where it was seen |
//! | `explain` | a decision explained, for people: what `explain media` prints |
//! | `tone` | what the switch plays itself: tones, announcements, the echo |

mod decision;
mod explain;
mod facts;
mod side;
pub mod tone;

pub use decision::{Decision, Note, Outcome, Rule, Step, decide, explain};
pub use explain::{Explained, Explanation};
pub use facts::{Facts, Nat, Need, Needs, Side, Switches};
pub use side::{Seen, network_of, side};
