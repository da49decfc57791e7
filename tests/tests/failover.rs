//! One number, several gateways: who is tried next, and when no more.

use crosspoint_sim::check::Lawful;
use crosspoint_sim::net::Fate;
use crosspoint_sim::phone::{Answering, Demand, Outcome, Phone, Reliability};
use crosspoint_sim::world::World;
use crosspoint_tests::scene::{ALICE, add_gateway, agreed, call, finish, gateways, hang_up, ms, s, set};
use std::time::Duration;

const WEST: &str = "west";
const EAST: &str = "east";
const NORTH: &str = "north";
const NUMBER: &str = "0049301234";
const AT_ONCE: Answering = Answering::Answer { ring_after: Duration::ZERO, after: Duration::ZERO };

/// Alice calls a number that three gateways take, in this order.
fn three(keys: &str) -> World {
    gateways(
        "",
        &[(WEST, &format!("priority = 1\n{keys}")), (EAST, &format!("priority = 2\n{keys}")), (NORTH, "priority = 3")],
    )
}

fn refuse(status: u16) -> Outcome {
    Outcome::Refuse { status, retry_after_s: None, contacts: Vec::new() }
}

fn outcome(world: &mut World, name: &str, outcome: Outcome) {
    set(world, name, |gateway| gateway.trunk.outcomes = vec![outcome]);
}

#[test]
fn one_is_dead_one_refuses_one_answers() {
    let mut world = three("timeout_invite_s = 2");
    set(&mut world, WEST, |west| west.answering = Answering::Silent);
    outcome(&mut world, EAST, refuse(503));
    call(&mut world, ALICE, NUMBER);
    world.run_for(s(6));
    agreed(&world, ALICE, NORTH);
    let ladder = hang_up(world, ALICE, "dead, 503, answers", &["200 normal by caller, 2 s"]);
    assert_eq!(ladder.lines().filter(|line| line.contains("|<-180 INVITE c1")).count(), 1, "one ringing\n{ladder}");
    insta::assert_snapshot!(ladder);
}

#[test]
fn what_has_rung_is_not_followed() {
    let mut world = three("");
    set(&mut world, WEST, |west| west.answering = Answering::Manual);
    call(&mut world, ALICE, NUMBER);
    world.later(s(1), WEST, Phone::ring);
    world.later(s(2), WEST, |west, now| west.reject(now, 480));
    insta::assert_snapshot!(finish(
        world,
        "180, then 480: no other gateway",
        &["480 called_not_online by callee, 0 s"]
    ));
}

#[test]
fn what_had_early_media_is_not_followed() {
    let mut world = three("");
    set(&mut world, WEST, |west| {
        (west.answering, west.rings_with, west.early_media) = (Answering::Manual, 183, true);
    });
    call(&mut world, ALICE, NUMBER);
    world.later(s(1), WEST, Phone::ring);
    world.later(s(2), WEST, |west, now| west.reject(now, 503));
    insta::assert_snapshot!(finish(
        world,
        "183 with SDP, then 503: no other gateway",
        &["503 server_failure by callee, 0 s"]
    ));
}

#[test]
fn what_has_rung_is_followed_where_the_gateway_says_so() {
    let mut world = three("failover = { after_18x = true }");
    set(&mut world, WEST, |west| west.answering = Answering::Manual);
    call(&mut world, ALICE, NUMBER);
    world.later(s(1), WEST, Phone::ring);
    world.later(s(2), WEST, |west, now| west.reject(now, 500));
    world.run_for(s(6));
    agreed(&world, ALICE, EAST);
    insta::assert_snapshot!(hang_up(world, EAST, "180, then 500, and after_18x", &["200 normal by callee, 2 s"]));
}

#[test]
fn busy_stops() {
    let mut world = three("");
    outcome(&mut world, WEST, refuse(486));
    call(&mut world, ALICE, NUMBER);
    insta::assert_snapshot!(finish(world, "486: nobody else is asked", &["486 busy by callee, 0 s"]));
}

#[test]
fn a_6xx_ends_all() {
    let mut world = three("");
    outcome(&mut world, WEST, refuse(404));
    outcome(&mut world, EAST, refuse(603));
    call(&mut world, ALICE, NUMBER);
    insta::assert_snapshot!(finish(world, "404, then 603: the 603 is told", &["603 rejected by callee, 0 s"]));
}

#[test]
fn all_fail() {
    let mut world = three("");
    outcome(&mut world, WEST, refuse(500));
    outcome(&mut world, EAST, refuse(404));
    outcome(&mut world, NORTH, refuse(503));
    call(&mut world, ALICE, NUMBER);
    insta::assert_snapshot!(finish(world, "500, 404, 503: the 404 is told", &["404 not_found by callee, 0 s"]));
}

