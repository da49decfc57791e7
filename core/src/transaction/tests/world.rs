//! A transaction layer, its clock, and a log of what went in and out.

use crate::Command;
use crate::config::Config;
use crate::cx::Cx;
use crate::input::{Flow, SocketId, Transport};
use crate::rng::{Seed, table_key};
use crate::sip::{Index, Message, Scanned, check, scan};
use crate::time::{Instant, Now, UnixMicros};
use crate::transaction::*;
use bytes::Bytes;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

pub(super) const OWNER: Owner = Owner { party: Party::Call, id: 7, role: 1 };

pub(super) fn flow(remote: &str) -> Flow {
    Flow { socket: SocketId(0), transport: Transport::Udp, remote: remote.parse().unwrap() }
}

pub(super) fn peer() -> Flow {
    flow("192.0.2.7:5060")
}

/// One layer alone in the world.
pub(super) struct World {
    pub(super) cx: Cx,
    pub(super) layer: Transactions,
    /// The datagrams sent since the last look at them.
    pub(super) sent: Vec<(Flow, Bytes)>,
    /// What went in (`<-`) and out (`->`), and what users were told (`!!`), by seconds.
    pub(super) log: String,
}

impl World {
    pub(super) fn new() -> World {
        let seed = Seed::from_number(1);
        World {
            cx: Cx::new(Arc::new(Config::embedded("secret")), seed, Now { mono: Instant::EPOCH, wall: UnixMicros(0) }),
            layer: Transactions::new(table_key(seed)),
            sent: Vec::new(),
            log: String::new(),
        }
    }

    /// A request from the peer comes in.
    pub(super) fn hear_request(&mut self, text: &str) -> Received {
        self.hear_request_from(peer(), text)
    }

    pub(super) fn hear_request_from(&mut self, from: Flow, text: &str) -> Received {
        let received = with_message(text, |message| {
            self.note("<-", text.as_bytes());
            self.layer.receive_request(&mut self.cx, message, from)
        });
        self.drain();
        received
    }

    /// A response comes in.
    pub(super) fn hear_response(&mut self, text: &str) -> Answer {
        let answer = with_message(text, |message| {
            self.note("<-", text.as_bytes());
            self.layer.receive_response(&mut self.cx, message, peer())
        });
        self.drain();
        answer
    }

    /// Sends a request with a branch made of this letter.
    pub(super) fn ask(&mut self, method: &str, letter: char) -> ClientId {
        let bytes = Bytes::from(our_request(method, letter));
        let kind = if method == "INVITE" { Kind::Invite } else { Kind::Other };
        let new = NewRequest { flow: peer(), kind, branch: branch(letter), bytes };
        let id = self.layer.request(&mut self.cx, new, OWNER).expect("there is room");
        self.drain();
        id
    }

    pub(super) fn cancel(&mut self, id: ClientId) {
        self.layer.cancel(&mut self.cx, id, b"Reason: Q.850;cause=16\r\n");
        self.drain();
    }

    pub(super) fn answer(&mut self, id: ServerId, status: u16) {
        let to_tag: &[u8] = if status == 100 { b"" } else { b"ours" };
        self.layer.respond(&mut self.cx, id, Reply::new(status, to_tag));
        self.drain();
    }

    pub(super) fn acknowledged(&mut self, id: ServerId) {
        self.layer.acknowledged(&mut self.cx, id);
        self.drain();
    }

    /// Lets time pass, and every timer fire at its time.
    pub(super) fn wait_ms(&mut self, ms: u64) {
        self.drain();
        let until = self.cx.now.mono + Duration::from_millis(ms);
        while let Some((timer, key)) = self.cx.timers.pop_due(until) {
            assert!(timer.at() >= self.cx.now.mono, "{key:?} fires too late");
            self.cx.now.mono = timer.at();
            let upcall = self.layer.fire(&mut self.cx, key);
            self.drain();
            self.tell(upcall);
        }
        self.cx.now.mono = until;
    }

    pub(super) fn undelivered(&mut self, to: Flow) -> usize {
        let upcalls = self.layer.undelivered(&mut self.cx, to);
        self.drain();
        upcalls.into_iter().inspect(|upcall| self.tell(Some(*upcall))).count()
    }

    /// The only datagram sent since the last look, as text.
    pub(super) fn sent_one(&mut self) -> String {
        let [(_, bytes)] = self.sent.as_slice() else { panic!("{} datagrams", self.sent.len()) };
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        self.sent.clear();
        text
    }

