//! Many complete calls in one world, with every check on: what a profiler looks at, and `time` measures.
//!
//! ```text
//! cargo bench -p crosspoint-sim --bench load --no-run
//! time target/release/deps/load-* 1000 20000 100
//! ```
//!
//! The arguments are phones, calls, and milliseconds between two calls; without them it is a short one. Every call is
//! INVITE, challenge, INVITE with
//! digest credentials, 100, 180, 200, ACK, ten seconds of talk, BYE and 200, through both legs.

use crosspoint_core::rng::{Seed, Stream};
use crosspoint_sim::phone::{Answering, Phone};
use crosspoint_sim::world::{DOMAIN, PASSWORD, SWITCH, World};
use std::process::ExitCode;
use std::time::Duration;

const SEED: u64 = 7;

fn main() -> ExitCode {
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [phones, calls, every_ms] = arguments[..] else { return load(20, 100, 50) };
    load(phones, calls, every_ms)
}

fn load(phones: u64, calls: u64, every_ms: u64) -> ExitCode {
    let mut world = world_of(phones);
    world.register_all();
    let mut stream = Stream::new(Seed::from_number(SEED), 5000);
    next_call(&mut world, phones, calls, Duration::from_millis(every_ms), &mut stream);
    world.run_until_idle(Duration::from_secs(300));
    let (status, violations) = (world.status(), world.violations());
    println!("{} s of virtual time, {} answered", world.elapsed().as_secs(), status.counters["calls_answered"]);
    println!("holds {} calls, {} transactions, {} timers", status.calls, status.transactions, status.timers);
    println!("digest {:016x}", world.digest());
    violations.iter().take(10).for_each(|violation| println!("violated: {violation}"));
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn world_of(phones: u64) -> World {
    let mut text = format!(
        "[switch]\ndomain = \"{DOMAIN}\"\ndigest_algorithms = [\"SHA-256\", \"MD5\"]\n[[listen]]\ntransport = \"udp\"\n\
         bind = \"{SWITCH}\"\n"
    );
    for phone in 0..phones {
        text.push_str(&format!("[[phone]]\nuser = \"u{phone}\"\npassword = \"{PASSWORD}\"\n"));
    }
    let mut world = World::of_config(SEED, &text);
    for phone in 0..phones {
        world.add_phone(SEED, &format!("u{phone}"), |settings| {
            (settings.talks, settings.lines) = (false, 100);
            settings.answering = Answering::Answer { ring_after: Duration::ZERO, after: Duration::from_secs(1) };
            settings.refreshes = true;
            settings.hang_up_after = Some(Duration::from_secs(10));
        });
    }
    world.keep_log(false);
    world
}

/// Places calls, one after the other, between phones that chance picks.
fn next_call(world: &mut World, phones: u64, calls: u64, every: Duration, stream: &mut Stream) {
    for _ in 0..calls {
        let [caller, callee] = [(); 2].map(|()| stream.below(phones));
        let callee = if callee == caller { (callee + 1) % phones } else { callee };
        let target = format!("u{callee}");
        world.act(&format!("u{caller}"), |phone: &mut Phone, now| {
            phone.call(now, &target);
        });
        world.run_for(every);
    }
}
