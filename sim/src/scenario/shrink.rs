//! Smaller scenarios of the same kind, for one that goes wrong.

use super::{Act, CallPlan, NetFault, Op, Options, Scenario, Violation};
use crate::net::Plan;
use quickcheck::{Arbitrary, Gen};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Calls of a scenario that quickcheck draws.
const CALLS: u64 = 12;

/// quickcheck cannot be seeded (its issue 277), so the value carries its own seed, and what is drawn is drawn from that.
impl Arbitrary for Scenario {
    fn arbitrary(g: &mut Gen) -> Scenario {
        Scenario::draw(u64::arbitrary(g), CALLS)
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Scenario>> {
        Box::new(self.smaller().into_iter())
    }
}

impl Scenario {
    /// Every scenario that is one step smaller, the boldest steps first: half the operations, one of them, nothing
    /// new in calm, a phone or gateway that nothing needs, a calmer network, a simpler or shorter call.
    fn smaller(&self) -> Vec<Scenario> {
        let mut all = Vec::new();
        let mut chunk = self.ops.len().div_ceil(2);
        while chunk > 0 {
            let starts = (0..self.ops.len()).step_by(chunk);
            all.extend(starts.map(|from| self.without_ops(from, (from + chunk).min(self.ops.len()))));
            chunk /= 2;
        }
        all.push(Scenario { ends_at_rest: true, ..self.clone() });
        all.extend(self.without_idle());
        if self.links != Plan::GOOD {
            all.push(Scenario { links: Plan::GOOD, ..self.clone() });
            all.extend(without_each_key(&self.links).into_iter().map(|links| Scenario { links, ..self.clone() }));
        }
        all.extend((0..self.nats.len()).map(|at| self.without_nat(at)));
        for at in 0..self.ops.len() {
            let with = |act| {
                let mut scenario = self.clone();
                scenario.ops[at].act = act;
                scenario
            };
            all.extend(simpler(&self.ops[at].act).into_iter().map(with));
        }
        // what is usual stays when it is left out
        all.retain(|scenario| scenario != self);
        all
    }

    fn without_ops(&self, from: usize, to: usize) -> Scenario {
        let mut scenario = self.clone();
        scenario.ops.drain(from..to);
        scenario
    }

    /// Without each phone, gateway and option that no operation names.
    fn without_idle(&self) -> Vec<Scenario> {
        let text = toml::to_string(&Ops { ops: &self.ops }).expect("operations are plain data with text keys");
        let is_idle = |name: &str| !text.contains(&format!("\"{name}\""));
        let mut all = Vec::new();
        for (at, phone) in self.phones.iter().enumerate().filter(|(_, phone)| is_idle(&phone.name)) {
            let mut scenario = self.clone();
            scenario.phones.remove(at);
            if scenario.nats.len() > 1 || phone.behind.is_none() {
                all.push(scenario);
            }
        }
        for (at, _) in self.gateways.iter().enumerate().filter(|(_, gateway)| is_idle(&gateway.name)) {
            let mut scenario = self.clone();
            scenario.gateways.remove(at);
            all.push(scenario);
        }
        all
    }

    fn without_nat(&self, at: usize) -> Scenario {
        let mut scenario = self.clone();
        let gone = scenario.nats.remove(at).id;
        for phone in scenario.phones.iter_mut().filter(|phone| phone.behind == Some(gone)) {
            phone.behind = None;
        }
        scenario.ops.retain(|op| !matches!(op.act, Act::Net(NetFault::RebootNat { nat }) if nat == gone));
        scenario
    }
}

#[derive(Serialize)]
struct Ops<'s> {
    ops: &'s [Op],
}

/// The act with one thing less.
fn simpler(act: &Act) -> Vec<Act> {
    let mut all = Vec::new();
    match act {
        Act::Call(call) => {
            for after_ms in [call.after_ms / 2, call.after_ms * 3 / 4] {
                all.push(Act::Call(Box::new(CallPlan { after_ms, ..(**call).clone() })));
            }
            for at in 0..call.steps.len() {
                let mut less = call.clone();
                less.steps.remove(at);
                all.push(Act::Call(less));
            }
            let with = |caller, callee| Act::Call(Box::new(CallPlan { caller, callee, ..(**call).clone() }));
            all.extend(without_each_key(&call.callee).into_iter().map(|callee| with(call.caller.clone(), callee)));
            all.extend(without_each_key(&call.caller).into_iter().map(|caller| with(caller, call.callee.clone())));
        }
        Act::Net(NetFault::Partition { names, way, stopped, for_ms }) => {
            for at in 0..names.len() {
                let mut names = names.clone();
                names.remove(at);
                all.push(Act::Net(NetFault::Partition { names, way: *way, stopped: *stopped, for_ms: *for_ms }));
            }
        }
        _ => {}
    }
    all
}

/// The value without each of the keys that its TOML has: what is left out is as usual.
fn without_each_key<T: Serialize + DeserializeOwned>(value: &T) -> Vec<T> {
    let table = toml::Table::try_from(value).expect("what a scenario holds is plain data with text keys");
    let without = |key: &String| {
        let mut less = table.clone();
        less.remove(key);
        less.try_into().ok()
    };
    table.keys().filter_map(without).collect()
}

/// A scenario made small.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest that was found to go wrong in the same way.
    pub scenario: Scenario,
    /// How many were played on the way.
    pub played: u64,
}

/// Makes a scenario that breaks `check` as small as `budget` runs allow; `breaks` plays one and says what is wrong.
pub fn minimise(
    scenario: &Scenario,
    check: &str,
    budget: u64,
    mut breaks: impl FnMut(&Scenario) -> Vec<Violation>,
) -> Shrunk {
    let mut best = Scenario { options: Options::default(), ..scenario.clone() };
    let mut played = 0;
    'smaller: while played < budget {
        for candidate in best.smaller() {
            played += 1;
            if breaks(&candidate).iter().any(|violation| violation.check == check) {
                best = candidate;
                continue 'smaller;
            }
            if played >= budget {
                break 'smaller;
            }
        }
        break;
    }
    Shrunk { scenario: Scenario { options: scenario.options, ..best }, played }
}
