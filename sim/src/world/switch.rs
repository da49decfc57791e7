//! The node that is the switch: the production pump over a fake driver.

use bytes::Bytes;
use crosspoint_core::command::Query;
use crosspoint_core::config::Config;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Control, Flow, Input, LookupReply, QueryId};
use crosspoint_core::pump::{Inputs, Io, Pump, Sent, Turn};
use crosspoint_core::record::Recorder;
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::switch::Switch;
use crosspoint_core::time::Now;
use std::collections::VecDeque;
use std::sync::Arc;

/// The switch and what its driver would hold.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) pump: Pump,
    pub(super) io: FakeIo,
    inbox: Inbox,
    pub(super) snapshots_every_step: bool,
}

/// A driver whose send buffer is full as often as it is told.
#[derive(Debug)]
pub(super) struct FakeIo {
    pub(super) sent: Vec<(Flow, Bytes)>,
    pub(super) queries: Vec<Query>,
    pub(super) events: Vec<Event>,
    pub(super) recording: Vec<u8>,
    pub(super) is_halted: bool,
    pub(super) full_permille: u64,
    stream: Stream,
}

impl Io for FakeIo {
    fn send(&mut self, flow: &Flow, bytes: &Bytes) -> Sent {
        if self.stream.below(1000) < self.full_permille {
            return Sent::Full;
        }
        self.sent.push((*flow, bytes.clone()));
        Sent::Done
    }

    fn lookup(&mut self, query: &Query) {
        self.queries.push(query.clone());
    }

    fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    fn halt(&mut self) {
        self.is_halted = true;
    }

    fn record(&mut self, bytes: &[u8]) {
        self.recording.extend_from_slice(bytes);
    }
}

/// Datagrams and wishes that wait for the next turn.
#[derive(Debug, Default)]
struct Inbox {
    datagrams: VecDeque<(Flow, Vec<u8>)>,
    controls: VecDeque<Control>,
    replies: VecDeque<(QueryId, Option<Vec<u8>>)>,
    reply_in_hand: Option<Vec<u8>>,
    in_hand: Vec<u8>,
}

impl Inputs for Inbox {
    fn next(&mut self) -> Option<Input<'_>> {
        if let Some(control) = self.controls.pop_front() {
            return Some(Input::Control(control));
        }
        if let Some((query, message)) = self.replies.pop_front() {
            self.reply_in_hand = message;
            return Some(Input::Lookup(LookupReply { query, message: self.reply_in_hand.as_deref() }));
        }
        let (flow, bytes) = self.datagrams.pop_front()?;
        self.in_hand = bytes;
        Some(Input::Datagram { flow, bytes: &self.in_hand })
    }
}

impl Node {
    pub(super) fn new(config: Arc<Config>, seed: Seed, now: Now, stream: Stream) -> Node {
        let mut recording = Vec::new();
        let recorder = Recorder::start(config.clone(), seed, now, &mut recording);
        let pump = Pump::new(Switch::new(config, seed, now)).with_recorder(recorder);
        let io = FakeIo {
            sent: Vec::new(),
            queries: Vec::new(),
            events: Vec::new(),
            recording,
            is_halted: false,
            full_permille: 0,
            stream,
        };
        Node { pump, io, inbox: Inbox::default(), snapshots_every_step: false }
    }

    pub(super) fn receive(&mut self, flow: Flow, bytes: Vec<u8>) {
        self.inbox.datagrams.push_back((flow, bytes));
    }

    pub(super) fn reply(&mut self, query: QueryId, message: Option<Vec<u8>>) {
        self.inbox.replies.push_back((query, message));
    }

    pub(super) fn control(&mut self, control: Control) {
        self.inbox.controls.push_back(control);
    }

    /// One turn, and where asked for a restart from a snapshot behind it.
    pub(super) fn turn(&mut self, now: Now) -> Turn {
        let turn = self.pump.turn(now, &mut self.inbox, &mut self.io);
        if self.snapshots_every_step {
            let snapshot = self.pump.switch().snapshot();
            let restored = Switch::restore(&snapshot).expect("the switch reads what it has just written");
            self.pump.replace_switch(restored);
        }
        turn
    }
}
