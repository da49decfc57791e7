//! The message ladder: who sent what to whom, as text that a person reads aloud and `insta` compares.
//!
//! Actors stand by name, ids by alias in order of first sight (`c1` a Call-ID, `t2` a tag, `br3` a branch), so that a
//! wrong tag is seen and a new random value is not. Resends fold into the line of the first copy. A lost message ends in
//! `X`. A line's time is the time of sending.
//!
//! ```
//! use crosspoint_sim::ladder::Log;
//!
//! let mut log = Log::new(["alice", "switch"]);
//! let options = b"OPTIONS sip:9000@example.net SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKq7\r\n\
//!     From: <sip:a@example.net>;tag=88\r\nTo: <sip:9000@example.net>\r\nCall-ID: 5x\r\nCSeq: 1 OPTIONS\r\n\r\n";
//! log.message(0, "alice", "switch", options, 1);
//! log.event(1_000, "switch", "nothing else happened");
//! let text = log.text("example");
//! assert!(text.contains("|--OPTIONS c1.1---->|   br1 t1"), "{text}");
//! ```

use crate::phone::message::{Message, Start, param};
use std::fmt::Write as _;

/// Lines a ladder has at most; what is more is counted, not shown.
const LINES: usize = 60;

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub struct Log {
    actors: Vec<String>,
    entries: Vec<Entry>,
    hides_times: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    at_us: u64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Message { from: usize, to: usize, datagram: Vec<u8>, copies: usize },
    Event { actor: usize, text: String },
    Note { text: String },
}

impl Log {
    /// An empty log; the actors stand side by side in this order.
    pub fn new<S: Into<String>>(actors: impl IntoIterator<Item = S>) -> Log {
        Log { actors: actors.into_iter().map(Into::into).collect(), ..Log::default() }
    }

    /// Adds an actor to the right of the others.
    pub fn add_actor(&mut self, name: &str) {
        self.actors.push(name.to_owned());
    }

    /// Adds an actor to the left of the others.
    ///
    /// # Panics
    /// Where something has happened already.
    pub fn put_first(&mut self, name: &str) {
        assert!(self.entries.is_empty(), "actors keep their places once something has happened");
        self.actors.insert(0, name.to_owned());
    }

    /// Forgets what happened; the actors stay.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Leaves the times out, where a ladder shall not depend on latencies.
    pub fn without_times(mut self) -> Log {
        self.hides_times = true;
        self
    }

    /// A datagram was sent; `copies` of it arrive (0: lost).
    ///
    /// # Panics
    /// Where an actor is not one of this log.
    pub fn message(&mut self, at_us: u64, from: &str, to: &str, datagram: &[u8], copies: usize) {
        let what = What::Message { from: self.actor(from), to: self.actor(to), datagram: datagram.to_vec(), copies };
        self.entries.push(Entry { at_us, what });
    }

    /// Something happened at an actor.
    ///
    /// # Panics
    /// Where the actor is not one of this log.
    pub fn event(&mut self, at_us: u64, actor: &str, text: impl Into<String>) {
        let what = What::Event { actor: self.actor(actor), text: text.into() };
        self.entries.push(Entry { at_us, what });
    }

    /// A line across all actors, such as the sum of the audio packets.
    pub fn note(&mut self, at_us: u64, text: impl Into<String>) {
        self.entries.push(Entry { at_us, what: What::Note { text: text.into() } });
    }

    /// Only what concerns these Call-IDs; events and notes go.
    pub fn of_calls(&self, call_ids: &[&str]) -> Log {
        let is_wanted = |entry: &&Entry| match &entry.what {
            What::Message { datagram, .. } => {
                Message::parse_leniently(datagram).is_ok_and(|message| call_ids.contains(&message.call_id()))
            }
            What::Event { .. } | What::Note { .. } => false,
        };
        Log { entries: self.entries.iter().filter(is_wanted).cloned().collect(), ..self.clone() }
    }