    /// Nothing is left: no transaction, no timer.
    pub(super) fn assert_empty(&self) {
        assert_eq!((self.layer.len(), self.cx.timers.len()), (0, 0), "{:?}", self.layer);
        assert!(self.layer.server_keys.is_empty() && self.layer.merge_keys.is_empty());
        assert!(self.layer.client_keys.is_empty() && self.layer.unanswered.is_empty());
    }

    fn tell(&mut self, upcall: Option<Upcall>) {
        let (what, owner) = match upcall {
            None => return,
            Some(Upcall::Timeout { owner, .. }) => ("timeout", owner),
            Some(Upcall::Undelivered { owner, .. }) => ("undelivered", owner),
            Some(Upcall::Settled { owner, .. }) => ("settled", owner),
            Some(Upcall::NoAck { owner, .. }) => ("no ack", owner),
        };
        writeln!(self.log, "{:>7} !! {what} for {}.{}", self.seconds(), owner.id, owner.role).unwrap();
    }

    fn drain(&mut self) {
        while let Some(command) = self.cx.next_command() {
            let Command::Send { flow, bytes } = command else { panic!("{command:?}") };
            self.note("->", &bytes);
            self.sent.push((flow, bytes));
        }
        assert_eq!(self.layer.timers(), self.cx.timers.len(), "timers owned and armed");
    }

    fn seconds(&self) -> String {
        let ms = self.cx.now.mono.as_millis();
        format!("{}.{:03}", ms / 1000, ms % 1000)
    }

    fn note(&mut self, arrow: &str, datagram: &[u8]) {
        let text = String::from_utf8_lossy(datagram);
        let what = match text.strip_prefix("SIP/2.0 ") {
            Some(status) => format!("{} to {}", &status[..3], field(&text, "CSeq").split_once(' ').unwrap().1),
            None => text.split(' ').next().unwrap().to_string(),
        };
        writeln!(self.log, "{:>7} {arrow} {what}", self.seconds()).unwrap();
    }
}

pub(super) fn with_message<T>(text: &str, look: impl FnOnce(&Message<'_>) -> T) -> T {
    let mut index = Index::default();
    let Ok(Scanned::Message(message)) = scan(text.as_bytes(), &mut index) else { panic!("no message: {text}") };
    check(&message).unwrap_or_else(|defect| panic!("{defect:?} in {text}"));
    look(&message)
}

pub(super) fn branch(letter: char) -> Branch {
    [letter as u8; 16]
}

/// A request of ours.
pub(super) fn our_request(method: &str, letter: char) -> String {
    let branch = String::from_utf8(branch(letter).to_vec()).unwrap();
    format!(
        "{method} sip:bob@192.0.2.7 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{branch};rport\r\n\
         Max-Forwards: 69\r\n\
         Route: <sip:192.0.2.7;lr>\r\n\
         From: <sip:alice@example.net>;tag=a1\r\n\
         To: <sip:bob@example.net>\r\n\
         Call-ID: call-{letter}@192.0.2.1\r\n\
         CSeq: 17 {method}\r\n\
         Contact: <sip:alice@192.0.2.1>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// A request of the peer.
pub(super) fn their_request(method: &str, branch: &str) -> String {
    let cseq = if matches!(method, "ACK" | "CANCEL") { "INVITE" } else { method };
    format!(
        "{method} sip:bob@example.net SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.7:5060;branch={branch}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:carol@example.net>;tag=c1\r\n\
         To: <sip:bob@example.net>\r\n\
         Call-ID: {cseq}-of-carol\r\n\
         CSeq: 1 {method}\r\n\
         Contact: <sip:carol@192.0.2.7>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// What the peer answers to a request of ours.
pub(super) fn their_response(request: &str, status: u16, to_tag: &str) -> String {
    let mut text = format!("SIP/2.0 {status} Whatever\r\n");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let tag = if name == "To" && !to_tag.is_empty() { format!(";tag={to_tag}") } else { String::new() };
        text += &format!("{name}: {}{tag}\r\n", field(request, name));
    }
    text + "Content-Length: 0\r\n\r\n"
}

/// The value of the first header field of this name.
pub(super) fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let lines = || text.split("\r\n").filter_map(|line| line.split_once(": "));
    lines().find(|(found, _)| *found == name).unwrap_or_else(|| panic!("no {name} in {text}")).1
}
