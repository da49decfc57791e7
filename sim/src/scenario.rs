//! What can be asked for by name: a few calls worth reading as a ladder, and the random one worth running often.

use crate::check::Lawful;
use crate::net::Plan;
use crate::phone::digest::Algorithm;
use crate::phone::{Answering, Phone, State};
use crate::world::{DOMAIN, PASSWORD, SWITCH, World};
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// The scenarios and what they show.
pub const NAMES: [(&str, &str); 6] = [
    ("random", "phones, a gateway, bad links, every kind of call; then a quiet phase in which all must be well"),
    ("register", "a phone registers, refreshes and leaves"),
    ("call", "a call is answered, held, resumed and hung up, with audio"),
    ("busy", "the callee refuses with 486"),
    ("no-answer", "it rings until the switch gives up"),
    ("cancel", "the caller gives up while it rings"),
];

/// The phones of the random scenario.
const PHONES: [&str; 8] = ["u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7"];
/// Its gateway, which takes numbers that begin with 00.
const GATEWAY: &str = "west";
/// Where the gateway sits: the place of the phone after the last.
const GATEWAY_ADDRESS: &str = "10.0.1.108:5060";
/// Time for everybody to register over bad links.
const WARM_UP: Duration = Duration::from_secs(40);
/// The longest anything takes to end: it rings for two minutes, and transactions absorb stragglers for 32 s.
const COOL_DOWN: Duration = Duration::from_secs(600);
/// The first stream of the random scenario's draws: one for each phone, one for each call.
const STREAM_PHONES: u64 = 2000;
const STREAM_CALLS: u64 = 3000;