    /// The ladder, at most 60 lines and a heading. `title` names the scenario.
    pub fn text(&self, title: &str) -> String {
        let mut aliases = Aliases::default();
        let lines: Vec<Line> = self.fold().into_iter().map(|folded| self.line(&mut aliases, folded)).collect();
        let width = self.column_width(&lines);
        let mut out = format!("{title}{}\n", if self.hides_times { "" } else { "   (times ms)" });
        let mut heading = String::new();
        for (i, actor) in self.actors.iter().enumerate() {
            // centred over the actor's line
            let from = (GUTTER + i * width).saturating_sub(actor.len() / 2);
            let _ = write!(heading, "{}{actor}", " ".repeat(from.saturating_sub(heading.len())));
        }
        out.push_str(heading.trim_end());
        out.push('\n');
        for line in lines.iter().take(LINES) {
            out.push_str(self.draw(line, width).trim_end());
            out.push('\n');
        }
        if lines.len() > LINES {
            let _ = writeln!(out, "... and {} lines more", lines.len() - LINES);
        }
        out
    }

    fn actor(&self, name: &str) -> usize {
        let at = self.actors.iter().position(|actor| actor == name);
        at.unwrap_or_else(|| panic!("{name} is not an actor of this ladder: {:?}", self.actors))
    }

    /// Entries with the number of resends of each; the resends themselves are gone.
    fn fold(&self) -> Vec<(&Entry, usize)> {
        let mut folded: Vec<(&Entry, usize)> = Vec::new();
        for entry in &self.entries {
            let first = folded.iter_mut().find(|(earlier, _)| is_resend(earlier, entry));
            match first {
                Some((_, times)) => *times += 1,
                None => folded.push((entry, 0)),
            }
        }
        folded
    }

    fn line(&self, aliases: &mut Aliases, (entry, again): (&Entry, usize)) -> Line {
        let shape = match &entry.what {
            What::Event { actor, text } => Shape::Event { actor: *actor, text: text.clone() },
            What::Note { text } => Shape::Note { text: text.clone() },
            What::Message { from, to, datagram, copies } => {
                let (label, mut notes) = describe(aliases, datagram);
                if *copies > 1 {
                    notes.push_str(" (doubled)");
                }
                if again > 0 {
                    let _ = write!(notes, " (again x{again})");
                }
                Shape::Arrow { from: *from, to: *to, label, notes: notes.trim().to_owned(), is_lost: *copies == 0 }
            }
        };
        Line { at_us: entry.at_us, shape }
    }

    /// Wide enough for the longest label on an arrow between neighbours.
    fn column_width(&self, lines: &[Line]) -> usize {
        let label = |line: &Line| match &line.shape {
            Shape::Arrow { label, .. } => label.len(),
            Shape::Event { .. } | Shape::Note { .. } => 0,
        };
        // "|--" and "-->" and a dash or two
        lines.iter().map(label).max().unwrap_or_default().max(12) + 8
    }

    fn draw(&self, line: &Line, width: usize) -> String {
        let mut row: Vec<char> = vec![' '; GUTTER + width * self.actors.len().saturating_sub(1) + 1];
        for i in 0..self.actors.len() {
            row[GUTTER + i * width] = '|';
        }
        if !self.hides_times {
            let tenths = (line.at_us + 50) / 100;
            for (i, c) in format!("{:>8}", format!("{}.{}", tenths / 10, tenths % 10)).chars().enumerate() {
                row[i] = c;
            }
        }
        match &line.shape {
            Shape::Note { text } => {
                let head: String = row[..GUTTER].iter().collect();
                format!("{head}~~ {text} ~~")
            }
            Shape::Event { actor, text } => {
                let at = GUTTER + actor * width;
                let head: String = row[..at].iter().collect();
                format!("{head}* {text}")
            }
            Shape::Arrow { from, to, label, notes, is_lost } => {
                let (left, right) = (GUTTER + from.min(to) * width, GUTTER + from.max(to) * width);
                for c in &mut row[left + 1..right] {
                    *c = '-';
                }
                for (i, c) in label.chars().enumerate() {
                    row[left + 3 + i] = c;
                }
                match (from < to, is_lost) {
                    (true, false) => row[right - 1] = '>',
                    (true, true) => row[right - 1] = 'X',
                    (false, false) => row[left + 1] = '<',
                    (false, true) => row[left + 1] = 'X',
                }
                let row: String = row.into_iter().collect();
                format!("{row}   {notes}")
            }
        }
    }
}

/// Columns before the first actor's line.
const GUTTER: usize = 11;

struct Line {
    at_us: u64,
    shape: Shape,
}

