//! The world: one virtual clock, one heap of things that will happen, one switch, many phones.
//!
//! Nothing here sleeps or reads a clock. The switch runs under the production [`crosspoint_core::pump::Pump`]; every
//! phone and every link draws from a random stream of its own.

mod switch;
mod telling;
mod zone;

pub use zone::{Manner, Zone};

use crate::check::{Checks, Held, Lawful, Violation};
use crate::ladder::Log;
use crate::net::{Fate, Fault, Link, Plan};
use crate::phone::{Notice, Phone, Settings};
use crosspoint_core::event::Event;
use crosspoint_core::input::{Control, Flow, QueryId, SocketId, Transport};
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::switch::Status;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use switch::Node;

/// Where the switch sits.
pub const SWITCH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);
/// The name of the switch in ladders.
pub const SWITCH_NAME: &str = "switch";
/// The domain of the worlds made by [`World::new`].
pub const DOMAIN: &str = "example.net";
/// The password of every phone of the worlds made by [`World::new`].
pub const PASSWORD: &str = "secret";

/// Steps at one instant before the world says that somebody runs in circles.
const STALL_STEPS: u32 = 1000;
/// The wall clock at the beginning: 2027-01-15T08:00:00Z.
const WALL_START_US: u64 = 1_800_000_000_000_000;
/// Streams of the world, far from those of the switch itself; a phone has four in a row.
const STREAM_IO: u64 = 100;
const STREAM_PHONES: u64 = 1000;

/// What a scripted moment does with a phone.
type Act = Box<dyn FnOnce(&mut Phone, Instant)>;

/// Something that will happen.
enum Coming {
    ToSwitch { from: usize, datagram: Vec<u8> },
    ToPhone { to: usize, datagram: Vec<u8> },
    Reply { query: QueryId, message: Option<Vec<u8>> },
    Audio { to: usize, packet: Vec<u8> },
    Act { phone: usize, act: Act },
}

/// A phone and its two ways to the switch.
struct Member {
    name: String,
    phone: Phone,
    up: Link,
    down: Link,
    notices: Vec<Notice>,
}

/// A simulated world; see the [crate] for an example.
pub struct World {
    now: Instant,
    sequence: u64,
    steps_at_now: u32,
    coming: BTreeMap<(Instant, u64), Coming>,
    switch: Node,
    zone: Zone,
    members: Vec<Member>,
    log: Log,
    events: Vec<Event>,
    checks: Checks,
    leaks: Vec<String>,
}

impl World {
    /// A world of phones that all have an account: the user name is the name, the password [`PASSWORD`].
    ///
    /// # Panics
    /// Where the names make no configuration.
    pub fn new(seed: u64, names: &[&str]) -> World {
        let mut text = format!(
            "[switch]\ndomain = \"{DOMAIN}\"\ndigest_algorithms = [\"SHA-256\", \"MD5\"]\n[[listen]]\ntransport = \
             \"udp\"\nbind = \"{SWITCH}\"\n"
        );
        for name in names {
            text.push_str(&format!("[[phone]]\nuser = \"{name}\"\npassword = \"{PASSWORD}\"\n"));
        }
        let mut world = World::of_config(seed, &text);
        for name in names {
            world.add_phone(seed, name, |_| {});
        }
        world
    }

    /// A world without phones, of a switch with this configuration, which listens on [`SWITCH`].
    ///
    /// # Panics
    /// Where the configuration is refused.
    pub fn of_config(seed: u64, text: &str) -> World {
        let parsed = crosspoint_core::config::parse(text).unwrap_or_else(|findings| panic!("{findings}\n{text}"));
        let (seed, now) = (Seed::from_number(seed), clock(Instant::EPOCH));
        World {
            now: Instant::EPOCH,
            sequence: 0,
            steps_at_now: 0,
            coming: BTreeMap::new(),
            switch: Node::new(Arc::new(parsed.config), seed, now, Stream::new(seed, STREAM_IO)),
            zone: Zone::default(),
            members: Vec::new(),
            log: Log::new([SWITCH_NAME]),
            events: Vec::new(),
            checks: Checks::new(SWITCH),
            leaks: Vec::new(),
        }
    }

