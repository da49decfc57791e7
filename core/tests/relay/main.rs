//! Calls whose media the switch relays, between two gateways that this test plays: what each is shown, which ports are
//! asked for and given back, what the shard is told. Descriptions are written in a few words, `audio 4000 sendonly`.

#[path = "../rig/mod.rs"]
mod rig;
mod scene;

use crosspoint_core::Input;
use crosspoint_core::media::{Kind, MediaReport, MediaShard, Party, Refusal, SessionId};
use crosspoint_core::ports::{BindError, PortReply, Shard};
use crosspoint_core::rng::{Seed, media_stream};
use rig::{CALLEE, CALLER, Driver, field, with_body};
use scene::{Scene, response, sdp, shown};

#[test]
fn each_side_is_shown_the_switch_and_the_shard_is_told_where_they_are() {
    let mut scene = Scene::new(Driver::Opens);
    let [callee, caller] = scene.talk("audio 4000", "audio 6000 ptime:20");
    assert_eq!(callee, "ours, audio port RTP/AVP 8");
    assert_eq!(caller, "ours, audio port RTP/AVP 8, ptime:20");
    assert_eq!(scene.targets(), ["192.0.2.1:4000", "198.51.100.2:6000"]);
    assert_eq!(scene.used(), 2, "a pair for each leg");
    scene.hang_up();
    let record = scene.record.clone().unwrap();
    assert_eq!((record.media.as_str(), record.media_rule.as_str()), ("relay", "G3"));
}

/// Architecture §5: no description names a port that nobody holds.
#[test]
fn a_description_waits_until_its_ports_are_held() {
    let mut scene = Scene::new(Driver::Silent);
    scene.invite("audio 4000");
    assert!(!scene.has(CALLEE, "INVITE "), "its ports are not open");
    for request in std::mem::take(&mut scene.asked) {
        scene.give(Input::Ports(PortReply::Opened { request }));
    }
    scene.driver = Driver::Opens;
    assert_eq!(scene.answer(200, "callee", "audio 6000"), "ours, audio port RTP/AVP 8");
    scene.request(CALLER, "ACK", 1, "");
    scene.hang_up();
}

#[test]
fn a_call_without_ports_is_refused() {
    for (driver, wait_ms) in [(Driver::InUse, 1), (Driver::Silent, 600)] {
        let mut scene = Scene::new(driver);
        scene.invite("audio 4000");
        scene.pass(wait_ms);
        assert!(scene.has(CALLER, "SIP/2.0 503 "), "{:?}", scene.sent);
        assert!(!scene.has(CALLEE, "INVITE "));
        let record = scene.record.clone().unwrap();
        assert_eq!((record.end_reason.name(), record.sip_status), ("no_media_ports", 503));
        assert!(
            record.route.contains("(switch.media-ports)") && record.route.contains("(ports.refused)"),
            "{}",
            record.route
        );
        assert_eq!(scene.used(), 0);
    }
}

/// The caller gives up while the ports are being opened: nobody waits for them any more.
#[test]
fn a_call_that_ends_before_its_ports_are_open_leaves_none() {
    let mut scene = Scene::new(Driver::Silent);
    scene.invite("audio 4000");
    scene.hear(CALLER, &with_body(
        &format!(
            "CANCEL sip:0815@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKinvite\r\nMax-Forwards: 70\r\n\
             From: <sip:4711@{CALLER}>;tag=caller\r\nTo: <sip:0815@203.0.113.9>\r\nCall-ID: in\r\nCSeq: 1 CANCEL\r\n"
        ),
        "",
    ));
    assert!(scene.has(CALLER, "SIP/2.0 487 "));
    for request in std::mem::take(&mut scene.asked) {
        scene.give(Input::Ports(PortReply::Opened { request }));
    }
    scene.pass(10_000);
    assert_eq!(scene.used(), 0);
}

