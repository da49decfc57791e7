//! Time that stands still, and who makes it.

use super::World;
use super::agenda::Owner;
use crosspoint_core::time::Instant;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Things that may happen at one instant, and for each member besides.
const STEPS: u64 = 10_000;
const STEPS_OF_MEMBER: u64 = 100;
/// Deadlines that a report names at most.
const NAMED: usize = 20;

/// Counts what happens at one instant.
#[derive(Debug, Default)]
pub(super) struct Stall {
    at: Instant,
    steps: u64,
    /// Whose deadlines came when half of what may happen had happened.
    rung: Vec<Owner>,
}

impl Stall {
    /// One more thing happens, a deadline of this owner or something else; whether that is too much for one instant.
    pub(super) fn count(&mut self, now: Instant, members: usize, rings: Option<Owner>) -> bool {
        if now > self.at {
            (self.at, self.steps) = (now, 0);
            self.rung.clear();
        }
        self.steps += 1;
        let limit = STEPS + STEPS_OF_MEMBER * members as u64;
        if self.steps > limit / 2 {
            self.rung.extend(rings);
        }
        self.steps > limit
    }
}

impl World {
    /// Ends a world that runs in circles, with the name of every deadline that does not move.
    pub(super) fn stalled(&self) -> ! {
        let mut times = BTreeMap::new();
        for owner in &self.stall.rung {
            *times.entry(*owner).or_insert(0_u32) += 1;
        }
        let mut often: Vec<_> = times.into_iter().filter(|(_, times)| *times > 1).collect();
        often.sort_by_key(|(owner, times)| (Reverse(*times), *owner));
        let named =
            often.iter().take(NAMED).map(|(owner, times)| format!("{}, {times} times", self.deadline_of(*owner)));
        let named: Vec<String> = named.collect();
        let now = self.now.as_micros();
        match named.is_empty() {
            true => panic!("time stands still at {now} us: no deadline is due, but things happen without end"),
            false => panic!("time stands still at {now} us: these deadlines do not move: {}", named.join("; ")),
        }
    }

    /// Whose deadline it is, and what for as far as that is known.
    fn deadline_of(&self, owner: Owner) -> String {
        match owner {
            Owner::Switch => {
                let deadline = self.switch.pump.switch().poll_timeout();
                let why = deadline.map_or("none", |deadline| deadline.why);
                format!("the switch ({why})")
            }
            Owner::Member(index) => self.members.all[index].name.clone(),
            Owner::Hostile(index) => self.hostile_name(index),
            Owner::Shard(index) => format!("media shard {index}"),
            Owner::Audio(index) => format!("{} (audio)", self.members.all[index].name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::agenda::Owner;
    use super::*;
    use std::time::Duration;

    fn again(world: &mut World) {
        world.at(Duration::ZERO, again);
    }

    /// A member that wants to be woken now, whenever it is asked.
    fn hurry(world: &mut World) {
        let index = world.members.index("bob");
        world.agenda.set(&mut world.members.all[index].alarm, Some(world.now), Owner::Member(index));
        world.at(Duration::ZERO, hurry);
    }

    #[test]
    #[should_panic(expected = "time stands still at 7000 us: these deadlines do not move: bob, ")]
    fn the_deadline_that_does_not_move_is_named() {
        let mut world = World::new(1, &["alice", "bob"]);
        world.at(Duration::from_millis(7), hurry);
        world.run_for(Duration::from_secs(1));
    }

    #[test]
    #[should_panic(expected = "no deadline is due, but things happen without end")]
    fn a_circle_without_a_deadline_is_seen_too() {
        let mut world = World::new(1, &["alice"]);
        world.at(Duration::from_millis(7), again);
        world.run_for(Duration::from_secs(1));
    }
}
