//! What may befall the switch and its machine.

use super::agenda::Coming;
use super::{Kernel, SWITCH_NAME, World};
use crosspoint_core::event::Event;
use crosspoint_core::input::Control;
use std::sync::Arc;
use std::time::Duration;

impl World {
    /// The process of the switch dies and another one begins, as the host's would: registrations and the records of calls
    /// that were up come from its journal, without what was appended less than `lost` ago, a minute at most. Zero is `kill -9`,
    /// a second a power failure.
    pub fn crash(&mut self, lost: Duration) {
        self.log_event(format!("crash, {} ms lost", lost.as_millis()));
        self.accused.extend(self.registrations_found());
        let recovered = self.switch.crash(self.now, lost);
        self.media.crash(self.switch.seed);
        // of what the sink had not taken nobody will ever hear, and the journal had it so much later
        let unheard = Duration::from_micros(self.switch.io.kernel.sink_delay_us);
        self.checks.wall_clock(self.now, self.switch.clock.read(self.now).wall);
        self.checks.crashed(self.now, lost + unheard);
        for record in recovered.interrupted {
            let event = Event::CallEnded { record: Box::new(record) };
            self.checks.event(self.now, &event);
            self.sink(event);
        }
        self.run_switch();
        self.accused.extend(self.registrations_found());
    }

    /// Puts a switch made of its own snapshot in the place of the one that runs; nobody is to notice.
    pub fn restart_from_snapshot(&mut self) {
        self.log_event("restart from a snapshot".to_owned());
        self.switch.restart_from_snapshot();
    }

    /// Restarts the switch from its own snapshot after every turn, as if it were killed there.
    pub fn snapshot_every_step(&mut self) {
        self.switch.snapshots_every_step = true;
    }

    /// Sets the wall clock of the switch's machine forward or back. The other clock goes on.
    pub fn jump_wall_clock(&mut self, by_ms: i64) {
        self.log_event(format!("the wall clock jumps by {by_ms} ms"));
        self.switch.clock.jump(by_ms);
    }

    /// The monotonic clock of the switch's machine shows so much less than it did, for as long.
    pub fn regress_clock(&mut self, by: Duration) {
        self.log_event(format!("the clock goes back by {} ms", by.as_millis()));
        self.switch.clock.regress(self.now, by);
        self.be_late(by);
        self.arm_switch();
    }

    /// The thread of the switch does not run for so long: what comes waits, as far as there is room.
    pub fn stall_switch(&mut self, time: Duration) {
        self.log_event(format!("stands still for {} ms", time.as_millis()));
        self.switch.stalled_until = self.switch.stalled_until.max(self.now + time);
        self.be_late(time);
        self.arm_switch();
    }

    /// What makes the switch late may come together with what made it late before.
    fn be_late(&mut self, by: Duration) {
        self.late += by;
        let wake_delay = Duration::from_micros(self.kernel().wake_delay_us);
        self.checks.may_be_late(self.late + wake_delay);
    }

    /// The sink takes events so much later than they are told. What a crash finds on the way is lost.
    pub fn slow_sink(&mut self, by: Duration) {
        self.switch.io.kernel.sink_delay_us = by.as_micros() as u64;
    }

    /// How the system treats the switch's process.
    pub fn kernel(&mut self) -> &mut Kernel {
        &mut self.switch.io.kernel
    }

    /// How often the switch's send buffer is full, in thousandths.
    pub fn fill_send_buffer(&mut self, permille: u64) {
        self.kernel().full_permille = permille;
    }

    /// How often the system refuses what the switch sends, in thousandths.
    pub fn refuse_sends(&mut self, permille: u64) {
        self.kernel().refuse_permille = permille;
    }

    /// Whether a datagram to an address where nobody is comes back as an ICMP error. Without, that is held against the
    /// switch.
    pub fn tells_refusals(&mut self, tells: bool) {
        self.kernel().tells_refusals = tells;
    }

    /// Takes a phone off the network: nobody is at its address any more.
    pub fn unplug(&mut self, name: &str) {
        let node = self.members.of_name(name).node;
        self.network.remove_node(node);
    }

    /// Gives the switch another configuration, as its operator does; one that is refused changes nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn reload(&mut self, text: &str) -> Result<(), String> {
        let parsed = crosspoint_core::config::parse(text).map_err(|findings| findings.to_string())?;
        let config = Arc::new(parsed.config);
        self.switch.configure(config.clone());
        self.control(Control::Reload(config));
        Ok(())
    }

    /// Gives the switch a wish of its operator.
    pub fn control(&mut self, control: Control) {
        self.switch.inbox.controls.push_back(control);
        self.run_switch();
    }

    /// Hands an event to the sink, when that takes it.
    pub(super) fn tell(&mut self, event: Event) {
        match self.switch.io.kernel.sink_delay_us {
            0 => self.sink(event),
            us => {
                let (boot, event) = (self.switch.boot, Box::new(event));
                self.agenda.plan(self.now + Duration::from_micros(us), Coming::Sink { boot, event });
            }
        }
    }

    /// The sink has an event.
    pub(super) fn sink(&mut self, event: Event) {
        let wall = self.switch.clock.read(self.now).wall;
        self.switch.journal.take(self.now, wall, &event);
        if self.keeps_log {
            self.log.told(self.now.as_micros(), SWITCH_NAME, &event);
            self.events.push(event);
        }
    }

    /// Writes a line of the switch into the ladder.
    pub(super) fn log_event(&mut self, text: String) {
        if self.keeps_log {
            self.log.event(self.now.as_micros(), SWITCH_NAME, text);
        }
    }
}
