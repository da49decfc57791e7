//! Calls: the back-to-back user agent.
//!
//! A [`Call`] is a machine of its own: [`Calls`] finds it, lends it what a step needs and lets it go once nothing more is to come.
//! Its two legs share nothing but the call; nothing of one leg's identifiers or addresses reaches the other. Who does
//! what:
//!
//! | file | what |
//! |---|---|
//! | `start` | an INVITE becomes a call, or is refused with a reason |
//! | `attempt` | INVITEs of ours: rounds of them, failover, credentials |
//! | `answering` | numbers that the switch answers itself |
//! | `redirect` | redirections that are followed |
//! | `answer` | what a callee answers to them |
//! | `reliable` | provisional answers that have to arrive (RFC 3262), end to end or on one side alone |
//! | `media` | relay or direct, ports and sessions of the relay, descriptions that lead there |
//! | `offer` | whose offer is open on a leg (RFC 3264) |
//! | `inside` | requests inside the dialogs: who may pass, who waits, who is refused |
//! | `exchange` | what becomes of those that passed: answers, ACK, credentials |
//! | `glare` | requests that met (RFC 3261 §14) |
//! | `replaces` | a call that takes another's place (RFC 3891) |
//! | `refer` | Refer-To between the legs, subscriptions that outlive the call |
//! | `teardown` | the one owner of a call's end; the call lives until all its legs are gone |
//! | `passing` | requests outside dialogs that pass through (MESSAGE, OPTIONS) |
//! | `headers`, `options` | what passes of the headers, and of the extensions |
//! | `identity`, `shown` | what a side is shown of who the other is |
//! | `record`, `view` | the CDR, and what an operator sees |

mod answer;
mod answering;
mod attempt;
mod exchange;
mod glare;
pub mod headers;
pub mod identity;
mod inside;
mod media;
mod model;
mod offer;
pub mod options;
mod passing;
mod record;
mod redirect;
mod refer;
mod reliable;
mod replaces;
mod shown;
mod start;
mod teardown;
mod view;

pub use answering::Answering;
pub use inside::InDialog;
pub use media::{
    Announcement, Closing, Decided, Description, Ending, Media, OwnDialog, Port, Relayed, Ring, Station, Stream,
    StreamLeg,
};
pub use model::{
    Attempt, AttemptState, Branch, Call, CallId, CallingParty, Destination, End, Exchange, ExchangeState, Failed,
    Heard, Ingress, Kind, Leg, LegState, NewTarget, Numbers, Of, Origin, Place, ReliableWish, Side, Times, Waiting,
};
pub use offer::{Open, Session};
pub use passing::Passing;
pub use refer::Subscription;
pub use reliable::Reliable;
pub use start::{Identity, Incoming, called_number};
pub use view::{CallView, StreamView};

use crate::cx::Cx;
use crate::dialog::Tag;
use crate::dns;
use crate::handle::{Handle, Slab, Table};
use crate::input::Flow;
use crate::media::MediaReport;
use crate::registrar::Registrar;
use crate::relays::{Granted, Relays};
use crate::routing::Load;
use crate::sip::Message;
use crate::time::Now;
use crate::timers::{CallTimer, TimerId, TimerKey};
use crate::transaction::{ClientId, Owner, Party, Reply, ServerId, Transactions, Upcall};
use crate::trunk::Trunks;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// [`Owner::role`] of attempts: 0 to this, in turn.
const LAST_ATTEMPT: u8 = 63;
/// [`Owner::role`] of exchanges: from after the attempts to this, in turn.
const LAST_EXCHANGE: u8 = 250;
/// [`Owner::role`] of a request outside dialogs that passes through.
const ROLE_PASSING: u8 = 252;
/// [`Owner::role`] of our BYE on a branch that nobody needs: whatever becomes of it, nothing follows.
const ROLE_ORPHAN: u8 = 253;
/// [`Owner::role`] of a request that waits inside a dialog.
const ROLE_WAITING: u8 = 254;
/// [`Owner::role`] of the caller's INVITE.
const ROLE_INGRESS: u8 = 255;

/// Every call of the switch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Calls {
    calls: Slab<Call>,
    by_tag: Table<Tag, Place>,
    passing: Slab<Passing>,
    load: Load,
    next_number: u64,
}

/// Call numbers begin at this multiple of the start time in seconds, so they stay unique over restarts as long as the
/// average rate is below it, and below 2^53 for every reader of JSON until the year 4,800.
const NUMBERS_PER_SECOND: u64 = 100_000;

