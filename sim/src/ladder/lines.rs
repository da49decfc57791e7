//! The lines of a ladder, ready to be drawn: what text, SVG and Mermaid have in common.

use super::describe::{self, Aliases, Kind, clean};
use super::{Entry, Log, Outcome, What};
use crate::net::Loss;
use std::collections::{BTreeMap, BTreeSet};

/// Characters of an event or a note; somebody far away may have written them.
const TEXT_CHARS: usize = 240;
/// Actors that find room side by side whether or not they do something.
const SIDE_BY_SIDE: usize = 8;

/// One ladder. All text in it is clean: printable, and of bounded length.
pub(super) struct Sheet<'l> {
    pub(super) title: String,
    pub(super) actors: Vec<String>,
    pub(super) lines: Vec<Line<'l>>,
    pub(super) has_times: bool,
}

pub(super) struct Line<'l> {
    pub(super) at_us: u64,
    pub(super) shape: Shape<'l>,
}

pub(super) enum Shape<'l> {
    Arrow(Arrow<'l>),
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
pub(super) struct Arrow<'l> {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: Kind,
    /// What stands on the arrow.
    pub(super) label: String,
    /// What stands beside it.
    pub(super) notes: String,
    pub(super) outcome: Outcome,
    pub(super) resends: Vec<Resend>,
    pub(super) datagram: &'l [u8],
}

/// The same datagram once more, between the same two.
#[derive(Clone, Copy)]
pub(super) struct Resend {
    pub(super) at_us: u64,
    pub(super) outcome: Outcome,
}

impl Arrow<'_> {
    pub(super) fn is_lost(&self) -> bool {
        self.outcome.is_lost()
    }

    /// What became of it, in brackets; empty where it just arrived.
    pub(super) fn fate(&self) -> String {
        let mut fate = Vec::new();
        match self.outcome {
            // the cross at its head says it
            Outcome::Lost(Loss::Lost) => {}
            Outcome::Lost(loss) => fate.push(format!("(lost: {loss})")),
            Outcome::Arrived { copies, is_rewritten } => {
                fate.extend((copies > 1).then(|| "(doubled)".to_owned()));
                fate.extend(is_rewritten.then(|| "(rewritten)".to_owned()));
            }
        }
        let lost = self.resends.iter().filter(|resend| resend.outcome.is_lost()).count();
        match (self.resends.len(), lost) {
            (0, _) => {}
            (again, 0) => fate.push(format!("(again x{again})")),
            (again, lost) => fate.push(format!("(again x{again}, {lost} lost)")),
        }
        fate.join(" ")
    }

    /// Notes, and what became of it.
    pub(super) fn remarks(&self) -> String {
        format!("{} {}", self.notes, self.fate()).trim().to_owned()
    }
}

impl Sheet<'_> {
    /// Without the actors that nothing happens to: a world may have thousands. The one who begins may come first.
    fn without_idlers(mut self, puts_caller_first: bool) -> Self {
        let mut taking_part = BTreeSet::new();
        let mut caller = None;
        for line in &self.lines {
            match &line.shape {
                Shape::Arrow(arrow) => {
                    taking_part.extend([arrow.from, arrow.to]);
                    caller = caller.or(Some(arrow.from).filter(|_| puts_caller_first));
                }
                Shape::Event { actor, .. } => taking_part.extend([*actor]),
                Shape::Note { .. } | Shape::Gap { .. } => {}
            }
        }
        let mut order: Vec<usize> = taking_part.into_iter().collect();
        order.sort_by_key(|actor| Some(*actor) != caller);
        let places: BTreeMap<usize, usize> = order.iter().enumerate().map(|(place, actor)| (*actor, place)).collect();
        for line in &mut self.lines {
            match &mut line.shape {
                Shape::Arrow(arrow) => (arrow.from, arrow.to) = (places[&arrow.from], places[&arrow.to]),
                Shape::Event { actor, .. } => *actor = places[actor],
                Shape::Note { .. } | Shape::Gap { .. } => {}
            }
        }
        self.actors = order.into_iter().map(|actor| std::mem::take(&mut self.actors[actor])).collect();
        self
    }
}

impl Log {
    /// The ladder with at most so many lines.
    pub(super) fn sheet(&self, title: &str, lines: usize) -> Sheet<'_> {
        let mut aliases = Aliases::default();
        let all: Vec<Line<'_>> = self.fold().into_iter().map(|folded| line(&mut aliases, folded)).collect();
        let actors = self.actors.iter().map(|actor| clean(actor, TEXT_CHARS)).collect();
        let title = clean(title, TEXT_CHARS);
        let sheet = Sheet { title, actors, lines: cut(all, lines), has_times: !self.hides_times };
        match (self.is_close_up, self.actors.len() > SIDE_BY_SIDE) {
            (true, _) => sheet.without_idlers(true),
            (false, true) => sheet.without_idlers(false),
            (false, false) => sheet,
        }
    }

    /// What is to be seen, each with its resends, which have no line of their own.
    fn fold(&self) -> Vec<(&Entry, Vec<Resend>)> {
        let mut folded: Vec<(&Entry, Vec<Resend>)> = Vec::new();
        let mut seen: BTreeMap<(usize, usize, &[u8]), usize> = BTreeMap::new();
        for entry in &self.entries {
            match &entry.what {
                What::Message { from, to, datagram, outcome } => {
                    let first = *seen.entry((*from, *to, datagram)).or_insert(folded.len());
                    match folded.get_mut(first) {
                        Some((_, resends)) => resends.push(Resend { at_us: entry.at_us, outcome: *outcome }),
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

fn line<'l>(aliases: &mut Aliases, (entry, resends): (&'l Entry, Vec<Resend>)) -> Line<'l> {
    let shape = match &entry.what {
        What::Event { actor, text, .. } => Shape::Event { actor: *actor, text: clean(text, TEXT_CHARS) },
        What::Note { text } => Shape::Note { text: clean(text, TEXT_CHARS) },
        What::Message { from, to, datagram, outcome } => {
            let described = describe::describe(aliases, datagram);
            Shape::Arrow(Arrow {
                from: *from,
                to: *to,
                kind: described.kind,
                label: described.label,
                notes: described.notes,
                outcome: *outcome,
                resends,
                datagram,
            })
        }
    };
    Line { at_us: entry.at_us, shape }
}

/// At most so many: the first half and the last, for it is the end that tells what went wrong.
fn cut(mut lines: Vec<Line<'_>>, limit: usize) -> Vec<Line<'_>> {
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
