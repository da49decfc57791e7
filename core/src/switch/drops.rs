//! Drops are counted one by one and told at most once a second and reason, so that a flood does not amplify itself.

use crate::counters::DropReason;
use crate::cx::Cx;
use crate::event::Event;
use crate::timers::{TimerId, TimerKey};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The shortest time between two reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// What has been dropped since the last report.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Drops {
    told: [u64; DropReason::ALL.len()],
    timer: Option<TimerId>,
}

impl Drops {
    /// Counts one drop and arms the report.
    pub(super) fn count(&mut self, cx: &mut Cx, reason: DropReason) {
        cx.counters.drop_one(reason);
        if self.timer.is_none() {
            self.timer = Some(cx.timers.arm(cx.now.mono + REPORT_EVERY, TimerKey::DropReport));
        }
    }

    /// Tells what was dropped since the last report.
    pub(super) fn report(&mut self, cx: &mut Cx) {
        self.timer = None;
        for &reason in DropReason::ALL {
            let dropped = cx.counters.dropped[reason as usize];
            let count = dropped - std::mem::replace(&mut self.told[reason as usize], dropped);
            if count > 0 {
                cx.emit(Event::Dropped { reason, count });
            }
        }
    }

    /// Timers armed here.
    pub(super) fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }
}