/// What the switch lends the calls for one input.
pub struct Desk<'s> {
    /// Time, chance, configuration, timers, the way out.
    pub cx: &'s mut Cx,
    /// The transaction layer.
    pub transactions: &'s mut Transactions,
    /// Who is registered.
    pub registrar: &'s Registrar,
    /// The state of the gateways.
    pub trunks: &'s mut Trunks,
    /// Ports and sessions of the relay.
    pub relays: &'s mut Relays,
    /// Names to addresses.
    pub resolver: &'s mut dns::Resolver,
}

/// What one call works with while it takes one step.
struct Step<'s> {
    id: CallId,
    cx: &'s mut Cx,
    transactions: &'s mut Transactions,
    registrar: &'s Registrar,
    trunks: &'s mut Trunks,
    relays: &'s mut Relays,
    resolver: &'s mut dns::Resolver,
    by_tag: &'s mut Table<Tag, Place>,
    load: &'s mut Load,
}

impl Step<'_> {
    /// What the call's transactions are owned by.
    fn owner(&self, role: u8) -> Owner {
        Owner { party: Party::Call, id: self.id.to_bits(), role }
    }

    /// Arms a timer of the call.
    fn arm(&mut self, after: Duration, timer: CallTimer) -> TimerId {
        self.cx.timers.arm(self.cx.now.mono + after, TimerKey::Call(self.id.to_bits(), timer))
    }

    /// Says what a tag of ours names.
    fn name(&mut self, tag: Tag, of: Of) {
        self.by_tag.insert(tag, Place { call: self.id, of });
    }

    /// Answers a request with nothing but a status.
    fn reply(&mut self, server: ServerId, status: u16, to_tag: &[u8]) {
        self.transactions.respond(self.cx, server, Reply::new(status, to_tag));
    }
}

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

    /// How many calls are up, in whatever state.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is none, and nothing passing through either.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.passing.is_empty()
    }

    /// Names of dialogs that are held: none once there is no call. For oracles.
    pub fn tags(&self) -> usize {
        self.by_tag.len()
    }

    /// Timers that calls have armed; an oracle compares the sum of all owners with what is armed.
    pub fn timers(&self) -> usize {
        self.calls.iter().map(|(_, call)| call.timers()).sum()
    }

    /// How many calls go to and from whom.
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// The call of this number.
    pub fn find(&self, number: u64) -> Option<CallId> {
        self.calls.iter().find(|(_, call)| call.number == number).map(|(id, _)| id)
    }

    /// Lets the call take a step, and lets go of it where that was its last.
    fn step<R>(&mut self, desk: Desk<'_>, id: CallId, take: impl FnOnce(&mut Call, &mut Step<'_>) -> R) -> Option<R> {
        let Desk { cx, transactions, registrar, trunks, relays, resolver } = desk;
        let Calls { calls, by_tag, load, .. } = self;
        let call = calls.get_mut(id)?;
        let mut step = Step { id, cx, transactions, registrar, trunks, relays, resolver, by_tag, load };
        let result = take(call, &mut step);
        call.sweep(&mut step);
        if call.is_terminated() {
            call.let_go(&mut step);
            calls.remove(id);
        }
        Some(result)
    }

    /// A response that a client transaction of ours lets through.
    pub fn on_answer(&mut self, desk: Desk<'_>, from: Owner, client: ClientId, message: &Message<'_>, flow: Flow) {
        let status = message.status().expect("only responses reach a client transaction's owner");
        match from.role {
            ROLE_PASSING => self.on_passing_answer(desk, from, message, status),
            ROLE_ORPHAN => {}
            role => {
                self.step(desk, Handle::from_bits(from.id), |call, step| {
                    if role <= LAST_ATTEMPT {
                        call.on_attempt_answer(step, role, client, message, flow, status);
                    } else {
                        call.on_exchange_answer(step, role, client, message, flow, status);
                    }
                });
            }
        }
    }

    /// A transaction of a call or of a passing request has run out of time, or could not be delivered.
    pub fn on_upcall(&mut self, desk: Desk<'_>, upcall: Upcall) {
        let (owner, client, status) = match upcall {
            Upcall::Timeout { client, owner } => (owner, client, 408),
            Upcall::Undelivered { client, owner } => (owner, client, 503),
            Upcall::Settled { client, owner } => {
                self.step(desk, Handle::from_bits(owner.id), |call, _| call.on_settled(owner.role, client));
                return;
            }
            Upcall::NoAck { server, owner } => {
                self.step(desk, Handle::from_bits(owner.id), |call, step| call.on_no_ack(step, server));
                return;
            }
        };
        match owner.role {
            ROLE_PASSING => self.on_passing_silence(desk, owner, status),
            ROLE_ORPHAN => {}
            role => {
                self.step(desk, Handle::from_bits(owner.id), |call, step| {
                    if role <= LAST_ATTEMPT {
                        call.on_attempt_silence(step, role, client, status);
                    } else {
                        call.on_exchange_silence(step, role, client, status);
                    }
                });
            }
        }
    }

    /// The name that an attempt waits for has been looked up.
    pub fn on_resolved(&mut self, desk: Desk<'_>, owner: Owner, answer: dns::Answer) {
        match owner.role {
            ROLE_PASSING => self.on_passing_resolved(desk, owner, answer),
            role => {
                self.step(desk, Handle::from_bits(owner.id), |call, step| call.on_resolved(step, role, answer));
            }
        }
    }

    /// A timer of a call is due.
    pub fn fire(&mut self, desk: Desk<'_>, bits: u64, timer: CallTimer) {
        self.step(desk, Handle::from_bits(bits), |call, step| match timer {
            CallTimer::Progress(attempt) => call.on_no_progress(step, attempt),
            CallTimer::MaxDuration => call.on_max_duration(step),
            CallTimer::Reliable(branch) => call.on_reliable_timer(step, branch),
            CallTimer::Crossed(exchange) => call.on_crossed_timer(step, exchange),
            CallTimer::Waiting(branch) => call.on_waiting_timer(step, branch),
            CallTimer::Linger(branch) => call.on_linger_timer(branch),
            CallTimer::Listen => call.listen(step),
            CallTimer::Statistics => call.finish_record(step),
            CallTimer::Announced => call.on_announcement_timer(step),
        });
    }

    /// A CANCEL of an INVITE of a call has come; the CANCEL itself has been answered.
    pub fn on_cancel(&mut self, desk: Desk<'_>, from: Owner, invite: ServerId, message: &Message<'_>) {
        self.step(desk, Handle::from_bits(from.id), |call, step| call.on_cancel(step, invite, message));
    }

    /// Ports that a call has asked for are open, or not to be had.
    pub fn on_granted(&mut self, desk: Desk<'_>, granted: Granted) {
        self.step(desk, Handle::from_bits(granted.call), |call, step| call.on_granted(step, granted));
    }

    /// A media shard tells something of a session of this call.
    pub fn on_media_report(&mut self, desk: Desk<'_>, call: u64, report: &MediaReport) {
        self.step(desk, Handle::from_bits(call), |call, step| call.on_media_report(step, report));
    }

    /// An operator hangs the call up.
    pub fn hang_up(&mut self, desk: Desk<'_>, id: CallId) {
        self.step(desk, id, |call, step| call.hang_up(step));
    }
}

