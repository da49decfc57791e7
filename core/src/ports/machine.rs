//! The lease machine of all shards: asks, releases, replies and time go in, commands and results come out.

use super::lease::{
    BindError, Kind, Lease, LeaseId, LeaseState, Owner, Place, Pool, PortCommand, PortReply, PortResult, Refusal, Shard,
};
use super::range::{Counts, PortState, Range};
use super::shard::ShardPorts;
use crate::handle::Slab;
use crate::limits;
use crate::params::Parameters;
use crate::rng::Stream;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a port that was given back stays open and unused. A peer whose first two BYEs are lost goes on sending for 1.5 s
/// (RFC 3261 §17.1.2.2: T1, then 2·T1); with a round trip and a jitter buffer 2 s (architecture §5).
pub const QUARANTINE: Duration = Duration::from_secs(2);

/// How long an owner waits for its port. The call has said 100 by then, and nobody hears half a second (architecture §5).
pub const OPEN_WAIT: Duration = Duration::from_millis(500);

/// How long a port that another process had is left alone. Most belong to outgoing connections, which pass; one that does
/// not costs one failed try a minute.
pub const SHELF: Duration = Duration::from_secs(60);

/// How long a shard that could not open a port ahead of demand is not asked for another: long enough not to be a load.
pub const STOCK_PAUSE: Duration = Duration::from_secs(1);

/// What the ports are made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// SS_RTP_PORT_RANGE.
    pub relay: RangeInclusive<u16>,
    /// IVR_RTP_PORT. Ports that are in both ranges are the relay's.
    pub ivr: RangeInclusive<u16>,
    /// The local address that legs are expected at before one has asked.
    pub address: IpAddr,
    /// How many shards share them, at least 1.
    pub shards: u16,
    /// Leases for each shard that are kept open ahead of demand; see [`limits::WARM_LEASES`].
    pub warm: usize,
    /// How long a port that was given back is not used: [`QUARANTINE`].
    pub quarantine: Duration,
}

impl Settings {
    /// As the parameters have them.
    pub fn new(parameters: &Parameters, address: IpAddr, shards: u16) -> Settings {
        Settings {
            relay: parameters.rtp_ports(),
            ivr: parameters.ivr_ports(),
            address,
            shards,
            warm: limits::WARM_LEASES,
            quarantine: QUARANTINE,
        }
    }
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Asks that were granted.
    pub granted: u64,
    /// Of these, out of the stock.
    pub from_stock: u64,
    /// Asks that were refused.
    pub refused: u64,
    /// Ports and pairs that another process had.
    pub in_use: u64,
    /// Replies to no request, or to one that had its reply. Ignored.
    pub unexpected_replies: u64,
}

/// What a timer is for. Ordered, so that those of one moment fire in an order of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Due {
    Lease(LeaseId),
    Shelf(Place),
    Stock(Shard),
}

/// The ports of the switch and the leases on them.
///
/// After each call the owner takes [`Ports::poll_command`] and [`Ports::poll_result`] until both are empty, and calls
/// [`Ports::on_tick`] at [`Ports::poll_timeout`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ports {
    settings: Settings,
    chance: Stream,
    shards: Vec<ShardPorts>,
    leases: Slab<Lease>,
    /// The lease that waits for the reply to a request.
    requests: BTreeMap<u64, LeaseId>,
    next_request: u64,
    due: BTreeSet<(Instant, Due)>,
    commands: VecDeque<PortCommand>,
    results: VecDeque<PortResult>,
    tally: Tally,
}

impl Ports {
    /// All ports free; the first tick, which is due at once, asks for the stock.
    pub fn new(settings: Settings, chance: Stream, now: Instant) -> Ports {
        let nothing = RangeInclusive::new(1, 0);
        let relay = Range::split(settings.relay.clone(), &nothing, settings.shards);
        let ivr = Range::split(settings.ivr.clone(), &settings.relay, settings.shards);
        // Most phones offer RTCP a port of its own.
        let kind = Kind { pool: Pool::Relay, address: settings.address, is_pair: true };
        let shards: Vec<ShardPorts> =
            relay.into_iter().zip(ivr).map(|(relay, ivr)| ShardPorts::new(relay, ivr, kind)).collect();
        let all = (0..shards.len() as u16).map(Shard);
        Ports {
            due: all.map(|shard| (now, Due::Stock(shard))).collect(),
            settings,
            chance,
            shards,
            leases: Slab::default(),
            requests: BTreeMap::new(),
            next_request: 0,
            commands: VecDeque::new(),
            results: VecDeque::new(),
            tally: Tally::default(),
        }
    }

