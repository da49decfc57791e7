//! A ladder as a picture: plain SVG 1.1, without scripts, with fonts that are everywhere, in the colours that the reader
//! prefers. All measures are pixels, in integers.

use super::describe::{Kind, main_lines};
use super::lines::{Arrow, Line, Shape, Sheet, ms};
use std::fmt::Write as _;

/// Around everything.
const MARGIN: usize = 16;
/// From top to the actors' boxes, their height, and the room to the first line.
const TITLE_HEIGHT: usize = 44;
const BOX_HEIGHT: usize = 26;
const ROW_HEIGHT: usize = 30;
/// A letter of a label, of a note, of an actor's name, in tenths of a pixel: fonts of one width, 12 and 11 pixels high, and
/// the widest letters of one at 13.
const LABEL_TENTHS: usize = 73;
const NOTE_TENTHS: usize = 67;
const NAME_TENTHS: usize = 85;
/// How far before its goal a lost message ends.
const CROSS: usize = 20;
/// Letters of a note beside an arrow; what is behind shows where one points at it.
const NOTE_CHARS: usize = 110;
/// A pause so long is worth some room, which says how long it was.
const PAUSE_US: u64 = 500_000;
/// From so many lines on the actors' names stand below too.
const LINES_IN_SIGHT: usize = 25;

