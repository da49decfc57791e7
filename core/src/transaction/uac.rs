//! The client side: requests of ours, and the answers to them.

use super::armed::Armed;
use super::intervals::{self, Intervals};
use super::{Owner, Transactions, Upcall, client, derived, invite_client};
use crate::cx::Cx;
use crate::handle::Handle;
use crate::input::Flow;
use crate::limits;
use crate::sip::{COOKIE, Message, Method, Name};
use crate::timers::{TimerKey, TransactionTimer as Timer};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Names a client transaction.
pub type ClientId = Handle<ClientTransaction>;

/// What follows the magic cookie in the branch of a request of ours: a token of [`crate::rng::Streams::ids`].
pub type Branch = [u8; 16];

/// Most transactions that one call of [`Transactions::undelivered`] ends. What is left ends at the next ICMP error, which
/// its next resend brings about.
pub const UNDELIVERED_PER_CALL: usize = 64;

/// Which machine a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// INVITE.
    Invite,
    /// Every other method but ACK, which has no transaction.
    Other,
}

/// A request to send.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// From which socket, to where.
    pub flow: Flow,
    /// Which machine it gets.
    pub kind: Kind,
    /// What its top Via's branch has after `z9hG4bK`.
    pub branch: Branch,
    /// The whole request.
    pub bytes: Bytes,
}

