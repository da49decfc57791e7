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
mod calls;
mod change;
mod dialog;
pub mod digest;
mod exchange;
mod fork;
mod media;
pub mod message;
mod misbehave;
mod offer;
mod outside;
mod refer;
mod register;
mod reliable;
mod replaces;
mod requests;
mod response;
pub(crate) mod rtp;
mod script;
pub mod sdp;
mod settings;
mod speech;
mod strict;
mod trunk;
mod upkeep;
mod voices;
mod within;

pub use call::{Call, State};
pub use change::{Change, Hold};
pub use fork::{Branch, Reply, Step};
pub use misbehave::Misbehaviour;
pub use offer::Agreed;
pub use reliable::Reliability;
pub use rtp::Packet;
pub use script::{Script, X_OP};
pub use settings::{Answering, Doubts, End, Notice, Settings};
pub use speech::{Rtcp, Speech};
pub use trunk::{Demand, Outcome, Trunk};
pub(crate) use voices::Whose;
pub use voices::{Audio, Voices};

use bytes::Bytes;
use calls::Calls;
use crosspoint_core::rng::Stream;
use crosspoint_core::time::Instant;
use dialog::{Dialog, Spot};
use digest::Challenge;
use exchange::{Client, Due, GIVE_UP, Server};
use message::{Message, Start, Text, address_of, user_of};
use register::Registration;
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

/// Violations kept; a phone that is sent nothing but rubbish stops writing it down.
const VIOLATIONS_KEPT: usize = 100;
/// Challenges one request answers before the phone gives up: a fresh nonce, one stale one, and one to spare.
const CHALLENGE_ROUNDS: u8 = 3;

/// Something the phone will do later of its own accord.
#[derive(Clone, Debug)]
enum Todo {
    Ring(u32),
    Answer(u32),
    Reject(u32, u16),
    HangUp(u32),
    Step(Spot, usize),
    Prack(Spot),
    AnswerChange(Spot),
    Misbehave(Spot, Misbehaviour),
    Send(SocketAddr, Bytes),
}

/// What the settings say of who and where the phone is, as it stands in messages.
#[derive(Debug)]
struct Names {
    own_uri: String,
    contact: Text,
    via: String,
}

/// The phone. Every method takes the time; every one may make [`Phone::poll_send`], [`Phone::poll_notice`] and
/// [`Phone::poll_timeout`] give something new.
#[derive(Debug)]
pub struct Phone {
    settings: Settings,
    names: OnceCell<Names>,
    stream: Stream,
    now: Instant,
    out: VecDeque<(SocketAddr, Bytes)>,
    notices: VecDeque<Notice>,
    violations: Vec<String>,
    blamed_calls: Vec<String>,
    /// Whose message is looked at.
    call_at_hand: String,
    clients: Vec<Client>,
    servers: Vec<Server>,
    calls: Calls,
    calls_made: u32,
    todo: BTreeMap<(Instant, u64), Todo>,
    todo_sequence: u64,
    registration: Registration,
    challenge: Option<Challenge>,
    voices: Voices,
    trails: media::Trails,
    trunk: trunk::Desk,
    glares: u64,
    upkeep: upkeep::Upkeep,
    /// Boxed: an empty tree keeps a leaf, which would be of eleven scripts.
    scripts: BTreeMap<u64, Box<Script>>,
    /// What comes in belongs to a call in which the phone misbehaves: the switch may answer as it likes.
    is_excused: bool,
    has_rogues: bool,
    /// What [`Phone::poll_timeout`] found for the calls since something happened last.
    call_timeout: Cell<Option<Option<Instant>>>,
    tidied_at: Instant,
    forgot_at: Instant,
}

impl Phone {
    /// A phone; its tags, branches and Call-IDs come from `stream`.
    pub fn new(settings: Settings, mut stream: Stream) -> Phone {
        let registration = Registration::new(token(&mut stream));
        Phone {
            settings,
            names: OnceCell::new(),
            stream,
            now: Instant::EPOCH,
            out: VecDeque::new(),
            notices: VecDeque::new(),
            violations: Vec::new(),
            blamed_calls: Vec::new(),
            call_at_hand: String::new(),
            clients: Vec::new(),
            servers: Vec::new(),
            calls: Calls::default(),
            calls_made: 0,
            todo: BTreeMap::new(),
            todo_sequence: 0,
            registration,
            challenge: None,
            voices: Voices::default(),
            trails: media::Trails::default(),
            trunk: trunk::Desk::default(),
            glares: 0,
            upkeep: upkeep::Upkeep::default(),
            scripts: BTreeMap::new(),
            is_excused: false,
            has_rogues: false,
            call_timeout: Cell::new(None),
            tidied_at: Instant::EPOCH,
            forgot_at: Instant::EPOCH,
        }
    }

    /// Who it is and how it behaves.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// To change its behaviour; what has begun goes on as it was.
    pub fn settings_mut(&mut self) -> &mut Settings {
        self.names.take();
        &mut self.settings
    }