const STYLE: &str = "
text{font-family:monospace;font-size:12px;fill:#1c2024}
.title{font-family:sans-serif;font-size:15px;font-weight:bold}
.name{font-family:sans-serif;font-size:13px;font-weight:bold;text-anchor:middle}
.time,.note,.key{font-size:11px;fill:#5b646d}
.time{text-anchor:end}
.paper{fill:#ffffff}
.life{stroke:#b9c1c9}
.box{fill:#eef1f4;stroke:#8b959f}
.event{fill:#fff6d6;stroke:#c79a1b}
.line{fill:none;stroke-width:1.5}
.lost .line{stroke-dasharray:5 4}
.request .line{stroke:#0b5cad}.request .head{fill:#0b5cad}
.provisional .line{stroke:#6b7681}.provisional .head{fill:#6b7681}
.success .line{stroke:#1a7f37}.success .head{fill:#1a7f37}
.failure .line{stroke:#b35309}.failure .head{fill:#b35309}
.other .line{stroke:#7a4fb5}.other .head{fill:#7a4fb5}
.cross{fill:none;stroke:#cf222e;stroke-width:2.5}
.fate{fill:#cf222e;font-weight:bold}
@media (prefers-color-scheme:dark){
text{fill:#e3e7eb}
.time,.note,.key{fill:#9aa4ae}
.paper{fill:#14181c}
.life{stroke:#46505a}
.box{fill:#232a31;stroke:#6d7883}
.event{fill:#3a3113;stroke:#a98a2c}
.request .line{stroke:#6cb0ff}.request .head{fill:#6cb0ff}
.provisional .line{stroke:#97a2ad}.provisional .head{fill:#97a2ad}
.success .line{stroke:#4cc36b}.success .head{fill:#4cc36b}
.failure .line{stroke:#f0964b}.failure .head{fill:#f0964b}
.other .line{stroke:#b794f0}.other .head{fill:#b794f0}
.cross{stroke:#ff7b72}.fate{fill:#ff7b72}}
";

/// What one must know to read it.
const KEY: [&str; 2] = [
    "c1.2: the first Call-ID, CSeq 2 · br1: branch of the top Via · t1>t2: tags of From and To · each is numbered as it \
     is first seen",
    "X: lost on the way · (again x3): sent three more times · yellow: what the switch tells · point at an arrow for the \
     headers of its message",
];

/// The picture.
pub(super) fn draw(sheet: &Sheet<'_>) -> String {
    let plan = Plan::of(sheet);
    let mut body = String::new();
    let mut y = TITLE_HEIGHT + BOX_HEIGHT;
    let mut before_us = sheet.lines.first().map_or(0, |line| line.at_us);
    for line in &sheet.lines {
        let pause_us = line.at_us.saturating_sub(before_us);
        if sheet.has_times && pause_us >= PAUSE_US {
            y += ROW_HEIGHT * 2 / 3;
            // a thousandth of what it takes for microseconds: seconds
            text(&mut body, "time", plan.time, y + 9, &format!("+{} s", ms(pause_us / 1000)));
        }
        before_us = if matches!(line.shape, Shape::Gap { .. }) { u64::MAX } else { line.at_us };
        y += ROW_HEIGHT;
        plan.row(&mut body, sheet, line, y);
    }
    y += ROW_HEIGHT;
    let bottom = y;
    let mut feet = String::new();
    if sheet.lines.len() > LINES_IN_SIGHT {
        plan.boxes(&mut feet, sheet, y);
        y += BOX_HEIGHT;
    }
    for key in KEY {
        y += 20;
        text(&mut feet, "key", MARGIN, y, key);
    }
    let (width, height) = (plan.width, y + MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<title>{title}</title>\n<style type=\"text/css\">{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n",
        title = escape(&sheet.title)
    );
    text(&mut out, "title", MARGIN, 26, &sheet.title);
    if sheet.has_times {
        text(&mut out, "time", plan.time, TITLE_HEIGHT + 18, "ms");
    }
    for actor in 0..sheet.actors.len() {
        let _ = writeln!(out, "<path class=\"life\" d=\"M{} {TITLE_HEIGHT}V{bottom}\"/>", plan.x(actor));
    }
    plan.boxes(&mut out, sheet, TITLE_HEIGHT);
    out + &body + &feet + "</svg>\n"
}

/// Where everything stands from left to right.
struct Plan {
    /// The right end of the times.
    time: usize,
    first: usize,
    column: usize,
    name: usize,
    notes: usize,
    width: usize,
}

impl Plan {
    fn of(sheet: &Sheet<'_>) -> Plan {
        let longest = |letters: &dyn Fn(&Line<'_>) -> usize| sheet.lines.iter().map(letters).max().unwrap_or_default();
        let labels = longest(&|line| match &line.shape {
            Shape::Arrow(arrow) => arrow.label.chars().count(),
            Shape::Event { .. } | Shape::Note { .. } | Shape::Gap { .. } => 0,
        });
        let names = sheet.actors.iter().map(|actor| actor.chars().count()).max().unwrap_or_default();
        let name = (names * NAME_TENTHS / 10 + 20).max(70);
        let time = if sheet.has_times { MARGIN + 64 } else { MARGIN };
        let column = (labels * LABEL_TENTHS / 10 + 52).max(name + 16).max(150);
        let first = time + 12 + name / 2;
        let last = first + column * sheet.actors.len().saturating_sub(1);
        let notes = last + (name / 2).min(40) + 12;
        let right = longest(&|line| match &line.shape {
            Shape::Arrow(arrow) => {
                let letters = arrow.notes.chars().count().min(NOTE_CHARS + 3) + arrow.fate().chars().count() + 1;
                let own = if arrow.from == arrow.to { arrow.label.len() * LABEL_TENTHS / 10 + 40 } else { 0 };
                notes.max(first + arrow.from * column + own) + letters * NOTE_TENTHS / 10
            }
            Shape::Event { actor, text } => first + actor * column + event_width(text) / 2,
            Shape::Note { text } => first + event_width(text),
            Shape::Gap { .. } => 0,
        });
        let key = KEY.map(|key| MARGIN + key.chars().count() * NOTE_TENTHS / 10).into_iter().max().unwrap_or_default();
        let title = MARGIN + sheet.title.chars().count() * 10;
        let width = right.max(key).max(title).max(last + name / 2) + MARGIN;
        Plan { time, first, column, name, notes, width }
    }

    /// The line of an actor.
    fn x(&self, actor: usize) -> usize {
        self.first + actor * self.column
    }

    fn boxes(&self, out: &mut String, sheet: &Sheet<'_>, y: usize) {
        for (actor, name) in sheet.actors.iter().enumerate() {
            let x = self.x(actor);
            rect(out, "box", x - self.name / 2, y, self.name, BOX_HEIGHT);
            text(out, "name", x, y + 18, name);
        }
    }

    fn row(&self, out: &mut String, sheet: &Sheet<'_>, line: &Line<'_>, y: usize) {
        if sheet.has_times && !matches!(line.shape, Shape::Gap { .. }) {
            text(out, "time", self.time, y + 4, &ms(line.at_us));
        }
        match &line.shape {
            Shape::Arrow(arrow) => self.arrow(out, sheet, line.at_us, arrow, y),
            Shape::Event { actor, text: said } => {
                let width = event_width(said);
                let x = self.x(*actor).saturating_sub(width / 2).max(self.time + 8);
                rect(out, "event", x, y - 13, width, 21);
                text(out, "said", x + 8, y + 2, said);
            }
            Shape::Note { text: said } => {
                let last = self.x(sheet.actors.len().saturating_sub(1));
                let x = self.time + 8;
                rect(out, "box", x, y - 11, (last + 12 - x).max(event_width(said)), 22);
                text(out, "said", x + 8, y + 4, said);
            }
            Shape::Gap { lines } => {
                let last = self.x(sheet.actors.len().saturating_sub(1));
                rect(out, "paper", self.time + 8, y - 11, last + 12 - self.time, 22);
                text(out, "note", self.first, y + 4, &format!("... {lines} lines left out ..."));
            }
        }
    }

    fn arrow(&self, out: &mut String, sheet: &Sheet<'_>, at_us: u64, arrow: &Arrow<'_>, y: usize) {
        let class = match arrow.kind {
            Kind::Request => "request",
            Kind::Provisional => "provisional",
            Kind::Success => "success",
            Kind::Failure => "failure",
            Kind::Other => "other",
        };
        let lost = if arrow.is_lost() { " lost" } else { "" };
        let _ = write!(out, "<g class=\"{class}{lost}\"><title>{}</title>", escape(&tooltip(sheet, at_us, arrow)));
        let (from, to) = (self.x(arrow.from), self.x(arrow.to));
        // what can be pointed at is larger than the line
        let (left, right) = (from.min(to), from.max(to));
        let _ = write!(
            out,
            "<rect x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{ROW_HEIGHT}\" fill=\"none\" pointer-events=\"all\"/>",
            y - 19,
            right - left + 30
        );
        let notes = if from == to {
            let _ = write!(out, "<path class=\"line\" d=\"M{from} {}h24v10h-16\"/>", y - 5);
            head(out, from, y + 5, false);
            text(out, "label", from + 30, y + 4, &arrow.label);
            from + 40 + arrow.label.chars().count() * LABEL_TENTHS / 10
        } else {
            straight(out, from, to, y, arrow.is_lost());
            // close to an actor's line, so that no other line goes through it
            let room = if arrow.is_lost() && to < from { CROSS + 12 } else { 12 };
            text(out, "label", left + room, y - 5, &arrow.label);
            self.notes
        };
        let mut shown: String = arrow.notes.chars().take(NOTE_CHARS).collect();
        if arrow.notes.chars().nth(NOTE_CHARS).is_some() {
            shown.push_str("...");
        }
        let fate = arrow.fate();
        let _ = write!(out, "<text class=\"note\" x=\"{notes}\" y=\"{}\">{} ", y + 4, escape(&shown));
        let _ = writeln!(out, "<tspan class=\"fate\">{}</tspan></text></g>", escape(&fate));
    }
}

/// A line with a head, or one that ends on its way, in a cross.
fn straight(out: &mut String, from: usize, to: usize, y: usize, is_lost: bool) {
    let is_rightwards = from < to;
    if is_lost {
        let end = if is_rightwards { to - CROSS } else { to + CROSS };
        let (left, top) = (end - 6, y - 6);
        let _ = write!(out, "<path class=\"line\" d=\"M{from} {y}H{end}\"/>");
        let _ = write!(out, "<path class=\"cross\" d=\"M{left} {top}l12 12m0 -12l-12 12\"/>");
    } else {
        let end = if is_rightwards { to - 8 } else { to + 8 };
        let _ = write!(out, "<path class=\"line\" d=\"M{from} {y}H{end}\"/>");
        head(out, to, y, is_rightwards);
    }
}

/// The head of an arrow that ends there.
fn head(out: &mut String, x: usize, y: usize, is_rightwards: bool) {
    let back = if is_rightwards { x - 10 } else { x + 10 };
    let _ = write!(out, "<path class=\"head\" d=\"M{x} {y}L{back} {}V{}z\"/>", y - 4, y + 4);
}

/// What is shown where one points at an arrow.
fn tooltip(sheet: &Sheet<'_>, at_us: u64, arrow: &Arrow<'_>) -> String {
    let mut lines = main_lines(arrow.datagram);
    let names = format!("{} to {}", sheet.actors[arrow.from], sheet.actors[arrow.to]);
    if sheet.has_times {
        let at = |at_us: u64, is_lost: bool| format!("{} ms{}", ms(at_us), if is_lost { " (lost)" } else { "" });
        lines.push(format!("{names}, at {}", at(at_us, arrow.is_lost())));
        if !arrow.resends.is_empty() {
            let again = arrow.resends.iter().take(12).map(|resend| at(resend.at_us, resend.outcome.is_lost()));
            lines.push(format!("again at {}", again.collect::<Vec<_>>().join(", ")));
        }
    } else {
        lines.push(names);
    }
    lines.join("\n")
}

/// The width of the box around these words.
fn event_width(words: &str) -> usize {
    words.chars().count() * LABEL_TENTHS / 10 + 16
}

fn rect(out: &mut String, class: &str, x: usize, y: usize, width: usize, height: usize) {
    let _ =
        writeln!(out, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>");
}

fn text(out: &mut String, class: &str, x: usize, y: usize, words: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escape(words));
}

/// Text as XML has it, in an element or an attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}
