//! The oracles: what must hold in every world, whatever its links did.

use super::{Member, World};
use crate::net::kind_of;
use crate::phone::{Call, End, State};
use crosspoint_core::cdr::CallRecord;
use crosspoint_core::event::Event;
use std::collections::BTreeMap;

/// Topology hiding: nothing that one leg carries outside its body names another phone's address.
pub(super) fn leak(members: &[Member], to: usize, datagram: &[u8]) -> Option<String> {
    if kind_of(datagram) == "200 REGISTER" {
        return None; // it lists every binding of the phone's user (RFC 3261 §10.3)
    }
    let text = String::from_utf8_lossy(datagram);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let is_named = |m: &&Member| head.contains(&m.phone.settings().local.ip().to_string());
    let mut others = members.iter().enumerate().filter(|(i, _)| *i != to).map(|(_, member)| member);
    let other = others.find(is_named)?;
    let first = head.lines().next().unwrap_or_default();
    Some(format!("{} learns the address of {} from {first}", members[to].name, other.name))
}

impl World {
    /// Everything that must not have happened, in words. Meant for the end of a run, when all is quiet again.
    pub fn violations(&self) -> Vec<String> {
        let mut wrong = self.leaks.clone();
        for member in &self.members {
            wrong.extend_from_slice(member.phone.violations());
            if let Some(call) = member.phone.current_call() {
                wrong.push(format!("{} is still in a call: {:?}", member.name, call.state()));
            }
            wrong.extend(member.phone.calls().iter().filter_map(|call| unanswered(&member.name, call)));
        }
        wrong.extend(self.records());
        wrong.extend(self.residue());
        wrong
    }

    /// One record for every call that started, and none besides; each agrees with what the caller saw.
    fn records(&self) -> Vec<String> {
        let mut ends: BTreeMap<u64, Vec<&CallRecord>> = BTreeMap::new();
        for event in &self.events {
            match event {
                Event::CallStarted { call, .. } => {
                    ends.entry(*call).or_default();
                }
                Event::CallEnded { record } => ends.entry(record.flow_no).or_default().push(record),
                _ => {}
            }
        }
        let started = self.events.iter().filter(|event| matches!(event, Event::CallStarted { .. })).count();
        let mut wrong = Vec::new();
        if started != ends.len() {
            wrong.push(format!("{started} calls started under {} numbers", ends.len()));
        }
        for (number, records) in ends {
            match records[..] {
                [record] => wrong.extend(self.disagreement(record)),
                _ => wrong.push(format!("call {number} has {} records", records.len())),
            }
        }
        wrong
    }

    fn disagreement(&self, record: &CallRecord) -> Option<String> {
        let calls = self.members.iter().flat_map(|member| member.phone.calls());
        let Some(caller) = calls.clone().find(|call| call.is_outgoing() && call.call_id() == record.call_id_in) else {
            return Some(format!("call {} was placed by nobody", record.flow_no));
        };
        let told = caller.final_status()?;
        let answered = record.answer_ms.is_some();
        if told != record.sip_status || caller.was_answered() != answered {
            return Some(format!(
                "call {}: the caller saw {told}, the record says {} and answered: {answered}",
                record.flow_no, record.sip_status
            ));
        }
        let callee = calls.into_iter().find(|call| !call.is_outgoing() && call.call_id() == record.call_id_out);
        let is_up_alone = answered && callee.is_none_or(|call| call.final_status() != Some(200));
        is_up_alone.then(|| format!("call {} was answered by nobody", record.flow_no))
    }

    /// What the switch still holds although nothing is going on.
    fn residue(&self) -> Vec<String> {
        let status = self.status();
        let held = [
            (status.calls, "calls"),
            (status.transactions, "transactions"),
            (status.timers, "timers"),
            (self.switch.pump.switch().orphaned_timers(), "timers without an owner"),
            (self.switch.pump.switch().dialog_names(), "names of dialogs"),
            (usize::from(self.switch.pump.switch().has_load()), "load of calls"),
        ];
        let left = held.into_iter().filter(|(count, _)| *count > 0);
        left.map(|(count, what)| format!("the switch still holds {count} {what}")).collect()
    }
}

/// Every INVITE gets a final answer, unless its caller was told that the call is over before that could come.
fn unanswered(name: &str, call: &Call) -> Option<String> {
    let is_unanswered = call.is_outgoing() && call.state() == State::Over(End::TimedOut);
    is_unanswered.then(|| format!("{name}: call {} never got a final answer", call.number()))
}
