//! The node that is the switch: the production pump over a fake driver, and the process around them, which may die.

use super::agenda::Alarm;
use super::clock::Clock;
use super::inbox::Inbox;
use super::journal::{Journal, Recovered};
use super::kernel::Kernel;
use super::media::Order;
use super::ops::{Chances, Ops};
use super::trace::{Did, Trace};
use bytes::Bytes;
use crosspoint_core::command::Query;
use crosspoint_core::config::Config;
use crosspoint_core::event::Event;
use crosspoint_core::input::Flow;
use crosspoint_core::media::MediaOp;
use crosspoint_core::ports::{PortCommand, Shard};
use crosspoint_core::pump::{Io, Pump, Sent, Turn};
use crosspoint_core::record::Recorder;
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::switch::Switch;
use crosspoint_core::time::Instant;
use std::sync::Arc;
use std::time::Duration;

/// Streams of the node: chances of its system, seeds of its further processes.
const STREAM_IO: u64 = 100;
const STREAM_KERNEL: u64 = 101;
const STREAM_BOOTS: u64 = 102;

/// The switch and what its process would hold.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) pump: Pump,
    pub(super) io: FakeIo,
    pub(super) inbox: Inbox,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    pub(super) alarm: Alarm,
    /// The thread does not run until then.
    pub(super) stalled_until: Instant,
    /// The process of this number runs, from 0.
    pub(super) boot: u64,
    /// All its chances come from there.
    pub(super) seed: Seed,
    pub(super) snapshots_every_step: bool,
    /// When the last datagram leaves that waits in the send buffer.
    last_leaves: Instant,
    config: Arc<Config>,
    /// What batches and wake-ups draw from: by their moment, so that one more of them changes no other.
    chances: Chances,
    boots: Stream,
    is_recorded: bool,
    /// Of the commands of processes that are gone.
    past_digest: u64,
}

/// A driver over a system that behaves as it is told.
#[derive(Debug)]
pub(super) struct FakeIo {
    pub(super) trace: Trace,
    /// Where what the system refused was to go.
    refused: Vec<Flow>,
    /// For the threads of media, in their order.
    pub(super) orders: Vec<(Shard, Order)>,
    pub(super) recording: Vec<u8>,
    pub(super) is_halted: bool,
    pub(super) kernel: Kernel,
    pub(super) ops: Ops,
    now: Instant,
    chances: Chances,
}

impl Io for FakeIo {
    fn send(&mut self, flow: &Flow, bytes: &Bytes) -> Sent {
        let Kernel { full_permille, refuse_permille, .. } = self.kernel;
        if full_permille + refuse_permille > 0 {
            let key = self.ops.key(self.now, bytes);
            let refused = |is_told| Did::Refused { flow: *flow, datagram: bytes.clone(), is_told };
            if self.chances.strikes(key, full_permille) {
                self.trace.add(refused(false));
                return Sent::Full;
            }
            if self.chances.strikes(key, refuse_permille) {
                self.trace.add(refused(true));
                self.refused.push(*flow);
                return Sent::Done;
            }
        }
        self.trace.add(Did::Sent { flow: *flow, datagram: bytes.clone() });
        Sent::Done
    }

    fn lookup(&mut self, query: &Query) {
        self.trace.add(Did::Asked(query.clone()));
    }

    fn ports(&mut self, command: PortCommand) {
        let (PortCommand::Open { place, .. } | PortCommand::Close { place }) = command;
        self.orders.push((place.shard, Order::Ports(command)));
    }

    fn media(&mut self, shard: Shard, op: MediaOp) {
        self.orders.push((shard, Order::Apply(op)));
    }

    fn emit(&mut self, event: Event) {
        self.trace.add(Did::Told(event));
    }

    fn halt(&mut self) {
        self.is_halted = true;
    }

    fn record(&mut self, bytes: &[u8]) {
        self.recording.extend_from_slice(bytes);
    }
}

impl Node {
    pub(super) fn new(config: Arc<Config>, seed: Seed) -> Node {
        let clock = Clock::default();
        let now = clock.read(Instant::EPOCH);
        let mut recording = Vec::new();
        let pump = pump(&config, seed, &clock, Instant::EPOCH, Some(&mut recording));
        let trace = Trace::default();
        let io = FakeIo {
            trace: trace.clone(),
            refused: Vec::new(),
            orders: Vec::new(),
            recording,
            is_halted: false,
            kernel: Kernel::default(),
            ops: Ops::default(),
            now: Instant::EPOCH,
            chances: Chances::new(seed, STREAM_IO),
        };
        Node {
            pump,
            io,
            inbox: Inbox::new(trace),
            journal: Journal::new(Instant::EPOCH, now.wall),
            clock,
            alarm: Alarm::default(),
            stalled_until: Instant::EPOCH,
            boot: 0,
            seed,
            snapshots_every_step: false,
            last_leaves: Instant::EPOCH,
            config,
            chances: Chances::new(seed, STREAM_KERNEL),
            boots: Stream::new(seed, STREAM_BOOTS),
            is_recorded: true,
            past_digest: 0,
        }
    }

