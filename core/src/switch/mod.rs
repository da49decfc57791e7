//! The switch: inputs in, commands out. This module only routes between the subsystems; what they decide is theirs.

mod control;
mod dispatch;
mod drops;
mod explain;
mod snapshot;
mod stateless;
mod status;

pub(crate) use dispatch::not_allowed;
pub use snapshot::SnapshotError;
pub use status::Status;

use crate::auth::Authenticator;
use crate::call::{CallView, Calls, Desk};
use crate::command::Command;
use crate::config::Config;
use crate::counters::{Counters, DropReason};
use crate::cx::Cx;
use crate::dns::{Peers, Resolved, Resolver};
use crate::input::{Flow, Input, LookupReply};
use crate::limits;
use crate::media::MediaReport;
use crate::ports::{PortReply, PortsView, Shard};
use crate::registrar::{BindingRecord, Registrar};
use crate::relays::{Granted, Relays};
use crate::rng::{self, Seed};
use crate::sip::{self, Message, Scanned};
use crate::time::{Deadline, Now};
use crate::timers::{DnsTimer, TimerId, TimerKey};
use crate::transaction::{Answer, ClientId, Owner, Party, Transactions, Upcall};
use crate::trunk::{Lent, TrunkView, Trunks};
use drops::Drops;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Accepted,
    /// It was dropped without an answer.
    Dropped(DropReason),
    /// It was refused for want of room, with an answer.
    Shed,
}

/// The whole switch.
#[derive(Debug, Serialize, Deserialize)]
pub struct Switch {
    cx: Cx,
    transactions: Transactions,
    calls: Calls,
    registrar: Registrar,
    trunks: Trunks,
    relays: Relays,
    resolver: Resolver,
    peers: Peers,
    auth: Authenticator,
    drops: Drops,
    started: Now,
    generation: u64,
    is_draining: bool,
    drain_limit: Option<TimerId>,
    is_halted: bool,
    /// Scratch for the scanner; holds nothing between inputs.
    #[serde(skip)]
    index: sip::Index,
}

impl Switch {
    /// A switch that has seen nothing yet.
    pub fn new(config: Arc<Config>, seed: Seed, now: Now) -> Switch {
        let key = rng::table_key(seed);
        let mut cx = Cx::new(config, seed, now);
        let mut peers = Peers::default();
        peers.configure(&mut cx);
        Switch {
            transactions: Transactions::new(key),
            calls: Calls::new(key, now),
            registrar: Registrar::new(key),
            trunks: Trunks::new(&mut cx),
            relays: Relays::new(&mut cx),
            resolver: Resolver::new(key),
            peers,
            auth: Authenticator::new(&mut cx),
            cx,
            drops: Drops::default(),
            started: now,
            generation: 1,
            is_draining: false,
            drain_limit: None,
            is_halted: false,
            index: sip::Index::default(),
        }
    }

    /// Takes one input. Bounded work (R1): one datagram touches one transaction, at most one call and a bounded number of
    /// timers; a tick fires at most [`limits::TIMERS_PER_TICK`].
    pub fn handle(&mut self, now: Now, input: Input<'_>) -> Verdict {
        debug_assert!(self.cx.is_drained(), "drain the commands before the next input (R2)");
        self.set_clock(now);
        let verdict = match input {
            Input::Datagram { flow, bytes } => self.on_datagram(flow, bytes),
            Input::Undelivered { flow } => self.on_undelivered(flow),
            Input::Lookup(reply) => self.on_lookup(reply),
            Input::Ports(reply) => self.on_port_reply(reply),
            Input::Media(shard, report) => self.on_media_report(shard, &report),
            Input::Control(control) => self.on_control(control),
            Input::Tick => self.on_tick(),
        };
        if let Verdict::Dropped(reason) = verdict {
            self.drops.count(&mut self.cx, reason);
        }
        self.halt_when_drained();
        verdict
    }

