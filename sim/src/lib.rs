//! The simulator of the Crosspoint SIP softswitch: a world with a virtual clock, bad links and independent phones around
//! the very core that a server runs.
//!
//! A world is a function of its seed: same seed, same commands, in every process. Nothing sleeps; an hour of calls takes
//! as long as its messages take to compute.
//!
//! ```
//! use crosspoint_sim::world::World;
//! use std::time::Duration;
//!
//! let mut world = World::new(7, &["alice", "bob"]);
//! world.register_all();
//! world.act("alice", |alice, now| { alice.call(now, "bob"); });
//! world.run_for(Duration::from_secs(5));
//! world.act("bob", |bob, now| bob.hang_up(now));
//! assert!(world.run_until_idle(Duration::from_secs(60)));
//! assert_eq!(world.violations(), [] as [String; 0], "{}", world.ladder("a call"));
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`world`] | the clock, the heap of what will happen, the switch under its pump, the oracles |
//! | [`net`] | links: latency, loss, duplication, reordering, scripted faults |
//! | [`phone`] | a strict user agent that shares no SIP code with the core; the host's `demo` runs it on real sockets |
//! | [`ladder`] | who sent what to whom, as text |
//! | [`wire`] | phones face to face, without a switch |
//! | [`scenario`] | what can be asked for by name, and the random one |

pub mod ladder;
pub mod net;
pub mod phone;
pub mod scenario;
pub mod wire;
pub mod world;
