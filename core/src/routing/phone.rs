//! The ways to a phone: its bindings, those of equal q together, lower q later (RFC 3261 §16.6). Of several flows to one
//! device the best is taken, and another where that one has failed (RFC 5626 §7).

use super::limit;
use super::load::Use;
use super::model::{Hop, Refusal, Target, Way};
use super::plan::{Detail, Planner};
use super::rule::Rule;
use crate::cdr::EndReason;
use crate::sip::{address_text, split_list};

pub(super) fn choose(planner: &mut Planner<'_>, user: &str, caller: &str) -> Result<(), Refusal> {
    let facts = planner.facts;
    if let Some(reached) = limit::of_callee(facts, user) {
        return Err(planner.refuse_by(reached, user, 486, EndReason::PhoneLimit));
    }
    if planner.detail == Detail::Offline {
        planner.step(Rule::RouteBinding, user, "its registered devices, which only a running switch knows");
        return Ok(());
    }
    let own = planner.caller.source.filter(|_| planner.caller.user == user);
    let policy = planner.policy(None);
    let mut rounds: Option<(u16, u16)> = None;
    let mut has_own = false;
    // of each way: whose flow it is
    let mut instances: Vec<&[u8]> = Vec::new();
    for binding in facts.registrar.lookup(user.as_bytes(), facts.now) {
        let place = || format!("{} q={}", address_text(binding.flow.remote), Permille(binding.q_permille));
        if own == Some(binding.flow) {
            has_own = true;
            planner.step(Rule::RouteOwnBinding, user, place());
            continue;
        }
        let routes = split_list(binding.path).map(Box::from).collect();
        let target = Target { hop: Hop::Flow(binding.flow), uri: binding.contact.into(), routes };
        let known = instances.iter().position(|instance| !instance.is_empty() && *instance == binding.instance);
        if let Some(at) = known {
            planner.step(Rule::RouteBinding, user, place() + ", where a better flow to the same device has failed");
            planner.plan.ways[at].targets.push(target);
            continue;
        }
        let round = match rounds {
            None => 0,
            Some((round, q)) => round + u16::from(q != binding.q_permille),
        };
        rounds = Some((round, binding.q_permille));
        planner.step(Rule::RouteBinding, user, place());
        planner.plan.ways.push(Way {
            rule: Rule::RouteBinding,
            gateway: String::new(),
            user: user.to_owned(),
            targets: vec![target],
            number: user.to_owned(),
            caller: caller.to_owned(),
            round,
            policy: policy.clone(),
            uses: Use::default(),
        });
        instances.push(binding.instance);
    }
    match rounds {
        Some(_) => Ok(()),
        None if has_own => Err(planner.refuse(Rule::RouteSelf, user, "", 486, EndReason::Busy)),
        None => Err(planner.refuse(Rule::RouteNotRegistered, user, "", 480, EndReason::NotOnline)),
    }
}

/// A q value as RFC 3261 §25.1 writes it, without zeros that say nothing.
struct Permille(u16);

impl std::fmt::Display for Permille {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::Permille;

    #[test]
    fn q_values_are_written_short() {
        assert_eq!([1000, 0, 500, 125, 10].map(|q| Permille(q).to_string()), ["1", "0", "0.5", "0.125", "0.01"]);
    }
}
