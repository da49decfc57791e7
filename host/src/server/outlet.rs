//! What comes out of the pump: datagrams to the sockets, questions to nameservers, orders to the media shards, facts to
//! the sinks.

use super::shards::Shards;
use super::sinks::Sinks;
use crate::lookup::Lookups;
use crate::media::Order;
use crate::udp::Socket;
use bytes::Bytes;
use crosspoint_core::command::Query;
use crosspoint_core::config::Config;
use crosspoint_core::event::Event;
use crosspoint_core::input::Flow;
use crosspoint_core::media::MediaOp;
use crosspoint_core::ports::{PortCommand, Shard};
use crosspoint_core::pump::{Io, Sent};
use crosspoint_core::time::Now;

pub(super) struct Outlet {
    pub(super) sockets: Vec<Socket>,
    pub(super) lookups: Lookups,
    pub(super) shards: Shards,
    pub(super) sinks: Sinks,
    /// The time of the turn in progress.
    pub(super) now: Now,
    pub(super) is_halted: bool,
}

impl Outlet {
    /// Ends a turn: what the journals must hold is written before any datagram that depends on it leaves.
    pub(super) fn commit(&mut self) {
        self.sinks.commit(self.now);
        for socket in &mut self.sockets {
            socket.flush();
        }
        self.shards.flush();
    }

    /// Takes from a configuration what concerns the process.
    pub(super) fn configure(&mut self, config: &Config) {
        self.sinks.configure(config);
        self.shards.configure(config);
        for socket in &self.sockets {
            socket.set_type_of_service(config.parameters.qos_signal());
        }
    }
}

impl Io for Outlet {
    fn send(&mut self, flow: &Flow, bytes: &Bytes) -> Sent {
        match self.sockets.get_mut(usize::from(flow.socket.0)) {
            Some(socket) => socket.queue(flow.remote, bytes),
            None => Sent::Gone,
        }
    }

    fn lookup(&mut self, query: &Query) {
        self.lookups.start(self.now.mono, query);
    }

    fn ports(&mut self, command: PortCommand) {
        let (PortCommand::Open { place, .. } | PortCommand::Close { place }) = command;
        self.shards.order(place.shard, Order::Ports(command));
    }

    fn media(&mut self, shard: Shard, op: MediaOp) {
        self.shards.order(shard, Order::Apply(op));
    }

    fn emit(&mut self, event: Event) {
        self.sinks.take(event, self.now.wall);
    }

    fn halt(&mut self) {
        self.is_halted = true;
    }

    fn record(&mut self, bytes: &[u8]) {
        self.sinks.record(bytes);
    }
}
