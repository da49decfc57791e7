//! Playing a scenario: a phase in which everything may go wrong, then one in which everything must come right.

use super::audible::{deaf_call, probe_speech, talk};
use super::config::{ECHO_NUMBER, TONE_NUMBER, gateway_address, phone_address, text};
use super::op::{Act, CallPlan, Inside, NetFault, Op, PhoneAct, Side, SwitchFault};
use super::{Scenario, Violation};
use crate::check::Lawful;
use crate::ladder::Log;
use crate::net::{NatId, Plan};
use crate::node::{Attacker, Campaign, Flood, Place};
use crate::phone::digest::Algorithm;
use crate::phone::{Answering, Change, Doubts, Hold, Misbehaviour, Outcome, Phone, Script, State};
use crate::world::{DOMAIN, PortTrouble, SWITCH, World};
use crosspoint_core::counters::DropReason;
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Time for everybody to register over bad links.
const WARM_UP: Duration = Duration::from_secs(40);
/// The longest that anything may take to end once nothing new begins: it rings for two minutes, transactions absorb
/// stragglers for 32 s, and a phone with nobody left at the other end gives up after [`LONGEST_CALL`].
const COOL_DOWN: Duration = Duration::from_secs(600);
/// Phones end a call that lasts longer: the switch may have forgotten it in a crash.
const LONGEST_CALL: Duration = Duration::from_secs(150);
/// In calm, everybody has registered by then: a registration that fails is tried again within a minute.
const REGISTERS_IN: Duration = Duration::from_secs(120);
/// A call over good links is up by then.
const PROBE_UP: Duration = Duration::from_secs(3);
/// The numbers of probe calls, far from those of operations.
const PROBES: u64 = 1 << 32;
/// The first stream of the strangers, far from those of the world.
const STREAM_STRANGERS: u64 = 1 << 43;
/// Calls that a phone takes at once.
const LINES: usize = 2;

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// What went wrong.
    pub violations: Vec<Violation>,
    /// The digest of all commands of the switch.
    pub digest: u64,
    /// Calls that began.
    pub calls: u64,
    /// Calls that were answered and ended.
    pub complete_calls: u64,
    /// How long it took by the virtual clock, in seconds.
    pub virtual_s: u64,
}

/// Plays a scenario, without a log: fast, and flat in memory.
pub fn play(scenario: &Scenario) -> Played {
    let world = play_with(scenario, |world| world.keep_log(false));
    let counters = world.status().counters;
    Played {
        violations: world.found(),
        digest: world.digest(),
        calls: counters["calls_started"],
        complete_calls: counters["calls_answered"],
        virtual_s: world.elapsed().as_secs(),
    }
}

/// Plays a scenario in a world that `change` alters before anything happens; the world at its end.
pub fn play_with(scenario: &Scenario, change: impl FnOnce(&mut World)) -> World {
    let mut stage = Stage::build(scenario);
    change(&mut stage.world);
    stage.settle_in(scenario);
    stage.faults(scenario);
    stage.calm(scenario);
    stage.world
}

/// The ladder of what goes wrong first: the calls that the first violation names which names any, or all there was.
pub fn ladder_of(log: &Log, violations: &[Violation], lines: usize) -> String {
    match violations.iter().find(|found| !found.call_ids.is_empty()) {
        None => log.text_limited("all there was", lines),
        Some(found) => {
            let call_ids: Vec<&str> = found.call_ids.iter().map(String::as_str).collect();
            log.of_calls(&call_ids).text_limited(&format!("what {} is about", found.check), lines)
        }
    }
}

/// A world with the scenario's people in it.
struct Stage {
    world: World,
    nats: BTreeMap<u16, NatId>,
    names: Vec<String>,
    doubts: Doubts,
}