/// User-pains 10: `udptl` on the same relay, and back to the audio of before, by an answer or a refusal.
#[test]
fn fax_comes_and_goes() {
    let mut scene = Scene::new(Driver::Opens);
    scene.talk("audio 4000", "audio 6000");
    let ports = Party::BOTH.map(|party| scene.plan(0, party).socket);
    let [asked, answered] = scene.change(CALLEE, "image 6002", 200, "image 4002");
    assert_eq!((asked.as_str(), answered.as_str()), ("ours, image port udptl t38", "ours, image port udptl t38"));
    assert_eq!(Party::BOTH.map(|party| scene.plan(0, party).kind), [Kind::Datagrams; 2]);
    assert_eq!(scene.targets(), ["192.0.2.1:4002", "198.51.100.2:6002"]);
    scene.change(CALLER, "audio 4000", 200, "audio 6000");
    assert_eq!(Party::BOTH.map(|party| scene.plan(0, party).kind), [Kind::Rtp; 2]);
    let before = scene.ops.len();
    scene.change(CALLER, "image 4002", 488, "");
    assert_eq!(scene.ops.len(), before, "a refused offer changes nothing");
    assert_eq!(Party::BOTH.map(|party| scene.plan(0, party).socket), ports, "the ports stay");
    scene.hang_up();
}

#[test]
fn a_stream_that_is_added_gets_ports_and_one_that_is_refused_gives_them_back() {
    let mut scene = Scene::new(Driver::Opens);
    let [callee, caller] = scene.talk("audio 4000; video 4002", "audio 6000; video 0");
    assert_eq!(callee, "ours, audio port RTP/AVP 8, video port RTP/AVP 96, rtpmap:96 H264/90000");
    assert_eq!(caller, "ours, audio port RTP/AVP 8, video 0 RTP/AVP 96, rtpmap:96 H264/90000");
    assert_eq!(scene.used(), 2);
    let [asked, _] = scene.change(CALLEE, "audio 6000; video 6002", 200, "audio 4000; video 4002");
    assert_eq!(asked, "ours, audio port RTP/AVP 8, video port RTP/AVP 96, rtpmap:96 H264/90000");
    assert_eq!(scene.used(), 4);
    scene.hang_up();
}

/// A new stream in a re-INVITE waits for its ports; where there are none the offer is refused and the call goes on.
#[test]
fn an_offer_inside_the_dialog_waits_for_its_ports() {
    for is_opened in [true, false] {
        let mut scene = Scene::new(Driver::Opens);
        scene.talk("audio 4000", "audio 6000");
        // of single ports there is no stock
        scene.driver = Driver::Silent;
        scene.request(CALLER, "INVITE", 2, "audio 4000; image 4002");
        assert!(!scene.has(CALLEE, "INVITE "), "its port is not open");
        scene.driver = if is_opened { Driver::Opens } else { Driver::InUse };
        for request in std::mem::take(&mut scene.asked) {
            scene.give(Input::Ports(match is_opened {
                true => PortReply::Opened { request },
                false => PortReply::Refused { request, why: BindError::NoSockets },
            }));
        }
        if is_opened {
            let asked = scene.take(CALLEE, "INVITE ");
            assert_eq!(shown(&asked), "ours, audio port RTP/AVP 8, image port udptl t38");
            assert_eq!(scene.used(), 4);
        } else {
            assert!(scene.has(CALLER, "SIP/2.0 500 ") && !scene.has(CALLEE, "INVITE "));
            assert_eq!(scene.used(), 2);
        }
        scene.hang_up();
    }
}

/// Behaviour 1(a), "When": a later offer may bring a direct call into the switch.
#[test]
fn a_later_offer_shows_a_translator_and_the_media_comes_into_the_switch() {
    let mut scene = Scene::with(Driver::Opens, "");
    let [callee, caller] = scene.talk("audio 4000", "audio 6000");
    assert_eq!([callee, caller], ["192.0.2.1, audio 4000 RTP/AVP 8", "198.51.100.2, audio 6000 RTP/AVP 8"]);
    let private = with_body("", &sdp("10.0.0.5", "audio 4000"))
        .replace("Content-Type", "Contact: <sip:10.0.0.5>\r\nContent-Type");
    let head = format!(
        "INVITE sip:203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKmoved\r\nMax-Forwards: 70\r\n\
         From: <sip:4711@{CALLER}>;tag=caller\r\nTo: {}\r\nCall-ID: in\r\nCSeq: 2 INVITE\r\n",
        field(&scene.answered, "To")
    );
    scene.hear(CALLER, &format!("{head}{private}"));
    let asked = scene.take(CALLEE, "INVITE ");
    assert_eq!(shown(&asked), "ours, audio port RTP/AVP 8");
    scene.hear(CALLEE, &with_body(&response(&asked, 200, "", CALLEE), &sdp("198.51.100.2", "audio 6000")));
    assert_eq!(shown(&scene.take(CALLER, "SIP/2.0 200 ")), "ours, audio port RTP/AVP 8");
    assert_eq!(scene.targets(), ["10.0.0.5:4000", "198.51.100.2:6000"]);
    assert!(scene.plan(0, Party::Caller).is_behind_nat);
    scene.request(CALLER, "ACK", 2, "");
    scene.take(CALLEE, "ACK ");
    scene.hang_up();
    let record = scene.record.clone().unwrap();
    assert_eq!((record.media.as_str(), record.media_rule.as_str()), ("relay", "S7"));
}