#[test]
fn retry_after_holds_a_gateway() {
    let mut world = three("");
    world.permit(Lawful::TrunkTrouble);
    let outcome = Outcome::Refuse { status: 503, retry_after_s: Some(30), contacts: Vec::new() };
    set(&mut world, WEST, |west| west.trunk.outcomes = vec![outcome]);
    for name in [WEST, EAST] {
        set(&mut world, name, |gateway| gateway.answering = AT_ONCE);
    }
    for after in [0, 10, 40] {
        world.later(s(after), ALICE, |alice, now| {
            alice.call(now, NUMBER);
        });
        world.later(s(after) + s(1), ALICE, Phone::hang_up);
    }
    insta::assert_snapshot!(finish(world, "Retry-After: 30 s without it", &["200 normal by caller, 1 s"; 3]));
}

#[test]
fn the_peers_of_one_gateway() {
    let peers = "peers = [\"10.0.1.101:5060\", \"10.0.1.102:5060\"]\nfailover = { limit = 1 }\ntimeout_invite_s = 2";
    let mut world = gateways("", &[(WEST, peers)]);
    add_gateway(&mut world, "west2");
    outcome(&mut world, WEST, refuse(503));
    call(&mut world, ALICE, NUMBER);
    world.run_for(s(4));
    agreed(&world, ALICE, "west2");
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "503 of one peer, the other answers",
        &["200 normal by caller, 2 s"]
    ));
}

#[test]
fn no_100_ever() {
    let mut world = three("timeout_invite_s = 3");
    set(&mut world, WEST, |west| west.answering = Answering::Silent);
    set(&mut world, EAST, |east| east.answering = AT_ONCE);
    call(&mut world, ALICE, NUMBER);
    world.run_for(s(5));
    insta::assert_snapshot!(hang_up(world, ALICE, "not even a 100", &["200 normal by caller, 2 s"]));
}

#[test]
fn a_100_and_nothing_more() {
    let mut world = three("timeout_trying_s = 3");
    set(&mut world, WEST, |west| {
        west.answering = Answering::Manual;
        west.rings_with = 100;
    });
    set(&mut world, EAST, |east| east.answering = AT_ONCE);
    call(&mut world, ALICE, NUMBER);
    world.later(ms(100), WEST, Phone::ring);
    world.run_for(s(5));
    insta::assert_snapshot!(hang_up(world, ALICE, "100 and nothing more", &["200 normal by caller, 2 s"]));
}

/// It was dead for three seconds: nothing had come that a CANCEL could follow (RFC 3261 §9.1).
#[test]
fn a_gateway_answers_after_it_was_given_up() {
    let mut world = three("timeout_invite_s = 3");
    set(&mut world, WEST, |west| west.answering = Answering::Manual);
    call(&mut world, ALICE, NUMBER);
    world.later(ms(3500), WEST, Phone::answer);
    world.run_for(s(7));
    agreed(&world, ALICE, EAST);
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "the answer of one that was given up",
        &["200 normal by caller, 2 s"]
    ));
}

#[test]
fn a_gateway_rings_after_it_was_given_up() {
    let mut world = three("timeout_invite_s = 3");
    set(&mut world, WEST, |west| west.answering = Answering::Manual);
    call(&mut world, ALICE, NUMBER);
    world.later(ms(3500), WEST, Phone::ring);
    world.run_for(s(7));
    agreed(&world, ALICE, EAST);
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "the ringing of one that was given up",
        &["200 normal by caller, 2 s"]
    ));
}

/// The first gateway's early session was agreed on, reliably: the second one's is another dialog's.
#[test]
fn reliable_early_media_is_followed_where_the_gateway_says_so() {
    let mut world = three("failover = { after_18x = true, after_sdp = true }");
    for name in [ALICE, WEST, EAST] {
        set(&mut world, name, |phone| phone.reliability = Reliability::Supported);
    }
    set(&mut world, WEST, |west| {
        (west.answering, west.rings_with, west.early_media) = (Answering::Manual, 183, true);
    });
    set(&mut world, EAST, |east| (east.rings_with, east.early_media) = (183, true));
    call(&mut world, ALICE, NUMBER);
    world.later(s(1), WEST, Phone::ring);
    world.later(s(2), WEST, |west, now| west.reject(now, 503));
    world.run_for(s(6));
    agreed(&world, ALICE, EAST);
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "early media of one, then of the next",
        &["200 normal by caller, 2 s"]
    ));
}

/// It fails while its reliable answer is on the way to the caller, whose PRACK comes too late.
#[test]
fn a_gateway_fails_before_the_prack() {
    let mut world = three("failover = { after_18x = true, after_sdp = true }");
    for name in [ALICE, WEST] {
        set(&mut world, name, |phone| phone.reliability = Reliability::Supported);
    }
    set(&mut world, ALICE, |alice| alice.prack_after = ms(500));
    set(&mut world, WEST, |west| west.answering = Answering::Manual);
    call(&mut world, ALICE, NUMBER);
    world.later(ms(100), WEST, Phone::ring);
    world.later(ms(200), WEST, |west, now| west.reject(now, 503));
    world.run_for(s(4));
    agreed(&world, ALICE, EAST);
    insta::assert_snapshot!(hang_up(world, ALICE, "503 before the PRACK", &["200 normal by caller, 2 s"]));
}

