//! Phones face to face: offer and answer, RFC 3262, UPDATE, glare, forks, transfers and gateways, as the RFCs have them.

use crosspoint_sim::net::{Fate, Fault, Plan};
use crosspoint_sim::phone::sdp::{Codec, Direction};
use crosspoint_sim::phone::{
    Answering, Branch, Change, Demand, End, Hold, Notice, Outcome, Phone, Reliability, Reply, Settings, State, Step,
};
use crosspoint_sim::wire::Wire;
use std::time::Duration;

const ALICE: &str = "alice";
const BOB: &str = "bob";
const CAROL: &str = "carol";

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Three phones; `change` alters each one's settings.
fn wire(change: impl Fn(&mut Settings)) -> Wire {
    let mut wire = Wire::new(7, &[ALICE, BOB, CAROL]);
    for name in [ALICE, BOB, CAROL] {
        wire.act(name, |phone, _| {
            phone.settings_mut().marks = true;
            change(phone.settings_mut());
        });
    }
    wire
}

fn set(wire: &mut Wire, name: &str, change: impl FnOnce(&mut Settings)) {
    wire.act(name, |phone, _| change(phone.settings_mut()));
}

fn call(wire: &mut Wire) {
    wire.act(ALICE, |alice, now| {
        alice.call(now, BOB);
    });
}

/// What Alice and Bob agreed on, and that it is the same.
#[track_caller]
fn agreed(wire: &Wire) -> (Direction, Vec<Codec>) {
    let [a, b] = [ALICE, BOB].map(|name| wire.phone(name).current_call().and_then(|call| call.agreed()).cloned());
    let (a, b) = (a.expect("Alice has agreed"), b.expect("Bob has agreed"));
    assert_eq!(a.mismatch(&b), None, "{}", wire.ladder("no agreement"));
    (a.direction, a.codecs)
}

#[track_caller]
fn finish(mut wire: Wire, title: &str) -> String {
    wire.act(ALICE, Phone::hang_up);
    assert!(wire.run_until_idle(s(200)), "no rest\n{}", wire.ladder(title));
    assert_eq!(wire.violations(), [] as [String; 0], "{}", wire.ladder(title));
    wire.ladder(title)
}

const ONE: [Codec; 1] = [Codec::Pcma];

#[test]
fn a_hold_in_every_spelling_by_either_method() {
    for by_update in [false, true] {
        let mut wire = wire(|_| {});
        call(&mut wire);
        wire.run_for(s(3));
        let expected = [
            (Hold::SendOnly, Direction::SendOnly),
            (Hold::Inactive, Direction::Inactive),
            (Hold::Zero, Direction::SendOnly),
            (Hold::Off, Direction::SendRecv),
        ];
        for (hold, direction) in expected {
            let change = Change { by_update, ..Change::hold(hold) };
            wire.act(ALICE, |alice, now| alice.change(now, change));
            wire.run_for(s(1));
            assert_eq!(agreed(&wire).0, direction, "{hold:?}");
        }
        wire.act(BOB, |bob, now| bob.change(now, Change { by_update, ..Change::codecs(&ONE) }));
        wire.run_for(s(1));
        assert_eq!(agreed(&wire).1, ONE);
        finish(wire, "every hold");
    }
}

#[test]
fn the_offer_may_be_in_the_2xx_and_in_the_1xx() {
    for reliability in [Reliability::Unsupported, Reliability::Supported, Reliability::Required] {
        for makes_offer in [true, false] {
            for early_media in [true, false] {
                let mut wire = wire(|settings| {
                    (settings.reliability, settings.makes_offer) = (reliability, makes_offer);
                    (settings.early_media, settings.offers_video) = (early_media, true);
                });
                call(&mut wire);
                wire.run_for(s(3));
                assert_eq!(agreed(&wire).0, Direction::SendRecv);
                wire.act(BOB, |bob, now| bob.change(now, Change::hold(Hold::SendOnly).without_offer()));
                wire.run_for(s(1));
                // Bob asked for an offer and had Alice's, and answered it with his hold
                assert_eq!(agreed(&wire).0, Direction::RecvOnly);
                let ladder = finish(wire, "offers everywhere");
                assert_eq!(ladder.contains("PRACK"), reliability != Reliability::Unsupported, "{ladder}");
            }
        }
    }
}

