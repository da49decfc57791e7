//! Worlds that run for long: nothing grows, and what is not kept changes nothing.

use crosspoint_sim::phone::{Answering, Phone};
use crosspoint_sim::world::World;
use std::time::Duration;

const NAMES: [&str; 6] = ["u0", "u1", "u2", "u3", "u4", "u5"];

/// So many calls, one every ten seconds, each two seconds of ringing and five of talk.
fn world_of(calls: usize, keeps: bool) -> World {
    let mut world = World::new(3, &NAMES);
    world.keep_log(keeps);
    for name in NAMES {
        world.act(name, |phone, _| {
            let settings = phone.settings_mut();
            (settings.talks, settings.refreshes, settings.lines) = (false, true, 2);
            settings.answering = Answering::Answer { ring_after: Duration::ZERO, after: Duration::from_secs(2) };
            settings.hang_up_after = Some(Duration::from_secs(5));
        });
    }
    world.register_all();
    for call in 0..calls {
        let [caller, callee] = [call, call * 5 + call / 6 + 1].map(|i| NAMES[i % NAMES.len()]);
        if caller != callee {
            world.act(caller, |phone: &mut Phone, now| {
                phone.call(now, callee);
            });
        }
        world.run_for(Duration::from_secs(10));
    }
    assert!(world.run_until_idle(Duration::from_secs(300)));
    world
}

fn remembered(world: &World) -> usize {
    NAMES.iter().map(|name| world.phone(name).calls().len()).sum()
}

#[test]
fn a_world_that_keeps_no_log_does_the_same() {
    let (with, without) = (world_of(100, true), world_of(100, false));
    assert_eq!(with.digest(), without.digest());
    assert_eq!([with.violations(), without.violations()].concat(), [] as [String; 0]);
    assert!(with.status().counters["calls_answered"] > 60);
    assert!(with.events().len() > 300 && without.events().is_empty());
    assert!(without.log().text("").lines().count() < 5);
}

#[test]
fn an_hour_of_calls_leaves_no_more_in_the_phones_than_ten_minutes() {
    let [short, long] = [60, 360].map(|calls| remembered(&world_of(calls, false)));
    // each of them is in a call every thirty seconds, and remembers two minutes
    assert!(short <= 40 && long <= 40, "{short} after ten minutes, {long} after an hour");
    assert!(remembered(&world_of(60, true)) > 80);
}
