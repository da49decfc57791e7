//! The relay: sessions of one thread, and the decision about each packet that comes to their sockets.
//!
//! The packet stays in the driver's buffer: it is read and edited there, and the answer says through which socket it goes
//! where. Nothing is allocated and no text is looked at for a packet; a socket's number leads to its session at once.
//! Drain [`MediaShard::poll_report`] after each op, each tick and each pass over the sockets that are ready.

use super::latch::{Move, canonical};
use super::op::{Component, Kind, LegPlan, LegSocket, MediaOp, MediaReport, Party, Refusal, SessionId};
use super::playing::Playing;
use super::session::Session;
use super::stats::Tally;
use super::tone::{Law, PACKET_BYTES, Program, Sounds};
use super::turns::Turns;
use crate::handle::{Handle, Slab};
use crate::limits::{MEDIA_ENDED, MEDIA_REPORTS_WAITING, MEDIA_SESSIONS, MEDIA_SOCKETS, TIMERS_PER_TICK};
use crate::reason::reasons;
use crate::rng::Stream;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

/// What to do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relay {
    /// Send it, as it is in the buffer now.
    Forward {
        /// Through this socket.
        out: LegSocket,
        /// To there.
        to: SocketAddr,
    },
    /// Nothing: it was for us.
    Consume,
    /// Nothing: it is counted under this reason.
    Drop(MediaDrop),
}

reasons! {
    /// Why a packet was dropped.
    MediaDrop:
    /// No session has the socket: it came before its install or after its end.
    NoSession = "no-session",
    /// Neither RTP nor RTCP, where only these are relayed; or RTP at a socket of RTCP.
    NotRtp = "not-rtp",
    /// The leg's target is not locked, and the source is none that it may be learned from, or worse than one that it was.
    Untrusted = "untrusted",
    /// The leg's target is locked, and this comes from elsewhere.
    Spoofed = "spoofed",
    /// Nobody knows yet where the other leg's peer receives.
    NoTarget = "no-target",
    /// The other leg's peer takes no RTCP.
    NoRtcp = "no-rtcp",
    /// The other leg's peer hears what the switch plays to it.
    PlayedOver = "played-over",
}

/// Where a socket belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    session: Handle<Session>,
    party: Party,
    component: Component,
}

/// Reports that wait.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reports {
    queue: VecDeque<MediaReport>,
    lost: u64,
}

impl Reports {
    /// What a packet or a tick brings about. Refused where nobody has drained for long: [`MediaOp::Read`] shows the same.
    pub(super) fn tell(&mut self, report: MediaReport) {
        match self.queue.len() < MEDIA_REPORTS_WAITING {
            true => self.queue.push_back(report),
            false => self.lost += 1,
        }
    }

    /// The answer to an op, or the end of what one began, which is never lost: signalling bounds its ops.
    pub(super) fn answer(&mut self, report: MediaReport) {
        self.queue.push_back(report);
    }
}

/// The sessions of one thread.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MediaShard {
    /// Time as it was last told; an earlier one counts as this (rule R6).
    now: Instant,
    /// By socket number.
    places: Vec<Option<Place>>,
    sessions: Slab<Session>,
    by_id: BTreeMap<SessionId, Handle<Session>>,
    /// The sessions that ended last, so that an install which comes after its remove starts nothing.
    ended: VecDeque<SessionId>,
    /// When which session looks for silence.
    checks: BTreeSet<(Instant, Handle<Session>)>,
    /// What plays to whom has its turn when.
    turns: Turns,
    sounds: Sounds,
    /// Sources, first sequence numbers and timestamps of what is played (RFC 3550 §5.1).
    chance: Stream,
    reports: Reports,
    tally: Tally,
}

impl MediaShard {
    /// A shard without sessions, with these recordings to play. `chance` is its own: see [`crate::rng::media_stream`].
    pub fn new(chance: Stream, sounds: Sounds) -> MediaShard {
        MediaShard {
            now: Instant::EPOCH,
            places: Vec::new(),
            sessions: Slab::default(),
            by_id: BTreeMap::new(),
            ended: VecDeque::new(),
            checks: BTreeSet::new(),
            turns: Turns::default(),
            sounds,
            chance,
            // in full from the start, since packets may not allocate
            reports: Reports { queue: VecDeque::with_capacity(MEDIA_REPORTS_WAITING), lost: 0 },
            tally: Tally::default(),
        }
    }