    /// One turn, with what one receive call brings, and where asked for a restart from a snapshot behind it.
    pub(super) fn turn(&mut self, now: Instant) -> Turn {
        self.inbox.begin_batch(self.io.kernel.draw_batch(now, &self.chances));
        self.io.now = now;
        let turn = self.pump.turn(self.clock.read(now), &mut self.inbox, &mut self.io);
        let refused = self.io.refused.drain(..);
        self.inbox.undelivered.extend(refused);
        if self.snapshots_every_step {
            self.restart_from_snapshot();
        }
        turn
    }

    /// Puts a switch made of its own snapshot in the place of the one that runs.
    pub(super) fn restart_from_snapshot(&mut self) {
        let snapshot = self.pump.switch().snapshot();
        let restored = Switch::restore(&snapshot).expect("the switch reads what it has just written");
        self.pump.replace_switch(restored);
    }

    /// When the thread runs next, where it has reason to.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        let deadline = self.pump.switch().poll_timeout().map(|deadline| self.clock.moment(deadline.at));
        let deadline = deadline.into_iter().chain(self.journal.next_file(&self.config)).min();
        let wanted = if self.inbox.is_empty() { deadline? } else { now };
        let late = self.chances.below_at(now, self.io.kernel.wake_delay_us + 1);
        Some((wanted + Duration::from_micros(late)).max(self.stalled_until))
    }

    /// Ends a turn: what the journals must hold is written before anything leaves.
    pub(super) fn commit(&mut self, now: Instant) {
        let wall = self.clock.read(now).wall;
        self.journal.commit(now, wall, &self.config);
    }

    /// When the system has room for a datagram: not before those sent earlier have left.
    pub(super) fn leaves_at(&mut self, now: Instant, datagram: &[u8]) -> Instant {
        if self.io.kernel.send_delay_us > 0 {
            let key = self.io.ops.key(now, datagram);
            let delay = Duration::from_micros(self.io.chances.below(key, self.io.kernel.send_delay_us + 1));
            self.last_leaves = self.last_leaves.max(now + delay);
        }
        self.last_leaves.max(now)
    }

    /// Takes another configuration, for the switch that runs and for those that follow.
    pub(super) fn configure(&mut self, config: Arc<Config>) {
        self.config = config;
    }

    /// The process dies, with what stands in its buffers and what the disk has not got, and another one begins.
    pub(super) fn crash(&mut self, now: Instant, lost: Duration) -> Recovered {
        self.past_digest = self.digest();
        self.boot += 1;
        self.clock.restart(now);
        self.boots.fill(&mut self.seed.0);
        self.io.trace.replace(Vec::new());
        self.io.recording.clear();
        let recording = self.is_recorded.then_some(&mut self.io.recording);
        self.pump = pump(&self.config, self.seed, &self.clock, now, recording);
        self.inbox.clear();
        self.io.orders.clear();
        (self.io.is_halted, self.stalled_until, self.last_leaves) = (false, now, now);
        let mut recovered = self.journal.restart(now, self.clock.read(now), lost, &self.config);
        self.inbox.controls.extend(recovered.restores.drain(..));
        recovered
    }

    /// The digest of all commands so far, of every process.
    pub(super) fn digest(&self) -> u64 {
        self.past_digest.rotate_left(1) ^ self.pump.digest().expect("the pump of a world keeps a digest")
    }

    /// Ends the recording, so that it can be replayed; nothing is recorded from now on.
    pub(super) fn finish_recording(&mut self) {
        self.pump.finish(&mut self.io);
        self.is_recorded = false;
    }
}

/// A pump with a new switch, which records there where something is to be recorded.
fn pump(config: &Arc<Config>, seed: Seed, clock: &Clock, now: Instant, recording: Option<&mut Vec<u8>>) -> Pump {
    let now = clock.read(now);
    let pump = Pump::new(Switch::new(config.clone(), seed, now));
    match recording {
        Some(out) => pump.with_recorder(Recorder::start(config.clone(), seed, now, out)),
        None => pump.with_digest(),
    }
}
