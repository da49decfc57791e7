//! Phones face to face, without a switch: what a switch in the middle is to look like to both ends.
//!
//! Everything that phones do through a switch they do here too, so that what one of them holds against the other is a
//! fault of the phones.
//!
//! ```
//! use crosspoint_sim::wire::Wire;
//! use std::time::Duration;
//!
//! let mut wire = Wire::new(7, &["alice", "bob"]);
//! wire.act("alice", |alice, now| { alice.call(now, "bob"); });
//! wire.run_for(Duration::from_secs(5));
//! wire.act("bob", |bob, now| bob.hang_up(now));
//! assert!(wire.run_until_idle(Duration::from_secs(60)));
//! assert_eq!(wire.violations(), [] as [String; 0], "{}", wire.ladder("a call"));
//! ```

use crate::ladder::Log;
use crate::net::{Fault, Link, Plan};
use crate::phone::{Notice, Phone, Settings};
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Steps at one instant before the wire says that somebody runs in circles.
const STALL_STEPS: u32 = 10_000;
/// The first stream of the links; phones have the numbers from 0.
const STREAM_LINKS: u64 = 10;

/// What a scripted moment does with a phone.
type Act = Box<dyn FnOnce(&mut Phone, Instant)>;

enum Coming {
    Datagram { from: SocketAddr, to: usize, datagram: Vec<u8> },
    Act { phone: usize, act: Act },
}

/// Some phones, each with one link out. The first and the second are each other's server; a target with an address
/// reaches any of them: `carol@192.0.2.3:5060`, see [`Wire::target`].
pub struct Wire {
    now: Instant,
    sequence: u64,
    steps_at_now: u32,
    names: Vec<String>,
    phones: Vec<Phone>,
    links: Vec<Link>,
    coming: BTreeMap<(Instant, u64), Coming>,
    notices: Vec<Vec<Notice>>,
    lost: Vec<String>,
    log: Option<Log>,
}

fn address(index: usize) -> SocketAddr {
    let last = u8::try_from(index + 1).expect("a wire has few phones");
    SocketAddr::from(([192, 0, 2, last], 5060))
}

impl Wire {
    /// These phones, over good links.
    pub fn new(seed: u64, names: &[&str]) -> Wire {
        let seed = Seed::from_number(seed);
        let phone = |(i, name): (usize, &&str)| {
            let far = address(usize::from(i == 0));
            let mut settings = Settings::new(name, "", &far.to_string(), address(i), far);
            (settings.is_direct, settings.crossing_grace) = (true, Duration::ZERO);
            Phone::new(settings, Stream::new(seed, i as u64))
        };
        let link = |i| Link::new(Plan::GOOD, Stream::new(seed, STREAM_LINKS + i as u64));
        Wire {
            now: Instant::EPOCH,
            sequence: 0,
            steps_at_now: 0,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            phones: names.iter().enumerate().map(phone).collect(),
            links: (0..names.len()).map(link).collect(),
            coming: BTreeMap::new(),
            notices: vec![Vec::new(); names.len()],
            lost: Vec::new(),
            log: Some(Log::new(names.iter().copied())),
        }
    }

    /// Writes no ladder: what runs for long needs no memory for it.
    pub fn without_log(mut self) -> Wire {
        self.log = None;
        self
    }

    /// What a phone calls to reach this one.
    pub fn target(&self, name: &str) -> String {
        format!("{name}@{}", address(self.index(name)))
    }

    /// Makes every link this bad. One that may lose or reorder gives the phones the grace that they need.
    pub fn set_links(&mut self, plan: Plan) {
        let grace = if plan.is_in_order() { Duration::ZERO } else { Duration::from_secs(32) };
        self.links.iter_mut().for_each(|link| link.plan = plan);
        self.phones.iter_mut().for_each(|phone| phone.settings_mut().crossing_grace = grace);
    }

    /// How bad the way out of this phone is.
    pub fn set_link(&mut self, name: &str, plan: Plan) {
        let index = self.index(name);
        self.links[index].plan = plan;
    }

    /// Scripts a fault on the way out of this phone; see [`Fault::new`].
    pub fn fault_from(&mut self, name: &str, fault: Fault) {
        let index = self.index(name);
        self.links[index].faults.push(fault);
    }