    /// Takes a datagram from the network. A `Silent` phone does not look at it.
    pub fn handle(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.tick(now);
        if self.is_keep_alive(datagram) || self.settings.answering == Answering::Silent {
            return;
        }
        match Message::parse(datagram) {
            Err(wrong) => self.fault(format!("unreadable: {wrong}")),
            Ok(message) if self.is_for_another(&message) => {}
            Ok(message) => {
                self.is_excused = self.is_of_rogue(message.call_id());
                self.call_at_hand = message.call_id().to_owned();
                let source = media::source_in(&message);
                match &message.start {
                    Start::Request { .. } => self.on_request(from, message),
                    Start::Response { status, .. } => self.on_response(from, *status, &message),
                }
                if let Some((call_id, source)) = source {
                    self.note_source(&call_id, source);
                }
            }
        }
        self.is_excused = false;
        self.call_at_hand.clear();
        self.send_changes();
    }

    /// Whether a translator has given it what is for another phone behind it.
    fn is_for_another(&self, message: &Message) -> bool {
        let is_mine = |address: Option<SocketAddr>| address.is_none_or(|address| address == self.settings.local);
        self.settings.shares_nat
            && !match &message.start {
                Start::Request { uri, .. } => is_mine(address_of(uri)),
                Start::Response { .. } => is_mine(message.sent_by().and_then(|host| host.parse().ok())),
            }
    }

