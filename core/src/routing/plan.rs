//! The order of the whole choice.

use super::limit::{self, Reached};
use super::load::Use;
use super::model::{Caller, Facts, Plan, Refusal, Step, Way};
use super::policy::{StopPolicy, WayPolicy};
use super::rule::Rule;
use super::{gateway, phone};
use crate::cdr::EndReason;
use crate::config::{Gateway, MaxDuration, NotTaken, NumberRules, Redirect, Rel100};
use crate::limits;
use crate::media::tone::Program;
use std::time::Duration;

/// The ways for a call of this caller to this number, or why there is none. Pure: the same facts give the same plan.
/// Steps are kept for what was looked at and can have made a difference, at most [`limits::STEPS_PER_PLAN`].
pub fn plan(facts: &Facts<'_>, caller: &Caller<'_>, number: &str) -> Plan {
    Planner::new(facts, *caller, Detail::Chosen).run(number)
}

/// Whether a way of an earlier plan can still be tried now that its turn has come: what the limits and the health of its
/// gateway say by now.
///
/// # Errors
/// The step that says why not.
pub fn recheck(facts: &Facts<'_>, caller: &Caller<'_>, way: &Way) -> Result<(), Step> {
    let Some(gateway) = facts.config.gateways.find(&way.gateway) else { return Ok(()) };
    gateway::usable(facts, caller, gateway)
}

/// The call timers, limits and stop rules of a way that was not planned: through this gateway, or to a phone.
pub fn policy(facts: &Facts<'_>, caller: &Caller<'_>, gateway: &str) -> WayPolicy {
    Planner::new(facts, *caller, Detail::Chosen).policy(facts.config.gateways.find(gateway))
}

/// How much a plan tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// What was looked at and can have made a difference.
    Chosen,
    /// Every gateway.
    Full,
    /// Every gateway, and nobody knows who is registered: phones have no ways.
    Offline,
}

/// A plan in the making.
pub(super) struct Planner<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) caller: Caller<'a>,
    pub(super) detail: Detail,
    pub(super) plan: Plan,
}

