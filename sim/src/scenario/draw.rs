//! A scenario from a seed: first what kinds of things it has at all, then who is there, then every operation from a
//! substream of its own.

use super::config::{ECHO_NUMBER, TONE_NUMBER};
use super::op::{Act, CallPlan, Inside, NetFault, Op, PhoneAct, PhonePlan, Side, Step, SwitchFault};
use super::{Gateway, Member, Options, Scenario, Site};
use crate::net::{Burst, Direction, Plan, Rate, Stopped, alg, nat};
use crate::node::{Attack, Campaign, Flood, Flooding, Forgery, Knowledge, Method};
use crate::phone::sdp::Codec;
use crate::phone::{Answering, Branch, Hold, Misbehaviour, Outcome, Reliability, Reply, Rtcp, Script, Speech};
use crate::world::PortTrouble;
use crosspoint_core::rng::{Seed, Stream};
use std::time::Duration;

/// The streams of the scenario's options and of its frame, and the first of its operations; far from those of the world itself.
const STREAM_OPTIONS: u64 = (1 << 40) - 1;
const STREAM_FRAME: u64 = 1 << 40;
const STREAM_OPS: u64 = 1 << 41;
/// The first of how people talk.
const STREAM_SPEECH: u64 = 1 << 44;
/// Which phones have the switch ring.
const STREAM_RINGS: u64 = 1 << 45;
/// Between one call and the next, on the average, in milliseconds.
const PACE_MS: u64 = 1000;
const DEPENDENCES: [nat::Dependence; 3] =
    [nat::Dependence::EndpointIndependent, nat::Dependence::AddressDependent, nat::Dependence::AddressAndPortDependent];
/// Prefixes of the numbers that only the first gateway takes, and that all of them do.
const FAR: &str = "00";
const SHARED: &str = "09";

impl Scenario {
    /// The scenario of this seed, with so many calls.
    pub fn draw(seed: u64, calls: u64) -> Scenario {
        let options = Options::draw(&mut Stream::new(Seed::from_number(seed), STREAM_OPTIONS));
        Scenario::draw_with(seed, calls, options)
    }

