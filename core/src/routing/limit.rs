//! Who may have one call more: calls of the switch, of a phone, of a gateway, of a group of gateways.

use super::model::{Caller, Facts};
use super::rule::Rule;
use crate::config::{Config, Gateway};

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The rule.
    pub rule: Rule,
    /// Calls under way.
    pub calls: u32,
    /// Most calls.
    pub most: u32,
}

/// Most calls are `most`, of which 0 is no limit.
fn reached(rule: Rule, calls: u32, most: u32) -> Option<Reached> {
    (most != 0 && calls >= most).then_some(Reached { rule, calls, most })
}

/// What keeps the caller from a further call: the switch, its phone, or its mapping gateway and that one's group.
pub fn of_caller(facts: &Facts<'_>, caller: &Caller<'_>) -> Option<Reached> {
    let Facts { config, load, .. } = facts;
    let of_gateway = || {
        let gateway = config.gateways.find(caller.gateway)?;
        reached(Rule::LimitMapping, load.of_gateway(&gateway.name), gateway.capacity)
            .or_else(|| of_group(facts, gateway, Rule::LimitMappingGroup))
    };
    reached(Rule::LimitSwitch, load.calls(), config.max_calls)
        .or_else(|| of_phone(facts, caller.user, Rule::LimitPhone))
        .or_else(of_gateway)
}

/// What keeps a phone from being called once more.
pub fn of_callee(facts: &Facts<'_>, user: &str) -> Option<Reached> {
    of_phone(facts, user, Rule::LimitCallee)
}

/// What keeps a call of this caller from going out through a gateway: its capacity, lines in it kept for others, its
/// group's capacity.
pub fn of_gateway(facts: &Facts<'_>, caller: &Caller<'_>, gateway: &Gateway) -> Option<Reached> {
    let calls = facts.load.of_gateway(&gateway.name);
    let reserved = || {
        let kept = kept_for_others(facts, caller, gateway);
        (kept > 0).then(|| reached(Rule::LimitReserved, calls.saturating_add(kept), gateway.capacity)).flatten()
    };
    reached(Rule::LimitGateway, calls, gateway.capacity)
        .or_else(reserved)
        .or_else(|| of_group(facts, gateway, Rule::LimitGroup))
}

/// For whom lines may be reserved that a call of this caller takes.
pub(super) fn holders(config: &Config, caller: &Caller<'_>) -> Vec<String> {
    let Some(gateway) = config.gateways.find(caller.gateway) else { return Vec::new() };
    let names = [&gateway.name, &gateway.rules.group];
    let mut holders: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).cloned().collect();
    holders.shrink_to_fit(); // each call that is up keeps them
    holders
}

/// Reserved lines that are free and not this caller's.
fn kept_for_others(facts: &Facts<'_>, caller: &Caller<'_>, gateway: &Gateway) -> u32 {
    if gateway.rules.reserved.is_empty() {
        return 0;
    }
    let own = holders(facts.config, caller);
    let others = gateway.rules.reserved.iter().filter(|reserved| !own.contains(&reserved.holder));
    let free = |reserved: &crate::config::Reserved| {
        reserved.lines.saturating_sub(facts.load.held(&gateway.name, &reserved.holder))
    };
    others.map(free).fold(0, u32::saturating_add)
}

fn of_phone(facts: &Facts<'_>, user: &str, rule: Rule) -> Option<Reached> {
    let most = facts.config.phones.find(user)?.max_calls;
    reached(rule, facts.load.of_phone(user), most)
}

fn of_group(facts: &Facts<'_>, gateway: &Gateway, rule: Rule) -> Option<Reached> {
    let group = facts.config.groups.iter().find(|group| group.name == gateway.rules.group)?;
    reached(rule, facts.load.of_group(&group.name), group.capacity)
}

impl std::fmt::Display for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.rule {
            Rule::LimitReserved => write!(f, "{} of {} lines taken or reserved for others", self.calls, self.most),
            _ => write!(f, "{} of {} calls", self.calls, self.most),
        }
    }
}
