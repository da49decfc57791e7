//! The switch between two gateways and a driver, all played by the test.

use crosspoint_core::cdr::CallRecord;
use crosspoint_core::config;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::media::{LegPlan, MediaOp, MediaShard, Party, Relay};
use crosspoint_core::ports::{BindError, PortCommand, PortReply, Shard};
use crosspoint_core::rng::media_stream;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const CALLER: &str = "192.0.2.1:5060";
pub(crate) const CALLEE: &str = "198.51.100.2:5060";

/// How the driver answers an order to open ports.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Driver {
    /// At once.
    Opens,
    /// Each time: somebody else has them.
    InUse,
    /// Not at all.
    Silent,
}

pub(crate) struct Scene {
    pub(crate) switch: Switch,
    pub(crate) now: Now,
    pub(crate) driver: Driver,
    /// Requests for ports that have had no reply.
    pub(crate) asked: Vec<u64>,
    pub(crate) shard: MediaShard,
    /// What the shard was told.
    pub(crate) ops: Vec<MediaOp>,
    pub(crate) sent: Vec<(String, String)>,
    pub(crate) record: Option<CallRecord>,
    pub(crate) cseq: [u32; 2],
    /// The INVITE that the callee got, and the answer that the caller got: the dialogs.
    pub(crate) invited: String,
    pub(crate) answered: String,
}

impl Scene {
    pub(crate) fn new(driver: Driver) -> Scene {
        Scene::with(driver, "SS_MEDIAPROXYMODE = \"On\"")
    }

    pub(crate) fn with(driver: Driver, parameters: &str) -> Scene {
        Scene::of(driver, parameters, "")
    }

    /// With further keys of the gateway that is called.
    pub(crate) fn of(driver: Driver, parameters: &str, callee: &str) -> Scene {
        let text = format!(
            "[switch]\ndomain = \"switch.example\"\n[parameters]\nSS_RTP_PORT_RANGE = \"20000,20399\"\n{parameters}\n\
             [[listen]]\ntransport = \"udp\"\nbind = \"10.9.9.9:5060\"\nadvertise = \"203.0.113.9:5060\"\n\
             [[gateway]]\nname = \"in\"\ndirection = \"mapping\"\npeers = [\"{CALLER}\"]\n\
             [[gateway]]\nname = \"out\"\ndirection = \"routing\"\npeers = [\"{CALLEE}\"]\n{callee}\n"
        );
        let config = config::parse(&text).unwrap_or_else(|findings| panic!("{findings}")).config;
        let now = Now { mono: Instant::from_micros(1), wall: UnixMicros(1_800_000_000_000_000) };
        let mut scene = Scene {
            switch: Switch::new(Arc::new(config), Seed::from_number(1), now),
            now,
            driver,
            asked: Vec::new(),
            shard: MediaShard::new(media_stream(Seed::from_number(1), 0), Default::default()),
            ops: Vec::new(),
            sent: Vec::new(),
            record: None,
            cseq: [1, 1],
            invited: String::new(),
            answered: String::new(),
        };
        scene.pass(1);
        scene
    }

    pub(crate) fn give(&mut self, input: Input<'_>) {
        self.switch.handle(self.now, input);
        let mut replies = Vec::new();
        while let Some(command) = self.switch.poll_command() {
            match command {
                Command::Send { flow, bytes } => {
                    self.sent.push((flow.remote.to_string(), String::from_utf8(bytes.to_vec()).unwrap()));
                }
                Command::Emit(event) => {
                    if let Event::CallEnded { record } = *event {
                        self.record = Some(*record);
                    }
                }
                Command::Ports(PortCommand::Open { request, .. }) => match self.driver {
                    Driver::Opens => replies.push(PortReply::Opened { request }),
                    Driver::InUse => replies.push(PortReply::Refused { request, why: BindError::AddressInUse }),
                    Driver::Silent => self.asked.push(request),
                },
                Command::Media(_, op) => {
                    self.shard.apply(self.now.mono, op.clone());
                    self.ops.push(op);
                }
                _ => {}
            }
        }
        for reply in replies {
            self.give(Input::Ports(reply));
        }
        while let Some(report) = self.shard.poll_report() {
            self.give(Input::Media(Shard(0), report));
        }
    }

