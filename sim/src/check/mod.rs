//! The oracles of a simulated world: what must hold in every world, whatever its links, its peers and its faults did.
//!
//! [`Checks`] sees what the switch sees, message by message, and what it tells, event by event. It is written from the
//! RFCs and shares no SIP code with the core, so that a bug of one cannot hide in the other. [`CATALOGUE`] lists what is
//! checked; `docs/checks.md` is written from it.
//!
//! What a world does not declare lawful ([`Checks::permit`]) is a violation: deny by default.
//!
//! | module | holds |
//! |---|---|
//! | `scan`, `ids` | a datagram in one pass; names by their hash, and tables that forget |
//! | `shape`, `topology` | what each message must be by itself, and what it must not tell |
//! | `server`, `client`, `schedule` | transactions: answers, resends, ACK, CANCEL |
//! | `dialog` | dialogs: tags, CSeq, BYE |
//! | `search` | where a call may go |
//! | `calls`, `billing` | one record a call, and what it says |
//! | `journal` | what is told of registrations |
//! | `media` | who hears whom, and what the relay counts |
//! | `residue`, `events` | what is held, and what is told |

mod billing;
mod calls;
mod catalogue;
mod client;
mod clocks;
mod dialog;
mod events;
mod ids;
mod journal;
pub(crate) mod media;
mod residue;
mod scan;
mod schedule;
mod search;
mod server;
mod shape;
#[cfg(test)]
mod tests;
mod topology;

pub use catalogue::CATALOGUE;
pub use events::Lawful;
pub use residue::Held;

use crate::phone::Phone;
use crosspoint_core::binding::BindingRecord;
use crosspoint_core::event::Event;
use crosspoint_core::media::{LegSocket, MediaOp, MediaReport, Relay};
use crosspoint_core::ports::Shard;
use crosspoint_core::time::{Instant, UnixMicros};
use scan::{Method, Seen, Start};
use schedule::Schedule;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// Violations kept; a switch that does nothing right stops being written down.
const VIOLATIONS_KEPT: usize = 100;

/// Something that must not have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which check found it: an id in [`CATALOGUE`].
    pub check: &'static str,
    /// What happened, in words.
    pub text: String,
    /// The Call-IDs it concerns, for the ladder.
    pub call_ids: Vec<String>,
}

impl Violation {
    /// One that names no call.
    pub(crate) fn new(check: &'static str, text: String) -> Violation {
        debug_assert!(CATALOGUE.iter().any(|(id, ..)| *id == check), "{check} is not in the catalogue");
        Violation { check, text, call_ids: Vec::new() }
    }

    /// One that names this call too.
    pub(crate) fn of_call(mut self, call_id: &str) -> Violation {
        self.call_ids.push(call_id.to_owned());
        self
    }

    /// One that names these calls too.
    pub(crate) fn of_calls(mut self, call_ids: impl IntoIterator<Item = String>) -> Violation {
        self.call_ids.extend(call_ids);
        self
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.check, self.text)
    }
}

/// What was found while the world ran.
#[derive(Debug, Default)]
struct Found(Vec<Violation>);

impl Found {
    fn add(&mut self, violation: Violation) {
        if self.0.len() < VIOLATIONS_KEPT {
            self.0.push(violation);
        }
    }
}

/// When a datagram passes, and whose it is.
#[derive(Clone, Copy, Debug)]
struct At {
    now: Instant,
    peer: SocketAddr,
}

/// The checks of one switch.
#[derive(Debug)]
pub struct Checks {
    found: Found,
    rules: Schedule,
    events: events::Events,
    shape: shape::Shape,
    topology: topology::Topology,
    server: server::Server,
    client: client::Client,
    legs: dialog::Legs,
    calls: calls::Calls,
    /// Attackers: what they send is against every rule, and what they get is their own business.
    mistrusted: BTreeSet<SocketAddr>,
    search: search::Search,
    journal: journal::Journal,
    media: media::Media,
}

