//! What a call is made of: plain data.
//!
//! A [`Call`] has one [`Ingress`], the caller's INVITE. It calls its callee by [`Attempt`]s, one for each INVITE of ours;
//! several may ring at once, further ones follow where those fail. Each To-tag that answers an attempt makes a
//! [`Branch`]: two dialogs, one with the callee and one of its own with the caller, so that what one branch says of its
//! media never touches another's (RFC 3261 §12.1, §13.2.2.4). The branch that answers 2xx is the call.

mod exchange;

pub use exchange::{Exchange, ExchangeState, Kind, NewTarget, Origin};

use super::answering::Answering;
use super::media::{Announcement, Closing, Description, Media, OwnDialog};
use super::offer::Session;
use super::refer::Subscription;
use super::reliable::Reliable;
use crate::auth::client::Client;
use crate::cdr::{EndDirection, EndReason};
use crate::dialog::Dialog;
use crate::handle::Handle;
use crate::input::Flow;
use crate::media::{Decision, Outcome, Rule};
use crate::nat::Evidence;
use crate::routing::{Use, Way, failover};
use crate::time::{Instant, UnixMicros};
use crate::timers::TimerId;
use crate::transaction::{ClientId, ServerId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Names a call.
pub type CallId = Handle<Call>;

/// One of the two legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The leg that the INVITE came in on.
    Caller,
    /// The leg that we made.
    Callee,
}

impl Side {
    /// Both, in the order in which they are released.
    pub const BOTH: [Side; 2] = [Side::Caller, Side::Callee];

    /// The other leg.
    pub fn other(self) -> Side {
        match self {
            Side::Caller => Side::Callee,
            Side::Callee => Side::Caller,
        }
    }

    /// Who this is in the CDR.
    pub fn direction(self) -> EndDirection {
        match self {
            Side::Caller => EndDirection::Caller,
            Side::Callee => EndDirection::Callee,
        }
    }
}

/// What a tag of ours names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The call.
    pub call: CallId,
    /// Where in it.
    pub of: Of,
}

/// Where in a call a tag of ours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Of {
    /// The caller's leg of this branch.
    Branch(u8),
    /// An INVITE of ours: the callees' legs of all its branches have the one tag, and differ in the callee's.
    Attempt(u8),
    /// The caller's leg of an early dialog without a callee.
    Own,
}

/// The INVITE that came in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ingress {
    /// The message, for further attempts; empty once the call is answered or over.
    pub invite: Bytes,
    /// Its transaction.
    pub server: ServerId,
    /// The dialog that answering makes; each branch has a copy with a tag of its own, the first one this very tag.
    pub dialog: Dialog,
    /// Whether a branch has that tag already.
    pub is_tag_used: bool,
    /// Whether its final answer is out.
    pub is_answered: bool,
    /// Whether the caller has heard a 180 of any branch: another one would ring it twice.
    pub has_rung: bool,
    /// Whether it carried an offer (RFC 3264); without one the callee makes it.
    pub has_offer: bool,
    /// What it says of reliable provisional answers.
    pub reliable: ReliableWish,
    /// The first codec that it offers.
    pub codec: String,
    /// What it shows of an address translator before the caller.
    pub evidence: Evidence,
}

