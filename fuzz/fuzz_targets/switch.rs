//! Any traffic into a whole switch: it never panics, its work stays bounded, and when all falls silent nothing is left.
//!
//! The input is a list of steps, each begun by the separator FF FE and a byte that says who acts, after how long, and how:
//! with datagrams of the fuzzer's own, or with answers and requests that fit what the switch sent, whose branches and
//! tags nobody can guess. Without a separator the input is one datagram, so plain messages are good seeds.

#![no_main]

use crosspoint_core::input::{Control, Flow, SocketId, Transport};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch, config};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

const CONFIG: &str = r#"
[switch]
domain = "example.net"

[[listen]]
transport = "udp"
bind = "192.0.2.10:5060"

[[gateway]]
name = "west"
direction = "both"
peers = ["192.0.2.1:5060"]
auth = "ip"
prefixes = ["1"]

[[gateway]]
name = "east"
direction = "both"
peers = ["192.0.2.2:5060"]
auth = "ip"
prefixes = [""]

[[phone]]
user = "1001"
password = "secret"
"#;

static PARSED: LazyLock<Arc<config::Config>> =
    LazyLock::new(|| Arc::new(config::parse(CONFIG).expect("the target's own configuration").config));

/// West, east, and a stranger.
const PEERS: [&str; 3] = ["192.0.2.1:5060", "192.0.2.2:5060", "198.51.100.7:5062"];
const WAITS_MS: [u64; 4] = [0, 600, 35_000, 200_000];
const STATUSES: [u16; 12] = [100, 180, 183, 200, 200, 202, 302, 401, 404, 486, 503, 603];
const METHODS: [&str; 11] =
    ["ACK", "BYE", "CANCEL", "INVITE", "UPDATE", "PRACK", "INFO", "OPTIONS", "MESSAGE", "REFER", "NOTIFY"];
const STEPS: usize = 64;

/// What the switch last sent to a peer.
#[derive(Default)]
struct Heard {
    request: Vec<u8>,
    response: Vec<u8>,
}

struct World {
    switch: Switch,
    now: Now,
    heard: [Heard; 3],
    requests: u32,
}

fuzz_target!(|input: &[u8]| {
    let now = Now { mono: Instant::from_micros(1), wall: UnixMicros(1_700_000_000_000_000) };
    let switch = Switch::new(PARSED.clone(), Seed::from_number(1), now);
    let mut world = World { switch, now, heard: Default::default(), requests: 0 };
    let mut steps = split(input).take(STEPS);
    world.datagram(0, steps.next().unwrap_or_default());
    for (number, step) in steps.enumerate() {
        if let [how, rest @ ..] = step {
            world.step(*how, rest);
        }
        if number == 3 {
            world.restart();
        }
    }
    world.fall_silent();
});

/// The pieces between the separators.
fn split(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(input);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let at = bytes.windows(2).position(|pair| pair == [0xff, 0xfe]);
        rest = at.map(|at| &bytes[at + 2..]);
        Some(&bytes[..at.unwrap_or(bytes.len())])
    })
}

fn flow(peer: usize) -> Flow {
    let remote = PEERS[peer].parse().expect("a written address");
    Flow { socket: SocketId(0), transport: Transport::Udp, remote }
}

impl World {
    fn step(&mut self, how: u8, rest: &[u8]) {
        let peer = usize::from(how & 3) % PEERS.len();
        self.wait(Duration::from_millis(WAITS_MS[usize::from(how >> 2 & 3)]));
        let (choice, tail) = rest.split_first().map_or((0, rest), |(first, tail)| (usize::from(*first), tail));
        match how >> 4 & 7 {
            0 | 1 => self.datagram(peer, rest),
            2 => {
                let answer = answer(&self.heard[peer].request, STATUSES[choice % STATUSES.len()], tail);
                self.datagram(peer, &answer);
            }
            3 => {
                let echo = if choice % 2 == 0 { &self.heard[peer].request } else { &self.heard[peer].response };
                self.datagram(peer, &echo.clone());
            }
            4 | 5 => {
                self.requests += 1;
                let method = METHODS[choice % METHODS.len()];
                let request = request(&self.heard[peer], method, self.requests, how & 128 != 0, tail);
                self.datagram(peer, &request);
            }
            6 => self.give(Input::Undelivered { flow: flow(peer) }),
            _ => match choice % 3 {
                0 => self.give(Input::Control(Control::Reload(PARSED.clone()))),
                1 => self.hang_up_all(),
                _ => self.give(Input::Tick),
            },
        }
    }

    fn datagram(&mut self, peer: usize, bytes: &[u8]) {
        self.give(Input::Datagram { flow: flow(peer), bytes });
    }

    /// Gives an input and takes every command (R2).
    fn give(&mut self, input: Input<'_>) {
        self.switch.handle(self.now, input);
        while let Some(command) = self.switch.poll_command() {
            let Command::Send { flow, bytes } = command else { continue };
            let Some(peer) = PEERS.iter().position(|peer| peer.parse() == Ok(flow.remote)) else { continue };
            let heard = &mut self.heard[peer];
            let last = if bytes.starts_with(b"SIP/2.0") { &mut heard.response } else { &mut heard.request };
            *last = bytes.to_vec();
        }
    }