impl Checks {
    /// For the switch at this address, before anything has happened.
    pub fn new(switch: SocketAddr) -> Checks {
        Checks {
            found: Found::default(),
            rules: Schedule::default(),
            events: events::Events::default(),
            shape: shape::Shape::new(switch),
            topology: topology::Topology::new(switch),
            server: server::Server::default(),
            client: client::Client::default(),
            legs: dialog::Legs::default(),
            calls: calls::Calls::default(),
            mistrusted: BTreeSet::new(),
            search: search::Search::default(),
            journal: journal::Journal::default(),
            media: media::Media::default(),
        }
    }

    /// An attacker sits there, who keeps no rule: nothing is held against the switch that goes between the two.
    pub fn mistrust(&mut self, address: SocketAddr) {
        self.mistrusted.insert(address);
    }

    /// Makes something lawful that is not lawful everywhere.
    pub fn permit(&mut self, lawful: Lawful) {
        self.events.permit(lawful);
        self.calls.may_be_cut |= lawful == Lawful::CutOff;
        self.legs.may_be_cut |= lawful == Lawful::CutOff;
    }

    /// The waits between resends (SS_SIP_RESEND_INTERVAL), where they are not the usual ones.
    pub fn resends_after(&mut self, waits: &[Duration]) {
        self.rules.set(waits);
    }

    /// From how many milliseconds on a begun second is charged (SERVER_BILLING_HOLD_TIME_PRECISION), 50 where not said.
    pub fn charges_from(&mut self, precision_ms: u64) {
        self.calls.billing.set_precision(precision_ms);
    }

    /// The switch may be so late from now on: its thread stands still, or its clock goes back.
    pub fn may_be_late(&mut self, by: Duration) {
        self.rules.slack = self.rules.slack.max(by);
    }

    /// The wall clock says this now: to be said at the beginning, and whenever it jumps. Without, no times of day are
    /// compared.
    pub fn wall_clock(&mut self, now: Instant, wall: UnixMicros) {
        self.calls.billing.set_wall(now, wall);
    }

    /// A datagram that the switch takes in: at the moment at which it does, not when it came to wait.
    pub fn to_switch(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.look(now);
        let Some(seen) = Seen::of(datagram) else { return };
        let at = At { now, peer: from };
        if self.mistrusted.contains(&from) {
            return self.server.echoed(at, &seen);
        }
        self.topology.came(at, &seen);
        match seen.start {
            Start::Request { name, .. } => {
                if seen.method == Method::Ack {
                    self.server.acknowledged(at, &seen, &self.legs, &self.rules, &mut self.found);
                    self.legs.ack_came(at, &seen);
                } else if self.server.came(at, &seen, name, &self.rules) {
                    self.legs.request_came(at, &seen);
                    self.search.request_came(at, &seen);
                }
            }
            // RFC 3261 §18.3: what is cut off is thrown away
            Start::Response { .. } if seen.content_length > Some(seen.body.len()) => {}
            Start::Response { .. } => {
                let is_over = self.legs.is_over(seen.call());
                if self.client.came(at, &seen, is_over, &self.rules, &mut self.found) {
                    self.legs.response_came(at, &seen);
                }
                self.search.response_came(at, &seen);
            }
        }
    }

    /// A datagram that the switch sends: what it gives to its driver, also where the driver cannot take it.
    pub fn from_switch(&mut self, now: Instant, to: SocketAddr, datagram: &[u8]) {
        self.look(now);
        let Some(seen) = Seen::of(datagram) else { return };
        if self.mistrusted.contains(&to) {
            return;
        }
        let at = At { now, peer: to };
        let found = &mut self.found;
        self.shape.went(at, &seen, found);
        self.topology.went(at, &seen, found);
        let bytes = ids::id(datagram);
        match seen.start {
            Start::Request { name, .. } => {
                let is_new = self.client.went(at, &seen, name, bytes, &self.rules, found);
                if is_new && seen.method != Method::Ack {
                    self.legs.request_went(at, &seen, &self.rules, found);
                    self.search.request_went(at, &seen, found);
                }
            }
            Start::Response { .. } => {
                self.server.went(at, &seen, bytes, &self.rules, found);
                self.legs.response_went(at, &seen, found);
            }
        }
    }

    /// The network tells the switch that nothing listens there.
    pub fn undelivered(&mut self, now: Instant, to: SocketAddr) {
        self.client.undelivered(now, to);
    }

