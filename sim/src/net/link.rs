//! One direction between two nodes: what its [`Plan`] and its [`Fault`]s do to a datagram.

use super::chance::Chances;
use super::fault::{Fault, strike};
use super::passage::Loss;
use super::plan::{HEADERS_BYTES, Plan, Rate};
use bytes::Bytes;
use crosspoint_core::rng::Stream;
use crosspoint_core::time::Instant;
use std::time::Duration;

/// One direction between two nodes.
///
/// Every datagram has chances of its own, named by the link, a key and its number among the datagrams of that key. A key
/// is whatever the traffic is told apart by, as the operation of a scenario that caused it.
///
/// ```
/// use crosspoint_core::{rng::{Seed, Stream}, time::Instant};
/// use crosspoint_sim::net::{Link, Plan};
///
/// let link = || Link::new(Plan::BAD, Stream::new(Seed::from_number(7), 1));
/// let (mut alone, mut crowded) = (link(), link());
/// for _ in 0..100 {
///     crowded.carry(Instant::EPOCH, b"of another call", 2).ok();
///     assert_eq!(alone.carry(Instant::EPOCH, b"x", 1), crowded.carry(Instant::EPOCH, b"x", 1));
/// }
/// ```
#[derive(Debug)]
pub struct Link {
    /// How bad it is; may change at any time.
    pub plan: Plan,
    /// What is scripted.
    pub faults: Vec<Fault>,
    chances: Chances,
    /// Until when the queue before [`Rate`] is being worked off.
    busy_until: Instant,
}

/// A datagram that a link carries: when its copies arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// When the first copy does.
    pub first: Instant,
    /// When the second does, where it is doubled.
    pub second: Option<Instant>,
}

impl Carried {
    /// When each of them does.
    pub fn times(self) -> impl Iterator<Item = Instant> {
        std::iter::once(self.first).chain(self.second)
    }

    /// Each of them, and when; the usual one copy is none.
    pub(super) fn copies(self, datagram: Bytes) -> impl Iterator<Item = (Instant, Bytes)> {
        let second = self.second.map(|at| (at, datagram.clone()));
        std::iter::once((self.first, datagram)).chain(second)
    }
}

impl Link {
    /// A link with chances of its own, named from `stream`.
    pub fn new(plan: Plan, stream: Stream) -> Link {
        Link { plan, faults: Vec::new(), chances: Chances::new(stream), busy_until: Instant::EPOCH }
    }

    /// Carries a datagram that belongs to this key.
    pub fn carry(&mut self, now: Instant, datagram: &[u8], key: u64) -> Result<Carried, Loss> {
        let struck = strike(&mut self.faults, datagram);
        let drawn = if self.plan.is_calm() { Drawn::calm(&self.plan) } else { self.draw(now, key) };
        let size_bytes = datagram.len() as u64 + HEADERS_BYTES;
        if self.plan.mtu_bytes.is_some_and(|mtu| size_bytes > mtu) {
            return Err(Loss::TooBig);
        }
        let sent = match self.plan.rate {
            Some(rate) => self.queue(now, size_bytes, rate)?,
            None => now,
        };
        if drawn.is_lost || struck.is_lost {
            return Err(Loss::Lost);
        }
        let after = |us: u64| sent + Duration::from_micros(us + struck.delay_us);
        let is_doubled = drawn.second_us.is_some() || struck.is_doubled;
        let second_us = drawn.second_us.unwrap_or(drawn.first_us);
        Ok(Carried { first: after(drawn.first_us), second: is_doubled.then(|| after(second_us)) })
    }

    /// Carries a datagram where nothing tells the traffic apart: how long each of its copies takes.
    pub fn delays(&mut self, now: Instant, datagram: &[u8]) -> Vec<Duration> {
        let carried = self.carry(now, datagram, 0);
        carried.into_iter().flat_map(Carried::times).map(|at| at.since(now)).collect()
    }

    /// What chance does to the next datagram of this key.
    fn draw(&mut self, now: Instant, key: u64) -> Drawn {
        let plan = &self.plan;
        let (mut draws, count) = self.chances.next(now, key);
        let mut latency = || {
            let spread = plan.latency_max_us.saturating_sub(plan.latency_min_us);
            let (even, is_late, late) = (draws.up_to(spread), draws.is(plan.tail_permille), draws.up_to(plan.tail_us));
            plan.latency_min_us + even + if is_late { late } else { 0 }
        };
        let (first_us, second_us) = (latency(), latency());
        let held_us = if draws.is(plan.reorder_permille) { plan.reorder_us } else { 0 };
        let is_doubled = draws.is(plan.duplicate_permille);
        let mut is_lost = draws.is(plan.loss_permille);
        if let Some(burst) = plan.burst {
            let turns = draws.is(if count.is_in_burst { burst.leave_permille } else { burst.enter_permille });
            count.is_in_burst ^= turns;
            is_lost |= count.is_in_burst && draws.is(burst.loss_permille);
        }
        Drawn { is_lost, first_us: first_us + held_us, second_us: is_doubled.then_some(second_us) }
    }