/// What an INVITE says of reliable provisional answers (RFC 3262 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReliableWish {
    /// Nothing: none may be sent.
    None,
    /// `Supported: 100rel`: they may be.
    Supported,
    /// `Require: 100rel`: they have to be.
    Required,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallingParty {
    /// The calling user as it came in.
    pub number_in: String,
    /// The number that routing starts from: the phone's caller id, or what the gateway sent.
    pub number: String,
    /// The phone's user name; empty for a gateway.
    pub user: String,
    /// The mapping gateway; empty for a phone.
    pub gateway: String,
    /// Where the call was seen to come from.
    pub source: Flow,
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptState {
    /// Its host name is being looked up.
    Resolving,
    /// The ports of its media are being opened.
    Opening,
    /// Its INVITE has no final answer yet.
    Inviting,
    /// It has been cancelled and waits for its final answer.
    Cancelled,
    /// One of its branches answered 2xx; further 2xx may come (RFC 6026).
    Answered,
    /// It failed.
    Failed,
}

/// One INVITE of ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number within the call: [`crate::transaction::Owner::role`] of its INVITE.
    pub id: u8,
    /// How far it is.
    pub state: AttemptState,
    /// Where it goes.
    pub way: Way,
    /// Which of its way's targets is next.
    pub next_target: usize,
    /// Addresses of its last name that have not been tried (RFC 3263 §4.3).
    pub addresses: VecDeque<Flow>,
    /// What its branches begin with.
    pub dialog: Dialog,
    /// Its transaction, once the INVITE is out.
    pub client: ClientId,
    /// CSeq number of the INVITE, once it is answered 2xx.
    pub accepted: Option<u32>,
    /// The INVITE as sent, to be sent again with credentials; empty once it is answered.
    pub sent: Bytes,
    /// What has been answered to challenges.
    pub auth: Option<Box<Client>>,
    /// The credentials that the INVITE carries: whole header lines.
    pub credentials: Box<[u8]>,
    /// The timer on its progress.
    pub timer: Option<TimerId>,
    /// What has been heard of it.
    pub heard: Heard,
    /// Whether it counts among the calls of its gateway or phone.
    pub is_counted: bool,
    /// How its media goes.
    pub media: Media,
}

/// What provisional answers an attempt has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Any at all, 100 included.
    pub any: bool,
    /// One other than 100.
    pub ringing: bool,
    /// One with SDP.
    pub session: bool,
    /// Relayed media of the callee's.
    pub media: bool,
    /// When each kind of progress was heard first: its patience counts from there, however often it is said again.
    pub since: [Option<Instant>; 3],
}

impl Attempt {
    /// Whether it may still lead to an answered call.
    pub fn is_live(&self) -> bool {
        matches!(self.state, AttemptState::Resolving | AttemptState::Opening | AttemptState::Inviting)
    }

    /// Whether a final answer is still to come.
    pub fn is_pending(&self) -> bool {
        self.is_live() || self.state == AttemptState::Cancelled
    }
}

/// How far a leg has come, and who still owes what. A leg only moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LegState {
    /// An early dialog.
    Early,
    /// The INVITE was answered 2xx and the ACK is still to come (caller) or to be sent (callee).
    Answered,
    /// The dialog is confirmed.
    Confirmed,
    /// The call is over; this caller's leg waits for the ACK before the BYE may go (RFC 3261 §15).
    Closing,
    /// Our BYE is under way.
    Leaving,
    /// Nothing more is to come.
    Gone,
}

/// One leg: a dialog of its own with one peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leg {
    /// How far it is.
    pub state: LegState,
    /// Its dialog.
    pub dialog: Dialog,
    /// Its offer/answer machine.
    pub session: Session,
    /// An offer that came with a 2xx, until its ACK answers it; else empty.
    pub open_offer: Bytes,
    /// The first codec its side agreed to, from its own SDP.
    pub codec: String,
    /// What has been answered to challenges of this peer.
    pub auth: Option<Box<Client>>,
}

/// Two dialogs that belong together: one callee's To-tag, as the callee has it and as the caller sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Branch {
    /// Its number within the call.
    pub id: u8,
    /// The attempt that it answered.
    pub attempt: u8,
    /// Towards the caller.
    pub caller: Leg,
    /// Towards the callee.
    pub callee: Leg,
    /// Provisional answers that have to arrive (RFC 3262).
    pub reliable: Reliable,
    /// Requests that wait until the other leg can take them.
    pub waiting: VecDeque<Waiting>,
    /// When the first of them has waited long enough.
    pub waiting_timer: Option<TimerId>,
    /// Subscriptions inside the dialogs that are still on (RFC 3515 §2.4.4): they outlive the call.
    pub subscriptions: Vec<Subscription>,
    /// When they are given up, once the call is over.
    pub linger_timer: Option<TimerId>,
    /// What its callee has said of its relayed media, by `m=` lines.
    pub said: Vec<Option<Description>>,
    /// Whether the caller was shown anything of it.
    pub is_shown: bool,
}