/// The PRACK is on its way to the gateway when that fails.
#[test]
fn a_gateway_fails_and_never_sees_the_prack() {
    let mut world = three("failover = { after_18x = true, after_sdp = true }");
    for name in [ALICE, WEST] {
        set(&mut world, name, |phone| phone.reliability = Reliability::Supported);
    }
    set(&mut world, WEST, |west| west.answering = Answering::Manual);
    world.fault_to(WEST, "PRACK", 1, Fate::Lose);
    call(&mut world, ALICE, NUMBER);
    world.later(ms(100), WEST, Phone::ring);
    world.later(ms(200), WEST, |west, now| west.reject(now, 503));
    world.run_for(s(4));
    agreed(&world, ALICE, EAST);
    insta::assert_snapshot!(hang_up(world, ALICE, "503 instead of the 200 to PRACK", &["200 normal by caller, 2 s"]));
}

#[test]
fn it_rings_for_ever() {
    let mut world = three("timeout_ringing_s = 20");
    set(&mut world, WEST, |west| west.answering = Answering::RingOnly);
    call(&mut world, ALICE, NUMBER);
    insta::assert_snapshot!(finish(world, "180 for ever: no other gateway", &["480 no_answer by server, 0 s"]));
}

#[test]
fn early_media_for_ever() {
    let mut world = three("timeout_progress_sdp_s = 20");
    set(&mut world, WEST, |west| {
        (west.answering, west.rings_with, west.early_media) = (Answering::RingOnly, 183, true);
    });
    call(&mut world, ALICE, NUMBER);
    insta::assert_snapshot!(finish(world, "183 with SDP for ever", &["480 no_answer by server, 0 s"]));
}

#[test]
fn a_challenge() {
    let mut world = gateways("", &[(WEST, "auth = { user = \"us\", password = \"secret\" }")]);
    let methods = ["INVITE", "BYE"].map(str::to_owned).to_vec();
    set(&mut world, WEST, |west| west.trunk.demand = Some(Demand { methods, ..Demand::new("us", "secret") }));
    call(&mut world, ALICE, NUMBER);
    world.run_for(s(4));
    world.act(ALICE, Phone::hold);
    world.run_for(s(1));
    agreed(&world, ALICE, WEST);
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "407: INVITE, re-INVITE, BYE with credentials",
        &["200 normal by caller, 3 s"]
    ));
}

#[test]
fn a_stale_nonce_in_a_bye() {
    let mut world = gateways("", &[(WEST, "auth = { user = \"us\", password = \"secret\" }")]);
    let demand =
        Demand { methods: vec!["BYE".to_owned()], status: 401, is_stale_once: true, ..Demand::new("us", "secret") };
    set(&mut world, WEST, |west| west.trunk.demand = Some(demand));
    call(&mut world, ALICE, NUMBER);
    world.run_for(s(4));
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "a BYE is challenged, and the nonce is stale",
        &["200 normal by caller, 2 s"]
    ));
}

#[test]
fn a_wrong_password() {
    let keys = "auth = { user = \"us\", password = \"guess\" }";
    let mut world = gateways("", &[(WEST, keys)]);
    set(&mut world, WEST, |west| west.trunk.demand = Some(Demand::new("us", "secret")));
    call(&mut world, ALICE, NUMBER);
    insta::assert_snapshot!(finish(world, "a wrong password: once", &["503 credentials_rejected by server, 0 s"]));
}

fn redirect(contacts: &[&str]) -> Outcome {
    let contacts = contacts.iter().map(|&contact| contact.to_owned()).collect();
    Outcome::Refuse { status: 302, retry_after_s: None, contacts }
}

#[test]
fn a_302_is_followed() {
    let mut world = three("redirect = \"follow\"");
    outcome(&mut world, WEST, redirect(&["<sip:555@10.0.1.103:5060>"]));
    set(&mut world, NORTH, |north| north.answering = AT_ONCE);
    call(&mut world, ALICE, NUMBER);
    world.run_for(s(2));
    agreed(&world, ALICE, NORTH);
    insta::assert_snapshot!(hang_up(world, ALICE, "302 to another gateway, followed", &["200 normal by caller, 2 s"]));
}

#[test]
fn a_302_is_passed() {
    let mut world = three("");
    outcome(&mut world, WEST, redirect(&["<sip:555@10.0.1.103:5060>"]));
    call(&mut world, ALICE, NUMBER);
    insta::assert_snapshot!(finish(world, "302, passed", &["302 redirected by callee, 0 s"]));
}
