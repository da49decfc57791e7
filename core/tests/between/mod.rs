//! The switch between two gateways that this test plays: the caller's messages in, the callee's out, and back.

use crosspoint_core::cdr::CallRecord;
use crosspoint_core::config;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch, Verdict};
use std::sync::Arc;

/// The gateway that calls.
pub(crate) const CALLER: &str = "192.0.2.1:5060";
/// The gateway that is called.
pub(crate) const CALLEE: &str = "198.51.100.2:5060";

/// A switch, and what it has sent to whom and not been asked for yet.
pub(crate) struct Between {
    switch: Switch,
    sent: Vec<(String, String)>,
    /// The INVITE that the callee got.
    pub(crate) invited: String,
    to_caller: String,
    record: Option<CallRecord>,
}

impl Between {
    /// Two gateways; `callee` are further keys of the one that is called.
    pub(crate) fn new(callee: &str) -> Between {
        let text = format!(
            "[switch]\ndomain = \"switch.example\"\n[[listen]]\ntransport = \"udp\"\nbind = \"203.0.113.9:5060\"\n\
             [[gateway]]\nname = \"in\"\ndirection = \"mapping\"\npeers = [\"{CALLER}\"]\n\
             [[gateway]]\nname = \"out\"\ndirection = \"routing\"\npeers = [\"{CALLEE}\"]\n{callee}\n"
        );
        let config = config::parse(&text).unwrap_or_else(|findings| panic!("{findings}")).config;
        let now = Now { mono: Instant::from_micros(1), wall: UnixMicros(1_800_000_000_000_000) };
        let switch = Switch::new(Arc::new(config), Seed::from_number(1), now);
        Between { switch, sent: Vec::new(), invited: String::new(), to_caller: String::new(), record: None }
    }

    /// A datagram from there.
    pub(crate) fn hear(&mut self, from: &str, datagram: &str) {
        let now = Now { mono: Instant::from_micros(2), wall: UnixMicros(1_800_000_000_000_001) };
        let remote = from.parse().expect("an address");
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote };
        let verdict = self.switch.handle(now, Input::Datagram { flow, bytes: datagram.as_bytes() });
        assert_eq!(verdict, Verdict::Accepted, "{datagram}");
        while let Some(command) = self.switch.poll_command() {
            match command {
                Command::Send { flow, bytes } => {
                    let text = String::from_utf8(bytes.to_vec()).expect("the tests send text");
                    self.sent.push((flow.remote.to_string(), text));
                }
                Command::Emit(event) => {
                    if let Event::CallEnded { record } = *event {
                        self.record = Some(*record);
                    }
                }
                _ => {}
            }
        }
    }

    /// The first message to there that begins so.
    pub(crate) fn take(&mut self, to: &str, start: &str) -> String {
        let found = self.sent.iter().position(|(remote, text)| remote == to && text.starts_with(start));
        let at = found.unwrap_or_else(|| panic!("no {start} to {to} among {:#?}", self.sent));
        self.sent.remove(at).1
    }

    /// The caller's INVITE with these further lines and this body.
    pub(crate) fn invite(&mut self, lines: &str, body: &str) {
        self.hear(CALLER, &invite(lines, body));
        self.invited = self.take(CALLEE, "INVITE ");
    }

    /// The callee's answer to it.
    pub(crate) fn answer(&mut self, status: u16, lines: &str, body: &str) {
        let of = |name| field(&self.invited, name).expect("an INVITE has it");
        let answer = format!(
            "SIP/2.0 {status} Answer\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=callee\r\nCall-ID: {}\r\nCSeq: {}\r\n\
             Contact: <sip:b@{CALLEE}>\r\n{lines}Content-Length: {}\r\n\r\n{body}",
            of("Via"),
            of("From"),
            of("To"),
            of("Call-ID"),
            of("CSeq"),
            body.len()
        );
        self.hear(CALLEE, &answer);
        if status == 200 {
            self.to_caller = self.take(CALLER, "SIP/2.0 200 ");
        }
    }

    /// A call that both sides have confirmed.
    pub(crate) fn talk(&mut self) {
        self.invite("", "");
        self.answer(200, "", "");
        self.request(CALLER, "ACK", "");
        self.take(CALLEE, "ACK ");
    }

    /// A request of the caller inside its dialog.
    pub(crate) fn request(&mut self, from: &str, method: &str, lines: &str) {
        let to = field(&self.to_caller, "To").expect("an answer has it").to_owned();
        let number = if method == "ACK" { 1 } else { 2 };
        let request = format!(
            "{method} sip:203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n\
             From: <sip:4711@{CALLER}>;tag=caller\r\nTo: {to}\r\nCall-ID: in\r\nCSeq: {number} {method}\r\n{lines}\
             Content-Length: 0\r\n\r\n"
        );
        self.hear(from, &request);
    }

    /// The caller's CANCEL.
    pub(crate) fn cancel(&mut self, lines: &str) {
        let cancel = invite(lines, "").replace("INVITE", "CANCEL");
        self.hear(CALLER, &cancel);
    }

    /// The record of the call, which must have ended.
    pub(crate) fn end(&self) -> &CallRecord {
        self.record.as_ref().expect("the call has ended")
    }
}

fn invite(lines: &str, body: &str) -> String {
    let from = if lines.contains("From: ") { "" } else { "From: \"Caller\" <sip:4711@192.0.2.1>;tag=caller\r\n" };
    format!(
        "INVITE sip:0815@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKinvite\r\nMax-Forwards: 70\r\n\
         {from}To: <sip:0815@203.0.113.9>\r\nCall-ID: in\r\nCSeq: 1 INVITE\r\nContact: <sip:a@{CALLER}>\r\n{lines}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The value of a header that a message has once.
pub(crate) fn field<'t>(message: &'t str, name: &str) -> Option<&'t str> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
