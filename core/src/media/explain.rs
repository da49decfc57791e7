//! A decision for people: what `explain media` prints.

use super::decision::{Decision, Step, decide, explain};
use super::facts::Facts;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A decision explained. Displays as text for a terminal; serialises for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// `relay` or `direct`.
    pub media: String,
    /// The id of the rule that decided.
    pub rule: String,
    /// What to look at: `conflict`, `direct_infeasible`.
    pub notes: Vec<String>,
    /// Every rule down to that one.
    pub steps: Vec<Explained>,
    /// What was decided upon.
    pub facts: Facts,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Its id.
    pub rule: String,
    /// Whether it decided.
    pub fires: bool,
    /// The facts that it looked at.
    pub why: String,
}

impl Explanation {
    /// Decides upon these facts, and says how.
    pub fn of(facts: Facts) -> Explanation {
        let Decision { outcome, rule, notes } = decide(&facts);
        let explained = |step: Step| Explained { rule: step.rule.id().to_owned(), fires: step.fires, why: step.why };
        Explanation {
            media: outcome.name().to_owned(),
            rule: rule.id().to_owned(),
            notes: notes.into_iter().map(|note| note.name().to_owned()).collect(),
            steps: explain(&facts).into_iter().map(explained).collect(),
            facts,
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Explained { rule, fires, why } in &self.steps {
            writeln!(f, "{rule}  {}  {why}", if *fires { "yes" } else { "no " })?;
        }
        writeln!(f, "media: {} ({})", self.media, self.rule)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}
