//! Provisional answers that have to arrive (RFC 3262).
//!
//! | caller | callee | what happens |
//! |---|---|---|
//! | supports 100rel | sends reliably | reliable on both legs, PRACK and its answer pass end to end |
//! | supports 100rel | does not | unreliable on both legs |
//! | requires 100rel | does not | reliable towards the caller, whose PRACK the switch answers |
//! | knows nothing of it | sends reliably (`rel100 = "on"`) | the switch sends the PRACK; unreliable towards the caller |
//! | hears the switch's ringback | sends reliably | the switch sends the PRACK; nothing towards the caller |
//!
//! In the last two the callee's answer may stand in such a provisional answer alone, which the caller has not been given so
//! that it counts: the caller gets it with the 2xx (RFC 3261 §13.2.1).
//!
//! Towards the caller one answer at a time is on its way; further ones, the 2xx too, wait for its PRACK.

use super::answer::{hear_session, show_session};
use super::exchange::NewExchange;
use super::media::Ending;
use super::start::has_session;
use super::{Branch, Call, End, Kind, LegState, Open, ReliableWish, Side, Step, options};
use crate::cdr::{EndDirection, EndReason};
use crate::cx::Cx;
use crate::dialog::MAX_FORWARDS;
use crate::input::Flow;
use crate::limits;
use crate::sip::{Header, Index, Message, Name, Scanned, Writer, scan};
use crate::timers::{CallTimer, TimerId};
use crate::transaction::{Intervals, ServerId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// First RSeq values are 1 to 2^31 - 1 (RFC 3262 §3).
const FIRST_RSEQ_BOUND: u64 = (1 << 31) - 1;

/// The reliable answers of one branch, on both its legs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reliable {
    /// RSeq of the last one sent to the caller; none yet.
    sent: Option<u32>,
    /// The one that is on its way to the caller.
    unacknowledged: Option<Unacknowledged>,
    /// Answers of the callee that wait until it has arrived.
    held: VecDeque<Bytes>,
    /// RSeq of the last one that came from the callee in order.
    heard: Option<u32>,
    /// The callee's answer to the offer, as the provisional answer that the caller was not given, or not reliably; else
    /// empty.
    kept: Box<[u8]>,
}

/// An answer that was sent to the caller and awaits its PRACK.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Unacknowledged {
    rseq: u32,
    /// The callee's own RSeq and CSeq number, where the PRACK is to go on to it.
    of_callee: Option<(u32, u32)>,
    has_session: bool,
    bytes: Bytes,
    flow: Flow,
    /// How often it was sent again.
    resends: u8,
    timer: Option<TimerId>,
}

/// What an INVITE says of reliable provisional answers.
pub(super) fn wish(invite: &Message<'_>) -> ReliableWish {
    if options::requires(invite, options::RELIABLE) {
        ReliableWish::Required
    } else if options::supports(invite, options::RELIABLE) {
        ReliableWish::Supported
    } else {
        ReliableWish::None
    }
}

/// The RSeq of an answer that was sent reliably.
fn rseq_of(answer: &Message<'_>) -> Option<u32> {
    number(answer.value(Name::RSeq)?).filter(|_| options::requires(answer, options::RELIABLE))
}

/// RAck: RSeq, CSeq number and method of what is acknowledged.
fn rack_of(prack: &Message<'_>) -> Option<(u32, u32)> {
    let mut words = prack.value(Name::RAck)?.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (rseq, cseq, method) = (number(words.next()?)?, number(words.next()?)?, words.next()?);
    (method == b"INVITE").then_some((rseq, cseq))
}

