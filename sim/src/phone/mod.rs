//! A phone: a small, strict SIP user agent that shares no SIP code with the core, so that a bug of one cannot hide in
//! the other.
//!
//! It knows no socket and no clock: datagrams and the time go in, datagrams and [`Notice`]s come out. A simulated world
//! or a pair of real sockets carries them. What it receives it checks as a strict user agent would; what is wrong stands
//! in [`Phone::violations`].
//!
//! ```
//! use crosspoint_core::rng::{Seed, Stream};
//! use crosspoint_core::time::Instant;
//! use crosspoint_sim::phone::{Phone, Settings};
//!
//! let here = "192.0.2.1:5060".parse().unwrap();
//! let settings = Settings::new("1001", "secret", "example.net", here, "192.0.2.10:5060".parse().unwrap());
//! let mut phone = Phone::new(settings, Stream::new(Seed::from_number(7), 1));
//! phone.register(Instant::EPOCH);
//! let (to, datagram) = phone.poll_send().expect("a REGISTER is to go out");
//! assert_eq!(to.port(), 5060);
//! assert!(datagram.starts_with(b"REGISTER sip:example.net SIP/2.0\r\n"));
//! assert!(phone.poll_timeout().is_some(), "it is sent again where no answer comes");
//! ```

mod call;
mod callee;
mod caller;
pub mod digest;
mod exchange;
pub mod message;
mod register;
mod rtp;
pub mod sdp;
mod settings;
mod strict;

pub use call::{Call, State};
pub use rtp::Audio;
pub use settings::{Answering, End, Notice, Settings};

use crosspoint_core::rng::Stream;
use crosspoint_core::time::Instant;
use digest::{Account, Challenge};
use exchange::{Client, Due, GIVE_UP, Purpose, Server};
use message::{Message, Start, user_of};
use register::Registration;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

/// Violations kept; a phone that is sent nothing but rubbish stops writing it down.
const VIOLATIONS_KEPT: usize = 100;
/// Challenges one request answers before the phone gives up: a fresh nonce, one stale one, and one to spare.
const CHALLENGE_ROUNDS: u8 = 3;

/// Something the phone will do later of its own accord.
#[derive(Clone, Copy, Debug)]
enum Todo {
    Ring(u32),
    Answer(u32),
    Reject(u32, u16),
    HangUp(u32),
}

/// The phone. Every method takes the time; every one may make [`Phone::poll_send`], [`Phone::poll_notice`] and
/// [`Phone::poll_timeout`] give something new.
#[derive(Debug)]
pub struct Phone {
    settings: Settings,
    stream: Stream,
    now: Instant,
    out: VecDeque<(SocketAddr, Vec<u8>)>,
    notices: VecDeque<Notice>,
    violations: Vec<String>,
    clients: Vec<Client>,
    servers: Vec<Server>,
    calls: Vec<Call>,
    todo: BTreeMap<(Instant, u64), Todo>,
    todo_sequence: u64,
    registration: Registration,
    challenge: Option<Challenge>,
    audio: Audio,
}

impl Phone {
    /// A phone; its tags, branches and Call-IDs come from `stream`.
    pub fn new(settings: Settings, mut stream: Stream) -> Phone {
        let registration = Registration::new(token(&mut stream));
        Phone {
            settings,
            stream,
            now: Instant::EPOCH,
            out: VecDeque::new(),
            notices: VecDeque::new(),
            violations: Vec::new(),
            clients: Vec::new(),
            servers: Vec::new(),
            calls: Vec::new(),
            todo: BTreeMap::new(),
            todo_sequence: 0,
            registration,
            challenge: None,
            audio: Audio::default(),
        }
    }

    /// Who it is and how it behaves.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// To change its behaviour; what has begun goes on as it was.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Takes a datagram from the network. A `Silent` phone does not look at it.
    pub fn handle(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.tick(now);
        // keep-alives: CRLF of RFC 5626, and whatever word the switch is set to send
        let is_sip = datagram.windows(7).any(|bytes| bytes == b"SIP/2.0");
        if !is_sip || self.settings.answering == Answering::Silent {
            return;
        }
        match Message::parse(datagram) {
            Err(wrong) => self.violation(format!("unreadable: {wrong}")),
            Ok(message) => match &message.start {
                Start::Request { .. } => self.on_request(from, message),
                Start::Response { status, .. } => self.on_response(from, *status, &message),
            },
        }
    }

