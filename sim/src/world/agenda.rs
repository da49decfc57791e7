//! What will happen: one heap by (time, sequence).
//!
//! The deadline of a node moves with everything the node does, so its entry is not moved along: it stays, and is found
//! stale when its time comes. An [`Alarm`] knows which entry stands for it.

use super::World;
use crate::net::Arrival;
use crate::phone::Phone;
use bytes::Bytes;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Flow, QueryId};
use crosspoint_core::ports::PortReply;
use crosspoint_core::time::Instant;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// The thread of the switch.
    Switch,
    /// The signalling of the member of this index.
    Member(usize),
    /// Its audio.
    Audio(usize),
    /// The attacker of this index.
    Hostile(usize),
    /// The thread of this media shard.
    Shard(u16),
}

/// What a scripted moment does with a phone.
pub(super) type Act = Box<dyn FnOnce(&mut Phone, Instant)>;

/// Something that will happen.
pub(super) enum Coming {
    /// A deadline may be there.
    Deadline(Owner),
    /// A datagram is at the socket of whom it was sent to.
    Arrival(Arrival),
    /// The system has room for a datagram that waited in the send buffer of this run of the switch.
    Leaves { boot: u64, flow: Flow, datagram: Bytes },
    /// The system tells this run of the switch that nothing listens there.
    Undelivered { boot: u64, flow: Flow },
    /// A nameserver answers a query of this run of the switch.
    Reply { boot: u64, query: QueryId, message: Option<Vec<u8>> },
    /// A thread of media tells this run of the switch of a port.
    Port { boot: u64, reply: PortReply },
    /// A slow sink takes an event of this run of the switch.
    Sink { boot: u64, event: Box<Event> },
    /// A scripted moment of a phone.
    Act { member: usize, act: Act },
    /// A scripted moment of the world.
    Moment(Box<dyn FnOnce(&mut World)>),
}

struct Entry {
    at: Instant,
    sequence: u64,
    coming: Coming,
}

/// A heap gives the greatest first: the earliest is the greatest.
impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Entry {}

/// A deadline that moves, and the entry of the heap that stands for it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alarm {
    wanted: Option<Instant>,
    /// The earliest entry; those that were queued before it for a later time are stale.
    queued: Option<Instant>,
}

/// Everything that will happen.
#[derive(Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Entry>,
    sequence: u64,
    /// Entries that are no deadlines: with none of them, and nobody busy, nothing happens any more.
    things: usize,
}

impl Agenda {
    /// Plans this for then, behind all else that is planned for then.
    pub(super) fn plan(&mut self, at: Instant, coming: Coming) {
        self.things += usize::from(!matches!(coming, Coming::Deadline(_)));
        self.sequence += 1;
        self.heap.push(Entry { at, sequence: self.sequence, coming });
    }

    /// Sets an alarm to another time, or to none.
    pub(super) fn set(&mut self, alarm: &mut Alarm, at: Option<Instant>, owner: Owner) {
        alarm.wanted = at;
        if let Some(at) = at.filter(|at| alarm.queued.is_none_or(|queued| *at < queued)) {
            alarm.queued = Some(at);
            self.plan(at, Coming::Deadline(owner));
        }
    }

    /// Whether the entry of this time, just taken, makes the alarm ring; where it is to ring later that is planned.
    pub(super) fn rings(&mut self, alarm: &mut Alarm, at: Instant, owner: Owner) -> bool {
        if alarm.queued != Some(at) {
            return false;
        }
        alarm.queued = None;
        let is_due = alarm.wanted.is_some_and(|wanted| wanted <= at);
        if !is_due {
            self.set(alarm, alarm.wanted, owner);
        }
        is_due
    }

    /// The next thing, if it comes until `end`.
    pub(super) fn next(&mut self, end: Instant) -> Option<(Instant, Coming)> {
        self.heap.peek().filter(|entry| entry.at <= end)?;
        let Entry { at, coming, .. } = self.heap.pop()?;
        self.things -= usize::from(!matches!(coming, Coming::Deadline(_)));
        Some((at, coming))
    }

    /// Whether nothing but deadlines is left.
    pub(super) fn is_empty(&self) -> bool {
        self.things == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> Instant {
        Instant::from_micros(us)
    }

    /// Takes everything; the times at which the alarm rings and is then set to the next of `later`.
    fn rings(agenda: &mut Agenda, alarm: &mut Alarm, mut later: Vec<u64>) -> Vec<u64> {
        let mut rung = Vec::new();
        while let Some((now, _)) = agenda.next(Instant::FAR_FUTURE) {
            if agenda.rings(alarm, now, Owner::Switch) {
                rung.push(now.as_micros());
                agenda.set(alarm, later.pop().map(at), Owner::Switch);
            }
        }
        rung
    }

    #[test]
    fn an_alarm_rings_once_at_its_last_time_however_often_it_was_moved() {
        for times in [vec![5], vec![5, 9], vec![9, 5], vec![5, 9, 5], vec![9, 5, 9], vec![3, 9, 5, 7]] {
            let (mut agenda, mut alarm) = (Agenda::default(), Alarm::default());
            times.iter().for_each(|us| agenda.set(&mut alarm, Some(at(*us)), Owner::Switch));
            assert_eq!(rings(&mut agenda, &mut alarm, vec![]), [times[times.len() - 1]], "{times:?}");
        }
    }

    #[test]
    fn an_alarm_that_is_taken_back_does_not_ring_and_one_set_again_does() {
        let (mut agenda, mut alarm) = (Agenda::default(), Alarm::default());
        agenda.set(&mut alarm, Some(at(5)), Owner::Switch);
        agenda.set(&mut alarm, None, Owner::Switch);
        assert_eq!(rings(&mut agenda, &mut alarm, vec![]), [0; 0]);
        agenda.set(&mut alarm, Some(at(5)), Owner::Switch);
        assert_eq!(rings(&mut agenda, &mut alarm, vec![20, 8]), [5, 8, 20]);
    }

    #[test]
    fn what_is_planned_for_one_moment_happens_in_the_order_of_planning() {
        let mut agenda = Agenda::default();
        for (query, us) in [(0, 7), (1, 3), (2, 7), (3, 3)] {
            agenda.plan(at(us), Coming::Reply { boot: 0, query: QueryId(query), message: None });
        }
        let order = std::iter::from_fn(|| match agenda.next(at(7))?.1 {
            Coming::Reply { query, .. } => Some(query.0),
            _ => None,
        });
        assert_eq!(order.collect::<Vec<_>>(), [1, 3, 0, 2]);
        assert!(agenda.is_empty());
    }
}
