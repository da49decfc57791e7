//! What the operator and the process ask for.

use super::{Switch, Verdict};
use crate::config::Config;
use crate::event::Event;
use crate::input::Control;
use crate::timers::TimerKey;
use std::sync::Arc;
use std::time::Duration;

/// How long a drain waits for live calls before it ends the process all the same: the longest call at defaults.
const DRAIN_LIMIT: Duration = Duration::from_secs(7200);

impl Switch {
    pub(super) fn on_control(&mut self, control: Control) -> Verdict {
        match control {
            Control::Reload(config) => self.reload(config),
            Control::Drain => self.drain(),
            Control::Restore(record) => self.registrar.restore(&mut self.cx, *record),
            Control::Hangup(number) => {
                if let Some(id) = self.calls.find(number) {
                    let (calls, desk) = self.desk();
                    calls.hang_up(desk, id);
                }
            }
        }
        Verdict::Accepted
    }

    /// New things use the new configuration; live calls keep what they began with. The sockets, ports and shards stay as
    /// they are: those of the configuration that the process took up at its start.
    fn reload(&mut self, config: Arc<Config>) {
        let changes = self.cx.config.diff(&config);
        let mut config = Arc::unwrap_or_clone(config);
        config.keep_until_restart(&self.cx.config);
        self.cx.config = Arc::<Config>::new(config);
        self.peers.configure(&mut self.cx);
        self.trunks.reload(&mut self.cx, &mut self.transactions);
        self.generation += 1;
        self.cx.emit(Event::ConfigApplied { generation: self.generation, changes });
    }

    fn drain(&mut self) {
        if self.is_draining {
            return;
        }
        self.is_draining = true;
        self.cx.emit(Event::DrainStarted { calls: self.calls.len() as u64 });
        self.trunks.drain(&mut self.cx, &mut self.transactions);
        self.drain_limit = Some(self.cx.timers.arm(self.cx.now.mono + DRAIN_LIMIT, TimerKey::DrainLimit));
    }

    pub(super) fn on_drain_limit(&mut self) {
        self.drain_limit = None;
        self.halt();
    }

    /// Ends the process once a drain has nothing left to wait for: no call, and no registration to take back. Transactions that only absorb stragglers do not count.
    pub(super) fn halt_when_drained(&mut self) {
        if self.is_draining && self.calls.is_empty() && self.trunks.has_left() {
            self.halt();
        }
    }

    fn halt(&mut self) {
        if !self.is_halted {
            self.is_halted = true;
            self.cx.timers.cancel(&mut self.drain_limit);
            self.cx.halt();
        }
    }
}