    /// Does what is due. A tick too many changes nothing.
    pub fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.tidy();
        let due = self.poll_timeout();
        // whatever follows may change it
        self.call_timeout.take();
        if due.is_none_or(|at| at > self.now) {
            return;
        }
        while let Some(entry) = self.todo.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Todo::Ring(call) => self.ring_call(call),
                Todo::Answer(call) => self.answer_call(call),
                Todo::Reject(call, status) => self.reject_call(call, status),
                Todo::HangUp(call) => self.end_call(call),
                Todo::Step(spot, step) => self.play_step(spot, step),
                Todo::Prack(spot) => self.send_prack(spot),
                Todo::AnswerChange(spot) => self.answer_change(spot),
                Todo::Misbehave(spot, fault) => self.misbehave_late(spot, fault),
                Todo::Send(to, bytes) => self.out.push_back((to, bytes)),
            }
        }
        self.keep_up();
        self.look_at_unacknowledged();
        self.look_at_suspects();
        for index in 0..self.clients.len() {
            match self.clients[index].look(self.now) {
                Due::Nothing => {}
                Due::Resend(to, bytes) => self.out.push_back((to, bytes)),
                Due::GiveUp => self.on_failure(self.clients[index].purpose.clone(), index, None),
            }
        }
        for index in 0..self.servers.len() {
            let (again, given_up) = self.servers[index].look(self.now);
            self.out.extend(again);
            if let Some(tag) = given_up {
                self.on_no_ack(index, &tag);
            }
        }
        self.send_changes();
    }

    /// Forgets exchanges of which nothing can come any more, now and then.
    fn tidy(&mut self) {
        let now = self.now;
        if now.since(self.tidied_at) < GIVE_UP {
            return;
        }
        self.tidied_at = now;
        let is_fresh = |since: Instant| now.since(since) <= 2 * GIVE_UP;
        self.clients.retain(|client| client.finished.is_none_or(is_fresh));
        // an INVITE is remembered until its call is over: its ACK, its CANCEL and its resends may still come
        let is_live = |number| self.calls.get(number).is_some_and(|call| !call.is_over());
        self.servers.retain(|s| is_fresh(s.touched) || s.awaits_ack() || s.call.is_some_and(is_live));
        if !self.settings.keeps_past && now.since(self.forgot_at) >= 2 * GIVE_UP {
            self.forgot_at = now;
            self.calls.forget();
            // of thousands of phones most have no call
            self.clients.shrink_to_fit();
            self.servers.shrink_to_fit();
        }
    }

    /// The next datagram to send, and where to.
    pub fn poll_send(&mut self) -> Option<(SocketAddr, Bytes)> {
        self.out.pop_front()
    }

    /// The next thing it has to tell.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// When it wants the next [`Phone::tick`]; audio has a clock of its own, [`Phone::poll_audio_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.call_timeout(), self.upkeep.next_at()].into_iter().flatten().min()
    }

    /// The same without what goes on in the background for ever.
    fn call_timeout(&self) -> Option<Instant> {
        let known = self.call_timeout.get().unwrap_or_else(|| self.find_call_timeout());
        self.call_timeout.set(Some(known));
        known
    }

    fn find_call_timeout(&self) -> Option<Instant> {
        let clients = self.clients.iter().filter_map(Client::next_at);
        let servers = self.servers.iter().filter_map(Server::next_at);
        let live = self.calls.live();
        let ends = live.clone().filter_map(|call| call.ends_at);
        let dialogs = live.flat_map(|call| call.dialogs.iter().map(|dialog| (call.state, dialog)));
        let waits = dialogs.flat_map(|(state, dialog)| {
            // once a branch has answered, the others say nothing again
            let said = dialog.unacknowledged.next_at().filter(|_| state == State::Incoming);
            [said, dialog.changes.next_at(self.now)]
        });
        clients
            .chain(servers)
            .chain(ends)
            .chain(waits.flatten())
            .chain(self.todo.keys().next().map(|(at, _)| *at))
            .min()
    }

    /// What the switch did that it must not do.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// The Call-ID of the message that brought each of the violations; empty where none did.
    pub fn blamed_calls(&self) -> &[String] {
        &self.blamed_calls
    }

    /// Every call since the phone began, or since [`Phone::forget_past`], in order.
    pub fn calls(&self) -> &[Call] {
        self.calls.all()
    }

    /// Forgets every call and request, where nothing is under way: a phone of a million calls stays fast. A straggler of
    /// what is forgotten would be a violation, so it is for the time when nothing is on any wire.
    pub fn forget_past(&mut self) {
        if self.is_quiet() {
            self.calls.clear();
            self.clients.clear();
            self.servers.clear();
            self.call_timeout.take();
        }
    }

    /// How often it has answered 491.
    pub fn glares(&self) -> u64 {
        self.glares
    }

    /// Requests of this phone that never got a final answer, by method and CSeq.
    pub fn unanswered(&self) -> Vec<String> {
        let waiting = self.clients.iter().filter(|client| client.finished.is_none());
        waiting.map(|client| client.request.get("CSeq").unwrap_or_default().to_owned()).collect()
    }

    /// The latest call that is not over.
    pub fn current_call(&self) -> Option<&Call> {
        self.calls.live().next_back()
    }

    /// Whether nothing is under way: no live call, no request without its answer, nothing planned. Keep-alives and the
    /// next refresh of a registration do not count: they never end.
    pub fn is_quiet(&self) -> bool {
        self.current_call().is_none() && self.call_timeout().is_none()
    }

    fn names(&self) -> &Names {
        let Settings { user, domain, local, .. } = &self.settings;
        self.names.get_or_init(|| Names {
            own_uri: format!("sip:{user}@{domain}"),
            contact: format!("<sip:{user}@{local}>").into(),
            via: format!("SIP/2.0/UDP {local};rport;branch="),
        })
    }

    fn own_uri(&self) -> String {
        self.names().own_uri.clone()
    }

    fn contact(&self) -> Text {
        self.names().contact.clone()
    }

    /// The top Via of a request with a branch of its own; `rport` asks for the answer to come back the way it went (RFC
    /// 3581).
    fn new_via(&mut self) -> String {
        let branch = self.token();
        [&self.names().via, "z9hG4bK", &branch].concat()
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

    /// The switch did what it must not do, unless the phone itself asked for trouble.
    fn violation(&mut self, what: String) {
        if !self.is_excused && !Phone::is_of_garbage(&what) {
            self.fault(what);
        }
    }

    /// The switch did what it must not do, whatever the phone did.
    fn fault(&mut self, what: String) {
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(format!("{}: {what}", self.settings.user));
            self.blamed_calls.push(self.call_at_hand.clone());
        }
    }

    /// A message that belongs to nothing, which is a violation but after a reboot.
    fn stray(&mut self, what: String) {
        // who gave up when nothing came may be answered yet
        if !(self.upkeep.is_forgetful(self.now) || self.settings.doubts.cuts_off) {
            self.violation(what);
        }
    }

    fn complain(&mut self, about: &str, wrong: Vec<String>) {
        wrong.into_iter().for_each(|wrong| self.violation(format!("{about}: {wrong}")));
    }

    fn find_call(&mut self, number: u32) -> &mut Call {
        self.calls.get_mut(number).expect("a call is forgotten only when it is over")
    }

    fn dialog(&mut self, spot: Spot) -> &mut Dialog {
        &mut self.find_call(spot.call).dialogs[spot.dialog]
    }

    /// The dialog that a request of the far side belongs to.
    fn spot_of(&self, request: &Message) -> Option<Spot> {
        let find = |call: &Call| Some(Spot { call: call.number, dialog: call.dialog_of(request)? });
        self.calls.all().iter().rev().find_map(find)
    }

    /// Whether a request of the far side is in order, and if so, that it was seen (RFC 3261 §12.2.2).
    fn note_cseq(&mut self, spot: Spot, request: &Message) -> bool {
        let cseq = request.cseq().map_or(0, |(number, _)| number);
        let dialog = self.dialog(spot);
        let is_new = cseq > dialog.remote_cseq;
        dialog.remote_cseq = dialog.remote_cseq.max(cseq);
        is_new
    }

    /// Whose call this is, in a notice.
    fn caller_of(request: &Message) -> String {
        user_of(message::uri_of(request.get("From").unwrap_or_default())).to_owned()
    }
}

fn token(stream: &mut Stream) -> String {
    stream.token::<12>().iter().map(|byte| char::from(*byte)).collect()
}