    /// What the switch tells.
    pub fn event(&mut self, now: Instant, event: &Event) {
        self.look(now);
        self.events.event(event, &mut self.found);
        self.calls.event(now, event, &mut self.found);
        if let Event::CallEnded { record } = event {
            self.media.record(record);
        }
        if let Some(wall) = self.calls.billing.wall(now) {
            self.journal.event(now, wall, event);
        }
    }

    /// What is wrong where the registrar has these bindings, and no others, and nothing waits to be taken in.
    pub fn registered(&self, now: Instant, bindings: &[BindingRecord]) -> Vec<Violation> {
        let mut found = Found::default();
        if let Some(wall) = self.calls.billing.wall(now) {
            self.journal.compare(now, wall, bindings, self.rules.slack, &mut found);
        }
        found.0
    }

    /// What the switch holds now: as often as is wanted.
    pub fn holds(&mut self, now: Instant, held: &Held) {
        self.look(now);
        let caused = residue::Caused {
            open_calls: self.calls.open(),
            closing_calls: self.calls.closing(),
            requests: self.server.len() + self.client.len(),
        };
        // what strangers ask is not looked at, and it takes room too
        if self.mistrusted.is_empty() {
            residue::bounds(held, &caused, &mut self.found);
        }
    }

    /// The switch was killed and began anew with what its journal had, which lacks the last `lost`. Whatever was under
    /// way is void: what comes of it from now on is new to the switch, and to the checks.
    pub fn crashed(&mut self, now: Instant, lost: Duration) {
        self.server.clear();
        self.client.clear();
        self.legs.crashed();
        if let Some(wall) = self.calls.billing.wall(now) {
            self.journal.crashed(now, wall, lost);
        }
        self.calls.crashed(now, lost);
        self.media.crashed();
    }

    /// A media shard carries an op out.
    pub fn media_op(&mut self, shard: Shard, op: &MediaOp) {
        self.media.op(shard, op);
    }

    /// A datagram has come to a media socket of the switch, and this becomes of it.
    pub fn media_came(&mut self, shard: Shard, at: LegSocket, datagram: &[u8], relay: Relay) {
        self.media.came(shard, at, datagram, relay);
    }

    /// The switch itself plays this.
    pub fn media_plays(&mut self, datagram: &[u8]) {
        self.media.plays(datagram);
    }

    /// Whether a stranger got media that he may get: a translator stands before the phone, which was silent.
    pub fn is_media_stolen(&self) -> bool {
        self.media.is_stolen()
    }

    /// A media shard tells something, with nothing between what it tells of and this.
    pub fn media_report(&mut self, shard: Shard, report: &MediaReport) {
        self.media.report(shard, report, &mut self.found);
    }

    /// Everything that must not have happened. Meant for the end of a run, when all is quiet again.
    pub fn finish(&self, now: Instant, phones: &mut dyn Iterator<Item = &Phone>, held: &Held) -> Vec<Violation> {
        let mut found = Found(self.found.0.clone());
        let phones: Vec<&Phone> = phones.collect();
        let may_be_cut = self.events.is_lawful(Lawful::CutOff);
        calls::phones(&phones, &self.legs, may_be_cut, &mut found);
        // who is cut off hears of an end later than it was, or never
        if !may_be_cut && self.rules.slack.is_zero() {
            self.calls.clocks.compare(phones.iter().copied(), &mut found);
        }
        self.server.finish(now, &self.legs, &self.rules, |name| self.client.given_up(name), &mut found);
        self.client.finish(now, &self.rules, &mut found);
        self.calls.finish(&self.legs, &self.rules, &mut found);
        residue::residue(held, &mut found);
        self.media.finish(&phones, &mut found);
        found.0
    }

    /// Looks at what has had its time, and forgets what has ended.
    fn look(&mut self, now: Instant) {
        self.calls.look(now, &self.legs, &self.rules, &mut self.found);
        self.server.forget(now, &self.legs, &self.rules, &mut self.found);
        self.client.forget(now, &self.rules, &mut self.found);
        self.legs.forget(now);
    }
}
