//! What numbers there are, and which is taken.

use super::*;
use std::ops::RangeInclusive;

const NOTHING: RangeInclusive<u16> = RangeInclusive::new(1, 0);

fn chance() -> Stream {
    Stream::new(Seed::from_number(9), 1)
}

/// The ports of each, by asking for the state of every port.
fn members(range: &Range) -> Vec<u16> {
    (0..=u16::MAX).filter(|port| range.state(*port) != PortState::Outside).collect()
}

#[test]
fn shards_share_a_range_in_even_pairs() {
    for (ports, shards, expected) in [
        (10_000..=10_009, 1, vec![(10_000, 10_009)]),
        (10_000..=10_009, 2, vec![(10_000, 10_005), (10_006, 10_009)]),
        (10_001..=10_008, 2, vec![(10_001, 10_005), (10_006, 10_008)]),
        (65_534..=65_535, 1, vec![(65_534, 65_535)]),
        (65_535..=65_535, 1, vec![(65_535, 65_535)]),
        (0..=65_535, 2, vec![(0, 32_767), (32_768, 65_535)]),
    ] {
        let ranges = Range::split(ports.clone(), &NOTHING, shards);
        let ends: Vec<(u16, u16)> = ranges
            .iter()
            .map(|range| {
                let members = members(range);
                assert_eq!(members.len() as u32, range.counts().total());
                (members[0], members[members.len() - 1])
            })
            .collect();
        assert_eq!(ends, expected, "{ports:?}");
    }
}

#[test]
fn more_shards_than_pairs_leave_some_with_nothing() {
    let mut ranges = Range::split(65_534..=65_535, &NOTHING, 3);
    let totals: Vec<u32> = ranges.iter().map(|range| range.counts().total()).collect();
    assert_eq!(totals, [2, 0, 0]);
    assert_eq!(ranges[2].take(&mut chance(), false), None);
    assert_eq!(ranges[2].state(0), PortState::Outside);
}

#[test]
fn half_a_pair_at_the_edge_is_good_for_a_single_port_only() {
    let mut range = Range::split(10_001..=10_002, &NOTHING, 1).remove(0);
    assert_eq!(range.take(&mut chance(), true), None);
    let mut taken = [range.take(&mut chance(), false), range.take(&mut chance(), false)];
    taken.sort();
    assert_eq!(taken, [Some(10_001), Some(10_002)]);
    assert_eq!(range.take(&mut chance(), false), None);
}

#[test]
fn a_range_can_be_used_up_to_its_last_port_in_no_order() {
    for is_pair in [false, true] {
        let mut range = Range::split(10_000..=10_999, &NOTHING, 1).remove(0);
        let mut chance = chance();
        let taken: Vec<u16> = std::iter::from_fn(|| range.take(&mut chance, is_pair)).collect();
        let odd = taken[..200].iter().filter(|port| *port % 2 == 1).count();
        assert!(if is_pair { odd == 0 } else { (70..130).contains(&odd) }, "{odd} of the first 200 are odd");
        let mut sorted = taken.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((taken.len(), sorted.len()), if is_pair { (500, 500) } else { (1000, 1000) });
        let rising = taken.windows(2).filter(|two| two[0] < two[1]).count();
        assert!((taken.len() * 4 / 10..taken.len() * 6 / 10).contains(&rising), "{rising} of {} rise", taken.len());
    }
}

#[test]
fn single_ports_leave_pairs_whole_once_many_stand_alone() {
    let mut range = Range::split(10_000..=19_999, &NOTHING, 1).remove(0);
    let mut chance = chance();
    for _ in 0..2_000 {
        range.take(&mut chance, false);
    }
    // 256 broken pairs, and the other single ports sit two in a pair.
    let whole = range.free_pairs();
    assert!(whole >= 5_000 - 256 - 1_000, "{whole} pairs are whole");
}

#[test]
fn the_choice_cannot_be_told_from_the_seed_of_another() {
    let first = |seed| {
        Range::split(10_000..=39_999, &NOTHING, 1)[0].clone().take(&mut Stream::new(Seed::from_number(seed), 6), true)
    };
    let firsts: std::collections::BTreeSet<_> = (0..100).map(first).collect();
    assert!(firsts.len() > 95, "{} different of 100", firsts.len());
}

#[test]
fn capacity_is_counted_both_ways() {
    for (ports, shards, expected) in [
        (10_000..=39_999, 1, "30000 ports: 15000 calls with one port a leg, 7500 with a pair a leg"),
        (10_000..=39_999, 8, "30000 ports: 15000 calls with one port a leg, 7496 with a pair a leg"),
        (40_000..=47_999, 1, "8000 ports: 4000 calls with one port a leg, 2000 with a pair a leg"),
        (10_001..=10_008, 1, "8 ports: 4 calls with one port a leg, 1 with a pair a leg"),
        (10_000..=10_003, 4, "4 ports: 2 calls with one port a leg, 0 with a pair a leg"),
    ] {
        assert_eq!(Capacity::of(ports, shards).to_string(), expected);
    }
}
