//! What calls hold of the relay: ports and sessions, between the calls and the shards that carry them.
//!
//! A call asks here for a pair of ports, begins a session once it has them, changes it and ends it. Commands go out in
//! the order in which that happens; what the driver and its shards reply finds the call again by the lease or the session
//! that it names.

use crate::cx::Cx;
use crate::media::tone::{Law, Program};
use crate::media::{Learning, LegPlan, MediaOp, MediaReport, Party, SessionId};
use crate::ports::{Kind, LeaseId, Owner, Place, PortReply, PortResult, Ports, Refusal, Settings, Shard};
use crate::timers::{TimerId, TimerKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The ports and sessions of all calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Relays {
    ports: Ports,
    /// When the ports have something to do.
    timer: Option<TimerId>,
    /// Whose lease has no result yet: [`crate::handle::Handle::to_bits`] of the call.
    asked: BTreeMap<LeaseId, u64>,
    sessions: BTreeMap<SessionId, Session>,
    next_session: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    call: u64,
    shard: Shard,
    /// Of the last op.
    generation: u32,
    /// It is removed, and its last statistics are still to come.
    is_over: bool,
}

/// A port, or a pair, that a call may describe to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// To give it back by.
    pub lease: LeaseId,
    /// The ports.
    pub place: Place,
}

/// What [`Relays::ask`] has at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The ports.
    Held(Held),
    /// A [`Granted`] follows within [`crate::ports::OPEN_WAIT`].
    Waiting(LeaseId),
    /// None.
    Refused(Refusal),
}

/// The late result of an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Who asked.
    pub call: u64,
    /// What for.
    pub lease: LeaseId,
    /// What came of it.
    pub result: Result<Held, Refusal>,
}

impl Relays {
    /// All ports free. The first tick opens the first ones ahead of demand.
    pub fn new(cx: &mut Cx) -> Relays {
        let address = cx.config.listen[0].bind.ip();
        let settings = Settings::new(&cx.config.parameters, address, cx.config.shards());
        let ports = Ports::new(settings, cx.rng.ports.clone(), cx.now.mono);
        let mut relays =
            Relays { ports, timer: None, asked: BTreeMap::new(), sessions: BTreeMap::new(), next_session: 0 };
        relays.settle(cx);
        relays
    }

    /// The shard for a new call.
    pub fn pick_shard(&self, kind: Kind) -> Shard {
        self.ports.pick_shard(kind)
    }

    /// Asks for a port or a pair of this shard, for one side of a call.
    pub fn ask(&mut self, cx: &mut Cx, call: u64, owner: Owner, shard: Shard, kind: Kind) -> Asked {
        let lease = self.ports.ask(cx.now.mono, owner, shard, kind);
        // Nothing else waits for a result: what replies and ticks bring is taken at once.
        let result = self.ports.poll_result();
        self.settle(cx);
        match result {
            Some(PortResult::Granted { lease, place, .. }) => Asked::Held(Held { lease, place }),
            Some(PortResult::Refused { why, .. }) => Asked::Refused(why),
            None => {
                self.asked.insert(lease, call);
                Asked::Waiting(lease)
            }
        }
    }

    /// Gives ports back; ones that were only asked for are not waited for any more.
    pub fn release(&mut self, cx: &mut Cx, lease: LeaseId) {
        self.asked.remove(&lease);
        self.ports.release(cx.now.mono, lease);
        self.settle(cx);
    }

    /// The driver has opened ports, or could not.
    pub fn on_reply(&mut self, cx: &mut Cx, reply: PortReply) -> Vec<Granted> {
        self.ports.on_reply(cx.now.mono, reply);
        self.results(cx)
    }

    /// Time has passed for the ports.
    pub fn fire(&mut self, cx: &mut Cx) -> Vec<Granted> {
        self.timer = None;
        self.ports.on_tick(cx.now.mono);
        self.results(cx)
    }

    /// Begins to relay between these two legs, the caller's and the callee's.
    pub fn begin(&mut self, cx: &mut Cx, call: u64, shard: Shard, legs: [LegPlan; 2]) -> SessionId {
        let session = self.new_session(call, shard);
        cx.media(shard, MediaOp::Install { session, generation: 1, legs: Box::new(legs) });
        session
    }

