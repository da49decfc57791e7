//! The message ladder: who sent what to whom, as text that a person reads aloud and `insta` compares, as a picture (SVG),
//! and as a Mermaid diagram.
//!
//! Actors stand by name, ids by alias in order of first sight (`c1` a Call-ID, `t2` a tag, `br3` a branch), so that a
//! wrong tag is seen and a new random value is not. Resends fold into the line of the first copy. A lost message ends in
//! `X`. A line's time is the time of sending; in the ladder of a recording, which knows only the switch, a message to the
//! switch has the time of its arrival. `docs/ladders.md` says how to read them.
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

mod describe;
mod lines;
pub(crate) mod media;
mod mermaid;
mod recording;
mod svg;
mod telling;
mod text;

use crate::net::{Loss, Passage};
use bytes::Bytes;
use crosspoint_core::event::Event;
use std::collections::{BTreeMap, BTreeSet};

/// Lines a ladder has at most where nobody says how many.
pub const LINES: usize = 60;

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub struct Log {
    actors: Vec<String>,
    places: BTreeMap<String, usize>,
    entries: Vec<Entry>,
    /// Call-IDs of the legs of a call of the switch, by its flow number.
    legs: BTreeMap<u64, Vec<String>>,
    /// The same from the other side.
    call_of: BTreeMap<Vec<u8>, u64>,
    hides_times: bool,
    /// Whether lines are shown that a ladder of many calls leaves out.
    is_close_up: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    at_us: u64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Message {
        from: usize,
        to: usize,
        datagram: Bytes,
        outcome: Outcome,
    },
    /// `call` is the flow number of the call that it belongs to; a detail is shown in close-ups only.
    Event {
        actor: usize,
        text: String,
        call: Option<u64>,
        is_detail: bool,
    },
    Note {
        text: String,
    },
}

/// What became of a datagram on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Arrived {
        /// How often: more than once where the network doubled it.
        copies: usize,
        /// Whether it arrived as something else: a SIP ALG was on the way.
        is_rewritten: bool,
    },
    /// It did not.
    Lost(Loss),
}

impl Outcome {
    /// It arrived once, as it was sent.
    pub const ARRIVED: Outcome = Outcome::Arrived { copies: 1, is_rewritten: false };

    /// What a network made of the datagram that was sent.
    pub fn of(passage: &Passage, sent: &[u8]) -> Outcome {
        match (passage.arrivals.len(), passage.lost) {
            (0, loss) => Outcome::Lost(loss.unwrap_or(Loss::Lost)),
            (copies, _) => {
                let is_rewritten = passage.arrivals.iter().any(|arrival| arrival.datagram != sent);
                Outcome::Arrived { copies, is_rewritten }
            }
        }
    }

    fn is_lost(self) -> bool {
        matches!(self, Outcome::Lost(_))
    }
}

impl Log {
    /// An empty log; the actors stand side by side in this order.
    pub fn new<S: Into<String>>(actors: impl IntoIterator<Item = S>) -> Log {
        let mut log = Log::default();
        actors.into_iter().for_each(|actor| log.add_actor(&actor.into()));
        log
    }

    /// Adds an actor to the right of the others.
    pub fn add_actor(&mut self, name: &str) {
        self.places.insert(name.to_owned(), self.actors.len());
        self.actors.push(name.to_owned());
    }

    /// Adds an actor to the left of the others.
    ///
    /// # Panics
    /// Where something has happened already.
    pub fn put_first(&mut self, name: &str) {
        assert!(self.entries.is_empty(), "actors keep their places once something has happened");
        self.actors.insert(0, name.to_owned());
        self.find_places();
    }

    /// Gives the actors other names.
    fn rename(&mut self, new_name: impl FnMut(String) -> String) {
        self.actors = std::mem::take(&mut self.actors).into_iter().map(new_name).collect();
        self.find_places();
    }

    fn find_places(&mut self) {
        self.places = self.actors.iter().cloned().enumerate().map(|(place, name)| (name, place)).collect();
    }

    /// Whether somebody of that name is there.
    pub fn has_actor(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Forgets what happened; the actors stay.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.legs.clear();
        self.call_of.clear();
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
        let outcome = match copies {
            0 => Outcome::Lost(Loss::Lost),
            copies => Outcome::Arrived { copies, is_rewritten: false },
        };
        self.sent(at_us, from, to, Bytes::copy_from_slice(datagram), outcome);
    }

    /// A datagram was sent, and this became of it. Keeps the bytes without copying them.
    ///
    /// # Panics
    /// Where an actor is not one of this log.
    pub fn sent(&mut self, at_us: u64, from: &str, to: &str, datagram: Bytes, outcome: Outcome) {
        let what = What::Message { from: self.place(from), to: self.place(to), datagram, outcome };
        self.entries.push(Entry { at_us, what });
    }

    /// Something happened at an actor.
    ///
    /// # Panics
    /// Where the actor is not one of this log.
    pub fn event(&mut self, at_us: u64, actor: &str, text: impl Into<String>) {
        let what = What::Event { actor: self.place(actor), text: text.into(), call: None, is_detail: false };
        self.entries.push(Entry { at_us, what });
    }

