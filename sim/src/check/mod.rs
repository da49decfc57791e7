//! The oracles of a simulated world: what must hold in every world, whatever its links, its peers and its faults did.
//!
//! [`Checks`] sees what the switch sees, message by message, and what it tells, event by event. It is written from the
//! RFCs and shares no SIP code with the core, so that a bug of one cannot hide in the other. [`CATALOGUE`] lists what is
//! checked; `docs/checks.md` is written from it.
//!
//! What a world does not declare lawful ([`Checks::permit`]) is a violation: deny by default.

mod calls;
mod catalogue;
mod events;
mod residue;
mod topology;

pub use catalogue::CATALOGUE;
pub use events::Lawful;
pub use residue::Held;

use crate::phone::Phone;
use crosspoint_core::event::Event;
use crosspoint_core::time::Instant;
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
        Violation { check, text, call_ids: Vec::new() }
    }

    /// One that names this call too.
    pub(crate) fn of_call(mut self, call_id: &str) -> Violation {
        self.call_ids.push(call_id.to_owned());
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

/// The checks of one switch.
#[derive(Debug)]
pub struct Checks {
    found: Found,
    events: events::Events,
    calls: calls::Calls,
    topology: topology::Topology,
}

impl Checks {
    /// For the switch at this address, before anything has happened.
    pub fn new(switch: SocketAddr) -> Checks {
        Checks {
            found: Found::default(),
            events: events::Events::default(),
            calls: calls::Calls::default(),
            topology: topology::Topology::new(switch),
        }
    }

    /// Makes something lawful that is not lawful everywhere.
    pub fn permit(&mut self, lawful: Lawful) {
        self.events.permit(lawful);
    }

    /// A datagram that the switch takes in: at the moment at which it does, not when it came to wait.
    pub fn to_switch(&mut self, _now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.topology.came(from, datagram);
    }

    /// A datagram that has left the switch: what its driver took, refused ones not.
    pub fn from_switch(&mut self, _now: Instant, to: SocketAddr, datagram: &[u8]) {
        self.topology.went(to, datagram, &mut self.found);
    }

    /// What the switch tells.
    pub fn event(&mut self, _now: Instant, event: &Event) {
        self.events.event(event, &mut self.found);
        self.calls.event(event, &mut self.found);
    }

    /// The switch was killed and began anew with what its journal had, which lacks the last `lost`.
    pub fn crashed(&mut self, _now: Instant, _lost: Duration) {}

    /// Forgets calls that are over. Only where nothing is under way: a straggler of what is forgotten is a violation.
    pub fn forget_past(&mut self) {
        self.calls.forget_past();
    }

    /// Everything that must not have happened. Meant for the end of a run, when all is quiet again.
    pub fn finish(&self, _now: Instant, phones: &mut dyn Iterator<Item = &Phone>, held: &Held) -> Vec<Violation> {
        let mut found = Found(self.found.0.clone());
        let phones: Vec<&Phone> = phones.collect();
        calls::phones(&phones, &mut found);
        self.calls.finish(&phones, &mut found);
        residue::residue(held, &mut found);
        found.0
    }
}