    /// When so much has gone out, after what is in the queue already.
    fn queue(&mut self, now: Instant, size_bytes: u64, rate: Rate) -> Result<Instant, Loss> {
        let bytes_per_s = rate.bytes_per_s.max(1);
        let wait_us = self.busy_until.since(now).as_micros();
        let waiting_bytes = wait_us * u128::from(bytes_per_s) / 1_000_000;
        if waiting_bytes + u128::from(size_bytes) > u128::from(rate.queue_bytes) {
            return Err(Loss::QueueFull);
        }
        let takes_us = size_bytes * 1_000_000 / bytes_per_s;
        self.busy_until = self.busy_until.max(now) + Duration::from_micros(takes_us);
        Ok(self.busy_until)
    }
}

/// What chance decides about one datagram.
struct Drawn {
    is_lost: bool,
    first_us: u64,
    second_us: Option<u64>,
}

impl Drawn {
    /// Where nothing is left to chance.
    fn calm(plan: &Plan) -> Drawn {
        Drawn { is_lost: false, first_us: plan.latency_min_us, second_us: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Burst, Fate};
    use super::*;
    use crosspoint_core::rng::Seed;
    use quickcheck::quickcheck;

    const AT: Instant = Instant::from_micros(5_000_000);
    const OK: &[u8] = b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n";
    const BYE: &[u8] = b"SIP/2.0 200 OK\r\nCSeq: 2 BYE\r\n\r\n";

    fn link(plan: Plan) -> Link {
        Link::new(plan, Stream::new(Seed::from_number(7), 1))
    }

    fn us_after(carried: Carried) -> Vec<u128> {
        carried.times().map(|at| at.since(AT).as_micros()).collect()
    }

    /// When each of so many datagrams arrives, in microseconds.
    fn carried(link: &mut Link, datagrams: usize) -> Vec<Result<Vec<u128>, Loss>> {
        (0..datagrams).map(|_| link.carry(AT, b"x", 1).map(us_after)).collect()
    }

    #[test]
    fn a_good_link_takes_a_millisecond() {
        assert_eq!(carried(&mut link(Plan::GOOD), 2), [Ok(vec![1000]), Ok(vec![1000])]);
        assert_eq!(carried(&mut link(Plan::AT_ONCE), 1), [Ok(vec![0])]);
        assert_eq!(carried(&mut link(Plan::DOUBLED), 1), [Ok(vec![1000, 1000])]);
    }

    #[test]
    fn a_bad_link_loses_doubles_and_reorders_about_as_often_as_planned() {
        let carried = carried(&mut link(Plan::BAD), 10_000);
        let count = |of: fn(&Vec<u128>) -> bool| carried.iter().flatten().filter(|a| of(a)).count();
        assert!((9400..9600).contains(&count(|_| true)));
        assert!((120..260).contains(&count(|a| a.len() == 2)));
        assert!((400..600).contains(&count(|a| a[0] > 150_000)));
        assert!(count(|a| a[0] < 5000) == 0 && count(|a| a[0] > 230_000) == 0);
    }

    #[test]
    fn the_tail_of_the_latency_is_long_and_rare() {
        let mut link = link(Plan { tail_permille: 10, tail_us: 2_000_000, ..Plan::GOOD });
        let carried = carried(&mut link, 10_000);
        let late = carried.iter().flatten().filter(|a| a[0] > 1000).count();
        let very_late = carried.iter().flatten().filter(|a| a[0] > 1_001_000).count();
        assert!((60..140).contains(&late) && (25..75).contains(&very_late), "{late} late, {very_late} very");
    }

    #[test]
    fn bursts_are_about_as_many_and_as_long_as_planned() {
        let burst = Burst { enter_permille: 10, leave_permille: 200, loss_permille: 1000 };
        let mut link = link(Plan { burst: Some(burst), ..Plan::GOOD });
        let carried = carried(&mut link, 100_000);
        let lost = carried.iter().filter(|one| one.is_err()).count();
        let bursts = carried.windows(2).filter(|two| two[0].is_ok() && two[1].is_err()).count();
        // one in 105 enters a burst, of five datagrams in the mean
        assert!((850..1050).contains(&bursts), "{bursts} bursts");
        assert!((45..55).contains(&(lost * 10 / bursts)), "{lost} lost in {bursts} bursts");
    }

    #[test]
    fn what_a_burst_does_to_one_key_says_nothing_of_another() {
        let burst = Burst { enter_permille: 100, leave_permille: 100, loss_permille: 1000 };
        let mut link = link(Plan { burst: Some(burst), ..Plan::GOOD });
        let both = (0..2000).map(|_| [1, 2].map(|key| link.carry(AT, b"x", key).is_err()));
        let alike = both.filter(|[a, b]| a == b).count();
        assert!((850..1150).contains(&alike), "{alike} alike");
    }

    #[test]
    fn a_rate_delays_what_queues_and_loses_what_finds_no_room() {
        // 100 bytes with their headers take 1 ms; there is room for three
        let rate = Rate { bytes_per_s: 100_000, queue_bytes: 300 };
        let mut link = link(Plan { rate: Some(rate), ..Plan::GOOD });
        let mut carry = |now| link.carry(now, &[0; 72], 1).map(us_after);
        assert_eq!(carry(AT), Ok(vec![2000]));
        assert_eq!(carry(AT), Ok(vec![3000]));
        assert_eq!(carry(AT), Ok(vec![4000]));
        assert_eq!(carry(AT), Err(Loss::QueueFull));
        assert_eq!(carry(AT + Duration::from_millis(1)), Ok(vec![5000]));
        assert_eq!(carry(AT + Duration::from_millis(20)), Ok(vec![22_000]));
    }

    #[test]
    fn what_is_larger_than_the_mtu_is_lost() {
        let mut link = link(Plan { mtu_bytes: Some(1500), ..Plan::GOOD });
        assert!(link.carry(AT, &[0; 1472], 1).is_ok());
        assert_eq!(link.carry(AT, &[0; 1473], 1), Err(Loss::TooBig));
    }

    #[test]
    fn a_scripted_fault_strikes_once_and_nothing_else() {
        let mut link = link(Plan::GOOD);
        link.faults.push(Fault::new("200 INVITE", 2, Fate::Lose));
        let mut arrives = |datagram: &[u8]| link.carry(AT, datagram, 1).is_ok();
        assert_eq!([OK, BYE, OK, OK, BYE].map(&mut arrives), [true, true, false, true, true]);
    }

    #[test]
    fn scripted_faults_delay_and_double() {
        let mut link = link(Plan::GOOD);
        link.faults.push(Fault::new("200 BYE", 1, Fate::Delay(500)));
        link.faults.push(Fault::new("200 INVITE", 1, Fate::Double));
        assert_eq!(link.carry(AT, BYE, 1).map(us_after), Ok(vec![1500]));
        assert_eq!(link.carry(AT, OK, 1).map(us_after), Ok(vec![1000, 1000]));
    }

    #[test]
    fn a_fault_leaves_the_chances_of_the_rest_as_they_were() {
        let (mut with, mut without) = (link(Plan::BAD), link(Plan::BAD));
        with.faults.push(Fault::new("200 BYE", 1, Fate::Lose));
        assert_eq!(with.carry(AT, BYE, 1), Err(Loss::Lost));
        assert!(without.carry(AT, BYE, 1).is_ok());
        assert_eq!(carried(&mut with, 100), carried(&mut without, 100));
    }

    quickcheck! {
        /// The keys of a run, of which one is taken out: what becomes of the others stays as it was.
        fn removing_a_key_leaves_the_fate_of_all_others(keys: Vec<u8>, removed: u8) -> bool {
            let burst = Burst { enter_permille: 100, leave_permille: 300, loss_permille: 800 };
            let plan = Plan { burst: Some(burst), tail_permille: 50, tail_us: 1_000_000, ..Plan::BAD };
            let removed = u64::from(removed % 4);
            let keys: Vec<u64> = keys.into_iter().map(|key| u64::from(key % 4)).collect();
            let fates = |without: Option<u64>| -> Vec<_> {
                let mut link = link(plan);
                let left = keys.iter().filter(|key| Some(**key) != without);
                let all: Vec<_> = left.map(|key| (*key, link.carry(AT, b"x", *key))).collect();
                all.into_iter().filter(|(key, _)| *key != removed).collect()
            };
            fates(None) == fates(Some(removed))
        }
    }
}
