//! Requests that met: both sides of a leg asked at once (RFC 3261 §14.1, RFC 3311 §5.1).
//!
//! Where our request was refused with 491 its own peer need not know: the request waits here and goes out again, after
//! 2.1 s to 4 s on the leg whose Call-ID is ours, after 0 s to 2 s on the other. If the one it met comes first, and it
//! has the shorter wait, it passes, and ours goes back with the 491 that it now really deserves.
//!
//! A request that met nothing on its own leg, but finds the other leg not ready, waits too.

use super::{Call, ExchangeState, ROLE_WAITING, Side, Step, Waiting};
use crate::input::Flow;
use crate::limits;
use crate::sip::{Index, Message, Method, Scanned, scan};
use crate::timers::CallTimer;
use crate::transaction::{Reply, ServerId};
use bytes::Bytes;
use std::time::Duration;

/// Units of the waits after a 491 (RFC 3261 §14.1).
const UNIT_MS: u64 = 10;
/// The owner of the Call-ID waits 2.1 s to 4 s.
const OWNER_MS: (u64, u64) = (2_100, 4_000);
/// The other one waits 0 s to 2 s.
const OTHER_MS: (u64, u64) = (0, 2_000);
/// How often a request that met another is sent again before its peer gets the 491.
const CROSSINGS: u8 = 3;
/// How long a request waits for the other leg: the first resends of a 2xx bring a lost ACK within it.
const PATIENCE: Duration = Duration::from_secs(5);

impl Call {
    /// A request that was carried over got a 491. False where its peer is to have it.
    pub(super) fn on_crossing(&mut self, step: &mut Step<'_>, id: u8) -> bool {
        let exchange = self.exchange(id).expect("looked up by the caller");
        if exchange.server().is_none() || exchange.crossings >= CROSSINGS {
            return false;
        }
        exchange.crossings += 1;
        let (branch, to, has_offer) = (exchange.branch, exchange.to, exchange.has_offer);
        // The callee's leg has a Call-ID of ours, the caller's one of the caller's.
        let (least, most) = if to == Side::Callee { OWNER_MS } else { OTHER_MS };
        let units = (most - least) / UNIT_MS + 1;
        let wait = Duration::from_millis(least + UNIT_MS * step.cx.rng.jitter.below(units));
        let timer = step.arm(wait, CallTimer::Crossed(id));
        self.exchange(id).expect("looked up above").state = ExchangeState::Crossed { timer };
        if has_offer && let Some(branch) = self.branch_mut(branch) {
            branch.leg_mut(to).session.withdraw();
        }
        self.admit_waiting(step, branch);
        true
    }

    /// The wait of a request that met another is over.
    pub(super) fn on_crossed_timer(&mut self, step: &mut Step<'_>, id: u8) {
        let Some(exchange) = self.exchange(id) else { return };
        if !matches!(exchange.state, ExchangeState::Crossed { .. }) {
            return;
        }
        let (branch, to, has_offer) = (exchange.branch, exchange.to, exchange.has_offer);
        exchange.state = ExchangeState::Asked;
        if self.send_again(step, id, b"") {
            if has_offer && let Some(branch) = self.branch_mut(branch) {
                branch.leg_mut(to).session.offers();
            }
        } else {
            self.give_back(step, id, 503);
        }
    }

    /// A request that waits to be sent again makes way for the one it met.
    pub(super) fn yield_crossed(&mut self, step: &mut Step<'_>, id: u8) {
        if let Some(exchange) = self.exchange(id) {
            exchange.silence(step.cx);
            exchange.state = ExchangeState::Asked;
        }
        self.give_back(step, id, 491);
    }

    /// Ends an exchange with this answer to its peer.
    fn give_back(&mut self, step: &mut Step<'_>, id: u8, status: u16) {
        let Some(exchange) = self.exchange(id).cloned() else { return };
        self.exchanges.retain(|other| other.id != id);
        let Some(branch) = self.branch_mut(exchange.branch) else { return };
        if exchange.has_offer {
            branch.caller.session.withdraw();
            branch.callee.session.withdraw();
        }
        let tag = branch.leg(exchange.to.other()).dialog.local_tag;
        if let Some(server) = exchange.server() {
            step.reply(server, status, &tag);
        }
    }

    /// The caller of a request that met another wants it no more.
    pub(super) fn give_up_crossed(&mut self, step: &mut Step<'_>, id: u8) {
        if let Some(exchange) = self.exchange(id) {
            exchange.silence(step.cx);
            exchange.state = ExchangeState::Asked;
        }
        self.give_back(step, id, 487);
    }

    /// Takes back an INVITE that waits; false where none of that transaction does.
    pub(super) fn cancel_waiting(&mut self, step: &mut Step<'_>, server: ServerId) -> bool {
        for branch in &mut self.branches {
            let Some(at) = branch.waiting.iter().position(|one| one.server == server) else { continue };
            if let Some(one) = branch.waiting.remove(at) {
                let tag = branch.leg(one.side).dialog.local_tag;
                step.reply(server, 487, &tag);
            }
            return true;
        }
        false
    }

    /// Keeps a request until the other leg can take it.
    pub(super) fn wait(
        &mut self,
        step: &mut Step<'_>,
        (branch_id, side): (u8, Side),
        message: &Message<'_>,
        flow: Flow,
        server: ServerId,
    ) {
        let owner = step.owner(ROLE_WAITING);
        let Some(branch) = self.branch_mut(branch_id) else { return };
        let tag = branch.leg(side).dialog.local_tag;
        if branch.waiting.len() >= limits::WAITING_PER_BRANCH {
            return refuse_for_now(step, server, &tag);
        }
        let is_invite = message.method() == Some(Method::Invite);
        let message = Bytes::copy_from_slice(message.bytes());
        branch.waiting.push_back(Waiting { side, server, message, flow });
        step.transactions.adopt(server, owner, tag);
        if is_invite {
            step.reply(server, 100, b"");
        }
        if branch.waiting_timer.is_none() {
            branch.waiting_timer = Some(step.arm(PATIENCE, CallTimer::Waiting(branch_id)));
        }
    }

    /// Something has ended on a leg: who waited may try again, each once, in order.
    pub(super) fn admit_waiting(&mut self, step: &mut Step<'_>, branch_id: u8) {
        let Some(branch) = self.branch_mut(branch_id).filter(|branch| !branch.waiting.is_empty()) else { return };
        step.cx.timers.cancel(&mut branch.waiting_timer);
        for one in std::mem::take(&mut branch.waiting) {
            let mut index = Index::default();
            let Ok(Scanned::Message(message)) = scan(&one.message, &mut index) else {
                panic!("a request that waits has been read before");
            };
            self.admit(step, (branch_id, one.side), &message, one.flow, one.server);
        }
    }

    /// Those who wait have waited long enough.
    pub(super) fn on_waiting_timer(&mut self, step: &mut Step<'_>, branch_id: u8) {
        let Some(branch) = self.branch_mut(branch_id) else { return };
        branch.waiting_timer = None;
        for one in std::mem::take(&mut branch.waiting) {
            let tag = branch.leg(one.side).dialog.local_tag;
            refuse_for_now(step, one.server, &tag);
        }
    }
}

/// RFC 3261 §21.5.1 with a time after which it may work.
pub(super) fn refuse_for_now(step: &mut Step<'_>, server: ServerId, tag: &[u8]) {
    let reply = Reply { headers: b"Retry-After: 2\r\n", ..Reply::new(500, tag) };
    step.transactions.respond(step.cx, server, reply);
}
