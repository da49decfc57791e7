//! What happens next.

use super::agenda::{Coming, Owner};
use super::media::MEDIA;
use super::trace::Did;
use super::{SWITCH, SWITCH_NAME, World};
use crate::check::Violation;
use crate::ladder::Outcome;
use crate::net::{Arrival, Loss, Passage};
use crate::phone::Packet;
use bytes::Bytes;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// How often it is looked at what the switch holds: that walks over all of it.
const WEIGHED_EVERY: Duration = Duration::from_secs(20);

/// Turns of the pump at one instant before the world says that it runs in circles.
const TURNS: u32 = 10_000;
/// How long an ICMP error is on its way.
const ICMP_DELAY: Duration = Duration::from_millis(1);

impl World {
    /// The next thing that happens, if it does until `end`.
    pub(super) fn step(&mut self, end: Instant) -> bool {
        let Some((at, coming)) = self.agenda.next(end) else { return false };
        self.now = self.now.max(at);
        let rings = if let Coming::Deadline(owner) = coming { Some(owner) } else { None };
        if self.stall.count(self.now, self.members.all.len(), rings) {
            self.stalled();
        }
        self.happen(at, coming);
        true
    }

    fn happen(&mut self, at: Instant, coming: Coming) {
        let boot = self.switch.boot;
        match coming {
            Coming::Deadline(owner) => self.ring(at, owner),
            Coming::Arrival(arrival) => self.arrive(arrival),
            Coming::Leaves { boot: of, flow, datagram } if of == boot => self.send_from_switch(flow, datagram),
            Coming::Undelivered { boot: of, flow } if of == boot => {
                self.checks.undelivered(self.now, flow.remote);
                self.switch.inbox.undelivered.push_back(flow);
                self.wake_switch();
            }
            Coming::Reply { boot: of, query, message } if of == boot => {
                self.switch.inbox.replies.push_back((query, message));
                self.wake_switch();
            }
            Coming::Port { boot: of, reply } if of == boot => {
                self.switch.inbox.ports.push_back(reply);
                self.wake_switch();
            }
            Coming::Sink { boot: of, event } if of == boot => self.sink(*event),
            // the process that waited for it is gone
            Coming::Leaves { .. } | Coming::Undelivered { .. } | Coming::Reply { .. } | Coming::Sink { .. } => {}
            Coming::Port { .. } => {}
            Coming::Act { member, act } => {
                act(&mut self.members.all[member].phone, self.now);
                self.settle(member);
            }
            Coming::Moment(moment) => moment(self),
        }
    }

    fn ring(&mut self, at: Instant, owner: Owner) {
        match owner {
            Owner::Switch => {
                if self.agenda.rings(&mut self.switch.alarm, at, owner) {
                    self.run_switch();
                }
            }
            Owner::Member(index) => {
                let member = &mut self.members.all[index];
                if self.agenda.rings(&mut member.alarm, at, owner) {
                    member.phone.tick(self.now);
                    self.settle(index);
                }
            }
            Owner::Hostile(index) => self.ring_hostile(at, index),
            Owner::Shard(index) => self.ring_shard(at, index),
            Owner::Audio(index) => {
                if self.agenda.rings(&mut self.members.all[index].audio_alarm, at, owner) {
                    self.settle(index);
                }
            }
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        if self.members.at(arrival.node).is_none() && arrival.node != self.switch_node {
            return self.reach_hostile(&arrival);
        }
        let Arrival { node, source, destination, datagram, .. } = arrival;
        if node == self.switch_node {
            return match destination == SWITCH {
                true => self.reach_switch(source, datagram),
                false => self.reach_media(source, destination, &datagram),
            };
        }
        let Some(index) = self.members.at(node) else { return };
        let phone = &mut self.members.all[index].phone;
        if destination != phone.settings().local {
            return phone.handle_media(destination, &datagram);
        }
        phone.handle(self.now, source, &datagram);
        self.settle(index);
    }

    fn reach_switch(&mut self, remote: SocketAddr, datagram: Bytes) {
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote };
        let is_asleep = self.switch.inbox.is_empty();
        let room_bytes = self.switch.io.kernel.receive_buffer_bytes;
        if !self.switch.inbox.receive(flow, datagram, room_bytes) {
            self.log_event("receive buffer full".to_owned());
        }
        if is_asleep {
            self.wake_switch();
        }
    }

    /// Lets the thread of the switch run until it has nothing more to do at this moment, unless it is stalled.
    pub(super) fn run_switch(&mut self) {
        let mut turns = 0;
        while self.now >= self.switch.stalled_until {
            let turn = self.switch.turn(self.now);
            self.carry_out();
            if !turn.more && self.switch.inbox.is_empty() {
                break;
            }
            turns += 1;
            assert!(
                turns < TURNS,
                "time stands still: the switch always has more to do: {:?}",
                self.switch.pump.switch().poll_timeout()
            );
        }
        self.arm_switch();
    }

    /// Something waits for the thread of the switch: it runs, at once where nothing delays it.
    pub(super) fn wake_switch(&mut self) {
        match self.switch.wakes_at(self.now) {
            Some(at) if at <= self.now => self.run_switch(),
            at => self.agenda.set(&mut self.switch.alarm, at, Owner::Switch),
        }
    }

    /// Wakes the thread of the switch when it next has reason to run.
    pub(super) fn arm_switch(&mut self) {
        let at = self.switch.wakes_at(self.now);
        self.agenda.set(&mut self.switch.alarm, at, Owner::Switch);
    }

