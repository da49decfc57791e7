//! The two clocks of the switch's process, as its system shows them: right, or not.

use crosspoint_core::time::{Instant, Now, UnixMicros};
use std::time::Duration;

/// The wall clock at the beginning of a world: 2027-01-15T08:00:00Z.
const WALL_START_US: u64 = 1_800_000_000_000_000;

/// How the clocks of one process differ from the world's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The monotonic clock counts from there.
    booted: Instant,
    /// What the wall clock was set forward (or back) by.
    wall_offset_us: i64,
    /// Until then the monotonic clock shows so much less.
    behind: Duration,
    behind_until: Instant,
}

impl Clock {
    /// Both clocks, at this moment of the world.
    pub(super) fn read(&self, now: Instant) -> Now {
        let behind = if now < self.behind_until { self.behind } else { Duration::ZERO };
        let mono_us = now.since(self.booted).saturating_sub(behind).as_micros() as u64;
        let wall = UnixMicros((WALL_START_US + now.as_micros()).saturating_add_signed(self.wall_offset_us));
        Now { mono: Instant::from_micros(mono_us), wall }
    }

    /// The moment of the world at which the monotonic clock shows `mono` at the earliest.
    pub(super) fn moment(&self, mono: Instant) -> Instant {
        let right = self.booted + Duration::from_micros(mono.as_micros());
        if right >= self.behind_until { right } else { self.behind_until.min(right + self.behind) }
    }

    /// Begins again from zero: another process.
    pub(super) fn restart(&mut self, now: Instant) {
        (self.booted, self.behind) = (now, Duration::ZERO);
    }

    /// Sets the wall clock forward or back.
    pub(super) fn jump(&mut self, by_ms: i64) {
        self.wall_offset_us = self.wall_offset_us.saturating_add(by_ms.saturating_mul(1000));
    }

    /// Makes the monotonic clock show so much less for as long.
    pub(super) fn regress(&mut self, now: Instant, by: Duration) {
        (self.behind, self.behind_until) = (by, now + by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1000)
    }

    #[test]
    fn a_deadline_comes_when_the_clock_shows_it_and_not_before() {
        let mut clock = Clock::default();
        clock.restart(at(1000));
        clock.regress(at(5000), Duration::from_millis(100));
        for mono in [3900, 3999, 4000, 4050, 4099, 4100, 9000] {
            let moment = clock.moment(at(mono));
            assert!(clock.read(moment).mono >= at(mono), "{mono}");
            let before = Instant::from_micros(moment.as_micros() - 1);
            assert!(clock.read(before).mono < at(mono), "{mono}");
        }
    }

    #[test]
    fn the_wall_clock_is_set_without_the_other() {
        let mut clock = Clock::default();
        let right = clock.read(at(500));
        clock.jump(-3_600_000);
        let Now { mono, wall } = clock.read(at(500));
        assert_eq!((mono, wall.0), (right.mono, right.wall.0 - 3_600_000_000));
    }
}
