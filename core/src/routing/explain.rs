//! The choice candidate by candidate, for people: what `explain route` prints.

use super::Load;
use super::model::{Caller, Facts, Hop, Plan, Way};
use super::plan::{Detail, Planner};
use super::policy::{Redirect, StopPolicy, WayPolicy};
use super::rule::Rule;
use crate::config::{Config, Endpoint, Gateway};
use crate::registrar::Registrar;
use crate::time::Now;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A choice explained. Displays as text for a terminal; serialises for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Who calls.
    pub caller: String,
    /// The calling number.
    pub caller_number: String,
    /// The number that is called.
    pub callee: String,
    /// What each rule said to each candidate.
    pub steps: Vec<ExplainedStep>,
    /// The ways in the order in which they are tried.
    pub ways: Vec<ExplainedWay>,
    /// The status that refuses the call, where there is no way.
    pub refused: Option<u16>,
}

/// What one rule said to one candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedStep {
    /// The candidate; empty where it is about the call as a whole.
    pub candidate: String,
    /// What follows.
    pub verdict: String,
    /// What the rule looked at; may be empty.
    pub facts: String,
    /// The rule.
    pub rule: Rule,
}

/// One way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedWay {
    /// From 1; ways of one round ring together.
    pub round: u16,
    /// The gateway, or the phone.
    pub to: String,
    /// The addresses in the order in which they are tried.
    pub targets: Vec<String>,
    /// The called number as it goes out.
    pub number: String,
    /// The calling number as it goes out.
    pub caller: String,
    /// Seconds without any answer, after a 100, after a 183, after a 183 with SDP, after a 180.
    pub timeouts_s: [u64; 5],
    /// Longest conversation in seconds; none is no limit.
    pub max_talk_s: Option<u64>,
    /// After which failures no further way is tried.
    pub stops: Vec<String>,
    /// What becomes of a 3xx.
    pub redirect: String,
}

/// Explains a call by the facts of this moment.
pub fn explain(facts: &Facts<'_>, caller: &Caller<'_>, number: &str) -> Explanation {
    explanation(caller, number, Planner::new(facts, *caller, Detail::Full).run(number))
}

/// Explains a call by the configuration alone: nothing is under way, every gateway is up, nobody knows who is registered.
pub fn explain_config(config: &Config, caller: &Caller<'_>, number: &str) -> Explanation {
    let (registrar, load) = (Registrar::new((0, 0)), Load::default());
    let facts = Facts { config, registrar: &registrar, load: &load, trunks: &|_| None, now: Now::default() };
    explanation(caller, number, Planner::new(&facts, *caller, Detail::Offline).run(number))
}

/// The caller that `text` names: a phone's user name or a mapping gateway's name, `phone:` or `gateway:` before it where
/// it could be both.
///
/// # Errors
/// Says that there is none, with the nearest gateway.
pub fn endpoint<'c>(config: &'c Config, text: &'c str) -> Result<Caller<'c>, String> {
    let nobody = Caller { number: "", user: "", gateway: "", source: None };
    match config.endpoint(text)? {
        Endpoint::Phone(phone) => {
            Ok(Caller { number: phone.caller_id.unwrap_or(phone.user), user: phone.user, ..nobody })
        }
        Endpoint::Gateway(gateway) if gateway.mapping => Ok(Caller { gateway: &gateway.name, ..nobody }),
        Endpoint::Gateway(Gateway { name, .. }) => {
            Err(format!("gateway `{name}` brings no calls in: its direction is `routing`"))
        }
    }
}

fn explanation(caller: &Caller<'_>, number: &str, plan: Plan) -> Explanation {
    let steps = plan.steps.into_iter().map(|step| ExplainedStep {
        candidate: step.candidate,
        verdict: step.rule.verdict().name().to_owned(),
        facts: step.facts,
        rule: step.rule,
    });
    let who = match caller.gateway {
        "" => format!("phone {}", caller.user),
        gateway => format!("gateway {gateway}"),
    };
    Explanation {
        caller: who,
        caller_number: caller.number.to_owned(),
        callee: number.to_owned(),
        steps: steps.collect(),
        ways: plan.ways.iter().map(explained_way).collect(),
        refused: plan.refusal.map(|refusal| refusal.status),
    }
}

