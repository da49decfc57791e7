//! Two phones back to back, without a switch: what one writes the other, as strict, has nothing to say against.

use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use crosspoint_sim::ladder::Log;
use crosspoint_sim::net::{Fate, Fault, Link, Plan};
use crosspoint_sim::phone::{Answering, End, Notice, Phone, Settings, State};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Alice and Bob, each the other's server, and a link each way.
struct Pair {
    now: Instant,
    phones: [Phone; 2],
    links: [Link; 2],
    flying: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sequence: u64,
    notices: [Vec<Notice>; 2],
    log: Log,
}

const NAMES: [&str; 2] = ["alice", "bob"];

fn address(index: usize) -> SocketAddr {
    format!("192.0.2.{}:5060", index + 1).parse().unwrap()
}

impl Pair {
    fn new(plan: Plan) -> Pair {
        let seed = Seed::from_number(7);
        let phone = |i: usize| {
            let far = address(1 - i);
            Phone::new(Settings::new(NAMES[i], "", &far.to_string(), address(i), far), Stream::new(seed, i as u64))
        };
        Pair {
            now: Instant::EPOCH,
            phones: [phone(0), phone(1)],
            links: [Link::new(plan, Stream::new(seed, 10)), Link::new(plan, Stream::new(seed, 11))],
            flying: BTreeMap::new(),
            sequence: 0,
            notices: [Vec::new(), Vec::new()],
            log: Log::new(NAMES),
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.collect();
            let timers = self.phones.iter().filter_map(Phone::poll_timeout);
            let next = timers.chain(self.flying.keys().next().map(|(at, _)| *at)).min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(next);
            self.phones.iter_mut().for_each(|phone| phone.tick(self.now));
            while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, datagram) = entry.remove();
                self.phones[to].handle(self.now, address(1 - to), &datagram);
            }
        }
        self.now = end;
    }

    fn collect(&mut self) {
        for i in 0..2 {
            while let Some((to, datagram)) = self.phones[i].poll_send() {
                assert_eq!(to, address(1 - i), "the Contact leads to the other phone");
                let arrivals = self.links[i].carry(&datagram);
                self.log.message(self.now.as_micros(), NAMES[i], NAMES[1 - i], &datagram, arrivals.len());
                for us in arrivals {
                    self.sequence += 1;
                    let at = self.now + Duration::from_micros(us);
                    self.flying.insert((at, self.sequence), (1 - i, datagram.clone()));
                }
            }
            self.notices[i].extend(std::iter::from_fn(|| self.phones[i].poll_notice()));
        }
    }

    fn states(&self) -> [State; 2] {
        [0, 1].map(|i| self.phones[i].calls().last().unwrap().state())
    }

    fn check(&self) {
        for phone in &self.phones {
            assert_eq!(phone.violations(), [] as [String; 0]);
            assert!(phone.is_quiet(), "{:?}", phone.current_call());
        }
    }
}

#[test]
fn an_ordinary_call() {
    let mut pair = Pair::new(Plan::GOOD);
    pair.phones[0].call(pair.now, "bob");
    pair.run(Duration::from_secs(5));
    assert_eq!(pair.states(), [State::Up; 2]);
    pair.phones[0].hold(pair.now);
    pair.run(Duration::from_secs(1));
    pair.phones[1].send_within(pair.now, "INFO", "Signal=5");
    pair.run(Duration::from_secs(1));
    pair.phones[1].hang_up(pair.now);
    pair.run(Duration::from_secs(1));
    pair.check();
    insta::assert_snapshot!(pair.log.text("an ordinary call"));
}

#[test]
fn a_cancelled_call_with_a_lost_cancel() {
    let mut pair = Pair::new(Plan::GOOD);
    pair.phones[1].settings_mut().answering = Answering::RingOnly;
    pair.links[0].faults.push(Fault::new("CANCEL", 1, Fate::Lose));
    pair.phones[0].call(pair.now, "bob");
    pair.run(Duration::from_secs(3));
    pair.phones[0].hang_up(pair.now);
    pair.run(Duration::from_secs(40));
    assert_eq!(pair.states(), [State::Over(End::Cancelled); 2]);
    pair.check();
    insta::assert_snapshot!(pair.log.text("a cancelled call with a lost CANCEL"));
}

#[test]
fn both_hang_up_at_once() {
    let mut pair = Pair::new(Plan::GOOD);
    pair.phones[0].call(pair.now, "bob");
    pair.run(Duration::from_secs(5));
    pair.phones[0].hang_up(pair.now);
    pair.phones[1].hang_up(pair.now);
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.states(), [State::Over(End::PeerHungUp); 2]);
    pair.check();
}

#[test]
fn a_call_that_is_never_acknowledged_ends() {
    let mut pair = Pair::new(Plan::GOOD);
    pair.phones[0].settings_mut().acknowledges = false;
    pair.phones[0].call(pair.now, "bob");
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.states(), [State::Over(End::PeerHungUp), State::Over(End::NoAck)]);
    pair.check();
}

#[test]
fn a_silent_phone_is_given_up() {
    let mut pair = Pair::new(Plan::GOOD);
    pair.phones[1].settings_mut().answering = Answering::Silent;
    pair.phones[0].call(pair.now, "bob");
    pair.run(Duration::from_secs(33));
    assert_eq!(pair.phones[0].calls()[0].state(), State::Over(End::TimedOut));
    pair.check();
}

#[test]
fn a_bad_link_makes_no_difference_in_the_end() {
    let mut pair = Pair::new(Plan::BAD);
    for _ in 0..20 {
        pair.phones[0].call(pair.now, "bob");
        pair.run(Duration::from_secs(10));
        assert_eq!(pair.states(), [State::Up; 2], "{}", pair.log.text("so far"));
        pair.phones[1].hang_up(pair.now);
        pair.run(Duration::from_secs(70));
        pair.check();
    }
}

#[test]
fn audio_flows_to_where_the_descriptions_say() {
    let mut pair = Pair::new(Plan::GOOD);
    pair.phones[0].call(pair.now, "bob");
    pair.run(Duration::from_secs(5));
    let later = pair.now + Duration::from_secs(1);
    let packets: Vec<_> = std::iter::from_fn(|| pair.phones[0].poll_audio(later)).collect();
    assert!(packets.len() >= 50);
    assert!(packets.iter().all(|(to, _)| *to == pair.phones[1].settings().audio));
    packets.iter().for_each(|(_, packet)| pair.phones[1].handle_audio(packet));
    assert_eq!(pair.phones[1].audio().received, packets.len() as u64);
    assert_eq!(pair.phones[0].audio().sent, packets.len() as u64);
}