enum Shape {
    Arrow { from: usize, to: usize, label: String, notes: String, is_lost: bool },
    Event { actor: usize, text: String },
    Note { text: String },
}

fn is_resend(earlier: &Entry, entry: &Entry) -> bool {
    match (&earlier.what, &entry.what) {
        (
            What::Message { from, to, datagram, .. },
            What::Message { from: from_again, to: to_again, datagram: again, .. },
        ) => (from, to, datagram) == (from_again, to_again, again),
        _ => false,
    }
}

/// What stands on the arrow, and what beside it: branch, tags, and the headers that a ladder is read for.
fn describe(aliases: &mut Aliases, datagram: &[u8]) -> (String, String) {
    let Ok(message) = Message::parse_leniently(datagram) else {
        return (format!("{} octets", datagram.len()), String::new());
    };
    let call = aliases.name("c", message.call_id());
    let (number, method) = message.cseq().unwrap_or((0, "?"));
    let label = match &message.start {
        Start::Request { method, .. } => format!("{method} {call}.{number}"),
        Start::Response { status, .. } => format!("{status} {method} {call}.{number}"),
    };
    let mut notes = aliases.name("br", message.branch());
    let _ = write!(notes, " {}", aliases.name("t", message.from_tag().unwrap_or_default()));
    if let Some(tag) = message.to_tag() {
        let _ = write!(notes, ">{}", aliases.name("t", tag));
    }
    for name in ["Expires", "Retry-After", "Reason", "Min-Expires", "Require", "Unsupported", "Subscription-State"] {
        if let Some(value) = message.get(name) {
            let _ = write!(notes, " {name}={value}");
        }
    }
    for name in ["RSeq", "RAck"] {
        if let Some(rseq) = message.get(name).and_then(|value| value.split(' ').next()) {
            let _ = write!(notes, " {name}={}", aliases.name("rs", rseq));
        }
    }
    for contact in message.list("Contact") {
        if contact == "*" || message.cseq().is_some_and(|(_, method)| method == "REGISTER") {
            let expires = param(contact, "expires").map(|s| format!(";expires={s}")).unwrap_or_default();
            let _ = write!(notes, " contact={}{expires}", crate::phone::message::uri_of(contact));
        }
    }
    if message.get("Authorization").or(message.get("Proxy-Authorization")).is_some() {
        notes.push_str(" +credentials");
    }
    for challenge in message.all("WWW-Authenticate").chain(message.all("Proxy-Authenticate")) {
        let stale = challenge.to_ascii_lowercase().contains("stale=true");
        let algorithm = challenge.split("algorithm=").nth(1).and_then(|rest| rest.split([',', ' ']).next());
        let _ = write!(notes, " challenge={}{}", algorithm.unwrap_or("MD5"), if stale { " stale" } else { "" });
    }
    if message.get("Content-Type") == Some("application/sdp") {
        let _ = write!(notes, "  sdp {}", sdp_summary(&message.body));
    }
    (label, notes)
}

/// `c=10.0.0.5 m=audio 4000`, and the direction where it is not both ways.
fn sdp_summary(sdp: &str) -> String {
    let value = |start: &str| sdp.lines().find_map(|line| line.strip_prefix(start)).unwrap_or("?");
    let media: Vec<&str> = value("m=").split(' ').take(2).collect();
    let direction = ["sendonly", "recvonly", "inactive"].into_iter().find(|d| sdp.contains(&format!("a={d}")));
    let direction = direction.map(|d| format!(" {d}")).unwrap_or_default();
    format!("c={} m={}{direction}", value("c=").rsplit(' ').next().unwrap_or("?"), media.join(" "))
}

/// Short names for random values, in order of first sight.
#[derive(Default)]
struct Aliases {
    seen: Vec<(&'static str, String)>,
}

impl Aliases {
    fn name(&mut self, kind: &'static str, value: &str) -> String {
        if value.is_empty() {
            return format!("{kind}?");
        }
        if !self.seen.iter().any(|(k, v)| *k == kind && v == value) {
            self.seen.push((kind, value.to_owned()));
        }
        let of_kind = self.seen.iter().filter(|(k, _)| *k == kind);
        let at = of_kind.map(|(_, v)| v).position(|v| v == value).expect("it was just put in");
        format!("{kind}{}", at + 1)
    }
}
