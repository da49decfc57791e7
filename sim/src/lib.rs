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
//! | [`node`] | attackers and floods: what somebody without any right sends, and must never get |
//! | [`ladder`] | who sent what to whom, as text, as a picture, as a Mermaid diagram; of a world or of a recording |
//! | [`wire`] | phones face to face, without a switch |
//! | [`crossings`] | what both sides do at once, generated: a million of them end agreed and leave nothing |
//! | [`anonymise`] | recordings with other numbers, names, addresses and secrets |
//! | [`replay`] | a recording played again, and the ladder around the first difference |
//! | [`scenario`] | scenarios as data: drawn from a seed or written as TOML, played, made small |
//! | [`swarm`] | many seeds, a scenario each; the first that goes wrong is told with its smallest form |
//! | [`day`] | thousands of phones and a day of calls in one world |
//! | [`churn`] | relayed calls without pause over media ports that are hard to get |
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
//! | how it talks: bursts, RTCP, from another port, after the end | `settings.speech = Speech { .. }`; [`phone::Speech`], and `phone.voices()` for what it heard |
//! | many calls at once, each its own way | `phone.expect(op, Script { .. })` at either end, `phone.call_for(now, op, "bob", &[])`, `phone.hang_up_op(now, op)`, `hold_op`, `change_op`, `refer_op`...; [`phone::Script`] |
//! | somebody without any right | `world.add_attacker("eve", Attacker::new(place, campaign, stream))`, or `Attacker::flood`; [`node::Attack`], [`node::Flood`] |
//! | no switch at all | [`wire::Wire`] in the place of [`world::World`] |
//!
//! # What befalls the switch
//!
//! The switch runs as a process: the production pump over a kernel that can be as unkind as real ones, with journals as
//! the host keeps them. What befalls it can be done now or, with [`world::World::at`], later.
//!
//! | what | how |
//! |---|---|
//! | `kill -9`, a power failure | `world.crash(Duration::ZERO)`, `world.crash(Duration::from_secs(1))`: bindings and records come from the journal |
//! | another process from a snapshot | `world.restart_from_snapshot()`; after every turn: `world.snapshot_every_step()` |
//! | a wall clock that is set, a clock that goes back | `world.jump_wall_clock(by_ms)`, `world.regress_clock(by)` |
//! | a thread that does not run, a receive buffer that is full | `world.stall_switch(time)`, `world.kernel().receive_buffer_bytes` |
//! | a send buffer that is full, a route that is gone, an ICMP error | `world.fill_send_buffer(permille)`, `world.refuse_sends(permille)`, `world.tells_refusals(true)` |
//! | late wake-ups, batches cut anywhere, sends that wait | `world.kernel()`; [`world::Kernel`] |
//! | a sink that is slow | `world.slow_sink(by)`: a crash loses what it has not got |
//! | media ports refused, late, lost; of another process | `*world.port_trouble() = PortTrouble { .. }`, `world.occupy_ports(20_000..=20_999, time)` |
//! | a media thread that does not run | `world.stall_shard(0, time)` |
//! | another configuration, a wish of the operator | `world.reload(text)`, `world.control(wish)` |
//! | a phone that is nowhere any more | `world.unplug("bob")` |
//!
//! # What lies between
//!
//! Every node has a link up and a link down. Some nodes share a site: the private addresses behind a NAT, which no other
//! site sees, so two sites may have the same ones. A NAT may have a SIP ALG in it.
//!
//! | what | how |
//! |---|---|
//! | a link that is slow, narrow, lossy, bursting | `world.set_link("bob", up, down)`; [`net::Plan`] |
//! | the n-th message of a kind lost, late or doubled | `world.fault_to("bob", "200 INVITE", 1, Fate::Lose)` |
//! | a site behind a NAT | `world.network().add_nat(settings)`, `world.add_phone_behind(..)`; [`net::nat::Settings`] in the terms of RFC 4787 |
//! | a home behind its carrier's NAT | `world.network().add_nat_behind(Some(carrier), settings)` |
//! | a NAT that loses its power | `world.network().reboot_nat(nat)` |
//! | a SIP ALG: addresses rewritten, lengths wrong, large messages gone | `settings.alg`; [`net::alg::Settings`] |
//! | nodes cut off, in one direction or both, for a time | `world.network().partition(&[node], Direction::Out, Stopped::Lost, until)` |
//! | all of it mended, but for the NATs | `world.network().calm()` |
//!
//! Why nothing arrives stands in the ladder, as one of the words of [`net::Loss`]. Here Bob's NAT closes because nothing
//! holds it open:
//!
//! ```
//! use crosspoint_sim::net::nat;
//! use crosspoint_sim::phone::{End, State};
//! use crosspoint_sim::world::World;
//! use std::time::Duration;
//!
//! let mut world = World::of_config(7, r#"
//!     switch.domain = "example.net"
//!     listen = [{ transport = "udp", bind = "10.0.0.1:5060" }]
//!     phone = [{ user = "alice", password = "secret" }, { user = "bob", password = "secret" }]
//! "#);
//! world.add_phone(7, "alice", |_| {});
//! let home = world.network().add_nat(nat::Settings::new("198.51.100.1".parse().unwrap()));
//! world.add_phone_behind(7, "bob", Some(home), |bob| bob.local = "192.168.0.2:5060".parse().unwrap());
//! world.register_all();
//! world.run_for(Duration::from_secs(60));
//! world.act("alice", |alice, now| { alice.call(now, "bob"); });
//! world.run_for(Duration::from_secs(60));
//! assert_eq!(world.phone("alice").calls()[0].state(), State::Over(End::Refused(408)), "{}", world.ladder("closed"));
//! ```

pub mod anonymise;
mod as_ms;
pub mod check;
pub mod churn;
pub mod crossings;
pub mod day;
pub mod ladder;
pub mod net;
pub mod node;
pub mod phone;
pub mod replay;
pub mod scenario;
pub mod swarm;
pub mod wire;
pub mod world;
