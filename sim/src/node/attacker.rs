//! The node: what it sends and when, what it hears, and what it must never get.

use super::flood::Flood;
use super::forge::{self, Ask, Spy};
use super::{Attack, Campaign, Forgery, Knowledge, Method, Parcel, garbage, spray};
use crate::phone::digest::{Account, Algorithm, Challenge};
use crate::phone::message::{Message, user_of};
use crate::phone::rtp::{self, Heard};
use bytes::Bytes;
use crosspoint_core::rng::Stream;
use crosspoint_core::time::Instant;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

/// What all answers to an attacker may have together, in hundredths of what it sent.
///
/// A switch answers an unauthenticated request once and with what the RFCs make it repeat: Via with `received` and
/// `rport`, From, To with a tag, Call-ID, CSeq. What it adds is bounded: two challenges, or the lists of an OPTIONS. The
/// shortest requests that are answered at all were measured to bring 214 % (OPTIONS) to 256 % (INVITE).
pub const AMPLIFICATION_PERCENT: u64 = 300;
/// What is wrong where an attacker gets media.
pub const MEDIA_STOLEN: &str = "media is sent to an attacker";
/// Messages kept of those that were heard.
const HEARD: usize = 64;
/// Violations kept.
const VIOLATIONS_KEPT: usize = 100;

/// Where an attacker sits, and what it aims at.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its address.
    pub local: SocketAddr,
    /// The switch.
    pub server: SocketAddr,
    /// The domain of the switch.
    pub domain: String,
}

impl Place {
    /// An attacker there, on this switch of this domain.
    pub fn new(local: SocketAddr, server: SocketAddr, domain: &str) -> Place {
        Place { local, server, domain: domain.to_owned() }
    }
}

/// What it is after.
#[derive(Debug)]
enum Aim {
    Campaign(Campaign),
    Flood { flood: Flood, addresses: Vec<SocketAddr> },
}

/// Somebody without any right. Driven as a phone is; the world lets it hear what goes to the switch and comes from it.
#[derive(Debug)]
pub struct Attacker {
    place: Place,
    aim: Aim,
    stream: Stream,
    now: Instant,
    /// When it came into the world.
    begun: Option<Instant>,
    fired: u64,
    out: VecDeque<Parcel>,
    to_switch: VecDeque<Bytes>,
    from_switch: VecDeque<Bytes>,
    sent_bytes: u64,
    got_bytes: u64,
    answers: u64,
    violations: Vec<String>,
}

impl Attacker {
    /// One with a campaign.
    pub fn new(place: Place, campaign: Campaign, stream: Stream) -> Attacker {
        Attacker::with_aim(place, Aim::Campaign(campaign), stream)
    }

    /// One that floods.
    pub fn flood(place: Place, flood: Flood, stream: Stream) -> Attacker {
        let addresses = flood.addresses(place.local);
        Attacker::with_aim(place, Aim::Flood { flood, addresses }, stream)
    }

    fn with_aim(place: Place, aim: Aim, stream: Stream) -> Attacker {
        Attacker {
            place,
            aim,
            stream,
            now: Instant::EPOCH,
            begun: None,
            fired: 0,
            out: VecDeque::new(),
            to_switch: VecDeque::new(),
            from_switch: VecDeque::new(),
            sent_bytes: 0,
            got_bytes: 0,
            answers: 0,
            violations: Vec::new(),
        }
    }

