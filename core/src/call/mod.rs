//! Calls: the back-to-back user agent.
//!
//! A [`Call`] is two legs, each with a dialog of its own; nothing of one leg's identifiers or addresses reaches the
//! other. What passes between them is an [`Exchange`]: a request that came in on one leg and went out on the other,
//! the first INVITE (exchange 0) included. Who does what:
//!
//! * `start`: an INVITE becomes a call, or is refused with a reason
//! * `answer`: what a peer answers to what we sent
//! * `inside`: requests inside the two dialogs
//! * `teardown`: the one owner of a call's end; the call lives until both legs are gone
//! * `passing`: requests outside dialogs that pass through (MESSAGE, OPTIONS)
//! * `headers`, `options`: the tables of what passes
//! * `identity`: what a side is shown of who the other is
//! * `record`: the CDR

mod answer;
pub mod headers;
pub mod identity;
mod inside;
mod model;
pub mod options;
mod passing;
mod record;
mod start;
mod teardown;
mod view;

pub use model::{Call, CallId, End, Exchange, Leg, LegState, NewTarget, Policy, Side, Times};
pub use passing::Passing;
pub use start::{Identity, Incoming, called_number};
pub use view::CallView;

use crate::cx::Cx;
use crate::dialog::Tag;
use crate::handle::{Handle, Slab, Table};
use crate::routing::Load;
use crate::time::Now;
use crate::timers::CallTimer;
use crate::transaction::{Owner, Party, Reply, ServerId, Transactions, Upcall};
use serde::{Deserialize, Serialize};

/// Exchange number of the call's first INVITE.
const FIRST_INVITE: u8 = 0;
/// Highest exchange number; the next one after it is 1.
const LAST_EXCHANGE: u8 = 199;
/// [`Owner::role`] of a request outside dialogs that passes through.
const ROLE_PASSING: u8 = 252;
/// [`Owner::role`] of our BYE on a branch of a fork that lost.
const ROLE_ORPHAN: u8 = 253;
/// [`Owner::role`] of our BYE to the caller.
const ROLE_BYE_CALLER: u8 = 254;
/// [`Owner::role`] of our BYE to the callee.
const ROLE_BYE_CALLEE: u8 = 255;

/// Every call of the switch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Calls {
    calls: Slab<Call>,
    by_tag: Table<Tag, (CallId, Side)>,
    passing: Slab<Passing>,
    load: Load,
    next_number: u64,
}

/// Call numbers begin at this multiple of the start time in seconds, so they stay unique over restarts as long as the
/// average rate is below it, and below 2^53 for every reader of JSON until the year 4,800.
const NUMBERS_PER_SECOND: u64 = 100_000;

impl Calls {
    /// No calls. `key` is the tables' hash key.
    pub fn new(key: (u64, u64), now: Now) -> Calls {
        Calls {
            calls: Slab::default(),
            by_tag: Table::new(key),
            passing: Slab::default(),
            load: Load::default(),
            next_number: now.wall.as_secs().saturating_mul(NUMBERS_PER_SECOND),
        }
    }

    /// The calls under way through each gateway.
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// How many calls are up, in whatever state.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is none, and nothing passing through either.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.passing.is_empty()
    }

    /// Timers that calls have armed; an oracle compares the sum of all owners with what is armed.
    pub fn timers(&self) -> usize {
        self.calls.iter().filter(|(_, call)| call.timer.is_some()).count()
    }

    /// The call of this number.
    pub fn find(&self, number: u64) -> Option<CallId> {
        self.calls.iter().find(|(_, call)| call.number == number).map(|(id, _)| id)
    }

    /// A transaction of a call or of a passing request has run out of time, or could not be delivered.
    pub fn on_upcall(&mut self, cx: &mut Cx, transactions: &mut Transactions, upcall: Upcall) {
        match upcall {
            Upcall::Timeout { owner, .. } => self.on_no_answer(cx, transactions, owner, 408),
            Upcall::Undelivered { owner, .. } => self.on_no_answer(cx, transactions, owner, 503),
            Upcall::NoAck { owner, .. } => self.on_no_ack(cx, transactions, owner),
        }
    }

    /// A timer of a call is due.
    pub fn fire(&mut self, cx: &mut Cx, transactions: &mut Transactions, bits: u64, timer: CallTimer) {
        let id = Handle::from_bits(bits);
        let Some(call) = self.calls.get_mut(id) else { return };
        call.timer = None;
        match timer {
            CallTimer::Progress => self.on_no_progress(cx, transactions, id),
            CallTimer::MaxDuration => self.on_max_duration(cx, transactions, id),
        }
        self.reap(cx, id);
    }

    /// Lets go of a call whose legs are both gone.
    fn reap(&mut self, cx: &mut Cx, id: CallId) {
        if !self.calls.get(id).is_some_and(Call::is_terminated) {
            return;
        }
        let mut call = self.calls.remove(id).expect("looked up above");
        cx.timers.cancel(&mut call.timer);
        self.by_tag.remove(&call.caller.dialog.local_tag);
        self.by_tag.remove(&call.callee.dialog.local_tag);
        call.uses().iter().for_each(|used| self.load.remove(used));
    }
}

/// What a call's transactions are owned by.
fn owner(id: CallId, role: u8) -> Owner {
    Owner { party: Party::Call, id: id.to_bits(), role }
}

/// Answers a request with nothing but a status.
fn reply(cx: &mut Cx, transactions: &mut Transactions, server: ServerId, status: u16, to_tag: &[u8]) {
    transactions.respond(cx, server, Reply { status, reason: None, to_tag, headers: b"", body: b"" });
}
