//! The timers that one transaction has running: at most one that sends again and one that ends its state.

use crate::cx::Cx;
use crate::timers::{TimerId, TimerKey, TransactionTimer as Timer};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Owns its timers: whoever drops this without [`Armed::stop_all`] leaks them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Armed {
    again: Option<TimerId>,
    end: Option<TimerId>,
}

impl Armed {
    fn slot(&mut self, timer: Timer) -> &mut Option<TimerId> {
        match timer {
            Timer::A | Timer::E | Timer::G | Timer::Trying => &mut self.again,
            Timer::B | Timer::D | Timer::F | Timer::H | Timer::I | Timer::J | Timer::K | Timer::L | Timer::M => {
                &mut self.end
            }
        }
    }

    pub(super) fn start(&mut self, cx: &mut Cx, timer: Timer, after: Duration, key: TimerKey) {
        let slot = self.slot(timer);
        assert!(slot.is_none(), "timer {timer:?} starts while another one of its kind runs");
        *slot = Some(cx.timers.arm(cx.now.mono + after, key));
    }

    pub(super) fn stop(&mut self, cx: &mut Cx, timer: Timer) {
        cx.timers.cancel(self.slot(timer));
    }

    pub(super) fn stop_all(&mut self, cx: &mut Cx) {
        cx.timers.cancel(&mut self.again);
        cx.timers.cancel(&mut self.end);
    }

    /// This timer has fired, so it is no longer armed.
    pub(super) fn fired(&mut self, timer: Timer) {
        *self.slot(timer) = None;
    }

    pub(super) fn count(&self) -> usize {
        usize::from(self.again.is_some()) + usize::from(self.end.is_some())
    }
}
