//! The world: one virtual clock, one heap of things that will happen, one switch, many phones.
//!
//! Nothing here sleeps or reads a clock. The switch runs under the production [`crosspoint_core::pump::Pump`]; every
//! phone and every link draws from a random stream of its own.

mod agenda;
mod clock;
mod faults;
mod hostile;
mod inbox;
mod journal;
mod kernel;
mod media;
mod members;
mod ops;
mod stage;
mod stall;
mod step;
mod switch;
mod telling;
mod trace;
mod zone;

pub use kernel::Kernel;
pub use media::PortTrouble;
pub use zone::{Manner, Zone};

use crate::check::{Checks, Held, Lawful, Violation};
use crate::ladder::Log;
use crate::net::{Fate, Fault, NatId, Network, NodeId, Plan};
use crate::phone::{Notice, Phone, Settings};
use agenda::{Agenda, Coming};
use crosspoint_core::call::CallView;
use crosspoint_core::event::Event;
use crosspoint_core::relays::Relays;
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::switch::Status;
use crosspoint_core::time::Instant;
use hostile::Hostile;
use media::Media;
use members::Members;
use stage::Paper;
use stall::Stall;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use switch::Node;
use trace::Did;

/// Where the switch sits.
pub const SWITCH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);
/// The name of the switch in ladders.
pub const SWITCH_NAME: &str = "switch";
/// Fewer ports than by default: a world takes many snapshots, and they hold the state of each.
pub(crate) const PORTS: &str = "SS_RTP_PORT_RANGE = \"20000,23999\"\nIVR_RTP_PORT = \"24000,24499\"\n";
/// The domain of the worlds made by [`World::new`].
pub const DOMAIN: &str = "example.net";
/// The password of every phone of the worlds made by [`World::new`].
pub const PASSWORD: &str = "secret";

/// The first stream of the phones, far from those of the switch itself, four apart.
const STREAM_PHONES: u64 = 1000;

/// A simulated world; see the [crate] for an example.
pub struct World {
    now: Instant,
    agenda: Agenda,
    stall: Stall,
    switch: Node,
    media: Media,
    zone: Zone,
    network: Network,
    /// Where the switch is in the network.
    switch_node: NodeId,
    members: Members,
    hostiles: Vec<Hostile>,
    keeps_log: bool,
    log: Paper,
    events: Vec<Event>,
    checks: Checks,
    accused: Vec<Violation>,
    /// By how much stalls and clocks have made the switch late, all together.
    late: Duration,
    /// An empty list that is used again.
    spare: Vec<Did>,
    /// When what the switch holds was last compared with what has been seen.
    weighed: Instant,
}