#[test]
fn a_lost_prack_and_a_lost_reliable_answer_make_no_difference() {
    let mut wire = wire(|settings| (settings.reliability, settings.early_media) = (Reliability::Supported, true));
    set(&mut wire, ALICE, |settings| settings.offers_in_prack = true);
    wire.fault_from(ALICE, Fault::new("PRACK", 1, Fate::Lose));
    wire.fault_from(BOB, Fault::new("180 INVITE", 1, Fate::Lose));
    wire.fault_from(BOB, Fault::new("200 PRACK", 1, Fate::Lose));
    call(&mut wire);
    wire.run_for(s(5));
    assert_eq!(agreed(&wire).1, [Codec::Pcma, Codec::Pcmu], "the second offer, in the PRACK, was the other way round");
    insta::assert_snapshot!(finish(wire, "180 and PRACK and its 200 are lost once"));
}

#[test]
fn the_200_waits_for_the_prack_of_a_description() {
    let mut wire = wire(|settings| (settings.reliability, settings.early_media) = (Reliability::Supported, true));
    set(&mut wire, ALICE, |settings| settings.prack_after = s(3));
    call(&mut wire);
    wire.run_for(ms(2500));
    assert_eq!(wire.phone(BOB).current_call().unwrap().state(), State::Incoming, "200 is due at 2 s");
    wire.run_for(s(2));
    assert_eq!(wire.phone(BOB).current_call().unwrap().state(), State::Up);
    finish(wire, "200 waits");
}

#[test]
fn what_is_never_acknowledged_ends_with_a_5xx_and_what_is_not_known_with_420() {
    let mut wire = wire(|settings| (settings.reliability, settings.early_media) = (Reliability::Supported, true));
    set(&mut wire, ALICE, |settings| settings.prack_after = s(100));
    call(&mut wire);
    wire.run_for(s(50));
    assert_eq!(wire.phone(ALICE).calls()[0].state(), State::Over(End::Refused(504)));
    let mut wire = self::wire(|_| {});
    set(&mut wire, ALICE, |settings| settings.reliability = Reliability::Required);
    call(&mut wire);
    assert!(finish(wire, "420").contains("420 INVITE"));
}

#[test]
fn update_changes_an_early_session_from_either_side() {
    let mut wire = wire(|settings| (settings.reliability, settings.early_media) = (Reliability::Supported, true));
    set(&mut wire, BOB, |settings| settings.answering = Answering::RingOnly);
    call(&mut wire);
    wire.run_for(s(1));
    wire.act(ALICE, |alice, now| alice.change(now, Change::hold(Hold::SendOnly).by_update()));
    wire.run_for(s(1));
    assert_eq!(agreed(&wire).0, Direction::SendOnly);
    wire.act(BOB, |bob, now| bob.change(now, Change::codecs(&ONE).by_update()));
    wire.run_for(s(1));
    assert_eq!(agreed(&wire).1, ONE);
    wire.act(BOB, Phone::answer);
    wire.run_for(s(1));
    assert_eq!(agreed(&wire), (Direction::SendOnly, ONE.to_vec()));
    insta::assert_snapshot!(finish(wire, "UPDATE before the answer"));
}