    /// Adds a phone, at an address of its own, over a good link; `change` alters its settings. The first one stands to
    /// the left of the switch in ladders, the others to the right.
    pub fn add_phone(&mut self, seed: u64, name: &str, change: impl FnOnce(&mut Settings)) {
        let index = self.members.len();
        let mut settings = Settings::new(name, PASSWORD, DOMAIN, address(index), SWITCH);
        change(&mut settings);
        let stream = |k| Stream::new(Seed::from_number(seed), STREAM_PHONES + 4 * index as u64 + k);
        let (up, down) = (Link::new(Plan::GOOD, stream(1)), Link::new(Plan::GOOD, stream(2)));
        let phone = Phone::new(settings, stream(0));
        self.members.push(Member { name: name.to_owned(), phone, up, down, notices: Vec::new() });
        match index {
            0 => self.log.put_first(name),
            _ => self.log.add_actor(name),
        }
    }

    /// Restarts the switch from its own snapshot after every turn, as if it were killed there.
    pub fn snapshot_every_step(&mut self) {
        self.switch.snapshots_every_step = true;
    }

    /// How often the switch's send buffer is full, in thousandths.
    pub fn fill_send_buffer(&mut self, permille: u64) {
        self.switch.io.full_permille = permille;
    }

    /// Makes every link this bad.
    pub fn set_links(&mut self, plan: Plan) {
        for member in &mut self.members {
            (member.up.plan, member.down.plan) = (plan, plan);
        }
    }

    /// Makes the way from this phone to the switch so bad, and the way back.
    pub fn set_link(&mut self, name: &str, up: Plan, down: Plan) {
        let index = self.index(name);
        (self.members[index].up.plan, self.members[index].down.plan) = (up, down);
    }

    /// Forgets calls, events, notices and the ladder, where nothing is under way: a world of many calls stays fast.
    pub fn forget_past(&mut self) {
        self.log.clear();
        self.events.clear();
        self.checks.forget_past();
        self.switch.io.recording.clear();
        for member in &mut self.members {
            member.phone.forget_past();
            member.notices.clear();
        }
    }

    /// Scripts a fault on the way from this phone to the switch; see [`Fault::new`].
    pub fn fault_from(&mut self, name: &str, kind: &str, nth: u32, fate: Fate) {
        let index = self.index(name);
        self.members[index].up.faults.push(Fault::new(kind, nth, fate));
    }

    /// Scripts a fault on the way from the switch to this phone; see [`Fault::new`].
    pub fn fault_to(&mut self, name: &str, kind: &str, nth: u32, fate: Fate) {
        let index = self.index(name);
        self.members[index].down.faults.push(Fault::new(kind, nth, fate));
    }

    /// Does something with a phone now.
    pub fn act(&mut self, name: &str, act: impl FnOnce(&mut Phone, Instant)) {
        let index = self.index(name);
        act(&mut self.members[index].phone, self.now);
    }

    /// Does something with a phone so long from now.
    pub fn later(&mut self, after: Duration, name: &str, act: impl FnOnce(&mut Phone, Instant) + 'static) {
        let phone = self.index(name);
        self.schedule(after, Coming::Act { phone, act: Box::new(act) });
    }

    /// The names of this world, to look at and to change.
    pub fn zone(&mut self) -> &mut Zone {
        &mut self.zone
    }

    /// Gives the switch a wish of its operator, with the next step.
    pub fn control(&mut self, control: Control) {
        self.switch.control(control);
        self.turn();
    }

    /// Registers every phone and waits until that is done, a minute at most.
    pub fn register_all(&mut self) {
        for member in &mut self.members {
            member.phone.register(self.now);
        }
        self.run_for(Duration::from_secs(1));
        let is_registering = |member: &Member| !member.phone.is_quiet();
        for _ in 0..60 {
            if self.members.iter().any(is_registering) {
                self.run_for(Duration::from_secs(1));
            }
        }
    }

    /// Lets so much time go by.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time go by until every phone is quiet and the switch holds no call and no transaction, at most `limit`.
    /// Whether it came to that.
    pub fn run_until_idle(&mut self, limit: Duration) -> bool {
        let end = self.now + limit;
        loop {
            if !self.step(end) {
                return self.is_idle();
            }
            if self.coming.is_empty() && self.is_idle() {
                return true;
            }
        }
    }

    /// The time since the world began.
    pub fn elapsed(&self) -> Duration {
        self.now.since(Instant::EPOCH)
    }

