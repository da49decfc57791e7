//! The order of work that every driver and the simulator share.
//!
//! A driver owns sockets and a clock and implements [`Io`]; it waits for "readable or deadline" and calls
//! [`Pump::turn`]. What is done first, how much of it, and what is recorded is decided here, once.

use crate::command::{Command, Query};
use crate::event::Event;
use crate::input::{Flow, Input};
use crate::limits;
use crate::media::MediaOp;
use crate::ports::{PortCommand, Shard};
use crate::record::{Digest, Recorder};
use crate::switch::Switch;
use crate::time::{Deadline, Now};
use bytes::Bytes;

/// What became of a datagram that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The system, or the driver's own short queue, has it.
    Done,
    /// Every buffer is full: it is lost, and SIP resends what matters.
    Full,
    /// There is no such socket any more.
    Gone,
}

/// What a driver can do. It never blocks and never decides.
pub trait Io {
    /// Sends a datagram.
    fn send(&mut self, flow: &Flow, bytes: &Bytes) -> Sent;
    /// Asks a nameserver; what comes of it goes into a later turn.
    fn lookup(&mut self, query: &Query);
    /// Opens or closes media ports; the reply to an opening goes into a later turn.
    fn ports(&mut self, command: PortCommand);
    /// Hands an op to a media shard; what the shard tells goes into a later turn.
    fn media(&mut self, shard: Shard, op: MediaOp);
    /// Hands an event to the sinks.
    fn emit(&mut self, event: Event);
    /// The switch has nothing more to do: the process may end.
    fn halt(&mut self);
    /// Appends to the recording; called only where one was asked for.
    fn record(&mut self, bytes: &[u8]);
}

/// Where a turn takes its inputs from, each valid until the next is asked for.
pub trait Inputs {
    /// The next input that is there without waiting.
    fn next(&mut self) -> Option<Input<'_>>;
}

/// What a driver is to do after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Wake at the latest then.
    pub next: Option<Deadline>,
    /// The budget was used up with work still at hand: turn again soon, but let others have the thread first.
    pub more: bool,
}

/// A switch with the order of its work.
#[derive(Debug)]
pub struct Pump {
    switch: Switch,
    recorder: Option<Recorder>,
    digest: Option<Digest>,
    scratch: Vec<u8>,
    lost_sends: u64,
}

impl Pump {
    /// A pump for this switch, without recording or digest.
    pub fn new(switch: Switch) -> Pump {
        Pump { switch, recorder: None, digest: None, scratch: Vec::new(), lost_sends: 0 }
    }

    /// Keeps a digest of every command from now on.
    pub fn with_digest(mut self) -> Pump {
        self.digest = Some(Digest::default());
        self
    }

    /// Records every input, and keeps the digest that a replay is compared with.
    pub fn with_recorder(mut self, recorder: Recorder) -> Pump {
        self.recorder = Some(recorder);
        self.with_digest()
    }

    /// The switch, to look at.
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    /// Puts another switch in the place of this one, as a restart from a snapshot does; the digest goes on.
    pub fn replace_switch(&mut self, switch: Switch) {
        self.switch = switch;
    }

    /// The digest of all commands so far, where one is kept.
    pub fn digest(&self) -> Option<u64> {
        self.digest.as_ref().map(Digest::value)
    }

    /// Datagrams that [`Io::send`] did not take.
    pub fn lost_sends(&self) -> u64 {
        self.lost_sends
    }

    /// Does what is due: the waiting commands, at most one tick, at most [`limits::INPUTS_PER_TURN`] inputs, with the
    /// commands of each carried out before the next. Bounded work.
    pub fn turn(&mut self, now: Now, inputs: &mut impl Inputs, io: &mut impl Io) -> Turn {
        self.drain(io);
        if self.is_due(now) {
            self.take(now, Input::Tick, io);
        }
        let mut taken = 0;
        while taken < limits::INPUTS_PER_TURN {
            let Some(input) = inputs.next() else { break };
            self.take(now, input, io);
            taken += 1;
        }
        Turn { next: self.switch.poll_timeout(), more: taken == limits::INPUTS_PER_TURN || self.is_due(now) }
    }

    /// Ends the recording, so that it can be replayed.
    pub fn finish(&mut self, io: &mut impl Io) {
        if let (Some(recorder), Some(digest)) = (self.recorder.take(), &self.digest) {
            self.scratch.clear();
            recorder.finish(digest.value(), &mut self.scratch);
            io.record(&self.scratch);
        }
    }

    fn is_due(&self, now: Now) -> bool {
        self.switch.poll_timeout().is_some_and(|deadline| deadline.at <= now.mono)
    }

    fn take(&mut self, now: Now, input: Input<'_>, io: &mut impl Io) {
        if let Some(recorder) = &mut self.recorder {
            self.scratch.clear();
            recorder.input(now, &input, self.digest.as_ref().map_or(0, Digest::value), &mut self.scratch);
            io.record(&self.scratch);
        }
        self.switch.handle(now, input);
        self.drain(io);
    }

    fn drain(&mut self, io: &mut impl Io) {
        while let Some(command) = self.switch.poll_command() {
            if let Some(digest) = &mut self.digest {
                digest.command(&command);
            }
            match command {
                Command::Send { flow, bytes } => {
                    if io.send(&flow, &bytes) != Sent::Done {
                        self.lost_sends += 1;
                    }
                }
                Command::Lookup(query) => io.lookup(&query),
                Command::Ports(command) => io.ports(command),
                Command::Media(shard, op) => io.media(shard, op),
                Command::Emit(event) => io.emit(*event),
                Command::Halt => io.halt(),
            }
        }
    }
}
