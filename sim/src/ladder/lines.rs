//! The lines of a ladder, ready to be drawn: what text, SVG and Mermaid have in common.

use super::describe::{self, Aliases, clean};
use super::{Entry, Log, Outcome, What};
use std::collections::BTreeMap;

/// Characters of an event or a note; somebody far away may have written them.
const TEXT_CHARS: usize = 240;

/// One ladder. All text in it is clean: printable, and of bounded length.
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) actors: Vec<String>,
    pub(super) lines: Vec<Line>,
    pub(super) has_times: bool,
}

pub(super) struct Line {
    pub(super) at_us: u64,
    pub(super) shape: Shape,
}

pub(super) enum Shape {
    Arrow(Arrow),
    Event {
        actor: usize,
        text: String,
    },
    Note {
        text: String,
    },
    /// So many lines are left out here.
    Gap {
        lines: usize,
    },
}

/// A datagram from actor to actor, every copy of it that was sent.
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// What stands on the arrow.
    pub(super) label: String,
    /// What stands beside it.
    pub(super) notes: String,
    pub(super) outcome: Outcome,
    /// When it was sent again.
    pub(super) resent_us: Vec<u64>,
}

impl Arrow {
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.outcome, Outcome::Lost { .. })
    }

    /// Notes, and in brackets what became of it.
    pub(super) fn remarks(&self) -> String {
        let mut remarks = vec![self.notes.clone()];
        match self.outcome {
            Outcome::Arrived { copies } if copies > 1 => remarks.push("(doubled)".to_owned()),
            Outcome::Lost { why } if !matches!(why, "" | "lost") => remarks.push(format!("(lost: {why})")),
            Outcome::Arrived { .. } | Outcome::Lost { .. } => {}
        }
        if !self.resent_us.is_empty() {
            remarks.push(format!("(again x{})", self.resent_us.len()));
        }
        remarks.join(" ").trim().to_owned()
    }
}

impl Log {
    /// The ladder with at most so many lines.
    pub(super) fn sheet(&self, title: &str, lines: usize) -> Sheet {
        let mut aliases = Aliases::default();
        let all = self.fold().into_iter().map(|folded| line(&mut aliases, folded)).collect();
        Sheet {
            title: clean(title, TEXT_CHARS),
            actors: self.actors.iter().map(|actor| clean(actor, TEXT_CHARS)).collect(),
            lines: cut(all, lines),
            has_times: !self.hides_times,
        }
    }

    /// What is to be seen, each with the times of its resends; the resends themselves are gone.
    fn fold(&self) -> Vec<(&Entry, Vec<u64>)> {
        let mut folded: Vec<(&Entry, Vec<u64>)> = Vec::new();
        let mut seen: BTreeMap<(usize, usize, &[u8]), usize> = BTreeMap::new();
        for entry in &self.entries {
            match &entry.what {
                What::Message { from, to, datagram, .. } => {
                    let first = *seen.entry((*from, *to, datagram)).or_insert(folded.len());
                    match folded.get_mut(first) {
                        Some((_, resent_us)) => resent_us.push(entry.at_us),
                        None => folded.push((entry, Vec::new())),
                    }
                }
                What::Event { is_detail: true, .. } if !self.is_close_up => {}
                What::Event { .. } | What::Note { .. } => folded.push((entry, Vec::new())),
            }
        }
        folded
    }
}

fn line(aliases: &mut Aliases, (entry, resent_us): (&Entry, Vec<u64>)) -> Line {
    let shape = match &entry.what {
        What::Event { actor, text, .. } => Shape::Event { actor: *actor, text: clean(text, TEXT_CHARS) },
        What::Note { text } => Shape::Note { text: clean(text, TEXT_CHARS) },
        What::Message { from, to, datagram, outcome } => {
            let (label, notes) = describe::describe(aliases, datagram);
            Shape::Arrow(Arrow { from: *from, to: *to, label, notes, outcome: *outcome, resent_us })
        }
    };
    Line { at_us: entry.at_us, shape }
}

/// At most so many: the first half and the last, for it is the end that tells what went wrong.
fn cut(mut lines: Vec<Line>, limit: usize) -> Vec<Line> {
    if lines.len() <= limit {
        return lines;
    }
    let first = limit / 2;
    let last = limit.saturating_sub(first + 1);
    let left_out = lines.len() - first - last;
    let at_us = lines[first].at_us;
    lines.splice(first..first + left_out, [Line { at_us, shape: Shape::Gap { lines: left_out } }]);
    lines
}

/// Milliseconds to a tenth, as `12.3`.
pub(super) fn ms(at_us: u64) -> String {
    let tenths = (at_us + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}
