//! A switch's owner and a driver, played by hand, around the machine.

mod model;
mod ranges;
mod steps;

use super::*;
use crate::media::Party;
use crate::rng::{Seed, Stream};
use crate::time::Instant;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const MS: Duration = Duration::from_millis(1);

/// The machine with what stands around it, which watches what it does.
struct Rig {
    ports: Ports,
    now: Instant,
    /// Opens without a reply, oldest first.
    waiting: VecDeque<(u64, Place)>,
    /// What each port is bound for, or about to be.
    bound: BTreeMap<u16, Place>,
    /// When a port that a leg had may be opened again.
    quarantine: BTreeMap<u16, Instant>,
    results: Vec<PortResult>,
}

fn settings(relay: (u16, u16), shards: u16, warm: usize) -> Settings {
    Settings { relay: relay.0..=relay.1, ivr: 40_000..=40_005, shards, address: V4, warm, quarantine: QUARANTINE }
}

fn owner(flow_no: u64) -> Owner {
    Owner { flow_no, party: Party::Caller }
}

fn kind(pool: Pool, is_pair: bool) -> Kind {
    Kind { pool, address: V4, is_pair }
}

impl Place {
    fn ports(self) -> std::ops::RangeInclusive<u16> {
        self.port..=self.port + u16::from(self.kind.is_pair)
    }
}

impl Rig {
    fn new(settings: Settings) -> Rig {
        let now = Instant::from_micros(1);
        let ports = Ports::new(settings, Stream::new(Seed::from_number(5), 6), now);
        let mut rig = Rig {
            ports,
            now,
            waiting: VecDeque::new(),
            bound: BTreeMap::new(),
            quarantine: BTreeMap::new(),
            results: Vec::new(),
        };
        rig.tick();
        rig
    }

    /// Takes what the machine has to say.
    #[track_caller]
    fn drain(&mut self) {
        while let Some(command) = self.ports.poll_command() {
            match command {
                PortCommand::Open { request, place } => {
                    assert!(
                        !place.kind.is_pair || place.port.is_multiple_of(2),
                        "{place:?} does not begin with an even port"
                    );
                    for port in place.ports() {
                        assert_eq!(self.bound.insert(port, place), None, "port {port} is held twice");
                        let free_at = self.quarantine.get(&port).copied().unwrap_or(Instant::EPOCH);
                        assert!(free_at <= self.now, "port {port} is given within its quarantine");
                    }
                    self.waiting.push_back((request, place));
                }
                PortCommand::Close { place } => {
                    for port in place.ports() {
                        assert_eq!(self.bound.remove(&port), Some(place), "port {port} is closed and was not open");
                    }
                }
            }
        }
        while let Some(result) = self.ports.poll_result() {
            self.results.push(result);
        }
    }

    fn ask(&mut self, flow_no: u64, pool: Pool, is_pair: bool) -> LeaseId {
        let kind = kind(pool, is_pair);
        self.ask_of(flow_no, self.ports.pick_shard(kind), kind)
    }

    fn ask_of(&mut self, flow_no: u64, shard: Shard, kind: Kind) -> LeaseId {
        let lease = self.ports.ask(self.now, owner(flow_no), shard, kind);
        self.drain();
        lease
    }

    /// Replies to the oldest request.
    fn reply(&mut self, outcome: Result<(), BindError>) {
        let (request, place) = self.waiting.pop_front().expect("a request waits");
        self.reply_to(request, place, outcome);
    }

    fn reply_to(&mut self, request: u64, place: Place, outcome: Result<(), BindError>) {
        let reply = match outcome {
            Ok(()) => PortReply::Opened { request },
            Err(why) => {
                self.bound.retain(|port, _| !place.ports().contains(port));
                PortReply::Refused { request, why }
            }
        };
        self.ports.on_reply(self.now, reply);
        self.drain();
    }

    /// Every request is granted.
    fn reply_all(&mut self) {
        while !self.waiting.is_empty() {
            self.reply(Ok(()));
        }
    }

    fn release(&mut self, lease: LeaseId) -> bool {
        let held = self.ports.lease(lease).filter(|lease| lease.state == LeaseState::Held).map(|lease| lease.place);
        let released = self.ports.release(self.now, lease);
        if released && let Some(place) = held {
            self.quarantine.extend(place.ports().map(|port| (port, self.now + QUARANTINE)));
        }
        self.drain();
        released
    }

    fn tick(&mut self) {
        self.ports.on_tick(self.now);
        self.drain();
    }

    /// Time passes, with a tick at each deadline and one at the end.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.ports.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    fn results(&mut self) -> Vec<PortResult> {
        std::mem::take(&mut self.results)
    }

    fn refusal(&mut self) -> Refusal {
        match self.results()[..] {
            [PortResult::Refused { why, .. }] => why,
            ref other => panic!("{other:?}"),
        }
    }

    fn granted(&mut self) -> Place {
        match self.results()[..] {
            [PortResult::Granted { place, .. }] => place,
            ref other => panic!("{other:?}"),
        }
    }

    fn state(&self, lease: LeaseId) -> &'static str {
        self.ports.lease(lease).map_or("closed", |lease| lease.state.name())
    }

    fn bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.ports).expect("plain data")
    }
}

fn counts(free: u32, used: u32, quarantined: u32, shelved: u32) -> Counts {
    Counts { free, used, quarantined, shelved }
}
