//! The order inside an SRV set: by priority, and by chance where priorities are equal (RFC 2782, "Weight").

use crate::input::Transport;
use crate::rng::Stream;
use std::net::SocketAddr;

/// One place to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) remote: SocketAddr,
    pub(super) transport: Transport,
}

/// One record of a set with the addresses of its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Smaller goes first.
    pub(super) priority: u16,
    /// Its share among those of equal priority.
    pub(super) weight: u16,
    pub(super) targets: Vec<Target>,
}

/// The set in an order drawn for one asker.
pub(super) fn order(mut set: Vec<Choice>, chance: &mut Stream) -> Vec<Choice> {
    // "arranged in any order, except that all those with weight 0 are placed at the beginning of the list"
    set.sort_by_key(|choice| (choice.priority, choice.weight != 0));
    let mut ordered = Vec::with_capacity(set.len());
    while let Some(priority) = set.first().map(|choice| choice.priority) {
        let equal = set.iter().take_while(|choice| choice.priority == priority);
        let sum: u64 = equal.map(|choice| u64::from(choice.weight)).sum();
        let drawn = chance.below(sum + 1);
        let mut running = 0;
        let at = set.iter().position(|choice| {
            running += u64::from(choice.weight);
            running >= drawn
        });
        ordered.push(set.remove(at.expect("the running sum reaches the sum, and what is drawn is no more than that")));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::{Choice, order};
    use crate::rng::{Seed, Stream};
    use quickcheck::quickcheck;

    fn set(records: &[(u16, u16)]) -> Vec<Choice> {
        records.iter().map(|&(priority, weight)| Choice { priority, weight, targets: Vec::new() }).collect()
    }

    #[test]
    fn weights_share_the_load() {
        let mut chance = Stream::new(Seed::from_number(3), 4);
        let mut first = [0; 3];
        for _ in 0..10_000 {
            let ordered = order(set(&[(1, 60), (1, 30), (1, 10), (0, 1)]), &mut chance);
            assert_eq!(ordered[0].priority, 0);
            first[[60, 30, 10].iter().position(|&weight| weight == ordered[1].weight).unwrap()] += 1;
        }
        let [most, some, few] = first;
        assert!(
            (5700..6300).contains(&most) && (2700..3300).contains(&some) && (800..1200).contains(&few),
            "{first:?}"
        );
    }

    #[test]
    fn weight_zero_is_chosen_seldom_but_not_never() {
        let mut chance = Stream::new(Seed::from_number(3), 4);
        let is_first = |chance: &mut Stream| order(set(&[(1, 9), (1, 0)]), chance)[0].weight == 0;
        let first = (0..10_000).filter(|_| is_first(&mut chance)).count();
        assert!((800..1200).contains(&first), "one in ten: {first}");
    }

    quickcheck! {
        fn nothing_is_lost_and_priorities_rise(records: Vec<(u16, u16)>, seed: u64) -> bool {
            let ordered = order(set(&records), &mut Stream::new(Seed::from_number(seed), 4));
            let mut kept: Vec<(u16, u16)> = ordered.iter().map(|choice| (choice.priority, choice.weight)).collect();
            let rises = kept.is_sorted_by_key(|&(priority, _)| priority);
            let mut records = records;
            records.sort_unstable();
            kept.sort_unstable();
            rises && kept == records
        }
    }
}
