//! A log, read.

use super::digest::short;
use super::{Frame, Head, MAGIC, VERSION};
use crate::config::Config;
use crate::input::{Input, LookupReply};
use crate::rng::Seed;
use crate::time::{Instant, Now, UnixMicros};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Why a log cannot be read or replayed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LogError {
    /// It does not begin like one.
    #[error("not an input log of Crosspoint")]
    NotALog,
    /// It is of another version of the format.
    #[error("an input log of format {found}; this build reads format {}", text(VERSION))]
    OtherVersion {
        /// Which.
        found: String,
    },
    /// It was cut off and its seed is not known.
    #[error("the log has no end: its process runs or was killed; give its seed to replay what there is")]
    NoSeed,
    /// A frame is damaged.
    #[error("damaged at byte {at}: {why}")]
    Damaged {
        /// Offset of the frame in the log.
        at: usize,
        /// What is wrong there.
        why: String,
    },
    /// Frames are missing.
    #[error("the log says that it holds {said} inputs, and holds {found}")]
    Incomplete {
        /// What its end says.
        said: u64,
        /// What is there.
        found: u64,
    },
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

/// A log whose first frame has been read.
#[derive(Clone, Debug)]
pub struct Log<'l> {
    /// What wrote it.
    pub build: String,
    /// The configuration that the switch began with.
    pub config: Arc<Config>,
    /// When that was.
    pub began: Now,
    /// Its end; a killed process wrote none.
    pub end: Option<End>,
    bytes: &'l [u8],
    /// Offset of the second frame.
    second: usize,
}

/// The end of an orderly run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The switch's seed.
    pub seed: Seed,
    /// How many inputs it had.
    pub inputs: u64,
    /// The digest of all its commands.
    pub digest: u64,
}

/// One input, as recorded.
#[derive(Clone, Debug)]
pub struct Recorded<'l> {
    /// Its number, from 1.
    pub number: u64,
    /// When it came.
    pub now: Now,
    /// Four bytes of the digest of all commands before it.
    pub before: [u8; 4],
    /// The input.
    pub input: Input<'l>,
}

impl Recorded<'_> {
    /// Whether the digest of all commands so far is the recorded one, as far as that is known.
    pub fn follows(&self, digest: u64) -> bool {
        self.before == short(digest)
    }
}

impl<'l> Log<'l> {
    /// Reads the beginning and the end of a log; what is between is read as it is asked for.
    ///
    /// # Errors
    /// Where it is no log, one of another version, or one without a beginning.
    pub fn read(bytes: &'l [u8]) -> Result<Log<'l>, LogError> {
        let version = bytes.strip_prefix(MAGIC).ok_or(LogError::NotALog)?;
        if !version.starts_with(VERSION) {
            let found = version.split(|&byte| byte == b'\n').next().unwrap_or_default();
            return Err(LogError::OtherVersion { found: text(found.get(..8).unwrap_or(found)) });
        }
        let at = MAGIC.len() + VERSION.len();
        let damaged = |why: &str| LogError::Damaged { at, why: why.to_owned() };
        let (body, second) = body(bytes, at).ok_or_else(|| damaged("the first frame is cut off"))?;
        match frame(at, body)? {
            (Frame::Start { build, config, now }, b"") => {
                let mut log = Log { build, config, began: now, end: None, bytes, second };
                log.end = log.find_end();
                Ok(log)
            }
            _ => Err(damaged("the first frame holds no configuration")),
        }
    }

    /// Every input in order; ends behind the first error. A torn last frame of a killed process is left out.
    pub fn inputs(&self) -> Inputs<'_, 'l> {
        Inputs { log: self, at: self.second, number: 0, now: self.began, is_over: false }
    }

    /// The last whole frame, where it is an end.
    fn find_end(&self) -> Option<End> {
        let mut last = None;
        let mut at = self.second;
        while let Some((body, next)) = body(self.bytes, at) {
            (last, at) = (Some((at, body)), next);
        }
        let (at, body) = last?;
        match frame(at, body) {
            Ok((Frame::End { seed, inputs, digest }, _)) => Some(End { seed, inputs, digest }),
            _ => None,
        }
    }
}

/// The inputs of a log; see [`Log::inputs`].
#[derive(Clone, Debug)]
pub struct Inputs<'r, 'l> {
    log: &'r Log<'l>,
    at: usize,
    number: u64,
    now: Now,
    is_over: bool,
}

impl<'l> Iterator for Inputs<'_, 'l> {
    type Item = Result<Recorded<'l>, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.read().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl<'l> Inputs<'_, 'l> {
    fn read(&mut self) -> Result<Option<Recorded<'l>>, LogError> {
        let at = self.at;
        let damaged = |why: &str| LogError::Damaged { at, why: why.to_owned() };
        let Some((body, next)) = body(self.log.bytes, at) else { return Ok(None) };
        let (frame, bytes) = frame(at, body)?;
        self.at = next;
        match frame {
            Frame::Start { .. } => Err(damaged("a second beginning")),
            Frame::End { inputs, .. } if inputs != self.number => {
                Err(LogError::Incomplete { said: inputs, found: self.number })
            }
            Frame::End { .. } if next != self.log.bytes.len() => Err(damaged("something follows the end")),
            Frame::End { .. } => Ok(None),
            Frame::Input { mono_us, wall_us, before, input } => {
                let mono: Instant = self.now.mono + Duration::from_micros(mono_us);
                self.now = Now { mono, wall: UnixMicros(self.now.wall.0.wrapping_add_signed(wall_us)) };
                self.number += 1;
                let input = whole(input, bytes).ok_or_else(|| damaged("bytes after an input that has none"))?;
                Ok(Some(Recorded { number: self.number, now: self.now, before, input }))
            }
        }
    }
}

/// The input of this head and the bytes after it.
fn whole(head: Head, bytes: &[u8]) -> Option<Input<'_>> {
    match head {
        Head::Datagram { flow } => Some(Input::Datagram { flow, bytes }),
        Head::Lookup { query, is_message: true } => Some(Input::Lookup(LookupReply { query, message: Some(bytes) })),
        _ if !bytes.is_empty() => None,
        Head::Undelivered { flow } => Some(Input::Undelivered { flow }),
        Head::Lookup { query, is_message: false } => Some(Input::Lookup(LookupReply { query, message: None })),
        Head::Ports(reply) => Some(Input::Ports(reply)),
        Head::Media(shard, report) => Some(Input::Media(shard, *report)),
        Head::Control(control) => Some(Input::Control(control)),
        Head::Tick => Some(Input::Tick),
    }
}

/// The body of the frame at this offset and the offset of the next; none where it is not whole.
fn body(log: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (length, after) = log.get(at..)?.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    Some((after.get(..length)?, at + 4 + length))
}

fn frame(at: usize, body: &[u8]) -> Result<(Frame, &[u8]), LogError> {
    postcard::take_from_bytes(body).map_err(|error| LogError::Damaged { at, why: error.to_string() })
}