    /// The shard for a new call: of those that reply in time and have room, the one with the fewest leases.
    pub fn pick_shard(&self, kind: Kind) -> Shard {
        let rank = |shard: &ShardPorts| (shard.overdue > 0, !shard.has_room(kind), shard.owned);
        let best = (0..).map(Shard).zip(&self.shards).min_by_key(|(number, shard)| (rank(shard), *number));
        best.expect("there is a shard").0
    }

    /// Asks for a port, or a pair, of this shard: the one of [`Ports::pick_shard`], or where the call has a port already,
    /// that one's. A result follows within [`OPEN_WAIT`].
    ///
    /// # Panics
    /// Where there is no such shard.
    pub fn ask(&mut self, now: Instant, owner: Owner, shard: Shard, kind: Kind) -> LeaseId {
        self.shard(shard).owned += 1;
        let lease = match kind.pool {
            Pool::Relay => self.ask_relay(now, owner, shard, kind),
            Pool::Ivr => self.open(now, Some(owner), shard, kind),
        };
        lease.unwrap_or_else(|| {
            // The name is good for the result alone.
            let place = Place { shard, port: 0, kind };
            let state = LeaseState::Abandoned { until: None };
            let lease = self.leases.insert(Lease { place, owner: Some(owner), state });
            self.leases.remove(lease);
            self.refuse(lease, owner, shard, Refusal::NoneFree);
            lease
        })
    }

    /// Out of the stock, else opened for this owner, who goes before the stock where ports are short.
    fn ask_relay(&mut self, now: Instant, owner: Owner, shard: Shard, kind: Kind) -> Option<LeaseId> {
        let warm = self.settings.warm;
        let stock = &mut self.shard(shard).stock;
        stock.kind = kind;
        let taken = stock.take(kind);
        let is_full = stock.open() + stock.asked >= warm;
        let lease = if let Some(lease) = taken {
            self.tally.from_stock += 1;
            self.grant(lease, owner);
            taken
        } else {
            if is_full {
                self.close_warm(shard);
            }
            while !self.shard(shard).range(kind.pool).has_room(kind.is_pair) && self.close_warm(shard) {}
            self.open(now, Some(owner), shard, kind)
        };
        self.settle_stock(shard, now);
        lease
    }

