//! Calls whose media the switch relays, between two gateways that this test plays: what each is shown, which ports are
//! asked for and given back, what the shard is told. Descriptions are written in a few words, `audio 4000 sendonly`.

use crosspoint_core::cdr::CallRecord;
use crosspoint_core::config;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::media::{Kind, LegPlan, MediaOp, MediaReport, MediaShard, Party, Relay, SessionId};
use crosspoint_core::ports::{BindError, PortCommand, PortReply, Shard};
use crosspoint_core::rng::media_stream;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch};
use std::sync::Arc;
use std::time::Duration;

const CALLER: &str = "192.0.2.1:5060";
const CALLEE: &str = "198.51.100.2:5060";

/// How the driver answers an order to open ports.
#[derive(Clone, Copy, PartialEq)]
enum Driver {
    /// At once.
    Opens,
    /// Each time: somebody else has them.
    InUse,
    /// Not at all.
    Silent,
}

struct Scene {
    switch: Switch,
    now: Now,
    driver: Driver,
    /// Requests for ports that have had no reply.
    asked: Vec<u64>,
    shard: MediaShard,
    /// What the shard was told.
    ops: Vec<MediaOp>,
    sent: Vec<(String, String)>,
    record: Option<CallRecord>,
    cseq: [u32; 2],
    /// The INVITE that the callee got, and the answer that the caller got: the dialogs.
    invited: String,
    answered: String,
}

impl Scene {
    fn new(driver: Driver) -> Scene {
        Scene::with(driver, "SS_MEDIAPROXYMODE = \"On\"")
    }

    fn with(driver: Driver, parameters: &str) -> Scene {
        Scene::of(driver, parameters, "")
    }

