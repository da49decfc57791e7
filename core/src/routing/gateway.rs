//! Which gateways take a number, and in which order they are tried.

use super::limit;
use super::load::Use;
use super::model::{Caller, Facts, Hop, Refusal, Step, Target, Way};
use super::plan::{Detail, Planner};
use super::rule::Rule;
use crate::cdr::EndReason;
use crate::config::{Config, Gateway, NotTaken, Order, Peer, Prefix};
use crate::dns::Name;
use crate::limits;
use crate::sip::{escape_user, push_address};
use crate::time::Instant;

/// What was seen of gateways that take the number and cannot have it.
#[derive(Default)]
struct Missed {
    is_any_full: bool,
    is_any_down: bool,
    /// When the first of those that are down may be used again.
    until: Option<Instant>,
}

pub(super) fn choose(planner: &mut Planner<'_>, number: &str, caller: &str) -> Result<(), Refusal> {
    let facts = planner.facts;
    let mut missed = Missed::default();
    let mut ended_by: Option<(&Gateway, &Prefix)> = None;
    for level in facts.config.gateways.by_prefix(number) {
        if let Some((gateway, prefix)) = ended_by {
            if planner.detail == Detail::Chosen {
                break;
            }
            for &(shorter, _) in &level {
                let why = format!("prefix `{}` of {} terminates", prefix.digits, gateway.name);
                planner.step(Rule::RouteTerminate, &shorter.name, why);
            }
            continue;
        }
        let mut candidates = Vec::with_capacity(level.len());
        for (place, &(gateway, prefix)) in level.iter().enumerate() {
            if !takes(planner, gateway, number, caller) {
                continue;
            }
            if !prefix.continues {
                ended_by = Some((gateway, prefix));
            }
            match usable(facts, &planner.caller, gateway) {
                Ok(()) => candidates.push((gateway.priority, weight(facts, gateway), place)),
                Err(step) => missed.note(planner, gateway, step),
            }
        }
        candidates.sort_unstable();
        for (.., place) in candidates {
            let (gateway, prefix) = level[place];
            take(planner, gateway, prefix, number, caller, &mut missed);
        }
    }
    if planner.detail != Detail::Chosen {
        tell_others(planner, number);
    }
    match planner.plan.ways.is_empty() {
        true => Err(refusal(planner, number, &missed)),
        false => Ok(()),
    }
}

/// Whether the gateway takes these numbers, apart from its prefixes.
fn takes(planner: &mut Planner<'_>, gateway: &Gateway, number: &str, caller: &str) -> bool {
    let rules = &gateway.rules.outward;
    if gateway.name == planner.caller.gateway {
        planner.step(Rule::RouteSameGateway, &gateway.name, "");
        return false;
    }
    if let Err(why) = rules.callee.check(number) {
        let rule = match why {
            NotTaken::Digits(..) => Rule::NumberCalleeLength,
            NotTaken::Denied(_) | NotTaken::NotAllowed => Rule::NumberCalleeDenied,
        };
        planner.step(rule, &gateway.name, format!("{number}: {why}"));
        return false;
    }
    if let Err(why) = rules.caller.check(caller) {
        let rule = match why {
            NotTaken::Digits(..) => Rule::NumberCallerLength,
            NotTaken::Denied(_) | NotTaken::NotAllowed => Rule::NumberCallerDenied,
        };
        planner.step(rule, &gateway.name, format!("{caller}: {why}"));
        return false;
    }
    true
}

/// Whether a call of this caller can go out through the gateway now.
pub(super) fn usable(facts: &Facts<'_>, caller: &Caller<'_>, gateway: &Gateway) -> Result<(), Step> {
    if let Some(unusable) = (facts.trunks)(&gateway.name) {
        return Err(Step::new(Rule::RouteDown, &gateway.name, unusable.rule.name()));
    }
    match limit::of_gateway(facts, caller, gateway) {
        Some(reached) => Err(Step::new(reached.rule, &gateway.name, reached.to_string())),
        None => Ok(()),
    }
}

/// Calls under way, by which gateways of one priority are ordered; a group whose order is `priority` fills one after the
/// other.
fn weight(facts: &Facts<'_>, gateway: &Gateway) -> u32 {
    let group = facts.config.groups.iter().find(|group| group.name == gateway.rules.group);
    match group.map(|group| group.order) {
        Some(Order::Priority) => 0,
        Some(Order::Load) | None => facts.load.of_gateway(&gateway.name),
    }
}

/// Makes the gateway a way of the plan.
fn take(
    planner: &mut Planner<'_>,
    gateway: &Gateway,
    prefix: &Prefix,
    number: &str,
    caller: &str,
    missed: &mut Missed,
) {
    if planner.plan.ways.len() == limits::WAYS_PER_CALL {
        return planner.step(Rule::RouteEnough, &gateway.name, format!("{} ways", limits::WAYS_PER_CALL));
    }
    let calls = planner.facts.load.of_gateway(&gateway.name);
    let found = format!("prefix `{}`, priority {}, {calls} calls", prefix.digits, gateway.priority);
    planner.step(Rule::RoutePrefix, &gateway.name, found);
    let number = planner.rewritten(Rule::NumberRewriteCallee, &gateway.name, &gateway.rules.outward.callee, number);
    if !through(planner, gateway, &gateway.peers, number, caller) {
        missed.is_any_down = true;
        planner.step(Rule::RouteNoSocket, &gateway.name, "");
    }
}

