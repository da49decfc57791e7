//! Scenes for ladders: phones and gateways around the switch, and what must hold when all is over.

use crosspoint_core::event::Event;
use crosspoint_sim::phone::sdp::{Codec, Direction};
use crosspoint_sim::phone::{Phone, Settings};
use crosspoint_sim::world::{DOMAIN, PASSWORD, SWITCH, World};
use std::time::Duration;

/// The caller, to the left of the switch.
pub const ALICE: &str = "alice";
/// The callee.
pub const BOB: &str = "bob";
/// The third party.
pub const CAROL: &str = "carol";

/// Seconds.
pub fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Milliseconds.
pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Phones that are registered, nothing on paper yet. They know their nonce, say who wrote a description, and hold a 491
/// against the switch for which nothing crossed.
pub fn phones(names: &[&str], change: impl Fn(&mut Settings)) -> World {
    let mut world = World::new(1, names);
    for name in names {
        world.act(name, |phone, _| {
            usual(phone.settings_mut());
            change(phone.settings_mut());
        });
    }
    world.register_all();
    world.forget_log();
    world
}

/// The same in a world of a configuration of its own, which has an account for each of them.
pub fn add_phones(mut world: World, names: &[&str]) -> World {
    for name in names {
        world.add_phone(1, name, usual);
        world.act(name, Phone::register);
    }
    world.run_for(s(1));
    world.forget_log();
    world
}

/// Alice and Bob.
pub fn two(change: impl Fn(&mut Settings)) -> World {
    phones(&[ALICE, BOB], change)
}

/// Alice with an account, and gateways: a name each, and what the configuration says of it besides its address.
/// `switch` stands among the keys of `[switch]`.
pub fn gateways(switch: &str, gateways: &[(&str, &str)]) -> World {
    let mut text = format!(
        "[switch]\ndomain = \"{DOMAIN}\"\ndigest_algorithms = [\"SHA-256\", \"MD5\"]\n{switch}\n[[listen]]\ntransport = \
         \"udp\"\nbind = \"{SWITCH}\"\n[[phone]]\nuser = \"{ALICE}\"\npassword = \"{PASSWORD}\"\n"
    );
    for (index, (name, keys)) in gateways.iter().enumerate() {
        // the world gives addresses in this order, from 100 for the first phone
        let peers = match keys.contains("peers") {
            true => String::new(),
            false => format!("peers = [\"10.0.1.{}:5060\"]\n", 101 + index),
        };
        text.push_str(&format!("[[gateway]]\nname = \"{name}\"\ndirection = \"routing\"\n{peers}{keys}\n"));
    }
    let mut world = World::of_config(1, &text);
    world.add_phone(1, ALICE, usual);
    for (name, _) in gateways {
        add_gateway(&mut world, name);
    }
    world.act(ALICE, Phone::register);
    world.run_for(s(1));
    world.forget_log();
    world
}

/// What plays a gateway, at the next address.
pub fn add_gateway(world: &mut World, name: &str) {
    world.add_phone(1, name, |settings| {
        usual(settings);
        (settings.lines, settings.takes_any_number) = (100, true);
    });
}

fn usual(settings: &mut Settings) {
    (settings.reuse_nonce, settings.talks, settings.marks) = (true, false, true);
    settings.crossing_grace = Duration::ZERO;
}

/// Changes how a phone is.
pub fn set(world: &mut World, name: &str, change: impl FnOnce(&mut Settings)) {
    world.act(name, |phone, _| change(phone.settings_mut()));
}

/// Somebody calls.
pub fn call(world: &mut World, from: &str, to: &str) {
    world.act(from, |phone, now| {
        phone.call(now, to);
    });
}

/// What the current calls of two phones have agreed on, as the first sees it, and that they agree.
///
/// # Panics
/// Where they do not.
#[track_caller]
pub fn agreed(world: &World, one: &str, other: &str) -> (Direction, Vec<Codec>) {
    let of = |name| {
        let agreed = world.phone(name).current_call().and_then(|call| call.agreed()).cloned();
        agreed.unwrap_or_else(|| panic!("{name} has agreed on nothing\n{}", world.ladder("so far")))
    };
    let (first, second) = (of(one), of(other));
    assert_eq!(first.mismatch(&second), None, "{}", world.ladder("no agreement"));
    (first.direction, first.codecs)
}

/// How each call ended, by its record.
pub fn ends(world: &World) -> Vec<String> {
    let records = world.events().iter().filter_map(|event| match event {
        Event::CallEnded { record } => {
            let (reason, by) = (record.end_reason.name(), record.end_direction.name());
            Some(format!("{} {reason} by {by}, {} s", record.sip_status, record.hold_time_s))
        }
        _ => None,
    });
    records.collect()
}

/// Runs to the end and gives the ladder: the world is idle, nothing was violated, the switch holds nothing, and the calls
/// ended as their records are expected to say.
///
/// # Panics
/// Where any of it does not hold.
#[track_caller]
pub fn finish(mut world: World, title: &str, expected: &[&str]) -> String {
    let is_idle = world.run_until_idle(s(900));
    let ladder = world.ladder(title);
    assert!(is_idle, "the world does not come to rest: {:?}\n{ladder}", world.violations());
    assert_eq!(world.violations(), Vec::<String>::new(), "{ladder}");
    assert_eq!(ends(&world), expected, "{ladder}");
    ladder
}

/// Hangs up, and then as [`finish`].
///
/// # Panics
/// As that one.
#[track_caller]
pub fn hang_up(mut world: World, by: &str, title: &str, expected: &[&str]) -> String {
    world.act(by, Phone::hang_up);
    finish(world, title, expected)
}