/// Whether a header is about the body.
fn is_of_body(header: &Header<'_>) -> bool {
    matches!(
        header.name,
        Name::ContentDisposition
            | Name::ContentEncoding
            | Name::ContentLanguage
            | Name::ContentLength
            | Name::ContentType
    )
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

impl Reliable {
    /// Timers that it has armed.
    pub(super) fn timers(&self) -> usize {
        usize::from(self.unacknowledged.as_ref().is_some_and(|one| one.timer.is_some()))
    }

    /// Whether a 2xx has to wait: an answer with SDP has not arrived yet, or others wait before it.
    pub(super) fn must_hold(&self) -> bool {
        !self.held.is_empty() || self.unacknowledged.as_ref().is_some_and(|one| one.has_session)
    }

    /// Keeps an answer until the one before it has arrived.
    pub(super) fn hold(&mut self, message: &Message<'_>) {
        if self.held.len() < limits::HELD_ANSWERS {
            self.held.push_back(Bytes::copy_from_slice(message.bytes()));
        }
    }

    /// The callee is gone: a PRACK that is still to come is the switch's to answer. Whether one is.
    pub(super) fn outlive_callee(&mut self) -> bool {
        self.held.clear();
        self.unacknowledged.as_mut().map(|one| one.of_callee = None).is_some()
    }

    /// Keeps a provisional answer with a description, unless one is kept that counts as much.
    fn keep(&mut self, message: &Message<'_>, decides: bool) {
        if decides || self.kept.is_empty() {
            self.kept = message.bytes().into();
        }
    }

    /// Nothing is sent again.
    pub(super) fn stop(&mut self, cx: &mut Cx) {
        self.kept = Box::default();
        if let Some(mut one) = self.unacknowledged.take() {
            cx.timers.cancel(&mut one.timer);
        }
    }
}

impl Call {
    /// The callee makes progress in this branch.
    pub(super) fn hear_provisional(
        &mut self,
        step: &mut Step<'_>,
        branch_id: u8,
        message: &Message<'_>,
        flow: Flow,
        status: u16,
    ) {
        let (wish, has_offer) = (self.ingress.reliable, self.ingress.has_offer);
        let branch = self.branch_mut(branch_id).expect("the caller holds this branch");
        let rseq = rseq_of(message);
        let decides = rseq.is_some() && branch.callee.session.open() == Open::Ours;
        if let Some(rseq) = rseq {
            // RFC 3262 §4: in order, each once; what is out of order comes again.
            if branch.reliable.heard.is_some_and(|last| rseq != last.wrapping_add(1)) {
                return;
            }
            branch.reliable.heard = Some(rseq);
            if has_session(message) {
                hear_session(&mut branch.callee.session, has_offer);
            }
        }
        branch.callee.dialog.take_answer(message, flow);
        let attempt = branch.attempt;
        let is_hidden = self.ring_locally(step, attempt);
        let is_ours_to_acknowledge = rseq.is_some() && (is_hidden || wish == ReliableWish::None);
        let branch = self.branch_mut(branch_id).expect("looked up above");
        if has_offer && has_session(message) && (is_hidden || is_ours_to_acknowledge) {
            branch.reliable.keep(message, decides);
        }
        if is_ours_to_acknowledge {
            self.acknowledge_provisional(step, branch_id, message);
        }
        if !is_hidden {
            self.show_provisional(step, branch_id, message, status);
        }
    }

    /// A 2xx of this attempt as the caller is to have it, where it does not repeat the answer that the callee has given before
    /// and the caller has not been given (RFC 3261 §13.2.1): with that answer. None where nothing is missing.
    pub(super) fn completed(&self, attempt: u8, accepted: &Message<'_>) -> Option<Bytes> {
        let tag = accepted.to().ok()?.tag().unwrap_or_default();
        let is_its = |branch: &&Branch| branch.attempt == attempt && *branch.callee.dialog.remote_tag == *tag;
        let kept = &self.branches.iter().find(is_its)?.reliable.kept;
        let mut index = Index::default();
        let Ok(Scanned::Message(before)) = scan(kept, &mut index) else { return None };
        if has_session(accepted) {
            return None;
        }
        let mut whole = Writer::response(accepted.status()?, accepted.reason().unwrap_or_default());
        let head = accepted.headers().filter(|header| !is_of_body(header));
        let body = before.headers().filter(|header| is_of_body(header) && header.name != Name::ContentLength);
        head.chain(body).for_each(|header| {
            whole.pass(&header);
        });
        Some(whole.finish(before.body()))
    }

    /// Shows the caller a provisional answer of a branch, reliably where both or it alone want that.
    fn show_provisional(&mut self, step: &mut Step<'_>, branch_id: u8, message: &Message<'_>, status: u16) {
        let wish = self.ingress.reliable;
        let rseq = rseq_of(message);
        let is_reliable = wish == ReliableWish::Required || (wish == ReliableWish::Supported && rseq.is_some());
        let has_session = has_session(message);
        let has_rung = self.ingress.has_rung || self.is_ringing();
        let is_first = self.branch(branch_id).is_some_and(|branch| branch.caller.dialog.local_tag == self.first_tag());
        // It has rung already: the same from another phone would be a second ringing. A reliable one awaits its PRACK.
        if has_rung && !has_session && !is_first && (rseq.is_none() || !is_reliable) {
            return;
        }
        if !is_reliable {
            self.ingress.has_rung |= status == 180;
            return self.show(step, branch_id, message, status, b"");
        }
        let (server, has_offer) = (self.ingress.server, self.ingress.has_offer);
        let branch = self.branch_mut(branch_id).expect("the caller holds this branch");
        if !has_offer && !has_session && branch.reliable.sent.is_none() && rseq.is_none() {
            // RFC 3262 §5: the first reliable answer to an INVITE without an offer makes one; this callee's can not.
            return;
        }
        if branch.reliable.unacknowledged.is_some() {
            return branch.reliable.hold(message);
        }
        let rseq_out = match branch.reliable.sent {
            Some(last) => last.wrapping_add(1),
            None => 1 + step.cx.rng.ids.below(FIRST_RSEQ_BOUND) as u32,
        };
        branch.reliable.sent = Some(rseq_out);
        if has_session {
            show_session(&mut branch.caller.session);
        }
        let flow = branch.caller.dialog.flow;
        let cseq = message.cseq().map_or(0, |cseq| cseq.number);
        let of_callee = rseq.filter(|_| wish != ReliableWish::None).map(|rseq| (rseq, cseq));
        self.ingress.has_rung |= status == 180;
        let lines = format!("Require: 100rel\r\nRSeq: {rseq_out}\r\n");
        self.show(step, branch_id, message, status, lines.as_bytes());
        let Some(bytes) = step.transactions.last_answer(server) else { return };
        let timer = step.arm(Intervals::of(&step.cx.config).invite(0), CallTimer::Reliable(branch_id));
        let branch = self.branch_mut(branch_id).expect("the caller holds this branch");
        branch.reliable.unacknowledged = Some(Unacknowledged {
            rseq: rseq_out,
            of_callee,
            has_session,
            bytes,
            flow,
            resends: 0,
            timer: Some(timer),
        });
    }

    /// The tag of the first branch.
    fn first_tag(&self) -> crate::dialog::Tag {
        self.ingress.dialog.local_tag
    }

    /// A reliable answer has not been acknowledged yet.
    pub(super) fn on_reliable_timer(&mut self, step: &mut Step<'_>, branch_id: u8) {
        let Some(branch) = self.branch_mut(branch_id) else { return };
        let Some(one) = &mut branch.reliable.unacknowledged else { return };
        one.timer = None;
        one.resends += 1;
        let intervals = Intervals::of(&step.cx.config);
        let waited: std::time::Duration = (0..one.resends).map(|n| intervals.invite(n)).sum();
        if waited < intervals.give_up() {
            let wait = intervals.invite(one.resends).min(intervals.give_up() - waited);
            step.cx.counters.resent += 1;
            step.cx.send(one.flow, one.bytes.clone());
            one.timer = Some(step.arm(wait, CallTimer::Reliable(branch_id)));
            return;
        }
        branch.reliable.unacknowledged = None;
        if branch.callee.state == LegState::Gone {
            branch.caller.state = LegState::Gone;
            return;
        }
        // RFC 3262 §3: after 64 T1 the request is refused.
        let (reason, direction) = (EndReason::NoPrack, EndDirection::Server);
        self.refuse(step, Ending::of(End { reason, direction, status: 504 }));
    }

    /// The caller acknowledges a provisional answer, or its callee means to.
    pub(super) fn on_prack(
        &mut self,
        step: &mut Step<'_>,
        branch_id: u8,
        side: Side,
        message: &Message<'_>,
        server: ServerId,
    ) {
        let invite_cseq = self.ingress.dialog.remote_cseq;
        let branch = self.branch_mut(branch_id).expect("the caller holds this branch");
        let tag = branch.leg(side).dialog.local_tag;
        let rack = rack_of(message).filter(|_| side == Side::Caller);
        let is_it = |one: &Unacknowledged| rack == Some((one.rseq, invite_cseq.unwrap_or(0)));
        if !branch.reliable.unacknowledged.as_ref().is_some_and(is_it) {
            return step.reply(server, 481, &tag); // RFC 3262 §3
        }
        let mut one = branch.reliable.unacknowledged.take().expect("just looked at");
        step.cx.timers.cancel(&mut one.timer);
        let has_session = has_session(message);
        let answers = has_session && branch.caller.session.open() == Open::Ours;
        match one.of_callee {
            Some((rseq, cseq)) => {
                let lines = format!("RAck: {rseq} {cseq} INVITE\r\n");
                if answers {
                    branch.caller.session.agree();
                    branch.callee.session.agree();
                }
                let new = NewExchange { branch: branch_id, from: side, kind: Kind::Prack, server, flow: one.flow };
                self.carry(step, new, message, "PRACK", lines.as_bytes(), has_session && !answers);
            }
            // An offer in it could only be the callee's to answer, which knows nothing of this PRACK.
            None => step.reply(server, if has_session && !answers { 488 } else { 200 }, &tag),
        }
        if let Some(branch) = self.branch_mut(branch_id).filter(|branch| branch.callee.state == LegState::Gone) {
            branch.caller.state = LegState::Gone;
        }
        self.show_held(step, branch_id);
    }

    /// Shows the caller what has waited, as far as it may go out now.
    fn show_held(&mut self, step: &mut Step<'_>, branch_id: u8) {
        while let Some(branch) = self.branch_mut(branch_id)
            && branch.reliable.unacknowledged.is_none()
            && branch.caller.state == LegState::Early
            && let Some(bytes) = branch.reliable.held.pop_front()
        {
            let mut index = Index::default();
            let Ok(Scanned::Message(message)) = scan(&bytes, &mut index) else {
                panic!("an answer that is held has been read before");
            };
            match message.status() {
                Some(status @ 200..) => self.show_answer(step, branch_id, &message, status),
                status => self.show_provisional(step, branch_id, &message, status.unwrap_or(183)),
            }
        }
    }

    /// Acknowledges a callee's provisional answer on the caller's behalf.
    fn acknowledge_provisional(&mut self, step: &mut Step<'_>, branch_id: u8, message: &Message<'_>) {
        let Ok(cseq) = message.cseq() else { return };
        let branch = self.branch_mut(branch_id).expect("the caller holds this branch");
        let Some(rseq) = branch.reliable.heard else { return };
        let (mut writer, token) = branch.callee.dialog.request(step.cx, "PRACK", MAX_FORWARDS);
        writer.header_fmt("RAck", format_args!("{rseq} {} INVITE", cseq.number));
        self.ask(step, branch_id, Side::Callee, Kind::Prack, writer.finish(b""), token);
    }
}
