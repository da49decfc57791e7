//! Many scenarios, each from its seed; the first that goes wrong is made small and told.

use crate::ladder::Log;
use crate::scenario::{Played, Scenario, Violation, ladder_of, minimise, play, play_with};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// The check that a panic breaks: the core says by one that a rule of its own does not hold.
pub const PANIC: &str = "no-panic";
/// Calls of a scenario, where nobody asks for another number.
pub const CALLS: u64 = 20;
/// Scenarios that may be played to make a failing one smaller.
const SHRINK_BUDGET: u64 = 3000;
/// Lines of the ladder of a failure.
const LADDER_LINES: usize = 40;
/// Lines above it: the title, and the names.
const HEADING_LINES: usize = 2;

/// What went well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Worlds.
    pub worlds: u64,
    /// Calls that began.
    pub calls: u64,
    /// Calls that were answered and ended.
    pub complete_calls: u64,
    /// Virtual time, in seconds.
    pub virtual_s: u64,
}

impl Tally {
    /// Both together.
    pub fn plus(self, other: Tally) -> Tally {
        Tally {
            worlds: self.worlds + other.worlds,
            calls: self.calls + other.calls,
            complete_calls: self.complete_calls + other.complete_calls,
            virtual_s: self.virtual_s + other.virtual_s,
        }
    }
}

/// A seed whose world went wrong.
#[derive(Debug)]
pub struct Failure {
    /// What was drawn.
    pub drawn: Scenario,
    /// How many calls were asked for.
    pub calls: u64,
    /// What was wrong with it.
    pub violations: Vec<Violation>,
}

/// Plays the scenario of a seed.
///
/// # Errors
/// What went wrong.
pub fn run(seed: u64, calls: u64) -> Result<Tally, Box<Failure>> {
    let drawn = Scenario::draw(seed, calls);
    match attempt(&drawn) {
        Ok(played) if played.violations.is_empty() => Ok(Tally {
            worlds: 1,
            calls: played.calls,
            complete_calls: played.complete_calls,
            virtual_s: played.virtual_s,
        }),
        Ok(played) => Err(Box::new(Failure { drawn, calls, violations: played.violations })),
        Err(panic) => Err(Box::new(Failure { drawn, calls, violations: vec![panic] })),
    }
}

/// What is wrong with a scenario; a panic is a violation of [`PANIC`].
pub fn violations(scenario: &Scenario) -> Vec<Violation> {
    attempt(scenario).map_or_else(|panic| vec![panic], |played| played.violations)
}

fn attempt(scenario: &Scenario) -> Result<Played, Violation> {
    caught(|| play(scenario))
}

thread_local! {
    static IS_PLAYING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread plays a scenario: a panic is then a finding, which is told with its scenario and needs no words
/// of its own.
pub fn is_playing() -> bool {
    IS_PLAYING.get()
}

fn caught<R>(play: impl FnOnce() -> R) -> Result<R, Violation> {
    IS_PLAYING.set(true);
    let played = catch_unwind(AssertUnwindSafe(play));
    IS_PLAYING.set(false);
    played.map_err(|panic| violation_of(&*panic))
}

fn violation_of(panic: &(dyn Any + Send)) -> Violation {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Violation::new(PANIC, text.unwrap_or("a panic without words").to_owned())
}

/// A failure told: what, how to see it again, and the smallest scenario that shows it.
#[derive(Debug)]
pub struct Report {
    /// The smallest scenario.
    pub scenario: Scenario,
    /// All in words, to be printed.
    pub text: String,
    /// Lines of its whole ladder below the heading; the text has the middle of a longer one left out.
    pub ladder_lines: usize,
}

impl Failure {
    /// Makes the scenario small and tells of it. `build` names the commit.
    pub fn report(&self, build: &str) -> Report {
        let first = &self.violations[0];
        let shrunk = minimise(&self.drawn, first.check, SHRINK_BUDGET, violations);
        let (log, mut violations) = last_words(&shrunk.scenario);
        // it was made small for the sake of this one
        violations.sort_by_key(|violation| violation.check != first.check);
        let ladder = ladder_of(&log, &violations, LADDER_LINES);
        let ladder_lines = ladder_of(&log, &violations, usize::MAX).lines().count() - HEADING_LINES;
        let mut text = format!(
            "seed {} of build {build}, {} calls, options: {}\n",
            self.drawn.seed, self.calls, self.drawn.options
        );
        for violation in &self.violations {
            text.push_str(&format!("violated: {violation}\n"));
        }
        let (before, after) = (self.drawn.ops.len(), shrunk.scenario.ops.len());
        text.push_str(&format!(
            "made small in {} runs: {after} of {before} operations, {ladder_lines} lines of ladder\n\n",
            shrunk.played
        ));
        text.push_str(&shrunk.scenario.to_toml());
        text.push_str(&format!("\n{ladder}\n"));
        for violation in &violations {
            text.push_str(&format!("violated: {violation}\n"));
        }
        text.push_str(&format!(
            "again: crosspoint-sim run --seed {} --calls {}\nkept: put the scenario into tests/seeds/NAME.toml; \
             crosspoint-sim run tests/seeds/NAME.toml",
            self.drawn.seed, self.calls
        ));
        Report { scenario: shrunk.scenario, text, ladder_lines }
    }
}

/// The log of a scenario that goes wrong, and what is wrong. A world that panics is gone, so it leaves
/// its log.
fn last_words(scenario: &Scenario) -> (Log, Vec<Violation>) {
    let heir: Rc<RefCell<Log>> = Rc::default();
    let log = heir.clone();
    let played = caught(|| play_with(scenario, |world| world.bequeath_log(log)).found());
    let violations = played.unwrap_or_else(|panic| vec![panic]);
    (heir.take(), violations)
}
