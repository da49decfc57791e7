//! Conservation of calls: one record for each, and nobody is left in one.

use super::{Found, Violation};
use crate::phone::{Call, End, Phone, State};
use crosspoint_core::cdr::CallRecord;
use crosspoint_core::event::Event;
use std::collections::BTreeMap;

/// The calls so far, by flow number, with their record once they are over.
#[derive(Debug, Default)]
pub(super) struct Calls {
    records: BTreeMap<u64, Option<Box<CallRecord>>>,
}

impl Calls {
    pub(super) fn event(&mut self, event: &Event, found: &mut Found) {
        match event {
            Event::CallStarted { call, .. } if self.records.insert(*call, None).is_some() => {
                found.add(Violation::new("one-cdr", format!("two calls have the number {call}")));
            }
            Event::CallEnded { record } => {
                let number = record.flow_no;
                let wrong = match self.records.get_mut(&number) {
                    None => "was never started",
                    Some(Some(_)) => "has two records",
                    Some(place) => {
                        *place = Some(record.clone());
                        return;
                    }
                };
                found.add(Violation::new("one-cdr", format!("call {number} {wrong}")).of_call(&record.call_id_in));
            }
            _ => {}
        }
    }

    pub(super) fn forget_past(&mut self) {
        self.records.retain(|_, record| record.is_none());
    }

    /// Every call has its record, which agrees with what the caller saw.
    pub(super) fn finish(&self, phones: &[&Phone], found: &mut Found) {
        for (number, record) in &self.records {
            match record {
                None => found.add(Violation::new("one-cdr", format!("call {number} has no record"))),
                Some(record) => {
                    if let Some(wrong) = disagreement(record, phones) {
                        let wrong = Violation::new("cdr-agrees", format!("call {number}: {wrong}"));
                        found.add(wrong.of_call(&record.call_id_in).of_call(&record.call_id_out));
                    }
                }
            }
        }
    }
}

fn disagreement(record: &CallRecord, phones: &[&Phone]) -> Option<String> {
    let mut calls = phones.iter().flat_map(|phone| phone.calls());
    let Some(caller) = calls.clone().find(|call| call.is_outgoing() && call.call_id() == record.call_id_in) else {
        return Some("it was placed by nobody".to_owned());
    };
    let told = caller.final_status()?;
    let answered = record.answer_ms.is_some();
    if told != record.sip_status || caller.was_answered() != answered {
        let status = record.sip_status;
        return Some(format!("the caller saw {told}, the record says {status} and answered: {answered}"));
    }
    let callee = calls.find(|call| !call.is_outgoing() && call.call_id() == record.call_id_out);
    let is_up_alone = answered && callee.is_none_or(|call| call.final_status() != Some(200));
    is_up_alone.then(|| "it was answered by nobody".to_owned())
}

/// What the phones hold against the switch, and in what calls they were left.
pub(super) fn phones(phones: &[&Phone], found: &mut Found) {
    for phone in phones {
        for wrong in phone.violations() {
            found.add(Violation::new("phone", wrong.clone()));
        }
        let name = &phone.settings().user;
        if let Some(call) = phone.current_call() {
            let text = format!("{name} is still in a call: {:?}", call.state());
            found.add(Violation::new("left-in-call", text).of_call(call.call_id()));
        }
        for call in phone.calls().iter().filter(|call| is_unanswered(call)) {
            let text = format!("{name}: call {} never got a final answer", call.number());
            found.add(Violation::new("unanswered-invite", text).of_call(call.call_id()));
        }
    }
}

/// Every INVITE gets a final answer, unless its caller was told that the call is over before that could come.
fn is_unanswered(call: &Call) -> bool {
    call.is_outgoing() && call.state() == State::Over(End::TimedOut)
}
