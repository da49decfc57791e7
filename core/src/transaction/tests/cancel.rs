//! CANCEL, sent and received (RFC 3261 §9).

use super::world::{OWNER, World, field, our_request, their_request, their_response};
use crate::transaction::{Answer, Received, ServerId};

fn respond(world: &mut World, status: u16, tag: &str) -> Answer {
    world.hear_response(&their_response(&our_request("INVITE", 'a'), status, tag))
}

#[test]
fn after_a_provisional_answer_it_goes_out_at_once() {
    let mut world = World::new();
    let id = world.ask("INVITE", 'a');
    respond(&mut world, 180, "b1");
    world.sent.clear();
    world.cancel(id);
    let cancel = world.sent_one();
    world.cancel(id);
    world.hear_response(&their_response(&cancel, 200, "b1"));
    assert_eq!(respond(&mut world, 487, "b1"), Answer::Deliver { client: id, owner: OWNER });
    world.wait_ms(40_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
    insta::assert_snapshot!("the_cancel", cancel.replace("\r\n", "\n"));
}

#[test]
fn before_any_answer_it_waits_for_one() {
    let mut world = World::new();
    let id = world.ask("INVITE", 'a');
    world.cancel(id);
    world.wait_ms(700);
    respond(&mut world, 100, "");
    world.wait_ms(100);
    respond(&mut world, 487, "b1");
    world.wait_ms(100_000);
    world.assert_empty();
    insta::assert_snapshot!(world.log);
}

#[test]
fn without_any_answer_it_never_goes_out() {
    let mut world = World::new();
    let id = world.ask("INVITE", 'a');
    world.cancel(id);
    world.wait_ms(100_000);
    world.assert_empty();
    assert!(!world.log.contains("CANCEL"));
    assert!(world.log.ends_with(" 32.000 !! timeout for 7.1\n"), "{}", world.log);
}

#[test]
fn a_cancelled_invite_without_final_answer_is_given_up_32_s_later() {
    let mut world = World::new();
    let id = world.ask("INVITE", 'a');
    respond(&mut world, 180, "b1");
    world.wait_ms(60_000);
    world.cancel(id);
    world.wait_ms(100_000);
    world.assert_empty();
    assert!(world.log.ends_with(" 92.000 !! timeout for 7.1\n"), "{}", world.log);
}

#[test]
fn a_2xx_that_crosses_it_is_delivered() {
    let mut world = World::new();
    let id = world.ask("INVITE", 'a');
    respond(&mut world, 180, "b1");
    world.cancel(id);
    assert_eq!(respond(&mut world, 200, "b1"), Answer::Deliver { client: id, owner: OWNER });
    world.wait_ms(100_000);
    world.assert_empty();
}

#[test]
fn an_invite_that_nobody_owns_any_longer_is_cancelled() {
    let mut world = World::new();
    let id = world.ask("INVITE", 'a');
    respond(&mut world, 180, "b1");
    world.layer.disown(&mut world.cx, id);
    assert_eq!(respond(&mut world, 487, "b1"), Answer::Absorbed);
    world.wait_ms(100_000);
    world.assert_empty();
}

fn new_invite(world: &mut World) -> ServerId {
    let Received::New(id) = world.hear_request(&their_request("INVITE", "z9hG4bKcarol")) else { panic!("not new") };
    id
}

#[test]
fn theirs_is_answered_here_and_told_once_the_invite_is_unanswered() {
    let mut world = World::new();
    let invite = new_invite(&mut world);
    world.answer(invite, 180);
    world.sent.clear();
    let cancel = their_request("CANCEL", "z9hG4bKcarol");
    assert_eq!(world.hear_request(&cancel), Received::Cancel { invite });
    let ok = world.sent_one();
    assert!(ok.starts_with("SIP/2.0 200 OK\r\n"), "{ok}");
    assert_eq!(field(&ok, "CSeq"), "1 CANCEL");
    assert!(field(&ok, "To").ends_with(";tag=ours"), "the tag of the INVITE's answers (RFC 3261 §9.2): {ok}");

    world.answer(invite, 487);
    world.sent.clear();
    assert_eq!(world.hear_request(&cancel), Received::Absorbed, "too late, but answered 200");
    assert!(world.sent_one().starts_with("SIP/2.0 200 OK\r\n"));
}

#[test]
fn theirs_after_a_final_answer_changes_nothing() {
    let mut world = World::new();
    let invite = new_invite(&mut world);
    world.answer(invite, 200);
    world.sent.clear();
    assert_eq!(world.hear_request(&their_request("CANCEL", "z9hG4bKcarol")), Received::Absorbed);
    assert!(world.sent_one().starts_with("SIP/2.0 200 OK\r\n"));
}

#[test]
fn theirs_of_nothing_is_answered_481_each_time_alike() {
    let mut world = World::new();
    let cancel = their_request("CANCEL", "z9hG4bKnothing");
    assert_eq!(world.hear_request(&cancel), Received::Absorbed);
    let first = world.sent_one();
    assert!(first.starts_with("SIP/2.0 481 "), "{first}");
    assert!(field(&first, "To").contains(";tag="));
    world.hear_request(&cancel);
    assert_eq!(world.sent_one(), first);
    world.assert_empty();
}
