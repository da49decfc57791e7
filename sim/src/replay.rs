//! A recording played into the core again, and where it does something else the ladder around the first difference.

use crate::ladder::{Log as Ladder, media};
use crate::world::SWITCH_NAME;
use crosspoint_core::command::Command;
use crosspoint_core::config::Peer;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Control, Input, LookupReply};
use crosspoint_core::record::{Divergence, Log, LogError, Player, Replay, replay, this_build};
use crosspoint_core::rng::Seed;
use crosspoint_core::time::Now;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::net::SocketAddr;

/// Messages shown before the input after which the commands differ.
const BEFORE: usize = 10;
/// Inputs of the recording shown after it: what its peers made of what the switch did then.
const BEHIND: usize = 3;

/// What a replay found, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether the core did the same.
    pub is_identical: bool,
    /// One line, or the ladder around the first difference.
    pub text: String,
}

/// Replays a log; `seed` is for one that has no end.
///
/// # Errors
/// Where the log is damaged, foreign, or has no end and no seed is given.
pub fn report(bytes: &[u8], seed: Option<Seed>) -> Result<Report, LogError> {
    let log = Log::read(bytes)?;
    let cut_off = if log.end.is_some() { "" } else { " (the log has no end: its process runs or was killed)" };
    match replay(bytes, seed)? {
        Replay::Identical { inputs, digest } => {
            let text = format!("identical: {inputs} inputs, digest {digest:016x}{cut_off}\n");
            Ok(Report { is_identical: true, text })
        }
        Replay::Diverged(found) => {
            let seed = log.end.map(|end| end.seed).or(seed).ok_or(LogError::NoSeed)?;
            let text = format!("{}{cut_off}\n\n{}", heading(&log, &found), around(&log, seed, &found)?);
            Ok(Report { is_identical: false, text })
        }
    }
}

fn heading(log: &Log<'_>, found: &Divergence) -> String {
    let hex = |digest: [u8; 4]| format!("{:08x}", u32::from_le_bytes(digest));
    let (recorded, replayed) = (hex(found.recorded), hex(found.replayed));
    let Divergence { input, after, .. } = found;
    let mut text = match input {
        0 => "diverged before the first input".to_owned(),
        _ => format!("diverged after input {input}, {:.6} s after the beginning", after.as_secs_f64()),
    };
    let _ = write!(text, ": recorded {recorded}, replayed {replayed}");
    if log.build != this_build() {
        let _ = write!(text, "\nrecorded by {}, replayed by {}", log.build, this_build());
    }
    text
}

/// The ladder around a divergence.
fn around(log: &Log<'_>, seed: Seed, found: &Divergence) -> Result<String, LogError> {
    let mut window = Window { names: gateways(log), began: log.began, ..Window::default() };
    let mut player = Player::new(log.config.clone(), seed, log.began, |command| window.command(log.began, &command));
    for recorded in log.inputs() {
        let recorded = recorded?;
        if recorded.number > found.input.saturating_add(BEHIND as u64) {
            break;
        }
        if recorded.number == found.input {
            window.keep_all();
        } else if recorded.number == found.input + 1 {
            window.mark(recorded.now);
        }
        window.input(recorded.now, recorded.number, &recorded.input);
        if recorded.number <= found.input {
            player.play(recorded.now, recorded.input, |command| window.command(recorded.now, &command));
        }
    }
    Ok(window.ladder(&format!("around input {}", found.input)))
}

/// Something that a ladder shows.
#[derive(Debug)]
enum Seen {
    Received { from: SocketAddr, datagram: Vec<u8> },
    Sent { to: SocketAddr, datagram: Vec<u8> },
    Happened(Event),
    Told(String),
    Note(&'static str),
}

/// The last things seen, and what the peers are called.
#[derive(Debug, Default)]
struct Window {
    began: Now,
    names: BTreeMap<SocketAddr, String>,
    seen: VecDeque<(Now, Seen)>,
    keeps_all: bool,
}

impl Window {
    /// From now on nothing more falls out at the other end.
    fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// The end of what is replayed: what follows is only recorded.
    fn mark(&mut self, now: Now) {
        self.keeps_all = true;
        self.push(now, Seen::Note("here the recording differs; it goes on with"));
    }