    /// Gives a lease back: one that is held goes into quarantine, one that is asked for is abandoned and its result does not
    /// come. `false` where there is nothing to give back any more.
    pub fn release(&mut self, now: Instant, id: LeaseId) -> bool {
        let until = now + self.settings.quarantine;
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.owner.is_some()) else { return false };
        let place = lease.place;
        match lease.state {
            LeaseState::Asked { until, .. } => lease.state = LeaseState::Abandoned { until: Some(until) },
            LeaseState::Held => {
                lease.state = LeaseState::Quarantined { until };
                self.due.insert((until, Due::Lease(id)));
                self.set(place, PortState::Quarantined);
            }
            LeaseState::Quarantined { .. } | LeaseState::Abandoned { .. } => return false,
        }
        self.shard(place.shard).owned -= 1;
        self.results.retain(|result| !matches!(result, PortResult::Granted { lease, .. } if *lease == id));
        true
    }

    /// Keeps so many leases for each shard open ahead of demand, from the next tick on; 0 before the switch ends.
    pub fn set_warm(&mut self, now: Instant, warm: usize) {
        self.settings.warm = warm;
        for shard in (0..self.shards.len() as u16).map(Shard) {
            self.settle_later(shard, now);
        }
    }

    /// What the driver says.
    pub fn on_reply(&mut self, now: Instant, reply: PortReply) {
        let (PortReply::Opened { request } | PortReply::Refused { request, .. }) = reply;
        let Some(id) = self.requests.remove(&request) else {
            self.tally.unexpected_replies += 1;
            return;
        };
        let lease = self.leases.get(id).expect("a lease stays as long as its request");
        match (lease.state, reply) {
            (LeaseState::Asked { until, .. }, PortReply::Opened { .. }) => self.opened(id, until),
            (LeaseState::Asked { until, tries, .. }, PortReply::Refused { why, .. }) => {
                self.not_opened(now, id, until, tries, why);
            }
            (LeaseState::Abandoned { until }, _) => self.late(now, id, until, reply),
            (LeaseState::Held | LeaseState::Quarantined { .. }, _) => panic!("{id:?} has had its reply already"),
        }
    }

    /// Time has passed. Does what is due, [`limits::TIMERS_PER_TICK`] at most; the rest stays due.
    pub fn on_tick(&mut self, now: Instant) {
        for _ in 0..limits::TIMERS_PER_TICK {
            let Some((at, due)) = self.due.first().copied().filter(|(at, _)| *at <= now) else { return };
            self.due.remove(&(at, due));
            match due {
                Due::Lease(id) => self.lease_due(now, id),
                Due::Shelf(place) => self.set(place, PortState::Free),
                Due::Stock(shard) => {
                    self.shard(shard).stock.is_timed = false;
                    self.settle_stock(shard, now);
                }
            }
        }
    }

    /// The next command for the driver.
    pub fn poll_command(&mut self) -> Option<PortCommand> {
        self.commands.pop_front()
    }

    /// The next result for an owner.
    pub fn poll_result(&mut self) -> Option<PortResult> {
        self.results.pop_front()
    }

    /// When [`Ports::on_tick`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    fn shard(&mut self, shard: Shard) -> &mut ShardPorts {
        self.shards.get_mut(usize::from(shard.0)).expect("a shard is one of those the ports were made for")
    }

    fn set(&mut self, place: Place, state: PortState) {
        self.shard(place.shard).range_mut(place.kind.pool).set(place.port, place.kind.is_pair, state);
    }

    /// Takes a port out of the range and has the driver open it.
    fn open(&mut self, now: Instant, owner: Option<Owner>, shard: Shard, kind: Kind) -> Option<LeaseId> {
        let port = self.draw(shard, kind)?;
        let place = Place { shard, port, kind };
        let until = now + OPEN_WAIT;
        let request = self.next_request;
        let state = LeaseState::Asked { request, until, tries: 1 };
        let id = self.leases.insert(Lease { place, owner, state });
        self.due.insert((until, Due::Lease(id)));
        self.request(id, place);
        Some(id)
    }

    fn draw(&mut self, shard: Shard, kind: Kind) -> Option<u16> {
        let shard = self.shards.get_mut(usize::from(shard.0)).expect("a shard is one of those the ports were made for");
        shard.range_mut(kind.pool).take(&mut self.chance, kind.is_pair)
    }

    fn request(&mut self, id: LeaseId, place: Place) {
        let request = self.next_request;
        self.next_request += 1;
        self.requests.insert(request, id);
        self.commands.push_back(PortCommand::Open { request, place });
    }

    fn opened(&mut self, id: LeaseId, until: Instant) {
        self.due.remove(&(until, Due::Lease(id)));
        let warm = self.settings.warm;
        let lease = self.leases.get_mut(id).expect("its request has just been found");
        lease.state = LeaseState::Held;
        let (place, owner) = (lease.place, lease.owner);
        if let Some(owner) = owner {
            return self.grant(id, owner);
        }
        let stock = &mut self.shard(place.shard).stock;
        stock.asked -= 1;
        if stock.open() < warm {
            stock.put(id, place.kind);
        } else {
            self.close(id);
        }
    }

    fn grant(&mut self, id: LeaseId, owner: Owner) {
        let lease = self.leases.get_mut(id).expect("only a lease that is there is granted");
        lease.owner = Some(owner);
        let place = lease.place;
        self.tally.granted += 1;
        self.results.push_back(PortResult::Granted { lease: id, owner, place });
    }

    /// Another port where that one was taken, else a refusal.
    fn not_opened(&mut self, now: Instant, id: LeaseId, until: Instant, tries: u8, why: BindError) {
        let lease = self.leases.get(id).expect("its request has just been found");
        let (old, owner) = (lease.place, lease.owner);
        self.put_back(now, old, why);
        let again = why == BindError::AddressInUse && tries < limits::PORT_TRIES;
        let port = if again { self.draw(old.shard, old.kind) } else { None };
        if let Some(port) = port {
            let place = Place { port, ..old };
            let state = LeaseState::Asked { request: self.next_request, until, tries: tries + 1 };
            *self.leases.get_mut(id).expect("it was there above") = Lease { place, owner, state };
            return self.request(id, place);
        }
        self.due.remove(&(until, Due::Lease(id)));
        self.leases.remove(id);
        self.fail(now, id, owner, old.shard, why.into());
    }

    /// A reply for which nobody waits.
    fn late(&mut self, now: Instant, id: LeaseId, until: Option<Instant>, reply: PortReply) {
        let place = self.leases.get(id).expect("its request has just been found").place;
        match until {
            Some(until) => {
                self.due.remove(&(until, Due::Lease(id)));
            }
            None => {
                self.shard(place.shard).overdue -= 1;
                self.settle_later(place.shard, now);
            }
        }
        match reply {
            PortReply::Opened { .. } => self.close(id),
            PortReply::Refused { why, .. } => {
                self.leases.remove(id);
                self.put_back(now, place, why);
            }
        }
    }

    /// A port that was not bound: free, unless somebody else has it.
    fn put_back(&mut self, now: Instant, place: Place, why: BindError) {
        if why == BindError::AddressInUse {
            self.tally.in_use += 1;
            self.set(place, PortState::Shelved);
            self.due.insert((now + SHELF, Due::Shelf(place)));
        } else {
            self.set(place, PortState::Free);
        }
    }

    fn lease_due(&mut self, now: Instant, id: LeaseId) {
        let lease = self.leases.get_mut(id).expect("a lease that goes takes its timer with it");
        let (place, owner) = (lease.place, lease.owner);
        match lease.state {
            LeaseState::Quarantined { .. } => self.close(id),
            LeaseState::Asked { .. } | LeaseState::Abandoned { .. } => {
                let is_waited_for = matches!(lease.state, LeaseState::Asked { .. });
                lease.state = LeaseState::Abandoned { until: None };
                self.shard(place.shard).overdue += 1;
                if is_waited_for {
                    self.fail(now, id, owner, place.shard, Refusal::NoReply);
                }
            }
            LeaseState::Held => panic!("{id:?} is held and has a timer"),
        }
    }

    /// What was asked for does not come: the owner hears why, the stock waits.
    fn fail(&mut self, now: Instant, id: LeaseId, owner: Option<Owner>, shard: Shard, why: Refusal) {
        if let Some(owner) = owner {
            return self.refuse(id, owner, shard, why);
        }
        self.shard(shard).stock.asked -= 1;
        self.settle_later(shard, now + STOCK_PAUSE);
    }

    fn refuse(&mut self, lease: LeaseId, owner: Owner, shard: Shard, why: Refusal) {
        self.shard(shard).owned -= 1;
        self.tally.refused += 1;
        self.results.push_back(PortResult::Refused { lease, owner, why });
    }

    /// Closes what is open. Its ports are free at once: commands of a shard are done in their order.
    fn close(&mut self, id: LeaseId) {
        let place = self.leases.remove(id).expect("only a lease that is there is closed").place;
        self.set(place, PortState::Free);
        self.commands.push_back(PortCommand::Close { place });
    }

    /// Opens what the stock is short of, of the kind that was wanted last, or closes what it has too many of:
    /// [`limits::STOCK_STEP`] at most, the rest with the next tick.
    fn settle_stock(&mut self, shard: Shard, now: Instant) {
        let warm = self.settings.warm;
        for _ in 0..limits::STOCK_STEP {
            let stock = &self.shard(shard).stock;
            let (kind, open, coming) = (stock.kind, stock.open(), stock.open() + stock.asked);
            // Each ask of a driver that is silent costs a port: as many as the stock has, and no more. A reply may be lost.
            let is_silent = self.shard(shard).overdue as usize >= warm;
            let stock = &self.shard(shard).stock;
            let is_short = coming < warm && !stock.is_timed && !is_silent;
            if open > warm {
                self.close_warm(shard);
            } else if is_short && self.open(now, None, shard, kind).is_some() {
                self.shard(shard).stock.asked += 1;
            } else {
                return;
            }
        }
        self.settle_later(shard, now);
    }

    /// Goes on with [`Ports::settle_stock`] then, and opens nothing before.
    fn settle_later(&mut self, shard: Shard, at: Instant) {
        let stock = &mut self.shard(shard).stock;
        if !stock.is_timed {
            stock.is_timed = true;
            self.due.insert((at, Due::Stock(shard)));
        }
    }

    /// Closes the oldest lease of the stock, which nobody has used, so that its ports need no quarantine.
    fn close_warm(&mut self, shard: Shard) -> bool {
        let Some(lease) = self.shard(shard).stock.take_oldest() else { return false };
        self.close(lease);
        true
    }
}