    /// Lets time pass, with a tick at each deadline on the way.
    fn wait(&mut self, time: Duration) {
        let end = self.now.mono + time;
        let mut ticks = 0;
        while let Some(deadline) = self.switch.poll_timeout().filter(|deadline| deadline.at <= end) {
            self.set_clock(deadline.at.max(self.now.mono));
            self.give(Input::Tick);
            let next = self.switch.poll_timeout();
            assert!(next.is_none_or(|next| next.at > self.now.mono), "a deadline that a tick does not move: {next:?}");
            ticks += 1;
            assert!(ticks < 100_000, "a hundred thousand ticks in {time:?}: {deadline:?}");
        }
        self.set_clock(end);
    }

    fn set_clock(&mut self, mono: Instant) {
        self.now.wall = self.now.wall.plus(mono.since(self.now.mono));
        self.now.mono = mono;
    }

    /// Goes on with what a snapshot keeps.
    fn restart(&mut self) {
        let snapshot = self.switch.snapshot();
        self.switch = Switch::restore(&snapshot).expect("a snapshot of its own is restored");
        assert!(self.switch.snapshot() == snapshot, "a restored switch is the same switch");
    }

    fn hang_up_all(&mut self) {
        for call in self.switch.calls(1000) {
            self.give(Input::Control(Control::Hangup(call.flow_no)));
        }
    }

    /// Nobody says anything any more: calls that an operator ends are over, and every transaction and timer is gone.
    fn fall_silent(&mut self) {
        self.wait(Duration::from_secs(400));
        self.hang_up_all();
        self.wait(Duration::from_secs(400));
        let status = self.switch.status();
        assert_eq!((status.calls, status.transactions, status.timers), (0, 0, 0), "calls, transactions, timers left");
        assert_eq!(self.switch.orphaned_timers(), 0, "timers that nobody owns");
    }
}

/// The values of a header in what the switch wrote, which writes one header a line and no compact names.
fn values<'m>(message: &'m [u8], name: &str) -> impl Iterator<Item = &'m [u8]> {
    let head = message.windows(4).position(|at| at == b"\r\n\r\n").map_or(message, |end| &message[..end]);
    head.split(|byte| *byte == b'\n').filter_map(move |line| {
        let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
        Some(value.trim_ascii())
    })
}

fn value<'m>(message: &'m [u8], name: &str) -> &'m [u8] {
    values(message, name).next().unwrap_or_default()
}

fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.extend_from_slice(b"\r\n");
}

fn body(out: &mut Vec<u8>, body: &[u8]) {
    if !body.is_empty() {
        line(out, &[b"Content-Type: application/sdp"]);
    }
    line(out, &[format!("Content-Length: {}\r\n", body.len()).as_bytes()]);
    out.extend_from_slice(body);
}

/// The far side's tag, where the address has none yet.
fn missing_tag(address: &[u8]) -> &'static [u8] {
    if address.windows(5).any(|at| at == b";tag=") { b"" } else { b";tag=far" }
}

/// An answer to a request of the switch.
fn answer(request: &[u8], status: u16, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    line(&mut out, &[format!("SIP/2.0 {status} x").as_bytes()]);
    for via in values(request, "Via") {
        line(&mut out, &[b"Via: ", via]);
    }
    let to = value(request, "To");
    let tag = if status == 100 { b"" } else { missing_tag(to) };
    line(&mut out, &[b"From: ", value(request, "From")]);
    line(&mut out, &[b"To: ", to, tag]);
    for name in ["Call-ID", "CSeq"] {
        line(&mut out, &[name.as_bytes(), b": ", value(request, name)]);
    }
    line(&mut out, &[b"Contact: <sip:far@192.0.2.2>\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"y\""]);
    body(&mut out, content);
    out
}

/// A request in the dialog that the switch last answered, or last asked to begin.
fn request(heard: &Heard, method: &str, number: u32, is_callee: bool, content: &[u8]) -> Vec<u8> {
    let last = if is_callee { &heard.request } else { &heard.response };
    let (from, to) = (value(last, "From"), value(last, "To"));
    let contact = value(last, "Contact").split(|byte| b"<>".contains(byte)).nth(1).unwrap_or(b"sip:x@192.0.2.10");
    // ACK and CANCEL belong to the INVITE's own number (RFC 3261 sections 9.1 and 13.2.2.4).
    let keeps_number = matches!(method, "ACK" | "CANCEL");
    let old = value(last, "CSeq").split(|byte| *byte == b' ').next().unwrap_or_default();
    let old: u32 = std::str::from_utf8(old).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let cseq = if keeps_number { old } else { old.saturating_add(number) };
    let mut out = Vec::new();
    line(&mut out, &[method.as_bytes(), b" ", contact, b" SIP/2.0"]);
    match method {
        "CANCEL" => line(&mut out, &[b"Via: ", value(last, "Via")]),
        _ => line(&mut out, &[format!("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKr{number}").as_bytes()]),
    }
    let (from, to) = if is_callee { (to, from) } else { (from, to) };
    line(&mut out, &[b"From: ", from, missing_tag(from)]);
    line(&mut out, &[b"To: ", to]);
    line(&mut out, &[b"Call-ID: ", value(last, "Call-ID")]);
    line(&mut out, &[format!("CSeq: {cseq} {method}\r\nMax-Forwards: 70").as_bytes()]);
    line(
        &mut out,
        &[b"Contact: <sip:peer@192.0.2.1>\r\nEvent: refer\r\nRefer-To: <sip:1@192.0.2.2>\r\nRAck: 1 1 INVITE"],
    );
    body(&mut out, content);
    out
}