    /// Other recordings for what begins from now on; what plays already keeps its own.
    pub fn set_sounds(&mut self, sounds: Sounds) {
        self.sounds = sounds;
    }

    /// Carries an op out, or leaves everything as it was.
    pub fn apply(&mut self, now: Instant, op: MediaOp) {
        self.pass_to(now);
        let (session, generation) = match op {
            MediaOp::Install { session, generation, .. }
            | MediaOp::Station { session, generation, .. }
            | MediaOp::Play { session, generation, .. }
            | MediaOp::Update { session, generation, .. }
            | MediaOp::Remove { session, generation } => (session, generation),
            MediaOp::Read { session } => (session, 0),
        };
        match self.carry_out(op) {
            Ok(true) => self.reports.answer(MediaReport::Applied { session, generation }),
            Ok(false) => {}
            Err(why) => self.reports.answer(MediaReport::Refused { session, generation, why }),
        }
    }

    /// Decides about one packet that came to the socket `at`.
    pub fn relay(&mut self, now: Instant, at: LegSocket, from: SocketAddr, packet: &mut [u8]) -> Relay {
        self.pass_to(now);
        let relay = match self.places.get(at.0 as usize).copied().flatten() {
            None => Relay::Drop(MediaDrop::NoSession),
            Some(Place { session, party, component }) => {
                let session = self.sessions.get_mut(session).expect("a place is cleared when its session is removed");
                session.relay(self.now, (party, component), canonical(from), packet, &mut self.reports)
            }
        };
        self.tally.count(relay);
        relay
    }

    /// Looks for silence where it is time; the rest of too many follows with the next tick.
    pub fn tick(&mut self, now: Instant) {
        self.pass_to(now);
        for _ in 0..TIMERS_PER_TICK {
            match self.checks.first() {
                Some(&(at, session)) if at <= self.now => self.check(session),
                _ => break,
            }
        }
    }

    /// Writes the next packet that the switch itself sends now to `out`, and says through which socket it goes where. To
    /// be asked with each tick until there is none; where many are due that nobody can be sent, the rest of them follows
    /// with the next tick.
    pub fn poll_packet(&mut self, now: Instant, out: &mut [u8; PACKET_BYTES]) -> Option<(LegSocket, SocketAddr)> {
        self.pass_to(now);
        for _ in 0..TIMERS_PER_TICK {
            let (handle, party) = self.turns.pop(self.now)?;
            let session = self.sessions.get_mut(handle).expect("turns end with their session");
            let packet = session.turn(self.now, party, out, &mut self.reports);
            if let Some(at) = session.playing(party).and_then(|playing| playing.next) {
                self.turns.insert(at, handle, party);
            }
            if packet.is_some() {
                return packet;
            }
        }
        None
    }