    /// What the turn brought. No datagram arrives anywhere before the sink has the events, whatever the ladder shows first.
    fn carry_out(&mut self) {
        let spare = std::mem::take(&mut self.spare);
        let mut did = self.switch.io.trace.replace(spare);
        let mut told = Vec::new();
        self.checks.may_be_late(Duration::from_micros(self.switch.io.kernel.wake_delay_us));
        self.checks.wall_clock(self.now, self.switch.clock.read(self.now).wall);
        for one in did.drain(..) {
            match one {
                Did::Took { from, datagram } => {
                    told.drain(..).for_each(|event| self.tell(event));
                    self.checks.to_switch(self.now, from, &datagram);
                }
                Did::Sent { flow, datagram } => {
                    self.checks.from_switch(self.now, flow.remote, &datagram);
                    self.leave(flow, datagram);
                }
                Did::Refused { flow, datagram, is_told } => {
                    self.checks.from_switch(self.now, flow.remote, &datagram);
                    if is_told {
                        self.checks.undelivered(self.now, flow.remote);
                    }
                }
                Did::Asked(query) => {
                    if let Some(message) = self.zone.answer(&query.bytes, query.carrier) {
                        let reply = Coming::Reply { boot: self.switch.boot, query: query.id, message };
                        self.agenda.plan(self.now + self.zone.delay, reply);
                    }
                }
                Did::Told(event) => {
                    self.checks.event(self.now, &event);
                    told.push(event);
                }
            }
        }
        told.into_iter().for_each(|event| self.tell(event));
        self.order_media();
        self.spare = did;
        self.switch.commit(self.now);
        if self.now.since(self.weighed) >= WEIGHED_EVERY {
            self.weighed = self.now;
            self.checks.holds(self.now, &self.held());
        }
    }

    /// The system has a datagram of the switch.
    fn leave(&mut self, flow: Flow, datagram: Bytes) {
        match self.switch.leaves_at(self.now, &datagram) {
            at if at > self.now => self.agenda.plan(at, Coming::Leaves { boot: self.switch.boot, flow, datagram }),
            _ => self.send_from_switch(flow, datagram),
        }
    }

    fn send_from_switch(&mut self, flow: Flow, datagram: Bytes) {
        let key = self.switch.io.ops.key(self.now, &datagram);
        self.overhear(false, &datagram);
        let passage = self.network.send(self.now, self.switch_node, flow.remote, datagram.clone(), key);
        if self.keeps_log {
            let node = passage.arrivals.iter().map(|arrival| arrival.node).next();
            let node = node.or_else(|| self.network.node_at(self.now, flow.remote));
            // where nobody is found, at a NAT that has forgotten, the address stands in the ladder
            let to = node.and_then(|node| self.members.at(node)).map(|to| self.members.all[to].name.as_str());
            let to = to.or_else(|| self.hostile_at(node?));
            let name = to.map_or_else(|| flow.remote.to_string(), str::to_owned);
            if !self.log.has_actor(&name) {
                self.log.add_actor(&name);
            }
            let outcome = Outcome::of(&passage, &datagram);
            self.log.sent(self.now.as_micros(), SWITCH_NAME, &name, datagram, outcome);
        }
        if passage.lost == Some(Loss::Nobody) {
            self.send_to_nobody(flow);
        }
        self.expect(passage);
    }

    fn send_to_nobody(&mut self, flow: Flow) {
        match self.switch.io.kernel.tells_refusals {
            true => self.agenda.plan(self.now + ICMP_DELAY, Coming::Undelivered { boot: self.switch.boot, flow }),
            false => {
                let text = format!("the switch sends to {}, where nobody is", flow.remote);
                self.accuse(Violation::new("reaches-somebody", text));
            }
        }
    }

    /// Copies are on their way.
    pub(super) fn expect(&mut self, passage: Passage) {
        for arrival in passage.arrivals {
            self.agenda.plan(arrival.at, Coming::Arrival(arrival));
        }
    }

    /// Takes from a member, to which something has just happened, what it wants to send and tell, and sets its alarms.
    pub(super) fn settle(&mut self, index: usize) {
        while let Some((to, datagram)) = self.members.all[index].phone.poll_send() {
            self.send_to_switch(index, to, datagram);
        }
        let member = &mut self.members.all[index];
        while let Some(notice) = member.phone.poll_notice() {
            if self.keeps_log {
                member.notices.push(notice);
            }
        }
        self.agenda.set(&mut member.alarm, member.phone.poll_timeout(), Owner::Member(index));
        while let Some(Packet { from, to, bytes }) = self.members.all[index].phone.poll_media(self.now) {
            let node = self.members.all[index].node;
            let passage = self.network.spoof(self.now, node, from, to, bytes.into(), MEDIA);
            self.expect(passage);
        }
        let member = &mut self.members.all[index];
        self.agenda.set(&mut member.audio_alarm, member.phone.poll_audio_timeout(), Owner::Audio(index));
        self.members.note_quiet(index);
    }

    fn send_to_switch(&mut self, from: usize, to: SocketAddr, datagram: Bytes) {
        let member = &self.members.all[from];
        if to != SWITCH {
            let text = format!("{} is led past the switch, to {to}", member.name);
            return self.accuse(Violation::new("reaches-somebody", text));
        }
        let key = self.switch.io.ops.key(self.now, &datagram);
        self.overhear(true, &datagram);
        let member = &self.members.all[from];
        let passage = self.network.send(self.now, member.node, to, datagram.clone(), key);
        if self.keeps_log {
            let outcome = Outcome::of(&passage, &datagram);
            self.log.sent(self.now.as_micros(), &member.name, SWITCH_NAME, datagram, outcome);
        }
        self.expect(passage);
    }
}
