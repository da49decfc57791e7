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
//! | [`world`] | the clock, the heap of what will happen, the switch under its pump |
//! | [`check`] | the oracles: what must hold in every world |
//! | [`net`] | links, NATs, SIP ALGs, partitions, scripted faults |
//! | [`phone`] | a strict user agent that shares no SIP code with the core; the host's `demo` runs it on real sockets |
//! | [`ladder`] | who sent what to whom, as text, as a picture, as a Mermaid diagram; of a world or of a recording |
//! | [`wire`] | phones face to face, without a switch |
//! | [`crossings`] | what both sides do at once, generated: a million of them end agreed and leave nothing |
//! | [`replay`] | a recording played again, and the ladder around the first difference |
//! | [`scenario`] | what can be asked for by name, and the random one |
//!
//! # How a test drives a phone
//!
//! [`phone::Settings`] say how a phone is (`world.act("bob", |bob, _| bob.settings_mut()...)`), methods of
//! [`phone::Phone`] what it does now or later (`world.later(after, "bob", |bob, now| ...)`). What a phone holds against
//! the other side stands in its violations.
//!
//! | what | how |
//! |---|---|
//! | hold in every spelling, resume, other codecs | `phone.change(now, Change::hold(Hold::Zero))`, `Change::codecs(&[Codec::Pcma])`, `.by_update()`, `.without_offer()`; [`phone::Change`] |
//! | that both ends agree | `alice.mismatch(&bob)` of both `call.agreed()`; `settings.marks` also compares who wrote what; [`phone::Agreed`] |
//! | an INVITE without an offer | `settings.makes_offer = false` |
//! | RFC 3262 | `settings.reliability`, with `early_media`, `rings_with`, `prack_after`, `offers_in_prack` |
//! | glare | two changes at once; `settings.crossing_grace` is what a wire needs that loses or reorders, else zero |
//! | a change that waits, is refused or cancelled | `settings.answers_changes_after`, `refuses_changes`, `phone.cancel_change(now)` |
//! | a fork | `settings.branches`: a script of [`phone::Reply`] for each To tag; the caller's `settings.may_fork` allows a second 2xx |
//! | blind and attended transfer | `phone.refer(now, "carol")`, `phone.refer_attended(now, first, second)`; [`phone::Notice::Received`] has the NOTIFYs |
//! | anything inside a call | `phone.send_any_within(now, method, headers, body)`; `settings.takes_any_method` and [`phone::Notice::Unknown`] |
//! | an INVITE with further headers, a Reason | `phone.call_with(now, "bob", &[("Require", "x")])`, `settings.reason` |
//! | a broken phone | `Script { misbehaviours: vec![Misbehaviour::NoAck], .. }`; [`phone::Misbehaviour`] says what the switch must make of each |
//! | a phone of the field behind its NAT | `settings.refreshes`, `keep_alive_ms`, `longest_call_ms`, `behind_alg`; `phone.seen_at()`, `phone.reboot(now)` |
//! | a gateway | `settings.takes_any_number`, and [`phone::Trunk`]: credentials demanded, refusals by script, REGISTER, OPTIONS |
//! | many calls at once, each its own way | `phone.expect(op, Script { .. })` at either end, `phone.call_for(now, op, "bob", &[])`, `phone.hang_up_op(now, op)`, `hold_op`, `change_op`, `refer_op`...; [`phone::Script`] |
//! | no switch at all | [`wire::Wire`] in the place of [`world::World`] |

mod as_ms;
pub mod check;
pub mod crossings;
pub mod ladder;
pub mod net;
pub mod phone;
pub mod replay;
pub mod scenario;
pub mod wire;
pub mod world;
