//! The deterministic core of the Crosspoint SIP softswitch.
//!
//! [`Switch`]: datagrams, replies and ticks go in, commands come out. It knows no clock, thread, socket, file or chance
//! of its own, so the same inputs under the same seed give the same commands, on every runtime, in the simulator, and
//! when a recorded incident is replayed.
//!
//! # The six rules
//!
//! Each has a property test in `core/tests/rules.rs`.
//!
//! * **R1** Handling one input is bounded work.
//! * **R2** The driver drains commands until there is none before it gives the next input.
//! * **R3** `poll_timeout` means something only when drained.
//! * **R4** A spurious tick changes nothing.
//! * **R5** Progress: after a tick at T and a drain the next deadline is later than T, or the tick's budget was used up.
//! * **R6** Time is clamped: an earlier `now` counts as the last one, and is counted.
//!
//! # Layers
//!
//! From the bottom; nothing knows what stands above it. CONTRIBUTING.md has the map with the reasons.
//!
//! 1. ground: [`time`], [`rng`], [`handle`], [`timers`], [`limits`], [`counters`], [`input`], [`command`], [`event`], [`binding`], [`cx`], [`finding`], [`nearest`]
//! 2. [`sip`], [`sdp`]: messages as bytes; [`params`], [`config`]: what the operator wrote
//! 3. [`transaction`]: the four machines of RFC 3261 §17; [`auth`]: digest
//! 4. [`dialog`], [`nat`], [`media`], [`ports`], [`dns`], [`registrar`], [`trunk`], [`routing`], [`cdr`]
//! 5. [`relays`]: what calls hold of the relay; [`call`]: the back-to-back user agent
//! 6. [`switch`]: dispatch, the whole state, snapshots
//! 7. [`pump`], [`record`]: the order of work, the input log

pub mod auth;
pub mod binding;
pub mod call;
pub mod cdr;
pub mod command;
pub mod config;
pub mod counters;
pub mod cx;
pub mod dialog;
pub mod dns;
pub mod event;
pub mod finding;
pub mod handle;
pub mod input;
pub mod limits;
pub mod media;
pub mod nat;
pub mod nearest;
pub mod params;
pub mod ports;
pub mod pump;
mod reason;
pub mod record;
pub mod registrar;
pub mod relays;
pub mod rng;
pub mod routing;
pub mod sdp;
pub mod sip;
pub mod switch;
pub mod time;
pub mod timers;
pub mod transaction;
pub mod trunk;

pub use command::Command;
pub use counters::DropReason;
pub use cx::Cx;
pub use input::{Control, Input};
pub use pump::Pump;
pub use rng::Seed;
pub use switch::{Switch, Verdict};
pub use time::Now;
