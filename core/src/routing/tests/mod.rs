//! Plans against configurations, rule by rule.

mod gateways;
mod limiting;
mod phones;
mod redirects;
mod stops;

use super::*;
use crate::binding::BindingRecord;
use crate::config::{self, Config};
use crate::cx::Cx;
use crate::input::{Flow, SocketId, Transport};
use crate::limits;
use crate::registrar::Registrar;
use crate::rng::Seed;
use crate::time::{Instant, Now, UnixMicros};
use crate::trunk::{self, Unusable};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that routing looks at.
struct World {
    cx: Cx,
    registrar: Registrar,
    load: Load,
    down: BTreeMap<String, Unusable>,
}

/// A configuration with a socket.
fn config(text: &str) -> Config {
    let text = format!("[[listen]]\nbind = \"192.0.2.10:5060\"\n{text}");
    config::parse(&text).unwrap_or_else(|faults| panic!("{}", faults.render("test", &text))).config
}

fn world(text: &str) -> World {
    let now = Now { mono: Instant::from_micros(1_000_000), wall: UnixMicros(1_000_000_000) };
    let cx = Cx::new(Arc::new(config(text)), Seed([7; 32]), now);
    World { cx, registrar: Registrar::new((1, 2)), load: Load::default(), down: BTreeMap::new() }
}

fn flow(remote: &str) -> Flow {
    Flow { socket: SocketId(0), transport: Transport::Udp, remote: remote.parse().expect("an address") }
}

fn phone(user: &str) -> Caller<'_> {
    Caller { number: user, user, gateway: "", source: None }
}

fn from_gateway<'a>(gateway: &'a str, number: &'a str) -> Caller<'a> {
    Caller { number, user: "", gateway, source: None }
}

impl World {
    fn register(&mut self, user: &str, remote: &str, q_permille: u16) {
        self.register_flow(user, remote, q_permille, "", 0);
    }

    /// One of several flows of a device (RFC 5626).
    fn register_flow(&mut self, user: &str, remote: &str, q_permille: u16, instance: &str, reg_id: u32) {
        let record = BindingRecord {
            aor: user.to_owned(),
            contact: format!("sip:{user}@{remote}"),
            call_id: remote.to_owned(),
            cseq: 1,
            q_permille,
            flow: flow(remote),
            behind_nat: false,
            path: String::new(),
            instance: instance.to_owned(),
            reg_id,
            updated_at: self.cx.now.wall,
            expires_at: self.cx.now.wall.plus(std::time::Duration::from_secs(60)),
        };
        self.registrar.restore(&mut self.cx, record);
    }

    fn with_facts<R>(&self, ask: impl FnOnce(&Facts<'_>) -> R) -> R {
        let trunks = |name: &str| self.down.get(name).copied();
        ask(&Facts {
            config: &self.cx.config,
            registrar: &self.registrar,
            load: &self.load,
            trunks: &trunks,
            now: self.cx.now,
        })
    }

    fn plan(&self, caller: &Caller<'_>, number: &str) -> Plan {
        self.with_facts(|facts| plan(facts, caller, number))
    }

    fn explain(&self, caller: &Caller<'_>, number: &str) -> String {
        self.with_facts(|facts| explain(facts, caller, number)).to_string()
    }

    /// `rule candidate` of each step.
    fn rules(&self, caller: &Caller<'_>, number: &str) -> Vec<String> {
        let plan = self.plan(caller, number);
        plan.steps.iter().map(|step| format!("{} {}", step.rule, step.candidate)).collect()
    }

    /// The gateways or phones of the plan in order.
    fn ways(&self, caller: &Caller<'_>, number: &str) -> Vec<String> {
        self.plan(caller, number).ways.iter().map(|way| [way.gateway.as_str(), &way.user].concat()).collect()
    }

    /// Calls under way through these gateways.
    fn busy(&mut self, gateway: &str, calls: u32) {
        let group = self.cx.config.gateways.find(gateway).expect("it is configured").rules.group.clone();
        for _ in 0..calls {
            self.load.add(&Use { gateway: gateway.to_owned(), group: group.clone(), ..Use::default() });
        }
    }
}

#[test]
fn a_step_is_one_line() {
    let step = |candidate: &str, facts: &str| Step::new(Rule::RoutePrefix, candidate, facts).to_string();
    assert_eq!(step("west", "prefix `00`"), "west taken: prefix `00` (route.prefix)");
    assert_eq!(step("", ""), "taken (route.prefix)");
    assert_eq!(serde_json::to_string(&Rule::RoutePrefix).ok().as_deref(), Some("\"route.prefix\""));
}

#[test]
fn rule_names_are_single_and_helped() {
    for (i, rule) in Rule::ALL.iter().enumerate() {
        assert!(Rule::ALL.iter().skip(i + 1).all(|other| other.name() != rule.name()), "{rule} twice");
        assert!(!rule.help().is_empty() && !rule.help().ends_with('.'), "{rule}: {}", rule.help());
    }
}