    /// A phone, to look at.
    pub fn phone(&self, name: &str) -> &Phone {
        &self.members[self.index(name)].phone
    }

    /// What a phone has told so far.
    pub fn notices(&self, name: &str) -> &[Notice] {
        &self.members[self.index(name)].notices
    }

    /// What the switch has told so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The Call-IDs of both legs of an ended call, by its flow number.
    pub fn call_ids(&self, flow_no: u64) -> Option<[String; 2]> {
        self.events.iter().find_map(|event| match event {
            Event::CallEnded { record } if record.flow_no == flow_no => {
                Some([record.call_id_in.clone(), record.call_id_out.clone()])
            }
            _ => None,
        })
    }

    /// Makes something lawful in this world that is not lawful everywhere.
    pub fn permit(&mut self, lawful: Lawful) {
        self.checks.permit(lawful);
    }

    /// Everything that must not have happened, in words. Meant for the end of a run, when all is quiet again.
    pub fn violations(&self) -> Vec<String> {
        let found = self.found().into_iter().map(|violation| violation.text);
        self.leaks.iter().cloned().chain(found).collect()
    }

    /// What the checks have found. Meant for the end of a run, when all is quiet again.
    pub fn found(&self) -> Vec<Violation> {
        let phones = &mut self.members.iter().map(|member| &member.phone);
        self.checks.finish(self.now, phones, &Held::of(self.switch.pump.switch()))
    }

    /// What the switch holds.
    pub fn status(&self) -> Status {
        self.switch.pump.switch().status()
    }

    /// Whether the switch has said that its process may end.
    pub fn is_halted(&self) -> bool {
        self.switch.io.is_halted
    }

    /// The digest of all commands of the switch so far.
    pub fn digest(&self) -> u64 {
        self.switch.pump.digest().expect("the pump of a world keeps a digest")
    }

    /// The ladder of everything so far.
    pub fn ladder(&self, title: &str) -> String {
        self.log().text(title)
    }

    /// The messages and events so far; what the phones heard of one another stands in the last line.
    pub fn log(&self) -> Log {
        let mut log = self.log.clone();
        for call in self.switch.pump.switch().calls(usize::MAX) {
            log.add_legs(call.flow_no, [&call.call_id_in, &call.call_id_out]);
        }
        let heard: Vec<String> = self.members.iter().filter_map(telling::audio).collect();
        if !heard.is_empty() {
            log.note(self.now.as_micros(), format!("rtp {}", heard.join(", ")));
        }
        log
    }

    /// Begins a new ladder: what has been is left out.
    pub fn forget_log(&mut self) {
        self.log.clear();
    }

    /// Ends the world; the recording of everything that went into the switch.
    pub fn into_recording(mut self) -> Vec<u8> {
        self.switch.pump.finish(&mut self.switch.io);
        self.switch.io.recording
    }

    fn index(&self, name: &str) -> usize {
        let at = self.members.iter().position(|member| member.name == name);
        at.unwrap_or_else(|| panic!("there is no phone {name} in this world"))
    }

    fn schedule(&mut self, after: Duration, coming: Coming) {
        self.sequence += 1;
        self.coming.insert((self.now + after, self.sequence), coming);
    }

    fn is_idle(&self) -> bool {
        if !self.coming.is_empty() || !self.members.iter().all(|member| member.phone.is_quiet()) {
            return false;
        }
        let status = self.status();
        (status.calls, status.transactions) == (0, 0)
    }

