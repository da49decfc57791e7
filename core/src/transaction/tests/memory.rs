//! A transaction keeps what its state may still have to send, and nothing else.

use super::world::{World, our_request, their_request, their_response};
use crate::transaction::{ClientTransaction, Received, ServerId, ServerTransaction};

/// How many messages, or heads of one, the layer holds.
fn kept(world: &World) -> usize {
    let snapshot = postcard::to_stdvec(&world.layer).unwrap();
    memchr::memmem::find_iter(&snapshot, "Call-ID: ").count()
}

fn new_server(world: &mut World, method: &str) -> ServerId {
    let Received::New(id) = world.hear_request(&their_request(method, "z9hG4bKcarol")) else { panic!("not new") };
    id
}

#[test]
fn a_client_keeps_its_request_until_the_final_answer_and_an_ack_after_a_failure() {
    for (method, status, after) in [("INVITE", 200, 0), ("INVITE", 486, 1), ("BYE", 200, 0), ("BYE", 486, 0)] {
        let mut world = World::new();
        world.ask(method, 'a');
        assert_eq!(kept(&world), 1);
        world.hear_response(&their_response(&our_request(method, 'a'), status, "b1"));
        assert_eq!((kept(&world), world.layer.len()), (after, 1), "{method} {status}");
    }
}

#[test]
fn a_server_keeps_a_head_until_the_final_answer_and_that_while_it_may_be_wanted() {
    let mut world = World::new();
    let id = new_server(&mut world, "INVITE");
    assert_eq!(kept(&world), 1, "the head");
    world.answer(id, 180);
    assert_eq!(kept(&world), 2, "the head and the last answer");
    world.answer(id, 200);
    assert_eq!(kept(&world), 1, "the answer");
    world.acknowledged(id);
    assert_eq!((kept(&world), world.layer.len()), (0, 1));

    let mut world = World::new();
    let id = new_server(&mut world, "INVITE");
    world.answer(id, 486);
    assert_eq!(kept(&world), 1, "the answer");
    world.hear_request(&their_request("ACK", "z9hG4bKcarol"));
    assert_eq!((kept(&world), world.layer.len()), (0, 1));

    let mut world = World::new();
    let id = new_server(&mut world, "OPTIONS");
    world.answer(id, 200);
    assert_eq!(kept(&world), 1, "the answer");
}

#[test]
fn transactions_are_small() {
    let sizes = (size_of::<ServerTransaction>(), size_of::<ClientTransaction>());
    assert!(sizes.0 <= 256 && sizes.1 <= 192, "{sizes:?}");
}
