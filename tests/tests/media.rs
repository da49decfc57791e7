//! Whether media goes through the switch, as ladders: whose address stands in which description, what the shard is told,
//! what the record says.

use crosspoint_core::cdr::CallRecord;
use crosspoint_core::event::Event;
use crosspoint_sim::phone::sdp::{Codec, Direction};
use crosspoint_sim::phone::{Answering, Change, Hold, Phone, Reliability, Settings};
use crosspoint_sim::world::{DOMAIN, PASSWORD, SWITCH, World};
use crosspoint_tests::scene::{ALICE, BOB, add_phones, agreed, call, finish, hang_up, s, set};

const DONE: [&str; 1] = ["200 normal by caller, 2 s"];

/// Alice and Bob, with these parameters, and these keys of Bob's.
fn scene(parameters: &str, bob: &str) -> World {
    let mut text = format!(
        "[switch]\ndomain = \"{DOMAIN}\"\ndigest_algorithms = [\"SHA-256\", \"MD5\"]\n[[listen]]\ntransport = \"udp\"\n\
         bind = \"{SWITCH}\"\n[parameters]\nSS_RTP_PORT_RANGE = \"20000,20199\"\n{parameters}\n"
    );
    for (name, keys) in [(ALICE, ""), (BOB, bob)] {
        text.push_str(&format!("[[phone]]\nuser = \"{name}\"\npassword = \"{PASSWORD}\"\n{keys}\n"));
    }
    add_phones(World::of_config(1, &text), &[ALICE, BOB])
}

/// A phone changes the session.
fn change(world: &mut World, name: &str, change: Change) {
    world.act(name, |phone, now| phone.change(now, change));
}

fn record(world: &World) -> &CallRecord {
    let record = world.events().iter().rev().find_map(|event| match event {
        Event::CallEnded { record } => Some(record),
        _ => None,
    });
    record.expect("a call has ended")
}

#[test]
fn relayed() {
    let mut world = scene("", "media_proxy = \"On\"");
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(world, ALICE, "relayed by S3: each is shown the switch", &DONE));
}

#[test]
fn direct() {
    let mut world = scene("SS_MEDIAPROXYMODE = \"Off\"", "media_proxy = \"On\"");
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(world, ALICE, "direct by G2: each is shown the other", &DONE));
}

/// RFC 3264 §8, user-pains 7: what was agreed holds until the answer, and after a refusal.
#[test]
fn a_relayed_call_is_held_and_resumed() {
    let mut world = scene("", "media_proxy = \"On\"");
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    for hold in [Hold::SendOnly, Hold::Off] {
        change(&mut world, BOB, Change::hold(hold));
        world.run_for(s(1));
    }
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(
        world,
        ALICE,
        "relayed, held and resumed: the ports stay",
        &["200 normal by caller, 4 s"]
    ));
}

#[test]
fn the_callee_makes_the_offer() {
    let mut world = scene("", "media_proxy = \"On\"");
    set(&mut world, ALICE, |alice| alice.makes_offer = false);
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(world, ALICE, "relayed, the offer in the 2xx", &DONE));
}

#[test]
fn early_media_is_relayed() {
    let mut world = scene("", "media_proxy = \"On\"");
    set(&mut world, BOB, |bob| (bob.early_media, bob.rings_with) = (true, 183));
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(world, ALICE, "relayed from the 183 on", &DONE));
}

#[test]
fn the_record_says_why_media_was_relayed() {
    let mut world = scene("", "media_proxy = \"Must On\"");
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    let view = &world.calls()[0];
    assert_eq!((view.media, view.media_rule), ("relay", "S1"));
    world.act(ALICE, Phone::hang_up);
    world.run_until_idle(s(900));
    let record = record(&world);
    assert_eq!((record.media.as_str(), record.media_rule.as_str()), ("relay", "S1"));
    assert_eq!((record.rtp_caller_packets, record.rtp_callee_packets), (Some(0), Some(0)), "nobody has spoken");
    let why = "media relay: media_proxy is Auto at the caller, Must On at the callee (S1)";
    assert!(record.route.contains(why), "{}", record.route);
}

/// Rule S4: the 183 is an early dialog of the switch's own, since its description would be the answer in Bob's
/// (RFC 3261 §13.2.1); what Bob sends before his answer is not shown.
#[test]
fn the_switch_rings_for_a_phone_with_local_ring() {
    let mut world = scene("", "local_ring = true");
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, BOB);
    insta::assert_snapshot!(hang_up(world, ALICE, "relayed by S4: the switch plays ringback until the 200", &DONE));
}

/// RFC 3261 §13.2.1: Bob's answer is in his reliable 183 and not repeated; Alice, who is not shown that, gets it with the
/// 200, and both hear each other.
#[test]
fn a_phone_that_describes_itself_while_the_switch_rings_is_heard() {
    let mut world = scene("", "local_ring = true");
    set(&mut world, BOB, |bob| (bob.early_media, bob.rings_with) = (true, 183));
    for name in [ALICE, BOB] {
        set(&mut world, name, |phone| (phone.reliability, phone.talks) = (Reliability::Supported, true));
    }
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    agreed(&world, ALICE, BOB);
    world.act(ALICE, Phone::hang_up);
    world.run_until_idle(s(900));
    let packets = (record(&world).rtp_caller_packets, record(&world).rtp_callee_packets);
    assert!(packets.0 > Some(50) && packets.1 > Some(50), "{packets:?}");
    insta::assert_snapshot!(finish(world, "relayed by S4, Bob's answer in his reliable 183 alone", &DONE));
}