    /// The next thing that happens, if it does before `end`.
    fn step(&mut self, end: Instant) -> bool {
        self.collect();
        let deadline = self.switch.pump.switch().poll_timeout();
        let phones = self.members.iter().map(|member| &member.phone);
        let timers = phones.clone().filter_map(Phone::poll_timeout).chain(phones.filter_map(Phone::poll_audio_timeout));
        let next = self.coming.keys().map(|(at, _)| *at).take(1).chain(timers).chain(deadline.map(|d| d.at)).min();
        let Some(next) = next.filter(|next| *next <= end) else { return false };
        self.steps_at_now = if next > self.now { 0 } else { self.steps_at_now + 1 };
        assert!(
            self.steps_at_now <= STALL_STEPS,
            "time stands still at {:?}: the switch waits for {:?}, phones for {:?}",
            self.now,
            deadline,
            self.members.iter().map(|member| member.phone.poll_timeout()).collect::<Vec<_>>()
        );
        self.now = self.now.max(next);
        for member in &mut self.members {
            if member.phone.poll_timeout().is_some_and(|at| at <= self.now) {
                member.phone.tick(self.now);
            }
        }
        if let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let coming = entry.remove();
            self.happen(coming);
        }
        if self.switch.pump.switch().poll_timeout().is_some_and(|deadline| deadline.at <= self.now) {
            self.turn();
        }
        self.collect();
        true
    }

    fn happen(&mut self, coming: Coming) {
        match coming {
            Coming::ToSwitch { from, datagram } => {
                let remote = self.members[from].phone.settings().local;
                self.checks.to_switch(self.now, remote, &datagram);
                self.switch.receive(Flow { socket: SocketId(0), transport: Transport::Udp, remote }, datagram);
                self.turn();
            }
            Coming::ToPhone { to, datagram } => {
                self.members[to].phone.handle(self.now, SWITCH, &datagram);
            }
            Coming::Reply { query, message } => {
                self.switch.reply(query, message);
                self.turn();
            }
            Coming::Audio { to, packet } => self.members[to].phone.handle_audio(&packet),
            Coming::Act { phone, act } => act(&mut self.members[phone].phone, self.now),
        }
    }

    /// Turns the pump until it has nothing more to do at this moment.
    fn turn(&mut self) {
        while self.switch.turn(clock(self.now)).more {}
        for (flow, bytes) in std::mem::take(&mut self.switch.io.sent) {
            self.checks.from_switch(self.now, flow.remote, &bytes);
            self.send_to_phone(flow, &bytes);
        }
        for query in std::mem::take(&mut self.switch.io.queries) {
            if let Some(message) = self.zone.answer(&query.bytes, query.carrier) {
                self.schedule(self.zone.delay, Coming::Reply { query: query.id, message });
            }
        }
        for event in std::mem::take(&mut self.switch.io.events) {
            self.log.told(self.now.as_micros(), SWITCH_NAME, &event);
            self.checks.event(self.now, &event);
            self.events.push(event);
        }
    }

    fn send_to_phone(&mut self, flow: Flow, datagram: &[u8]) {
        let Some(to) = self.members.iter().position(|m| m.phone.settings().local == flow.remote) else {
            self.leaks.push(format!("the switch sends to {}, where nobody is", flow.remote));
            return;
        };
        let arrivals = self.members[to].down.delays(self.now, datagram);
        let us = self.now.as_micros();
        self.log.message(us, SWITCH_NAME, &self.members[to].name, datagram, arrivals.len());
        for after in arrivals {
            self.schedule(after, Coming::ToPhone { to, datagram: datagram.to_vec() });
        }
    }

    /// Takes from the phones what they want to send and tell.
    fn collect(&mut self) {
        for from in 0..self.members.len() {
            while let Some((to, datagram)) = self.members[from].phone.poll_send() {
                if to != SWITCH {
                    self.leaks.push(format!("{} is led past the switch, to {to}", self.members[from].name));
                    continue;
                }
                let arrivals = self.members[from].up.delays(self.now, &datagram);
                let us = self.now.as_micros();
                self.log.message(us, &self.members[from].name, SWITCH_NAME, &datagram, arrivals.len());
                for after in arrivals {
                    let datagram = datagram.clone();
                    self.schedule(after, Coming::ToSwitch { from, datagram });
                }
            }
            let member = &mut self.members[from];
            member.notices.extend(std::iter::from_fn(|| member.phone.poll_notice()));
            while let Some((to, packet)) = self.members[from].phone.poll_audio(self.now) {
                if let Some(to) = self.members.iter().position(|m| m.phone.settings().audio == to) {
                    self.schedule(Duration::from_millis(1), Coming::Audio { to, packet });
                }
            }
        }
    }
}

/// Both clocks, which in this world never part.
fn clock(mono: Instant) -> Now {
    Now { mono, wall: UnixMicros(WALL_START_US + mono.as_micros()) }
}

/// The address of the n-th phone: three digits at the end, so that none is the beginning of another.
fn address(index: usize) -> SocketAddr {
    let last = u8::try_from(100 + index).expect("a world has at most 155 phones");
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, last)), 5060)
}
