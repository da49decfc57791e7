//! What every subsystem is given besides its own state: time, chance, configuration, timers, the way out.

use crate::command::{Command, Query};
use crate::config::Config;
use crate::counters::Counters;
use crate::event::Event;
use crate::input::Flow;
use crate::limits;
use crate::media::MediaOp;
use crate::ports::{PortCommand, Shard};
use crate::rng::{Seed, Streams};
use crate::time::Now;
use crate::timers::Timers;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// The ground a subsystem stands on. Owned by the switch and lent to one subsystem at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cx {
    /// The time of the input in hand; never goes backwards.
    pub now: Now,
    /// Chance, by named stream.
    pub rng: Streams,
    /// The configuration in force for new things.
    pub config: Arc<Config>,
    /// The armed timers.
    pub timers: Timers,
    /// What has been counted.
    pub counters: Counters,
    /// Commands not yet taken by the driver. Not part of a snapshot: one is taken only when this is empty.
    #[serde(skip)]
    out: VecDeque<Command>,
}

impl Cx {
    /// The ground of a new switch.
    pub fn new(config: Arc<Config>, seed: Seed, now: Now) -> Cx {
        Cx {
            now,
            rng: Streams::new(seed),
            config,
            timers: Timers::default(),
            counters: Counters::default(),
            out: VecDeque::new(),
        }
    }

    /// Sends a datagram.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.counters.messages_out += 1;
        self.push(Command::Send { flow, bytes });
    }

    /// Asks a nameserver.
    pub fn lookup(&mut self, query: Query) {
        self.counters.dns_queries += 1;
        self.push(Command::Lookup(query));
    }

    /// Has media ports opened or closed.
    pub fn ports(&mut self, command: PortCommand) {
        self.push(Command::Ports(command));
    }

    /// Tells a media shard what to do.
    pub fn media(&mut self, shard: Shard, op: MediaOp) {
        self.push(Command::Media(shard, op));
    }

    /// Tells a fact.
    pub fn emit(&mut self, event: Event) {
        self.push(Command::Emit(Box::new(event)));
    }

    /// Says that the process may end.
    pub fn halt(&mut self) {
        self.push(Command::Halt);
    }

    /// The next command for the driver, in the order in which they were given.
    pub fn next_command(&mut self) -> Option<Command> {
        self.out.pop_front()
    }

    /// Whether the driver has taken every command (R2).
    pub fn is_drained(&self) -> bool {
        self.out.is_empty()
    }

    fn push(&mut self, command: Command) {
        assert!(
            self.out.len() < limits::COMMANDS_WAITING,
            "one input made over {} commands, or the driver does not drain (rules R1, R2)",
            limits::COMMANDS_WAITING
        );
        self.out.push_back(command);
    }
}