    /// With further keys of the gateway that is called.
    fn of(driver: Driver, parameters: &str, callee: &str) -> Scene {
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

    fn give(&mut self, input: Input<'_>) {
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
    fn pass(&mut self, ms: u64) {
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
    fn packet(&mut self, from: &str, party: Party, sequence: u16) -> Option<String> {
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

    fn hear(&mut self, from: &str, text: &str) {
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote: from.parse().unwrap() };
        self.give(Input::Datagram { flow, bytes: text.as_bytes() });
    }

    /// The first message to there that begins so.
    #[track_caller]
    fn take(&mut self, to: &str, start: &str) -> String {
        let found = self.sent.iter().position(|(remote, text)| remote == to && text.starts_with(start));
        let at = found.unwrap_or_else(|| panic!("no {start} to {to} among {:#?}", self.sent));
        self.sent.remove(at).1
    }

    fn has(&self, to: &str, start: &str) -> bool {
        self.sent.iter().any(|(remote, text)| remote == to && text.starts_with(start))
    }

    /// The caller's INVITE with this description.
    fn invite(&mut self, streams: &str) {
        let head = format!(
            "INVITE sip:0815@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKinvite\r\nMax-Forwards: 70\r\n\
             From: <sip:4711@{CALLER}>;tag=caller\r\nTo: <sip:0815@203.0.113.9>\r\nCall-ID: in\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:a@{CALLER}>\r\n"
        );
        self.hear(CALLER, &with_body(&head, &sdp("192.0.2.1", streams)));
    }

    /// The callee answers the INVITE that it got; gives what the caller is shown.
    #[track_caller]
    fn answer(&mut self, status: u16, tag: &str, streams: &str) -> String {
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
    fn talk(&mut self, offer: &str, answer: &str) -> [String; 2] {
        self.invite(offer);
        let caller = self.answer(200, "callee", answer);
        let callee = shown(&self.invited.clone());
        self.request(CALLER, "ACK", 1, "");
        self.take(CALLEE, "ACK ");
        [callee, caller]
    }

    /// A request inside the dialog.
    fn request(&mut self, from: &str, method: &str, cseq: u32, streams: &str) {
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
    fn change(&mut self, from: &str, offer: &str, status: u16, answer: &str) -> [String; 2] {
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
    fn plan(&self, session: u64, party: Party) -> LegPlan {
        let told = self.ops.iter().rev().find_map(|op| match op {
            MediaOp::Install { session: of, legs, .. } if of.0 == session => Some(legs[party as usize]),
            MediaOp::Update { session: of, party: whose, leg, .. } if (of.0, *whose) == (session, party) => Some(**leg),
            _ => None,
        });
        told.expect("the shard was told of the leg")
    }

    /// Where the shard sends what is for the caller and for the callee.
    fn targets(&self) -> [String; 2] {
        Party::BOTH.map(|party| self.plan(0, party).signalled.map(|at| at.to_string()).unwrap_or_default())
    }

    /// Ports that are in use or waiting, but for the stock.
    fn used(&self) -> u32 {
        let view = self.switch.relays().ports().view(1000);
        view.leases
            .iter()
            .filter(|lease| lease.flow_no.is_some() && !["quarantined", "overdue"].contains(&lease.state))
            .count() as u32
    }

    fn hang_up(&mut self) {
        self.request(CALLER, "BYE", 99, "");
        let bye = self.take(CALLEE, "BYE ");
        self.hear(CALLEE, &with_body(&response(&bye, 200, "", CALLEE), ""));
        self.pass(40_000);
        assert!(self.switch.is_idle());
        assert_eq!((self.used(), self.switch.relays().sessions(), self.shard.len()), (0, 0, 0), "something is left");
    }
}

fn with_body(head: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn response(request: &str, status: u16, tag: &str, from: &str) -> String {
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

fn field(message: &str, name: &str) -> String {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned()
}

/// `audio 4000 sendonly; image 4002`: kind, port, attributes. Audio has PCMA, and telephone-event under the number that
/// `te=` gives.
fn sdp(host: &str, streams: &str) -> String {
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
fn shown(message: &str) -> String {
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

#[test]
fn each_side_is_shown_the_switch_and_the_shard_is_told_where_they_are() {
    let mut scene = Scene::new(Driver::Opens);
    let [callee, caller] = scene.talk("audio 4000", "audio 6000 ptime:20");
    assert_eq!(callee, "ours, audio port RTP/AVP 8");
    assert_eq!(caller, "ours, audio port RTP/AVP 8, ptime:20");
    assert_eq!(scene.targets(), ["192.0.2.1:4000", "198.51.100.2:6000"]);
    assert_eq!(scene.used(), 2, "a pair for each leg");
    scene.hang_up();
    let record = scene.record.unwrap();
    assert_eq!((record.media.as_str(), record.media_rule.as_str()), ("relay", "G3"));
}

/// Architecture §5: no description names a port that nobody holds.
#[test]
fn a_description_waits_until_its_ports_are_held() {
    let mut scene = Scene::new(Driver::Silent);
    scene.invite("audio 4000");
    assert!(!scene.has(CALLEE, "INVITE "), "its ports are not open");
    for request in std::mem::take(&mut scene.asked) {
        scene.give(Input::Ports(PortReply::Opened { request }));
    }
    scene.driver = Driver::Opens;
    assert_eq!(scene.answer(200, "callee", "audio 6000"), "ours, audio port RTP/AVP 8");
    scene.request(CALLER, "ACK", 1, "");
    scene.hang_up();
}

#[test]
fn a_call_without_ports_is_refused() {
    for (driver, wait_ms) in [(Driver::InUse, 1), (Driver::Silent, 600)] {
        let mut scene = Scene::new(driver);
        scene.invite("audio 4000");
        scene.pass(wait_ms);
        assert!(scene.has(CALLER, "SIP/2.0 503 "), "{:?}", scene.sent);
        assert!(!scene.has(CALLEE, "INVITE "));
        let record = scene.record.clone().unwrap();
        assert_eq!((record.end_reason.name(), record.sip_status), ("no_media_ports", 503));
        assert!(record.route.contains("(switch.media-ports)"), "{}", record.route);
        assert_eq!(scene.used(), 0);
    }
}

/// The caller gives up while the ports are being opened: nobody waits for them any more.
#[test]
fn a_call_that_ends_before_its_ports_are_open_leaves_none() {
    let mut scene = Scene::new(Driver::Silent);
    scene.invite("audio 4000");
    scene.hear(CALLER, &with_body(
        &format!(
            "CANCEL sip:0815@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKinvite\r\nMax-Forwards: 70\r\n\
             From: <sip:4711@{CALLER}>;tag=caller\r\nTo: <sip:0815@203.0.113.9>\r\nCall-ID: in\r\nCSeq: 1 CANCEL\r\n"
        ),
        "",
    ));
    assert!(scene.has(CALLER, "SIP/2.0 487 "));
    for request in std::mem::take(&mut scene.asked) {
        scene.give(Input::Ports(PortReply::Opened { request }));
    }
    scene.pass(10_000);
    assert_eq!(scene.used(), 0);
}

/// User-pains 10: `udptl` on the same relay, and back to the audio of before, by an answer or a refusal.
#[test]
fn fax_comes_and_goes() {
    let mut scene = Scene::new(Driver::Opens);
    scene.talk("audio 4000", "audio 6000");
    let ports = Party::BOTH.map(|party| scene.plan(0, party).socket);
    let [asked, answered] = scene.change(CALLEE, "image 6002", 200, "image 4002");
    assert_eq!((asked.as_str(), answered.as_str()), ("ours, image port udptl t38", "ours, image port udptl t38"));
    assert_eq!(Party::BOTH.map(|party| scene.plan(0, party).kind), [Kind::Datagrams; 2]);
    assert_eq!(scene.targets(), ["192.0.2.1:4002", "198.51.100.2:6002"]);
    scene.change(CALLER, "audio 4000", 200, "audio 6000");
    assert_eq!(Party::BOTH.map(|party| scene.plan(0, party).kind), [Kind::Rtp; 2]);
    let before = scene.ops.len();
    scene.change(CALLER, "image 4002", 488, "");
    assert_eq!(scene.ops.len(), before, "a refused offer changes nothing");
    assert_eq!(Party::BOTH.map(|party| scene.plan(0, party).socket), ports, "the ports stay");
    scene.hang_up();
}

#[test]
fn a_stream_that_is_added_gets_ports_and_one_that_is_refused_gives_them_back() {
    let mut scene = Scene::new(Driver::Opens);
    let [callee, caller] = scene.talk("audio 4000; video 4002", "audio 6000; video 0");
    assert_eq!(callee, "ours, audio port RTP/AVP 8, video port RTP/AVP 96, rtpmap:96 H264/90000");
    assert_eq!(caller, "ours, audio port RTP/AVP 8, video 0 RTP/AVP 96, rtpmap:96 H264/90000");
    assert_eq!(scene.used(), 2);
    let [asked, _] = scene.change(CALLEE, "audio 6000; video 6002", 200, "audio 4000; video 4002");
    assert_eq!(asked, "ours, audio port RTP/AVP 8, video port RTP/AVP 96, rtpmap:96 H264/90000");
    assert_eq!(scene.used(), 4);
    scene.hang_up();
}

/// A new stream in a re-INVITE waits for its ports; where there are none the offer is refused and the call goes on.
#[test]
fn an_offer_inside_the_dialog_waits_for_its_ports() {
    for is_opened in [true, false] {
        let mut scene = Scene::new(Driver::Opens);
        scene.talk("audio 4000", "audio 6000");
        // of single ports there is no stock
        scene.driver = Driver::Silent;
        scene.request(CALLER, "INVITE", 2, "audio 4000; image 4002");
        assert!(!scene.has(CALLEE, "INVITE "), "its port is not open");
        scene.driver = if is_opened { Driver::Opens } else { Driver::InUse };
        for request in std::mem::take(&mut scene.asked) {
            scene.give(Input::Ports(match is_opened {
                true => PortReply::Opened { request },
                false => PortReply::Refused { request, why: BindError::NoSockets },
            }));
        }
        if is_opened {
            let asked = scene.take(CALLEE, "INVITE ");
            assert_eq!(shown(&asked), "ours, audio port RTP/AVP 8, image port udptl t38");
            assert_eq!(scene.used(), 4);
        } else {
            assert!(scene.has(CALLER, "SIP/2.0 500 ") && !scene.has(CALLEE, "INVITE "));
            assert_eq!(scene.used(), 2);
        }
        scene.hang_up();
    }
}

/// Behaviour 1(a), "When": a later offer may bring a direct call into the switch.
#[test]
fn a_later_offer_shows_a_translator_and_the_media_comes_into_the_switch() {
    let mut scene = Scene::with(Driver::Opens, "");
    let [callee, caller] = scene.talk("audio 4000", "audio 6000");
    assert_eq!([callee, caller], ["192.0.2.1, audio 4000 RTP/AVP 8", "198.51.100.2, audio 6000 RTP/AVP 8"]);
    let private = with_body("", &sdp("10.0.0.5", "audio 4000"))
        .replace("Content-Type", "Contact: <sip:10.0.0.5>\r\nContent-Type");
    let head = format!(
        "INVITE sip:203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKmoved\r\nMax-Forwards: 70\r\n\
         From: <sip:4711@{CALLER}>;tag=caller\r\nTo: {}\r\nCall-ID: in\r\nCSeq: 2 INVITE\r\n",
        field(&scene.answered, "To")
    );
    scene.hear(CALLER, &format!("{head}{private}"));
    let asked = scene.take(CALLEE, "INVITE ");
    assert_eq!(shown(&asked), "ours, audio port RTP/AVP 8");
    scene.hear(CALLEE, &with_body(&response(&asked, 200, "", CALLEE), &sdp("198.51.100.2", "audio 6000")));
    assert_eq!(shown(&scene.take(CALLER, "SIP/2.0 200 ")), "ours, audio port RTP/AVP 8");
    assert_eq!(scene.targets(), ["10.0.0.5:4000", "198.51.100.2:6000"]);
    assert!(scene.plan(0, Party::Caller).is_behind_nat);
    scene.request(CALLER, "ACK", 2, "");
    scene.take(CALLEE, "ACK ");
    scene.hang_up();
    let record = scene.record.unwrap();
    assert_eq!((record.media.as_str(), record.media_rule.as_str()), ("relay", "S7"));
}

/// RFC 3264 §8.3.2, user-pains 9: each leg keeps its own number for telephone-event.
#[test]
fn telephone_event_has_its_own_number_on_each_leg() {
    let mut scene = Scene::new(Driver::Opens);
    let [callee, caller] = scene.talk("audio 4000 te=101", "audio 6000 te=97");
    assert_eq!(callee, "ours, audio port RTP/AVP 8 101, rtpmap:101 telephone-event/8000");
    assert_eq!(caller, "ours, audio port RTP/AVP 8 101, rtpmap:101 telephone-event/8000", "the caller's own number");
    assert_eq!(scene.plan(0, Party::Caller).payload_map.get(101), 97);
    // the callee was offered 101, and may send it (RFC 3264 §6.1)
    assert_eq!(scene.plan(0, Party::Callee).payload_map.get(101), 101);
    let [asked, _] = scene.change(CALLEE, "audio 6000 te=97", 200, "audio 4000 te=101");
    assert_eq!(asked, "ours, audio port RTP/AVP 8 101, rtpmap:101 telephone-event/8000");
    assert_eq!(scene.plan(0, Party::Callee).payload_map.get(97), 101);
    scene.hang_up();
}

/// User-pains 8: the branch that answers is the one that is heard, though another one spoke last.
#[test]
fn the_branch_that_answers_is_the_one_that_the_relay_serves() {
    let mut scene = Scene::new(Driver::Opens);
    scene.invite("audio 4000 te=101");
    scene.answer(183, "one", "audio 6000 te=96");
    scene.answer(183, "two", "audio 7000 te=101");
    assert_eq!(scene.targets()[1], "198.51.100.2:7000");
    assert_eq!(scene.answer(200, "one", ""), "");
    assert_eq!(scene.targets()[1], "198.51.100.2:6000");
    assert_eq!(scene.plan(0, Party::Caller).payload_map.get(101), 96);
    scene.request(CALLER, "ACK", 1, "");
    scene.hang_up();
}

/// A session that the shard cannot take would be a silent call.
#[test]
fn a_call_that_the_shard_refuses_ends() {
    let mut scene = Scene::new(Driver::Opens);
    scene.talk("audio 4000", "audio 6000");
    let why = crosspoint_core::media::Refusal::Full;
    scene.give(Input::Media(Shard(0), MediaReport::Refused { session: SessionId(0), generation: 1, why }));
    assert!(scene.has(CALLER, "BYE ") && scene.has(CALLEE, "BYE "));
    scene.pass(100);
    assert_eq!(scene.record.as_ref().unwrap().end_reason.name(), "no_media_ports");
}

/// A shard that does not say what passed costs the counts of the record, and not the record.
#[test]
fn the_record_does_not_wait_for_ever() {
    let mut scene = Scene::new(Driver::Opens);
    scene.talk("audio 4000", "audio 6000");
    scene.shard = MediaShard::new(media_stream(Seed::from_number(1), 0), Default::default());
    scene.request(CALLER, "BYE", 99, "");
    scene.pass(900);
    assert!(scene.record.is_none());
    scene.pass(200);
    assert_eq!(scene.record.unwrap().rtp_caller_packets, None);
}

/// A description in a part of the body is rewritten like one that is the whole of it.
#[test]
fn a_description_among_other_parts_is_rewritten() {
    let mut scene = Scene::new(Driver::Opens);
    let body = format!(
        "--x\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n",
        sdp("192.0.2.1", "audio 4000")
    );
    let invite = format!(
        "INVITE sip:0815@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKinvite\r\nMax-Forwards: 70\r\n\
         From: <sip:4711@{CALLER}>;tag=caller\r\nTo: <sip:0815@203.0.113.9>\r\nCall-ID: in\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:a@{CALLER}>\r\nContent-Type: multipart/mixed;boundary=x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    scene.hear(CALLER, &invite);
    let invited = scene.take(CALLEE, "INVITE ");
    assert!(invited.contains("c=IN IP4 203.0.113.9") && invited.contains("hello"), "{invited}");
    assert!(!invited.contains("192.0.2.1"), "nothing of the caller's address\n{invited}");
}

/// Behaviour §3 and 1(a), F2: media that is watched is relayed, and a silence after the answer ends the call; while it
/// rings nobody has to speak.
#[test]
fn a_silence_that_is_watched_ends_the_call() {
    let watch = "rtp_interruption = \"from_remote\"\nrtp_interruption_s = 5";
    let mut scene = Scene::of(Driver::Opens, "", watch);
    scene.invite("audio 4000");
    scene.answer(180, "callee", "");
    scene.pass(20_000);
    scene.answer(200, "callee", "audio 6000");
    scene.request(CALLER, "ACK", 1, "");
    for sequence in 0..3 {
        scene.pass(2_000);
        assert!(scene.packet("198.51.100.2:6000", Party::Callee, sequence).is_some());
    }
    scene.pass(4_900);
    assert!(scene.record.is_none(), "{:?}", scene.record);
    scene.pass(200);
    assert!(scene.has(CALLER, "BYE ") && scene.has(CALLEE, "BYE "));
    let record = scene.record.unwrap();
    assert_eq!((record.end_reason.name(), record.media_rule.as_str()), ("interrupted", "F2"));
    assert_eq!((record.rtp_caller_packets, record.rtp_callee_packets), (Some(0), Some(3)));
    assert!(record.route.contains("nothing from the callee (media.interrupted)"), "{}", record.route);
}

/// User-pains 1: the operator is told, with what a capture would show.
#[test]
fn one_way_audio_is_told() {
    let mut scene = Scene::new(Driver::Opens);
    scene.talk("audio 4000", "audio 6000");
    for sequence in 0..5 {
        assert_eq!(scene.packet("192.0.2.1:4000", Party::Caller, sequence).as_deref(), Some("198.51.100.2:6000"));
        assert_eq!(scene.packet("203.0.113.77:6000", Party::Callee, sequence), None, "a stranger");
    }
    scene.pass(10_100);
    let stream = &scene.switch.calls(1)[0].streams[0];
    assert_eq!(stream.caller, "192.0.2.1:4000 locked by signalled_address");
    assert_eq!(stream.callee, "198.51.100.2:6000 signalled by signalling");
    scene.hang_up();
    let route = scene.record.unwrap().route;
    let told = "one-way audio: the caller hears nothing; of the caller: 5 packets, 192.0.2.1:4000 locked by \
                signalled_address; of the callee: 0 packets, 198.51.100.2:6000 signalled by reopened, 5 rejected \
                (media.one-way)";
    assert!(route.contains(told), "{route}");
}
