//! The two clocks of the process, read once a turn.

use crosspoint_core::time::{Instant, Now, UnixMicros};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads both clocks; its monotonic zero is the moment it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: std::time::Instant,
}

impl Clock {
    /// A clock whose epoch is now.
    pub fn start() -> Clock {
        Clock { started: std::time::Instant::now() }
    }

    /// Both clocks, now.
    pub fn now(&self) -> Now {
        let mono_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Now { mono: Instant::from_micros(mono_us), wall: wall() }
    }

    /// The system's name for a deadline of the core; `None` where it lies beyond what the system can express.
    pub fn system(&self, at: Instant) -> Option<std::time::Instant> {
        self.started.checked_add(Duration::from_micros(at.as_micros()))
    }
}

/// The wall clock. A clock set before 1970 reads as 1970.
pub fn wall() -> UnixMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMicros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
