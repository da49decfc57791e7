//! Payload types whose numbers differ from leg to leg.

use super::stream::Format;
use crate::limits;
use serde::{Deserialize, Serialize};

/// The highest payload type (RFC 3550 §5.1: 7 bits).
const HIGHEST: u8 = 127;

/// What a payload type of one leg is called on the other. The default changes none.
///
/// Each leg chooses its dynamic numbers itself, and may not change what a number stands for while the session lasts (RFC
/// 3264 §8.3.2). So where the phone of one leg called telephone-events 101 and that of the other calls them 97, both the
/// descriptions and the packets between them are to be mapped.
///
/// The map is one to one over all 128 types, so that no two formats ever meet in one number: what stood at a new number
/// without a pair of its own moves to the old number that became free. It can be [turned round](PayloadMap::inverse).
///
/// ```
/// use crosspoint_core::sdp::PayloadMap;
///
/// let map = PayloadMap::default().with(101, 97).unwrap();
/// assert_eq!((map.get(101), map.get(97), map.get(0)), (97, 101, 0));
/// assert_eq!(map.inverse().get(97), 101);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadMap {
    /// Old and new; no old one and no new one stands twice.
    pairs: [Option<(u8, u8)>; limits::PAYLOAD_PAIRS],
}

impl PayloadMap {
    /// The map that changes nothing.
    pub const IDENTITY: PayloadMap = PayloadMap { pairs: [None; limits::PAYLOAD_PAIRS] };

    /// With `old` called `new` too. None where one is no payload type (0 to 127), `old` has another new number already,
    /// `new` is another's already, or there are [`limits::PAYLOAD_PAIRS`] pairs.
    pub fn with(mut self, old: u8, new: u8) -> Option<PayloadMap> {
        if old > HIGHEST || new > HIGHEST {
            return None;
        }
        if self.pairs().any(|pair| pair == (old, new)) {
            return Some(self);
        }
        if self.pairs().any(|(from, to)| from == old || to == new) {
            return None;
        }
        *self.pairs.iter_mut().find(|place| place.is_none())? = Some((old, new));
        Some(self)
    }

    /// The map that gives the telephone-events of `from` the numbers that `to` has for those of the same clock rate (RFC
    /// 4733 §2.4.1: their timestamps count in it, so others are no match). Takes what fits in, in the order of `from`.
    pub fn of_events(from: &[Format<'_>], to: &[Format<'_>]) -> PayloadMap {
        let mut map = PayloadMap::default();
        for event in from.iter().filter(|format| format.is_telephone_event()) {
            let is_twin =
                |other: &&Format<'_>| other.is_telephone_event() && other.clock_rate_hz == event.clock_rate_hz;
            let twin = to.iter().find(is_twin);
            map = twin.and_then(|twin| map.with(event.payload_type, twin.payload_type)).unwrap_or(map);
        }
        map
    }

    /// The new number of this type. At most [`limits::PAYLOAD_PAIRS`] steps of as many comparisons.
    pub fn get(&self, old: u8) -> u8 {
        if let Some((_, new)) = self.pairs().find(|(from, _)| *from == old) {
            return new;
        }
        let before = |new: u8| self.pairs().find(|(_, to)| *to == new).map(|(from, _)| from);
        let mut free = old;
        for _ in 0..limits::PAYLOAD_PAIRS {
            free = before(free).unwrap_or(free);
        }
        free
    }

    /// Whether it changes nothing.
    pub fn is_identity(&self) -> bool {
        self.pairs().all(|(old, new)| old == new)
    }

    /// The map back.
    #[must_use]
    pub fn inverse(&self) -> PayloadMap {
        PayloadMap { pairs: self.pairs.map(|pair| pair.map(|(old, new)| (new, old))) }
    }

    fn pairs(&self) -> impl Iterator<Item = (u8, u8)> {
        self.pairs.iter().copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn map(pairs: &[(u8, u8)]) -> PayloadMap {
        pairs.iter().fold(PayloadMap::default(), |map, (old, new)| map.with(*old, *new).unwrap())
    }

    #[test]
    fn what_has_no_pair_keeps_its_number_or_takes_the_one_that_became_free() {
        let chain = map(&[(101, 97), (97, 96)]);
        assert_eq!([101, 97, 96, 0, 127].map(|old| chain.get(old)), [97, 96, 101, 0, 127]);
        let exchange = map(&[(96, 97), (97, 96)]);
        assert_eq!([96, 97, 98].map(|old| exchange.get(old)), [97, 96, 98]);
        assert!(map(&[(101, 101)]).is_identity() && !chain.is_identity());
    }

    #[test]
    fn a_pair_that_contradicts_is_refused() {
        let one = map(&[(101, 97)]);
        assert_eq!(one.with(101, 97), Some(one));
        assert_eq!((one.with(101, 98), one.with(100, 97)), (None, None));
        assert_eq!((one.with(128, 1), one.with(1, 128)), (None, None));
        let full = map(&(0..limits::PAYLOAD_PAIRS as u8).map(|old| (old, old + 20)).collect::<Vec<_>>());
        assert_eq!((full.with(60, 61), full.with(0, 20)), (None, Some(full)));
    }

    #[test]
    fn telephone_events_find_those_of_their_clock_rate() {
        let event = |payload_type, clock_rate_hz| Format { payload_type, name: b"Telephone-Event", clock_rate_hz };
        let opus = Format { payload_type: 97, name: b"opus", clock_rate_hz: 48_000 };
        let from = [opus, event(101, 8000), event(110, 48_000), event(99, 16_000)];
        let to = [event(96, 48_000), event(120, 8000)];
        let map = PayloadMap::of_events(&from, &to);
        assert_eq!([97, 101, 110, 99].map(|old| map.get(old)), [97, 120, 96, 99]);
    }

    quickcheck! {
        fn a_map_is_one_to_one_and_its_inverse_leads_back(pairs: Vec<(u8, u8)>) -> bool {
            let narrow = |number: u8| if number < 100 { number } else { 96 + number % 8 };
            let map = pairs.into_iter().fold(PayloadMap::default(), |map, (old, new)| {
                map.with(narrow(old), narrow(new)).unwrap_or(map)
            });
            let mut taken = [false; 128];
            (0..=HIGHEST).for_each(|old| taken[usize::from(map.get(old))] = true);
            taken == [true; 128] && (0..=HIGHEST).all(|old| map.inverse().get(map.get(old)) == old)
        }
    }
}
