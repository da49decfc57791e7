//! Calls through a switch between peers that are played here, on a virtual clock. What the peers say is kept, so that a
//! second switch of the same seed can be told the same, and costs what a switch costs and nothing else.

use crosspoint_core::auth::Algorithm;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::ports::{PortCommand, PortReply};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch, Verdict, config};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

const CALLER: &str = "192.0.2.1:5070";
const CALLEE: &str = "192.0.2.2:5080";
const DOMAIN: &str = "bench.example";
const PASSWORD: &str = "secret";
/// How many phones are registered.
const PHONES: usize = 100;

/// Between whom the calls are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// From one gateway to another by a static route.
    Gateways,
    /// From a registered phone that answers a challenge to another one.
    Phones,
    /// Between gateways, with their media relayed.
    Relayed,
}

/// Something the switch was told: when, and by whom what; nobody's word is a tick.
pub(crate) struct Moment {
    now: Now,
    datagram: Option<(Flow, String)>,
}

/// A call that is up.
pub(crate) struct Talk {
    number: usize,
    /// The switch's answer that the caller's dialog is made of.
    answer: String,
    /// CSeq number of the INVITE.
    cseq: u32,
}

/// A switch with its peers.
pub(crate) struct Conversation {
    between: Between,
    pub(crate) switch: Switch,
    now: Now,
    /// What the switch was told, in order.
    pub(crate) told: Vec<Moment>,
    sent: Vec<(String, String)>,
}

/// A switch that knows the peers.
fn switch(between: Between) -> Switch {
    let media = if between == Between::Relayed { "Must On" } else { "Off" };
    let peers = match between {
        Between::Gateways | Between::Relayed => format!(
            "[[gateway]]\nname = \"in\"\ndirection = \"mapping\"\npeers = [\"{CALLER}\"]\nmedia_proxy = \"{media}\"\n\
             [[gateway]]\nname = \"out\"\ndirection = \"routing\"\npeers = [\"{CALLEE}\"]\nprefixes = [\"\"]\n\
             media_proxy = \"{media}\"\n"
        ),
        Between::Phones => {
            format!("[[phone]]\nusers = \"u00..u99\"\npassword = \"{PASSWORD}\"\nmedia_proxy = \"Off\"\n")
        }
    };
    let text = format!("[switch]\ndomain = \"{DOMAIN}\"\n[[listen]]\nbind = \"203.0.113.9:5060\"\n{peers}");
    let config = config::parse(&text).unwrap_or_else(|findings| panic!("{findings}")).config;
    Switch::new(Arc::new(config), Seed::from_number(1), beginning())
}

fn beginning() -> Now {
    Now { mono: Instant::from_micros(1_000_000), wall: UnixMicros(1_767_322_984_000_000) }
}

/// Tells a switch all this, and takes what it commands.
pub(crate) fn tell(switch: &mut Switch, told: &[Moment], mut take: impl FnMut(Command)) {
    for moment in told {
        let input = match &moment.datagram {
            Some((flow, text)) => Input::Datagram { flow: *flow, bytes: text.as_bytes() },
            None => Input::Tick,
        };
        assert_eq!(switch.handle(moment.now, input), Verdict::Accepted);
        let mut opened = VecDeque::new();
        while let Some(command) = switch.poll_command() {
            match command {
                Command::Ports(PortCommand::Open { request, .. }) => opened.push_back(PortReply::Opened { request }),
                other => take(other),
            }
        }
        // a driver that opens every port at once
        while let Some(reply) = opened.pop_front() {
            switch.handle(moment.now, Input::Ports(reply));
            while let Some(command) = switch.poll_command() {
                match command {
                    Command::Ports(PortCommand::Open { request, .. }) => {
                        opened.push_back(PortReply::Opened { request });
                    }
                    other => take(other),
                }
            }
        }
    }
}

impl Conversation {
    /// The peers, registered where they are phones.
    pub(crate) fn new(between: Between) -> Conversation {
        let (switch, now) = (switch(between), beginning());
        let mut new = Conversation { between, switch, now, told: Vec::new(), sent: Vec::new() };
        if between == Between::Phones {
            (0..PHONES).for_each(|phone| new.register(phone));
        }
        new
    }