impl Stage {
    fn build(scenario: &Scenario) -> Stage {
        let mut world = World::of_config(scenario.seed, &text(scenario, 0));
        let nats: BTreeMap<u16, NatId> =
            scenario.nats.iter().map(|site| (site.id, world.network().add_nat(site.nat.clone()))).collect();
        for phone in &scenario.phones {
            let behind = phone.behind.map(|id| nats[&id]);
            world.add_phone_behind(scenario.seed, &phone.name, behind, |settings| {
                let local = phone_address(&phone.name, behind.is_some());
                settings.local = local;
                settings.audio.set_ip(local.ip());
                settings.algorithm = if phone.has_sha256 { Algorithm::Sha256 } else { Algorithm::Md5 };
                settings.reuse_nonce = phone.reuses_nonce;
                settings.keep_alive_ms = phone.behind.map(|_| 20_000);
                settings.shares_nat = phone.behind.is_some();
                settings.behind_alg = phone.behind.is_some_and(|id| scenario.has_alg(id));
                talk(settings, phone.speech);
            });
        }
        for gateway in &scenario.gateways {
            world.add_phone(scenario.seed, &gateway.name, |settings| {
                settings.local = gateway_address(&gateway.name);
                settings.audio.set_ip(settings.local.ip());
                (settings.lines, settings.takes_any_number) = (1000, true);
                talk(settings, gateway.speech);
                settings.trunk.demand = gateway.challenges.then(|| gateway.demand());
            });
        }
        let phones = scenario.phones.iter().map(|phone| &phone.name);
        let names: Vec<String> = phones.chain(scenario.gateways.iter().map(|gateway| &gateway.name)).cloned().collect();
        Stage { world, nats, names, doubts: doubts(scenario) }
    }

    /// How everybody is, whatever the world was told about its log.
    fn settle_in(&mut self, scenario: &Scenario) {
        let doubts = self.doubts;
        for name in &self.names {
            self.world.act(name, |phone, _| {
                let settings = phone.settings_mut();
                settings.longest_call_ms = Some(LONGEST_CALL.as_millis() as u64);
                settings.may_fork = false;
                settings.doubts = doubts;
                // a scenario is short, and is asked about its past
                settings.keeps_past = true;
            });
        }
        for name in scenario.phones.iter().map(|phone| &phone.name) {
            self.world.act(name, |phone, _| phone.settings_mut().lines = LINES);
        }
    }

    /// What is lawful in this world, since somebody in it does what leads there.
    fn permit(&mut self, scenario: &Scenario) {
        if self.doubts.cuts_off {
            self.world.permit(Lawful::CutOff);
        }
        for op in &scenario.ops {
            if let Act::Switch(fault) = &op.act
                && fault.troubles_ports()
            {
                self.world.permit(Lawful::PortTrouble);
            }
            let Act::Call(call) = &op.act else { continue };
            if matches!(call.callee.outcome, Some(Outcome::Refuse { .. } | Outcome::Silence)) {
                self.world.permit(Lawful::TrunkTrouble);
            }
            if !(call.caller.misbehaviours.is_empty() && call.callee.misbehaviours.is_empty()) {
                self.world.permit(Lawful::RefusedCredentials);
                self.world.permit(Lawful::Drops(DropReason::BrokenRequest));
                self.world.permit(Lawful::Drops(DropReason::BrokenResponse));
            }
        }
    }

    /// Everything happens.
    fn faults(&mut self, scenario: &Scenario) {
        self.permit(scenario);
        self.world.set_links(scenario.links);
        for phone in &scenario.phones {
            self.world.act(&phone.name, Phone::register);
        }
        self.world.run_for(WARM_UP);
        for op in &scenario.ops {
            self.plan(scenario, op);
        }
        let last = scenario.ops.iter().map(|op| op.at_ms).max().unwrap_or_default();
        self.world.run_for(ms(last + 1));
        self.world.run_until_idle(COOL_DOWN);
    }

    /// Nothing happens any more but what a telephone network is for.
    fn calm(&mut self, scenario: &Scenario) {
        self.world.calm();
        if self.doubts.restarts || self.doubts.cuts_off {
            self.pull_plugs();
        }
        if scenario.ops.iter().any(leaves_nobody) {
            // as long as there are no session timers (RFC 4028)
            self.world.hang_up_all();
        }
        if !self.world.run_until_idle(COOL_DOWN) {
            let text = format!("after {} s of calm not everything has come to rest", COOL_DOWN.as_secs());
            let violation = Violation::new("rests-in-calm", text).of_calls(self.world.live_call_ids());
            self.world.accuse(violation);
        }
        if !scenario.ends_at_rest {
            self.register_all(scenario);
            for (number, (from, to)) in (0..).zip(probes(scenario)) {
                for name in &self.names {
                    self.world.act(name, |phone, _| talk(phone.settings_mut(), Some(probe_speech(number))));
                }
                self.probe(PROBES + number, &from, &to);
            }
            self.world.run_until_idle(COOL_DOWN);
        }
    }