    fn push(&mut self, now: Now, seen: Seen) {
        self.seen.push_back((now, seen));
        let is_message = |(_, seen): &&(Now, Seen)| matches!(seen, Seen::Received { .. } | Seen::Sent { .. });
        if !self.keeps_all {
            while self.seen.iter().filter(is_message).count() > BEFORE || self.seen.len() > 2 * BEFORE {
                self.seen.pop_front();
            }
        }
    }

    fn input(&mut self, now: Now, number: u64, input: &Input<'_>) {
        let seen = match input {
            Input::Datagram { flow, bytes } => Seen::Received { from: flow.remote, datagram: bytes.to_vec() },
            // shown where it is the very input that matters
            Input::Tick if !self.keeps_all => return,
            Input::Tick => Seen::Told(format!("input {number}: tick")),
            Input::Undelivered { flow } => Seen::Told(format!("input {number}: nobody at {}", flow.remote)),
            Input::Lookup(LookupReply { message: Some(_), .. }) => Seen::Told(format!("input {number}: DNS answer")),
            Input::Lookup(LookupReply { message: None, .. }) => Seen::Told(format!("input {number}: no nameserver")),
            Input::Ports(_) if !self.keeps_all => return,
            Input::Ports(reply) => Seen::Told(format!("input {number}: {reply:?}")),
            Input::Media(_, report) => match media::report(report) {
                None => return,
                Some(text) => Seen::Told(format!("input {number}: {text}")),
            },
            Input::Control(control) => Seen::Told(format!("input {number}: {}", wish(control))),
        };
        self.push(now, seen);
    }

    fn command(&mut self, now: Now, command: &Command) {
        let seen = match command {
            Command::Send { flow, bytes } => Seen::Sent { to: flow.remote, datagram: bytes.to_vec() },
            Command::Emit(event) => {
                if let Event::BindingChanged { binding, .. } = event.as_ref() {
                    self.names.insert(binding.flow.remote, binding.aor.clone());
                }
                Seen::Happened(event.as_ref().clone())
            }
            Command::Lookup(query) => Seen::Told(format!("asks nameserver {}", query.server)),
            Command::Ports(_) if !self.keeps_all => return,
            Command::Ports(command) => Seen::Told(format!("{command:?}")),
            Command::Media(_, op) => Seen::Told(media::op(op)),
            Command::Halt => Seen::Told("halts".to_owned()),
        };
        self.push(now, seen);
    }

    fn ladder(&self, title: &str) -> String {
        let name = |at: &SocketAddr| self.names.get(at).cloned().unwrap_or_else(|| at.to_string());
        let mut actors: Vec<String> = Vec::new();
        for (_, seen) in &self.seen {
            if let Seen::Received { from: peer, .. } | Seen::Sent { to: peer, .. } = seen {
                let peer = name(peer);
                if !actors.contains(&peer) {
                    actors.push(peer);
                }
            }
        }
        actors.insert(actors.len().min(1), SWITCH_NAME.to_owned());
        let mut ladder = Ladder::new(actors);
        for (now, seen) in &self.seen {
            let us = now.mono.since(self.began.mono).as_micros() as u64;
            match seen {
                Seen::Received { from, datagram } => ladder.message(us, &name(from), SWITCH_NAME, datagram, 1),
                Seen::Sent { to, datagram } => ladder.message(us, SWITCH_NAME, &name(to), datagram, 1),
                Seen::Happened(event) => ladder.told(us, SWITCH_NAME, event),
                Seen::Told(text) => ladder.event(us, SWITCH_NAME, text.as_str()),
                Seen::Note(text) => ladder.note(us, *text),
            }
        }
        ladder.text(title)
    }
}

fn wish(control: &Control) -> String {
    match control {
        Control::Reload(_) => "reload".to_owned(),
        Control::Drain => "drain".to_owned(),
        Control::Restore(binding) => format!("restore the binding of {}", binding.aor),
        Control::Hangup(call) => format!("hang up call {call}"),
    }
}

/// The gateways by their addresses.
fn gateways(log: &Log<'_>) -> BTreeMap<SocketAddr, String> {
    let of = |gateway: &crosspoint_core::config::Gateway| {
        let name = gateway.name.clone();
        gateway.peers.iter().filter_map(Peer::target).map(move |at| (at, name.clone())).collect::<Vec<_>>()
    };
    log.config.gateways.iter().flat_map(of).collect()
}