    /// Lets time pass, in ms.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.mono + Duration::from_millis(ms);
        loop {
            let of_switch = self.switch.poll_timeout().map(|next| next.at);
            let next = [of_switch, self.shard.poll_timeout()].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.now.mono = self.now.mono.max(next);
            self.shard.tick(self.now.mono);
            self.give(Input::Tick);
        }
        self.now.mono = end;
    }

    /// A packet of G.711 comes from there to the port of this side; gives where it goes.
    pub(crate) fn packet(&mut self, from: &str, party: Party, sequence: u16) -> Option<String> {
        let mut packet =
            [&[0x80, 8][..], &sequence.to_be_bytes(), &[0; 4], &[1, 2, 3, party as u8], &[0xd5; 160]].concat();
        let socket = self.plan(0, party).socket;
        let relay = self.shard.relay(self.now.mono, socket, from.parse().unwrap(), &mut packet);
        self.give(Input::Tick);
        match relay {
            Relay::Forward { to, .. } => Some(to.to_string()),
            Relay::Consume | Relay::Drop(_) => None,
        }
    }

    pub(crate) fn hear(&mut self, from: &str, text: &str) {
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote: from.parse().unwrap() };
        self.give(Input::Datagram { flow, bytes: text.as_bytes() });
    }

    /// The first message to there that begins so.
    #[track_caller]
    pub(crate) fn take(&mut self, to: &str, start: &str) -> String {
        let found = self.sent.iter().position(|(remote, text)| remote == to && text.starts_with(start));
        let at = found.unwrap_or_else(|| panic!("no {start} to {to} among {:#?}", self.sent));
        self.sent.remove(at).1
    }

    pub(crate) fn has(&self, to: &str, start: &str) -> bool {
        self.sent.iter().any(|(remote, text)| remote == to && text.starts_with(start))
    }

    /// The caller's INVITE with this description.
    pub(crate) fn invite(&mut self, streams: &str) {
        let head = format!(
            "INVITE sip:0815@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKinvite\r\nMax-Forwards: 70\r\n\
             From: <sip:4711@{CALLER}>;tag=caller\r\nTo: <sip:0815@203.0.113.9>\r\nCall-ID: in\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:a@{CALLER}>\r\n"
        );
        self.hear(CALLER, &with_body(&head, &sdp("192.0.2.1", streams)));
    }

    /// The callee answers the INVITE that it got; gives what the caller is shown.
    #[track_caller]
    pub(crate) fn answer(&mut self, status: u16, tag: &str, streams: &str) -> String {
        if self.invited.is_empty() {
            self.invited = self.take(CALLEE, "INVITE ");
        }
        let invited = self.invited.clone();
        let head = response(&invited, status, tag, CALLEE);
        self.hear(CALLEE, &with_body(&head, &sdp("198.51.100.2", streams)));
        let answer = self.take(CALLER, &format!("SIP/2.0 {status} "));
        self.answered.clone_from(&answer);
        shown(&answer)
    }

    /// Offer and answer, and the ACK; gives what each was shown.
    #[track_caller]
    pub(crate) fn talk(&mut self, offer: &str, answer: &str) -> [String; 2] {
        self.invite(offer);
        let caller = self.answer(200, "callee", answer);
        let callee = shown(&self.invited.clone());
        self.request(CALLER, "ACK", 1, "");
        self.take(CALLEE, "ACK ");
        [callee, caller]
    }

    /// A request inside the dialog.
    pub(crate) fn request(&mut self, from: &str, method: &str, cseq: u32, streams: &str) {
        let (from_value, to_value, call_id, host) = match from {
            CALLER => {
                (format!("<sip:4711@{CALLER}>;tag=caller"), field(&self.answered, "To"), "in".to_owned(), "192.0.2.1")
            }
            _ => {
                let to = field(&self.invited, "To");
                (
                    format!("{to};tag=callee"),
                    field(&self.invited, "From"),
                    field(&self.invited, "Call-ID"),
                    "198.51.100.2",
                )
            }
        };
        let head = format!(
            "{method} sip:203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method}{cseq}\r\nMax-Forwards: 70\r\n\
             From: {from_value}\r\nTo: {to_value}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{from}>\r\n"
        );
        self.hear(from, &with_body(&head, &sdp(host, streams)));
    }

    /// A re-INVITE from one side, answered by the other; gives what each was shown, the asked one first.
    #[track_caller]
    pub(crate) fn change(&mut self, from: &str, offer: &str, status: u16, answer: &str) -> [String; 2] {
        let side = usize::from(from == CALLEE);
        self.cseq[side] += 1;
        self.request(from, "INVITE", self.cseq[side], offer);
        let (to, host) = if from == CALLER { (CALLEE, "198.51.100.2") } else { (CALLER, "192.0.2.1") };
        let asked = self.take(to, "INVITE ");
        self.hear(to, &with_body(&response(&asked, status, "", to), &sdp(host, answer)));
        let answered = self.take(from, &format!("SIP/2.0 {status} "));
        if status < 300 {
            self.request(from, "ACK", self.cseq[side], "");
            self.take(to, "ACK ");
        }
        [shown(&asked), shown(&answered)]
    }

    /// The plan of a leg as the shard was last told.
    pub(crate) fn plan(&self, session: u64, party: Party) -> LegPlan {
        let told = self.ops.iter().rev().find_map(|op| match op {
            MediaOp::Install { session: of, legs, .. } if of.0 == session => Some(legs[party as usize]),
            MediaOp::Update { session: of, party: whose, leg, .. } if (of.0, *whose) == (session, party) => Some(**leg),
            _ => None,
        });
        told.expect("the shard was told of the leg")
    }

    /// Where the shard sends what is for the caller and for the callee.
    pub(crate) fn targets(&self) -> [String; 2] {
        Party::BOTH.map(|party| self.plan(0, party).signalled.map(|at| at.to_string()).unwrap_or_default())
    }

    /// Ports that are in use or waiting, but for the stock.
    pub(crate) fn used(&self) -> u32 {
        let view = self.switch.relays().ports().view(1000);
        view.leases
            .iter()
            .filter(|lease| lease.flow_no.is_some() && !["quarantined", "overdue"].contains(&lease.state))
            .count() as u32
    }

    pub(crate) fn hang_up(&mut self) {
        self.request(CALLER, "BYE", 99, "");
        let bye = self.take(CALLEE, "BYE ");
        self.hear(CALLEE, &with_body(&response(&bye, 200, "", CALLEE), ""));
        self.pass(40_000);
        assert!(self.switch.is_idle());
        assert_eq!((self.used(), self.switch.relays().sessions(), self.shard.len()), (0, 0, 0), "something is left");
    }
}