    /// Changes one leg of a session.
    pub fn update(&mut self, cx: &mut Cx, session: SessionId, party: Party, leg: LegPlan, learning: Learning) {
        let Some((shard, generation)) = self.next_generation(session) else { return };
        cx.media(shard, MediaOp::Update { session, generation, party, leg: Box::new(leg), learning });
    }

    /// Begins to play to this leg of the caller's, whose other end is the switch itself.
    pub fn begin_station(
        &mut self,
        cx: &mut Cx,
        call: u64,
        shard: Shard,
        leg: LegPlan,
        (law, program): (Law, Program),
    ) -> SessionId {
        let session = self.new_session(call, shard);
        cx.media(shard, MediaOp::Station { session, generation: 1, leg: Box::new(leg), law, program });
        session
    }

    /// Lets one side of a session hear this, or no longer, instead of the other one.
    pub fn play(&mut self, cx: &mut Cx, session: SessionId, to: Party, law: Law, program: Option<Program>) {
        let Some((shard, generation)) = self.next_generation(session) else { return };
        cx.media(shard, MediaOp::Play { session, generation, to, law, program });
    }

    /// Ends a session. Its last [`MediaReport::Stats`] still reaches the call.
    pub fn end(&mut self, cx: &mut Cx, session: SessionId) {
        let Some((shard, generation)) = self.next_generation(session) else { return };
        cx.media(shard, MediaOp::Remove { session, generation });
        self.sessions.get_mut(&session).expect("looked up above").is_over = true;
    }

    /// Asks for the statistics of a session now.
    pub fn read(&mut self, cx: &mut Cx, session: SessionId) {
        if let Some(entry) = self.sessions.get(&session).filter(|entry| !entry.is_over) {
            cx.media(entry.shard, MediaOp::Read { session });
        }
    }

    /// Does not wait for the last statistics of a session any more.
    pub fn forget(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    /// The call that a report is for; none where the session is unknown, or the report from another shard than its own.
    pub fn owner(&mut self, shard: Shard, report: &MediaReport) -> Option<u64> {
        let session = report.session();
        let entry = self.sessions.get(&session).filter(|entry| entry.shard == shard)?;
        let (call, is_last) = (entry.call, entry.is_over && matches!(report, MediaReport::Stats { .. }));
        if is_last {
            self.sessions.remove(&session);
        }
        Some(call)
    }

    /// The ports, to look at.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Sessions that have not told their last statistics.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Timers that it has armed.
    pub fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    fn new_session(&mut self, call: u64, shard: Shard) -> SessionId {
        let session = SessionId(self.next_session);
        self.next_session += 1;
        self.sessions.insert(session, Session { call, shard, generation: 1, is_over: false });
        session
    }

    fn next_generation(&mut self, session: SessionId) -> Option<(Shard, u32)> {
        let entry = self.sessions.get_mut(&session).filter(|entry| !entry.is_over)?;
        entry.generation += 1;
        Some((entry.shard, entry.generation))
    }

    fn results(&mut self, cx: &mut Cx) -> Vec<Granted> {
        let results: Vec<PortResult> = std::iter::from_fn(|| self.ports.poll_result()).collect();
        self.settle(cx);
        let granted = |result| {
            let (lease, result) = match result {
                PortResult::Granted { lease, place, .. } => (lease, Ok(Held { lease, place })),
                PortResult::Refused { lease, why, .. } => (lease, Err(why)),
            };
            let call = self.asked.remove(&lease).expect("only what was asked for and not given back has a result");
            Granted { call, lease, result }
        };
        results.into_iter().map(granted).collect()
    }

    /// Hands the ports' commands on and sets the timer on what is due next.
    fn settle(&mut self, cx: &mut Cx) {
        while let Some(command) = self.ports.poll_command() {
            cx.ports(command);
        }
        let due = self.ports.poll_timeout();
        if self.timer.map(TimerId::at) != due {
            cx.timers.cancel(&mut self.timer);
            self.timer = due.map(|at| cx.timers.arm(at, TimerKey::Ports));
        }
    }
}
