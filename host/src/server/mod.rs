//! A serving switch, for any event loop.
//!
//! The event loop waits until one of [`Server::socket_fds`], [`Server::mail_fd`], [`Server::lookup_fd`] or
//! [`Server::media_fd`] is readable, a signal comes, or [`Server::deadline`] is there, calls the method named after what happened, and goes on until [`Server::is_halted`].
//! Everything else happens here: an event loop decides nothing.

mod feed;
mod outlet;
mod shards;
mod sinks;
mod start;
mod status;
#[cfg(test)]
mod tests;

pub use start::{Options, Started};

use crate::admin::{Answer, Inbox, Mail, Mailbox, PAGE, Request};
use crate::clock::Clock;
use crate::config_file::{ConfigFile, Loaded};
use crate::journal::DiskThread;
use crate::state_dir::{self, StateDir};
use crosspoint_core::input::Control;
use crosspoint_core::pump::Pump;
use crosspoint_core::time::Instant;
use feed::Feed;
use outlet::Outlet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;

/// A switch with its sockets, journals and clients.
pub struct Server {
    clock: Clock,
    pump: Pump,
    feed: Feed,
    outlet: Outlet,
    inbox: Inbox,
    mailbox: Mailbox,
    config_file: ConfigFile,
    deadline: Option<std::time::Instant>,
    state_dir: StateDir,
    disk: DiskThread,
    disk_thread: JoinHandle<()>,
}

impl Server {
    /// Second handles of the signalling sockets, for the event loop to watch: readable, and in error.
    ///
    /// # Errors
    /// The system's, where it is out of descriptors.
    pub fn socket_fds(&self) -> io::Result<Vec<OwnedFd>> {
        self.outlet.sockets.iter().map(|socket| socket.as_fd().try_clone_to_owned()).collect()
    }