    /// Does what is due. A tick too many changes nothing.
    pub fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while let Some(entry) = self.todo.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Todo::Ring(call) => self.ring_call(call),
                Todo::Answer(call) => self.answer_call(call),
                Todo::Reject(call, status) => self.reject_call(call, status),
                Todo::HangUp(call) => self.end_call(call),
            }
        }
        for index in 0..self.clients.len() {
            match self.clients[index].look(self.now) {
                Due::Nothing => {}
                Due::Resend(to, bytes) => self.out.push_back((to, bytes)),
                Due::GiveUp => self.on_failure(self.clients[index].purpose.clone(), index, None),
            }
        }
        for index in 0..self.servers.len() {
            match self.servers[index].look(self.now) {
                Due::Nothing => {}
                Due::Resend(to, bytes) => self.out.push_back((to, bytes)),
                Due::GiveUp => self.on_no_ack(index),
            }
        }
        let now = self.now;
        let is_fresh = |since: Instant| now.since(since) <= 2 * GIVE_UP;
        self.clients.retain(|client| client.finished.is_none_or(is_fresh));
        // an INVITE is remembered until its call is over: its ACK, its CANCEL and its resends may still come
        let live: Vec<u32> = self.calls.iter().filter(|call| !call.is_over()).map(|call| call.number).collect();
        self.servers.retain(|s| is_fresh(s.touched) || s.awaits_ack() || s.call.is_some_and(|n| live.contains(&n)));
    }

    /// The next datagram to send, and where to.
    pub fn poll_send(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.out.pop_front()
    }

    /// The next thing it has to tell.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// When it wants the next [`Phone::tick`]; audio has a clock of its own, [`Phone::poll_audio_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let clients = self.clients.iter().filter_map(Client::next_at);
        let servers = self.servers.iter().filter_map(Server::next_at);
        clients.chain(servers).chain(self.todo.keys().next().map(|(at, _)| *at)).min()
    }

    /// What the switch did that it must not do.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Every call since the phone began, in order.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The latest call that is not over.
    pub fn current_call(&self) -> Option<&Call> {
        self.calls.iter().rev().find(|call| !call.is_over())
    }

    /// Whether nothing is under way: no live call, no request without its answer, nothing planned.
    pub fn is_quiet(&self) -> bool {
        self.current_call().is_none() && self.poll_timeout().is_none()
    }

    /// The next audio packet that is due, and where to.
    pub fn poll_audio(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        if !self.settings.talks {
            return None;
        }
        let packet = self.calls.iter_mut().filter_map(|call| call.media.as_mut()).find_map(|media| media.poll(now))?;
        self.audio.sent += 1;
        Some(packet)
    }

    /// When the next audio packet is due.
    pub fn poll_audio_timeout(&self) -> Option<Instant> {
        if !self.settings.talks {
            return None;
        }
        self.calls.iter().filter_map(|call| call.media.as_ref()?.next_at()).min()
    }

    /// Takes an audio packet from the network.
    pub fn handle_audio(&mut self, packet: &[u8]) {
        match rtp::is_audio(packet) {
            true => self.audio.received += 1,
            false => self.audio.odd += 1,
        }
    }

    /// What was sent and heard so far.
    pub fn audio(&self) -> Audio {
        self.audio
    }

    /// Sends OPTIONS to a user of the switch, outside any dialog.
    pub fn options(&mut self, now: Instant, target: &str) {
        self.tick(now);
        let request = self.outside("OPTIONS", target).with("Accept", "application/sdp");
        self.send_request(request, self.settings.server, Purpose::Outside, 0);
    }

    /// Sends a text message to a user of the switch, outside any dialog (RFC 3428).
    pub fn message(&mut self, now: Instant, target: &str, text: &str) {
        self.tick(now);
        let mut request = self.outside("MESSAGE", target).with("Content-Type", "text/plain");
        text.clone_into(&mut request.body);
        self.send_request(request, self.settings.server, Purpose::Outside, 0);
    }

    fn outside(&mut self, method: &str, target: &str) -> Message {
        let (from, to) = (self.own_uri(), format!("sip:{target}@{}", self.settings.domain));
        let (tag, call_id) = (self.token(), self.token());
        Message::request(method, &to)
            .with("Max-Forwards", "70")
            .with("From", format!("<{from}>;tag={tag}"))
            .with("To", format!("<{to}>"))
            .with("Call-ID", call_id)
            .with("CSeq", format!("1 {method}"))
    }

    fn own_uri(&self) -> String {
        format!("sip:{}@{}", self.settings.user, self.settings.domain)
    }

    fn contact(&self) -> String {
        format!("<sip:{}@{}>", self.settings.user, self.settings.local)
    }

    fn token(&mut self) -> String {
        token(&mut self.stream)
    }

    fn later(&mut self, after: Duration, todo: Todo) {
        self.todo_sequence += 1;
        self.todo.insert((self.now + after, self.todo_sequence), todo);
    }

    fn tell(&mut self, notice: Notice) {
        self.notices.push_back(notice);
    }

    fn violation(&mut self, what: String) {
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(format!("{}: {what}", self.settings.user));
        }
    }

    fn find_call(&mut self, number: u32) -> &mut Call {
        self.calls.iter_mut().find(|call| call.number == number).expect("calls are never forgotten")
    }

    /// Begins a request: gives it a branch of its own and sends it until it is answered.
    fn send_request(&mut self, mut request: Message, to: SocketAddr, purpose: Purpose, rounds: u8) {
        let branch = format!("z9hG4bK{}", self.token());
        request.headers.insert(0, ("Via".to_owned(), exchange::via(self.settings.local, &branch)));
        if let Some((name, value)) = self.credentials_again(&request) {
            request.set(name, value);
        }
        let client = Client::new(self.now, request, to, purpose, rounds);
        self.out.push_back((to, client.bytes()));
        self.clients.push(client);
    }

    /// Credentials on the nonce of an earlier challenge, where the phone does so and a challenge is to be expected.
    fn credentials_again(&mut self, request: &Message) -> Option<(&'static str, String)> {
        let is_inside = request.to_tag().is_some();
        let has_them = request.get("Authorization").or(request.get("Proxy-Authorization")).is_some();
        (self.settings.reuse_nonce && !is_inside && !has_them && request.method() != Some("CANCEL")).then_some(())?;
        self.credentials(request)
    }

    fn credentials(&mut self, request: &Message) -> Option<(&'static str, String)> {
        let cnonce = self.token();
        let account = Account { user: &self.settings.user, password: &self.settings.password };
        let (method, uri) = (request.method()?, request.uri()?);
        Some(self.challenge.as_mut()?.answer(account, method, uri, &cnonce))
    }

    fn on_response(&mut self, from: SocketAddr, status: u16, response: &Message) {
        let Some(index) = self.clients.iter().position(|client| client.is_answered_by(response)) else {
            return self.violation(format!("{status} to a request that was never sent: {:?}", response.get("CSeq")));
        };
        for wrong in strict::response(&self.clients[index].request, response, from) {
            self.violation(wrong);
        }
        let client = &mut self.clients[index];
        if client.finished.is_some() {
            return self.on_late_response(index, status, response);
        }
        if status < 200 {
            client.proceed();
            if let Purpose::Invite(call) = client.purpose {
                self.on_provisional(call, status, response);
            }
            return;
        }
        client.finish(self.now);
        let is_invite = client.is_invite();
        let purpose = client.purpose.clone();
        if is_invite && status >= 300 {
            self.acknowledge_refusal(index, response);
        }
        if matches!(status, 401 | 407) && self.answer_challenge(index, status, response) {
            return;
        }
        if status >= 300 {
            return self.on_failure(purpose, index, Some(status));
        }
        match purpose {
            Purpose::Register => self.on_registered(response),
            Purpose::Invite(call) => self.on_answer(call, index, response),
            Purpose::Reinvite(call) => self.on_reinvite_answer(call, index, response),
            Purpose::Bye(call) => self.over(call, End::HungUp),
            Purpose::Cancel => {}
            Purpose::Within(_) | Purpose::Outside => {
                let method = self.clients[index].request.method().unwrap_or_default().to_owned();
                self.tell(Notice::Replied { method, status: Some(status) });
            }
        }
    }

    /// The request failed with this status, or was never answered.
    fn on_failure(&mut self, purpose: Purpose, index: usize, status: Option<u16>) {
        match purpose {
            Purpose::Register => self.tell(Notice::RegisterFailed { status }),
            Purpose::Invite(call) => {
                let was_cancelled = self.find_call(call).wants_end && status == Some(487);
                self.find_call(call).final_status = status;
                let how = match status {
                    Some(_) if was_cancelled => End::Cancelled,
                    Some(status) => End::Refused(status),
                    None => End::TimedOut,
                };
                self.over(call, how);
            }
            Purpose::Bye(call) => self.over(call, End::HungUp),
            Purpose::Reinvite(call) | Purpose::Within(call) => {
                let method = self.clients[index].request.method().unwrap_or_default().to_owned();
                self.tell(Notice::Replied { method, status });
                // RFC 3261 §12.2.1.2: these two, and no answer at all, end the dialog
                if matches!(status, None | Some(408 | 481)) {
                    self.end_call(call);
                }
            }
            Purpose::Cancel => {}
            Purpose::Outside => {
                let method = self.clients[index].request.method().unwrap_or_default().to_owned();
                self.tell(Notice::Replied { method, status });
            }
        }
    }

    /// Sends the request again with credentials (RFC 3261 §22.2); false where that would be no use.
    fn answer_challenge(&mut self, index: usize, status: u16, response: &Message) -> bool {
        let header = if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        let values: Vec<&str> = response.all(header).collect();
        let client = &self.clients[index];
        let (rounds, to, purpose) = (client.rounds + 1, client.to, client.purpose.clone());
        let mut request = client.request.clone();
        let was_answered = request.get("Authorization").or(request.get("Proxy-Authorization")).is_some();
        let is_stale = values.iter().any(|value| value.to_ascii_lowercase().contains("stale=true"));
        // a wrong password does not become right by saying it again
        if rounds > CHALLENGE_ROUNDS || (was_answered && !is_stale && !self.settings.reuse_nonce) {
            return false;
        }
        let Some(challenge) = Challenge::choose(status, &values, self.settings.algorithm) else { return false };
        if was_answered && rounds > 1 && !is_stale {
            return false;
        }
        self.challenge = Some(challenge);
        let Some((number, method)) = request.cseq().map(|(number, method)| (number + 1, method.to_owned())) else {
            return false;
        };
        for header in ["Via", "Authorization", "Proxy-Authorization"] {
            request.remove(header);
        }
        request.set("CSeq", format!("{number} {method}"));
        match purpose {
            Purpose::Register => self.registration.cseq = number,
            Purpose::Invite(call) | Purpose::Reinvite(call) | Purpose::Bye(call) | Purpose::Within(call) => {
                self.find_call(call).local_cseq = number;
            }
            Purpose::Cancel | Purpose::Outside => {}
        }
        if let Some((name, value)) = self.credentials(&request) {
            request.set(name, value);
        }
        self.send_request(request, to, purpose, rounds);
        true
    }

    fn on_request(&mut self, from: SocketAddr, request: Message) {
        for wrong in strict::request(&request, from, &self.settings) {
            self.violation(wrong);
        }
        let method = request.method().unwrap_or_default().to_owned();
        if method == "ACK" {
            return self.on_ack(&request);
        }
        if let Some(server) = self.servers.iter().find(|server| server.has_key_of(&request, &method)) {
            self.out.extend(server.repeat());
            return;
        }
        self.servers.push(Server::new(self.now, request.clone(), from));
        let index = self.servers.len() - 1;
        match method.as_str() {
            "INVITE" => self.on_invite(index, &request),
            "CANCEL" => self.on_cancel(index, &request),
            "BYE" => self.on_bye(index, &request),
            "OPTIONS" | "MESSAGE" | "INFO" => {
                let is_known = request.to_tag().is_none() || self.calls.iter().any(|call| call.owns(&request));
                self.respond(index, if is_known { 200 } else { 481 }, "");
                self.tell(Notice::Received { method, body: request.body });
            }
            _ => self.respond(index, 405, ""),
        }
    }

    /// Answers a request. `tag` goes into To where it has none; empty: a fresh one.
    fn respond(&mut self, index: usize, status: u16, tag: &str) {
        let response = self.response(index, status, tag);
        self.send_response(index, status, &response);
    }

    fn response(&mut self, index: usize, status: u16, tag: &str) -> Message {
        let fresh = if tag.is_empty() { self.token() } else { tag.to_owned() };
        let request = &self.servers[index].request;
        let mut response = Message::response(request, status);
        if status > 100 && request.to_tag().is_none() {
            let to = request.get("To").unwrap_or_default();
            response.set("To", format!("{to};tag={fresh}"));
        }
        response
    }

    fn send_response(&mut self, index: usize, status: u16, response: &Message) {
        let out = self.servers[index].answer(self.now, response, status);
        self.out.push_back(out);
    }

    /// Whose call this is, in a notice.
    fn caller_of(request: &Message) -> String {
        user_of(message::uri_of(request.get("From").unwrap_or_default())).to_owned()
    }
}

fn token(stream: &mut Stream) -> String {
    stream.token::<12>().iter().map(|byte| char::from(*byte)).collect()
}