/// Runs a scenario to its end; none where there is none of that name. `calls` matters to the random one only.
pub fn run(name: &str, seed: u64, calls: u64) -> Option<World> {
    let mut world = match name {
        "random" => return Some(random(seed, calls, |_| {})),
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

/// The random scenario: a phase with bad links and every kind of call, then one with good links in which everything must
/// come to rest and a probe call must pass. `change` alters the world before it begins.
pub fn random(seed: u64, calls: u64, change: impl FnOnce(&mut World)) -> World {
    let mut world = phones_and_gateway(seed);
    world.set_links(link_of(seed));
    change(&mut world);
    world.register_all();
    world.run_for(WARM_UP);
    for (i, name) in PHONES.into_iter().enumerate() {
        let mut stream = Stream::new(Seed::from_number(seed), STREAM_PHONES + i as u64);
        world.act(name, |phone, _| behave(phone, &mut stream));
    }
    for i in 0..calls {
        let mut stream = Stream::new(Seed::from_number(seed), STREAM_CALLS + i);
        plan_call(&mut world, Duration::from_secs(i) + ms(stream.below(2000)), &mut stream);
    }
    world.run_for(Duration::from_secs(calls));
    world.run_until_idle(COOL_DOWN);
    probe(&mut world);
    world
}

fn phones_and_gateway(seed: u64) -> World {
    let mut text = format!(
        "[switch]\ndomain = \"{DOMAIN}\"\ndigest_algorithms = [\"SHA-256\", \"MD5\"]\n[[listen]]\ntransport = \"udp\"\n\
         bind = \"{SWITCH}\"\n[[gateway]]\nname = \"{GATEWAY}\"\ndirection = \"both\"\npeers = [\"{GATEWAY_ADDRESS}\"]\n\
         prefixes = [\"00\"]\n"
    );
    for name in PHONES {
        text.push_str(&format!("[[phone]]\nuser = \"{name}\"\npassword = \"{PASSWORD}\"\n"));
    }
    let mut world = World::of_config(seed, &text);
    // the gateway registers like everybody, and has no account
    world.permit(Lawful::RefusedCredentials);
    for (i, name) in PHONES.into_iter().enumerate() {
        world.add_phone(seed, name, |settings| {
            settings.algorithm = if i % 2 == 0 { Algorithm::Md5 } else { Algorithm::Sha256 };
            settings.reuse_nonce = i % 3 == 0;
            // media is direct: the switch would not see it
            settings.talks = false;
        });
    }
    world.add_phone(seed, GATEWAY, |settings| {
        (settings.lines, settings.takes_any_number, settings.talks) = (100, true, false);
        settings.local = GATEWAY_ADDRESS.parse().expect("it is written right");
    });
    world
}

/// How bad this world's links are: from hardly to badly.
fn link_of(seed: u64) -> Plan {
    let mut stream = Stream::new(Seed::from_number(seed), STREAM_PHONES - 1);
    Plan {
        latency_min_us: stream.below(10_000),
        latency_max_us: 10_000 + stream.below(90_000),
        loss_permille: stream.below(80),
        duplicate_permille: stream.below(100),
        reorder_permille: stream.below(100),
        reorder_us: stream.below(300_000),
        ..Plan::AT_ONCE
    }
}

/// Gives a phone a character.
fn behave(phone: &mut Phone, stream: &mut Stream) {
    let after = ms(stream.below(6000));
    let settings = phone.settings_mut();
    settings.answering = match stream.below(20) {
        0 => Answering::Silent,
        1 | 2 => Answering::RingOnly,
        3 => Answering::Reject { status: 486, after: Duration::ZERO },
        4 => Answering::Reject { status: 603, after },
        _ => Answering::Answer { ring_after: ms(stream.below(500)), after },
    };
    settings.acknowledges = stream.below(10) > 0;
    settings.lines = 1 + stream.below(2) as usize;
}

/// Plans one call and what becomes of it.
fn plan_call(world: &mut World, at: Duration, stream: &mut Stream) {
    let pick = |stream: &mut Stream| PHONES[stream.below(PHONES.len() as u64) as usize];
    let (caller, callee) = match stream.below(10) {
        0 => (GATEWAY, pick(stream).to_owned()),
        1 => (pick(stream), format!("00{}", stream.below(1_000_000))),
        2 => (pick(stream), "nobody".to_owned()),
        _ => (pick(stream), pick(stream).to_owned()),
    };
    let target = callee.clone();
    let placed = Rc::new(Cell::new(None));
    let number = placed.clone();
    world.later(at, caller, move |phone, now| number.set(place(phone, now, &target)));
    let talk = at + ms(stream.below(20_000));
    let far = PHONES.into_iter().find(|name| *name == callee).unwrap_or(GATEWAY);
    let give_up = move |phone: &mut Phone, now| {
        if let Some(number) = placed.get() {
            phone.hang_up_call(now, number);
        }
    };
    match stream.below(6) {
        0 => world.later(talk, far, hang_up_if_up),
        1 => {
            world.later(talk, far, hang_up_if_up);
            world.later(talk, caller, give_up.clone());
        }
        2 => world.later(talk, caller, Phone::hold),
        3 => world.later(talk, far, |phone, now| phone.send_within(now, "INFO", "Signal=5")),
        4 => {
            world.later(talk, caller, Phone::hold);
            world.later(talk, far, Phone::hold);
        }
        _ => {}
    }
    // some outlast the switch's patience: with a callee that only rings, with an ACK that never comes
    let patience = if stream.below(6) == 0 { ms(150_000) } else { ms(stream.below(10_000)) };
    world.later(talk + patience, caller, give_up);
}

/// Calls, unless the phone is in a call or deaf; the number of the call.
fn place(phone: &mut Phone, now: Instant, target: &str) -> Option<u32> {
    let can = phone.current_call().is_none() && phone.settings().answering != Answering::Silent;
    can.then(|| phone.call(now, target))
}

/// What a callee does who has talked enough; one who is only called lets it ring.
fn hang_up_if_up(phone: &mut Phone, now: Instant) {
    if phone.current_call().is_some_and(|call| call.state() == State::Up) {
        phone.hang_up(now);
    }
}

/// The quiet phase: over good links everybody registers and a call passes.
fn probe(world: &mut World) {
    world.set_links(Plan::GOOD);
    world.fill_send_buffer(0);
    for name in PHONES {
        world.act(name, |phone, now| {
            let settings = phone.settings_mut();
            settings.answering = Answering::Answer { ring_after: Duration::ZERO, after: ms(100) };
            settings.acknowledges = true;
            phone.hang_up(now);
        });
    }
    world.run_until_idle(COOL_DOWN);
    world.register_all();
    let [caller, callee] = [PHONES[0], PHONES[1]];
    world.act(caller, |phone, now| {
        phone.call(now, callee);
    });
    world.run_for(Duration::from_secs(2));
    let states = [caller, callee].map(|name| world.phone(name).current_call().map(|call| call.state()));
    assert_eq!(states, [Some(State::Up); 2], "a call over good links passes, whatever was before");
    world.act(callee, Phone::hang_up);
    world.run_until_idle(COOL_DOWN);
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