    /// An actor, which is a switch, told something. What ladders leave out is left out.
    ///
    /// # Panics
    /// Where the actor is not one of this log.
    pub fn told(&mut self, at_us: u64, actor: &str, event: &Event) {
        match event {
            Event::CallEnded { record } => self.add_legs(record.flow_no, [&record.call_id_in, &record.call_id_out]),
            Event::RouteDecided { call, .. } => self.add_new_legs(at_us, self.place(actor), *call),
            _ => {}
        }
        let Some(text) = telling::text(event) else { return };
        let (call, is_detail) = (telling::call_of(event), telling::is_detail(event));
        let what = What::Event { actor: self.place(actor), text, call, is_detail };
        self.entries.push(Entry { at_us, what });
    }

    /// A line across all actors, such as the sum of the audio packets.
    pub fn note(&mut self, at_us: u64, text: impl Into<String>) {
        self.entries.push(Entry { at_us, what: What::Note { text: text.into() } });
    }

    /// These Call-IDs are legs of this call of the switch. Of an ended call that is known from what the switch told.
    pub fn add_legs<'a>(&mut self, call: u64, call_ids: impl IntoIterator<Item = &'a String>) {
        let legs = self.legs.entry(call).or_default();
        for id in call_ids {
            if !id.is_empty() && !legs.contains(id) {
                legs.push(id.clone());
                self.call_of.insert(id.clone().into_bytes(), call);
            }
        }
    }

    /// A route of this call was just decided: the INVITEs that the switch sent for it are further legs. Those of earlier
    /// attempts and of forks stand in no record.
    fn add_new_legs(&mut self, at_us: u64, switch: usize, call: u64) {
        let mut legs = Vec::new();
        for entry in self.entries.iter().rev().take_while(|entry| entry.at_us == at_us) {
            match &entry.what {
                What::Message { from, datagram, .. } if *from == switch && describe::opens_dialog(datagram) => {
                    let id = describe::call_id(datagram).unwrap_or_default();
                    if !self.call_of.contains_key(id) {
                        legs.push(String::from_utf8_lossy(id).into_owned());
                    }
                }
                // what is before that belongs to another input
                What::Message { to, .. } if *to == switch => break,
                What::Event { call: Some(other), .. } if *other != call => break,
                What::Message { .. } | What::Event { .. } | What::Note { .. } => {}
            }
        }
        self.add_legs(call, legs.iter().rev());
    }

    /// The calls of the switch of which a leg is known, by flow number.
    pub fn calls(&self) -> impl Iterator<Item = u64> {
        self.legs.keys().copied()
    }

    /// Only what concerns the call of this flow number: every message of its legs, and what the switch told about it.
    /// None where no leg of it is known.
    pub fn of_call(&self, call: u64) -> Option<Log> {
        let legs: Vec<&str> = self.legs.get(&call)?.iter().map(String::as_str).collect();
        Some(self.of_calls(&legs))
    }

    /// Only what concerns these Call-IDs, and those of the other legs of the same calls: messages, and what the switch
    /// told about the calls.
    pub fn of_calls(&self, call_ids: &[&str]) -> Log {
        let concerned: BTreeSet<u64> =
            call_ids.iter().filter_map(|id| self.call_of.get(id.as_bytes())).copied().collect();
        let legs = concerned.iter().flat_map(|call| self.legs[call].iter());
        let wanted: BTreeSet<&[u8]> =
            call_ids.iter().map(|id| id.as_bytes()).chain(legs.map(String::as_bytes)).collect();
        let is_wanted = |entry: &&Entry| match &entry.what {
            What::Message { datagram, .. } => describe::call_id(datagram).is_some_and(|id| wanted.contains(id)),
            What::Event { call, .. } => call.is_some_and(|call| concerned.contains(&call)),
            What::Note { .. } => false,
        };
        Log {
            actors: self.actors.clone(),
            places: self.places.clone(),
            entries: self.entries.iter().filter(is_wanted).cloned().collect(),
            legs: self.legs.clone(),
            call_of: self.call_of.clone(),
            hides_times: self.hides_times,
            is_close_up: true,
        }
    }

    /// The ladder as text, at most [`LINES`] lines and a heading. `title` names the scenario.
    pub fn text(&self, title: &str) -> String {
        self.text_limited(title, LINES)
    }

    /// The ladder as text, with at most so many lines below its heading: where there are more, the first and the last.
    pub fn text_limited(&self, title: &str, lines: usize) -> String {
        text::draw(&self.sheet(title, lines))
    }

    /// The ladder as a picture: SVG 1.1 in light and dark, of at most so many lines. Pointing at an arrow shows the main
    /// headers of its message.
    pub fn svg(&self, title: &str, lines: usize) -> String {
        svg::draw(&self.sheet(title, lines))
    }

    /// The ladder as a Mermaid sequence diagram of at most so many lines, for a page that draws those.
    pub fn mermaid(&self, title: &str, lines: usize) -> String {
        mermaid::draw(&self.sheet(title, lines))
    }

    fn place(&self, name: &str) -> usize {
        let place = self.places.get(name).copied();
        place.unwrap_or_else(|| panic!("{name} is not an actor of this ladder: {:?}", self.actors))
    }
}