/// RFC 3261 §14.1: the owner of the Call-ID waits longer, so that the other one's comes first.
#[test]
fn glare_ends_with_both_changes_made() {
    let kinds = [(false, false), (false, true), (true, false), (true, true)];
    for (alice_updates, bob_updates) in kinds {
        let mut wire = wire(|_| {});
        call(&mut wire);
        wire.run_for(s(3));
        let hold = Change { by_update: alice_updates, ..Change::hold(Hold::SendOnly) };
        wire.act(ALICE, |alice, now| alice.change(now, hold));
        wire.act(BOB, |bob, now| bob.change(now, Change { by_update: bob_updates, ..Change::codecs(&ONE) }));
        wire.run_for(s(10));
        assert_eq!(agreed(&wire), (Direction::SendOnly, ONE.to_vec()));
        let ladder = finish(wire, "glare");
        assert!(ladder.matches(" 491 ").count() >= 1 || ladder.contains("--491"), "{ladder}");
    }
}

/// The 491 of a phone that met nothing is held against it: a phone that refuses every change with it is such a one.
#[test]
fn a_491_without_a_crossing_is_told() {
    let mut wire = wire(|_| {});
    set(&mut wire, BOB, |settings| settings.refuses_changes = Some(491));
    call(&mut wire);
    wire.run_for(s(3));
    wire.act(ALICE, Phone::hold);
    wire.run_for(s(1));
    let told = wire.phone(ALICE).violations();
    assert!(told[0].contains("491 where nothing crossed: INVITE") && told[0].contains("2 INVITE"), "{told:?}");
}

#[test]
fn a_refused_change_leaves_the_session() {
    let mut wire = wire(|_| {});
    set(&mut wire, BOB, |settings| settings.refuses_changes = Some(488));
    call(&mut wire);
    wire.run_for(s(3));
    wire.act(ALICE, Phone::hold);
    wire.run_for(s(1));
    assert_eq!(agreed(&wire).0, Direction::SendRecv);
    let replied = Notice::Replied { method: "INVITE".to_owned(), status: Some(488) };
    assert!(wire.notices(ALICE).contains(&replied));
    finish(wire, "refused");
}

#[test]
fn a_change_may_be_cancelled_and_a_bye_ends_one_that_waits() {
    let mut wire = wire(|_| {});
    set(&mut wire, BOB, |settings| {
        settings.answers_changes_after = s(2);
        settings.rings_with = 180;
    });
    call(&mut wire);
    wire.run_for(s(3));
    wire.act(ALICE, Phone::hold);
    wire.run_for(s(1));
    wire.act(BOB, Phone::hang_up);
    wire.run_for(s(5));
    assert_eq!(wire.phone(ALICE).calls()[0].state(), State::Over(End::PeerHungUp));
    let ladder = finish(wire, "BYE while a re-INVITE waits");
    assert!(ladder.contains("487 INVITE"), "{ladder}");
}

fn branch(steps: &[(u64, Reply)]) -> Branch {
    let steps = steps.iter().map(|(after, reply)| Step { after: ms(*after), reply: *reply }).collect();
    Branch { audio: None, codecs: None, steps }
}

/// Every order of {180, 183 with SDP, 200} on two branches of a fork: the first 200 wins, the second is released.
#[test]
fn every_order_of_two_branches() {
    let replies = [Reply::Ringing, Reply::Progress, Reply::Answer];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    // which branch speaks next: all 20 ways to shuffle three and three
    let turns: Vec<u32> = (0..64_u32).filter(|turns| turns.count_ones() == 3).collect();
    for reliable in [false, true] {
        for (first, second) in orders.iter().flat_map(|a| orders.iter().map(move |b| (a, b))) {
            for turns in &turns {
                let mut wire = wire(|settings| settings.reliability = Reliability::Supported);
                set(&mut wire, ALICE, |settings| settings.may_fork = true);
                let mut steps = [Vec::new(), Vec::new()];
                for turn in 0..6 {
                    let which = usize::from(turns & (1 << turn) != 0);
                    let order = [first, second][which];
                    let reply = match replies[order[steps[which].len()]] {
                        Reply::Progress if reliable => Reply::ReliableProgress,
                        reply => reply,
                    };
                    steps[which].push((10 * (turn + 1), reply));
                }
                let branches = steps.iter().map(|steps| branch(steps)).collect();
                set(&mut wire, BOB, |settings| settings.branches = branches);
                call(&mut wire);
                wire.run_for(s(1));
                assert_eq!(wire.phone(ALICE).current_call().unwrap().state(), State::Up, "{}", wire.ladder("fork"));
                agreed(&wire);
                finish(wire, &format!("{first:?} {second:?} {turns:06b}"));
            }
        }
    }
}

