//! A decision for people: what `explain media` prints.

use super::decision::{Decision, Step, decide, steps};
use super::facts::{Facts, Needs, Switches};
use super::side::{Seen, side};
use crate::config::{Config, Endpoint};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A decision explained. Displays as text for a terminal; serialises for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What was decided.
    #[serde(flatten)]
    pub decision: Decision,
    /// Every rule down to the one that did.
    pub steps: Vec<Step>,
    /// What was decided upon.
    pub facts: Facts,
}

/// Explains the media of a call from the first of these endpoints to the second. A side is where `seen` says; a phone of
/// which that says nothing is where it is `registered`, by its user name.
///
/// # Errors
/// There is no such endpoint; says which there is.
pub fn explain(
    config: &Config,
    names: [&str; 2],
    seen: [Seen; 2],
    registered: impl Fn(&str) -> Option<Seen>,
) -> Result<Explanation, String> {
    let side_of = |name, seen: Seen| {
        let endpoint = config.endpoint(name)?;
        let known = match &endpoint {
            Endpoint::Phone(phone) if seen.source.is_none() => registered(phone.user),
            _ => None,
        };
        let known = known.unwrap_or(seen);
        let seen = Seen { evidence: seen.evidence.and(known.evidence), ..known };
        Ok::<_, String>(side(config, Some(&endpoint), seen))
    };
    let (caller, callee) = (side_of(names[0], seen[0])?, side_of(names[1], seen[1])?);
    let needs = Needs::of(&caller, &callee);
    let facts = Facts { switches: Switches::of(&config.parameters), caller, callee, needs };
    Ok(Explanation { decision: decide(&facts), steps: steps(&facts), facts })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Step { rule, fires, why } in &self.steps {
            writeln!(f, "{}  {}  {why}", rule.id(), if *fires { "yes" } else { "no " })?;
        }
        let Decision { outcome, rule, notes } = &self.decision;
        writeln!(f, "media: {} ({})", outcome.name(), rule.id())?;
        notes.iter().try_for_each(|note| writeln!(f, "note: {}", note.name()))
    }
}