    /// Every address that it sends from.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        match &self.aim {
            Aim::Campaign(_) => vec![self.place.local],
            Aim::Flood { addresses, .. } => addresses.clone(),
        }
    }

    /// Whether all it sends is media.
    pub fn is_for_media(&self) -> bool {
        matches!(self.aim, Aim::Campaign(Campaign { attack: Attack::Spray { .. }, .. }))
    }

    /// Hears a datagram that goes to the switch or comes from it.
    pub fn overhear(&mut self, is_to_switch: bool, datagram: &Bytes) {
        let list = if is_to_switch { &mut self.to_switch } else { &mut self.from_switch };
        if list.len() == HEARD {
            list.pop_front();
        }
        list.push_back(datagram.clone());
    }

    /// Whether it wants to hear.
    pub fn overhears(&self) -> bool {
        let Aim::Campaign(campaign) = &self.aim else { return false };
        let sniffs = |knows: Knowledge| knows == Knowledge::Sniffed;
        match campaign.attack {
            Attack::Replay => true,
            Attack::Forge { knows, .. } => sniffs(knows),
            _ => false,
        }
    }

    /// Takes a datagram from the network.
    pub fn handle(&mut self, now: Instant, _from: SocketAddr, datagram: &[u8]) {
        self.tick(now);
        self.got_bytes += datagram.len() as u64;
        let limit = self.sent_bytes * AMPLIFICATION_PERCENT / 100;
        if self.got_bytes > limit {
            self.violation(format!("{} octets for {} of an attacker", self.got_bytes, self.sent_bytes));
        }
        if rtp::heard(datagram) != Heard::Odd {
            return self.violation(MEDIA_STOLEN.to_owned());
        }
        let Ok(message) = Message::parse_leniently(datagram) else { return };
        self.answers += 1;
        if let Some(method) = message.method() {
            return self.violation(format!("{method} is sent to an attacker"));
        }
        let (status, method) = (message.status().unwrap_or_default(), message.cseq().map_or("", |(_, method)| method));
        match (status, method) {
            // RFC 3261 §11: anybody may ask what a server can
            (200..300, "OPTIONS") => {}
            (200..300, _) => self.violation(format!("an attacker's {method} was answered {status}")),
            (101..200, "INVITE") => self.violation(format!("an attacker's INVITE got as far as {status}")),
            (401 | 407, _) => self.answer_challenge(status, &message),
            _ => {}
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.begun.get_or_insert(self.now);
        while self.poll_timeout().is_some_and(|at| at <= self.now) {
            self.fire();
            self.fired += 1;
        }
    }

    /// The next datagram to send.
    pub fn poll_send(&mut self) -> Option<Parcel> {
        let parcel = self.out.pop_front()?;
        self.sent_bytes += parcel.datagram.len() as u64;
        Some(parcel)
    }

    /// When it wants the next [`Attacker::tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let begun = self.begun?;
        match &self.aim {
            Aim::Campaign(campaign) => {
                let gap = Duration::from_micros(campaign.gap_us.max(1) * self.fired);
                (self.fired < campaign.count).then(|| begun + Duration::from_millis(campaign.after_ms) + gap)
            }
            Aim::Flood { flood, .. } => (self.fired < flood.count()).then(|| flood.at(begun, self.fired)),
        }
    }

    /// What the switch gave that it must not give.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Whether it has nothing more to do.
    pub fn is_quiet(&self) -> bool {
        self.begun.is_some() && self.poll_timeout().is_none()
    }

    /// Octets sent and got.
    pub fn octets(&self) -> (u64, u64) {
        (self.sent_bytes, self.got_bytes)
    }

    /// How many messages came back.
    pub fn answers(&self) -> u64 {
        self.answers
    }

    fn violation(&mut self, what: String) {
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(what);
        }
    }

    fn send(&mut self, datagram: impl Into<Bytes>) {
        let (source, to) = (self.place.local, self.place.server);
        self.out.push_back(Parcel { source, to, datagram: datagram.into() });
    }

    fn fire(&mut self) {
        let (turn, source) = (self.fired, self.place.local);
        let campaign = match &self.aim {
            Aim::Campaign(campaign) => campaign.attack.clone(),
            Aim::Flood { flood, addresses } => {
                let source = addresses[(turn % addresses.len() as u64) as usize];
                let parcel = flood.next(&self.place, source, turn, &mut self.stream);
                return self.out.push_back(parcel);
            }
        };
        match campaign {
            Attack::GuessPasswords { method, users } if !users.is_empty() => {
                let user = &users[(turn % users.len() as u64) as usize];
                self.ask(method.name(), user, "alice", "");
            }
            Attack::Scan { method } => self.ask(method.name(), "scanner", &format!("{}", 1000 + turn), ""),
            Attack::Replay => {
                if let Some(heard) = self.pick(true) {
                    self.send(heard);
                }
            }
            Attack::Forge { what, knows } => self.forge(what, knows, source),
            Attack::Shortest { method } => {
                let text = forge::shortest(method.name(), source, &self.place.domain, &mut self.stream);
                self.send(text);
            }
            Attack::Garbage => {
                let method = [Method::Register, Method::Invite, Method::Options][self.stream.below(3) as usize];
                let call_id = forge::token(&mut self.stream);
                let domain = &self.place.domain;
                let (user, target, cseq, headers) = ("alice", "bob", 1, "");
                let ask = Ask { method: method.name(), source, domain, user, target, call_id: &call_id, cseq, headers };
                let own = forge::write(&ask, &mut self.stream);
                let piece = garbage::next(own.as_bytes(), &mut self.stream);
                self.send(piece);
            }
            Attack::Oversized { bytes } => {
                let header = format!("X-Long: {}\r\n", "x".repeat(bytes.min(60_000) as usize));
                self.ask("INVITE", "alice", "bob", &header);
            }
            Attack::ManyHeaders { name, count } => {
                let line = format!("{name}: SIP/2.0/UDP 198.18.0.9;branch=z9hG4bKmany\r\n");
                let line = if name == "Via" { line } else { format!("{name}: <sip:198.18.0.9;lr>\r\n") };
                let headers = line.repeat(count as usize);
                self.ask("INVITE", "alice", "bob", &headers[..headers.len().min(60_000)]);
            }
            Attack::Spray { first, last } => {
                let port = first + self.stream.below(u64::from(last.saturating_sub(first)) + 1) as u16;
                let to = SocketAddr::new(self.place.server.ip(), port);
                let datagram = spray::next(turn, &mut self.stream).into();
                self.out.push_back(Parcel { source, to, datagram });
            }
            Attack::FuzzCredentials => {
                let header = forge::credentials(turn, &mut self.stream);
                let method = [Method::Register, Method::Invite][(turn % 2) as usize];
                self.ask(method.name(), "alice", "bob", &header);
            }
            Attack::GuessPasswords { .. } => {}
        }
    }

    fn ask(&mut self, method: &str, user: &str, target: &str, headers: &str) {
        let call_id = forge::token(&mut self.stream);
        self.ask_in(method, user, target, headers, &call_id, 1);
    }

    fn ask_in(&mut self, method: &str, user: &str, target: &str, headers: &str, call_id: &str, cseq: u32) {
        let Place { local, domain, .. } = &self.place;
        let ask = Ask { method, source: *local, domain, user, target, call_id, cseq, headers };
        let text = forge::write(&ask, &mut self.stream);
        self.send(text);
    }

    /// A challenge is answered once with a guess, where guessing is the attack.
    fn answer_challenge(&mut self, status: u16, response: &Message) {
        let Aim::Campaign(Campaign { attack: Attack::GuessPasswords { method, .. }, .. }) = self.aim else { return };
        if response.cseq().is_none_or(|(number, _)| number > 1) {
            return;
        }
        let header = if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        let values: Vec<&str> = response.all(header).collect();
        let Some(mut challenge) = Challenge::choose(status, &values, Algorithm::Md5) else { return };
        let user = user_of(crate::phone::message::uri_of(response.get("From").unwrap_or_default())).to_owned();
        let password = ["1234", "", "password", "alice", "admin"][self.stream.below(5) as usize];
        let target = if method == Method::Register { user.as_str() } else { "alice" };
        let domain = &self.place.domain;
        let uri = if method == Method::Register { format!("sip:{domain}") } else { format!("sip:{target}@{domain}") };
        let cnonce = forge::token(&mut self.stream);
        let account = Account { user: &user, password };
        let (name, value) = challenge.answer(account, method.name(), &uri, &cnonce);
        let header = format!("{name}: {value}\r\n");
        self.ask_in(method.name(), &user, target, &header, response.call_id(), 2);
    }

    /// A message that was heard.
    fn pick(&mut self, is_to_switch: bool) -> Option<Bytes> {
        let list = if is_to_switch { &self.to_switch } else { &self.from_switch };
        let count = list.len() as u64;
        (count > 0).then(|| list[self.stream.below(count) as usize].clone())
    }

    fn forge(&mut self, what: Forgery, knows: Knowledge, source: SocketAddr) {
        // who answers in the callee's place has heard the switch's INVITE, the others what the phones sent
        let is_to_switch = what != Forgery::Answer;
        let spy = match knows {
            Knowledge::Guessed => Some(Spy::guess(&self.place.domain, source, &mut self.stream)),
            Knowledge::Sniffed => {
                let list = if is_to_switch { &self.to_switch } else { &self.from_switch };
                let invites = list.iter().filter_map(|heard| Message::parse_leniently(heard).ok());
                // CANCEL and 200 go with the request, BYE and re-INVITE with a message that has both tags
                let is_fit = |message: &Message| match what {
                    Forgery::Cancel | Forgery::Answer => message.method() == Some("INVITE"),
                    Forgery::Bye | Forgery::Reinvite => message.to_tag().is_some(),
                };
                let mut fit: Vec<Spy> = invites.filter(is_fit).filter_map(|message| Spy::of(&message)).collect();
                let count = fit.len() as u64;
                (count > 0).then(|| fit.swap_remove(self.stream.below(count) as usize))
            }
        };
        let Some(spy) = spy else { return };
        let turn = self.fired as u32;
        let text = match what {
            Forgery::Bye => spy.inside("BYE", turn, source, &mut self.stream),
            Forgery::Reinvite => spy.inside("INVITE", turn, source, &mut self.stream),
            Forgery::Cancel => spy.cancel(),
            Forgery::Answer => spy.answer(source, &mut self.stream),
        };
        self.send(text);
    }
}
