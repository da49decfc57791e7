//! Scripted peers around a switch, on a virtual clock: each answers what it is sent by a function of its own.

mod zone;

use crosspoint_core::event::Event;
use crosspoint_core::input::{Control, Flow, LookupReply, QueryId, SocketId, Transport};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch, config};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What a peer says to a request: the answers, each from its status on.
pub(crate) type Script = Box<dyn FnMut(&str) -> Option<String>>;

/// How long a message takes one way.
const LATENCY: Duration = Duration::from_millis(10);

/// A switch, its peers and the clock.
pub(crate) struct World {
    pub(crate) switch: Switch,
    pub(crate) now: Now,
    /// Every message of the switch: when, to where, what.
    pub(crate) sent: Vec<(Duration, SocketAddr, String)>,
    /// Every `trunk.changed`: when, and gateway, state, rule and detail in one line.
    pub(crate) told: Vec<(Duration, String)>,
    pub(crate) is_halted: bool,
    /// Whether time goes through a snapshot once a second.
    pub(crate) takes_snapshots: bool,
    pub(crate) zone: zone::Zone,
    scripts: BTreeMap<SocketAddr, Script>,
    under_way: VecDeque<(Instant, Arriving)>,
    began: Instant,
}

/// What is on its way to the switch.
enum Arriving {
    Datagram(SocketAddr, String),
    Lookup(QueryId, Vec<u8>),
}

/// `192.0.2.N:5060`.
pub(crate) fn peer(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n], 5060))
}

fn configured(gateways: &str) -> Arc<config::Config> {
    let text = format!(
        "[switch]\ndomain = \"example.net\"\nnameservers = [\"192.0.2.53\"]\n[[listen]]\nbind = \"192.0.2.10:5060\"\n\
         [[phone]]\nuser = \"1001\"\npassword = \"secret\"\n{gateways}"
    );
    Arc::new(config::parse(&text).unwrap_or_else(|faults| panic!("{faults}")).config)
}

impl World {
    /// A switch with these gateways.
    pub(crate) fn new(gateways: &str) -> World {
        let began = Instant::from_micros(1_000_000);
        let now = Now { mono: began, wall: UnixMicros(1_767_322_984_000_000) };
        World {
            switch: Switch::new(configured(gateways), Seed::from_number(1), now),
            now,
            sent: Vec::new(),
            told: Vec::new(),
            is_halted: false,
            takes_snapshots: true,
            zone: zone::Zone::default(),
            scripts: BTreeMap::new(),
            under_way: VecDeque::new(),
            began,
        }
    }

    /// What this peer answers from now on.
    pub(crate) fn script(&mut self, peer: SocketAddr, script: impl FnMut(&str) -> Option<String> + 'static) {
        self.scripts.insert(peer, Box::new(script));
    }

    /// This peer answers every request with this status and these header lines.
    pub(crate) fn answers(&mut self, peer: SocketAddr, status: &'static str, lines: &'static str) {
        self.script(peer, move |request| Some(answer(request, status, lines)));
    }

    /// This peer is silent from now on.
    pub(crate) fn silence(&mut self, peer: SocketAddr) {
        self.scripts.remove(&peer);
    }

    pub(crate) fn reload(&mut self, gateways: &str) {
        self.input(Input::Control(Control::Reload(configured(gateways))));
    }

    pub(crate) fn drain(&mut self) {
        self.input(Input::Control(Control::Drain));
    }

    /// A datagram from this address; gives what the switch sends back there at once.
    pub(crate) fn receive(&mut self, from: SocketAddr, text: &str) -> Vec<String> {
        let before = self.sent.len();
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote: from };
        self.input(Input::Datagram { flow, bytes: text.as_bytes() });
        self.sent[before..].iter().filter(|(_, to, _)| *to == from).map(|(.., text)| text.clone()).collect()
    }

    /// The switch knows the time of its last input only.
    pub(crate) fn tell_the_time(&mut self) {
        self.input(Input::Tick);
    }

    fn input(&mut self, input: Input<'_>) {
        self.switch.handle(self.now, input);
        let at = self.now.mono.since(self.began);
        while let Some(command) = self.switch.poll_command() {
            match command {
                Command::Send { flow, bytes } => {
                    let text = String::from_utf8(bytes.to_vec()).expect("the switch writes text here");
                    if let Some(reply) = self.scripts.get_mut(&flow.remote).and_then(|script| script(&text)) {
                        self.under_way.push_back((self.now.mono + 2 * LATENCY, Arriving::Datagram(flow.remote, reply)));
                    }
                    self.sent.push((at, flow.remote, text));
                }
                Command::Emit(event) => {
                    if let Event::TrunkChanged { gateway, state, rule, detail } = *event {
                        self.told.push((at, format!("{gateway} {state} {rule} {detail}").trim_end().to_owned()));
                    }
                }
                Command::Lookup(query) => {
                    if let Some(reply) = self.zone.answer(&query.bytes) {
                        self.under_way.push_back((self.now.mono + 2 * LATENCY, Arriving::Lookup(query.id, reply)));
                    }
                }
                Command::Ports(_) | Command::Media(..) => {}
                Command::Halt => self.is_halted = true,
            }
        }
        assert_eq!(self.switch.orphaned_timers(), 0, "a timer without an owner");
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        loop {
            let arrival = self.under_way.front().map(|(at, ..)| *at);
            let deadline = self.switch.poll_timeout().map(|deadline| deadline.at);
            let next = [arrival, deadline].into_iter().flatten().min().filter(|at| *at <= end);
            let at = next.unwrap_or(end).max(self.now.mono);
            let is_next_second = at.as_millis() / 1000 > self.now.mono.as_millis() / 1000;
            if is_next_second && self.takes_snapshots {
                self.switch = Switch::restore(&self.switch.snapshot()).expect("a snapshot restores");
            }
            let passed = at.since(self.now.mono);
            self.now = Now { mono: at, wall: self.now.wall.plus(passed) };
            match next {
                None => return,
                Some(at) if arrival == Some(at) => {
                    let (_, arriving) = self.under_way.pop_front().expect("it has arrived");
                    match arriving {
                        Arriving::Lookup(query, bytes) => {
                            self.input(Input::Lookup(LookupReply { query, message: Some(&bytes) }));
                        }
                        Arriving::Datagram(remote, text) => {
                            let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote };
                            self.input(Input::Datagram { flow, bytes: text.as_bytes() });
                        }
                    }
                }
                Some(_) => self.input(Input::Tick),
            }
        }
    }

    /// The requests of this method to this peer so far, resends left out.
    pub(crate) fn requests(&self, peer: SocketAddr, method: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for (_, to, text) in &self.sent {
            if *to == peer && text.starts_with(method) && found.last() != Some(&text.as_str()) {
                found.push(text);
            }
        }
        found
    }

    /// What was told since the last call, without the times.
    pub(crate) fn news(&mut self) -> Vec<String> {
        self.told.drain(..).map(|(_, text)| text).collect()
    }
}

/// The answer to a request, with these header lines.
pub(crate) fn answer(request: &str, status: &str, lines: &str) -> String {
    let field = |name| line(request, name);
    format!(
        "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=peer\r\nCall-ID: {}\r\nCSeq: {}\r\n{lines}\
         Content-Length: 0\r\n\r\n",
        field("Via: "),
        field("From: "),
        field("To: "),
        field("Call-ID: "),
        field("CSeq: ")
    )
}

/// What stands behind this header name.
pub(crate) fn line<'m>(message: &'m str, name: &str) -> &'m str {
    message.split("\r\n").find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}
