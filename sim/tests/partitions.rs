//! Phones that are cut off in one direction for a while.

use crosspoint_core::time::Instant;
use crosspoint_sim::net::{Direction, Stopped};
use crosspoint_sim::phone::{Notice, Phone};
use crosspoint_sim::world::World;
use std::time::Duration;

fn cut_off(stopped: Stopped, seconds: u64) -> World {
    let mut world = World::new(7, &["alice"]);
    let alice = world.node("alice");
    let until = Instant::EPOCH + Duration::from_secs(seconds);
    world.network().partition(&[alice], Direction::In, stopped, until);
    world.act("alice", Phone::register);
    world.run_for(Duration::from_secs(60));
    world
}

/// RFC 3261 §8.2.7: a challenge is made without a transaction, so the same request gets the same again, however often it
/// comes; it is one round of SS_SIP_AUTHENTICATION_RETRY.
#[test]
fn a_register_whose_challenges_are_lost_is_not_refused_for_it() {
    for stopped in [Stopped::Lost, Stopped::Held] {
        let world = cut_off(stopped, 15);
        assert_eq!(world.notices("alice"), [Notice::Registered { expires_s: 3600 }], "{}", world.ladder("cut off"));
        assert_eq!(world.violations(), [] as [String; 0]);
    }
}