#[test]
fn a_fork_where_all_refuse_is_refused_with_the_best() {
    let mut wire = wire(|_| {});
    let branches =
        vec![branch(&[(10, Reply::Progress), (20, Reply::Refuse(503))]), branch(&[(30, Reply::Refuse(486))])];
    set(&mut wire, BOB, |settings| settings.branches = branches);
    call(&mut wire);
    wire.run_for(s(1));
    assert_eq!(wire.phone(ALICE).calls()[0].state(), State::Over(End::Refused(486)));
    finish(wire, "all refuse");
}

#[test]
fn a_blind_transfer() {
    let mut wire = wire(|_| {});
    call(&mut wire);
    wire.run_for(s(3));
    let carol = wire.target(CAROL);
    wire.act(ALICE, |alice, now| alice.refer(now, &carol));
    wire.run_for(s(4));
    assert_eq!(wire.phone(ALICE).current_call().map(|call| call.state()), None, "{}", wire.ladder("so far"));
    assert_eq!(wire.phone(CAROL).current_call().unwrap().state(), State::Up);
    let bodies = wire.notices(ALICE).iter().filter_map(|notice| match notice {
        Notice::Received { method, body } if method == "NOTIFY" => Some(body.as_str()),
        _ => None,
    });
    let told = ["SIP/2.0 100 Trying\r\n", "SIP/2.0 180 Ringing\r\n", "SIP/2.0 200 OK\r\n"];
    assert_eq!(bodies.collect::<Vec<_>>(), told);
    wire.act(BOB, Phone::hang_up);
    insta::assert_snapshot!(finish(wire, "a blind transfer"));
}

#[test]
fn an_attended_transfer() {
    let mut wire = wire(|settings| settings.lines = 2);
    call(&mut wire);
    wire.run_for(s(3));
    let carol = wire.target(CAROL);
    wire.act(ALICE, Phone::hold);
    wire.run_for(s(1));
    wire.act(ALICE, |alice, now| {
        alice.call(now, &carol);
    });
    wire.run_for(s(3));
    wire.act(ALICE, |alice, now| alice.refer_attended(now, 1, 2));
    wire.run_for(s(3));
    assert!(wire.phone(ALICE).current_call().is_none(), "{}", wire.ladder("so far"));
    let both = [BOB, CAROL].map(|name| wire.phone(name).current_call().unwrap().agreed().unwrap().clone());
    assert_eq!(both[0].mismatch(&both[1]), None);
    wire.act(CAROL, Phone::hang_up);
    insta::assert_snapshot!(finish(wire, "an attended transfer"));
}

