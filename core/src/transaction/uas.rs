//! The server side: requests that came in, and our answers to them.

use super::armed::Armed;
use super::intervals::{self, Intervals};
use super::key::Key;
use super::reply::ReplyHead;
use super::{Owner, Transactions, Upcall, invite_server, server};
use crate::counters::DropReason;
use crate::cx::Cx;
use crate::handle::Handle;
use crate::input::Flow;
use crate::limits;
use crate::sip::{Index, Message, Method, Name, Scanned, ValueError, Via, scan};
use crate::timers::{TimerKey, TransactionTimer as Timer};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Names a server transaction.
pub type ServerId = Handle<ServerTransaction>;

/// What a request turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// A new request. Its user answers it with [`Transactions::respond`], at once or, after [`Transactions::adopt`],
    /// later.
    New(ServerId),
    /// Nothing for the user: a retransmission, the ACK of a failure, a request that took several ways and came before
    /// (482 is out), a CANCEL that comes too late (200 is out) or belongs to nothing (481 is out).
    Absorbed,
    /// An ACK that acknowledges no failure of ours: that of a 2xx, if it belongs to anything.
    Ack,
    /// A CANCEL, answered with 200, of an INVITE that has no final answer yet: its user answers it with 487 now. Until
    /// then this may come again.
    Cancel {
        /// The INVITE's transaction.
        invite: ServerId,
    },
    /// [`limits::TRANSACTIONS`] is reached: 503 with Retry-After is out.
    Refused,
}