pub(crate) fn with_body(head: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

pub(crate) fn response(request: &str, status: u16, tag: &str, from: &str) -> String {
    let of = |name| field(request, name);
    let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    format!(
        "SIP/2.0 {status} Answer\r\nVia: {}\r\nFrom: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:{from}>\r\n",
        of("Via"),
        of("From"),
        of("To"),
        of("Call-ID"),
        of("CSeq")
    )
}

pub(crate) fn field(message: &str, name: &str) -> String {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned()
}

/// `audio 4000 sendonly; image 4002`: kind, port, attributes. Audio has PCMA, and telephone-event under the number that
/// `te=` gives.
pub(crate) fn sdp(host: &str, streams: &str) -> String {
    if streams.is_empty() {
        return String::new();
    }
    let mut text = format!("v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n");
    for stream in streams.split("; ") {
        let mut words = stream.split(' ');
        let (kind, port) = (words.next().unwrap(), words.next().unwrap());
        let rest: Vec<&str> = words.collect();
        let event = rest.iter().find_map(|word| word.strip_prefix("te="));
        let formats = match (kind, event) {
            ("image", _) => "udptl t38".to_owned(),
            ("video", _) => "RTP/AVP 96\r\na=rtpmap:96 H264/90000".to_owned(),
            (_, Some(event)) => format!("RTP/AVP 8 {event}\r\na=rtpmap:{event} telephone-event/8000"),
            _ => "RTP/AVP 8".to_owned(),
        };
        text.push_str(&format!("m={kind} {port} {formats}\r\n"));
        rest.iter().filter(|word| !word.starts_with("te=")).for_each(|word| text.push_str(&format!("a={word}\r\n")));
    }
    text
}

/// The description of a message in the same few words: addresses of ours are told as `ours`.
pub(crate) fn shown(message: &str) -> String {
    let body = message.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let mut out = Vec::new();
    for line in body.lines() {
        match line.split_at(2) {
            ("c=", at) => out.push(if at.ends_with("203.0.113.9") {
                "ours".to_owned()
            } else {
                at.trim_start_matches("IN IP4 ").to_owned()
            }),
            ("m=", media) => {
                let port: u16 = media.split(' ').nth(1).unwrap().parse().unwrap();
                let port = if (20_000..20_400).contains(&port) { "port" } else { &port.to_string() };
                let words: Vec<&str> =
                    media.split(' ').enumerate().map(|(n, word)| if n == 1 { port } else { word }).collect();
                out.push(words.join(" "));
            }
            ("a=", attribute) => out.push(attribute.to_owned()),
            _ => {}
        }
    }
    out.join(", ")
}