impl<'a> Planner<'a> {
    pub(super) fn new(facts: &'a Facts<'a>, caller: Caller<'a>, detail: Detail) -> Planner<'a> {
        // As a rule there is one way, and one step to it.
        let plan = Plan { ways: Vec::with_capacity(1), steps: Vec::with_capacity(1), ..Plan::default() };
        Planner { facts, caller, detail, plan }
    }

    pub(super) fn run(mut self, number: &str) -> Plan {
        match self.choose(number) {
            Ok(()) => self.count_uses(),
            Err(refusal) => {
                self.plan.ways.clear();
                self.plan.refusal = Some(refusal);
            }
        }
        let has_nothing = self.plan.ways.is_empty() && self.plan.refusal.is_none() && self.plan.station.is_none();
        assert!(!has_nothing || self.detail == Detail::Offline, "a plan for {number} has neither ways nor a refusal");
        self.plan
    }

    fn choose(&mut self, number: &str) -> Result<(), Refusal> {
        let Facts { config, .. } = *self.facts;
        if let Some(reached) = limit::of_caller(self.facts, &self.caller) {
            let (candidate, status, reason) = match reached.rule {
                Rule::LimitSwitch => ("", 503, EndReason::SwitchLimit),
                Rule::LimitPhone => (self.caller.user, 486, EndReason::PhoneLimit),
                _ => (self.caller.gateway, 503, EndReason::Capacity),
            };
            return Err(self.refuse_by(reached, candidate, status, reason));
        }
        let Some(mapping) = config.gateways.find(self.caller.gateway) else {
            return if self.is_own(number) { Ok(()) } else { self.towards(number, self.caller.number) };
        };
        let (callee, caller) = self.inward(mapping, number)?;
        if self.is_own(&callee) { Ok(()) } else { self.towards(&callee, &caller) }
    }

    /// Whether the switch answers this number itself, which goes before phones and gateways.
    fn is_own(&mut self, number: &str) -> bool {
        let Some(program) = self.facts.config.tones.station(number) else { return false };
        let what = if program == Program::Echo { "echo" } else { "tone" };
        self.step(Rule::RouteStation, number, what);
        self.plan.station = Some((number.to_owned(), program));
        true
    }

    /// The numbers that a mapping gateway sends, as routing sees them.
    fn inward(&mut self, gateway: &Gateway, number: &str) -> Result<(String, String), Refusal> {
        let rules = &gateway.rules.inward;
        let caller = self.caller.number;
        if let Err(why) = rules.callee.check(number) {
            let (rule, status, reason) = match why {
                NotTaken::Digits(..) => (Rule::InCalleeLength, 484, EndReason::IncompleteNumber),
                NotTaken::Denied(_) | NotTaken::NotAllowed => (Rule::InCalleeDenied, 403, EndReason::NumberDenied),
            };
            return Err(self.refuse(rule, &gateway.name, format!("{number}: {why}"), status, reason));
        }
        if let Err(why) = rules.caller.check(caller) {
            let rule = match why {
                NotTaken::Digits(..) => Rule::InCallerLength,
                NotTaken::Denied(_) | NotTaken::NotAllowed => Rule::InCallerDenied,
            };
            return Err(self.refuse(rule, &gateway.name, format!("{caller}: {why}"), 403, EndReason::NumberDenied));
        }
        let callee = self.rewritten(Rule::NumberRewriteCallee, &gateway.name, &rules.callee, number);
        let caller = self.rewritten(Rule::NumberRewriteCaller, &gateway.name, &rules.caller, caller);
        Ok((callee, caller))
    }

    /// The ways to a number to which a callee has redirected the call: it is one of ours already, so only the calling
    /// number is still to be seen as routing sees it.
    pub(super) fn redirect(&mut self, number: &str) -> Result<(), Refusal> {
        let mapping = self.facts.config.gateways.find(self.caller.gateway);
        let caller = match mapping {
            Some(gateway) => gateway.rules.inward.caller.rewritten(self.caller.number),
            None => self.caller.number.into(),
        };
        self.towards(number, &caller)
    }

    fn towards(&mut self, number: &str, caller: &str) -> Result<(), Refusal> {
        match self.facts.config.phones.find(number) {
            Some(_) => phone::choose(self, number, caller),
            None => gateway::choose(self, number, caller),
        }
    }

    /// The number after these rules, with a step where they change it.
    pub(super) fn rewritten(&mut self, rule: Rule, candidate: &str, rules: &NumberRules, number: &str) -> String {
        let rewritten = rules.rewritten(number).into_owned();
        if rewritten != number {
            self.step(rule, candidate, format!("{number} becomes {rewritten}"));
        }
        rewritten
    }

    pub(super) fn step(&mut self, rule: Rule, candidate: &str, facts: impl Into<String>) {
        if self.detail != Detail::Chosen || self.plan.steps.len() < limits::STEPS_PER_PLAN {
            self.plan.steps.push(Step::new(rule, candidate, facts));
        }
    }

    /// A refusal, with its step.
    pub(super) fn refuse(
        &mut self,
        rule: Rule,
        candidate: &str,
        facts: impl Into<String>,
        status: u16,
        reason: EndReason,
    ) -> Refusal {
        self.step(rule, candidate, facts);
        Refusal::new(rule, status, reason)
    }

    pub(super) fn refuse_by(&mut self, reached: Reached, candidate: &str, status: u16, reason: EndReason) -> Refusal {
        self.refuse(reached.rule, candidate, reached.to_string(), status, reason)
    }

    /// The call timers, limits and stop rules of a way through this gateway, or to a phone.
    pub(super) fn policy(&self, gateway: Option<&Gateway>) -> WayPolicy {
        let config = self.facts.config;
        let parameters = &config.parameters;
        let timeouts = gateway.map(|gateway| gateway.rules.timeouts).unwrap_or_default();
        let ends = [config.gateways.find(self.caller.gateway), gateway];
        let durations = ends.map(|end| end.map_or(MaxDuration::System, |gateway| gateway.rules.max_duration));
        WayPolicy {
            invite: timeouts.invite.unwrap_or_else(|| parameters.timeout_invite()),
            trying: timeouts.trying.unwrap_or_else(|| parameters.timeout_trying()),
            progress: timeouts.progress.unwrap_or_else(|| parameters.timeout_session_progress()),
            progress_sdp: timeouts.progress_sdp.unwrap_or_else(|| parameters.timeout_session_progress_sdp()),
            ringing: timeouts.ringing.unwrap_or_else(|| parameters.timeout_ringing()),
            max_talk: max_talk(durations, parameters.max_talk()),
            redirect: gateway.map_or(Redirect::Follow, |gateway| gateway.rules.redirect),
            rel100: gateway.map_or(Rel100::Auto, |gateway| gateway.rules.rel100),
            failover: gateway.map_or_else(StopPolicy::of_bindings, |gateway| stop_policy(self.facts, gateway)),
        }
    }

    /// What the call takes up beside its attempts.
    fn count_uses(&mut self) {
        let Caller { user, gateway, .. } = self.caller;
        let group = self.facts.config.gateways.find(gateway).map_or("", |gateway| &gateway.rules.group);
        let callee = self.plan.ways.first().map_or("", |way| &way.user);
        let phones = [user, callee].into_iter().filter(|user| !user.is_empty()).map(str::to_owned).collect();
        let (gateway, group) = (gateway.to_owned(), group.to_owned());
        self.plan.uses = Use { is_call: true, phones, gateway, group, holders: Vec::new() };
    }
}

/// The longest conversation (behaviour 1(e)): what the gateways at both ends say goes before the system; of two limits the
/// smaller, and a limit before none.
fn max_talk(ends: [MaxDuration; 2], system: Option<Duration>) -> Option<Duration> {
    let limits = ends.iter().filter_map(|end| match end {
        MaxDuration::Limit(limit) => Some(*limit),
        MaxDuration::System | MaxDuration::None => None,
    });
    limits.min().or(if ends.contains(&MaxDuration::None) { None } else { system })
}

/// The parameters, and what the gateway says otherwise.
fn stop_policy(facts: &Facts<'_>, gateway: &Gateway) -> StopPolicy {
    let parameters = &facts.config.parameters;
    let own = &gateway.rules.failover;
    let until_connect = parameters.switch_until_connect();
    StopPolicy {
        limit: own.limit.or(parameters.switch_limit()),
        after_18x: own.after_18x.unwrap_or(until_connect),
        after_sdp: own.after_sdp.unwrap_or(until_connect || !parameters.switch_stops_after_sdp()),
        after_rtp: own.after_rtp.unwrap_or(!parameters.switch_stops_after_rtp()),
        after_busy: own.after_busy.unwrap_or(false),
        after_number: false,
        after_invite_timeout: !parameters.switch_stops_after_invite_timeout(),
        next: own.next.clone(),
        stop: own.stop.clone(),
    }
}
