//! A log played back into a new switch.

use super::digest::short;
use super::{Digest, Log, LogError};
use crate::command::Command;
use crate::config::Config;
use crate::input::Input;
use crate::rng::Seed;
use crate::switch::Switch;
use crate::time::Now;
use std::sync::Arc;
use std::time::Duration;

/// What a replay found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The same commands in the same order.
    Identical {
        /// Inputs played.
        inputs: u64,
        /// The digest of all commands.
        digest: u64,
    },
    /// Other commands.
    Diverged(Divergence),
}

/// Where a replay first did something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The first input after which the commands differ, by its number from 1; 0 where they do before any input.
    pub input: u64,
    /// When that was, after the beginning of the log.
    pub after: Duration,
    /// The digest in the log of all commands up to there, its first four bytes.
    pub recorded: [u8; 4],
    /// That of the replay.
    pub replayed: [u8; 4],
}

/// Plays a log into a new switch and compares what it does. `seed` is for a log without an end.
///
/// # Errors
/// Where the log is damaged, foreign, or has no end and no seed is given.
pub fn replay(log: &[u8], seed: Option<Seed>) -> Result<Replay, LogError> {
    let log = Log::read(log)?;
    let Some(seed) = log.end.map(|end| end.seed).or(seed) else {
        // what is damaged may hide the end: then that is what to say
        return Err(log.inputs().find_map(Result::err).unwrap_or(LogError::NoSeed));
    };
    let mut player = Player::new(Arc::clone(&log.config), seed, log.began, |_| {});
    let (mut inputs, mut at) = (0, log.began);
    let diverged = |player: &Player, recorded: [u8; 4], input: u64, at: Now| {
        let (after, replayed) = (at.mono.since(log.began.mono), short(player.digest()));
        Ok(Replay::Diverged(Divergence { input, after, recorded, replayed }))
    };
    for recorded in log.inputs() {
        let recorded = recorded?;
        if !recorded.follows(player.digest()) {
            return diverged(&player, recorded.before, inputs, at);
        }
        (inputs, at) = (recorded.number, recorded.now);
        player.play(recorded.now, recorded.input, |_| {});
    }
    match log.end {
        Some(end) if end.digest != player.digest() => diverged(&player, short(end.digest), inputs, at),
        _ => Ok(Replay::Identical { inputs, digest: player.digest() }),
    }
}

/// A switch that a log is played into.
#[derive(Debug)]
pub struct Player {
    switch: Switch,
    digest: Digest,
}

impl Player {
    /// A new switch; `each` gets what it does before any input.
    pub fn new(config: Arc<Config>, seed: Seed, now: Now, each: impl FnMut(Command)) -> Player {
        let mut player = Player { switch: Switch::new(config, seed, now), digest: Digest::default() };
        player.drain(each);
        player
    }

    /// The switch handles an input; `each` gets what it does.
    pub fn play(&mut self, now: Now, input: Input<'_>, each: impl FnMut(Command)) {
        self.switch.handle(now, input);
        self.drain(each);
    }

    /// The digest of all commands so far.
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }

    fn drain(&mut self, mut each: impl FnMut(Command)) {
        while let Some(command) = self.switch.poll_command() {
            self.digest.command(&command);
            each(command);
        }
    }
}
