//! Who is in a world without any right, and hears and sends what he likes.

use super::World;
use super::agenda::{Alarm, Owner};
use crate::check::{Lawful, Violation};
use crate::ladder::Outcome;
use crate::net::{Arrival, NodeId, Plan};
use crate::node::{Attacker, MEDIA_STOLEN};
use bytes::Bytes;
use crosspoint_core::counters::DropReason;
use crosspoint_core::time::Instant;

/// An attacker and where he is.
pub(super) struct Hostile {
    name: String,
    attacker: Attacker,
    node: NodeId,
    alarm: Alarm,
}

impl World {
    /// Adds an attacker, over a good link. What the switch tells of refused credentials and dropped messages is lawful
    /// from now on; what the attacker must not get stands in [`World::violations`].
    pub fn add_attacker(&mut self, name: &str, attacker: Attacker) {
        let addresses = attacker.addresses();
        let node = self.network.add_node(addresses[0], None, Plan::GOOD, Plan::GOOD);
        addresses[1..].iter().for_each(|address| self.network.add_address(node, *address));
        if !attacker.is_for_media() {
            addresses.iter().for_each(|address| self.checks.mistrust(*address));
            self.permit(Lawful::RefusedCredentials);
            DropReason::ALL.iter().for_each(|reason| self.permit(Lawful::Drops(*reason)));
        }
        self.log.add_actor(name);
        self.hostiles.push(Hostile { name: name.to_owned(), attacker, node, alarm: Alarm::default() });
        self.wake_hostile(self.hostiles.len() - 1);
    }

    /// The attacker of this name.
    pub fn attacker(&self, name: &str) -> &Attacker {
        let found = self.hostiles.iter().find(|hostile| hostile.name == name);
        &found.unwrap_or_else(|| panic!("there is no attacker {name} in this world")).attacker
    }

    /// The time has come for an attacker.
    pub(super) fn ring_hostile(&mut self, at: Instant, index: usize) {
        if self.agenda.rings(&mut self.hostiles[index].alarm, at, Owner::Hostile(index)) {
            self.wake_hostile(index);
        }
    }

    fn wake_hostile(&mut self, index: usize) {
        self.hostiles[index].attacker.tick(self.now);
        self.settle_hostile(index);
    }

    /// A datagram has come to a node that is no phone.
    pub(super) fn reach_hostile(&mut self, arrival: &Arrival) {
        let Some(index) = self.hostiles.iter().position(|hostile| hostile.node == arrival.node) else { return };
        self.hostiles[index].attacker.handle(self.now, arrival.source, &arrival.datagram);
        self.settle_hostile(index);
    }

    fn settle_hostile(&mut self, index: usize) {
        while let Some(parcel) = self.hostiles[index].attacker.poll_send() {
            let Hostile { node, name, .. } = &self.hostiles[index];
            let datagram = parcel.datagram;
            let passage = self.network.spoof(self.now, *node, parcel.source, parcel.to, datagram.clone(), 0);
            if self.keeps_log {
                let outcome = Outcome::of(&passage, &datagram);
                self.log.sent(self.now.as_micros(), name, super::SWITCH_NAME, datagram, outcome);
            }
            self.expect(passage);
        }
        let Hostile { attacker, alarm, .. } = &mut self.hostiles[index];
        self.agenda.set(alarm, attacker.poll_timeout(), Owner::Hostile(index));
    }

    /// Who listens hears a datagram that a phone has sent to the switch, or the switch to a phone.
    pub(super) fn overhear(&mut self, is_to_switch: bool, datagram: &Bytes) {
        for hostile in self.hostiles.iter_mut().filter(|hostile| hostile.attacker.overhears()) {
            hostile.attacker.overhear(is_to_switch, datagram);
        }
    }

    /// The name of the attacker at this node.
    pub(super) fn hostile_at(&self, node: NodeId) -> Option<&str> {
        self.hostiles.iter().find(|hostile| hostile.node == node).map(|hostile| hostile.name.as_str())
    }

    /// The name of the attacker of this index.
    pub(super) fn hostile_name(&self, index: usize) -> String {
        self.hostiles[index].name.clone()
    }

    /// Whether every attacker has done all that he wanted to.
    pub(super) fn is_peaceful(&self) -> bool {
        self.hostiles.iter().all(|hostile| hostile.attacker.is_quiet())
    }

    /// What attackers got that they must not get.
    pub(super) fn gains(&self) -> impl Iterator<Item = Violation> {
        let of_one = move |hostile: &Hostile| {
            let texts = hostile.attacker.violations().iter();
            let texts = texts.filter(|text| !(self.checks.is_media_stolen() && text.as_str() == MEDIA_STOLEN));
            texts.map(|text| Violation::new("no-gain", format!("{}: {text}", hostile.name))).collect::<Vec<_>>()
        };
        self.hostiles.iter().flat_map(of_one)
    }
}
