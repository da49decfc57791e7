//! Whose packet is due next, among all that a shard plays.

use super::op::Party;
use super::session::Session;
use crate::handle::Handle;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Legs in the order of their turns. All have the same 20 ms, so whoever had a turn mostly goes to the end, and a queue
/// does with neither a search nor an allocation what a tree would do with both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Turns {
    /// Rising.
    queue: VecDeque<(Instant, Handle<Session>, Party)>,
}

impl Turns {
    /// When the first of them is due.
    pub(super) fn first(&self) -> Option<Instant> {
        self.queue.front().map(|(at, ..)| *at)
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Takes the first out, if it is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Handle<Session>, Party)> {
        let (_, session, party) = self.queue.pop_front_if(|(at, ..)| *at <= now)?;
        Some((session, party))
    }

    /// Puts one in that is not there.
    pub(super) fn insert(&mut self, at: Instant, session: Handle<Session>, party: Party) {
        let turn = (at, session, party);
        match self.queue.back() {
            Some(last) if *last > turn => {
                let place = self.queue.partition_point(|other| *other < turn);
                self.queue.insert(place, turn);
            }
            _ => self.queue.push_back(turn),
        }
    }

    /// Takes one out, if it is there.
    pub(super) fn remove(&mut self, at: Instant, session: Handle<Session>, party: Party) {
        if let Ok(place) = self.queue.binary_search(&(at, session, party)) {
            self.queue.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn turn(number: u8) -> (Instant, Handle<Session>, Party) {
        let party = Party::BOTH[usize::from(number % 2)];
        (Instant::from_micros(u64::from(number / 16)), Handle::from_bits(u64::from(number / 2 % 8)), party)
    }

    quickcheck! {
        fn turns_come_in_the_order_of_their_times(ops: Vec<(bool, u8)>) -> bool {
            let (mut turns, mut model) = (Turns::default(), std::collections::BTreeSet::new());
            for (is_in, number) in ops {
                let (at, session, party) = turn(number);
                if !is_in {
                    turns.remove(at, session, party);
                    model.remove(&turn(number));
                } else if model.insert(turn(number)) {
                    turns.insert(at, session, party);
                }
                if turns.first() != model.first().map(|first| first.0) {
                    return false;
                }
            }
            while let Some((at, session, party)) = model.pop_first() {
                let early = at.as_micros().checked_sub(1).map(Instant::from_micros);
                if early.is_some_and(|early| turns.pop(early).is_some()) || turns.pop(at) != Some((session, party)) {
                    return false;
                }
            }
            turns.pop(Instant::FAR_FUTURE).is_none()
        }
    }
}
