//! The ladder of a recording: its inputs are played into the core again, and what goes in and comes out is written down.
//!
//! A recording knows the switch alone: a message to it has the time of its arrival, and what the network lost is not seen.

use super::{Log, Outcome, media};
use crate::world::SWITCH_NAME;
use bytes::Bytes;
use crosspoint_core::command::Command;
use crosspoint_core::config::{Config, Peer};
use crosspoint_core::event::Event;
use crosspoint_core::input::{Control, Input, LookupReply};
use crosspoint_core::record::{self, LogError, Player};
use crosspoint_core::rng::Seed;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

impl Log {
    /// The ladder of a recording; `seed` is for one that has no end. Actors stand by the name of the phone that registered
    /// from an address or of the gateway there, else by the address. Where the recording is damaged it ends with a note.
    ///
    /// # Errors
    /// Where it is no recording, one of another version, or has no end and no seed is given.
    pub fn of_recording(bytes: &[u8], seed: Option<Seed>) -> Result<Log, LogError> {
        let recording = record::Log::read(bytes)?;
        let seed = recording.end.map(|end| end.seed).or(seed).ok_or(LogError::NoSeed)?;
        let mut scribe = Scribe::default();
        scribe.learn_gateways(&recording.config);
        let mut commands = Vec::new();
        let began = recording.began;
        let mut player = Player::new(recording.config.clone(), seed, began, |command| commands.push(command));
        scribe.commands(&mut commands);
        for recorded in recording.inputs() {
            let recorded = match recorded {
                Ok(recorded) => recorded,
                Err(error) => {
                    scribe.log.note(scribe.at_us, format!("the recording ends here: {error}"));
                    return Ok(scribe.finish());
                }
            };
            scribe.at_us = recorded.now.mono.since(began.mono).as_micros() as u64;
            scribe.input(&recorded.input);
            player.play(recorded.now, recorded.input, |command| commands.push(command));
            scribe.commands(&mut commands);
        }
        match recording.end {
            None => scribe.log.note(scribe.at_us, "the recording has no end: its process runs or was killed"),
            Some(end) if end.digest != player.digest() => scribe.log.note(
                scribe.at_us,
                "this build does not do what was recorded; `crosspoint-sim replay` shows where that begins",
            ),
            Some(_) => {}
        }
        Ok(scribe.finish())
    }
}

/// Writes the ladder; actors stand by their addresses until the end, when it is known who they are.
#[derive(Default)]
struct Scribe {
    log: Log,
    at_us: u64,
    names: BTreeMap<SocketAddr, String>,
    /// Call-ID of the input that is being handled.
    call_id: Option<String>,
}

impl Scribe {
    fn input(&mut self, input: &Input<'_>) {
        self.call_id = None;
        let told = match input {
            Input::Datagram { flow, bytes } => {
                let from = self.peer(flow.remote);
                self.call_id = super::describe::call_id(bytes).map(|id| String::from_utf8_lossy(id).into_owned());
                self.log.sent(self.at_us, &from, SWITCH_NAME, Bytes::copy_from_slice(bytes), Outcome::ARRIVED);
                return;
            }
            Input::Tick => return,
            Input::Undelivered { flow } => format!("nobody is at {}", flow.remote),
            Input::Lookup(LookupReply { message: Some(_), .. }) => "a nameserver answers".to_owned(),
            Input::Lookup(LookupReply { message: None, .. }) => "a nameserver is out of reach".to_owned(),
            // of the ports most are opened ahead of demand, and are no call's
            Input::Ports(_) => return,
            Input::Media(_, report) => match media::report(report) {
                None => return,
                Some(text) => text,
            },
            Input::Control(control) => {
                if let Control::Reload(config) = control {
                    self.learn_gateways(config);
                }
                wish(control)
            }
        };
        self.tell(told);
    }

    /// What the switch does upon an input: first what it sends, as in a simulated world.
    fn commands(&mut self, commands: &mut Vec<Command>) {
        for command in commands.iter() {
            if let Command::Send { flow, bytes } = command {
                let to = self.peer(flow.remote);
                self.log.sent(self.at_us, SWITCH_NAME, &to, bytes.clone(), Outcome::ARRIVED);
            }
        }
        for command in commands.drain(..) {
            match command {
                Command::Send { .. } => {}
                Command::Emit(event) => self.event(&event),
                Command::Lookup(query) => self.tell(format!("asks the nameserver {}", query.server)),
                Command::Ports(_) => {}
                Command::Media(_, op) => self.tell(media::op(&op)),
                Command::Halt => self.tell("halts".to_owned()),
            }
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::BindingChanged { binding, .. } => {
                self.names.entry(binding.flow.remote).or_insert_with(|| binding.aor.clone());
            }
            Event::CallStarted { call, .. } => self.log.add_legs(*call, &self.call_id),
            _ => {}
        }
        self.switch();
        self.log.told(self.at_us, SWITCH_NAME, event);
    }

    fn tell(&mut self, text: String) {
        self.switch();
        self.log.event(self.at_us, SWITCH_NAME, text);
    }

    /// The actor at that address. The first one stands to the left of the switch.
    fn peer(&mut self, at: SocketAddr) -> String {
        let name = at.to_string();
        if !self.log.has_actor(&name) {
            self.log.add_actor(&name);
        }
        self.switch();
        name
    }

    fn switch(&mut self) {
        if !self.log.has_actor(SWITCH_NAME) {
            self.log.add_actor(SWITCH_NAME);
        }
    }

    fn learn_gateways(&mut self, config: &Config) {
        for gateway in &config.gateways {
            for at in gateway.peers.iter().filter_map(Peer::target) {
                self.names.entry(at).or_insert_with(|| gateway.name.clone());
            }
        }
    }

    /// The ladder with names in the place of addresses; who has more than one address stands there once for each.
    fn finish(mut self) -> Log {
        let mut taken = BTreeSet::from([SWITCH_NAME.to_owned()]);
        self.log.rename(|address| match address.parse().ok().and_then(|at: SocketAddr| self.names.get(&at)) {
            Some(name) if taken.insert(name.clone()) => name.clone(),
            Some(name) => format!("{name}@{address}"),
            None => address,
        });
        self.log
    }
}

fn wish(control: &Control) -> String {
    match control {
        Control::Reload(_) => "is to reload its configuration".to_owned(),
        Control::Drain => "is to drain".to_owned(),
        Control::Restore(binding) => format!("restores the binding of {}", binding.aor),
        Control::Hangup(call) => format!("is to hang up call {call}"),
    }
}
