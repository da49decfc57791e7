//! What a call is made of: plain data.

use crate::cdr::{EndDirection, EndReason};
use crate::dialog::Dialog;
use crate::handle::Handle;
use crate::input::Flow;
use crate::routing::{Destination, Use};
use crate::time::{Instant, UnixMicros};
use crate::timers::TimerId;
use crate::transaction::{ClientId, ServerId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

/// How far a leg has come, and who still owes what. A leg only moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegState {
    /// Its first INVITE has no final answer yet.
    Inviting,
    /// Its first INVITE was answered 2xx and the ACK is still to come (caller) or to be sent (callee).
    Answered,
    /// The dialog is confirmed.
    Confirmed,
    /// The call is over; this caller's leg waits for the ACK before the BYE may go (RFC 3261 §15), or this callee's leg
    /// has been cancelled and waits for its final answer.
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
    /// The gateway's name; empty for a phone.
    pub gateway: String,
    /// The first codec its side agreed to, from its own SDP.
    pub codec: String,
}

/// A request that came in on one leg and went out on the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// Its number within the call: [`crate::transaction::Owner::role`] of both transactions.
    pub id: u8,
    /// Which leg it came in on.
    pub from: Side,
    /// Whether it is an INVITE, so that an ACK follows.
    pub is_invite: bool,
    /// CSeq number on the leg it came in on.
    pub server_cseq: u32,
    /// CSeq number on the leg it went out on.
    pub client_cseq: u32,
    /// The transaction to answer, until the final answer has been given.
    pub server: ServerId,
    /// The transaction that awaits the answer.
    pub client: ClientId,
    /// Whether the final answer has been passed back; an INVITE answered 2xx then awaits its ACK.
    pub is_answered: bool,
    /// Whether a CANCEL was passed on.
    pub is_cancelled: bool,
    /// The Contact that a re-INVITE carried: the leg's target once the answer is 2xx (RFC 3261 §12.2.2).
    pub new_target: Option<NewTarget>,
}

/// A target that waits for its request's 2xx.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTarget {
    /// The Contact URI.
    pub uri: Box<[u8]>,
    /// Where it leads.
    pub flow: Flow,
}

/// What the configuration said when the call began; a reload leaves live calls alone.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// SS_SIP_TIMEOUT_INVITE: until the callee's first answer of any kind.
    pub invite: Duration,
    /// SS_SIP_TIMEOUT_TRYING: after its 100.
    pub trying: Duration,
    /// SS_SIP_TIMEOUT_SESSION_PROGRESS: after a 183 without SDP.
    pub progress: Duration,
    /// SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP: after a 183 with SDP.
    pub progress_sdp: Duration,
    /// SS_SIP_TIMEOUT_RINGING: after a 180.
    pub ringing: Duration,
    /// SS_SIP_NO_TIMER_REINVITE_INTERVAL: longest conversation.
    pub max_talk: Option<Duration>,
    /// SERVER_BILLING_HOLD_TIME_PRECISION.
    pub precision_ms: u64,
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

/// A call: two legs and what passes between them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Its number in the CDR: unique and rising over restarts.
    pub number: u64,
    /// The leg that called.
    pub caller: Leg,
    /// The leg that is called.
    pub callee: Leg,
    /// The calling user as it came in.
    pub caller_in: String,
    /// The calling user as the callee sees it.
    pub caller_out: String,
    /// The called user as it came in.
    pub callee_in: String,
    /// Where the call was seen to come from.
    pub source: Flow,
    /// Where it goes.
    pub destination: Destination,
    /// The rule that chose the route.
    pub route_rule: String,
    /// Requests under way between the legs.
    pub exchanges: Vec<Exchange>,
    /// Number of the next exchange.
    pub next_exchange: u8,
    /// What the configuration said at the start.
    pub policy: Policy,
    /// When what happened.
    pub times: Times,
    /// The timer on the callee's progress, later on the conversation's length.
    pub timer: Option<TimerId>,
    /// The Reason lines (RFC 3326) of the BYE or CANCEL that ended it, for the other leg; empty where none were given.
    pub farewell: Box<[u8]>,
    /// How it ended, once it has; its CDR is then written.
    pub end: Option<End>,
}

impl Call {
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

    /// What it takes up.
    pub fn uses(&self) -> [Use; 2] {
        [&self.caller, &self.callee].map(|leg| Use { gateway: leg.gateway.clone(), ..Use::default() })
    }

    /// Whether both legs are gone: the table may let the call go.
    pub fn is_terminated(&self) -> bool {
        self.end.is_some() && self.caller.state == LegState::Gone && self.callee.state == LegState::Gone
    }

    /// The exchange of this number.
    pub fn exchange(&mut self, id: u8) -> Option<&mut Exchange> {
        self.exchanges.iter_mut().find(|exchange| exchange.id == id)
    }
}
