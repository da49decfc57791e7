//! What phones do without being asked, and what becomes of a switch whose phones lose their power.

use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use crosspoint_sim::net::Plan;
use crosspoint_sim::phone::{Answering, End, Phone, Settings, State};
use crosspoint_sim::world::World;
use std::time::Duration;

const ALICE: &str = "alice";
const BOB: &str = "bob";

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Alice and Bob; Bob answers at once.
fn two(change: impl Fn(&mut Settings)) -> World {
    let mut world = World::new(7, &[ALICE, BOB]);
    for name in [ALICE, BOB] {
        world.act(name, |phone, _| {
            let settings = phone.settings_mut();
            settings.talks = false;
            settings.answering = Answering::Answer { ring_after: s(0), after: s(0) };
            change(settings);
        });
    }
    world.register_all();
    world.forget_log();
    world
}

fn call(world: &mut World) {
    world.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
    world.run_for(s(1));
    assert_eq!(world.phone(BOB).current_call().map(|call| call.state()), Some(State::Up), "{}", world.ladder("so far"));
}

#[track_caller]
fn finish(mut world: World, title: &str) -> String {
    assert!(world.run_until_idle(s(300)), "{}", world.ladder(title));
    assert_eq!(world.violations(), [] as [String; 0], "{}", world.ladder(title));
    world.ladder(title)
}

fn lines_with(ladder: &str, what: &str) -> usize {
    ladder.lines().filter(|line| line.contains(what)).count()
}

#[test]
fn a_registration_is_refreshed_after_half_its_time() {
    let mut world = two(|settings| (settings.refreshes, settings.expires_s) = (true, 120));
    let granted_s = world.phone(ALICE).registered_s().unwrap();
    world.run_for(s(u64::from(granted_s) * 2));
    let ladder = finish(world, "refreshes");
    // each is challenged, and there are two phones; after four halves of the time granted
    assert_eq!(lines_with(&ladder, "REGISTER c1.") / 4, 4, "{ladder}");
    assert_eq!(lines_with(&ladder, "200 REGISTER"), 8, "{ladder}");
}

#[test]
fn keep_alives_go_out_and_make_no_phone_busy() {
    let mut world = two(|settings| settings.keep_alive_ms = Some(20_000));
    world.run_for(s(100));
    assert!(world.phone(ALICE).is_quiet());
    call(&mut world);
    world.act(ALICE, Phone::hang_up);
    finish(world, "keep-alives");
    let mut alice = alone(|settings| settings.keep_alive_ms = Some(20_000));
    let answer = |alice: &mut Phone, seconds| {
        alice.tick(Instant::EPOCH + s(seconds));
        std::iter::from_fn(|| alice.poll_send()).filter(|(_, bytes)| bytes[..] == *b"\r\n\r\n").count()
    };
    assert_eq!(answer(&mut alice, 30), 0, "who is not registered holds nothing open");
    alice.handle(Instant::EPOCH + s(30), SERVER.parse().unwrap(), b"\r\n");
    assert_eq!((alice.pongs(), alice.violations().len()), (1, 0));
}

#[test]
fn a_phone_that_is_not_answered_backs_off() {
    let mut phone = alone(|settings| settings.refreshes = true);
    phone.register(Instant::EPOCH);
    let (mut begun, mut now) = (Vec::new(), Instant::EPOCH);
    while now.as_millis() < 4_000_000 {
        while let Some((_, bytes)) = phone.poll_send() {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap().to_owned();
            if begun.last().is_none_or(|(last, _)| *last != cseq) {
                begun.push((cseq, now.as_millis()));
            }
        }
        now = phone.poll_timeout().expect("it tries again for ever");
        phone.tick(now);
    }
    let gaps: Vec<u64> = begun.windows(2).map(|pair| (pair[1].1 - pair[0].1) / 1000).collect();
    // 32 s until it is given up, then between one half and all of 30, 60, 120 ... 1800 s (RFC 5626 §4.5)
    for (gap, longest) in gaps.iter().zip([30, 60, 120, 240, 480, 960, 1800]) {
        assert!((32 + longest / 2..=32 + longest + 1).contains(gap), "{gaps:?}");
    }
    assert!(gaps.len() >= 5, "{gaps:?}");
}

#[test]
fn a_phone_knows_where_it_was_seen() {
    let world = two(|_| {});
    assert_eq!(world.phone(ALICE).seen_at(), Some(world.phone(ALICE).settings().local));
}

#[test]
fn a_callee_reboots_in_a_call() {
    let mut world = two(|_| {});
    call(&mut world);
    world.act(BOB, Phone::reboot);
    world.run_for(s(2));
    assert_eq!(world.phone(BOB).calls()[0].state(), State::Over(End::Rebooted));
    world.act(ALICE, |alice, now| alice.send_within(now, "INFO", "Signal=5"));
    insta::assert_snapshot!(finish(world, "Bob loses his power in a call, and knows nothing of it"));
}

#[test]
fn a_caller_reboots_while_it_rings() {
    let mut world = two(|settings| settings.answering = Answering::Answer { ring_after: s(0), after: s(3) });
    world.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
    world.run_for(s(1));
    world.act(ALICE, Phone::reboot);
    // nobody acknowledges the 200: the switch sends it again for 64*T1 and then ends both legs (RFC 3261 §13.3.1.4)
    let ladder = finish(world, "Alice loses her power while it rings");
    insta::assert_snapshot!(ladder);
}

#[test]
fn a_call_without_a_switch_ends_by_itself() {
    let mut world = two(|settings| settings.longest_call_ms = Some(60_000));
    call(&mut world);
    let dead = Plan { loss_permille: 1000, ..Plan::GOOD };
    world.set_links(dead);
    world.run_for(s(58));
    assert!(world.phone(ALICE).current_call().is_some());
    world.run_for(s(40));
    // a BYE that nobody answers ends it too (RFC 3261 §15)
    let states = [ALICE, BOB].map(|name| world.phone(name).calls()[0].state());
    assert_eq!(states, [State::Over(End::HungUp); 2], "{}", world.ladder("a dead network"));
}

#[test]
fn what_rings_too_long_is_given_up_by_either_side() {
    let mut world = two(|settings| {
        settings.longest_call_ms = Some(10_000);
        settings.answering = Answering::RingOnly;
    });
    world.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
    world.run_for(s(12));
    assert_eq!(world.phone(ALICE).calls()[0].state(), State::Over(End::Cancelled));
    finish(world, "it rings for ten seconds");
}

const SERVER: &str = "192.0.2.10:5060";

/// A phone without anybody to answer it.
fn alone(change: impl Fn(&mut Settings)) -> Phone {
    let here = "192.0.2.1:5060".parse().unwrap();
    let mut settings = Settings::new(ALICE, "secret", "example.net", here, SERVER.parse().unwrap());
    change(&mut settings);
    Phone::new(settings, Stream::new(Seed::from_number(7), 1))
}
