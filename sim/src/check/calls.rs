//! Conservation of calls: one record for each, nobody is left in one, and what the record says is what passed.

use super::billing::{self, Billing};
use super::clocks::Clocks;
use super::dialog::Legs;
use super::schedule::Schedule;
use super::{Found, Violation};
use crate::phone::{Call, End, Phone, State};
use crosspoint_core::cdr::{CallRecord, EndReason};
use crosspoint_core::event::Event;
use crosspoint_core::time::Instant;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long an ended call is remembered, for a crash that loses the end of it, and for what may still be held of it:
/// subscriptions outlive it by three minutes, and the last request about them takes 64*T1 to fail (RFC 5057 §4.1).
const ENDED_KEPT: Duration = Duration::from_secs(250);

/// A call that is not over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// What its record is to say of the INVITE and the answer, in Unix milliseconds.
    pub(super) invite_ms: u64,
    pub(super) answer_ms: Option<u64>,
    answered: Option<Instant>,
}

/// A record, and when to look whether both legs have ended.
#[derive(Debug)]
struct Ended {
    at: Instant,
    record: Box<CallRecord>,
    open: Open,
    end_ms: u64,
}

/// The calls that are not over, and those that have just ended.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Somebody may not have heard what was said to them: see [`super::Lawful::CutOff`].
    pub(super) may_be_cut: bool,
    last: u64,
    open: BTreeMap<u64, Open>,
    /// Records that are compared once the moment of their event has passed, and answers are out.
    fresh: VecDeque<Ended>,
    /// Both legs of them have 64*T1 to end.
    closing: VecDeque<Ended>,
    recent: VecDeque<(Instant, u64)>,
    /// Calls that a crash cut off, and whether their record may be missing.
    interrupted: BTreeMap<u64, bool>,
    pub(super) billing: Billing,
    pub(super) clocks: Clocks,
}

impl Calls {
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// Calls whose record is written but of which something may still go on.
    pub(super) fn closing(&self) -> usize {
        self.recent.len()
    }

    pub(super) fn event(&mut self, now: Instant, event: &Event, found: &mut Found) {
        match event {
            Event::CallStarted { call, .. } => {
                if *call <= self.last {
                    let text = format!("call {call} began after call {}: its number does not rise", self.last);
                    found.add(Violation::new("one-cdr", text));
                }
                self.last = self.last.max(*call);
                let open = Open { invite_ms: self.billing.wall_ms(now), answer_ms: None, answered: None };
                self.open.insert(*call, open);
            }
            Event::CallAnswered { call } => {
                let answer_ms = self.billing.wall_ms(now);
                match self.open.get_mut(call) {
                    Some(open) if open.answered.is_none() => {
                        (open.answer_ms, open.answered) = (Some(answer_ms), Some(now));
                    }
                    _ => found.add(Violation::new("one-cdr", format!("call {call} is answered, and is not waiting"))),
                }
            }
            Event::CallEnded { record } => self.ended(now, record, found),
            _ => {}
        }
    }

    fn ended(&mut self, now: Instant, record: &CallRecord, found: &mut Found) {
        let number = record.flow_no;
        if let Some(open) = self.open.remove(&number) {
            let end_ms = self.billing.wall_ms(now);
            self.clocks.record(record);
            self.recent.push_back((now, number));
            self.fresh.push_back(Ended { at: now, record: Box::new(record.clone()), open, end_ms });
        } else if record.end_reason != EndReason::Interrupted || self.interrupted.remove(&number).is_none() {
            let text = format!("call {number} has a record, and none was due");
            found.add(Violation::new("one-cdr", text).of_call(&record.call_id_in));
        }
    }

    /// Every call that was up has a record `interrupted` now; it may be missing of those whose answer, or whose end,
    /// stands in the lost part of the journal, and of those that were not answered.
    pub(super) fn crashed(&mut self, now: Instant, lost: Duration) {
        for (number, open) in std::mem::take(&mut self.open) {
            let is_known = open.answered.is_some_and(|at| now.since(at) > lost);
            self.interrupted.insert(number, !is_known);
        }
        for (at, number) in self.recent.drain(..) {
            if now.since(at) <= lost {
                self.interrupted.insert(number, true);
            }
        }
        self.fresh.clear();
        self.closing.clear();
        // a process counts from its wall clock, which may have been set back
        self.last = 0;
    }