    /// Does something with a phone now.
    pub fn act(&mut self, name: &str, act: impl FnOnce(&mut Phone, Instant)) {
        let index = self.index(name);
        act(&mut self.phones[index], self.now);
    }

    /// Does something with a phone so long from now.
    pub fn later(&mut self, after: Duration, name: &str, act: impl FnOnce(&mut Phone, Instant) + 'static) {
        let phone = self.index(name);
        self.schedule(after, Coming::Act { phone, act: Box::new(act) });
    }

    /// Lets so much time go by.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time go by until every phone is quiet, at most `limit`. Whether it came to that.
    pub fn run_until_idle(&mut self, limit: Duration) -> bool {
        let end = self.now + limit;
        loop {
            self.collect();
            if self.coming.is_empty() && self.phones.iter().all(Phone::is_quiet) {
                return true;
            }
            if !self.step(end) {
                return false;
            }
        }
    }

    /// The time since it began.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// A phone, to look at.
    pub fn phone(&self, name: &str) -> &Phone {
        &self.phones[self.index(name)]
    }

    /// What a phone has told so far.
    pub fn notices(&self, name: &str) -> &[Notice] {
        &self.notices[self.index(name)]
    }

    /// Everything that must not have happened, in words. Meant for the end, when all is quiet again.
    pub fn violations(&self) -> Vec<String> {
        let mut wrong = self.lost.clone();
        for (name, phone) in self.names.iter().zip(&self.phones) {
            wrong.extend_from_slice(phone.violations());
            wrong.extend(phone.unanswered().into_iter().map(|cseq| format!("{name}: {cseq} was never answered")));
            wrong.extend(phone.current_call().map(|call| format!("{name} is still in a call: {:?}", call.state())));
        }
        wrong
    }

    /// The ladder of everything so far.
    pub fn ladder(&self, title: &str) -> String {
        self.log.as_ref().map(|log| log.text(title)).unwrap_or_default()
    }

    /// Forgets calls and notices that are past, where nothing is under way.
    pub fn forget_past(&mut self) {
        self.phones.iter_mut().for_each(Phone::forget_past);
        self.notices.iter_mut().for_each(Vec::clear);
        if let Some(log) = &mut self.log {
            log.clear();
        }
    }

    fn index(&self, name: &str) -> usize {
        let at = self.names.iter().position(|known| known == name);
        at.unwrap_or_else(|| panic!("there is no phone {name} on this wire"))
    }

    fn schedule(&mut self, after: Duration, coming: Coming) {
        self.sequence += 1;
        self.coming.insert((self.now + after, self.sequence), coming);
    }

    fn step(&mut self, end: Instant) -> bool {
        self.collect();
        let timers = self.phones.iter().filter_map(Phone::poll_timeout);
        let next = timers.chain(self.coming.keys().next().map(|(at, _)| *at)).min();
        let Some(next) = next.filter(|at| *at <= end) else { return false };
        self.steps_at_now = if next > self.now { 0 } else { self.steps_at_now + 1 };
        assert!(self.steps_at_now <= STALL_STEPS, "time stands still at {:?}", self.now);
        self.now = self.now.max(next);
        for phone in &mut self.phones {
            if phone.poll_timeout().is_some_and(|at| at <= self.now) {
                phone.tick(self.now);
            }
        }
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Coming::Datagram { from, to, datagram } => self.phones[to].handle(self.now, from, &datagram),
                Coming::Act { phone, act } => act(&mut self.phones[phone], self.now),
            }
        }
        true
    }

    fn collect(&mut self) {
        for from in 0..self.phones.len() {
            while let Some((address_to, datagram)) = self.phones[from].poll_send() {
                let Some(to) = (0..self.phones.len()).find(|to| address(*to) == address_to) else {
                    self.lost.push(format!("{} sends to {address_to}, where nobody is", self.names[from]));
                    continue;
                };
                let arrivals = self.links[from].delays(self.now, &datagram);
                if let Some(log) = &mut self.log {
                    let us = self.now.as_micros();
                    log.message(us, &self.names[from], &self.names[to], &datagram, arrivals.len());
                }
                for after in arrivals {
                    let coming = Coming::Datagram { from: address(from), to, datagram: datagram.to_vec() };
                    self.schedule(after, coming);
                }
            }
            let phone = &mut self.phones[from];
            self.notices[from].extend(std::iter::from_fn(|| phone.poll_notice()));
        }
    }
}