/// What there is to see.
impl Ports {
    /// Ports of a range by state, of all shards together.
    pub fn counts(&self, pool: Pool) -> Counts {
        self.shards.iter().map(|shard| shard.range(pool).counts()).fold(Counts::default(), Counts::plus)
    }

    /// Ports of a range by state, of one shard; none where there is no such shard.
    pub fn counts_of(&self, shard: Shard, pool: Pool) -> Counts {
        self.shards.get(usize::from(shard.0)).map_or(Counts::default(), |shard| shard.range(pool).counts())
    }

    /// What is true of a port of this range.
    pub fn state(&self, pool: Pool, port: u16) -> PortState {
        let states = self.shards.iter().map(|shard| shard.range(pool).state(port));
        states.into_iter().find(|state| *state != PortState::Outside).unwrap_or(PortState::Outside)
    }

    /// Every lease, in an order that depends only on what was asked and given back.
    pub fn leases(&self) -> impl Iterator<Item = (LeaseId, &Lease)> {
        self.leases.iter()
    }

    /// This lease, as long as it is not closed.
    pub fn lease(&self, id: LeaseId) -> Option<&Lease> {
        self.leases.get(id)
    }

    /// Leases that are open ahead of demand.
    pub fn warm(&self) -> usize {
        self.shards.iter().map(|shard| shard.stock.open()).sum()
    }

    /// Replies that the driver owes for longer than it may: each holds a port that is lost until it comes.
    pub fn overdue(&self) -> u32 {
        self.shards.iter().map(|shard| shard.overdue).sum()
    }

    /// What the ports were made from, with what was changed since.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What has happened so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }
}
