//! Relay or direct: the rules of behaviour 1(a) as one table, of which the first that holds decides.

use super::facts::{Facts, Need, Side, is_same_site};
use crate::params::MediaProxy;
use serde::{Deserialize, Serialize};

/// Where media goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Through the switch.
    Relay,
    /// From one side to the other.
    Direct,
}

impl Outcome {
    /// As in the CDR and in events.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Relay => "relay",
            Outcome::Direct => "direct",
        }
    }
}

/// A rule of the table, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rule {
    /// The global mode is Must On.
    G1,
    /// The global mode is Off.
    G2,
    /// The global mode is On.
    G3,
    /// A side is Must On.
    S1,
    /// A side is Off.
    S2,
    /// A side is On.
    S3,
    /// The callee has local ring.
    S4,
    /// A side registers and is encrypted.
    S5,
    /// The sides are in different networks.
    S6,
    /// A side is behind an address translator.
    S7,
    /// Recording needs it.
    F1,
    /// Interruption detection needs it.
    F2,
    /// A conversion needs it.
    F3,
    /// SRTP on one side alone needs it.
    F4,
    /// Different address families need it.
    F5,
    /// Nothing else held.
    S8,
}

/// What an operator should look at, though it changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The global mode went before what a side asks for.
    Conflict,
    /// Media is direct, and the sides cannot reach or understand each other so.
    DirectInfeasible,
}

impl Note {
    /// As in events and explanations.
    pub fn name(self) -> &'static str {
        match self {
            Note::Conflict => "conflict",
            Note::DirectInfeasible => "direct_infeasible",
        }
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Where media goes.
    #[serde(rename = "media")]
    pub outcome: Outcome,
    /// The rule that says so.
    pub rule: Rule,
    /// What to look at.
    pub notes: Vec<Note>,
}

/// One rule in an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which one.
    pub rule: Rule,
    /// Whether it decided.
    pub fires: bool,
    /// The facts that made it do so, or not.
    pub why: String,
}

/// The rules in order; each with what it results in.
const TABLE: [(Rule, Outcome); 16] = [
    (Rule::G1, Outcome::Relay),
    (Rule::G2, Outcome::Direct),
    (Rule::G3, Outcome::Relay),
    (Rule::S1, Outcome::Relay),
    (Rule::S2, Outcome::Direct),
    (Rule::S3, Outcome::Relay),
    (Rule::S4, Outcome::Relay),
    (Rule::S5, Outcome::Relay),
    (Rule::S6, Outcome::Relay),
    (Rule::S7, Outcome::Relay),
    (Rule::F1, Outcome::Relay),
    (Rule::F2, Outcome::Relay),
    (Rule::F3, Outcome::Relay),
    (Rule::F4, Outcome::Relay),
    (Rule::F5, Outcome::Relay),
    (Rule::S8, Outcome::Direct),
];

/// Decides.
pub fn decide(facts: &Facts) -> Decision {
    let (rule, outcome) =
        TABLE.into_iter().find(|(rule, _)| rule.holds(facts)).expect("the last rule of the table holds always");
    Decision { outcome, rule, notes: notes(facts, rule, outcome) }
}

/// Every rule down to the one that decides, and what each saw.
pub fn steps(facts: &Facts) -> Vec<Step> {
    let decided = decide(facts).rule;
    let rules = TABLE.into_iter().map(|(rule, _)| rule).take_while(|rule| *rule <= decided);
    rules.map(|rule| Step { rule, fires: rule == decided, why: rule.why(facts) }).collect()
}

/// Conflicts and impossibilities; whoever wrote an Off is told, and not overruled.
fn notes(facts: &Facts, rule: Rule, outcome: Outcome) -> Vec<Note> {
    let overruled = match rule {
        Rule::G2 => is_any(facts, MediaProxy::MustOn),
        Rule::G3 => is_any(facts, MediaProxy::Off),
        _ => false,
    };
    let is_infeasible = outcome == Outcome::Direct && facts.needs.iter().any(Need::is_vital);
    let notes = [(overruled, Note::Conflict), (is_infeasible, Note::DirectInfeasible)];
    notes.into_iter().filter_map(|(is_so, note)| is_so.then_some(note)).collect()
}

fn is_any(facts: &Facts, mode: MediaProxy) -> bool {
    facts.caller.mode == mode || facts.callee.mode == mode
}

fn registers_encrypted(side: &Side) -> bool {
    side.registers && side.is_encrypted
}

fn networks_differ(facts: &Facts) -> bool {
    facts.caller.network != facts.callee.network || facts.caller.is_v6() != facts.callee.is_v6()
}

