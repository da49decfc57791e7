//! The switch between two gateways and a driver, all played by the test.

use super::rig::{CALLEE, CALLER, Driver, Rig, field, with_body};
use crosspoint_core::Input;
use crosspoint_core::media::{LegPlan, MediaOp, Party, Relay};
use std::ops::{Deref, DerefMut};

pub(crate) struct Scene {
    rig: Rig,
    pub(crate) cseq: [u32; 2],
    /// The INVITE that the callee got, and the answer that the caller got: the dialogs.
    pub(crate) invited: String,
    pub(crate) answered: String,
}

impl Deref for Scene {
    type Target = Rig;
    fn deref(&self) -> &Rig {
        &self.rig
    }
}

impl DerefMut for Scene {
    fn deref_mut(&mut self) -> &mut Rig {
        &mut self.rig
    }
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
        let rig = Rig { shard_runs: true, ..Rig::new(driver, parameters, callee) };
        Scene { rig, cseq: [1, 1], invited: String::new(), answered: String::new() }
    }

    /// A packet of G.711 comes from there to the port of this side; gives where it goes.
    pub(crate) fn packet(&mut self, from: &str, party: Party, sequence: u16) -> Option<String> {
        let mut packet =
            [&[0x80, 8][..], &sequence.to_be_bytes(), &[0; 4], &[1, 2, 3, party as u8], &[0xd5; 160]].concat();
        let socket = self.plan(0, party).socket;
        let now = self.now.mono;
        let relay = self.shard.relay(now, socket, from.parse().unwrap(), &mut packet);
        self.give(Input::Tick);
        match relay {
            Relay::Forward { to, .. } => Some(to.to_string()),
            Relay::Consume | Relay::Drop(_) => None,
        }
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

    pub(crate) fn hang_up(&mut self) {
        self.request(CALLER, "BYE", 99, "");
        let bye = self.take(CALLEE, "BYE ");
        self.hear(CALLEE, &with_body(&response(&bye, 200, "", CALLEE), ""));
        self.nothing_is_left();
    }
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