/// RFC 3264 §8.3.2, user-pains 9: each leg keeps its own number for telephone-event.
#[test]
fn telephone_event_has_its_own_number_on_each_leg() {
    let mut scene = Scene::new(Driver::Opens);
    let [callee, caller] = scene.talk("audio 4000 te=101", "audio 6000 te=97");
    assert_eq!(callee, "ours, audio port RTP/AVP 8 101, rtpmap:101 telephone-event/8000");
    assert_eq!(caller, "ours, audio port RTP/AVP 8 101, rtpmap:101 telephone-event/8000", "the caller's own number");
    assert_eq!(scene.plan(0, Party::Caller).payload_map.get(101), 97);
    // the callee was offered 101, and may send it (RFC 3264 §6.1)
    assert_eq!(scene.plan(0, Party::Callee).payload_map.get(101), 101);
    let [asked, _] = scene.change(CALLEE, "audio 6000 te=97", 200, "audio 4000 te=101");
    assert_eq!(asked, "ours, audio port RTP/AVP 8 101, rtpmap:101 telephone-event/8000");
    assert_eq!(scene.plan(0, Party::Callee).payload_map.get(97), 101);
    scene.hang_up();
}

/// User-pains 8: the branch that answers is the one that is heard, though another one spoke last.
#[test]
fn the_branch_that_answers_is_the_one_that_the_relay_serves() {
    let mut scene = Scene::new(Driver::Opens);
    scene.invite("audio 4000 te=101");
    scene.answer(183, "one", "audio 6000 te=96");
    scene.answer(183, "two", "audio 7000 te=101");
    assert_eq!(scene.targets()[1], "198.51.100.2:7000");
    assert_eq!(scene.answer(200, "one", ""), "");
    assert_eq!(scene.targets()[1], "198.51.100.2:6000");
    assert_eq!(scene.plan(0, Party::Caller).payload_map.get(101), 96);
    scene.request(CALLER, "ACK", 1, "");
    scene.hang_up();
}

/// A session that the shard cannot take would be a silent call.
#[test]
fn a_call_that_the_shard_refuses_ends() {
    let mut scene = Scene::new(Driver::Opens);
    scene.talk("audio 4000", "audio 6000");
    let why = Refusal::Full;
    scene.give(Input::Media(Shard(0), MediaReport::Refused { session: SessionId(0), generation: 1, why }));
    assert!(scene.has(CALLER, "BYE ") && scene.has(CALLEE, "BYE "));
    scene.pass(100);
    assert_eq!(scene.record.as_ref().unwrap().end_reason.name(), "no_media_ports");
}

/// A shard that does not say what passed costs the counts of the record, and not the record.
#[test]
fn the_record_does_not_wait_for_ever() {
    let mut scene = Scene::new(Driver::Opens);
    scene.talk("audio 4000", "audio 6000");
    scene.shard = MediaShard::new(media_stream(Seed::from_number(1), 0), Default::default());
    scene.request(CALLER, "BYE", 99, "");
    scene.pass(900);
    assert!(scene.record.is_none());
    scene.pass(200);
    assert_eq!(scene.record.clone().unwrap().rtp_caller_packets, None);
}