    /// A switch that nothing has been told yet.
    pub(crate) fn fresh(&self) -> Switch {
        switch(self.between)
    }

    /// One whole call.
    pub(crate) fn call(&mut self, number: usize) {
        let talk = self.answered(number);
        self.hang_up(talk);
    }

    /// A call up to its ACK.
    pub(crate) fn answered(&mut self, number: usize) -> Talk {
        let cseq = match self.between {
            Between::Gateways | Between::Relayed => 1,
            Between::Phones => 2,
        };
        let mut credentials = String::new();
        if self.between == Between::Phones {
            self.hear(CALLER, invite(number, 1, ""));
            let refusal = self.take(CALLER, "SIP/2.0 4");
            self.hear(CALLER, inside(number, &format!("sip:{}@{DOMAIN}", callee(number)), &refusal, "ACK", 1, "I1"));
            credentials = answered(&refusal, &caller(number), "INVITE", &format!("sip:{}@{DOMAIN}", callee(number)));
        }
        self.hear(CALLER, invite(number, cseq, &credentials));
        self.take(CALLER, "SIP/2.0 100 ");
        let invite = self.take(CALLEE, "INVITE ");
        self.hear(CALLEE, reply(&invite, "100 Trying", "", ""));
        self.hear(CALLEE, reply(&invite, "180 Ringing", CONTACT, ""));
        self.take(CALLER, "SIP/2.0 180 ");
        self.hear(CALLEE, reply(&invite, "200 OK", CONTACT, ANSWER));
        let answer = self.take(CALLER, "SIP/2.0 200 ");
        self.hear(CALLER, inside(number, "sip:203.0.113.9:5060", &answer, "ACK", cseq, "A"));
        self.take(CALLEE, "ACK ");
        Talk { number, answer, cseq }
    }

    /// Ends a call by the caller's BYE.
    pub(crate) fn hang_up(&mut self, talk: Talk) {
        self.hear(CALLER, inside(talk.number, "sip:203.0.113.9:5060", &talk.answer, "BYE", talk.cseq + 1, "B"));
        let bye = self.take(CALLEE, "BYE ");
        self.hear(CALLEE, reply(&bye, "200 OK", "", ""));
        self.take(CALLER, "SIP/2.0 200 ");
    }

    /// Lets time pass, with a tick at every deadline.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some(deadline) = self.switch.poll_timeout().filter(|deadline| deadline.at <= end) {
            self.forward_to(deadline.at.max(self.now.mono));
            self.say(None);
        }
        self.forward_to(end);
    }

    fn forward_to(&mut self, at: Instant) {
        self.now = Now { mono: at, wall: self.now.wall.plus(at.since(self.now.mono)) };
    }

    fn register(&mut self, phone: usize) {
        let request = |cseq: u32, credentials: &str| {
            format!(
                "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLEE};branch=z9hG4bKr{phone}-{cseq}\r\n\
                 From: <sip:u{phone:02}@{DOMAIN}>;tag=r{phone}\r\nTo: <sip:u{phone:02}@{DOMAIN}>\r\n\
                 Call-ID: r{phone}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n{credentials}\
                 Contact: <sip:u{phone:02}@{CALLEE}>;expires=3600\r\nContent-Length: 0\r\n\r\n"
            )
        };
        self.hear(CALLEE, request(1, ""));
        let challenge = self.take(CALLEE, "SIP/2.0 401 ");
        let credentials = answered(&challenge, &format!("u{phone:02}"), "REGISTER", &format!("sip:{DOMAIN}"));
        self.hear(CALLEE, request(2, &credentials));
        self.take(CALLEE, "SIP/2.0 200 ");
    }

    /// A datagram from there, a millisecond after what came before.
    fn hear(&mut self, from: &str, text: String) {
        self.pass(Duration::from_millis(1));
        let remote = from.parse().expect("an address");
        self.say(Some((Flow { socket: SocketId(0), transport: Transport::Udp, remote }, text)));
    }

    fn say(&mut self, datagram: Option<(Flow, String)>) {
        let moment = Moment { now: self.now, datagram };
        let sent = &mut self.sent;
        tell(&mut self.switch, std::slice::from_ref(&moment), |command| {
            if let Command::Send { flow, bytes } = command {
                let text = String::from_utf8(bytes.to_vec()).expect("everything here is text");
                sent.push((flow.remote.to_string(), text));
            }
        });
        self.told.push(moment);
    }

    /// The first message to there that begins so.
    fn take(&mut self, to: &str, start: &str) -> String {
        let found = self.sent.iter().position(|(remote, text)| remote == to && text.starts_with(start));
        let at = found.unwrap_or_else(|| panic!("no {start} to {to} among {:#?}", self.sent));
        self.sent.remove(at).1
    }
}

