//! Calls without pause through a switch that relays each, over ports that are refused, late, lost, or another process's,
//! and threads that stand still: no port is ever lost, and no packet goes astray.
//!
//! ```
//! use crosspoint_sim::churn::{self, Churn};
//!
//! let world = churn::run(&Churn { seed: 7, calls: 100 }, |_, _| {});
//! assert_eq!(world.found(), []);
//! assert!(world.relays().ports().tally().granted > 100);
//! ```

use crate::check::Lawful;
use crate::phone::{Answering, Script, Speech};
use crate::world::{DOMAIN, PASSWORD, PortTrouble, SWITCH, World};
use crosspoint_core::rng::{Seed, Stream};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Phones, each with so many calls at once.
const PHONES: u32 = 100;
const LINES: usize = 4;
/// From one call to the next, on the average.
const PACE_US: u64 = 20_000;
/// From one kind of trouble to the next.
const TROUBLE_MS: u64 = 5000;
/// Ports of the range: enough for the calls, and not for much more, so that it runs out now and then.
const FIRST: u16 = 20_000;
const LAST: u16 = 21_023;
/// Replies that may be lost: each costs its ports as long as the process lives.
const LOST: u64 = 40;
/// After the last call everything has come to rest by then, also what is shelved or in quarantine.
const REST: Duration = Duration::from_secs(240);
/// Streams of the calls and of the trouble; far from those of the world itself.
const STREAM_CALLS: u64 = 1 << 42;
const STREAM_TROUBLE: u64 = 1 << 45;

/// How much.
#[derive(Clone, Copy, Debug)]
pub struct Churn {
    /// The seed of everything.
    pub seed: u64,
    /// Calls.
    pub calls: u64,
}

/// Plays them; `each` looks at the world after every thousandth of the calls, and is told how many have begun.
///
/// # Panics
/// Where there is no call.
pub fn run(churn: &Churn, mut each: impl FnMut(u64, &World)) -> World {
    assert!(churn.calls > 0, "there are calls");
    let mut world = World::of_config(churn.seed, &config());
    world.keep_log(false);
    // who gets no port hears 503, and who waits for one may be told late
    world.permit(Lawful::AnyEvent);
    for number in 0..PHONES {
        world.add_phone(churn.seed, &name_of(number), |settings| {
            settings.local = SocketAddr::from((Ipv4Addr::new(10, 1, 0, 100 + number as u8), 5060));
            settings.audio.set_ip(settings.local.ip());
            (settings.lines, settings.reuse_nonce) = (LINES, true);
            settings.speech = Speech { is_named: true, ..Speech::bursts(2, 1000) };
        });
    }
    world.register_all();
    let part = churn.calls.div_ceil(1000);
    for begin in (0..churn.calls).step_by(part as usize) {
        let end = (begin + part).min(churn.calls);
        for number in begin..end {
            plan(&mut world, *churn, number, (number - begin) * PACE_US);
        }
        let span_ms = (end - begin) * PACE_US / 1000;
        let first = begin * PACE_US / 1000;
        for turn in first.div_ceil(TROUBLE_MS)..(first + span_ms).div_ceil(TROUBLE_MS) {
            let after = ms(turn * TROUBLE_MS - first);
            let seed = churn.seed;
            world.at(after, move |world| trouble(world, seed, turn));
        }
        world.run_for(ms(span_ms));
        each(end, &world);
    }
    world.calm();
    world.run_until_idle(REST);
    world.run_for(REST);
    world
}

/// The trouble of the next few seconds.
fn trouble(world: &mut World, seed: u64, turn: u64) {
    let stream = &mut Stream::new(Seed::from_number(seed), STREAM_TROUBLE + turn);
    let permille = 1 + stream.below(1000);
    let mut trouble = PortTrouble::default();
    match stream.below(10) {
        0 => trouble.no_sockets_permille = permille,
        1 => trouble.other_permille = permille,
        2 | 3 => (trouble.late_permille, trouble.late_ms) = (permille, 1 + stream.below(3000)),
        4 if world.lost_replies() < LOST => trouble.lost_permille = 5,
        5 | 6 => {
            let first = FIRST + stream.below(900) as u16;
            let last = (first + stream.below(400) as u16).min(LAST);
            world.occupy_ports(first..=last, ms(stream.below(TROUBLE_MS)));
        }
        7 => world.stall_shard(stream.below(2) as u16, ms(stream.below(1500))),
        _ => {}
    }
    *world.port_trouble() = trouble;
}

/// Plans the n-th call, to begin about so long from now.
fn plan(world: &mut World, churn: Churn, number: u64, after_us: u64) {
    let stream = &mut Stream::new(Seed::from_number(churn.seed), STREAM_CALLS + number);
    let op = number + 1;
    let caller = stream.below(PHONES.into()) as u32;
    let callee = (caller + 1 + stream.below(u64::from(PHONES) - 1) as u32) % PHONES;
    let (caller, callee) = (name_of(caller), name_of(callee));
    let answering = match stream.below(10) {
        0 => Answering::Reject { status: 486, after: ms(stream.below(200)) },
        1 => Answering::RingOnly,
        _ => Answering::Answer { ring_after: ms(stream.below(50)), after: ms(stream.below(600)) },
    };
    let script = Script { answering: Some(answering), early_media: Some(stream.below(3) == 0), ..Script::default() };
    let begin = Duration::from_micros(after_us + stream.below(PACE_US));
    world.later(begin, &callee, move |phone, _| phone.expect(op, script));
    let target = callee.clone();
    world.later(begin, &caller, move |phone, now| {
        if phone.calls().iter().filter(|call| !call.is_over()).count() < LINES {
            phone.call_for(now, op, &target, &[]);
        }
    });
    let end = begin + ms(stream.below(2500));
    if stream.below(4) == 0 {
        world.later(begin + ms(700), &caller, move |phone, now| phone.hold_op(now, op));
        world.later(begin + ms(1100), &caller, move |phone, now| phone.resume_op(now, op));
    }
    world.later(end, &caller, move |phone, now| phone.hang_up_op(now, op));
    world.later(end + ms(5000), &callee, move |phone, _| phone.expect_no_more(op));
}

fn config() -> String {
    format!(
        "[switch]\ndomain = \"{DOMAIN}\"\nmedia_shards = 2\n[[listen]]\ntransport = \"udp\"\nbind = \"{SWITCH}\"\n\
         [parameters]\nSS_MEDIAPROXYMODE = \"On\"\nSS_RTP_PORT_RANGE = \"{FIRST},{LAST}\"\nIVR_RTP_PORT = \"24000,24099\"\n\
         [[phone]]\nusers = \"{}..{}\"\npassword = \"{PASSWORD}\"\n",
        name_of(0),
        name_of(PHONES - 1)
    )
}

fn name_of(number: u32) -> String {
    format!("u{number:03}")
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