    /// The next command, in order; `None` once drained.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.cx.next_command()
    }

    /// When the switch next wants an [`Input::Tick`]. Valid once drained (R3); changed by [`Switch::handle`] only.
    pub fn poll_timeout(&self) -> Option<Deadline> {
        self.cx.timers.next()
    }

    /// What has been counted.
    pub fn counters(&self) -> &Counters {
        &self.cx.counters
    }

    /// The configuration in force.
    pub fn config(&self) -> &Arc<Config> {
        &self.cx.config
    }

    /// Live calls, at most `limit`.
    pub fn calls(&self, limit: usize) -> Vec<CallView> {
        self.calls.view(self.cx.now, limit)
    }

    /// Whether a call of this flow number is live.
    pub fn has_call(&self, flow_no: u64) -> bool {
        self.calls.find(flow_no).is_some()
    }

    /// Bindings, at most `limit`, from the one after `after`.
    pub fn registrations(&self, after: Option<u64>, limit: usize) -> (Vec<BindingRecord>, Option<u64>) {
        self.registrar.page(self.cx.now, after, limit)
    }

    /// Every gateway with its state, by name.
    pub fn trunks(&self) -> Vec<TrunkView> {
        self.trunks.view(self.cx.now, |gateway| self.calls.load().of_gateway(gateway))
    }

    /// The media ports, with at most `limit` leases.
    pub fn ports(&self, limit: usize) -> PortsView {
        self.relays.ports().view(limit)
    }

    /// The calls, and what they work with.
    fn desk(&mut self) -> (&mut Calls, Desk<'_>) {
        let Switch { cx, transactions, calls, registrar, trunks, relays, resolver, .. } = self;
        (calls, Desk { cx, transactions, registrar, trunks, relays, resolver })
    }

    /// The trunks, and what they work with.
    fn trunks_and_lent(&mut self) -> (&mut Trunks, Lent<'_>) {
        let Switch { cx, transactions, trunks, resolver, .. } = self;
        (trunks, Lent { cx, transactions, resolver })
    }

    /// R6: time is clamped; a reading earlier than the last counts as the last.
    fn set_clock(&mut self, now: Now) {
        if now.mono < self.cx.now.mono {
            self.cx.counters.clock_regressions += 1;
        }
        self.cx.now = Now { mono: now.mono.max(self.cx.now.mono), wall: now.wall };
    }

    fn on_datagram(&mut self, flow: Flow, bytes: &[u8]) -> Verdict {
        self.cx.counters.datagrams_in += 1;
        let ip = flow.remote.ip();
        if flow.remote.port() == 0 || ip.is_multicast() || ip.is_unspecified() {
            return Verdict::Dropped(DropReason::UnusableSource);
        }
        let mut index = std::mem::take(&mut self.index);
        let verdict = match sip::scan(bytes, &mut index) {
            Err(_) => Verdict::Dropped(DropReason::NotSip),
            Ok(Scanned::KeepAlive(_)) => {
                self.cx.counters.keep_alives_in += 1;
                Verdict::Accepted
            }
            Ok(Scanned::Message(message)) => self.on_message(flow, &message),
        };
        self.index = index;
        verdict
    }

    fn on_message(&mut self, flow: Flow, message: &Message<'_>) -> Verdict {
        let is_request = message.method().is_some();
        if let Err(defect) = sip::check(message) {
            return stateless::refuse(self, flow, message, &defect);
        }
        if is_request {
            self.cx.counters.requests_in += 1;
            dispatch::request(self, flow, message)
        } else {
            self.cx.counters.responses_in += 1;
            self.on_response(flow, message)
        }
    }

    fn on_response(&mut self, flow: Flow, message: &Message<'_>) -> Verdict {
        // RFC 3261 §8.1.3.3: a response with more than our own Via is not for us.
        if message.list(sip::Name::Via).nth(1).is_some() {
            return Verdict::Dropped(DropReason::ForeignVia);
        }
        match self.transactions.receive_response(&mut self.cx, message, flow) {
            Answer::Absorbed => Verdict::Accepted,
            Answer::Stray => Verdict::Dropped(DropReason::StrayResponse),
            Answer::Deliver { owner, client } => {
                self.on_answer(owner, client, message, flow);
                Verdict::Accepted
            }
        }
    }

    fn on_undelivered(&mut self, flow: Flow) -> Verdict {
        self.cx.counters.undelivered += 1;
        for upcall in self.transactions.undelivered(&mut self.cx, flow) {
            self.on_upcall(upcall);
        }
        Verdict::Accepted
    }

    fn on_answer(&mut self, owner: Owner, client: ClientId, message: &Message<'_>, flow: Flow) {
        match owner.party {
            Party::Call => {
                let (calls, desk) = self.desk();
                calls.on_answer(desk, owner, client, message, flow)
            }
            Party::Trunk => {
                let (trunks, mut lent) = self.trunks_and_lent();
                trunks.on_answer(&mut lent, owner, message)
            }
            Party::Dns => panic!("no request of ours has this owner: {owner:?}"),
        }
    }

    fn on_upcall(&mut self, upcall: Upcall) {
        match upcall.owner().party {
            Party::Call => {
                let (calls, desk) = self.desk();
                calls.on_upcall(desk, upcall)
            }
            Party::Trunk => {
                let (trunks, mut lent) = self.trunks_and_lent();
                trunks.on_upcall(&mut lent, upcall)
            }
            Party::Dns => panic!("no request of ours has this owner: {upcall:?}"),
        }
    }

    fn on_lookup(&mut self, reply: LookupReply<'_>) -> Verdict {
        for resolved in self.resolver.on_reply(&mut self.cx, reply) {
            self.on_resolved(resolved);
        }
        Verdict::Accepted
    }

    fn on_resolved(&mut self, resolved: Resolved) {
        let Resolved { owner, answer } = resolved;
        match owner.party {
            Party::Dns => self.peers.on_resolved(&mut self.cx, owner, answer),
            Party::Call => {
                let (calls, desk) = self.desk();
                calls.on_resolved(desk, owner, answer);
            }
            Party::Trunk => {
                let (trunks, mut lent) = self.trunks_and_lent();
                trunks.on_resolved(&mut lent, owner, answer)
            }
        }
    }

    fn on_port_reply(&mut self, reply: PortReply) -> Verdict {
        for granted in self.relays.on_reply(&mut self.cx, reply) {
            self.on_granted(granted);
        }
        Verdict::Accepted
    }

    fn on_granted(&mut self, granted: Granted) {
        let (calls, desk) = self.desk();
        calls.on_granted(desk, granted);
    }

    fn on_media_report(&mut self, shard: Shard, report: &MediaReport) -> Verdict {
        if let Some(call) = self.relays.owner(shard, report) {
            let (calls, desk) = self.desk();
            calls.on_media_report(desk, call, report);
        }
        Verdict::Accepted
    }

    fn on_tick(&mut self) -> Verdict {
        for _ in 0..limits::TIMERS_PER_TICK {
            let Some((_, key)) = self.cx.timers.pop_due(self.cx.now.mono) else {
                return Verdict::Accepted;
            };
            self.fire(key);
        }
        if self.cx.timers.next().is_some_and(|next| next.at <= self.cx.now.mono) {
            self.cx.counters.ticks_over_budget += 1;
        }
        Verdict::Accepted
    }

    fn fire(&mut self, key: TimerKey) {
        match key {
            TimerKey::Server(..) | TimerKey::Client(..) => {
                if let Some(upcall) = self.transactions.fire(&mut self.cx, key) {
                    self.on_upcall(upcall);
                }
            }
            TimerKey::Trunk(bits, timer) => {
                let (trunks, mut lent) = self.trunks_and_lent();
                trunks.fire(&mut lent, bits, timer)
            }
            TimerKey::Call(bits, timer) => {
                let (calls, desk) = self.desk();
                calls.fire(desk, bits, timer)
            }
            TimerKey::BindingExpiry => self.registrar.fire(&mut self.cx),
            TimerKey::Dns(_, DnsTimer::Peers) => self.peers.fire(&mut self.cx, &mut self.resolver),
            TimerKey::Dns(bits, timer) => {
                for resolved in self.resolver.fire(&mut self.cx, bits, timer) {
                    self.on_resolved(resolved);
                }
            }
            TimerKey::Ports => {
                for granted in self.relays.fire(&mut self.cx) {
                    self.on_granted(granted);
                }
            }
            TimerKey::DropReport => self.drops.report(&mut self.cx),
            TimerKey::DrainLimit => self.on_drain_limit(),
        }
    }
}