impl Branch {
    /// The leg on this side.
    pub fn leg(&self, side: Side) -> &Leg {
        match side {
            Side::Caller => &self.caller,
            Side::Callee => &self.callee,
        }
    }

    /// The leg on this side.
    pub fn leg_mut(&mut self, side: Side) -> &mut Leg {
        match side {
            Side::Caller => &mut self.caller,
            Side::Callee => &mut self.callee,
        }
    }

    /// Whether nothing more is to come of it.
    pub fn is_gone(&self) -> bool {
        self.caller.state == LegState::Gone && self.callee.state == LegState::Gone && self.subscriptions.is_empty()
    }
}

/// A request inside a dialog that waits for the other leg.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Waiting {
    /// Which leg it came in on.
    pub side: Side,
    /// The transaction to answer.
    pub server: ServerId,
    /// The message.
    pub message: Bytes,
    /// Where it came from.
    pub flow: Flow,
}

/// How a call ended: decided once, by `call/teardown.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Why.
    pub reason: EndReason,
    /// By whom.
    pub direction: EndDirection,
    /// The final status that the caller's INVITE got, or gets.
    pub status: u16,
}

/// The times of a call.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Times {
    /// The INVITE came.
    pub invite: UnixMicros,
    /// The callee first rang.
    pub ring: Option<UnixMicros>,
    /// The callee answered.
    pub answer: Option<UnixMicros>,
    /// The same on the monotonic clock, from which the hold time is measured.
    pub answer_mono: Option<Instant>,
}

/// An attempt that failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// Where it went.
    pub way: Way,
    /// How.
    pub outcome: failover::Outcome,
    /// What the CDR calls it.
    pub reason: EndReason,
    /// The answer; empty where there was none.
    pub message: Bytes,
}

/// A call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Its number in the CDR: unique and rising over restarts.
    pub number: u64,
    /// The INVITE that came in.
    pub ingress: Ingress,
    /// Who calls.
    pub calling: CallingParty,
    /// The called user as it came in.
    pub callee_in: String,
    /// Where the call may still go.
    pub ways: VecDeque<Way>,
    /// INVITEs of ours.
    pub attempts: Vec<Attempt>,
    /// Dialogs, in pairs.
    pub branches: Vec<Branch>,
    /// The branch that answered.
    pub winner: Option<u8>,
    /// Dialogs of callees that were answered, and ended before the call.
    pub ended: Vec<Dialog>,
    /// Requests under way inside the dialogs.
    pub exchanges: Vec<Exchange>,
    /// Numbers of the next attempt, branch and exchange.
    pub next: Numbers,
    /// How many gateways have been tried.
    pub tried: u16,
    /// How many 3xx have been followed.
    pub redirects: u8,
    /// Attempts that failed, of which the caller is shown the best answer (RFC 3261 §16.7 step 6).
    pub failed: Vec<Failed>,
    /// What it takes up; nothing any longer once it is over.
    pub uses: Option<Use>,
    /// The Replaces line that its callee understands; empty where it replaces nothing.
    pub replaces: Box<[u8]>,
    /// How its way was found: the route's explanation and every attempt, in words.
    pub story: Vec<String>,
    /// Where it went last; none once it is answered, since its attempt says so then ([`Call::destination`]).
    pub to: Option<Box<Destination>>,
    /// SERVER_BILLING_HOLD_TIME_PRECISION at the start; a reload leaves live calls alone.
    pub precision_ms: u64,
    /// When what happened.
    pub times: Times,
    /// The timer on the conversation's length.
    pub timer: Option<TimerId>,
    /// The Reason lines (RFC 3326) of the BYE or CANCEL that ended it, for the other leg; empty where none were given.
    pub farewell: Box<[u8]>,
    /// How its media goes, once the caller has been shown a description.
    pub frozen: Option<Decision>,
    /// How it ended, once it has.
    pub end: Option<End>,
    /// When it is looked whether both sides of relayed media are heard.
    pub listen_timer: Option<TimerId>,
    /// Its CDR, while it waits for the relay's last statistics.
    pub closing: Option<Box<Closing>>,
    /// What the caller hears of a number of the switch's own.
    pub answering: Option<Box<Answering>>,
    /// What the caller hears before it is refused.
    pub announcement: Option<Box<Announcement>>,
    /// Early dialogs in which it hears something of the switch's own, until the final answer; the latest is the last.
    pub own: Vec<OwnDialog>,
}