/// Which provisional answers Alice is shown, and what the record's route says of the ringing.
fn rung(alice: fn(&mut Settings), bob: fn(&mut Settings)) -> (Vec<String>, String) {
    let mut world = scene("", "local_ring = true");
    set(&mut world, ALICE, alice);
    set(&mut world, BOB, bob);
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    let ladder = world.ladder("");
    let of_alices = |line: &str| {
        let (time, rest) = line.split_once("|<-")?;
        let status = rest.split(' ').next().filter(|status| status.starts_with('1') && *status != "100");
        status.filter(|_| !time.contains('|')).map(str::to_owned)
    };
    let shown = ladder.lines().filter_map(of_alices).collect();
    world.act(ALICE, Phone::hang_up);
    world.run_until_idle(s(900));
    let route = record(&world).route.clone();
    let told = route.split("; ").find(|told| told.contains("media.local-ring")).unwrap_or_default();
    (shown, told.to_owned())
}

#[test]
fn the_switch_rings_where_it_can_and_once() {
    let (ours, impossible) = (
        "the caller hears the switch's ringback (media.local-ring)",
        "no ringback: the caller offers to hear no G.711 (media.local-ring)",
    );
    let with_media: fn(&mut Settings) = |bob| (bob.early_media, bob.rings_with) = (true, 183);
    let as_usual: fn(&mut Settings) = |_| ();
    assert_eq!(rung(as_usual, as_usual), (vec!["183".to_owned()], ours.to_owned()));
    assert_eq!(rung(as_usual, with_media), (vec!["183".to_owned()], ours.to_owned()), "Bob's own is not shown");
    let g729: fn(&mut Settings) = |alice| alice.codecs = vec![Codec::G729];
    assert_eq!(rung(g729, |bob| bob.codecs = vec![Codec::G729]), (vec!["180".to_owned()], impossible.to_owned()));
    let required: fn(&mut Settings) = |alice| alice.reliability = Reliability::Required;
    assert_eq!(rung(required, as_usual), (vec!["180".to_owned()], String::new()), "it takes no unreliable one");
    let no_offer: fn(&mut Settings) = |alice| alice.makes_offer = false;
    assert_eq!(rung(no_offer, as_usual), (vec!["180".to_owned()], String::new()));
}

/// RFC 3264 §5.1: who only listens hears it; who only speaks, or neither, is shown the phone's 180 instead.
#[test]
fn who_listens_hears_the_ringback() {
    let cases = [
        (Direction::SendRecv, true),
        (Direction::RecvOnly, true),
        (Direction::SendOnly, false),
        (Direction::Inactive, false),
    ];
    for (offers, is_heard) in cases {
        let mut world = scene("", "local_ring = true");
        set(&mut world, ALICE, |alice| alice.offers = offers);
        set(&mut world, BOB, |bob| bob.answering = Answering::RingOnly);
        call(&mut world, ALICE, BOB);
        world.run_for(s(4));
        let shown = if is_heard { "|<-183 INVITE c1.1" } else { "|<-180 INVITE c1.1" };
        assert!(world.ladder("").contains(shown), "{offers:?}: {}", world.ladder(""));
        let heard = world.phone(ALICE).audio().received;
        assert_eq!((heard > 40, heard > 0), (is_heard, is_heard), "{offers:?}: {heard} packets");
        world.act(ALICE, Phone::hang_up);
        assert!(world.run_until_idle(s(900)));
        assert_eq!(world.violations(), Vec::<String>::new());
    }
}

/// The ringing ends with its attempt, and nothing is left.
#[test]
fn the_switch_rings_until_the_caller_gives_up() {
    let mut world = scene("", "local_ring = true");
    set(&mut world, BOB, |bob| bob.answering = Answering::RingOnly);
    call(&mut world, ALICE, BOB);
    world.run_for(s(4));
    world.act(ALICE, Phone::hang_up);
    world.run_until_idle(s(900));
    assert!(world.ladder("").contains("|<-183 INVITE"), "{}", world.ladder(""));
    let record = record(&world);
    assert_eq!((record.end_reason.name(), record.sip_status, record.media_rule.as_str()), ("cancelled", 487, "S4"));
}

/// The 183 is an early dialog of the switch's own; the refusal is what it would have been, a second later.
#[test]
fn a_caller_hears_why_the_call_fails() {
    let parameters = "[tones]\nfolder = \"sounds\"\n[announcements]\nbusy = \"busy.wav\"";
    let mut world = scene(parameters, "");
    set(&mut world, BOB, |bob| bob.answering = Answering::Reject { status: 486, after: s(1) });
    call(&mut world, ALICE, BOB);
    insta::assert_snapshot!(finish(world, "busy, and an announcement says so", &["486 busy by callee, 0 s"]));
}

/// The switch is the other end: it answers the call, a hold and a refresh by itself (RFC 3264 §6.1, §8).
#[test]
fn the_switch_answers_its_own_number() {
    let mut world = scene("[tones]\necho_number = \"9000\"", "");
    call(&mut world, ALICE, "9000");
    world.run_for(s(2));
    for hold in [Hold::SendOnly, Hold::Off] {
        change(&mut world, ALICE, Change::hold(hold));
        world.run_for(s(1));
    }
    insta::assert_snapshot!(hang_up(world, ALICE, "9000, held and resumed", &["200 normal by caller, 4 s"]));
}