/// A description in a part of the body is rewritten like one that is the whole of it.
#[test]
fn a_description_among_other_parts_is_rewritten() {
    let mut scene = Scene::new(Driver::Opens);
    let body = format!(
        "--x\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n",
        sdp("192.0.2.1", "audio 4000")
    );
    let invite = format!(
        "INVITE sip:0815@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKinvite\r\nMax-Forwards: 70\r\n\
         From: <sip:4711@{CALLER}>;tag=caller\r\nTo: <sip:0815@203.0.113.9>\r\nCall-ID: in\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:a@{CALLER}>\r\nContent-Type: multipart/mixed;boundary=x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    scene.hear(CALLER, &invite);
    let invited = scene.take(CALLEE, "INVITE ");
    assert!(invited.contains("c=IN IP4 203.0.113.9") && invited.contains("hello"), "{invited}");
    assert!(!invited.contains("192.0.2.1"), "nothing of the caller's address\n{invited}");
}

/// Behaviour §3 and 1(a), F2: media that is watched is relayed, and a silence after the answer ends the call; while it
/// rings nobody has to speak.
#[test]
fn a_silence_that_is_watched_ends_the_call() {
    let watch = "rtp_interruption = \"from_remote\"\nrtp_interruption_s = 5";
    let mut scene = Scene::of(Driver::Opens, "", watch);
    scene.invite("audio 4000");
    scene.answer(180, "callee", "");
    scene.pass(20_000);
    scene.answer(200, "callee", "audio 6000");
    scene.request(CALLER, "ACK", 1, "");
    for sequence in 0..3 {
        scene.pass(2_000);
        assert!(scene.packet("198.51.100.2:6000", Party::Callee, sequence).is_some());
    }
    scene.pass(4_900);
    assert!(scene.record.is_none(), "{:?}", scene.record);
    scene.pass(200);
    assert!(scene.has(CALLER, "BYE ") && scene.has(CALLEE, "BYE "));
    let record = scene.record.clone().unwrap();
    assert_eq!((record.end_reason.name(), record.media_rule.as_str()), ("interrupted", "F2"));
    assert_eq!((record.rtp_caller_packets, record.rtp_callee_packets), (Some(0), Some(3)));
    assert!(record.route.contains("nothing from the callee (media.interrupted)"), "{}", record.route);
}

/// User-pains 1: the operator is told, with what a capture would show.
#[test]
fn one_way_audio_is_told() {
    let mut scene = Scene::new(Driver::Opens);
    scene.talk("audio 4000", "audio 6000");
    for sequence in 0..5 {
        assert_eq!(scene.packet("192.0.2.1:4000", Party::Caller, sequence).as_deref(), Some("198.51.100.2:6000"));
        assert_eq!(scene.packet("203.0.113.77:6000", Party::Callee, sequence), None, "a stranger");
    }
    scene.pass(10_100);
    let stream = &scene.switch.calls(1)[0].streams[0];
    assert_eq!(stream.caller, "192.0.2.1:4000 locked by signalled_address");
    assert_eq!(stream.callee, "198.51.100.2:6000 signalled by signalling");
    scene.hang_up();
    let route = scene.record.clone().unwrap().route;
    let told = "one-way audio: the caller hears nothing; of the caller: 5 packets, 192.0.2.1:4000 locked by \
                signalled_address; of the callee: 0 packets, 198.51.100.2:6000 signalled by reopened, 5 rejected \
                (media.one-way)";
    assert!(route.contains(told), "{route}");
}

/// RFC 3261 §13.2.1: the callee's answer is in its reliable 183 alone, and the caller is to get it with the 2xx; this one
/// is as long as a datagram can be.
#[test]
fn an_answer_that_does_not_fit_into_the_2xx_is_left_out() {
    for (octets, has_answer) in [(1000, true), (65_480, false)] {
        let mut scene = Scene::of(Driver::Opens, "SS_MEDIAPROXYMODE = \"On\"", "rel100 = \"on\"");
        scene.invite("audio 4000");
        let invited = scene.take(CALLEE, "INVITE ");
        let head = response(&invited, 183, "callee", CALLEE) + "Require: 100rel\r\nRSeq: 1\r\n";
        scene.hear(CALLEE, &with_body(&head, &sdp("198.51.100.2", "audio 6000")));
        let prack = scene.take(CALLEE, "PRACK ");
        scene.hear(CALLEE, &with_body(&response(&prack, 200, "", CALLEE), ""));
        let mut head = response(&invited, 200, "callee", CALLEE);
        head += &format!("X-Any: {}\r\n", "a".repeat(octets - head.len()));
        scene.hear(CALLEE, &with_body(&head, ""));
        let answer = scene.take(CALLER, "SIP/2.0 200 ");
        assert_eq!(shown(&answer).contains("ours"), has_answer, "{answer}");
    }
}