impl World {
    /// A world of phones that all have an account: the user name is the name, the password [`PASSWORD`].
    ///
    /// # Panics
    /// Where the names make no configuration.
    pub fn new(seed: u64, names: &[&str]) -> World {
        let mut text = format!(
            "[switch]\ndomain = \"{DOMAIN}\"\ndigest_algorithms = [\"SHA-256\", \"MD5\"]\n[[listen]]\ntransport = \
             \"udp\"\nbind = \"{SWITCH}\"\n[parameters]\n{PORTS}"
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
        let mut checks = Checks::new(SWITCH);
        checks.resends_after(parsed.config.parameters.resend_intervals());
        checks.charges_from(parsed.config.parameters.hold_time_precision_ms());
        let mut network = Network::new(Seed::from_number(seed));
        let switch_node = network.add_node(SWITCH, None, Plan::AT_ONCE, Plan::AT_ONCE);
        let mut world = World {
            now: Instant::EPOCH,
            agenda: Agenda::default(),
            stall: Stall::default(),
            switch: Node::new(Arc::new(parsed.config), Seed::from_number(seed)),
            media: Media::new(Seed::from_number(seed)),
            zone: Zone::default(),
            network,
            switch_node,
            members: Members::default(),
            hostiles: Vec::new(),
            keeps_log: true,
            log: Paper::new(Log::new([SWITCH_NAME])),
            events: Vec::new(),
            checks,
            accused: Vec::new(),
            late: Duration::ZERO,
            spare: Vec::new(),
            weighed: Instant::EPOCH,
        };
        world.arm_switch();
        world
    }

    /// Adds a phone, at an address of its own, over a good link; `change` alters its settings. The first one stands to
    /// the left of the switch in ladders, the others to the right.
    pub fn add_phone(&mut self, seed: u64, name: &str, change: impl FnOnce(&mut Settings)) {
        self.add_phone_behind(seed, name, None, change);
    }

    /// Adds a phone behind a NAT of [`World::network`]; see [`World::add_phone`]. Phones behind different NATs may have
    /// the same addresses.
    pub fn add_phone_behind(
        &mut self,
        seed: u64,
        name: &str,
        behind: Option<NatId>,
        change: impl FnOnce(&mut Settings),
    ) {
        let index = self.members.all.len();
        let mut settings = Settings::new(name, PASSWORD, DOMAIN, members::address(index), SWITCH);
        settings.keeps_past = self.keeps_log;
        change(&mut settings);
        let node = self.network.add_node(settings.local, behind, Plan::GOOD, Plan::GOOD);
        for port in settings.speech.ports() {
            let audio = settings.audio;
            self.network.add_address(node, SocketAddr::new(audio.ip(), audio.port() + port));
        }
        let stream = Stream::new(Seed::from_number(seed), STREAM_PHONES + 4 * index as u64);
        self.members.add(name, Phone::new(settings, stream), node);
        match index {
            0 => self.log.put_first(name),
            _ => self.log.add_actor(name),
        }
    }

    /// The network between the nodes, to look at and to change.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Where this phone is in the network.
    pub fn node(&self, name: &str) -> NodeId {
        self.members.of_name(name).node
    }

    /// Where the switch is in the network.
    pub fn switch_node(&self) -> NodeId {
        self.switch_node
    }

    /// Whether messages, events and notices are kept, for ladders and tests, and what went into the switch, for a replay.
    /// Without, a world of many calls is fast and needs no memory for them. To be said before anything happens.
    pub fn keep_log(&mut self, keeps: bool) {
        self.keeps_log = keeps;
        for member in &mut self.members.all {
            member.phone.settings_mut().keeps_past = keeps;
        }
        if !keeps {
            self.switch.finish_recording();
            self.forget_past();
        }
    }

    /// Makes every link this bad.
    pub fn set_links(&mut self, plan: Plan) {
        for member in &self.members.all {
            self.network.set_plans(member.node, plan, plan);
        }
    }

    /// Makes the way from this phone to the switch so bad, and the way back.
    pub fn set_link(&mut self, name: &str, up: Plan, down: Plan) {
        let node = self.node(name);
        self.network.set_plans(node, up, down);
    }

    /// Forgets calls, events, notices and the ladder, where nothing is under way: a world of many calls stays fast.
    pub fn forget_past(&mut self) {
        self.log.clear();
        self.events.clear();
        self.switch.io.recording.clear();
        for member in &mut self.members.all {
            member.phone.forget_past();
            member.notices.clear();
        }
    }

    /// Scripts a fault on the way from this phone to the switch; see [`Fault::new`].
    pub fn fault_from(&mut self, name: &str, kind: &str, nth: u32, fate: Fate) {
        let node = self.node(name);
        self.network.fault_up(node, Fault::new(kind, nth, fate));
    }

    /// Scripts a fault on the way from the switch to this phone; see [`Fault::new`].
    pub fn fault_to(&mut self, name: &str, kind: &str, nth: u32, fate: Fate) {
        let node = self.node(name);
        self.network.fault_down(node, Fault::new(kind, nth, fate));
    }

    /// Does something with a phone now.
    pub fn act(&mut self, name: &str, act: impl FnOnce(&mut Phone, Instant)) {
        let index = self.members.index(name);
        act(&mut self.members.all[index].phone, self.now);
        self.settle(index);
    }

    /// Does something with a phone so long from now.
    pub fn later(&mut self, after: Duration, name: &str, act: impl FnOnce(&mut Phone, Instant) + 'static) {
        let member = self.members.index(name);
        self.agenda.plan(self.now + after, Coming::Act { member, act: Box::new(act) });
    }

    /// Does something with the world itself so long from now.
    pub fn at(&mut self, after: Duration, moment: impl FnOnce(&mut World) + 'static) {
        self.agenda.plan(self.now + after, Coming::Moment(Box::new(moment)));
    }

    /// The names of this world, to look at and to change.
    pub fn zone(&mut self) -> &mut Zone {
        &mut self.zone
    }

    /// Registers every phone and waits until that is done, a minute at most.
    pub fn register_all(&mut self) {
        for index in 0..self.members.all.len() {
            self.members.all[index].phone.register(self.now);
            self.settle(index);
        }
        self.run_for(Duration::from_secs(1));
        for _ in 0..60 {
            if self.members.busy > 0 {
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
        while self.step(end) {
            if self.is_idle() {
                return true;
            }
        }
        self.is_idle()
    }

    /// The time since the world began.
    pub fn elapsed(&self) -> Duration {
        self.now.since(Instant::EPOCH)
    }

    /// A phone, to look at.
    pub fn phone(&self, name: &str) -> &Phone {
        &self.members.of_name(name).phone
    }

    /// What a phone has told so far.
    pub fn notices(&self, name: &str) -> &[Notice] {
        &self.members.of_name(name).notices
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
        self.found().into_iter().map(|violation| violation.text).collect()
    }

    /// What the checks have found. Meant for the end of a run, when all is quiet again.
    pub fn found(&self) -> Vec<Violation> {
        let phones = &mut self.members.all.iter().map(|member| &member.phone);
        let mut of_checks = self.checks.finish(self.now, phones, &self.held());
        // the numbers of what is left do not say whose it is
        for residue in of_checks.iter_mut().filter(|violation| violation.check == "residue") {
            residue.call_ids.extend(self.live_call_ids());
        }
        self.accused
            .iter()
            .cloned()
            .chain(of_checks)
            .chain(self.media.wrongs())
            .chain(self.gains())
            .chain(self.registrations_found())
            .collect()
    }

    /// What the switch holds, and its driver for it.
    pub(super) fn held(&self) -> Held {
        let held = Held::of(self.switch.pump.switch());
        Held {
            missed_replies: held.missed_replies.saturating_sub(self.media.lost_replies()),
            sessions_of_shards: self.media.sessions(),
            ..held
        }
    }

    /// The Call-IDs of the callers of what the switch holds for a call, of the first few.
    pub(crate) fn live_call_ids(&self) -> impl Iterator<Item = String> {
        const MOST: usize = 4;
        self.switch.pump.switch().calls(MOST).into_iter().map(|call| call.call_id_in)
    }

    /// What the checks hold against the registrar; of a small world alone, since the registrar tells all it has.
    fn registrations_found(&self) -> Vec<Violation> {
        const MOST: usize = 1000;
        match self.switch.pump.switch().registrations(None, MOST) {
            (bindings, None) => self.checks.registered(self.now, &bindings),
            (_, Some(_)) => Vec::new(),
        }
    }

    /// The calls that are up.
    pub fn calls(&self) -> Vec<CallView> {
        self.switch.pump.switch().calls(usize::MAX)
    }

    /// What the switch holds.
    pub fn status(&self) -> Status {
        self.switch.pump.switch().status()
    }

    /// The media ports and sessions of the switch's calls.
    pub fn relays(&self) -> &Relays {
        self.switch.pump.switch().relays()
    }

    /// Whether the switch has said that its process may end.
    pub fn is_halted(&self) -> bool {
        self.switch.io.is_halted
    }

    /// The digest of all commands of the switch so far.
    pub fn digest(&self) -> u64 {
        self.switch.digest()
    }

    /// The ladder of everything so far.
    pub fn ladder(&self, title: &str) -> String {
        self.log().text(title)
    }

    /// The messages and events so far; what the phones heard of one another stands in the last line.
    pub fn log(&self) -> Log {
        let mut log: Log = (*self.log).clone();
        for call in self.switch.pump.switch().calls(usize::MAX) {
            log.add_legs(call.flow_no, [&call.call_id_in, &call.call_id_out]);
        }
        let heard: Vec<String> = self.members.all.iter().filter_map(telling::audio).collect();
        if !heard.is_empty() {
            log.note(self.now.as_micros(), format!("rtp {}", heard.join(", ")));
        }
        log
    }

    /// Begins a new ladder: what has been is left out.
    pub fn forget_log(&mut self) {
        self.log.clear();
    }

    /// Ends the world; the recording of everything that went into the switch, of its last process where it crashed.
    pub fn into_recording(mut self) -> Vec<u8> {
        self.switch.finish_recording();
        self.switch.io.recording
    }

    fn is_idle(&self) -> bool {
        let is_waiting =
            !self.agenda.is_empty() || self.members.busy > 0 || !self.is_peaceful() || !self.switch.inbox.is_empty();
        !is_waiting && self.media.is_idle() && self.switch.pump.switch().is_idle()
    }
}