    /// In calm everybody can register, whatever was before.
    fn register_all(&mut self, scenario: &Scenario) {
        for phone in &scenario.phones {
            self.world.act(&phone.name, Phone::register);
        }
        self.world.run_for(REGISTERS_IN);
        for phone in &scenario.phones {
            if self.world.phone(&phone.name).registered_s().is_none() {
                let text = format!("{} has not registered after {} s of calm", phone.name, REGISTERS_IN.as_secs());
                self.world.accuse(Violation::new("registers-in-calm", text));
            }
        }
    }

    /// Whoever still waits for an answer that was lost, or for a switch that has forgotten his call in a crash, turns his
    /// phone off and on.
    fn pull_plugs(&mut self) {
        for name in &self.names {
            if self.world.phone(name).current_call().is_some() {
                self.world.act(name, Phone::reboot);
            }
        }
    }

    /// A call in calm passes, whatever was before.
    fn probe(&mut self, op: u64, from: &str, to: &str) {
        let answering = Some(Answering::Answer { ring_after: Duration::ZERO, after: ms(100) });
        self.expect(op, from, &Script::default(), &Script { answering, ..Script::default() });
        let target = to.to_owned();
        self.world.act(from, move |phone, now| {
            phone.call_for(now, op, &target, &[]);
        });
        self.world.run_for(PROBE_UP);
        let is_up = |phone: &Phone| phone.call_of(op).is_some_and(|call| call.state() == State::Up);
        let up = self.names.iter().filter(|name| is_up(self.world.phone(name))).count();
        if up != 2 {
            let text = format!("{from} calls {to} in calm: the call is up at {up} of its two ends");
            let call = self.world.phone(from).call_of(op);
            let violation = Violation::new("passes-in-calm", text);
            self.world.accuse(match call {
                Some(call) => violation.of_call(call.call_id()),
                None => violation,
            });
        }
        self.hear(op, from, to);
        self.world.act(from, move |phone, now| phone.hang_up_op(now, op));
        self.world.run_for(PROBE_UP);
    }

    /// Both sides of a probe call hear each other where the switch relays it.
    fn hear(&mut self, op: u64, from: &str, to: &str) {
        for name in &self.names {
            let phone = self.world.phone(name);
            if let Some((call, how)) = deaf_call(phone, op) {
                let text = format!("{from} calls {to} in calm: {name} {how}");
                let violation = Violation::new("heard-in-calm", text).of_call(call.call_id());
                return self.world.accuse(violation);
            }
        }
    }

    /// Whoever is in the call of an operation does as the scripts say: the caller as the one, any callee as the other.
    fn expect(&mut self, op: u64, from: &str, caller: &Script, callee: &Script) {
        for name in &self.names {
            let script = if name == from { caller } else { callee };
            self.world.act(name, |phone, _| phone.expect(op, script.clone()));
        }
    }

    fn plan(&mut self, scenario: &Scenario, op: &Op) {
        let after = ms(op.at_ms);
        match &op.act {
            Act::Call(call) => self.plan_call(op, call),
            Act::Phone(plan) => self.plan_phone(after, &plan.name, plan.does),
            Act::Switch(fault) => self.plan_fault(scenario, after, *fault, op.id),
            Act::Net(fault) => self.plan_net(after, fault),
            Act::Attack(campaign) => {
                let campaign = Campaign { after_ms: op.at_ms + campaign.after_ms, ..campaign.clone() };
                let (place, stream) = stranger(scenario, op.id);
                self.world.add_attacker(&format!("stranger{}", op.id), Attacker::new(place, campaign, stream));
            }
            Act::Flood(flood) => {
                self.world.permit(Lawful::CutOff);
                let flood = Flood { after_ms: op.at_ms + flood.after_ms, ..flood.clone() };
                let (place, stream) = stranger(scenario, op.id);
                self.world.add_attacker(&format!("stranger{}", op.id), Attacker::flood(place, flood, stream));
            }
        }
    }

