//! The switch's media side as its driver has it: sockets, and a thread for each shard.
//!
//! Orders reach a shard's thread in the order in which they were given, up to [`ORDER_DELAY_US`] late, so that packets
//! race with them. What a thread tells waits for the next turn of the switch.

mod sockets;
mod worker;

pub use sockets::PortTrouble;
pub(super) use worker::Order;

use super::World;
use super::agenda::{Coming, Owner};
use super::ops::Chances;
use crate::check::Violation;
use crate::phone::rtp;
use bytes::Bytes;
use crosspoint_core::media::{LegSocket, MediaOp, MediaReport, Relay};
use crosspoint_core::ports::{Place, PortCommand, PortReply, Shard};
use crosspoint_core::rng::{Seed, media_stream};
use crosspoint_core::time::Instant;
use sockets::{Fate, Sockets};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;
use worker::{Packet, Worker};

/// The stream that the delays of orders are drawn from.
const STREAM_ORDERS: u64 = 104;
/// How late an order may reach its thread.
const ORDER_DELAY_US: u64 = 5000;
/// What links draw from for media: apart from every operation, so that a packet more changes no message.
pub(super) const MEDIA: u64 = 1 << 62;

/// What a thread's pass did, in its order.
enum Made {
    Opened(Place),
    Reply(Duration, PortReply),
    Applied(MediaOp),
    Took { at: LegSocket, packet: Vec<u8>, relay: Relay },
    Told(MediaReport),
    Played(Vec<u8>),
    Sent { from: SocketAddr, to: SocketAddr, packet: Vec<u8> },
}

/// Sockets and threads.
#[derive(Debug)]
pub(super) struct Media {
    seed: Seed,
    workers: Vec<Worker>,
    sockets: Sockets,
    delays: Chances,
}

impl Media {
    /// Nothing is open; the shards draw from this seed.
    pub(super) fn new(seed: Seed) -> Media {
        Media { seed, workers: Vec::new(), sockets: Sockets::new(seed), delays: Chances::new(seed, STREAM_ORDERS) }
    }

    /// The process is gone; its successor's shards draw from this seed.
    pub(super) fn crash(&mut self, seed: Seed) {
        self.seed = seed;
        self.workers.clear();
        self.sockets.crash();
    }

    /// Whether no thread has anything to do but what its clock brings.
    pub(super) fn is_idle(&self) -> bool {
        self.workers.iter().all(Worker::is_idle)
    }

    /// Sessions of all shards.
    pub(super) fn sessions(&self) -> usize {
        self.workers.iter().map(|worker| worker.shard.len()).sum()
    }

    /// Sockets that are open.
    pub(super) fn open_sockets(&self) -> usize {
        self.sockets.len()
    }

    /// Replies that never came, of this process.
    pub(super) fn lost_replies(&self) -> u64 {
        self.sockets.lost_replies
    }

    /// What the switch wanted that no core may want.
    pub(super) fn wrongs(&self) -> impl Iterator<Item = Violation> {
        self.sockets.wrongs.iter().map(|text| Violation::new("ports", text.clone()))
    }

    fn worker(&mut self, shard: Shard) -> &mut Worker {
        let known = self.workers.len() as u16;
        self.workers.extend((known..=shard.0).map(|shard| Worker::new(media_stream(self.seed, shard))));
        &mut self.workers[usize::from(shard.0)]
    }

    fn order(&mut self, now: Instant, shard: Shard, order: Order) {
        let moment = Instant::from_micros(now.as_micros() ^ u64::from(shard.0) << 48);
        let after = Duration::from_micros(self.delays.below_at(moment, ORDER_DELAY_US + 1));
        self.worker(shard).order(now, after, order);
    }

    /// One pass of a thread.
    fn turn(&mut self, now: Instant, mono: Instant, shard: Shard) -> Vec<Made> {
        let mut made = Vec::new();
        while let Some(order) = self.worker(shard).next_order(now) {
            match order {
                Order::Apply(op) => {
                    self.worker(shard).shard.apply(mono, op.clone());
                    made.push(Made::Applied(op));
                }
                Order::Ports(PortCommand::Close { place }) => self.sockets.close(place),
                Order::Ports(PortCommand::Open { request, place }) => self.open(now, request, place, &mut made),
            }
            made.extend(self.worker(shard).reports());
        }
        while let Some(mut packet) = self.worker(shard).next_packet() {
            let came = packet.bytes.clone();
            let relay = self.worker(shard).relay(mono, &mut packet);
            // an echo has a source of its own
            let is_echoed = rtp::heard(&came) != rtp::heard(&packet.bytes);
            made.push(Made::Took { at: packet.at, packet: came, relay });
            if let Relay::Forward { out, to } = relay {
                made.extend(is_echoed.then(|| Made::Played(packet.bytes.clone())));
                made.extend(self.sent(shard, out, to, packet.bytes));
            }
            made.extend(self.worker(shard).reports());
        }
        for (out, to, packet) in self.worker(shard).play(mono) {
            made.push(Made::Played(packet.clone()));
            made.extend(self.sent(shard, out, to, packet));
        }
        made.extend(self.worker(shard).reports());
        made
    }

