//! Two gateways in conversation with a switch, step by step, on a virtual clock.

use crosspoint_core::event::Event;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::record::Digest;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const CONFIG: &str = r#"
[switch]
domain = "example.net"

# few, so that snapshots are small
[parameters]
SS_RTP_PORT_RANGE = "20000,20999"
IVR_RTP_PORT = "21000,21099"

[[listen]]
transport = "udp"
bind = "192.0.2.10:5060"

[[gateway]]
name = "west"
direction = "mapping"
peers = ["192.0.2.1"]
auth = "ip"

[[gateway]]
name = "east"
direction = "routing"
peers = ["192.0.2.2:5060"]
prefixes = [""]
"#;

/// One side's last messages from the switch, from which it makes its own.
#[derive(Default)]
struct Peer {
    invite: Option<String>,
    ok: Option<String>,
    last_sent: Option<String>,
    cseq: u32,
}

/// The switch, its two neighbours and the clock.
pub(crate) struct Talk {
    /// The switch under test.
    pub(crate) switch: Switch,
    /// The time.
    pub(crate) now: Now,
    /// Of every command so far.
    pub(crate) digest: Digest,
    /// Most commands that one input made.
    pub(crate) most_commands: usize,
    /// Calls that began.
    pub(crate) started: u64,
    /// Calls whose record was written.
    pub(crate) ended: u64,
    west: Peer,
    east: Peer,
    calls: u32,
}

impl Talk {
    /// A new conversation; all of them are alike.
    pub(crate) fn new() -> Talk {
        let parsed = crosspoint_core::config::parse(CONFIG).expect("the test's own configuration");
        let now = Now { mono: Instant::from_micros(1000), wall: UnixMicros(1_767_322_984_000_000) };
        Talk {
            switch: Switch::new(Arc::new(parsed.config), Seed::from_number(1), now),
            now,
            digest: Digest::default(),
            most_commands: 0,
            started: 0,
            ended: 0,
            west: Peer { cseq: 1, ..Peer::default() },
            east: Peer { cseq: 1, ..Peer::default() },
            calls: 0,
        }
    }

    /// Gives the switch an input and takes its commands.
    pub(crate) fn input(&mut self, give: impl FnOnce(&mut Switch, Now)) {
        give(&mut self.switch, self.now);
        let mut commands = 0;
        while let Some(command) = self.switch.poll_command() {
            commands += 1;
            self.digest.command(&command);
            match command {
                Command::Send { flow, bytes } => self.take(flow, &String::from_utf8_lossy(&bytes)),
                Command::Emit(event) => match *event {
                    Event::CallStarted { .. } => self.started += 1,
                    Event::CallEnded { .. } => self.ended += 1,
                    _ => {}
                },
                Command::Lookup(_) | Command::Ports(_) | Command::Media(..) | Command::Halt => {}
            }
        }
        self.most_commands = self.most_commands.max(commands);
    }