/// What the records say of a way that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The rule that chose it.
    pub rule: String,
    /// The calling number as it goes out.
    pub caller: String,
    /// The called number as it goes out.
    pub number: String,
    /// The gateway; empty for a phone.
    pub gateway: String,
    /// The next hop, once known.
    pub flow: Option<Flow>,
    /// Call-ID there.
    pub call_id: Box<[u8]>,
    /// How its media goes, and by which rule; none before that is decided.
    pub media: Option<(Outcome, Rule)>,
}

/// The next numbers within a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// Of an attempt.
    pub attempt: u8,
    /// Of a branch.
    pub branch: u8,
    /// Of an exchange, counted from 0.
    pub exchange: u8,
}

impl Call {
    /// The attempt of this number.
    pub fn attempt(&mut self, id: u8) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|attempt| attempt.id == id)
    }

    /// The branch of this number.
    pub fn branch(&self, id: u8) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.id == id)
    }

    /// The branch of this number.
    pub fn branch_mut(&mut self, id: u8) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.id == id)
    }

    /// The exchange of this number.
    pub fn exchange(&mut self, id: u8) -> Option<&mut Exchange> {
        self.exchanges.iter_mut().find(|exchange| exchange.id == id)
    }

    /// Where it went last, or goes.
    pub fn destination(&self) -> Option<Cow<'_, Destination>> {
        let attempt = self.talk().and_then(|talk| self.attempts.iter().find(|attempt| attempt.id == talk.attempt));
        let known = || self.to.as_deref().map(Cow::Borrowed);
        attempt.map(|attempt| Cow::Owned(attempt.destination())).or_else(known)
    }

    /// The branch that answered.
    pub fn talk(&self) -> Option<&Branch> {
        self.branch(self.winner?)
    }

    /// Whether nothing more is to come: the table may let the call go.
    pub fn is_terminated(&self) -> bool {
        // That of the first INVITE is its leg's own matter.
        let awaits_ack = |exchange: &Exchange| {
            exchange.state == ExchangeState::Answered && exchange.server() != Some(self.ingress.server)
        };
        // What is about a subscription goes on after the end, and who asked for it gets the answer.
        let awaits_answer = |exchange: &Exchange| {
            exchange.state == ExchangeState::Asked && matches!(exchange.kind, Kind::Subscribe | Kind::LastNotify)
        };
        self.end.is_some()
            && self.closing.is_none()
            && !self.exchanges.iter().any(|exchange| awaits_ack(exchange) || awaits_answer(exchange))
            && self.branches.iter().all(Branch::is_gone)
            && !self.attempts.iter().any(Attempt::is_pending)
    }

    /// Timers that it has armed.
    pub fn timers(&self) -> usize {
        let of_attempts = self.attempts.iter().filter(|attempt| attempt.timer.is_some()).count();
        let of_branches = self.branches.iter().map(|branch| {
            usize::from(branch.waiting_timer.is_some())
                + usize::from(branch.linger_timer.is_some())
                + branch.reliable.timers()
        });
        let crossed = |exchange: &&Exchange| matches!(exchange.state, ExchangeState::Crossed { .. });
        usize::from(self.timer.is_some())
            + usize::from(self.listen_timer.is_some())
            + self.closing.as_ref().map_or(0, |closing| closing.timers())
            + of_attempts
            + of_branches.sum::<usize>()
            + self.exchanges.iter().filter(crossed).count()
    }
}