    /// Compares records with what passed, and legs that have had their time.
    pub(super) fn look(&mut self, now: Instant, legs: &Legs, rules: &Schedule, found: &mut Found) {
        while let Some(ended) = self.fresh.pop_front_if(|ended| ended.at < now) {
            ended.compare(legs, &self.billing, rules, found);
            self.closing.push_back(ended);
        }
        let time = rules.give_up() + rules.slack + Duration::from_secs(1);
        while let Some(ended) = self.closing.pop_front_if(|ended| now.since(ended.at) >= time) {
            if !self.may_be_cut {
                ended.check_legs(legs, found);
            }
        }
        while self.recent.pop_front_if(|(at, _)| now.since(*at) >= ENDED_KEPT).is_some() {}
    }

    /// What is left at the end.
    pub(super) fn finish(&self, legs: &Legs, rules: &Schedule, found: &mut Found) {
        for ended in &self.fresh {
            ended.compare(legs, &self.billing, rules, found);
        }
        for ended in self.fresh.iter().chain(&self.closing) {
            if !self.may_be_cut {
                ended.check_legs(legs, found);
            }
        }
        let missing = self.interrupted.iter().filter(|(_, may_be_missing)| !**may_be_missing);
        for number in self.open.keys().chain(missing.map(|(number, _)| number)) {
            found.add(Violation::new("one-cdr", format!("call {number} has no record")));
        }
    }
}

impl Ended {
    fn tell(&self, check: &'static str, text: &str, found: &mut Found) {
        let CallRecord { flow_no, call_id_in, call_id_out, .. } = &*self.record;
        found.add(Violation::new(check, format!("call {flow_no}: {text}")).of_call(call_id_in).of_call(call_id_out));
    }

    fn compare(&self, legs: &Legs, billing: &Billing, rules: &Schedule, found: &mut Found) {
        let record = &*self.record;
        let caller = legs.get(&record.call_id_in).filter(|leg| !leg.is_ours);
        let Some(caller) = caller else {
            // a caller that lost its power ended the leg long ago, and it is forgotten
            if !legs.may_be_cut {
                self.tell("cdr-agrees", "it was placed by nobody", found);
            }
            return;
        };
        let is_answered = record.answer_ms.is_some();
        if caller.status != Some(record.sip_status) || caller.answered.is_some() != is_answered {
            let (told, status) = (caller.status, record.sip_status);
            let text = format!("the caller was told {told:?}, the record says {status} and answered: {is_answered}");
            self.tell("cdr-agrees", &text, found);
        }
        let callee = legs.get(&record.call_id_out).filter(|leg| leg.is_ours);
        // the switch's own numbers have no leg behind it
        let is_by_switch = record.media_rule == "N1" && record.call_id_out.is_empty();
        if is_answered && !is_by_switch && callee.is_none_or(|leg| leg.answered.is_none()) {
            self.tell("cdr-agrees", "it was answered by nobody", found);
        }
        if let (Some(came), Some(went)) = (caller.max_forwards, callee.and_then(|leg| leg.max_forwards))
            && went + 1 != came
        {
            self.tell("max-forwards", &format!("Max-Forwards {came} came and {went} went on"), found);
        }
        let legs = billing::Legs { caller, callee };
        for wrong in billing.wrongs(record, &self.open, self.end_ms, &legs, rules.slack) {
            self.tell("billing", &wrong, found);
        }
    }

    fn check_legs(&self, legs: &Legs, found: &mut Found) {
        for call_id in [&self.record.call_id_in, &self.record.call_id_out] {
            if let Some(leg) = legs.left_over(call_id) {
                let whose = if leg.is_ours { "callee" } else { "caller" };
                self.tell("left-in-call", &format!("it is over, and its {whose} was not told"), found);
            }
        }
    }
}

/// What the phones hold against the switch, and in what calls they were left.
pub(super) fn phones(phones: &[&Phone], legs: &Legs, may_be_cut: bool, found: &mut Found) {
    for phone in phones {
        for (wrong, call_id) in phone.violations().iter().zip(phone.blamed_calls()) {
            found.add(Violation::new("phone", wrong.clone()).of_call(call_id));
        }
        let name = &phone.settings().user;
        if let Some(call) = phone.current_call() {
            let text = format!("{name} is still in a call: {:?}", call.state());
            found.add(Violation::new("left-in-call", text).of_call(call.call_id()));
        }
        let is_due = |call: &&Call| is_unanswered(call) && !may_be_cut && !legs.is_cut_off(call.call_id());
        for call in phone.calls().iter().filter(is_due) {
            let text = format!("{name}: call {} never got a final answer", call.number());
            found.add(Violation::new("request-answered", text).of_call(call.call_id()));
        }
    }
}

/// Every INVITE gets a final answer, unless its caller was told that the call is over before that could come.
fn is_unanswered(call: &Call) -> bool {
    call.is_outgoing() && call.state() == State::Over(End::TimedOut)
}