fn caller(number: usize) -> String {
    format!("u{:02}", number % PHONES)
}

fn callee(number: usize) -> String {
    format!("u{:02}", (number * 79 + 13) % PHONES)
}

/// The caller's INVITE.
fn invite(number: usize, cseq: u32, credentials: &str) -> String {
    let (from, to) = (caller(number), callee(number));
    format!(
        "INVITE sip:{to}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK{number}-I{cseq}\r\n\
         Max-Forwards: 70\r\nFrom: \"a\" <sip:{from}@{DOMAIN}>;tag=a{number}\r\nTo: <sip:{to}@{DOMAIN}>\r\n\
         Call-ID: {number}-8141@192.0.2.1\r\nCSeq: {cseq} INVITE\r\nContact: <sip:caller@{CALLER}>\r\n{credentials}\
         User-Agent: bench\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{OFFER}",
        OFFER.len()
    )
}

/// The caller's request inside the dialog that this answer of the switch is of.
fn inside(number: usize, uri: &str, answer: &str, method: &str, cseq: u32, branch: &str) -> String {
    let from = caller(number);
    let to = field(answer, "To");
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK{number}-{branch}\r\nMax-Forwards: 70\r\n\
         From: \"a\" <sip:{from}@{DOMAIN}>;tag=a{number}\r\nTo: {to}\r\nCall-ID: {number}-8141@192.0.2.1\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:caller@{CALLER}>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The callee's answer to a request of the switch.
fn reply(request: &str, status: &str, lines: &str, body: &str) -> String {
    let of = |name| field(request, name);
    let tag = if of("To").contains(";tag=") || status.starts_with("100") { "" } else { ";tag=callee" };
    format!(
        "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n{lines}{}\
         Content-Length: {}\r\n\r\n{body}",
        of("Via"),
        of("From"),
        of("To"),
        of("Call-ID"),
        of("CSeq"),
        if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" },
        body.len()
    )
}

/// The Authorization line, or its proxy's, that answers this challenge.
fn answered(challenge: &str, user: &str, method: &str, uri: &str) -> String {
    let (name, value) = match field(challenge, "WWW-Authenticate") {
        "" => ("Proxy-Authorization", field(challenge, "Proxy-Authenticate")),
        value => ("Authorization", value),
    };
    let of = |name: &str| {
        let from = value.find(&format!("{name}=\"")).expect("the switch's own challenge") + name.len() + 2;
        value[from..].split('"').next().expect("quoted")
    };
    let (realm, nonce) = (of("realm"), of("nonce"));
    let hash = |text: String| {
        let digits = Algorithm::Md5.hash(&[text.as_bytes()]).hex();
        String::from_utf8(digits.as_ref().to_vec()).expect("digits")
    };
    let secret = hash(format!("{user}:{realm}:{PASSWORD}"));
    let what = hash(format!("{method}:{uri}"));
    let response = hash(format!("{secret}:{nonce}:00000001:6b8b4567:auth:{what}"));
    format!(
        "{name}: Digest username=\"{user}\",realm=\"{realm}\",cnonce=\"6b8b4567\",nc=00000001,qop=auth,uri=\"{uri}\",\
         nonce=\"{nonce}\",response=\"{response}\",algorithm=MD5\r\n"
    )
}

/// The value of a header that a message has once; nothing where it has none.
fn field<'t>(message: &'t str, name: &str) -> &'t str {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

const CONTACT: &str = "Contact: <sip:callee@192.0.2.2:5080>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n";

const OFFER: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n";

const ANSWER: &str = "v=0\r\no=b 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n\
    m=audio 24000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-15\r\na=ptime:20\r\n";