impl Call {
    /// Forgets what is over; the branch that answered is kept for what the call still says of itself.
    fn sweep(&mut self, step: &mut Step<'_>) {
        let winner = self.winner;
        let Call { exchanges, attempts, ended, .. } = self;
        self.branches.retain_mut(|branch| {
            let is_kept = !branch.is_gone() || Some(branch.id) == winner;
            if !is_kept {
                branch.bury(step, exchanges);
                // A 2xx may still bring the dialog back, and what its PRACKs had counts there (RFC 3261 §12.2.1.1).
                let used = branch.callee.dialog.local_cseq;
                for attempt in attempts.iter_mut().filter(|attempt| attempt.id == branch.attempt) {
                    attempt.dialog.local_cseq = attempt.dialog.local_cseq.max(used);
                }
                answer::keep(ended, &branch.callee.dialog);
            }
            is_kept
        });
        if exchanges.is_empty() {
            *exchanges = Vec::new(); // calls that talk are many, and most of them do nothing else
        }
        self.attempts.retain(|attempt| {
            let is_kept = attempt.state != AttemptState::Failed;
            if !is_kept {
                step.by_tag.remove(&attempt.dialog.local_tag);
            }
            is_kept
        });
    }

    /// The call is over and out of the table: nothing of it stays behind.
    fn let_go(&mut self, step: &mut Step<'_>) {
        self.stop_announcement(step);
        step.cx.timers.cancel(&mut self.timer);
        for attempt in &mut self.attempts {
            attempt.stop(step);
            step.by_tag.remove(&attempt.dialog.local_tag);
        }
        for exchange in &mut self.exchanges {
            exchange.silence(step.cx);
        }
        for branch in &mut self.branches {
            branch.silence(step.cx);
            step.by_tag.remove(&branch.caller.dialog.local_tag);
        }
    }
}