    fn open(&mut self, now: Instant, request: u64, place: Place, made: &mut Vec<Made>) {
        let reply = match self.sockets.open(now, place) {
            Ok(()) => {
                made.push(Made::Opened(place));
                PortReply::Opened { request }
            }
            Err(why) => PortReply::Refused { request, why },
        };
        if let Fate::After(late) = self.sockets.fate(place) {
            made.push(Made::Reply(late, reply));
        }
    }

    /// A packet that leaves through this socket, if that is open.
    fn sent(&mut self, shard: Shard, out: LegSocket, to: SocketAddr, packet: Vec<u8>) -> Option<Made> {
        let from = self.sockets.address(shard, out);
        if from.is_none() {
            self.sockets.wrongs.push(format!("{shard:?} sends through {out:?}, which is not open"));
        }
        Some(Made::Sent { from: from?, to, packet })
    }
}

/// What befalls the machine's media ports and threads.
impl World {
    /// What the system does to who wants a media port.
    pub fn port_trouble(&mut self) -> &mut PortTrouble {
        &mut self.media.sockets.trouble
    }

    /// Another process has these ports for so long; those that are open stay open.
    pub fn occupy_ports(&mut self, ports: RangeInclusive<u16>, time: Duration) {
        self.log_event(format!("ports {} to {} are taken", ports.start(), ports.end()));
        self.media.sockets.occupy(ports, self.now + time);
    }

    /// The thread of a media shard does not run for so long: packets wait, as far as there is room, and so do orders.
    pub fn stall_shard(&mut self, shard: u16, time: Duration) {
        self.log_event(format!("media shard {shard} stands still for {} ms", time.as_millis()));
        let until = self.now + time;
        let worker = self.media.worker(Shard(shard));
        worker.stalled_until = worker.stalled_until.max(until);
        self.arm_shard(Shard(shard));
    }

    /// Replies about media ports that never came, in the life of the switch's process.
    pub fn lost_replies(&self) -> u64 {
        self.media.lost_replies()
    }

    /// Media sockets that the switch has open.
    pub fn open_sockets(&self) -> usize {
        self.media.open_sockets()
    }

    /// All threads run, and every port is to be had.
    pub(super) fn calm_media(&mut self) {
        self.media.sockets.calm();
        for shard in (0..self.media.workers.len() as u16).map(Shard) {
            self.media.worker(shard).stalled_until = self.now;
            self.arm_shard(shard);
        }
    }

    /// Hands over what the switch has ordered in a turn.
    pub(super) fn order_media(&mut self) {
        let orders = std::mem::take(&mut self.switch.io.orders);
        for (shard, order) in orders {
            self.media.order(self.now, shard, order);
            self.arm_shard(shard);
        }
    }

    /// A packet has come to the machine of the switch, elsewhere than to its signalling.
    pub(super) fn reach_media(&mut self, from: SocketAddr, destination: SocketAddr, datagram: &Bytes) {
        let Some((shard, at)) = self.media.sockets.at(destination) else { return };
        let packet = Packet { at, from, bytes: datagram.to_vec() };
        if !self.media.worker(shard).receive(packet) {
            self.log_event("media receive buffer full".to_owned());
        }
        self.arm_shard(shard);
    }

    /// The time may have come for a shard.
    pub(super) fn ring_shard(&mut self, at: Instant, index: u16) {
        let owner = Owner::Shard(index);
        let worker = self.media.worker(Shard(index));
        if self.agenda.rings(&mut worker.alarm, at, owner) {
            self.run_shard(Shard(index));
        }
    }

    fn arm_shard(&mut self, shard: Shard) {
        let clock = self.switch.clock;
        let worker = self.media.worker(shard);
        let at = worker.wakes_at(self.now, |mono| clock.moment(mono));
        self.agenda.set(&mut worker.alarm, at, Owner::Shard(shard.0));
    }

    fn run_shard(&mut self, shard: Shard) {
        let mono = self.switch.clock.read(self.now).mono;
        let mut has_told = false;
        for made in self.media.turn(self.now, mono, shard) {
            match made {
                // packets for a port that is closed again still reach the machine
                Made::Opened(place) => {
                    place.sockets().for_each(|(_, address)| self.network.add_address(self.switch_node, address));
                }
                Made::Reply(late, reply) => {
                    let reply = Coming::Port { boot: self.switch.boot, reply };
                    self.agenda.plan(self.now + late, reply);
                }
                Made::Applied(op) => self.checks.media_op(shard, &op),
                Made::Took { at, packet, relay } => self.checks.media_came(shard, at, &packet, relay),
                Made::Played(packet) => self.checks.media_plays(&packet),
                Made::Told(report) => {
                    self.checks.media_report(shard, &report);
                    self.switch.inbox.media.push_back((shard, report));
                    has_told = true;
                }
                Made::Sent { from, to, packet } => {
                    let passage = self.network.spoof(self.now, self.switch_node, from, to, packet.into(), MEDIA);
                    self.expect(passage);
                }
            }
        }
        self.arm_shard(shard);
        if has_told {
            self.wake_switch();
        }
    }
}
