//! What routing is asked and what it answers: plain data.

use super::load::{Load, Use};
use super::policy::WayPolicy;
use super::rule::Rule;
use crate::cdr::EndReason;
use crate::config::Config;
use crate::input::Flow;
use crate::media::tone::Program;
use crate::registrar::Registrar;
use crate::time::Now;
use crate::trunk::Unusable;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the choice depends on.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The configuration in force.
    pub config: &'a Config,
    /// Who can be reached where.
    pub registrar: &'a Registrar,
    /// What is under way. With an empty one no limit bites: for requests that are no calls.
    pub load: &'a Load,
    /// Why a gateway, by its name, is out of use; `None` where it is not: [`crate::trunk::Trunks::usable`].
    pub trunks: &'a dyn Fn(&str) -> Option<Unusable>,
    /// The time.
    pub now: Now,
}

/// Who calls, as established before.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The calling number as the callee would see it.
    pub number: &'a str,
    /// The phone's user name; empty for a gateway.
    pub user: &'a str,
    /// The mapping gateway; empty for a phone.
    pub gateway: &'a str,
    /// Where the call was seen to come from; `None` where it is only thought of.
    pub source: Option<Flow>,
}

/// How a call can go, best way first, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The ways in the order in which they are tried; empty exactly where the call is refused, or answered by the switch.
    pub ways: Vec<Way>,
    /// What each rule said to each candidate, in the order in which they were looked at.
    pub steps: Vec<Step>,
    /// Why there is no way.
    pub refusal: Option<Refusal>,
    /// The number, where the switch answers it itself, and what it lets the caller hear; there is no way then.
    pub station: Option<(String, Program)>,
    /// What the call takes up from its start to its end; each way has beside it what its attempt takes up.
    pub uses: Use,
}

/// A way for a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The rule that found it.
    pub rule: Rule,
    /// The gateway's name; empty for a phone.
    pub gateway: String,
    /// The phone's user name; empty for a gateway.
    pub user: String,
    /// Where to send, in order: the next is tried where one cannot be reached at all. At least one.
    pub targets: Vec<Target>,
    /// The called number as it goes out.
    pub number: String,
    /// The calling number as it goes out.
    pub caller: String,
    /// Ways of one round ring together; the next round begins when all of them have failed. Rises along the plan.
    pub round: u16,
    /// Timers, longest conversation, failover.
    pub policy: WayPolicy,
    /// What an attempt takes up as long as it lasts, and the call once it is answered there.
    pub uses: Use,
}

/// One address of a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The next hop.
    pub hop: Hop,
    /// The Request-URI there.
    pub uri: Box<[u8]>,
    /// Route values in order (RFC 3327).
    pub routes: Vec<Box<[u8]>>,
}

/// A next hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hop {
    /// An address: a binding's, or written as one. Asks no name server.
    Flow(Flow),
    /// A host name, to be looked up (RFC 3263).
    Name(crate::dns::Name),
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hop::Flow(flow) => flow.remote.fmt(f),
            Hop::Name(name) => name.fmt(f),
        }
    }
}

/// What one rule said to one candidate. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The rule.
    pub rule: Rule,
    /// The gateway's name, the phone's user or the number it was about; empty where it is about the call as a whole.
    pub candidate: String,
    /// What it looked at, in words; may be empty.
    pub facts: String,
}

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The SIP status that says so.
    pub status: u16,
    /// The CDR's word for it.
    pub reason: EndReason,
    /// The rule.
    pub rule: Rule,
    /// When to try again, for Retry-After.
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    /// A refusal that says nothing about when to try again.
    pub fn new(rule: Rule, status: u16, reason: EndReason) -> Refusal {
        Refusal { status, reason, rule, retry_after_s: None }
    }
}

impl Step {
    /// A step.
    pub fn new(rule: Rule, candidate: &str, facts: impl Into<String>) -> Step {
        Step { rule, candidate: candidate.to_owned(), facts: facts.into() }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.rule.verdict().name();
        match self.candidate.as_str() {
            "" => write!(f, "{verdict}")?,
            candidate => write!(f, "{candidate} {verdict}")?,
        }
        if !self.facts.is_empty() {
            write!(f, ": {}", self.facts)?;
        }
        write!(f, " ({})", self.rule)
    }
}

impl Way {
    /// Where, in words.
    pub fn describe(&self) -> String {
        let to = if self.gateway.is_empty() { "phone" } else { &self.gateway };
        format!("{} at {} ({to})", self.number, self.target().hop)
    }

    /// Where it is sent first.
    pub fn target(&self) -> &Target {
        self.targets.first().expect("a way has at least one target")
    }
}