/// An answer, as far as it does not follow from its request.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// 100..=699.
    pub status: u16,
    /// The reason phrase; the usual one of the status where there is none.
    pub reason: Option<&'a str>,
    /// Our tag, added to the To unless the request's has one. Empty for a 100. A challenge to a request without
    /// credentials gets a tag of the layer's instead.
    pub to_tag: &'a [u8],
    /// Further header fields: whole lines, each with its CRLF. No Content-Length.
    pub headers: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Reply<'a> {
    /// An answer with neither further header fields nor a body.
    pub fn new(status: u16, to_tag: &'a [u8]) -> Reply<'a> {
        Reply { status, reason: None, to_tag, headers: b"", body: b"" }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerEvent {
    /// The request came again.
    Request,
    /// An ACK with the INVITE's own branch.
    Ack,
    /// The user answers: 1xx.
    Provisional,
    /// The user answers: 2xx.
    Success,
    /// The user answers: 3xx to 6xx, but for the two that follow.
    Failure,
    /// The user challenges a request that came without credentials: 401 or 407.
    Challenge,
    /// The user answers: 408, which a non-INVITE request never gets (RFC 4320 §4.2).
    RequestTimeout,
    /// The user has seen the ACK of the 2xx.
    Acknowledged,
    Fired(Timer),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerAction {
    /// Send the user's answer and keep it.
    Send,
    /// Send a 100 and keep it.
    SendTrying,
    /// Send what is kept again, if anything is.
    Resend,
    /// Nothing will be sent again.
    Forget,
    Start(Timer),
    Stop(Timer),
    Tell(ServerTell),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerTell {
    Ack,
    NoAck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Machine {
    Invite(invite_server::State),
    Other(server::State),
}

impl Machine {
    fn on(self, event: ServerEvent) -> (Machine, &'static [ServerAction]) {
        match self {
            Machine::Invite(state) => map(state.on(event), Machine::Invite),
            Machine::Other(state) => map(state.on(event), Machine::Other),
        }
    }

    fn has_final(self) -> bool {
        match self {
            Machine::Invite(state) => state.has_final(),
            Machine::Other(state) => state.has_final(),
        }
    }

    fn is_terminated(self) -> bool {
        match self {
            Machine::Invite(state) => state.is_terminated(),
            Machine::Other(state) => state.is_terminated(),
        }
    }
}

fn map<S>(
    (state, actions): (S, &'static [ServerAction]),
    of: impl Fn(S) -> Machine,
) -> (Machine, &'static [ServerAction]) {
    (of(state), actions)
}

/// A request that came in, until nothing of it can come again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerTransaction {
    machine: Machine,
    flow: Flow,
    owner: Option<Owner>,
    /// The user's tag for its answers to come.
    tag: Option<[u8; 16]>,
    key: Key,
    merge_key: Option<Key>,
    cseq: u32,
    has_credentials: bool,
    /// What answers repeat of the request; none once the final one is out.
    head: Option<ReplyHead>,
    /// The last answer, while it may have to be sent again; else empty.
    last: Bytes,
    /// How often the final answer was sent again by timer.
    resends: u8,
    pub(super) armed: Armed,
}

impl ServerTransaction {
    /// Where the request came from and answers go.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Whom the layer tells.
    pub fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// The number in the request's CSeq.
    pub fn cseq(&self) -> u32 {
        self.cseq
    }

    /// Whether the request is an INVITE.
    pub fn is_invite(&self) -> bool {
        matches!(self.machine, Machine::Invite(_))
    }

    /// Whether the final answer is out.
    pub fn has_final(&self) -> bool {
        self.machine.has_final()
    }

    fn send(&mut self, cx: &mut Cx, reply: &Reply<'_>) {
        let head = self.head.as_ref().expect("no machine sends an answer after the final one");
        self.last = head.compose(reply);
        cx.send(self.flow, self.last.clone());
    }

    fn start(&mut self, cx: &mut Cx, timer: Timer, id: ServerId) {
        let intervals = Intervals::of(&cx.config);
        // a final answer over a reliable transport is not resent, nor need anything be absorbed (§17.2); a 2xx is
        // resent all the same, since another hop may be unreliable (§13.3.1.4)
        let unreliable = !self.flow.transport.is_reliable();
        let accepted = self.machine == Machine::Invite(invite_server::State::Accepted);
        let after = match timer {
            Timer::G => {
                self.resends = self.resends.saturating_add(1);
                intervals.listed(self.resends - 1).filter(|_| unreliable || accepted)
            }
            Timer::Trying => Some(intervals.until_t2()),
            Timer::F => Some(intervals.give_up().saturating_sub(intervals.until_t2())),
            Timer::I => Some(if unreliable { intervals::T4 } else { Duration::ZERO }),
            Timer::J => Some(if unreliable { intervals.give_up() } else { Duration::ZERO }),
            Timer::H | Timer::L => Some(intervals.give_up()),
            Timer::A | Timer::B | Timer::D | Timer::E | Timer::K | Timer::M => {
                panic!("timer {timer:?} is one of client transactions")
            }
        };
        if let Some(after) = after {
            self.armed.start(cx, timer, after, TimerKey::Server(id.to_bits(), timer));
        }
    }
}

/// A request in hand, with what more than one step asks of it.
struct Request<'a> {
    message: &'a Message<'a>,
    via: Via<'a>,
    to_tag: Option<&'a [u8]>,
    flow: Flow,
    key: Key,
}

impl Request<'_> {
    fn head(&self) -> ReplyHead {
        ReplyHead::of(self.message, Some(&self.via), self.to_tag.is_some(), self.flow)
    }
}

impl Transactions {
    /// The server transaction of this id, unless it has ended.
    pub fn server(&self, id: ServerId) -> Option<&ServerTransaction> {
        self.servers.get(id)
    }

    /// Takes in a request that has passed [`crate::sip::check`].
    pub fn receive_request(&mut self, cx: &mut Cx, message: &Message<'_>, flow: Flow) -> Received {
        self.try_receive_request(cx, message, flow).unwrap_or_else(|_| {
            cx.counters.drop_one(DropReason::BrokenRequest);
            Received::Absorbed
        })
    }

    fn try_receive_request(&mut self, cx: &mut Cx, message: &Message<'_>, flow: Flow) -> Result<Received, ValueError> {
        let via = message.via()?;
        let key = self.fingerprints.server(message, &via, flow.transport)?;
        let to_tag = message.to()?.tag();
        let request = Request { message, via, to_tag, flow, key };
        let known = self.server_keys.get(&key).copied();
        Ok(match (message.method(), known) {
            // the tag tells what we answered without a transaction
            (Some(Method::Ack), None) => match to_tag {
                Some(tag) if tag == self.fingerprints.tag(key) => Received::Absorbed,
                _ => Received::Ack,
            },
            (Some(Method::Ack), Some(id)) => match self.step_server(cx, id, ServerEvent::Ack, None) {
                Some(ServerTell::Ack) => Received::Ack,
                _ => Received::Absorbed,
            },
            (Some(Method::Cancel), invite) => self.receive_cancel(cx, &request, invite),
            (_, Some(id)) => {
                cx.counters.absorbed += 1;
                self.step_server(cx, id, ServerEvent::Request, None);
                Received::Absorbed
            }
            (_, None) => self.receive_new(cx, &request)?,
        })
    }

    fn receive_new(&mut self, cx: &mut Cx, request: &Request<'_>) -> Result<Received, ValueError> {
        let message = request.message;
        let merge_key = match request.to_tag {
            Some(_) => None,
            None => Some(self.fingerprints.merge(message)?),
        };
        if merge_key.is_some_and(|merge_key| self.merge_keys.get(&merge_key).is_some()) {
            cx.counters.absorbed += 1;
            self.answer_statelessly(cx, request, 482, b"");
            return Ok(Received::Absorbed);
        }
        if self.servers() >= limits::TRANSACTIONS {
            // spread, so that those refused together do not come back together
            let retry_after = format!("Retry-After: {}\r\n", 5 + cx.rng.jitter.below(10));
            self.answer_statelessly(cx, request, 503, retry_after.as_bytes());
            return Ok(Received::Refused);
        }
        let (machine, actions) = match message.method() {
            Some(Method::Invite) => map(invite_server::State::START, Machine::Invite),
            _ => map(server::State::START, Machine::Other),
        };
        let credentials = [Name::Authorization, Name::ProxyAuthorization];
        let id = self.servers.insert(ServerTransaction {
            machine,
            flow: request.flow,
            owner: None,
            tag: None,
            key: request.key,
            merge_key,
            cseq: message.cseq()?.number,
            has_credentials: credentials.iter().any(|name| message.value(*name).is_some()),
            head: Some(request.head()),
            last: Bytes::new(),
            resends: 0,
            armed: Armed::default(),
        });
        self.server_keys.insert(request.key, id);
        if let Some(merge_key) = merge_key {
            self.merge_keys.insert(merge_key, id);
        }
        self.act_server(cx, id, actions, None);
        Ok(Received::New(id))
    }

    /// RFC 3261 §9.2. The answer carries the tag of the INVITE's answers where it is known already.
    fn receive_cancel(&mut self, cx: &mut Cx, request: &Request<'_>, invite: Option<ServerId>) -> Received {
        let Some((id, server)) = invite.and_then(|id| Some((id, self.servers.get(id)?))) else {
            self.answer_statelessly(cx, request, 481, b"");
            return Received::Absorbed;
        };
        let own = server.tag.map(Vec::from).or_else(|| tag_of(&server.last));
        let tag = own.unwrap_or_else(|| self.fingerprints.tag(request.key).to_vec());
        cx.send(request.flow, request.head().compose(&Reply::new(200, &tag)));
        if server.has_final() { Received::Absorbed } else { Received::Cancel { invite: id } }
    }

    fn answer_statelessly(&self, cx: &mut Cx, request: &Request<'_>, status: u16, headers: &[u8]) {
        let tag = self.fingerprints.tag(request.key);
        cx.send(request.flow, request.head().compose(&Reply { headers, ..Reply::new(status, &tag) }));
    }

    /// Answers a request that has not passed [`crate::sip::check`], as far as it can be read, and remembers nothing of it.
    pub fn refuse_broken(&self, cx: &mut Cx, message: &Message<'_>, flow: Flow, status: u16, headers: &[u8]) {
        let via = message.via().ok();
        // a To that cannot be read gets no tag from us
        let to_has_tag = message.to().map_or(true, |to| to.tag().is_some());
        let key = via.as_ref().and_then(|via| self.fingerprints.server(message, via, flow.transport).ok());
        let tag = key.map(|key| self.fingerprints.tag(key)).map_or(Vec::new(), Vec::from);
        let head = ReplyHead::of(message, via.as_ref(), to_has_tag, flow);
        cx.send(flow, head.compose(&Reply { headers, ..Reply::new(status, &tag) }));
    }

    /// Whom to tell about this transaction from now on, and the tag that its answers will carry: a CANCEL's 200 has the
    /// same one (RFC 3261 §9.2).
    pub fn adopt(&mut self, id: ServerId, owner: Owner, tag: [u8; 16]) {
        if let Some(server) = self.servers.get_mut(id) {
            server.owner = Some(owner);
            server.tag = Some(tag);
        }
    }

    /// Answers a request. Nothing happens where the transaction has ended or the final answer is out already, and a
    /// non-INVITE request gets neither a provisional answer nor a 408 from here (RFC 4320 §4). A 401 or 407 to a request
    /// without credentials is sent once and ends the transaction, so that who does not say who he is costs no memory
    /// (RFC 3261 §26.3.2.4).
    pub fn respond(&mut self, cx: &mut Cx, id: ServerId, reply: Reply<'_>) {
        let Some(server) = self.servers.get(id) else { return };
        let event = match reply.status {
            0..=199 => ServerEvent::Provisional,
            200..=299 => ServerEvent::Success,
            401 | 407 if !server.has_credentials => {
                let tag = self.fingerprints.tag(server.key);
                self.step_server(cx, id, ServerEvent::Challenge, Some(&Reply { to_tag: &tag, ..reply }));
                return;
            }
            408 => ServerEvent::RequestTimeout,
            _ => ServerEvent::Failure,
        };
        self.step_server(cx, id, event, Some(&reply));
    }

    /// Refuses an INVITE of somebody who has not shown who he is. The answer is sent once and forgotten: sent again until
    /// its ACK it would be ten times what a forged source has asked for (RFC 3261 §26.3.2.4). Who has not got it sends his
    /// INVITE again. Any other request is answered as by [`Transactions::respond`].
    pub fn refuse_stranger(&mut self, cx: &mut Cx, id: ServerId, reply: Reply<'_>) {
        let Some(server) = self.servers.get(id) else { return };
        if !matches!(server.machine, Machine::Invite(_)) {
            return self.respond(cx, id, reply);
        }
        let tag = self.fingerprints.tag(server.key);
        self.step_server(cx, id, ServerEvent::Challenge, Some(&Reply { to_tag: &tag, ..reply }));
    }

    /// The answer sent last to a request that has no final one yet, for one that has to arrive (RFC 3262).
    pub fn last_answer(&self, id: ServerId) -> Option<Bytes> {
        let server = self.servers.get(id).filter(|server| !server.has_final())?;
        Some(server.last.clone())
    }

    /// The ACK of this INVITE's 2xx has come: the 2xx is sent no more.
    pub fn acknowledged(&mut self, cx: &mut Cx, id: ServerId) {
        self.step_server(cx, id, ServerEvent::Acknowledged, None);
    }

    pub(super) fn fire_server(&mut self, cx: &mut Cx, id: ServerId, timer: Timer) -> Option<Upcall> {
        let server = self.servers.get_mut(id)?;
        server.armed.fired(timer);
        let owner = server.owner;
        match self.step_server(cx, id, ServerEvent::Fired(timer), None)? {
            ServerTell::NoAck => Some(Upcall::NoAck { server: id, owner: owner? }),
            ServerTell::Ack => None,
        }
    }

    fn step_server(
        &mut self,
        cx: &mut Cx,
        id: ServerId,
        event: ServerEvent,
        reply: Option<&Reply<'_>>,
    ) -> Option<ServerTell> {
        let server = self.servers.get_mut(id)?;
        let (next, actions) = server.machine.on(event);
        server.machine = next;
        self.act_server(cx, id, actions, reply)
    }

    /// Does what the machine asks and removes the transaction if it is over.
    fn act_server(
        &mut self,
        cx: &mut Cx,
        id: ServerId,
        actions: &[ServerAction],
        reply: Option<&Reply<'_>>,
    ) -> Option<ServerTell> {
        let server = self.servers.get_mut(id)?;
        let mut told = None;
        for action in actions {
            match *action {
                ServerAction::Send => server.send(cx, reply.expect("a machine sends only when the user answers")),
                ServerAction::SendTrying => server.send(cx, &Reply::new(100, b"")),
                ServerAction::Resend if server.last.is_empty() => {}
                ServerAction::Resend => {
                    cx.counters.resent += 1;
                    cx.send(server.flow, server.last.clone());
                }
                ServerAction::Forget => server.last = Bytes::new(),
                ServerAction::Start(timer) => server.start(cx, timer, id),
                ServerAction::Stop(timer) => server.armed.stop(cx, timer),
                ServerAction::Tell(tell) => told = Some(tell),
            }
        }
        if server.has_final() {
            server.head = None;
        }
        if server.machine.is_terminated() {
            self.remove_server(cx, id);
        }
        told
    }

    fn remove_server(&mut self, cx: &mut Cx, id: ServerId) {
        let Some(mut server) = self.servers.remove(id) else { return };
        server.armed.stop_all(cx);
        self.server_keys.remove(&server.key);
        if let Some(merge_key) = server.merge_key {
            self.merge_keys.remove(&merge_key);
        }
    }
}

/// The To tag of an answer that we kept.
fn tag_of(answer: &[u8]) -> Option<Vec<u8>> {
    let mut index = Index::default();
    match scan(answer, &mut index) {
        Ok(Scanned::Message(answer)) => answer.to().ok()?.tag().map(<[u8]>::to_vec),
        _ => None,
    }
}
