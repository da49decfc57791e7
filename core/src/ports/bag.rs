//! A set of small numbers out of which one is drawn by chance in constant time.

use crate::rng::Stream;
use serde::{Deserialize, Serialize};

/// Stands in [`Bag::places`] for a number that is not in the set.
const ABSENT: u16 = u16::MAX;

/// A subset of `0..size`. Adding, removing and drawing cost the same however full it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bag {
    /// The members, in an order of no meaning.
    members: Vec<u16>,
    /// For each number where in `members` it stands.
    places: Vec<u16>,
}

impl Bag {
    /// An empty set of numbers below `size`, which is at most 32,768: the pairs of all ports there are.
    pub(super) fn new(size: u16) -> Bag {
        Bag { members: Vec::new(), places: vec![ABSENT; size.into()] }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The member that stands at this place, below [`Bag::len`].
    pub(super) fn at(&self, place: usize) -> u16 {
        self.members[place]
    }

    /// One of the members, each as likely as the other.
    pub(super) fn draw(&self, chance: &mut Stream) -> Option<u16> {
        self.members.get(chance.below(self.members.len() as u64) as usize).copied()
    }

    /// Puts the number in, or takes it out; a no-op where it is so already.
    pub(super) fn set(&mut self, number: u16, is_member: bool) {
        let place = self.places[usize::from(number)];
        match (place, is_member) {
            (ABSENT, true) => {
                self.places[usize::from(number)] = self.members.len() as u16;
                self.members.push(number);
            }
            (ABSENT, false) => {}
            (_, true) => {}
            (place, false) => {
                self.members.swap_remove(place.into());
                self.places[usize::from(number)] = ABSENT;
                if let Some(moved) = self.members.get(usize::from(place)) {
                    self.places[usize::from(*moved)] = place;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bag;
    use crate::rng::{Seed, Stream};
    use std::collections::BTreeSet;

    quickcheck::quickcheck! {
        fn it_holds_what_a_plain_set_holds(steps: Vec<(u16, bool)>) -> bool {
            let mut bag = Bag::new(16);
            let mut set = BTreeSet::new();
            let mut chance = Stream::new(Seed::from_number(1), 1);
            for (number, is_member) in steps {
                let number = number % 16;
                bag.set(number, is_member);
                if is_member { set.insert(number) } else { set.remove(&number) };
                let members: BTreeSet<u16> = (0..bag.len()).map(|place| bag.at(place)).collect();
                assert_eq!((&members, bag.len()), (&set, set.len()));
                assert_eq!(bag.draw(&mut chance).is_none(), set.is_empty());
                assert!(bag.draw(&mut chance).is_none_or(|drawn| set.contains(&drawn)));
            }
            true
        }
    }
}