fn explained_way(way: &Way) -> ExplainedWay {
    let target = |hop: &Hop| hop.to_string();
    let WayPolicy { invite, trying, progress, progress_sdp, ringing, max_talk, redirect, failover, rel100: _ } =
        &way.policy;
    ExplainedWay {
        round: way.round + 1,
        to: if way.gateway.is_empty() { format!("phone {}", way.user) } else { format!("gateway {}", way.gateway) },
        targets: way.targets.iter().map(|one| target(&one.hop)).collect(),
        number: way.number.clone(),
        caller: way.caller.clone(),
        timeouts_s: [invite, trying, progress, progress_sdp, ringing].map(Duration::as_secs),
        max_talk_s: max_talk.map(|longest| longest.as_secs()),
        stops: stops(failover, way.gateway.is_empty()),
        redirect: match redirect {
            Redirect::Pass => "passed on",
            Redirect::Follow => "followed to our numbers and gateways",
            Redirect::Anywhere => "followed anywhere",
        }
        .to_owned(),
    }
}

/// What ends the search beside answers that hold everywhere.
fn stops(policy: &StopPolicy, is_phone: bool) -> Vec<String> {
    if is_phone {
        return Vec::new();
    }
    let codes = |codes: &[u16]| codes.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
    let limit = policy.limit.map(|limit| format!("{limit} gateways"));
    let words = [
        (!policy.after_18x, "ringing"),
        (!policy.after_sdp, "early SDP"),
        (!policy.after_rtp, "media"),
        (!policy.after_busy, "busy"),
        (!policy.after_invite_timeout, "silence"),
    ];
    let words = words.into_iter().filter(|(stops, _)| *stops).map(|(_, word)| word.to_owned());
    let stop = (!policy.stop.is_empty()).then(|| codes(&policy.stop));
    let next = (!policy.next.is_empty()).then(|| format!("but never {}", codes(&policy.next)));
    words.chain(stop).chain(limit).chain(next).collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = if self.caller_number.is_empty() { "no number" } else { &self.caller_number };
        writeln!(f, "call from {} ({number}) to {}\n", self.caller, self.callee)?;
        let width = |text: fn(&ExplainedStep) -> &str| self.steps.iter().map(|s| text(s).chars().count()).max();
        let candidates = width(|step| &step.candidate).unwrap_or(0);
        let verdicts = width(|step| &step.verdict).unwrap_or(0);
        for ExplainedStep { candidate, verdict, facts, rule } in &self.steps {
            let candidate = if candidate.is_empty() { "-" } else { candidate };
            let space = if facts.is_empty() { "" } else { " " };
            writeln!(f, "  {candidate:candidates$}  {verdict:verdicts$}  {facts}{space}({rule})")?;
        }
        if !self.ways.is_empty() {
            writeln!(f)?;
        }
        for (i, way) in self.ways.iter().enumerate() {
            write!(f, "{way}")?;
            // Ways that are alike say it once, behind the last.
            if self.ways.get(i + 1).is_none_or(|next| next.terms() != way.terms()) {
                writeln!(f, "{}", way.terms())?;
            }
        }
        if let Some(status) = self.refused {
            writeln!(f, "\nrefused: {status} {}", crate::sip::reason_phrase(status))?;
        }
        Ok(())
    }
}

impl ExplainedWay {
    /// What holds for an attempt there, in words.
    fn terms(&self) -> String {
        let [invite, trying, progress, progress_sdp, ringing] = self.timeouts_s;
        let longest =
            self.max_talk_s.map_or_else(|| "without limit".to_owned(), |longest| format!("{longest} s at most"));
        let stops = match self.stops.as_slice() {
            [] => String::new(),
            stops => format!("no next way after {}; ", stops.join(", ")),
        };
        format!(
            "     waits {invite} s for any answer, {trying} s after 100, {progress} s after 183, {progress_sdp} s with SDP, \
             {ringing} s after 180; talks {longest}\n     {stops}3xx {}",
            self.redirect
        )
    }
}

impl fmt::Display for ExplainedWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExplainedWay { round, to, number, caller, .. } = self;
        writeln!(f, "  {round}. {to} at {}: calls {number}, shows {caller}", self.targets.join(", then "))
    }
}