#[test]
fn subscriptions_and_what_nobody_knows_pass_inside_a_call() {
    let mut wire = wire(|settings| settings.takes_any_method = true);
    call(&mut wire);
    wire.run_for(s(3));
    wire.act(ALICE, |alice, now| alice.subscribe(now, "dialog"));
    let body = b"--b\r\nContent-Type: application/isup\r\n\r\n\x01\x00\xff\xfe\r\n--b--\r\n";
    let kind = ("Content-Type", "multipart/mixed;boundary=b");
    wire.act(ALICE, |alice, now| alice.send_any_within(now, "FROBNICATE", &[kind, ("X-Odd", "a;b=\"c\"")], body));
    wire.run_for(s(1));
    let is_it = |notice: &&Notice| matches!(notice, Notice::Unknown { .. });
    let Some(Notice::Unknown { method, headers, body: heard }) = wire.notices(BOB).iter().find(is_it) else {
        panic!("{:?}", wire.notices(BOB))
    };
    assert_eq!((method.as_str(), heard.as_slice()), ("FROBNICATE", body.as_slice()));
    assert!(headers.contains(&("X-Odd".to_owned(), "a;b=\"c\"".to_owned())));
    let notified = Notice::Received { method: "NOTIFY".to_owned(), body: String::new() };
    assert!(wire.notices(ALICE).contains(&notified));
    finish(wire, "whatever");
}

#[test]
fn a_trunk_demands_credentials_for_whatever_it_says() {
    for (status, is_stale_once) in [(401, false), (407, true)] {
        let mut wire = wire(|_| {});
        let methods = ["INVITE", "BYE", "OPTIONS", "REGISTER"].map(str::to_owned).to_vec();
        let demand = Demand { status, is_stale_once, methods, ..Demand::new(ALICE, "right") };
        set(&mut wire, BOB, |settings| {
            (settings.trunk.demand, settings.trunk.registers_s) = (Some(demand), Some(600));
        });
        set(&mut wire, ALICE, |settings| settings.password = "right".to_owned());
        set(&mut wire, BOB, |settings| settings.takes_any_number = true);
        wire.act(ALICE, Phone::register);
        wire.run_for(s(1));
        assert_eq!(wire.phone(ALICE).registered_s(), Some(600), "{}", wire.ladder("so far"));
        wire.act(ALICE, |alice, now| alice.options(now, BOB));
        call(&mut wire);
        wire.run_for(s(3));
        wire.act(ALICE, Phone::hold);
        wire.run_for(s(1));
        assert_eq!(agreed(&wire).0, Direction::SendOnly);
        finish(wire, "trunk");
    }
}

#[test]
fn a_trunk_refuses_by_script() {
    let mut wire = wire(|_| {});
    let refuse = |status, retry_after_s| Outcome::Refuse { status, retry_after_s, contacts: Vec::new() };
    let outcomes = vec![refuse(503, Some(9)), refuse(604, None), Outcome::Usual, Outcome::Silence];
    set(&mut wire, BOB, |settings| settings.trunk.outcomes = outcomes);
    let mut ends = Vec::new();
    for _ in 0..4 {
        call(&mut wire);
        wire.run_for(s(4));
        wire.act(ALICE, Phone::hang_up);
        wire.run_for(s(33));
        ends.push(wire.phone(ALICE).calls().last().unwrap().state());
    }
    let ended = [End::Refused(503), End::Refused(604), End::HungUp, End::Cancelled].map(State::Over);
    assert_eq!(ends, ended);
    assert_eq!(wire.phone(BOB).attempts(), 4);
}

#[test]
fn bad_links_make_no_difference_to_all_of_this() {
    let mut wire = wire(|settings| {
        (settings.reliability, settings.early_media) = (Reliability::Supported, true);
        settings.offers_before_ack = true;
    });
    wire.set_links(Plan::BAD);
    for _ in 0..30 {
        call(&mut wire);
        wire.run_for(ms(1900));
        wire.act(ALICE, |alice, now| alice.change(now, Change::hold(Hold::Inactive).by_update()));
        wire.act(BOB, |bob, now| bob.change(now, Change::codecs(&ONE)));
        wire.run_for(s(60));
        assert_eq!(agreed(&wire), (Direction::Inactive, ONE.to_vec()));
        wire.act(BOB, Phone::hang_up);
        assert!(wire.run_until_idle(s(200)));
        wire.run_for(s(40));
        assert_eq!(wire.violations(), [] as [String; 0], "{}", wire.ladder("bad links"));
        wire.forget_past();
    }
}
