//! Crossings: two phones, one call, and things that both do at once, at every state of the call. When all is quiet again
//! both ends are in the same state, no rule was broken and nothing is left.
//!
//! A seed makes one world and up to [`PER_WORLD`] calls one after another; the same seed and number make the same calls.
//!
//! ```
//! use crosspoint_sim::crossings::{self, Ground, Links};
//!
//! let tally = crossings::run(7, 20, Ground::FaceToFace, Links::Good).unwrap_or_else(|failure| panic!("{failure}"));
//! assert_eq!(tally.crossings, 20);
//! ```

mod draw;
mod place;

use crate::phone::{Call, State};
use crosspoint_core::rng::{Seed, Stream};
use draw::Crossing;
use place::{ALICE, BOB, Place};
use std::time::Duration;

/// Crossings in one world: more of them make one failure slower to repeat, fewer spend more time on making worlds.
pub const PER_WORLD: u64 = 100;
/// The streams of the crossings, far from those of phones and links.
const STREAM_CROSSINGS: u64 = 1 << 32;
/// How long both sides may take to settle what they began: a lost request is given up after 32 s, a Retry-After takes
/// 10 s at most, and glare repeats.
const SETTLES_IN: Duration = Duration::from_secs(180);
/// How long everything may take to end.
const ENDS_IN: Duration = Duration::from_secs(300);

/// Where the phones stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Without a switch: what the phones themselves are worth.
    FaceToFace,
    /// With the switch between them.
    Switch,
}

/// What the links between them do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Latencies of their own, in order: every 491 must be for something that crossed.
    Good,
    /// Loss, duplication and reordering.
    Bad,
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Crossings.
    pub crossings: u64,
    /// Times that a phone answered 491: what was to cross did.
    pub glares: u64,
    /// Calls that were still up at both ends when all had settled.
    pub up: u64,
}

impl Tally {
    /// Both together.
    pub fn plus(self, other: Tally) -> Tally {
        Tally {
            crossings: self.crossings + other.crossings,
            glares: self.glares + other.glares,
            up: self.up + other.up,
        }
    }
}

/// A crossing that went wrong.
#[derive(Debug)]
pub struct Failure {
    /// The world's seed.
    pub seed: u64,
    /// Which crossing of the world, from 0.
    pub index: u64,
    /// Where it happened.
    pub ground: Ground,
    /// Over what.
    pub links: Links,
    /// What was tried, in words.
    pub tried: String,
    /// What is wrong.
    pub wrong: Vec<String>,
    /// Every message of this call.
    pub ladder: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Failure { seed, index, ground, links, tried, wrong, ladder } = self;
        writeln!(f, "{tried}\n{ladder}")?;
        for wrong in wrong {
            writeln!(f, "violated: {wrong}")?;
        }
        let face = if *ground == Ground::FaceToFace { " --face-to-face" } else { "" };
        let bad = if *links == Links::Bad { " --bad-links" } else { "" };
        write!(f, "again: crosspoint-sim crossings --seed {seed} --count {}{face}{bad}", index + 1)
    }
}

/// Runs the first `count` crossings of this seed, at most [`PER_WORLD`]; what was seen.
///
/// # Errors
/// The first that went wrong.
pub fn run(seed: u64, count: u64, ground: Ground, links: Links) -> Result<Tally, Box<Failure>> {
    let mut place = Place::new(seed, ground);
    let mut tally = Tally::default();
    let count = count.min(PER_WORLD);
    for index in 0..count {
        let mut stream = Stream::new(Seed::from_number(seed), STREAM_CROSSINGS + index);
        let crossing = Crossing::draw(&mut stream, links);
        let wrong = play(&mut place, &crossing, &mut stream, &mut tally);
        if !wrong.is_empty() {
            let tried = crossing.to_string();
            let ladder = place.ladder(&format!("crossing {index} of seed {seed}"));
            return Err(Box::new(Failure { seed, index, ground, links, tried, wrong, ladder }));
        }
        place.forget_past();
    }
    tally.crossings = count;
    tally.glares = [ALICE, BOB].into_iter().map(|name| place.phone(name).glares()).sum();
    Ok(tally)
}

/// Plays one; what is wrong in the end.
fn play(place: &mut Place, crossing: &Crossing, stream: &mut Stream, tally: &mut Tally) -> Vec<String> {
    crossing.prepare(place);
    crossing.begin(place);
    place.run_for(crossing.lasts());
    let settled = settle(place);
    let mut wrong: Vec<String> = disagreement(place).into_iter().collect();
    tally.up += u64::from(place.last_call(ALICE).is_some_and(|call| call.state() == State::Up));
    if !settled {
        wrong.push(format!("a change is still under way after {} s", SETTLES_IN.as_secs()));
    }
    place.act([ALICE, BOB][stream.below(2) as usize], crate::phone::Phone::hang_up);
    if !place.run_until_idle(ENDS_IN) {
        wrong.push("it does not come to rest".to_owned());
    }
    wrong.extend(place.violations());
    wrong
}

/// Lets both sides finish what they began; whether they did.
fn settle(place: &mut Place) -> bool {
    let step = Duration::from_secs(5);
    for _ in 0..SETTLES_IN.as_secs() / step.as_secs() {
        place.run_for(step);
        let is_settled = |call: Option<&Call>| {
            call.is_none_or(|call| call.is_over() || (call.state() == State::Up && !call.is_changing()))
        };
        if [ALICE, BOB].into_iter().all(|name| is_settled(place.last_call(name)) && !place.is_asking(name)) {
            return true;
        }
    }
    false
}

/// Both are up and agree, or neither is.
fn disagreement(place: &Place) -> Option<String> {
    let [alice, bob] = [ALICE, BOB].map(|name| place.last_call(name));
    let is_up = |call: Option<&Call>| call.is_some_and(|call| call.state() == State::Up);
    match (is_up(alice), is_up(bob)) {
        (true, true) => {
            let agreed = |call: Option<&Call>| call.and_then(Call::agreed).cloned();
            match (agreed(alice), agreed(bob)) {
                (Some(alice), Some(bob)) => alice.mismatch(&bob),
                _ => Some("a call is up and nothing was agreed".to_owned()),
            }
        }
        (false, false) => None,
        _ => Some(format!("Alice is {:?}, Bob is {:?}", alice.map(Call::state), bob.map(Call::state))),
    }
}