/// What a response turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing for a user: a retransmission, an answer to our CANCEL, or its transaction has no owner any longer.
    Absorbed,
    /// It answers no request that we know of.
    Stray,
    /// The user is to look at it: every provisional answer, the first final one, and every 2xx to an INVITE, be it
    /// another one or the same again (RFC 6026 §7.2). A failure of an INVITE has been acknowledged.
    Deliver {
        /// The request's transaction.
        client: ClientId,
        /// Its owner.
        owner: Owner,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientEvent {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 3xx to 6xx.
    Failure,
    /// The user wants the INVITE cancelled.
    Cancel,
    /// The network says that nothing listens there.
    Undelivered,
    Fired(Timer),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAction {
    /// Send the request.
    Send,
    /// Send what is kept again: the request, or once it has failed its ACK.
    Resend,
    /// Acknowledge the failure and keep the ACK in the place of the INVITE.
    SendAck,
    /// Send a CANCEL in a transaction of its own.
    SendCancel,
    /// Nothing will be sent again.
    Forget,
    Start(Timer),
    Stop(Timer),
    Tell(ClientTell),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientTell {
    Answer,
    Timeout,
    Undelivered,
    Settled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Machine {
    Invite(invite_client::State),
    Other(client::State),
}

impl Machine {
    fn on(self, event: ClientEvent) -> (Machine, &'static [ClientAction]) {
        match self {
            Machine::Invite(state) => map(state.on(event), Machine::Invite),
            Machine::Other(state) => map(state.on(event), Machine::Other),
        }
    }

    fn is_unanswered(self) -> bool {
        match self {
            Machine::Invite(state) => state.is_unanswered(),
            Machine::Other(state) => state.is_unanswered(),
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
    (state, actions): (S, &'static [ClientAction]),
    of: impl Fn(S) -> Machine,
) -> (Machine, &'static [ClientAction]) {
    (of(state), actions)
}

/// What finds a client transaction: a CANCEL has the branch of its INVITE (RFC 3261 §17.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct ClientKey {
    branch: Branch,
    cancel: bool,
}

/// A request of ours, until nothing of it can come again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientTransaction {
    machine: Machine,
    flow: Flow,
    owner: Option<Owner>,
    key: ClientKey,
    /// The request while it may be sent again, cancelled or acknowledged; after a failure of an INVITE the ACK; else
    /// empty.
    kept: Bytes,
    /// Header lines of the CANCEL, once one is wanted: its Reason (RFC 3326).
    cancel_lines: Box<[u8]>,
    /// How often it was sent again by timer.
    resends: u8,
    pub(super) armed: Armed,
}

impl ClientTransaction {
    /// Where the request went.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Whom the layer tells.
    pub fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// Whether the request is an INVITE.
    pub fn is_invite(&self) -> bool {
        matches!(self.machine, Machine::Invite(_))
    }

    /// Whether a final answer has come, or none will.
    pub fn has_final(&self) -> bool {
        self.machine.has_final()
    }

    fn start(&mut self, cx: &mut Cx, timer: Timer, id: ClientId) {
        let intervals = Intervals::of(&cx.config);
        // over a reliable transport nothing is resent, nor need anything be absorbed (§17.1)
        let unreliable = !self.flow.transport.is_reliable();
        let after = match timer {
            Timer::A => Some(intervals.invite(self.resends)).filter(|_| unreliable),
            Timer::E if self.machine == Machine::Other(client::State::Proceeding) => {
                Some(intervals.t2()).filter(|_| unreliable)
            }
            Timer::E => intervals.listed(self.resends).filter(|_| unreliable),
            Timer::B | Timer::F | Timer::M => Some(intervals.give_up()),
            Timer::D => Some(if unreliable { intervals::TIMER_D } else { Duration::ZERO }),
            Timer::K => Some(if unreliable { intervals::T4 } else { Duration::ZERO }),
            Timer::G | Timer::H | Timer::I | Timer::J | Timer::L | Timer::Trying => {
                panic!("timer {timer:?} is one of server transactions")
            }
        };
        self.resends = self.resends.saturating_add(u8::from(matches!(timer, Timer::A | Timer::E)));
        if let Some(after) = after {
            self.armed.start(cx, timer, after, TimerKey::Client(id.to_bits(), timer));
        }
    }
}

impl Transactions {
    /// The client transaction of this id, unless it has ended.
    pub fn client(&self, id: ClientId) -> Option<&ClientTransaction> {
        self.clients.get(id)
    }

    /// Sends a request and sees to it that it is sent again, answered or given up. None, and nothing is sent, where
    /// [`limits::TRANSACTIONS`] is reached.
    pub fn request(&mut self, cx: &mut Cx, new: NewRequest, owner: Owner) -> Option<ClientId> {
        self.start_client(cx, new, Some(owner), false)
    }

    fn start_client(&mut self, cx: &mut Cx, new: NewRequest, owner: Option<Owner>, cancel: bool) -> Option<ClientId> {
        if self.clients() >= limits::TRANSACTIONS {
            return None;
        }
        let (machine, actions) = match new.kind {
            Kind::Invite => map(invite_client::State::START, Machine::Invite),
            Kind::Other => map(client::State::START, Machine::Other),
        };
        let key = ClientKey { branch: new.branch, cancel };
        let id = self.clients.insert(ClientTransaction {
            machine,
            flow: new.flow,
            owner,
            key,
            kept: new.bytes,
            cancel_lines: Box::default(),
            resends: 0,
            armed: Armed::default(),
        });
        let before = self.client_keys.insert(key, id);
        assert!(before.is_none(), "two requests of ours have one branch");
        self.unanswered.insert((new.flow, id));
        self.act_client(cx, id, actions, None);
        Some(id)
    }

    /// Wants an INVITE cancelled (RFC 3261 §9.1): the CANCEL goes out now if a provisional answer has come, else when one
    /// comes. Whatever final answer there is then is delivered as ever, a 2xx too; without any in 64 T1 it times out.
    /// Nothing happens after a final answer, nor to another request. `lines` are whole header lines for the CANCEL; the
    /// first wish counts.
    pub fn cancel(&mut self, cx: &mut Cx, id: ClientId, lines: &[u8]) {
        if let Some(client) = self.clients.get_mut(id).filter(|client| client.cancel_lines.is_empty()) {
            client.cancel_lines = lines.into();
        }
        self.step_client(cx, id, ClientEvent::Cancel, None);
    }

    /// Nobody is to be told about this transaction any longer; it lives on to absorb. An INVITE without a final answer is
    /// cancelled, since nobody else would end it.
    pub fn disown(&mut self, cx: &mut Cx, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.owner = None;
        self.cancel(cx, id, b"");
    }

    /// Takes in a response that has passed [`crate::sip::check`].
    pub fn receive_response(&mut self, cx: &mut Cx, message: &Message<'_>, _flow: Flow) -> Answer {
        let Some(id) = self.find_client(message) else { return Answer::Stray };
        let event = match message.status() {
            Some(0..=199) | None => ClientEvent::Provisional,
            Some(200..=299) => ClientEvent::Success,
            Some(_) => ClientEvent::Failure,
        };
        let owner = self.clients.get(id).and_then(|client| client.owner);
        match (self.step_client(cx, id, event, Some(message)), owner) {
            (Some(ClientTell::Answer), Some(owner)) => Answer::Deliver { client: id, owner },
            _ => {
                cx.counters.absorbed += 1;
                Answer::Absorbed
            }
        }
    }

    /// By the branch and whether it was a CANCEL; the method has to be one of the machine's (RFC 3261 §17.1.3).
    fn find_client(&self, message: &Message<'_>) -> Option<ClientId> {
        let via = message.via().ok()?;
        let method = message.cseq().ok()?.method;
        let branch = Branch::try_from(via.branch()?.strip_prefix(COOKIE)?).ok()?;
        let id = *self.client_keys.get(&ClientKey { branch, cancel: method == Method::Cancel })?;
        let client = self.clients.get(id)?;
        (client.is_invite() == (method == Method::Invite)).then_some(id)
    }

    /// The network says that nothing listens at the far end of `flow`: requests without any answer from there fail at
    /// once (RFC 3261 §8.1.3.1), at most [`UNDELIVERED_PER_CALL`] of them.
    pub fn undelivered(&mut self, cx: &mut Cx, flow: Flow) -> Vec<Upcall> {
        let of_flow = (flow, Handle::from_bits(0))..=(flow, Handle::from_bits(u64::MAX));
        let failed: Vec<ClientId> =
            self.unanswered.range(of_flow).map(|(_, id)| *id).take(UNDELIVERED_PER_CALL).collect();
        failed.into_iter().filter_map(|id| self.tell_client(cx, id, ClientEvent::Undelivered)).collect()
    }

    pub(super) fn fire_client(&mut self, cx: &mut Cx, id: ClientId, timer: Timer) -> Option<Upcall> {
        self.clients.get_mut(id)?.armed.fired(timer);
        self.tell_client(cx, id, ClientEvent::Fired(timer))
    }

    /// Steps on an event that is no response.
    fn tell_client(&mut self, cx: &mut Cx, id: ClientId, event: ClientEvent) -> Option<Upcall> {
        let owner = self.clients.get(id)?.owner;
        match (self.step_client(cx, id, event, None)?, owner?) {
            (ClientTell::Timeout, owner) => Some(Upcall::Timeout { client: id, owner }),
            (ClientTell::Undelivered, owner) => Some(Upcall::Undelivered { client: id, owner }),
            (ClientTell::Settled, owner) => Some(Upcall::Settled { client: id, owner }),
            (ClientTell::Answer, _) => None,
        }
    }

    fn step_client(
        &mut self,
        cx: &mut Cx,
        id: ClientId,
        event: ClientEvent,
        response: Option<&Message<'_>>,
    ) -> Option<ClientTell> {
        let client = self.clients.get_mut(id)?;
        let (next, actions) = client.machine.on(event);
        if client.machine.is_unanswered() && !next.is_unanswered() {
            self.unanswered.remove(&(client.flow, id));
        }
        client.machine = next;
        self.act_client(cx, id, actions, response)
    }

    /// Does what the machine asks and removes the transaction if it is over.
    fn act_client(
        &mut self,
        cx: &mut Cx,
        id: ClientId,
        actions: &[ClientAction],
        response: Option<&Message<'_>>,
    ) -> Option<ClientTell> {
        let client = self.clients.get_mut(id)?;
        let mut told = None;
        let mut cancel = None;
        for action in actions {
            match *action {
                ClientAction::Send => cx.send(client.flow, client.kept.clone()),
                ClientAction::Resend => {
                    cx.counters.resent += 1;
                    cx.send(client.flow, client.kept.clone());
                }
                ClientAction::SendAck => {
                    let to = response.and_then(|message| message.value(Name::To));
                    client.kept = derived::ack(&client.kept, to.expect("a response that passed the check has a To"));
                    cx.send(client.flow, client.kept.clone());
                }
                ClientAction::SendCancel => {
                    let bytes = derived::cancel(&client.kept, &client.cancel_lines);
                    let branch = client.key.branch;
                    cancel = Some(NewRequest { flow: client.flow, kind: Kind::Other, branch, bytes });
                }
                ClientAction::Forget => client.kept = Bytes::new(),
                ClientAction::Start(timer) => client.start(cx, timer, id),
                ClientAction::Stop(timer) => client.armed.stop(cx, timer),
                ClientAction::Tell(tell) => told = Some(tell),
            }
        }
        if client.machine.is_terminated() {
            self.remove_client(cx, id);
        }
        if let Some(cancel) = cancel {
            self.send_cancel(cx, cancel);
        }
        told
    }

    /// Where there is no room for a transaction the CANCEL is sent once, for what it is worth.
    fn send_cancel(&mut self, cx: &mut Cx, cancel: NewRequest) {
        let (flow, bytes) = (cancel.flow, cancel.bytes.clone());
        if self.start_client(cx, cancel, None, true).is_none() {
            cx.send(flow, bytes);
        }
    }

    fn remove_client(&mut self, cx: &mut Cx, id: ClientId) {
        if let Some(mut client) = self.clients.remove(id) {
            client.armed.stop_all(cx);
            self.client_keys.remove(&client.key);
        }
    }
}