    /// Lets time pass, with a tick at every deadline.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some(deadline) = self.switch.poll_timeout().filter(|deadline| deadline.at <= end) {
            self.forward_to(deadline.at.max(self.now.mono));
            self.input(|switch, now| {
                switch.handle(now, Input::Tick);
            });
        }
        self.forward_to(end);
    }

    fn forward_to(&mut self, at: Instant) {
        let passed = at.since(self.now.mono);
        self.now = Now { mono: at, wall: self.now.wall.plus(passed) };
    }

    fn take(&mut self, flow: Flow, text: &str) {
        let peer = if flow.remote == west() { &mut self.west } else { &mut self.east };
        if text.starts_with("INVITE ") {
            peer.invite = Some(text.to_owned());
        } else if text.starts_with("SIP/2.0 200") && text.contains(" INVITE\r\n") {
            peer.ok = Some(text.to_owned());
        }
    }

    fn send(&mut self, from: SocketAddr, text: String) {
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote: from };
        let peer = if from == west() { &mut self.west } else { &mut self.east };
        peer.last_sent = Some(text.clone());
        self.input(|switch, now| {
            switch.handle(now, Input::Datagram { flow, bytes: text.as_bytes() });
        });
    }

    /// Does what this byte stands for; what is not possible now is passed over.
    pub(crate) fn step(&mut self, step: u8) {
        match step % 24 {
            0 | 1 => self.west_invites(),
            2 => self.east_answers("100 Trying", ""),
            3 => self.east_answers("180 Ringing", ";tag=east"),
            4 => self.east_answers("183 Session Progress", ";tag=east"),
            5 | 6 => self.east_answers("200 OK", ";tag=east"),
            7 => self.east_answers("486 Busy Here", ";tag=east"),
            8 => self.east_answers("200 OK", ";tag=fork"),
            9 | 10 => self.inside(true, "ACK"),
            11 => self.inside(true, "BYE"),
            12 => self.inside(false, "BYE"),
            13 => self.west_cancels(),
            14 => self.inside(true, "INVITE"),
            15 => self.inside(false, "INVITE"),
            16 => self.west_answers(),
            17 => self.inside(false, "ACK"),
            18 => self.inside(step > 127, "INFO"),
            19 => self.again(west()),
            20 => self.again(east()),
            21 => self.pass(Duration::from_millis(700)),
            22 => self.pass(Duration::from_secs(11)),
            _ => {
                let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote: east() };
                self.input(|switch, now| {
                    switch.handle(now, Input::Undelivered { flow });
                });
            }
        }
    }

    fn west_invites(&mut self) {
        self.calls += 1;
        let n = self.calls;
        self.west.cseq = 1;
        self.send(
            west(),
            format!(
                "INVITE sip:123@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKw{n}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:9@west>;tag=w{n}\r\nTo: <sip:123@example.net>\r\nCall-ID: call{n}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:9@192.0.2.1:5060>\r\nContent-Length: 0\r\n\r\n"
            ),
        );
    }

    fn west_cancels(&mut self) {
        let n = self.calls;
        self.send(
            west(),
            format!(
                "CANCEL sip:123@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKw{n}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:9@west>;tag=w{n}\r\nTo: <sip:123@example.net>\r\nCall-ID: call{n}\r\n\
             CSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n"
            ),
        );
    }

    fn east_answers(&mut self, status: &str, tag: &str) {
        let Some(invite) = self.east.invite.clone() else { return };
        self.send(east(), answer(&invite, status, tag, "192.0.2.2:5060"));
    }

    fn west_answers(&mut self) {
        let Some(invite) = self.west.invite.clone() else { return };
        self.send(west(), answer(&invite, "200 OK", "", "192.0.2.1:5060"));
    }

    fn again(&mut self, from: SocketAddr) {
        let peer = if from == west() { &self.west } else { &self.east };
        if let Some(text) = peer.last_sent.clone() {
            self.send(from, text);
        }
    }

    /// A request inside the dialog, from the caller's or the callee's side.
    fn inside(&mut self, is_west: bool, method: &str) {
        let (address, peer) = if is_west { (west(), &mut self.west) } else { (east(), &mut self.east) };
        // the caller knows the dialog from the 200 it got, the callee from the INVITE it got
        let known = if is_west || method == "ACK" { &peer.ok } else { &peer.invite };
        let Some(known) = known.clone() else { return };
        let (mut from, mut to) = (line(&known, "From: "), line(&known, "To: "));
        if !is_west && method != "ACK" {
            (from, to) = (to, from);
            if !from.contains("tag=") {
                from.push_str(";tag=east");
            }
        }
        if method != "ACK" {
            peer.cseq += 1;
        }
        let cseq = if method == "ACK" { number(&line(&known, "CSeq: ")) } else { peer.cseq };
        let branch = peer.cseq;
        let call_id = line(&known, "Call-ID: ");
        self.send(address, format!(
            "{method} sip:192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{method}{branch}{call_id}\r\n\
             Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:x@{address}>\r\nContent-Length: 0\r\n\r\n"
        ));
    }
}

fn west() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5060))
}

fn east() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 2], 5060))
}

fn line(message: &str, name: &str) -> String {
    let found = message.split("\r\n").find_map(|line| line.strip_prefix(name));
    found.unwrap_or_default().to_owned()
}

fn number(cseq: &str) -> u32 {
    cseq.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(1)
}

fn answer(request: &str, status: &str, tag: &str, contact: &str) -> String {
    let (via, from, to) = (line(request, "Via: "), line(request, "From: "), line(request, "To: "));
    let (call_id, cseq) = (line(request, "Call-ID: "), line(request, "CSeq: "));
    format!(
        "SIP/2.0 {status}\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}{tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n\
         Contact: <sip:x@{contact}>\r\nContent-Length: 0\r\n\r\n"
    )
}