    /// The same with only such kinds of things in it.
    pub fn draw_with(seed: u64, calls: u64, options: Options) -> Scenario {
        let stream = &mut Stream::new(Seed::from_number(seed), STREAM_FRAME);
        let nats: Vec<Site> = match options.nat {
            true => (0..1 + stream.below(2) as u16).map(|id| Site { id, nat: draw_nat(stream, options, id) }).collect(),
            false => Vec::new(),
        };
        let phones = (0..2 + stream.below(7)).map(|number| draw_phone(stream, options, number, &nats));
        let phones: Vec<Member> = phones.collect();
        let gateways = (0..if options.failover { 3 } else { 1 }).map(|number| draw_gateway(stream, options, number));
        let mut phones = phones;
        let mut gateways: Vec<Gateway> = gateways.collect();
        let speeches = phones.iter_mut().map(|phone| &mut phone.speech);
        for (speech, number) in speeches.chain(gateways.iter_mut().map(|gateway| &mut gateway.speech)).zip(0..) {
            *speech = draw_speech(seed, options, number);
        }
        let rings = &mut Stream::new(Seed::from_number(seed), STREAM_RINGS);
        phones.iter_mut().for_each(|phone| phone.local_ring = options.tones && chance(rings, 500));
        let links = draw_links(stream, options);
        let frame = Scenario { seed, ends_at_rest: false, options, links, nats, phones, gateways, ops: Vec::new() };
        let span_ms = calls * PACE_MS;
        let calls_drawn = (0..calls).map(|_| Draw::call as Drawer<'_>);
        let drawers: Vec<Drawer<'_>> = calls_drawn.chain(Draw::new(&frame, 0).besides(calls)).collect();
        let ops = drawers.into_iter().zip(1..).map(|(drawer, id)| {
            let draw = &mut Draw::new(&frame, id);
            Op { id, at_ms: draw.below(span_ms + 1), act: drawer(draw) }
        });
        let mut ops: Vec<Op> = ops.collect();
        ops.sort_by_key(|op| (op.at_ms, op.id));
        Scenario { ops, ..frame.clone() }
    }
}

fn draw_phone(stream: &mut Stream, options: Options, number: u64, nats: &[Site]) -> Member {
    let behind = (!nats.is_empty() && chance(stream, 700)).then(|| pick(stream, nats).id);
    Member {
        name: format!("u{number}"),
        behind,
        has_sha256: chance(stream, 500),
        reuses_nonce: chance(stream, 300),
        has_prack: options.prack && chance(stream, 700),
        local_ring: false,
        speech: None,
    }
}

/// How the n-th of all people talks, from a stream of its own.
fn draw_speech(seed: u64, options: Options, number: u64) -> Option<Speech> {
    let stream = &mut Stream::new(Seed::from_number(seed), STREAM_SPEECH + number);
    let speech = Speech {
        // a stream without end is a hundred times as much work
        burst: (!chance(stream, 20)).then(|| 3 + stream.below(10) as u32),
        pause_ms: 2000 + stream.below(8000),
        ..Speech::default()
    };
    let odd = Speech {
        rtcp: *pick(stream, &[Rtcp::Off, Rtcp::Next, Rtcp::Named, Rtcp::Muxed]),
        is_asymmetric: chance(stream, 200),
        renews_source: chance(stream, 500),
        trails_ms: if chance(stream, 400) { stream.below(4000) } else { 0 },
        ..speech
    };
    options.media.then_some(if options.odd_media { odd } else { speech })
}

fn draw_gateway(stream: &mut Stream, options: Options, number: u64) -> Gateway {
    let prefixes = match number {
        0 => vec![FAR.to_owned(), SHARED.to_owned()],
        _ => vec![SHARED.to_owned()],
    };
    let challenges = options.failover && number > 0 && chance(stream, 300);
    Gateway { name: format!("g{number}"), prefixes, challenges, speech: None }
}

fn draw_links(stream: &mut Stream, options: Options) -> Plan {
    let mut plan = Plan::GOOD;
    if options.slow {
        plan.latency_min_us = stream.below(30_000);
        plan.latency_max_us = plan.latency_min_us + stream.below(150_000);
        (plan.tail_permille, plan.tail_us) = (stream.below(30), stream.below(2_000_000));
    }
    if options.loss {
        plan.loss_permille = 5 + stream.below(100);
    }
    if options.bursts {
        let (enter_permille, leave_permille) = (1 + stream.below(20), 100 + stream.below(400));
        plan.burst = Some(Burst { enter_permille, leave_permille, loss_permille: 500 + stream.below(500) });
    }
    if options.doubles {
        plan.duplicate_permille = 5 + stream.below(150);
    }
    if options.reordering {
        (plan.reorder_permille, plan.reorder_us) = (5 + stream.below(150), 1000 + stream.below(300_000));
    }
    if options.narrow {
        plan.rate = Some(Rate { bytes_per_s: 4000 + stream.below(60_000), queue_bytes: 3000 + stream.below(60_000) });
    }
    plan
}

fn draw_nat(stream: &mut Stream, options: Options, id: u16) -> nat::Settings {
    let mut settings = nat::Settings::new(std::net::Ipv4Addr::new(203, 0, 113, 10 + id as u8).into());
    settings.mapping = *pick(stream, &DEPENDENCES);
    settings.filtering = *pick(stream, &DEPENDENCES);
    settings.expiry_ms = *pick(stream, &[30_000, 60_000, 120_000, 300_000]);
    settings.is_refreshed_inbound = chance(stream, 500);
    settings.has_hairpin = chance(stream, 500);
    settings.preserves_ports = chance(stream, 500);
    settings.alg = (options.alg && chance(stream, 600)).then(|| draw_alg(stream));
    settings
}

fn draw_alg(stream: &mut Stream) -> alg::Settings {
    alg::Settings {
        rewrites_contact: chance(stream, 600),
        rewrites_via: chance(stream, 400),
        rewrites_sdp: chance(stream, 600),
        // one that leaves a wrong length behind makes its household unable to call, which a world of its own shows
        fixes_content_length: true,
        header_names: *pick(stream, &[alg::Case::AsSent, alg::Case::Lower, alg::Case::Upper]),
        ..alg::Settings::none()
    }
}

/// What an operation is drawn from.
struct Draw<'s> {
    scenario: &'s Scenario,
    stream: Stream,
}

/// Draws an act, when its own operation's turn has come.
type Drawer<'s> = fn(&mut Draw<'s>) -> Act;