    /// Readable when there is mail.
    pub fn mail_fd(&self) -> BorrowedFd<'_> {
        self.inbox.as_fd()
    }

    /// Readable when a nameserver has answered.
    pub fn lookup_fd(&self) -> BorrowedFd<'_> {
        self.outlet.lookups.as_fd()
    }

    /// Readable when a media shard has something to tell.
    pub fn media_fd(&self) -> BorrowedFd<'_> {
        self.outlet.shards.as_fd()
    }

    /// When to call [`Server::on_deadline`] at the latest.
    pub fn deadline(&self) -> Option<std::time::Instant> {
        self.deadline
    }

    /// Whether the switch has nothing more to do.
    pub fn is_halted(&self) -> bool {
        self.outlet.is_halted
    }

    /// A socket is readable: takes one batch. Returns whether there may be more.
    pub fn on_readable(&mut self, socket: usize) -> bool {
        let Some(source) = self.outlet.sockets.get_mut(socket) else { return false };
        let more = self.feed.receive(socket, source);
        self.turn();
        more
    }

    /// A socket has an error to report: reads it off.
    pub fn on_error(&mut self, socket: usize) {
        if let Some(source) = self.outlet.sockets.get_mut(socket) {
            source.read_errors();
        }
    }

    /// A nameserver has answered, or cannot be reached. Returns whether there may be more.
    pub fn on_lookup(&mut self) -> bool {
        let more = self.outlet.lookups.receive();
        if self.outlet.lookups.has_replies() {
            self.turn();
        }
        more
    }

    /// A media shard has something to tell. Returns whether there may be more.
    pub fn on_media(&mut self) -> bool {
        self.outlet.shards.hear();
        self.turn()
    }

    /// The sockets on which sends wait for room; call [`Server::on_writable`] when one is writable.
    pub fn blocked(&self) -> Option<usize> {
        self.outlet.sockets.iter().position(|socket| socket.is_blocked())
    }

    /// A socket has room to send again.
    pub fn on_writable(&mut self, socket: usize) {
        if let Some(source) = self.outlet.sockets.get_mut(socket) {
            source.flush();
        }
    }

    /// The deadline is there, or may be.
    pub fn on_deadline(&mut self) {
        self.turn();
    }

    /// There is mail.
    pub fn on_mail(&mut self) {
        while let Some(mail) = self.inbox.take() {
            match mail {
                Mail::Ask(request, reply) => {
                    let answer = self.answer(&request);
                    // A client that has gone misses its answer.
                    let _ = reply.try_send(answer);
                }
                Mail::Config(outcome, reply) => {
                    let answer = self.apply(outcome);
                    if let Some(reply) = reply {
                        let _ = reply.try_send(answer);
                    }
                }
            }
        }
    }

    /// Refuses new calls and halts when the last one is over.
    pub fn drain(&mut self) {
        self.control(Control::Drain);
    }

    /// Reads the configuration file again, on a thread of its own; the outcome comes by mail.
    pub fn reload(&mut self) {
        let (mailbox, file) = (self.mailbox.clone(), self.config_file.clone());
        std::thread::spawn(move || mailbox.post(Mail::Config(file.load_all(), None)));
    }

    /// Ends: every record is in its file when this returns.
    pub fn close(mut self) {
        self.pump.finish(&mut self.outlet);
        self.outlet.commit();
        self.outlet.sinks.close();
        self.disk.finish();
        if self.disk_thread.join().is_err() {
            tracing::error!("the disk thread died; the next start brings the record files up to date");
        }
        self.outlet.shards.end();
        self.mailbox.settle();
        let _ = std::fs::remove_file(state_dir::admin_socket(self.state_dir.root()));
    }

    /// Turns the pump until all inputs at hand are taken; says whether media shards have told more than one turn takes.
    /// Whatever the turn is for, it takes their reports along: neither they nor the sockets wait for the other.
    fn turn(&mut self) -> bool {
        let more = self.feed.collect_reports(&mut self.outlet.shards);
        loop {
            self.feed.collect_undelivered(&mut self.outlet.sockets);
            self.feed.collect_replies(&mut self.outlet.lookups);
            let now = self.clock.now();
            self.outlet.now = now;
            let turn = self.pump.turn(now, &mut self.feed, &mut self.outlet);
            self.outlet.commit();
            if self.feed.is_empty() && !self.outlet.lookups.has_replies() {
                let at =
                    [turn.next.map(|deadline| deadline.at), self.outlet.sinks.next_file()].into_iter().flatten().min();
                let at = if turn.more { Some(now.mono) } else { at.map(on_grid) };
                self.deadline = at.and_then(|at| self.clock.system(at));
                return more;
            }
        }
    }

    fn control(&mut self, control: Control) {
        self.feed.control(control);
        self.turn();
    }

    fn answer(&mut self, request: &Request) -> Answer {
        match request {
            Request::Status => Answer::Ok(self.status()),
            Request::Calls { limit } => json(&self.pump.switch().calls(*limit)),
            Request::Trunks => json(&self.pump.switch().trunks()),
            Request::Ports { limit } => json(&self.pump.switch().ports(*limit)),
            Request::Registrations { after, limit } => {
                let (bindings, next) = self.pump.switch().registrations(*after, (*limit).min(PAGE));
                json(&serde_json::json!({ "registrations": bindings, "next": next }))
            }
            Request::ExplainRoute { caller, caller_number, callee } => {
                match self.pump.switch().explain_route(caller, caller_number.as_deref(), callee) {
                    Ok(explanation) => json(&explanation),
                    Err(text) => Answer::Error(text),
                }
            }
            Request::ExplainMedia { caller, callee, seen } => {
                match self.pump.switch().explain_media([caller, callee], *seen) {
                    Ok(explanation) => json(&explanation),
                    Err(text) => Answer::Error(text),
                }
            }
            Request::Hangup { call } => {
                if !self.pump.switch().has_call(*call) {
                    return Answer::Error(format!("no call {call}"));
                }
                self.control(Control::Hangup(*call));
                json(&serde_json::json!({ "call": call }))
            }
            Request::Drain => {
                self.drain();
                Answer::Ok(self.status())
            }
            Request::Reload => Answer::Error("a reload comes with its configuration".to_owned()),
        }
    }

    fn apply(&mut self, outcome: Result<Loaded, String>) -> Answer {
        let Loaded { config, sounds } = match outcome {
            Ok(loaded) => loaded,
            Err(text) => {
                tracing::error!("configuration refused, the old one stays in force:\n{text}");
                return Answer::Error(format!("the old configuration stays in force:\n{text}"));
            }
        };
        // before any op that counts on them
        self.outlet.shards.set_sounds(&sounds);
        let mut config = Arc::unwrap_or_clone(config);
        start::keep_choices(&mut config, self.pump.switch().config());
        self.control(Control::Reload(config.into()));
        let config = Arc::clone(self.pump.switch().config());
        self.outlet.configure(&config);
        json(&self.outlet.sinks.last_config())
    }
}

/// The next step of the grid on which timers wake the thread. Under load every call leaves some timers behind; taking
/// those of a few milliseconds together saves most of the wake-ups, and no SIP timer is finer than tens of milliseconds.
fn on_grid(at: Instant) -> Instant {
    const STEP_US: u64 = 4000;
    Instant::from_micros(at.as_micros().checked_next_multiple_of(STEP_US).unwrap_or(u64::MAX))
}

fn json(value: &impl serde::Serialize) -> Answer {
    serde_json::to_value(value).map_or_else(|error| Answer::Error(error.to_string()), Answer::Ok)
}