/// Adds the way through a gateway, at these of its peers, with the called number as it goes out; false where none of them
/// can be sent to.
pub(super) fn through(
    planner: &mut Planner<'_>,
    gateway: &Gateway,
    peers: &[Peer],
    number: String,
    caller: &str,
) -> bool {
    let config = planner.facts.config;
    let targets: Vec<Target> = peers.iter().filter_map(|peer| target(config, peer, &number)).collect();
    if targets.is_empty() {
        return false;
    }
    let caller = planner.rewritten(Rule::NumberRewriteCaller, &gateway.name, &gateway.rules.outward.caller, caller);
    let caller = shown(planner, gateway, caller);
    let round = planner.plan.ways.last().map_or(0, |way| way.round + 1);
    let uses = Use {
        gateway: gateway.name.clone(),
        group: gateway.rules.group.clone(),
        holders: limit::holders(config, &planner.caller),
        ..Use::default()
    };
    planner.plan.ways.push(Way {
        rule: Rule::RoutePrefix,
        gateway: gateway.name.clone(),
        user: String::new(),
        targets,
        number,
        caller,
        round,
        policy: planner.policy(Some(gateway)),
        uses,
    });
    true
}

/// The calling number that the gateway is shown. Of several always the same for the same caller, so that who calls back
/// finds what it saw before.
fn shown(planner: &mut Planner<'_>, gateway: &Gateway, caller: String) -> String {
    let ids = &gateway.rules.caller_ids;
    // FNV-1a, which stays the same over restarts and versions. From one last digit to the next its upper half moves by
    // 256, which is nothing modulo 2, 4 or 8: the finaliser of MurmurHash3 evens out the numbers of a range.
    let mix = |hash: u64, factor: u64| (hash ^ hash >> 33).wrapping_mul(factor);
    let hash = caller
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = mix(mix(hash, 0xff51_afd7_ed55_8ccd), 0xc4ce_b9fe_1a85_ec53);
    let Some(id) = usize::try_from(hash >> 32).ok().and_then(|hash| ids.get(hash.checked_rem(ids.len())?)) else {
        return caller;
    };
    planner.step(Rule::NumberCallerId, &gateway.name, format!("{caller} is shown as {id}"));
    id.clone()
}

fn target(config: &Config, peer: &Peer, number: &str) -> Option<Target> {
    let user = escape_user(number);
    let (hop, uri) = match peer.target() {
        Some(remote) => {
            let mut uri = ["sip:", &user, "@"].concat().into_bytes();
            push_address(&mut uri, remote);
            (Hop::Flow(config.flow_to(remote)?), uri)
        }
        None => {
            let name = Name::from(peer);
            let uri = format!("sip:{user}@{name}").into_bytes();
            (Hop::Name(name), uri)
        }
    };
    Some(Target { hop, uri: uri.into(), routes: Vec::new() })
}

/// A step for each gateway whose prefixes do not begin the number.
fn tell_others(planner: &mut Planner<'_>, number: &str) {
    for gateway in planner.facts.config.gateways.iter().filter(|gateway| gateway.routing) {
        if gateway.rules.longest_prefix(number).is_none() {
            let prefixes: Vec<String> = gateway.rules.prefixes.iter().map(|p| format!("`{}`", p.digits)).collect();
            planner.step(Rule::RouteOtherPrefix, &gateway.name, prefixes.join(", "));
        }
    }
}

impl Missed {
    fn note(&mut self, planner: &mut Planner<'_>, gateway: &Gateway, step: Step) {
        if step.rule == Rule::RouteDown {
            let until = (planner.facts.trunks)(&gateway.name).and_then(|unusable| unusable.until);
            self.is_any_down = true;
            self.until = [self.until, until].into_iter().flatten().min();
        } else {
            self.is_any_full = true;
        }
        planner.step(step.rule, &step.candidate, step.facts);
    }
}

fn refusal(planner: &mut Planner<'_>, number: &str, missed: &Missed) -> Refusal {
    if missed.is_any_down {
        let wait = missed.until.map(|until| until.since(planner.facts.now.mono).as_millis().div_ceil(1000));
        let retry_after_s = wait.and_then(|s| u32::try_from(s).ok()).map(|s| s.max(1));
        let refusal = planner.refuse(Rule::RouteUnavailable, number, "", 503, EndReason::NoRoute);
        return Refusal { retry_after_s, ..refusal };
    }
    if missed.is_any_full {
        return planner.refuse(Rule::RouteCapacity, number, "", 503, EndReason::Capacity);
    }
    planner.refuse(Rule::RouteNone, number, "", 404, EndReason::NoRoute)
}
