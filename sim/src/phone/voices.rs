//! Who said what and who heard it, by the names that media itself bears: what a check compares.

use super::rtp;
use std::collections::{BTreeMap, BTreeSet};

/// What a phone has said and heard so far, all calls together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audio {
    /// Packets sent.
    pub sent: u64,
    /// Well-formed G.711 packets received.
    pub received: u64,
    /// Packets of control received.
    pub control: u64,
    /// Packets received that were no G.711 of 20 ms.
    pub odd: u64,
}

/// A call of the phone, and the op of the scenario that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) call: u32,
    pub(crate) op: u64,
}

/// The sources of a phone, those that it was told of, and those that it heard. Sources are told apart by the first one
/// of their call.
#[derive(Clone, Debug, Default)]
pub struct Voices {
    pub(super) audio: Audio,
    said: BTreeMap<u32, Whose>,
    told: BTreeSet<(u32, u32)>,
    /// By call and source: the op of the call, and how many packets.
    heard: BTreeMap<(u32, u32), (u64, u64)>,
    /// Calls and sources whose control came.
    reported: BTreeSet<(u32, u32)>,
}

impl Voices {
    /// The phone says something in this call.
    pub(super) fn say(&mut self, base: u32, whose: Whose) {
        self.said.entry(base).or_insert(whose);
    }

    /// A description names the source of what will be heard in a call.
    pub(super) fn tell(&mut self, call: u32, source: u32) {
        self.told.insert((call, rtp::base(source)));
    }

    /// A packet of this source comes in at the port of a call.
    pub(super) fn hear(&mut self, whose: Whose, source: u32) {
        self.heard.entry((whose.call, source)).or_insert((whose.op, 0)).1 += 1;
    }

    /// A report of this source comes in at a port of a call.
    pub(super) fn report(&mut self, call: u32, source: u32) {
        self.reported.insert((call, source));
    }

    /// In which call it says what this source says.
    pub(crate) fn says(&self, source: u32) -> Option<Whose> {
        self.said.get(&rtp::base(source)).copied()
    }

    /// Whether a description in this call has named the source.
    pub(crate) fn is_told(&self, call: u32, source: u32) -> bool {
        self.told.contains(&(call, rtp::base(source)))
    }

    /// Whether any description has.
    pub(crate) fn is_told_at_all(&self, source: u32) -> bool {
        self.told.iter().any(|(_, base)| *base == rtp::base(source))
    }

    /// What was heard: at the port of which call, of which source, how many packets.
    pub(crate) fn heard(&self) -> impl Iterator<Item = (Whose, u32, u64)> {
        self.heard.iter().map(|((call, source), (op, packets))| (Whose { call: *call, op: *op }, *source, *packets))
    }

    /// Whether a report came in this call of what its far side says there.
    pub fn is_reported_in(&self, call: u32) -> bool {
        self.reported.iter().any(|(of, source)| *of == call && self.is_told(call, *source))
    }

    /// How many packets of audio and control it heard in this call of what its far side says there.
    pub fn heard_in(&self, call: u32) -> u64 {
        self.heard()
            .filter(|(of, source, _)| of.call == call && self.is_told(call, *source))
            .map(|(.., packets)| packets)
            .sum()
    }
}