    fn plan_call(&mut self, op: &Op, call: &CallPlan) {
        let (id, after) = (op.id, ms(op.at_ms));
        self.expect(id, &call.from, &call.caller, &call.callee);
        let target = call.to.clone();
        self.world.later(after, &call.from, move |phone, now| {
            phone.call_for(now, id, &target, &[]);
        });
        for step in &call.steps {
            let what = step.what.clone();
            self.by_side(after + ms(step.after_ms), id, &call.from, step.by, move |phone, now| {
                inside(phone, now, id, &what);
            });
        }
        let end = after + ms(call.after_ms);
        match call.hangs_up {
            Side::Caller => self.world.later(end, &call.from, move |phone, now| phone.hang_up_op(now, id)),
            Side::Callee => self.by_side(end, id, &call.from, Side::Callee, move |phone, now| {
                if phone.call_of(id).is_some_and(|call| call.state() == State::Up) {
                    phone.hang_up_op(now, id);
                }
            }),
        }
    }

    /// Does something at the caller, or at whoever has got the call.
    fn by_side(
        &mut self,
        after: Duration,
        op: u64,
        from: &str,
        side: Side,
        act: impl Fn(&mut Phone, Instant) + Clone + 'static,
    ) {
        match side {
            Side::Caller => self.world.later(after, from, act),
            Side::Callee => {
                for name in &self.names {
                    let act = act.clone();
                    self.world.later(after, name, move |phone, now| {
                        if phone.call_of(op).is_some_and(|call| !call.is_outgoing()) {
                            act(phone, now);
                        }
                    });
                }
            }
        }
    }

    fn plan_phone(&mut self, after: Duration, name: &str, does: PhoneAct) {
        match does {
            PhoneAct::Register => self.world.later(after, name, Phone::register),
            PhoneAct::Reboot => self.world.later(after, name, Phone::reboot),
            PhoneAct::Leave => {
                self.world.later(after, name, Phone::unregister);
                self.world.later(after + Duration::from_secs(30), name, Phone::register);
            }
        }
    }

    fn plan_fault(&mut self, scenario: &Scenario, after: Duration, fault: SwitchFault, id: u64) {
        let world = &mut self.world;
        match fault {
            SwitchFault::Crash { lost_ms } => world.at(after, move |world| world.crash(ms(lost_ms))),
            SwitchFault::Restore => world.at(after, World::restart_from_snapshot),
            SwitchFault::RestoreAlways => world.at(after, World::snapshot_every_step),
            SwitchFault::WallClock { by_ms } => world.at(after, move |world| world.jump_wall_clock(by_ms)),
            SwitchFault::Regress { by_ms } => world.at(after, move |world| world.regress_clock(ms(by_ms))),
            SwitchFault::Stall { for_ms } => world.at(after, move |world| world.stall_switch(ms(for_ms))),
            SwitchFault::SlowSink { by_ms } => {
                world.at(after, move |world| world.slow_sink(ms(by_ms)));
                world.at(after + Duration::from_secs(60), |world| world.slow_sink(Duration::ZERO));
            }
            SwitchFault::FullBuffer { permille, for_ms } => {
                world.at(after, move |world| world.fill_send_buffer(permille));
                world.at(after + ms(for_ms), |world| world.fill_send_buffer(0));
            }
            SwitchFault::Ports { trouble, for_ms } => {
                world.at(after, move |world| *world.port_trouble() = trouble);
                world.at(after + ms(for_ms), |world| *world.port_trouble() = PortTrouble::default());
            }
            SwitchFault::OccupyPorts { first, last, for_ms } => {
                world.at(after, move |world| world.occupy_ports(first..=last, ms(for_ms)));
            }
            SwitchFault::StallShard { shard, for_ms } => {
                world.at(after, move |world| world.stall_shard(shard, ms(for_ms)));
            }
            SwitchFault::Reload => {
                let text = text(scenario, id);
                world.at(after, move |world| world.reload(&text).expect("the same with another number"));
            }
        }
    }

    fn plan_net(&mut self, after: Duration, fault: &NetFault) {
        match fault.clone() {
            NetFault::Partition { names, way, stopped, for_ms } => {
                self.world.at(after, move |world| world.partition(&names, way, stopped, ms(for_ms)));
            }
            NetFault::RebootNat { nat } => {
                if let Some(nat) = self.nats.get(&nat).copied() {
                    self.world.at(after, move |world| world.network().reboot_nat(nat));
                }
            }
            NetFault::Weather { plan, for_ms } => {
                self.world.at(after, move |world| world.set_links(plan));
                self.world.at(after + ms(for_ms), |world| world.set_links(Plan::GOOD));
            }
        }
    }
}

