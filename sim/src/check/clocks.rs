//! Billing against the phones' own clocks. A phone knows when it said or heard that a call was answered, and that it was
//! over; what passed at the switch was between the two ends of each, so that the conversation is bounded exactly.

use super::{Found, Violation};
use crate::phone::{Call, Phone};
use crosspoint_core::cdr::{CallRecord, EndDirection, EndReason};
use crosspoint_core::time::Instant;
use std::collections::{BTreeMap, VecDeque};

/// Records that wait for the end, at most; phones of a longer run forget their calls too.
const KEPT: usize = 4096;

/// What a record says of a conversation.
#[derive(Debug)]
struct Charged {
    flow_no: u64,
    call_ids: [String; 2],
    hold_ms: u64,
    ended_by: EndDirection,
}

/// The records of answered calls.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    charged: VecDeque<Charged>,
}

/// What one end of a call knows.
#[derive(Clone, Copy, Debug)]
struct End {
    answered: Instant,
    left: Instant,
    /// It said so itself.
    by_itself: bool,
}

impl End {
    fn of(call: &Call) -> Option<End> {
        let (left, by_itself) = call.left_at()?;
        Some(End { answered: call.answered_at()?, left, by_itself })
    }
}

impl Clocks {
    pub(super) fn record(&mut self, record: &CallRecord) {
        // whose end nobody saw, or a process that died did
        let is_vague = matches!(record.end_reason, EndReason::Interrupted | EndReason::DialogGone);
        if record.answer_ms.is_none() || is_vague {
            return;
        }
        if self.charged.len() == KEPT {
            self.charged.pop_front();
        }
        self.charged.push_back(Charged {
            flow_no: record.flow_no,
            call_ids: [record.call_id_in.clone(), record.call_id_out.clone()],
            hold_ms: record.hold_time_ms,
            ended_by: record.end_direction,
        });
    }

    /// Compares, where everybody hears what is said.
    pub(super) fn compare<'p>(&self, phones: impl Iterator<Item = &'p Phone>, found: &mut Found) {
        let calls = phones.flat_map(|phone| phone.calls()).filter(|call| !call.is_rogue());
        let ends: BTreeMap<&str, End> = calls.filter_map(|call| Some((call.call_id(), End::of(call)?))).collect();
        for charged in &self.charged {
            let [caller, callee] = charged.call_ids.each_ref().map(|id| ends.get(id.as_str()).copied());
            let (Some(caller), Some(callee)) = (caller, callee) else { continue };
            let (least, most) = charged.bounds(caller, callee);
            if !(least..=most).contains(&charged.hold_ms) {
                let Charged { flow_no, hold_ms, .. } = charged;
                let text = format!("call {flow_no}: held for {hold_ms} ms, by its phones {least} to {most}");
                found.add(Violation::new("billing-by-phones", text).of_calls(charged.call_ids.clone()));
            }
        }
    }
}

impl Charged {
    /// The shortest and the longest conversation, in ms, that the two ends allow: it began after the callee's 2xx and
    /// before the caller had it, and it ended after the one who hung up said so and before the other one heard it.
    fn bounds(&self, caller: End, callee: End) -> (u64, u64) {
        let ms = |from: Instant, to: Instant| to.since(from).as_micros() as u64 / 1000;
        let least = match self.ended_by {
            EndDirection::Caller => ms(caller.answered, caller.left),
            EndDirection::Callee => ms(caller.answered, callee.left),
            EndDirection::Server => 0,
        };
        // where both hung up neither has heard it from the other
        let most = match caller.by_itself && callee.by_itself {
            true => u64::MAX,
            false => ms(callee.answered, caller.left.max(callee.left)),
        };
        (least, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use crosspoint_core::event::Event;
    use std::time::Duration;

    /// A call of five seconds over links of 1 ms, and what the phones say when its record says `change` ms more.
    fn wrongs(change: i64) -> usize {
        let mut world = World::new(7, &["alice", "bob"]);
        world.register_all();
        world.act("alice", |alice, now| {
            alice.call(now, "bob");
        });
        world.run_for(Duration::from_secs(5));
        world.act("bob", |bob, now| bob.hang_up(now));
        world.run_until_idle(Duration::from_secs(60));
        let record = world.events().iter().find_map(|event| match event {
            Event::CallEnded { record } => Some((**record).clone()),
            _ => None,
        });
        let mut record = record.expect("the call has ended");
        record.hold_time_ms = record.hold_time_ms.checked_add_signed(change).unwrap();
        let (mut clocks, mut found) = (Clocks::default(), Found::default());
        clocks.record(&record);
        clocks.compare(["alice", "bob"].into_iter().map(|name| world.phone(name)), &mut found);
        found.0.len()
    }

    #[test]
    fn phones_bound_a_conversation_by_the_time_that_messages_take() {
        assert_eq!([-3, 0, 3].map(wrongs), [1, 0, 1]);
    }
}
