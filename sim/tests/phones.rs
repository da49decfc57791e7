//! Two phones back to back, without a switch: what one writes the other, as strict, has nothing to say against.

use crosspoint_sim::net::{Fate, Fault, Plan};
use crosspoint_sim::phone::{Answering, End, Phone, State};
use crosspoint_sim::wire::Wire;
use std::time::Duration;

const ALICE: &str = "alice";
const BOB: &str = "bob";

fn pair(plan: Plan) -> Wire {
    let mut wire = Wire::new(7, &[ALICE, BOB]);
    wire.set_links(plan);
    wire
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn call(wire: &mut Wire) {
    wire.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
}

fn states(wire: &Wire) -> [State; 2] {
    [ALICE, BOB].map(|name| wire.phone(name).calls().last().unwrap().state())
}

#[track_caller]
fn check(wire: &Wire) {
    assert_eq!(wire.violations(), [] as [String; 0], "{}", wire.ladder("so far"));
    assert!([ALICE, BOB].iter().all(|name| wire.phone(name).is_quiet()));
}

#[test]
fn an_ordinary_call() {
    let mut wire = pair(Plan::GOOD);
    call(&mut wire);
    wire.run_for(s(5));
    assert_eq!(states(&wire), [State::Up; 2]);
    wire.act(ALICE, Phone::hold);
    wire.run_for(s(1));
    wire.act(BOB, |bob, now| bob.send_within(now, "INFO", "Signal=5"));
    wire.run_for(s(1));
    wire.act(BOB, Phone::hang_up);
    wire.run_for(s(1));
    check(&wire);
    insta::assert_snapshot!(wire.ladder("an ordinary call"));
}

#[test]
fn a_cancelled_call_with_a_lost_cancel() {
    let mut wire = pair(Plan::GOOD);
    wire.act(BOB, |bob, _| bob.settings_mut().answering = Answering::RingOnly);
    wire.fault_from(ALICE, Fault::new("CANCEL", 1, Fate::Lose));
    call(&mut wire);
    wire.run_for(s(3));
    wire.act(ALICE, Phone::hang_up);
    wire.run_for(s(40));
    assert_eq!(states(&wire), [State::Over(End::Cancelled); 2]);
    check(&wire);
    insta::assert_snapshot!(wire.ladder("a cancelled call with a lost CANCEL"));
}

#[test]
fn both_hang_up_at_once() {
    let mut wire = pair(Plan::GOOD);
    call(&mut wire);
    wire.run_for(s(5));
    wire.act(ALICE, Phone::hang_up);
    wire.act(BOB, Phone::hang_up);
    wire.run_for(s(1));
    assert_eq!(states(&wire), [State::Over(End::PeerHungUp); 2]);
    check(&wire);
}

#[test]
fn a_call_that_is_never_acknowledged_ends() {
    let mut wire = pair(Plan::GOOD);
    wire.act(ALICE, |alice, _| alice.settings_mut().acknowledges = false);
    call(&mut wire);
    wire.run_for(s(60));
    assert_eq!(states(&wire), [State::Over(End::PeerHungUp), State::Over(End::NoAck)]);
    check(&wire);
}

#[test]
fn a_silent_phone_is_given_up() {
    let mut wire = pair(Plan::GOOD);
    wire.act(BOB, |bob, _| bob.settings_mut().answering = Answering::Silent);
    call(&mut wire);
    wire.run_for(s(33));
    assert_eq!(wire.phone(ALICE).calls()[0].state(), State::Over(End::TimedOut));
    check(&wire);
}

#[test]
fn a_bad_link_makes_no_difference_in_the_end() {
    let mut wire = pair(Plan::BAD);
    for _ in 0..20 {
        call(&mut wire);
        wire.run_for(s(10));
        assert_eq!(states(&wire), [State::Up; 2], "{}", wire.ladder("so far"));
        wire.act(BOB, Phone::hang_up);
        wire.run_for(s(70));
        check(&wire);
    }
}

#[test]
fn audio_flows_to_where_the_descriptions_say() {
    let mut wire = pair(Plan::GOOD);
    call(&mut wire);
    wire.run_for(s(5));
    let (mut packets, mut audio) = (Vec::new(), None);
    wire.act(ALICE, |alice, now| {
        packets = std::iter::from_fn(|| alice.poll_audio(now + s(1))).collect();
        audio = Some(alice.audio());
    });
    assert!(packets.len() >= 50);
    assert!(packets.iter().all(|(to, _)| *to == wire.phone(BOB).settings().audio));
    wire.act(BOB, |bob, _| packets.iter().for_each(|(_, packet)| bob.handle_audio(packet)));
    assert_eq!(wire.phone(BOB).audio().received, packets.len() as u64);
    assert_eq!(audio.unwrap().sent, packets.len() as u64);
}