impl<'s> Draw<'s> {
    fn new(scenario: &'s Scenario, id: u64) -> Draw<'s> {
        Draw { scenario, stream: Stream::new(Seed::from_number(scenario.seed), STREAM_OPS + id) }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.stream.below(bound.max(1))
    }

    fn chance(&mut self, permille: u64) -> bool {
        chance(&mut self.stream, permille)
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        pick(&mut self.stream, of).clone()
    }

    fn phone(&mut self) -> String {
        self.pick(&self.scenario.phones).name
    }

    /// Another phone than this one.
    fn other(&mut self, than: &str) -> String {
        let others: Vec<&str> = self.scenario.phones.iter().map(|p| p.name.as_str()).filter(|n| *n != than).collect();
        self.pick(&others).to_owned()
    }

    /// What happens besides the calls.
    fn besides(&mut self, calls: u64) -> Vec<Drawer<'s>> {
        let options = self.scenario.options;
        let kinds: [(bool, u64, Drawer<'s>); 15] = [
            (options.partitions, 2, Draw::partition),
            (options.nat_reboots && options.nat, 2, Draw::nat_reboot),
            (options.full_buffers, 2, Draw::full_buffer),
            (options.crashes, 2, Draw::crash),
            (options.restores, 5, Draw::restore),
            (options.clocks, 3, Draw::clock),
            (options.stalls, 2, Draw::stall),
            (options.slow_sink, 1, Draw::slow_sink),
            (options.reloads, 2, Draw::reload),
            (options.phone_faults, calls.div_ceil(5), Draw::phone_fault),
            (options.attacks, 3, Draw::attack),
            (options.floods, 1, Draw::flood),
            (options.port_faults, 3, Draw::port_fault),
            (options.shard_stalls, 2, Draw::shard_stall),
            (options.sprays, 2, Draw::spray),
        ];
        let mut all = Vec::new();
        for (is_on, most, drawer) in kinds {
            // drawn also where it is off, so that an option changes nothing but its own kind
            let count = 1 + self.below(most);
            if is_on {
                all.extend((0..count).map(|_| drawer));
            }
        }
        all
    }

    fn partition(&mut self) -> Act {
        let phones = &self.scenario.phones;
        let mut names: Vec<String> = phones.iter().map(|phone| phone.name.clone()).collect();
        names.retain(|_| chance(&mut self.stream, 500));
        let way = self.pick(&[Direction::Both, Direction::Out, Direction::In]);
        let stopped = self.pick(&[Stopped::Lost, Stopped::Lost, Stopped::Held]);
        // what is held comes while its sender still reckons with it: within T4 (RFC 3261 §17.1.2.2)
        let longest_ms = if stopped == Stopped::Held { 4000 } else { 40_000 };
        Act::Net(NetFault::Partition { names, way, stopped, for_ms: 500 + self.below(longest_ms) })
    }

    fn nat_reboot(&mut self) -> Act {
        Act::Net(NetFault::RebootNat { nat: self.pick(&self.scenario.nats).id })
    }

    fn full_buffer(&mut self) -> Act {
        Act::Switch(SwitchFault::FullBuffer { permille: 20 + self.below(400), for_ms: 500 + self.below(10_000) })
    }

    fn crash(&mut self) -> Act {
        let lost_ms = if self.chance(500) { 0 } else { self.below(1000) };
        Act::Switch(SwitchFault::Crash { lost_ms })
    }

    fn clock(&mut self) -> Act {
        let by_ms = 1 + self.below(7_200_000);
        Act::Switch(match self.below(3) {
            0 => SwitchFault::WallClock { by_ms: by_ms as i64 },
            1 => SwitchFault::WallClock { by_ms: -(by_ms as i64) },
            _ => SwitchFault::Regress { by_ms: 1 + by_ms % 200 },
        })
    }

    fn restore(&mut self) -> Act {
        Act::Switch(if self.chance(300) { SwitchFault::RestoreAlways } else { SwitchFault::Restore })
    }

    fn slow_sink(&mut self) -> Act {
        Act::Switch(SwitchFault::SlowSink { by_ms: self.below(20_000) })
    }

    fn reload(&mut self) -> Act {
        Act::Switch(SwitchFault::Reload)
    }

    fn stall(&mut self) -> Act {
        Act::Switch(SwitchFault::Stall { for_ms: 50 + self.below(8000) })
    }

    fn port_fault(&mut self) -> Act {
        let for_ms = 500 + self.below(15_000);
        let permille = 100 + self.below(901);
        let none = PortTrouble::default();
        let trouble = match self.below(5) {
            0 => {
                let first = 20_000 + self.below(2000) as u16;
                let last = first + self.below(2000) as u16;
                return Act::Switch(SwitchFault::OccupyPorts { first, last, for_ms });
            }
            1 => PortTrouble { no_sockets_permille: permille, ..none },
            2 => PortTrouble { other_permille: permille, ..none },
            3 => PortTrouble { late_permille: permille, late_ms: 1 + self.below(4000), ..none },
            _ => PortTrouble { lost_permille: 1 + permille / 10, ..none },
        };
        Act::Switch(SwitchFault::Ports { trouble, for_ms })
    }

    fn shard_stall(&mut self) -> Act {
        Act::Switch(SwitchFault::StallShard { shard: self.below(2) as u16, for_ms: 20 + self.below(6000) })
    }

    fn spray(&mut self) -> Act {
        let first = 20_000 + self.below(3900) as u16;
        let last = first + self.pick(&[100, 1000]);
        let attack = Attack::Spray { first, last: last.min(24_499) };
        Act::Attack(Campaign { attack, after_ms: 0, gap_us: 1000 + self.below(20_000), count: 1 + self.below(400) })
    }

    fn attack(&mut self) -> Act {
        let method = self.pick(&[Method::Register, Method::Invite, Method::Options]);
        let attack = match self.below(8) {
            0 => {
                let users = vec![self.phone(), "admin".to_owned(), "1000".to_owned()];
                Attack::GuessPasswords { method: self.pick(&[Method::Register, Method::Invite]), users }
            }
            1 => Attack::Scan { method },
            // who hears everything can do everything over UDP: see Knowledge::Sniffed
            2 | 3 => Attack::Forge {
                what: self.pick(&[Forgery::Bye, Forgery::Cancel, Forgery::Reinvite, Forgery::Answer]),
                knows: Knowledge::Guessed,
            },
            4 => Attack::Garbage,
            5 => Attack::Oversized { bytes: 1000 + self.below(60_000) as u32 },
            6 => {
                let name = self.pick(&["Via", "Route", "Contact", "X-Any"]).to_owned();
                Attack::ManyHeaders { name, count: 1 + self.below(500) as u32 }
            }
            _ => Attack::FuzzCredentials,
        };
        Act::Attack(Campaign { attack, after_ms: 0, gap_us: 1000 + self.below(500_000), count: 1 + self.below(60) })
    }

    fn flood(&mut self) -> Act {
        let methods = [Method::Register, Method::Invite, Method::Options].map(Flooding::Requests);
        let what = if self.chance(300) { Flooding::Garbage } else { self.pick(&methods) };
        let (rate_per_s, sources) = (100 + self.below(3000), 1 + self.below(50) as u16);
        Act::Flood(Flood { what, after_ms: 0, rate_per_s, for_ms: 100 + self.below(1000), sources })
    }

    fn phone_fault(&mut self) -> Act {
        let name = self.phone();
        Act::Phone(PhonePlan { name, does: self.pick(&[PhoneAct::Register, PhoneAct::Leave, PhoneAct::Reboot]) })
    }

    fn call(&mut self) -> Act {
        let options = self.scenario.options;
        let (from, mut to) = self.parties();
        let steps = self.steps(&from);
        let callee = self.callee(&to);
        let mut caller = Script::default();
        if options.odd_offers && self.chance(300) {
            caller.makes_offer = Some(false);
        }
        if options.prack && self.chance(200) {
            (caller.prack_after_ms, caller.offers_in_prack) = (Some(self.below(800)), Some(self.chance(300)));
        }
        if options.misbehaviour && self.chance(250) {
            caller.misbehaviours = vec![self.pick(&Misbehaviour::EVERY)];
        }
        let gives_up = options.cancels && self.chance(250);
        let after_ms = if gives_up { self.below(4000) } else { 4000 + self.below(25_000) };
        let mut hangs_up = if gives_up || self.chance(500) { Side::Caller } else { Side::Callee };
        if options.prack && self.chance(200) {
            // with a callee that does not do it, the switch itself answers reliably
            caller.reliability = Some(Reliability::Required);
            caller.prack_after_ms = caller.prack_after_ms.or(Some(self.below(1500)));
        }
        if options.tones && self.chance(150) {
            (to, hangs_up) = (self.pick(&[ECHO_NUMBER, TONE_NUMBER]).to_owned(), Side::Caller);
        }
        Act::Call(Box::new(CallPlan { from, to, caller, callee, steps, hangs_up, after_ms }))
    }

    /// Who calls whom.
    fn parties(&mut self) -> (String, String) {
        let from = self.phone();
        let number = self.below(1_000_000);
        match self.below(20) {
            0 | 1 => (self.scenario.gateways[0].name.clone(), from),
            2 | 3 => (from, format!("{FAR}{number}")),
            4..=6 if self.scenario.options.failover => (from, format!("{SHARED}{number}")),
            7 => (from, "nobody".to_owned()),
            _ => {
                let to = self.other(&from);
                (from, to)
            }
        }
    }

    /// What the callee does.
    fn callee(&mut self, to: &str) -> Script {
        let options = self.scenario.options;
        let mut script = Script { answering: Some(self.answering()), ..Script::default() };
        if (options.odd_offers || options.prack) && self.chance(400) {
            (script.early_media, script.rings_with) = (Some(true), Some(183));
        }
        if options.prack && self.chance(600) {
            script.reliability =
                Some(self.pick(&[Reliability::Unsupported, Reliability::Supported, Reliability::Required]));
        }
        if options.forks && self.chance(300) {
            script.branches = (0..1 + self.below(3)).map(|_| self.branch()).collect();
        }
        if options.changes && self.chance(100) {
            script.refuses_changes = Some(self.pick(&[488, 500, 488]));
        }
        if options.glare && self.chance(300) {
            script.answers_changes_after_ms = Some(self.below(1500));
        }
        if options.misbehaviour && self.chance(250) {
            script.misbehaviours = vec![self.pick(&Misbehaviour::EVERY)];
        }
        if options.failover && to.starts_with('0') && self.chance(500) {
            script.outcome = Some(self.outcome());
        }
        script
    }

    fn answering(&mut self) -> Answering {
        let options = self.scenario.options;
        let (after, ring_after) = (ms(self.below(4000)), ms(self.below(500)));
        match self.below(10) {
            0 if options.refusals => Answering::RingOnly,
            1 if options.refusals => Answering::Reject { status: self.pick(&[404, 480, 486, 488, 503, 603]), after },
            2 if options.refusals => Answering::Silent,
            _ => Answering::Answer { ring_after, after },
        }
    }

    fn branch(&mut self) -> Branch {
        let progress = self.pick(&[Reply::Ringing, Reply::Progress, Reply::ReliableProgress]);
        let last = match self.below(4) {
            0 => Reply::Refuse(self.pick(&[404, 480, 486, 603])),
            _ => Reply::Answer,
        };
        let first = self.below(2000);
        let step = |after_ms, reply| crate::phone::Step { after: ms(after_ms), reply };
        let steps = vec![step(first, progress), step(first + self.below(3000), last)];
        Branch { audio: None, codecs: None, steps }
    }

    fn outcome(&mut self) -> Outcome {
        match self.below(3) {
            0 => Outcome::Silence,
            _ => {
                let retry_after_s = self.chance(300).then(|| self.below(20) as u32);
                Outcome::Refuse {
                    status: self.pick(&[404, 480, 486, 500, 503, 503]),
                    retry_after_s,
                    contacts: Vec::new(),
                }
            }
        }
    }

    /// What happens while the call lasts.
    fn steps(&mut self, from: &str) -> Vec<Step> {
        let options = self.scenario.options;
        let mut steps = Vec::new();
        let mut add = |after_ms, by, what| steps.push(Step { after_ms, by, what });
        let count = self.below(4);
        for _ in 0..count {
            let (after_ms, by) = (self.below(25_000), self.pick(&[Side::Caller, Side::Callee]));
            if options.changes {
                let what = self.change();
                if options.glare && self.chance(400) {
                    let other = if by == Side::Caller { Side::Callee } else { Side::Caller };
                    add(after_ms + self.below(30), other, self.change());
                }
                add(after_ms, by, what);
            }
            if options.inside && self.chance(500) {
                add(after_ms + self.below(1000), by, self.pick(&[Inside::Info, Inside::Message]));
            }
        }
        if options.transfers && self.chance(200) {
            let to = self.other(from);
            add(4000 + self.below(8000), self.pick(&[Side::Caller, Side::Callee]), Inside::Refer(to));
        }
        steps.sort_by_key(|step| step.after_ms);
        steps
    }

    fn change(&mut self) -> Inside {
        match self.below(8) {
            0 => Inside::Codecs(vec![Codec::Pcma]),
            1 => Inside::Codecs(vec![Codec::Pcma, Codec::Pcmu]),
            2 => Inside::Refresh { by_update: self.scenario.options.prack },
            3 => Inside::Question,
            4 => Inside::CancelChange,
            5 => Inside::Hold(Hold::Off),
            _ => Inside::Hold(self.pick(&[Hold::SendOnly, Hold::Inactive, Hold::Zero])),
        }
    }
}

fn chance(stream: &mut Stream, permille: u64) -> bool {
    stream.below(1000) < permille
}

fn pick<'t, T>(stream: &mut Stream, of: &'t [T]) -> &'t T {
    &of[stream.below(of.len() as u64) as usize]
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
