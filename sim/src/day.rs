//! A day in the life of a switch: thousands of phones in one world, and calls by the hour as people make them.
//!
//! ```
//! use crosspoint_sim::day::{self, Day};
//!
//! let day = Day { seed: 7, phones: 20, calls: 50 };
//! let world = day::run(&day, |_, _| {});
//! assert_eq!(world.found(), []);
//! assert_eq!(world.status().counters["calls_started"], 50);
//! assert_eq!(world.status().bindings, 0);
//! ```

use crate::phone::{Answering, Phone, Script};
use crate::world::{DOMAIN, PASSWORD, SWITCH, World};
use crosspoint_core::rng::{Seed, Stream};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Calls of each hour in thousandths of the day's, from midnight: a quiet night, a peak before noon and one after it.
const PROFILE_PERMILLE: [u64; 24] =
    [6, 4, 3, 2, 3, 6, 14, 32, 62, 84, 90, 82, 62, 66, 80, 82, 74, 62, 50, 42, 36, 26, 20, 12];
const HOUR_US: u64 = 3_600_000_000;
/// Phones come up one after another in the first half hour, as after a power cut.
const COMES_UP_IN_US: u64 = HOUR_US / 2;
/// After that everything that began in the day has ended: it rings for two minutes, a talk lasts twenty at most, and the
/// last refresh, which comes within half an hour, an hour.
const EVENING: Duration = Duration::from_secs(6000);
/// Phones that are asked whether they are free for a call, one after the other.
const CALLERS_ASKED: u32 = 100;
/// A call has come to its callee by then.
const ARRIVES_IN: Duration = Duration::from_secs(10);
/// The streams of the phones' habits, and of the calls; far from those of the world itself.
const STREAM_CALLS: u64 = 1 << 42;

/// Which day.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// The seed of everything.
    pub seed: u64,
    /// Phones, 2 to 100,000; each has an account and refreshes its registration every half hour.
    pub phones: u32,
    /// Calls.
    pub calls: u64,
}

/// Plays a day, and an evening after it in which nobody refreshes his registration any more. `each_hour` looks at the world after every hour, the first is 1.
///
/// # Panics
/// Where there are fewer than two phones, or more than the address plan has room for.
pub fn run(day: &Day, mut each_hour: impl FnMut(u64, &World)) -> World {
    assert!((2..=100_000).contains(&day.phones), "a day has 2 to 100,000 phones");
    let mut world = World::of_config(day.seed, &config(day));
    world.keep_log(false);
    for number in 0..day.phones {
        let name = name_of(number);
        world.add_phone(day.seed, &name, |settings| {
            settings.local = address(number);
            settings.audio.set_ip(settings.local.ip());
            (settings.talks, settings.refreshes) = (false, true);
        });
        let at_us = COMES_UP_IN_US * u64::from(number) / u64::from(day.phones);
        world.later(Duration::from_micros(at_us), &name, Phone::register);
    }
    if day.calls > 0 {
        plan(&mut world, *day, 0, 0);
    }
    for hour in 1..=24 {
        world.run_for(Duration::from_micros(HOUR_US));
        each_hour(hour, &world);
    }
    for number in 0..day.phones {
        world.act(&name_of(number), |phone, _| phone.settings_mut().refreshes = false);
    }
    world.run_for(EVENING);
    world
}

/// Plans the calls from this one on: each when it is due plans the next.
fn plan(world: &mut World, day: Day, number: u64, now_us: u64) {
    let at_us = moment(number, day.calls).max(now_us);
    world.at(Duration::from_micros(at_us - now_us), move |world| {
        place(world, day, number);
        if number + 1 < day.calls {
            plan(world, day, number + 1, at_us);
        }
    });
}

/// When the n-th call of the day begins, in microseconds after midnight.
fn moment(number: u64, calls: u64) -> u64 {
    // in millionths of the day's calls
    let share = number * 1_000_000 / calls;
    let mut before = 0;
    for (hour, permille) in PROFILE_PERMILLE.into_iter().enumerate() {
        let of_hour = permille * 1000;
        if share < before + of_hour {
            return HOUR_US * hour as u64 + HOUR_US * (share - before) / of_hour;
        }
        before += of_hour;
    }
    24 * HOUR_US
}

fn place(world: &mut World, day: Day, number: u64) {
    let stream = &mut Stream::new(Seed::from_number(day.seed), STREAM_CALLS + number);
    let op = number + 1;
    let mut caller = stream.below(u64::from(day.phones)) as u32;
    for _ in 0..CALLERS_ASKED {
        if world.phone(&name_of(caller)).current_call().is_none() {
            break;
        }
        caller = (caller + 1) % day.phones;
    }
    let callee = (caller + 1 + stream.below(u64::from(day.phones) - 1) as u32) % day.phones;
    let (caller, callee) = (name_of(caller), name_of(callee));
    let rings = ms(1000 + stream.below(8000));
    let answering = match stream.below(10) {
        0 => Answering::Reject { status: 486, after: ms(500) },
        1 => Answering::RingOnly,
        _ => Answering::Answer { ring_after: ms(100), after: rings },
    };
    // two draws: short talks are common, long ones are rare
    let talk = ms((1 + stream.below(400)) * (1 + stream.below(3000)));
    let hold = stream.below(10) == 0;
    world.act(&callee, |phone, _| phone.expect(op, Script { answering: Some(answering), ..Script::default() }));
    world.act(&caller, |phone, now| {
        phone.call_for(now, op, &callee, &[]);
    });
    if hold {
        world.later(rings + talk / 3, &caller, move |phone, now| phone.hold_op(now, op));
        world.later(rings + talk / 2, &caller, move |phone, now| phone.resume_op(now, op));
    }
    let end = rings + talk;
    world.later(end, &caller, move |phone, now| phone.hang_up_op(now, op));
    world.later(ARRIVES_IN, &callee, move |phone, _| phone.expect_no_more(op));
}

fn config(day: &Day) -> String {
    format!(
        "[switch]\ndomain = \"{DOMAIN}\"\n[[listen]]\ntransport = \"udp\"\nbind = \"{SWITCH}\"\n[[phone]]\nusers = \
         \"{}..{}\"\npassword = \"{PASSWORD}\"\n",
        name_of(0),
        name_of(day.phones - 1)
    )
}

fn name_of(number: u32) -> String {
    format!("u{number:05}")
}

/// The address of a phone: 150 in each of the networks from 10.1.0.0/24 on, all of three digits at the end, so that none
/// is the beginning of another.
fn address(number: u32) -> SocketAddr {
    let (network, last) = (number / 150, 100 + number % 150);
    let ip = Ipv4Addr::from(0x0a01_0000 + (network << 8) + last);
    SocketAddr::new(IpAddr::V4(ip), 5060)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_a_whole_day_and_calls_begin_in_order() {
        assert_eq!(PROFILE_PERMILLE.iter().sum::<u64>(), 1000);
        let moments: Vec<u64> = (0..10_000).map(|number| moment(number, 10_000)).collect();
        assert!(moments.is_sorted() && moments[9999] < 24 * HOUR_US);
        let in_tenth_hour = moments.iter().filter(|at| (10 * HOUR_US..11 * HOUR_US).contains(at)).count();
        assert_eq!(in_tenth_hour, 900);
    }
}