/// Whether a call may be left that nobody ends: both its phones have lost their power, or the BYE was lost whose sender
/// was the only one.
fn leaves_nobody(op: &Op) -> bool {
    match &op.act {
        Act::Phone(plan) => plan.does == PhoneAct::Reboot,
        Act::Call(call) => [ECHO_NUMBER, TONE_NUMBER].contains(&call.to.as_str()),
        _ => false,
    }
}

/// What this scenario does to its phones that they cannot tell from a broken switch.
fn doubts(scenario: &Scenario) -> Doubts {
    // bursts and full queues may take every copy of a message, and a translator forgets whose keep-alive is lost
    let links = &scenario.links;
    let cuts_off = links.burst.is_some() || links.rate.is_some() || !scenario.nats.is_empty();
    let mut doubts = Doubts { cuts_off, loses: cuts_off || !links.is_in_order(), ..Doubts::default() };
    for op in &scenario.ops {
        match &op.act {
            Act::Switch(SwitchFault::Crash { .. }) => doubts.restarts = true,
            Act::Switch(SwitchFault::Regress { .. } | SwitchFault::Stall { .. }) => doubts.is_late = true,
            Act::Switch(SwitchFault::FullBuffer { .. }) => doubts.loses = true,
            Act::Phone(plan) if plan.does == PhoneAct::Reboot => doubts.cuts_off = true,
            Act::Net(_) | Act::Flood(_) => (doubts.cuts_off, doubts.loses) = (true, true),
            // the switch forgets a call that is over, and with it to acknowledge what a fork says after that
            Act::Call(call) => {
                let callee = &call.callee;
                let forks = callee.branches.len() > 1 || callee.misbehaviours.contains(&Misbehaviour::TagChanges);
                doubts.cuts_off |= forks && doubts.loses;
            }
            _ => {}
        }
    }
    doubts
}

/// Where the stranger of an operation sits, and what he draws from.
fn stranger(scenario: &Scenario, op: u64) -> (Place, Stream) {
    let [.., high, low] = op.to_be_bytes();
    let local = SocketAddr::from(([198, 18, high, low], 5060));
    (Place::new(local, SWITCH, DOMAIN), Stream::new(Seed::from_number(scenario.seed), STREAM_STRANGERS + op))
}

/// Who calls whom in calm: everybody the next one, both ways, and each gateway that takes calls of its own.
fn probes(scenario: &Scenario) -> Vec<(String, String)> {
    let names: Vec<&str> = scenario.phones.iter().map(|phone| phone.name.as_str()).collect();
    let mut all = Vec::new();
    for pair in names.windows(2) {
        all.push((pair[0].to_owned(), pair[1].to_owned()));
        all.push((pair[1].to_owned(), pair[0].to_owned()));
    }
    let takes_calls = |gateway: &&super::Gateway| !gateway.challenges;
    if let (Some(gateway), Some(phone)) = (scenario.gateways.iter().find(takes_calls), names.first()) {
        all.push(((*phone).to_owned(), format!("{}7", gateway.prefixes[0])));
        all.push((gateway.name.clone(), (*phone).to_owned()));
    }
    all
}

fn inside(phone: &mut Phone, now: Instant, op: u64, what: &Inside) {
    match what {
        Inside::Hold(hold) => phone.change_op(now, op, Change::hold(*hold)),
        Inside::Codecs(codecs) => phone.change_op(now, op, Change::codecs(codecs)),
        Inside::Refresh { by_update: true } => phone.change_op(now, op, Change::REFRESH.by_update()),
        Inside::Refresh { by_update: false } => phone.change_op(now, op, Change::REFRESH),
        Inside::Question => phone.change_op(now, op, Change::hold(Hold::Off).without_offer()),
        Inside::Info => phone.send_within_op(now, op, "INFO", "Signal=5"),
        Inside::Message => phone.send_within_op(now, op, "MESSAGE", "hello"),
        Inside::Refer(to) => phone.refer_op(now, op, to),
        Inside::CancelChange => phone.cancel_change_op(now, op),
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
