//! What a scenario asks of a world besides its people and faults: to part some, to be calm, to take down what is wrong.

use super::World;
use crate::check::{Lawful, Violation};
use crate::ladder::Log;
use crate::net::{Direction, Stopped};
use crosspoint_core::input::Control;
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::time::Duration;

impl World {
    /// Parts these phones from everybody else for so long.
    pub fn partition(&mut self, names: &[String], direction: Direction, stopped: Stopped, time: Duration) {
        let nodes: Vec<_> = names.iter().map(|name| self.node(name)).collect();
        let until = self.now + time;
        self.log_event(format!("{} parted for {} ms ({direction:?})", names.join(", "), time.as_millis()));
        self.permit(Lawful::CutOff);
        self.network.partition(&nodes, direction, stopped, until);
    }

    /// Ends every fault: the links are good, nothing is parted, the machine has time and room. Translators stay.
    pub fn calm(&mut self) {
        self.log_event("calm".to_owned());
        self.network.calm();
        self.fill_send_buffer(0);
        self.refuse_sends(0);
        self.slow_sink(Duration::ZERO);
        self.calm_media();
    }

    /// An operator ends every call that the switch holds.
    pub fn hang_up_all(&mut self) {
        for call in self.switch.pump.switch().calls(usize::MAX) {
            self.control(Control::Hangup(call.flow_no));
        }
    }

    /// Takes down something that must not have happened: [`World::found`] tells it with what the checks have seen.
    pub fn accuse(&mut self, violation: Violation) {
        self.accused.push(violation);
    }

    /// The log, for somebody who outlives this world: where it panics, its log is found there.
    pub fn bequeath_log(&mut self, heir: Rc<RefCell<Log>>) {
        self.log.heir = Some(heir);
    }
}

/// The log of a world, which goes to its heir when the world is gone.
pub(super) struct Paper {
    log: Log,
    heir: Option<Rc<RefCell<Log>>>,
}

impl Paper {
    pub(super) fn new(log: Log) -> Paper {
        Paper { log, heir: None }
    }
}

impl Deref for Paper {
    type Target = Log;

    fn deref(&self) -> &Log {
        &self.log
    }
}

impl DerefMut for Paper {
    fn deref_mut(&mut self) -> &mut Log {
        &mut self.log
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        if let Some(heir) = &self.heir {
            heir.replace(std::mem::take(&mut self.log));
        }
    }
}
