//! Random owners and a random driver; what must hold is checked after every step.

use super::*;
use quickcheck::{Arbitrary, Gen, QuickCheck, quickcheck};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Op {
    Ask {
        pool: Pool,
        is_pair: bool,
        is_v6: bool,
        same_shard: bool,
    },
    /// Of those that were asked for, counted from the first.
    Release(usize),
    /// To one of the requests that wait.
    Reply(usize, Result<(), BindError>),
    /// To a request that has had its reply, or that never was.
    Stray(u64),
    /// Milliseconds.
    Pass(u64),
    SetWarm(usize),
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Op {
        let mut below = |bound: u64| u64::arbitrary(g) % bound;
        let pick = below(1000) as usize;
        match below(20) {
            0..=6 => Op::Ask {
                pool: if below(8) == 0 { Pool::Ivr } else { Pool::Relay },
                is_pair: below(2) == 0,
                is_v6: below(4) == 0,
                same_shard: below(2) == 0,
            },
            7..=9 => Op::Release(pick),
            10..=12 => Op::Reply(pick, Ok(())),
            13 => Op::Reply(pick, Err(BindError::AddressInUse)),
            14 => Op::Reply(pick, Err([BindError::NoSockets, BindError::Other][pick % 2])),
            15 => Op::Stray(below(64)),
            16 => Op::SetWarm(pick % 5),
            _ => Op::Pass([1, 20, 499, 500, 1000, 2000, 61_000][below(7) as usize]),
        }
    }
}

/// What was asked for, and when it was resolved or given back.
struct Asked {
    lease: LeaseId,
    shard: Shard,
    kind: Kind,
    at: Instant,
    is_over: bool,
}

struct World {
    rig: Rig,
    asked: Vec<Asked>,
    sizes: [u32; 2],
}

impl World {
    fn new() -> World {
        let rig = Rig::new(settings((10_001, 10_024), 2, 3));
        World { rig, asked: Vec::new(), sizes: [24, 6] }
    }

    fn apply(&mut self, op: &Op) {
        let rig = &mut self.rig;
        match *op {
            Op::Ask { pool, is_pair, is_v6, same_shard } => {
                let kind = Kind { pool, address: if is_v6 { V6 } else { V4 }, is_pair };
                let shard = if same_shard { Shard(1) } else { rig.ports.pick_shard(kind) };
                let lease = rig.ask_of(self.asked.len() as u64, shard, kind);
                self.asked.push(Asked { lease, shard, kind, at: rig.now, is_over: false });
            }
            Op::Release(pick) if !self.asked.is_empty() => {
                let pick = pick % self.asked.len();
                let asked = &mut self.asked[pick];
                rig.release(asked.lease);
                asked.is_over = true;
            }
            Op::Reply(pick, outcome) if !rig.waiting.is_empty() => {
                let (request, place) = rig.waiting.remove(pick % rig.waiting.len()).expect("one of them");
                rig.reply_to(request, place, outcome);
            }
            Op::Stray(request) if rig.waiting.iter().all(|(waiting, _)| *waiting != request) => {
                let before = rig.ports.tally().unexpected_replies;
                rig.ports.on_reply(rig.now, PortReply::Opened { request });
                rig.drain();
                assert_eq!(rig.ports.tally().unexpected_replies, before + 1);
            }
            Op::Pass(ms) => {
                rig.pass(Duration::from_millis(ms));
                assert!(rig.ports.poll_timeout().is_none_or(|at| at > rig.now), "a tick makes progress");
            }
            Op::SetWarm(warm) => {
                rig.ports.set_warm(rig.now, warm);
                rig.tick();
            }
            Op::Release(_) | Op::Reply(..) | Op::Stray(_) => {}
        }
        self.take_results();
        self.check();
    }

    /// One result for each ask that was not given back, none for others.
    fn take_results(&mut self) {
        for result in self.rig.results() {
            let (PortResult::Granted { lease, owner, .. } | PortResult::Refused { lease, owner, .. }) = result;
            let asked = &mut self.asked[owner.flow_no as usize];
            assert_eq!(asked.lease, lease);
            if let PortResult::Granted { place, .. } = result {
                assert_eq!((place.shard, place.kind), (asked.shard, asked.kind), "what was asked for");
            }
            assert!(!asked.is_over, "{result:?} is not awaited");
            asked.is_over = true;
        }
    }

    fn check(&self) {
        let rig = &self.rig;
        for asked in &self.asked {
            assert!(asked.is_over || rig.now < asked.at + OPEN_WAIT, "{:?} is not resolved in time", asked.lease);
        }
        let mut used = [0, 0];
        let mut quarantined = [0, 0];
        for (_, lease) in rig.ports.leases() {
            let pool = lease.place.kind.pool as usize;
            let is_quarantined = matches!(lease.state, LeaseState::Quarantined { .. });
            let count = if is_quarantined { &mut quarantined } else { &mut used };
            count[pool] += 1 + u32::from(lease.place.kind.is_pair);
            assert!(lease.place.ports().all(|port| rig.bound.get(&port) == Some(&lease.place)));
        }
        for pool in [Pool::Relay, Pool::Ivr] {
            let counts = rig.ports.counts(pool);
            assert_eq!(counts.total(), self.sizes[pool as usize]);
            assert_eq!((counts.used, counts.quarantined), (used[pool as usize], quarantined[pool as usize]));
        }
        let bound: u32 = used.iter().chain(&quarantined).sum();
        assert_eq!(rig.bound.len() as u32, bound, "what is open has a lease");
    }

    /// All owners go, the driver replies, time passes: nothing is left.
    fn end(mut self) {
        let rig = &mut self.rig;
        for asked in &self.asked {
            rig.release(asked.lease);
        }
        rig.ports.set_warm(rig.now, 0);
        rig.pass(STOCK_PAUSE);
        rig.reply_all();
        rig.pass(SHELF + QUARANTINE);
        assert_eq!((rig.ports.leases().count(), rig.bound.len(), rig.ports.overdue()), (0, 0, 0));
        assert_eq!((rig.ports.warm(), rig.ports.poll_timeout()), (0, None));
        for (pool, size) in [Pool::Relay, Pool::Ivr].into_iter().zip(self.sizes) {
            assert_eq!(rig.ports.counts(pool), counts(size, 0, 0, 0));
        }
        // A range that is whole again has every pair.
        let pairs = (0..).map_while(|flow_no| {
            rig.ask(flow_no, Pool::Relay, true);
            rig.results().is_empty().then_some(())
        });
        assert_eq!(pairs.count(), 11, "of 10001 to 10024 the first and the last port are halves");
    }
}

fn every_lease_ends(ops: Vec<Op>) -> bool {
    let mut world = World::new();
    ops.iter().for_each(|op| world.apply(op));
    world.end();
    true
}

#[test]
fn no_port_is_held_twice_and_every_lease_ends() {
    QuickCheck::new().quickcheck(every_lease_ends as fn(Vec<Op>) -> bool);
}

/// Ports wear out slowly where they do.
#[test]
fn nothing_is_lost_in_the_long_run() {
    QuickCheck::new().rng(Gen::new(5_000)).tests(10).quickcheck(every_lease_ends as fn(Vec<Op>) -> bool);
}

quickcheck! {
    fn a_snapshot_at_any_step_goes_on_the_same(ops: Vec<Op>) -> bool {
        let mut world = World::new();
        let mut other = World::new();
        for op in &ops {
            other.rig.ports = postcard::from_bytes(&other.rig.bytes()).unwrap();
            world.apply(op);
            other.apply(op);
            assert_eq!(world.rig.bytes(), other.rig.bytes());
        }
        true
    }
}
