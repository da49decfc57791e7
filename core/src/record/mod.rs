//! The input log: every input with its time, so that a run can be repeated without the world it ran in.
//!
//! A log is a line that names the format, then frames of a length (4 bytes, little endian) and a body: one frame
//! head, and for a datagram its bytes. The first frame holds the configuration, the last the seed. The seed comes last
//! because it is a secret of the running switch: who reads the log of a live process can predict nothing. The log holds
//! credentials all the same; whoever writes it to a file keeps others from reading it.
//!
//! The frame of an input also holds 4 bytes of the digest of all commands before it, so that a replay knows the very
//! input after which it differs. They are bytes of a rolling digest: a difference that one of them hides by chance, the
//! next shows.

mod digest;
mod log;
mod replay;

pub use digest::Digest;
pub use log::{End, Inputs, Log, LogError, Recorded};
pub use replay::{Divergence, Player, Replay, replay};

use crate::config::Config;
use crate::input::{Control, Flow, Input, LookupReply, QueryId};
use crate::media::MediaReport;
use crate::ports::{PortReply, Shard};
use crate::rng::Seed;
use crate::time::Now;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How every log begins, whatever its version.
const MAGIC: &[u8] = b"crosspoint-input-log-";
/// What follows in logs of this version.
const VERSION: &[u8] = b"4\n";

/// The head of one frame.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Frame {
    /// What the switch was made of, and by which build.
    Start { build: String, config: Arc<Config>, now: Now },
    /// One input, at this much after the one before (monotonic, wall; microseconds), with the digest of all commands
    /// before it.
    Input { mono_us: u64, wall_us: i64, before: [u8; 4], input: Head },
    /// The end of an orderly run.
    End { seed: Seed, inputs: u64, digest: u64 },
}

/// An input without the bytes of its datagram, which follow the frame's head.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Head {
    Datagram {
        flow: Flow,
    },
    Undelivered {
        flow: Flow,
    },
    /// Whether a message follows; without one the server was out of reach.
    Lookup {
        query: QueryId,
        is_message: bool,
    },
    Ports(PortReply),
    Media(Shard, Box<MediaReport>),
    Control(Control),
    Tick,
}

/// Whether these bytes begin as every recording does, of whichever version.
pub fn is_recording(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Writes the log of one run.
#[derive(Debug)]
pub struct Recorder {
    seed: Seed,
    last: Now,
    inputs: u64,
}

impl Recorder {
    /// Begins the log of a switch that is made of these, and appends its first bytes to `out`.
    pub fn start(config: Arc<Config>, seed: Seed, now: Now, out: &mut Vec<u8>) -> Recorder {
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(VERSION);
        write(out, &Frame::Start { build: this_build(), config, now }, b"");
        Recorder { seed, last: now, inputs: 0 }
    }

    /// Appends an input that is about to be handled; `digest` is that of all commands before it.
    pub fn input(&mut self, now: Now, input: &Input<'_>, digest: u64, out: &mut Vec<u8>) {
        self.inputs += 1;
        let (head, bytes): (Head, &[u8]) = match input {
            Input::Datagram { flow, bytes } => (Head::Datagram { flow: *flow }, bytes),
            Input::Undelivered { flow } => (Head::Undelivered { flow: *flow }, b""),
            Input::Lookup(LookupReply { query, message }) => {
                (Head::Lookup { query: *query, is_message: message.is_some() }, message.unwrap_or_default())
            }
            Input::Ports(reply) => (Head::Ports(*reply), b""),
            Input::Media(shard, report) => (Head::Media(*shard, Box::new(report.clone())), b""),
            Input::Control(control) => (Head::Control(control.clone()), b""),
            Input::Tick => (Head::Tick, b""),
        };
        let mono_us = now.mono.as_micros().saturating_sub(self.last.mono.as_micros());
        let wall_us = now.wall.0.wrapping_sub(self.last.wall.0) as i64;
        self.last = Now { mono: self.last.mono.max(now.mono), wall: now.wall };
        write(out, &Frame::Input { mono_us, wall_us, before: digest::short(digest), input: head }, bytes);
    }

    /// Appends the end; `digest` is that of all commands.
    pub fn finish(self, digest: u64, out: &mut Vec<u8>) {
        write(out, &Frame::End { seed: self.seed, inputs: self.inputs, digest }, b"");
    }
}

/// What a log says it was written by.
pub fn this_build() -> String {
    concat!("crosspoint ", env!("CARGO_PKG_VERSION")).to_owned()
}

fn write(out: &mut Vec<u8>, frame: &Frame, bytes: &[u8]) {
    let head = postcard::to_stdvec(frame).expect("a frame is plain data that postcard can write");
    let length = u32::try_from(head.len() + bytes.len()).expect("a frame is a datagram or a configuration");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(bytes);
}