    /// When it wants a tick.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let check = self.checks.first().map(|(at, _)| *at);
        [check, self.turns.first()].into_iter().flatten().min()
    }

    /// The next report, in the order in which they came about.
    pub fn poll_report(&mut self) -> Option<MediaReport> {
        self.reports.queue.pop_front()
    }

    /// What became of all packets so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Reports that were not told because nobody drained.
    pub fn lost_reports(&self) -> u64 {
        self.reports.lost
    }

    /// How many sessions it holds.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether a session has this socket.
    pub fn has(&self, at: LegSocket) -> bool {
        matches!(self.places.get(at.0 as usize), Some(Some(_)))
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Where a leg's media goes now, and why.
    pub fn target(&self, session: SessionId, party: Party, component: Component) -> Option<&Move> {
        let session = self.sessions.get(*self.by_id.get(&session)?)?;
        Some(session.latch(party, component)?.moved())
    }

    fn pass_to(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    fn session(&mut self, handle: Handle<Session>) -> &mut Session {
        self.sessions.get_mut(handle).expect("by_id and checks name no session that was removed")
    }

    /// Whether there is anything to confirm.
    fn carry_out(&mut self, op: MediaOp) -> Result<bool, Refusal> {
        match op {
            MediaOp::Install { session, generation, legs } => self.install(session, generation, &legs),
            MediaOp::Station { session, generation, leg, law, program } => {
                self.station(session, generation, &leg, (law, &program))
            }
            MediaOp::Play { session, generation, to, law, program } => {
                let Some(handle) = self.newer(session, generation)? else { return Ok(false) };
                self.play(handle, generation, to, program.as_ref().map(|program| (law, program)))?;
                self.session(handle).generation = generation;
                Ok(true)
            }
            MediaOp::Update { session, generation, party, leg, learning } => {
                let Some(handle) = self.newer(session, generation)? else { return Ok(false) };
                let now = self.now;
                if self.session(handle).playing(party).is_some() && leg.kind != Kind::Rtp {
                    return Err(Refusal::NotRtp);
                }
                self.replace_sockets(handle, party, &leg)?;
                let session = self.session(handle);
                session.generation = generation;
                session.update(now, party, *leg, learning);
                self.check(handle);
                Ok(true)
            }
            MediaOp::Remove { session, generation } => {
                if !self.by_id.contains_key(&session) {
                    self.end(session);
                    return Err(Refusal::Unknown);
                }
                let Some(handle) = self.newer(session, generation)? else { return Ok(false) };
                self.remove(handle);
                Ok(true)
            }
            MediaOp::Read { session } => {
                let handle = *self.by_id.get(&session).ok_or(Refusal::Unknown)?;
                let legs = Box::new(self.session(handle).stats());
                self.reports.answer(MediaReport::Stats { session, legs });
                Ok(false)
            }
        }
    }

    /// The session, if the op is above the last one.
    fn newer(&self, session: SessionId, generation: u32) -> Result<Option<Handle<Session>>, Refusal> {
        let handle = *self.by_id.get(&session).ok_or(Refusal::Unknown)?;
        let is_newer = self.sessions.get(handle).is_some_and(|session| generation > session.generation);
        Ok(is_newer.then_some(handle))
    }

    fn install(&mut self, id: SessionId, generation: u32, legs: &[LegPlan; 2]) -> Result<bool, Refusal> {
        if !self.has_room(id, generation, legs)? {
            return Ok(false);
        }
        self.begin(Session::new(self.now, id, generation, legs));
        Ok(true)
    }

    fn station(
        &mut self,
        id: SessionId,
        generation: u32,
        leg: &LegPlan,
        program: (Law, &Program),
    ) -> Result<bool, Refusal> {
        if !self.has_room(id, generation, std::slice::from_ref(leg))? {
            return Ok(false);
        }
        if leg.kind != Kind::Rtp {
            return Err(Refusal::NotRtp);
        }
        let playing = Playing::new(self.now, generation, program, None, &self.sounds, &mut self.chance)?;
        let next = playing.next;
        let handle = self.begin(Session::station(self.now, id, generation, *leg, playing));
        if let Some(at) = next {
            self.turns.insert(at, handle, Party::Caller);
        }
        Ok(true)
    }

    /// Lets a leg hear this, or stops what it hears.
    fn play(
        &mut self,
        handle: Handle<Session>,
        generation: u32,
        to: Party,
        program: Option<(Law, &Program)>,
    ) -> Result<(), Refusal> {
        let session = self.sessions.get_mut(handle).expect("by_id names no session that was removed");
        let kind = session.plan(to)?.kind;
        let before = session.playing(to);
        let playing = match program {
            Some(_) if kind != Kind::Rtp => return Err(Refusal::NotRtp),
            Some((_, Program::Echo)) if !session.is_station() => return Err(Refusal::Echo),
            Some(program) => Some(Playing::new(self.now, generation, program, before, &self.sounds, &mut self.chance)?),
            None => None,
        };
        if let Some(at) = before.and_then(|before| before.next) {
            self.turns.remove(at, handle, to);
        }
        if let Some(at) = playing.as_ref().and_then(|playing| playing.next) {
            self.turns.insert(at, handle, to);
        }
        session.play(to, playing);
        Ok(())
    }

    /// Whether a session of these legs is new and not over already.
    fn has_room(&self, id: SessionId, generation: u32, legs: &[LegPlan]) -> Result<bool, Refusal> {
        if self.ended.contains(&id) {
            return Ok(false);
        }
        if let Some(handle) = self.by_id.get(&id) {
            let is_older = self.sessions.get(*handle).is_some_and(|session| generation <= session.generation);
            return if is_older { Ok(false) } else { Err(Refusal::Installed) };
        }
        if self.sessions.len() >= MEDIA_SESSIONS {
            return Err(Refusal::Full);
        }
        let sockets: Vec<LegSocket> = legs.iter().flat_map(LegPlan::sockets).map(|(socket, _)| socket).collect();
        self.claim(&sockets, |_| false)?;
        Ok(true)
    }

    fn begin(&mut self, session: Session) -> Handle<Session> {
        let plans: Vec<LegPlan> = session.plans().copied().collect();
        let id = session.id;
        let handle = self.sessions.insert(session);
        self.by_id.insert(id, handle);
        for (party, leg) in Party::BOTH.into_iter().zip(&plans) {
            self.place(handle, party, leg);
        }
        self.check(handle);
        handle
    }

    /// Whether these sockets can be had: different ones, in range, and nobody's or `own`.
    fn claim(&self, sockets: &[LegSocket], own: impl Fn(&Place) -> bool) -> Result<(), Refusal> {
        for (index, socket) in sockets.iter().enumerate() {
            let number = socket.0 as usize;
            if number >= MEDIA_SOCKETS {
                return Err(Refusal::SocketNumber);
            }
            let place = self.places.get(number).and_then(Option::as_ref);
            if sockets[..index].contains(socket) || place.is_some_and(|place| !own(place)) {
                return Err(Refusal::SocketTaken);
            }
        }
        Ok(())
    }

    fn replace_sockets(&mut self, handle: Handle<Session>, party: Party, leg: &LegPlan) -> Result<(), Refusal> {
        let before = *self.session(handle).plan(party)?;
        let sockets: Vec<LegSocket> = leg.sockets().map(|(socket, _)| socket).collect();
        self.claim(&sockets, |place| place.session == handle && place.party == party)?;
        self.clear(&before);
        self.place(handle, party, leg);
        Ok(())
    }

    fn place(&mut self, session: Handle<Session>, party: Party, leg: &LegPlan) {
        for (socket, component) in leg.sockets() {
            let number = socket.0 as usize;
            if self.places.len() <= number {
                self.places.resize(number + 1, None);
            }
            self.places[number] = Some(Place { session, party, component });
        }
    }

    fn clear(&mut self, leg: &LegPlan) {
        for (socket, _) in leg.sockets() {
            self.places[socket.0 as usize] = None;
        }
    }

    fn remove(&mut self, handle: Handle<Session>) {
        let session = self.sessions.remove(handle).expect("only a session that was found is removed");
        session.plans().for_each(|plan| self.clear(plan));
        for party in Party::BOTH {
            if let Some(at) = session.playing(party).and_then(|playing| playing.next) {
                self.turns.remove(at, handle, party);
            }
        }
        if let Some(at) = session.check_at {
            self.checks.remove(&(at, handle));
        }
        self.by_id.remove(&session.id);
        self.end(session.id);
        let legs = Box::new(session.stats());
        self.reports.answer(MediaReport::Stats { session: session.id, legs });
    }

    fn end(&mut self, session: SessionId) {
        if self.ended.len() >= MEDIA_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(session);
    }

    /// Lets a session look for silence, and sets when it does so again.
    fn check(&mut self, handle: Handle<Session>) {
        let session = self.sessions.get_mut(handle).expect("by_id and checks name no session that was removed");
        if let Some(at) = session.check_at.take() {
            self.checks.remove(&(at, handle));
        }
        session.check_at = session.check(self.now, &mut self.reports);
        if let Some(at) = session.check_at {
            self.checks.insert((at, handle));
        }
    }
}

#[cfg(test)]
mod tests;