/// S7's test: neither behind, nothing to do; both behind one address, SAMENAT says; any other, yes.
fn nat_needs_it(facts: &Facts) -> bool {
    match (facts.caller.nat.observed(), facts.callee.nat.observed()) {
        (None, None) => false,
        (Some(caller), Some(callee)) if is_same_site(caller, callee) => facts.switches.same_nat,
        _ => true,
    }
}

impl Rule {
    /// As in the CDR, events and explanations.
    pub fn id(self) -> &'static str {
        match self {
            Rule::G1 => "G1",
            Rule::G2 => "G2",
            Rule::G3 => "G3",
            Rule::S1 => "S1",
            Rule::S2 => "S2",
            Rule::S3 => "S3",
            Rule::S4 => "S4",
            Rule::S5 => "S5",
            Rule::S6 => "S6",
            Rule::S7 => "S7",
            Rule::F1 => "F1",
            Rule::F2 => "F2",
            Rule::F3 => "F3",
            Rule::F4 => "F4",
            Rule::F5 => "F5",
            Rule::S8 => "S8",
        }
    }

    /// The need that a rule of the features stands for.
    fn need(self) -> Option<Need> {
        Some(match self {
            Rule::F1 => Need::Recording,
            Rule::F2 => Need::Interruption,
            Rule::F3 => Need::Conversion,
            Rule::F4 => Need::Crypto,
            Rule::F5 => Need::Family,
            _ => return None,
        })
    }

    fn holds(self, facts: &Facts) -> bool {
        let Facts { switches, caller, callee, needs } = facts;
        match self {
            Rule::G1 => switches.mode == MediaProxy::MustOn,
            Rule::G2 => switches.mode == MediaProxy::Off,
            Rule::G3 => switches.mode == MediaProxy::On,
            Rule::S1 => is_any(facts, MediaProxy::MustOn),
            Rule::S2 => is_any(facts, MediaProxy::Off),
            Rule::S3 => is_any(facts, MediaProxy::On),
            Rule::S4 => callee.has_local_ring,
            Rule::S5 => registers_encrypted(caller) || registers_encrypted(callee),
            Rule::S6 => switches.between_net && networks_differ(facts),
            Rule::S7 => switches.behind_nat && nat_needs_it(facts),
            Rule::F1 | Rule::F2 | Rule::F3 | Rule::F4 | Rule::F5 => self.need().is_some_and(|need| needs.has(need)),
            Rule::S8 => true,
        }
    }

    /// The facts that it looks at, in words.
    pub fn why(self, facts: &Facts) -> String {
        let Facts { switches, caller, callee, needs } = facts;
        match self {
            Rule::G1 | Rule::G2 | Rule::G3 => format!("SS_MEDIAPROXYMODE is {}", switches.mode.name()),
            Rule::S1 | Rule::S2 | Rule::S3 => {
                format!("media_proxy is {} at the caller, {} at the callee", caller.mode.name(), callee.mode.name())
            }
            Rule::S4 => format!("the callee has {}local ring", if callee.has_local_ring { "" } else { "no " }),
            Rule::S5 => format!("the caller {}, the callee {}", security(caller), security(callee)),
            Rule::S6 if !switches.between_net => "SS_MEDIAPROXYBETWEENNET is Off".to_owned(),
            Rule::S6 => format!("the caller is in {}, the callee in {}", place(caller), place(callee)),
            Rule::S7 if !switches.behind_nat => "SS_MEDIAPROXYBEHINDNAT is Off".to_owned(),
            Rule::S7 => {
                let same_nat = if switches.same_nat { "On" } else { "Off" };
                format!(
                    "the caller {}, the callee {}; SS_MEDIAPROXYSAMENAT is {same_nat}",
                    behind(caller),
                    behind(callee)
                )
            }
            Rule::F1 | Rule::F2 | Rule::F3 | Rule::F4 | Rule::F5 => {
                let need = self.need().expect("a rule of the features has its need");
                format!("{}{}", if needs.has(need) { "" } else { "no " }, need.words())
            }
            Rule::S8 => "nothing asks for the relay".to_owned(),
        }
    }
}

fn security(side: &Side) -> &'static str {
    match (side.registers, side.is_encrypted) {
        (true, true) => "registers and is encrypted",
        (true, false) => "registers unencrypted",
        (false, true) => "is encrypted, with a fixed address",
        (false, false) => "is unencrypted, with a fixed address",
    }
}

fn place(side: &Side) -> String {
    match side.source {
        Some(source) => format!("`{}` at {source}", side.network),
        None => format!("`{}`, its address unknown", side.network),
    }
}

fn behind(side: &Side) -> String {
    match side.nat {
        super::Nat::None => "is behind no translator".to_owned(),
        super::Nat::Behind { observed, evidence } => {
            format!("is behind the translator {observed} (seen in {})", evidence.words())
        }
    }
}

#[cfg(test)]
mod tests;
