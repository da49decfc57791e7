//! A log played back into a new switch.

use super::{Digest, Frame, Head, MAGIC};
use crate::input::{Input, LookupReply};
use crate::rng::Seed;
use crate::switch::Switch;
use crate::time::{Instant, Now, UnixMicros};
use std::time::Duration;
use thiserror::Error;

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
    /// Other commands, somewhere among these inputs.
    Diverged {
        /// The digests still agreed before this input, counted from 0.
        after_input: u64,
        /// They no longer did before this one.
        before_input: u64,
        /// The digest in the log.
        recorded: u64,
        /// The digest of the replay.
        replayed: u64,
    },
}

/// Why a log cannot be replayed.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// It does not begin like one, or is of another version of the format.
    #[error("not an input log of this version of Crosspoint")]
    NotALog,
    /// It was cut off and its seed is not known.
    #[error("the log has no end: its process was killed; give its seed to replay what there is")]
    NoSeed,
    /// A frame is cut short or damaged.
    #[error("damaged at byte {at}: {why}")]
    Damaged {
        /// Offset of the frame in the log.
        at: usize,
        /// What is wrong there.
        why: String,
    },
}

/// Plays a log into a new switch and compares what it does. `seed` is for a log without an end.
///
/// # Errors
/// Where the log is damaged, foreign, or has no end and no seed is given.
pub fn replay(log: &[u8], seed: Option<Seed>) -> Result<Replay, ReplayError> {
    let frames = frames(log)?;
    let ended = frames.iter().rev().find_map(|(_, frame, _)| match frame {
        Frame::End { seed, .. } => Some(*seed),
        _ => None,
    });
    let seed = ended.or(seed).ok_or(ReplayError::NoSeed)?;
    let Some((_, Frame::Start { config, now, .. }, _)) = frames.first() else {
        return Err(ReplayError::NotALog);
    };
    let mut player = Player { switch: Switch::new(config.clone(), seed, *now), now: *now, digest: Digest::default() };
    let (mut inputs, mut agreed) = (0, 0);
    for (_, frame, bytes) in &frames[1..] {
        match frame {
            Frame::Start { .. } => return Err(ReplayError::NotALog),
            Frame::Input { mono_us, wall_us, input } => {
                player.play(*mono_us, *wall_us, input, bytes);
                inputs += 1;
            }
            Frame::Check { digest, .. } | Frame::End { digest, .. } => {
                let replayed = player.digest.value();
                if replayed != *digest {
                    let (after_input, before_input) = (agreed, inputs);
                    return Ok(Replay::Diverged { after_input, before_input, recorded: *digest, replayed });
                }
                agreed = inputs;
            }
        }
    }
    Ok(Replay::Identical { inputs, digest: player.digest.value() })
}

struct Player {
    switch: Switch,
    now: Now,
    digest: Digest,
}

impl Player {
    fn play(&mut self, mono_us: u64, wall_us: i64, head: &Head, bytes: &[u8]) {
        let mono: Instant = self.now.mono + Duration::from_micros(mono_us);
        self.now = Now { mono, wall: UnixMicros(self.now.wall.0.wrapping_add_signed(wall_us)) };
        let input = match head {
            Head::Datagram { flow } => Input::Datagram { flow: *flow, bytes },
            Head::Undelivered { flow } => Input::Undelivered { flow: *flow },
            Head::Lookup { query, is_message } => {
                Input::Lookup(LookupReply { query: *query, message: is_message.then_some(bytes) })
            }
            Head::Control(control) => Input::Control(control.clone()),
            Head::Tick => Input::Tick,
        };
        self.switch.handle(self.now, input);
        while let Some(command) = self.switch.poll_command() {
            self.digest.command(&command);
        }
    }
}

/// A frame's offset in the log, its head, the bytes after it.
type Found<'l> = (usize, Frame, &'l [u8]);

/// Every whole frame. A torn last frame of a killed process is left out.
fn frames(log: &[u8]) -> Result<Vec<Found<'_>>, ReplayError> {
    let mut rest = log.strip_prefix(MAGIC).ok_or(ReplayError::NotALog)?;
    let mut frames = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let at = log.len() - rest.len();
        let Some((body, after)) = after.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        let (frame, bytes) =
            postcard::take_from_bytes(body).map_err(|error| ReplayError::Damaged { at, why: error.to_string() })?;
        frames.push((at, frame, bytes));
        rest = after;
    }
    Ok(frames)
}
