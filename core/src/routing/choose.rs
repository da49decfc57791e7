//! One way for a call, as long as calls try one only.

use super::{Caller, Facts, Hop, Load, Way};
use crate::cdr::EndReason;
use crate::config::Config;
use crate::input::Flow;
use crate::registrar::Registrar;
use crate::time::Now;
use serde::{Deserialize, Serialize};

/// Where a call goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The next hop.
    pub flow: Flow,
    /// The Request-URI there.
    pub uri: Box<[u8]>,
    /// Route values for the way there (RFC 3327).
    pub routes: Vec<Box<[u8]>>,
    /// The called number as it goes out.
    pub number: String,
    /// The gateway's name; empty for a phone.
    pub gateway: String,
}

impl Destination {
    /// Where, in words.
    pub fn describe(&self) -> String {
        let to = if self.gateway.is_empty() { "phone" } else { &self.gateway };
        format!("{} at {} ({to})", self.number, self.flow.remote)
    }
}

/// The choice, with the rule that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// There is a way.
    To {
        /// Where.
        destination: Destination,
        /// The rule.
        rule: &'static str,
    },
    /// There is none.
    Refused {
        /// The SIP status that says so.
        status: u16,
        /// The CDR's word for it.
        reason: EndReason,
        /// The rule.
        rule: &'static str,
    },
}

/// The first way of [`super::plan`].
pub fn choose(config: &Config, registrar: &Registrar, load: &Load, now: Now, number: &str) -> Route {
    let facts = Facts { config, registrar, load, trunks: &|_| None, now };
    let caller = Caller { number: "", user: "", gateway: "", source: None };
    let plan = super::plan(&facts, &caller, number);
    if let Some(refusal) = plan.refusal {
        return Route::Refused { status: refusal.status, reason: refusal.reason, rule: refusal.rule.name() };
    }
    let way = plan.ways.into_iter().next().expect("a plan without a refusal has a way");
    let target = way.targets.into_iter().next().expect("a way has at least one target");
    let Hop::Flow(flow) = target.hop;
    let Way { rule, gateway, routes, number, .. } = way;
    Route::To { destination: Destination { flow, uri: target.uri, routes, number, gateway }, rule: rule.name() }
}
