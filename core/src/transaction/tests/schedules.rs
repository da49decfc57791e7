//! When what is sent again, and when it is given up. Seconds on the left.

use super::world::{World, our_request, their_request, their_response};
use crate::transaction::{Answer, Received, ServerId};

fn new_server(world: &mut World, method: &str) -> ServerId {
    let Received::New(id) = world.hear_request(&their_request(method, "z9hG4bKcarol")) else { panic!("not new") };
    world.layer.adopt(id, super::world::OWNER, *b"0123456789abcdef");
    id
}

#[test]
fn a_lost_invite_is_sent_at_doubling_intervals_for_32_s() {
    let mut world = World::new();
    world.ask("INVITE", 'a');
    world.wait_ms(100_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

#[test]
fn an_invite_is_not_sent_again_after_any_provisional_answer() {
    let mut world = World::new();
    world.ask("INVITE", 'a');
    world.wait_ms(600);
    world.hear_response(&their_response(&our_request("INVITE", 'a'), 100, ""));
    world.wait_ms(600_000);
    insta::assert_snapshot!(world.log);
    assert_eq!((world.layer.len(), world.cx.timers.len()), (1, 0), "it waits for its user, without a timer");
}

#[test]
fn a_lost_request_follows_the_list_for_32_s() {
    let mut world = World::new();
    world.ask("REGISTER", 'a');
    world.wait_ms(100_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

#[test]
fn a_request_with_a_provisional_answer_is_sent_every_t2() {
    let mut world = World::new();
    world.ask("OPTIONS", 'a');
    world.wait_ms(600);
    world.hear_response(&their_response(&our_request("OPTIONS", 'a'), 100, ""));
    world.wait_ms(100_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

#[test]
fn a_2xx_is_sent_again_until_its_ack() {
    let mut world = World::new();
    let id = new_server(&mut world, "INVITE");
    world.answer(id, 100);
    world.wait_ms(2_000);
    world.answer(id, 200);
    world.wait_ms(4_000);
    world.hear_request(&their_request("INVITE", "z9hG4bKcarol"));
    assert_eq!(world.hear_request(&their_request("ACK", "z9hG4bKother")), Received::Ack);
    world.acknowledged(id);
    world.wait_ms(1_000);
    world.hear_request(&their_request("INVITE", "z9hG4bKcarol"));
    world.wait_ms(100_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

#[test]
fn a_2xx_without_ack_is_given_up_after_32_s() {
    let mut world = World::new();
    let id = new_server(&mut world, "INVITE");
    world.answer(id, 200);
    world.wait_ms(100_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

#[test]
fn a_failure_is_sent_again_until_its_ack() {
    let mut world = World::new();
    let id = new_server(&mut world, "INVITE");
    world.answer(id, 486);
    world.wait_ms(2_000);
    world.hear_request(&their_request("INVITE", "z9hG4bKcarol"));
    world.wait_ms(200);
    assert_eq!(world.hear_request(&their_request("ACK", "z9hG4bKcarol")), Received::Absorbed);
    world.wait_ms(4_000);
    assert_eq!(world.hear_request(&their_request("ACK", "z9hG4bKcarol")), Received::Absorbed);
    assert_eq!(world.hear_request(&their_request("INVITE", "z9hG4bKcarol")), Received::Absorbed);
    world.wait_ms(100_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

#[test]
fn a_failure_without_ack_is_given_up_after_32_s() {
    let mut world = World::new();
    let id = new_server(&mut world, "INVITE");
    world.answer(id, 486);
    world.wait_ms(100_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

#[test]
fn our_ack_of_a_failure_is_sent_whenever_the_failure_comes() {
    let mut world = World::new();
    world.ask("INVITE", 'a');
    let busy = their_response(&our_request("INVITE", 'a'), 486, "b1");
    assert!(matches!(world.hear_response(&busy), Answer::Deliver { .. }));
    world.wait_ms(500);
    assert_eq!(world.hear_response(&busy), Answer::Absorbed);
    world.wait_ms(31_000);
    assert_eq!(world.hear_response(&busy), Answer::Absorbed);
    world.wait_ms(1_000);
    assert_eq!(world.hear_response(&busy), Answer::Stray);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

/// RFC 4320: a 100 when timer E reaches T2, and silence instead of a 408.
#[test]
fn an_unanswered_request_gets_one_100_and_then_silence() {
    let mut world = World::new();
    let id = new_server(&mut world, "OPTIONS");
    world.answer(id, 100);
    world.answer(id, 183);
    world.hear_request(&their_request("OPTIONS", "z9hG4bKcarol"));
    world.wait_ms(7_500);
    world.hear_request(&their_request("OPTIONS", "z9hG4bKcarol"));
    world.answer(id, 408);
    world.wait_ms(24_499);
    assert_eq!(world.layer.len(), 1);
    world.wait_ms(1);
    world.assert_empty();
    world.answer(id, 200);
    insta::assert_snapshot!(world.log);
}

#[test]
fn a_final_answer_is_sent_again_whenever_its_request_comes() {
    let mut world = World::new();
    let id = new_server(&mut world, "REGISTER");
    world.answer(id, 200);
    world.answer(id, 500);
    for _ in 0..2 {
        world.wait_ms(500);
        assert_eq!(world.hear_request(&their_request("REGISTER", "z9hG4bKcarol")), Received::Absorbed);
    }
    world.wait_ms(31_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}
