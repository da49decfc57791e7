//! What is played by hand: a few calls worth reading as a ladder.

use crate::phone::{Answering, Phone};
use crate::world::World;
use std::time::Duration;

/// The names of all scenarios and what they show; `random` is drawn by [`super::Scenario::draw`].
pub const NAMES: [(&str, &str); 6] = [
    ("random", "what the seed draws: people, their network, calls and faults; then calm, in which all must be well"),
    ("register", "a phone registers, refreshes and leaves"),
    ("call", "a call is answered, held, resumed and hung up, with audio"),
    ("busy", "the callee refuses with 486"),
    ("no-answer", "it rings until the switch gives up"),
    ("cancel", "the caller gives up while it rings"),
];

/// The longest anything takes to end: it rings for two minutes, and transactions absorb stragglers for 32 s.
const COOL_DOWN: Duration = Duration::from_secs(600);

/// Plays one to its end; none where no scenario of that name is played by hand.
pub fn run(name: &str, seed: u64) -> Option<World> {
    let mut world = match name {
        "register" | "call" | "busy" | "no-answer" | "cancel" => World::new(seed, &["alice", "bob"]),
        _ => return None,
    };
    world.register_all();
    if name == "register" {
        world.act("alice", Phone::register);
        world.run_for(Duration::from_secs(1));
        world.act("alice", Phone::unregister);
    } else {
        world.forget_log();
        one_call(&mut world, name);
    }
    world.run_until_idle(COOL_DOWN);
    Some(world)
}

fn one_call(world: &mut World, name: &str) {
    let answering = match name {
        "busy" => Answering::Reject { status: 486, after: Duration::ZERO },
        "no-answer" | "cancel" => Answering::RingOnly,
        _ => Answering::Answer { ring_after: Duration::ZERO, after: Duration::from_secs(2) },
    };
    world.act("bob", |bob, _| bob.settings_mut().answering = answering);
    world.act("alice", |alice, now| {
        alice.call(now, "bob");
    });
    if name == "call" {
        world.later(Duration::from_secs(4), "alice", Phone::hold);
        world.later(Duration::from_secs(5), "alice", Phone::resume);
    }
    if matches!(name, "call" | "cancel") {
        world.later(Duration::from_secs(6), "alice", Phone::hang_up);
    }
}
