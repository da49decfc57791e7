//! Where a crossing happens: a wire, or a world with a switch.

use super::Ground;
use crate::net::Plan;
use crate::phone::{Call, Phone, Settings};
use crate::wire::Wire;
use crate::world::World;
use crosspoint_core::event::Event;
use crosspoint_core::time::Instant;
use std::time::Duration;

pub(super) const ALICE: &str = "alice";
pub(super) const BOB: &str = "bob";

/// Both kinds of ground under one name each.
pub(super) enum Place {
    Face(Box<Wire>),
    Switch(Box<World>),
}

impl Place {
    pub(super) fn new(seed: u64, ground: Ground) -> Place {
        let mut place = match ground {
            Ground::FaceToFace => Place::Face(Box::new(Wire::new(seed, &[ALICE, BOB]))),
            Ground::Switch => {
                let mut world = World::new(seed, &[ALICE, BOB]);
                world.register_all();
                Place::Switch(Box::new(world))
            }
        };
        for name in [ALICE, BOB] {
            place.set(name, |settings| (settings.talks, settings.reuse_nonce, settings.marks) = (false, true, true));
        }
        place.forget_past();
        place
    }

    pub(super) fn set(&mut self, name: &str, change: impl FnOnce(&mut Settings)) {
        self.act(name, |phone, _| change(phone.settings_mut()));
    }

    pub(super) fn act(&mut self, name: &str, act: impl FnOnce(&mut Phone, Instant)) {
        match self {
            Place::Face(wire) => wire.act(name, act),
            Place::Switch(world) => world.act(name, act),
        }
    }

    pub(super) fn later(&mut self, after: Duration, name: &str, act: impl FnOnce(&mut Phone, Instant) + 'static) {
        match self {
            Place::Face(wire) => wire.later(after, name, act),
            Place::Switch(world) => world.later(after, name, act),
        }
    }

    /// The way out of this phone, and the way in where a switch stands at the other end.
    pub(super) fn set_links(&mut self, name: &str, out: Plan, into: Plan) {
        match self {
            Place::Face(wire) => wire.set_link(name, out),
            Place::Switch(world) => world.set_link(name, out, into),
        }
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        match self {
            Place::Face(wire) => wire.run_for(time),
            Place::Switch(world) => world.run_for(time),
        }
    }

    pub(super) fn run_until_idle(&mut self, limit: Duration) -> bool {
        match self {
            Place::Face(wire) => wire.run_until_idle(limit),
            Place::Switch(world) => world.run_until_idle(limit),
        }
    }

    pub(super) fn phone(&self, name: &str) -> &Phone {
        match self {
            Place::Face(wire) => wire.phone(name),
            Place::Switch(world) => world.phone(name),
        }
    }

    pub(super) fn last_call(&self, name: &str) -> Option<&Call> {
        self.phone(name).calls().last()
    }

    /// Whether a request of this phone still waits for its answer.
    pub(super) fn is_asking(&self, name: &str) -> bool {
        !self.phone(name).unanswered().is_empty()
    }

    pub(super) fn violations(&self) -> Vec<String> {
        match self {
            Place::Face(wire) => wire.violations(),
            Place::Switch(world) => {
                let mut wrong = world.violations();
                let asked = [ALICE, BOB].into_iter().flat_map(|name| world.phone(name).unanswered());
                wrong.extend(asked.map(|cseq| format!("{cseq} was never answered")));
                let records = world.events().iter().filter(|event| matches!(event, Event::CallEnded { .. })).count();
                if records != 1 {
                    wrong.push(format!("{records} records of one call"));
                }
                wrong
            }
        }
    }

    pub(super) fn ladder(&self, title: &str) -> String {
        match self {
            Place::Face(wire) => wire.ladder(title),
            Place::Switch(world) => world.ladder(title),
        }
    }

    pub(super) fn forget_past(&mut self) {
        match self {
            Place::Face(wire) => wire.forget_past(),
            Place::Switch(world) => world.forget_past(),
        }
    }
}
