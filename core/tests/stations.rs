//! What the switch itself says to a caller: announcements before a refusal, and numbers of its own. A gateway that this
//! test plays calls, another one refuses; a shard plays.

mod rig;

use crosspoint_core::media::tone::{Law, Program, Recording, SoundId, Sounds};
use crosspoint_core::media::{MediaOp, MediaReport, MediaShard};
use crosspoint_core::ports::Shard;
use crosspoint_core::rng::media_stream;
use crosspoint_core::{Control, Input, Seed};
use rig::{CALLEE, CALLER, Driver, Rig, field, with_body};

/// A switch with these keys and tables.
fn begin(keys: &str) -> Rig {
    Rig::new(Driver::Opens, "IVR_RTP_PORT = \"30000,30099\"", &format!("prefixes = [\"08\"]\n{keys}"))
}

impl Rig {
    /// The caller's INVITE for this number, with this `m=` line and what follows.
    fn invite(&mut self, number: &str, lines: &str, media: &str) {
        let head = head("INVITE", number, "", 1);
        self.hear(CALLER, &with_body(&format!("{head}{lines}"), &sdp(media)));
    }

    /// What the shard was last told to play, and how.
    fn plays(&self) -> Option<(Law, Program)> {
        self.ops.iter().rev().find_map(|op| match op {
            MediaOp::Station { law, program, .. } => Some((*law, program.clone())),
            _ => None,
        })
    }

    /// The recording has been heard to its end.
    fn played(&mut self) {
        let session = self.ops.iter().rev().find_map(|op| match op {
            MediaOp::Station { session, .. } => Some(*session),
            _ => None,
        });
        let report = MediaReport::Played { session: session.expect("something plays"), generation: 1 };
        self.give(Input::Media(Shard(0), report));
    }

    #[track_caller]
    fn ended(&self) -> (&'static str, &'static str, u16) {
        let record = self.record.as_ref().expect("the call has ended");
        (record.end_reason.name(), record.end_direction.name(), record.sip_status)
    }
}

fn head(method: &str, number: &str, to_tag: &str, cseq: u32) -> String {
    format!(
        "{method} sip:{number}@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK{}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:4711@{CALLER}>;tag=caller\r\nTo: <sip:{number}@203.0.113.9>{to_tag}\r\n\
         Call-ID: in\r\nCSeq: {cseq} {method}\r\nContact: <sip:a@{CALLER}>\r\n",
        match method {
            "CANCEL" => "INVITE1".to_owned(),
            _ => format!("{method}{cseq}"),
        }
    )
}

fn sdp(media: &str) -> String {
    match media {
        "" => String::new(),
        _ => format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}\r\n"),
    }
}

/// A response of the callee's.
fn response(request: &str, status: u16) -> String {
    let of = |name| field(request, name);
    let (via, from, to) = (of("Via"), of("From"), of("To"));
    let (call_id, cseq) = (of("Call-ID"), of("CSeq"));
    format!(
        "SIP/2.0 {status} Why\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to};tag=callee\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
    )
}

fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default()
}

const ANNOUNCEMENTS: &str =
    "[tones]\nfolder = \"sounds\"\n[announcements]\nbusy = \"busy.wav\"\nno_available_router = \"no-route.wav\"\n";
const ALAW: &str = "m=audio 4000 RTP/AVP 8";

/// A WAVE file of so many samples: 8000 Hz, 16 bits, one channel.
fn wav(samples: u32) -> Vec<u8> {
    let (length, rate) = (2 * samples, 8000_u32);
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend((2 * rate).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.resize(file.len() + length as usize, 7);
    file
}

/// Two recordings of a tenth of a second.
fn sounds() -> Sounds {
    Sounds::new([(); 2].map(|()| Recording::read_wav(&wav(800)).unwrap()))
}

/// A scene whose shard has the recordings, of a tenth of a second.
fn announcing() -> Rig {
    let mut scene = begin(ANNOUNCEMENTS);
    scene.shard = MediaShard::new(media_stream(Seed::from_number(1), 0), sounds());
    scene
}

/// The call rings nowhere: the callee refuses it.
fn refused(scene: &mut Rig, status: u16) {
    let invited = scene.take(CALLEE, "INVITE ");
    scene.hear(CALLEE, &response(&invited, status));
}

#[test]
fn the_caller_hears_why_and_is_refused_as_before() {
    let mut scene = announcing();
    scene.invite("0815", "", ALAW);
    refused(&mut scene, 486);
    let shown = scene.take(CALLER, "SIP/2.0 183 ");
    let told = "v=0\r\no=- 180000000000001 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=audio 30";
    assert!(body(&shown).starts_with(told), "{shown}");
    assert!(body(&shown).ends_with(" RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"), "{shown}");
    assert_eq!(scene.plays(), Some((Law::A, Program::Recording { sound: SoundId(0), times: Some(1) })));
    assert!(scene.record.is_none() && !scene.has(CALLER, "SIP/2.0 486"), "it is heard first");
    scene.played();
    let refusal = scene.take(CALLER, "SIP/2.0 486 Why");
    assert_ne!(field(&refusal, "To"), field(&shown, "To"), "the refusal is not of the early dialog");
    assert_eq!(scene.ended(), ("busy", "callee", 486));
    let record = scene.record.clone().unwrap();
    assert!(record.route.contains("announcement of busy (media.announcement)"), "{}", record.route);
    assert_eq!((record.media.as_str(), record.answer_ms), ("direct", None));
    scene.nothing_is_left();
}

/// A call that leads nowhere becomes one for as long as it plays.
#[test]
fn a_call_without_a_route_hears_so() {
    let mut scene = announcing();
    scene.invite("0915", "", "m=audio 4000 RTP/AVP 0 8");
    scene.take(CALLER, "SIP/2.0 183 ");
    assert_eq!(scene.plays(), Some((Law::Mu, Program::Recording { sound: SoundId(1), times: Some(1) })));
    scene.played();
    assert_eq!(scene.ended(), ("no_available_router", "server", 404));
    scene.take(CALLER, "SIP/2.0 404 ");
    scene.nothing_is_left();
}

#[test]
fn the_caller_need_not_hear_it_out() {
    let mut scene = announcing();
    scene.invite("0815", "", ALAW);
    refused(&mut scene, 486);
    scene.take(CALLER, "SIP/2.0 183 ");
    scene.hear(CALLER, &with_body(&head("CANCEL", "0815", "", 1), ""));
    scene.take(CALLER, "SIP/2.0 487 ");
    assert_eq!(scene.ended(), ("busy", "caller", 487), "the reason is why there was an announcement");
    scene.nothing_is_left();
}

/// An operator hangs up while it rings: the callee is cancelled, the caller hears why; a second time ends that too.
#[test]
fn an_operator_ends_what_rings() {
    for is_twice in [false, true] {
        let keys = ANNOUNCEMENTS.replace("busy =", "operator =");
        let mut scene = begin(&keys);
        scene.shard = MediaShard::new(media_stream(Seed::from_number(1), 0), sounds());
        scene.invite("0815", "", ALAW);
        let invited = scene.take(CALLEE, "INVITE ");
        scene.hear(CALLEE, &response(&invited, 180));
        scene.take(CALLER, "SIP/2.0 180 ");
        scene.give(Input::Control(Control::Hangup(180000000000001)));
        let cancel = scene.take(CALLEE, "CANCEL ");
        scene.hear(CALLEE, &response(&cancel, 200));
        scene.hear(CALLEE, &response(&invited, 487));
        scene.take(CALLER, "SIP/2.0 183 ");
        assert!(scene.record.is_none());
        match is_twice {
            true => scene.give(Input::Control(Control::Hangup(180000000000001))),
            false => scene.played(),
        }
        scene.take(CALLER, "SIP/2.0 480 ");
        assert_eq!(scene.ended(), ("operator", "server", 480));
        scene.nothing_is_left();
    }
}

/// A recording that is too long, and one that the shard has not.
#[test]
fn an_announcement_has_an_end() {
    let mut scene = announcing();
    scene.invite("0815", "", ALAW);
    refused(&mut scene, 486);
    scene.pass(59_000);
    assert!(scene.record.is_none());
    scene.pass(2_000);
    assert_eq!(scene.ended(), ("busy", "callee", 486));
    scene.nothing_is_left();
    let mut scene = begin(ANNOUNCEMENTS);
    scene.invite("0815", "", ALAW);
    refused(&mut scene, 486);
    assert_eq!(scene.ended(), ("busy", "callee", 486), "the shard has no recording");
    scene.nothing_is_left();
}

#[test]
fn who_cannot_hear_it_is_refused_at_once() {
    type Change = fn(&mut Rig);
    let cases: [(&str, &str, u16, Change); 7] = [
        ("", "m=audio 4000 RTP/AVP 18", 486, |_| ()),
        ("", "m=audio 4000 RTP/AVP 8\r\na=sendonly", 486, |_| ()),
        ("", "m=audio 4000 RTP/AVP 8\r\nc=IN IP4 0.0.0.0", 486, |_| ()),
        ("Require: 100rel\r\n", ALAW, 486, |_| ()),
        ("", "", 486, |_| ()),
        ("", ALAW, 480, |_| ()),
        ("", ALAW, 486, |scene| scene.driver = Driver::InUse),
    ];
    for (lines, media, status, change) in cases {
        let mut scene = announcing();
        scene.invite("0815", lines, media);
        change(&mut scene);
        refused(&mut scene, status);
        scene.pass(2);
        assert!(!scene.has(CALLER, "SIP/2.0 183 "), "{lines}{media} {status}");
        assert_eq!(scene.ended().2, status, "{lines}{media}");
        assert_eq!(scene.plays(), None);
        scene.nothing_is_left();
    }
}

const NUMBERS: &str = "[tones]\necho_number = \"9000\"\ntone_number = \"0800\"\n";
const ANSWER: &str = " RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n";

impl Rig {
    /// A request of the caller's inside the dialog that this answer has made.
    fn request(&mut self, method: &str, cseq: u32, answer: &str, media: &str) {
        let to = field(answer, "To");
        let tag = to.split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).unwrap_or_default();
        let number = to.split(['@', ':']).nth(1).unwrap_or_default().to_owned();
        self.hear(CALLER, &with_body(&head(method, &number, &tag, cseq), &sdp(media)));
    }

    /// The caller hangs up.
    #[track_caller]
    fn hang_up(&mut self, answer: &str) {
        self.request("BYE", 99, answer, "");
        self.take(CALLER, "SIP/2.0 200 ");
        self.nothing_is_left();
        assert_eq!(self.ended(), ("normal", "caller", 200));
    }
}

#[test]
fn a_number_of_the_switchs_own_is_answered_before_phones_and_gateways() {
    let cases: [(&str, &str, Program); 2] = [
        ("9000", "m=audio 4000 RTP/AVP 18 8 0 101\r\na=rtpmap:101 telephone-event/8000", Program::Echo),
        ("0800", ALAW, Program::Tone(crosspoint_core::media::tone::Cadence::test_tone())),
    ];
    for (number, offer, program) in cases {
        let mut scene = begin(NUMBERS);
        scene.invite(number, "", offer);
        let answer = scene.take(CALLER, "SIP/2.0 200 ");
        match program {
            Program::Echo => assert!(
                body(&answer).contains(" RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000"),
                "{answer}"
            ),
            _ => assert!(body(&answer).ends_with(ANSWER), "{answer}"),
        }
        assert!(answer.contains("\r\nContact: <sip:203.0.113.9:5060>\r\n"), "{answer}");
        scene.request("ACK", 1, &answer, "");
        assert_eq!(scene.plays(), Some((Law::A, program)));
        scene.pass(2_000);
        scene.hang_up(&answer);
        assert!(!scene.has(CALLEE, "INVITE "));
        let record = scene.record.clone().unwrap();
        assert_eq!((record.media.as_str(), record.media_rule.as_str()), ("relay", "N1"));
        assert_eq!((record.callee.as_str(), record.hold_time_ms), (number, 2_000));
        assert_eq!((record.caller_codec.as_str(), record.rtp_caller_packets), ("PCMA", Some(0)));
    }
}

#[test]
fn a_number_of_the_switchs_own_is_not_for_everybody() {
    for (media, driver, ended) in [
        ("m=audio 4000 RTP/AVP 18", Driver::Opens, ("codec_mismatch", "server", 488)),
        (ALAW, Driver::InUse, ("no_media_ports", "server", 503)),
    ] {
        let mut scene = begin(NUMBERS);
        scene.driver = driver;
        scene.invite("9000", "", media);
        scene.pass(2);
        assert_eq!(scene.ended(), ended);
        scene.nothing_is_left();
    }
}

/// RFC 3261 §13.2.1: without an offer in the INVITE the 2xx makes it, and the ACK answers.
#[test]
fn the_switch_makes_the_offer_where_the_caller_makes_none() {
    for (accepted, ended) in [("m=audio 4000 RTP/AVP 0", None), ("m=audio 0 RTP/AVP 0", Some("codec_mismatch"))] {
        let mut scene = begin(NUMBERS);
        scene.invite("9000", "", "");
        let offer = scene.take(CALLER, "SIP/2.0 200 ");
        assert!(body(&offer).contains(" RTP/AVP 8 0\r\n"), "{offer}");
        assert_eq!(scene.plays(), None, "nobody knows where to");
        scene.request("ACK", 1, &offer, accepted);
        match ended {
            None => {
                assert_eq!(scene.plays(), Some((Law::Mu, Program::Echo)));
                scene.hang_up(&offer);
            }
            Some(reason) => {
                let bye = scene.take(CALLER, "BYE ");
                scene.hear(CALLER, &response(&bye, 200));
                assert_eq!(scene.ended().0, reason);
                scene.nothing_is_left();
            }
        }
    }
}

/// Hold, resume, refresh, another law: each answered by the switch, with a version that rises where its answer changes.
#[test]
fn changes_are_answered_by_the_switch() {
    let mut scene = begin(NUMBERS);
    scene.invite("9000", "", ALAW);
    let first = scene.take(CALLER, "SIP/2.0 200 ");
    scene.request("ACK", 1, &first, "");
    let cases = [
        ("INVITE", "m=audio 4000 RTP/AVP 8\r\na=sendonly", 2, "a=recvonly"),
        ("INVITE", "m=audio 4000 RTP/AVP 8", 3, "a=sendrecv"),
        ("UPDATE", "m=audio 4002 RTP/AVP 8", 3, "a=sendrecv"),
        ("UPDATE", "m=audio 4002 RTP/AVP 0", 4, "a=rtpmap:0 PCMU/8000"),
        ("INVITE", "m=audio 4002 RTP/AVP 0\r\na=inactive", 5, "a=inactive"),
    ];
    for (cseq, (method, media, version, line)) in (2..).zip(cases) {
        scene.request(method, cseq, &first, media);
        let answer = scene.take(CALLER, "SIP/2.0 200 ");
        assert!(body(&answer).contains(&format!("o=- 180000000000001 {version} IN")), "{media}: {answer}");
        assert!(body(&answer).contains(&format!("{line}\r\n")), "{media}: {answer}");
        if method == "INVITE" {
            scene.request("ACK", cseq, &first, "");
        }
    }
    let legs: Vec<_> = scene
        .ops
        .iter()
        .filter_map(|op| match op {
            MediaOp::Update { leg, .. } => Some((leg.signalled.unwrap().port(), leg.is_held)),
            _ => None,
        })
        .collect();
    assert_eq!(legs, [(4000, true), (4000, false), (4002, false), (4002, false), (4002, true)]);
    let played = scene.ops.iter().filter(|op| matches!(op, MediaOp::Play { law: Law::Mu, .. })).count();
    assert_eq!(played, 1, "the law changes once");
    for (method, cseq, media, status) in [
        ("INVITE", 20, "m=audio 4002 RTP/AVP 18", 488),
        ("UPDATE", 21, "", 200),
        ("MESSAGE", 22, "", 405),
        ("INFO", 23, "", 200),
    ] {
        scene.request(method, cseq, &first, media);
        let answer = scene.take(CALLER, &format!("SIP/2.0 {status} "));
        // RFC 3261 §21.4.6: Allow is what may be asked here
        assert!(status == 488 || !field(&answer, "Allow").contains("REFER"), "{method}: {answer}");
    }
    scene.hang_up(&first);
}

#[test]
fn a_call_of_the_switchs_own_ends_after_an_hour_and_without_an_ack() {
    let mut scene = begin(NUMBERS);
    scene.invite("9000", "", ALAW);
    let answer = scene.take(CALLER, "SIP/2.0 200 ");
    scene.request("ACK", 1, &answer, "");
    scene.pass(3_601_000);
    let bye = scene.take(CALLER, "BYE ");
    scene.hear(CALLER, &response(&bye, 200));
    assert_eq!(scene.ended(), ("max_duration", "server", 200));
    scene.nothing_is_left();
    let mut scene = begin(NUMBERS);
    scene.invite("9000", "", ALAW);
    scene.pass(40_000);
    let bye = scene.take(CALLER, "BYE ");
    scene.hear(CALLER, &response(&bye, 200));
    assert_eq!(scene.ended().0, "no_ack");
    scene.nothing_is_left();
}

/// One step of a call, whatever came before it.
fn step(scene: &mut Rig, answer: &mut String, step: u8, cseq: u32) {
    const OFFERS: [&str; 5] =
        ["", ALAW, "m=audio 4002 RTP/AVP 0 8\r\na=sendonly", "m=audio 4000 RTP/AVP 18", "m=audio 0 RTP/AVP 8"];
    let offer = OFFERS[usize::from(step) / 16 % OFFERS.len()];
    if let Some((_, text)) = scene.sent.iter().rev().find(|(to, text)| to == CALLER && text.contains(";tag=")) {
        answer.clone_from(text);
    }
    let answer = answer.as_str();
    match step % 13 {
        0 | 1 => scene.request("ACK", 1, answer, offer),
        2 => scene.request("INVITE", cseq, answer, offer),
        3 => scene.request("UPDATE", cseq, answer, offer),
        4 => scene.request("ACK", cseq.saturating_sub(1), answer, offer),
        5 => scene.request("BYE", cseq, answer, ""),
        6 => scene.hear(CALLER, &with_body(&head("CANCEL", "9000", "", 1), "")),
        7 if scene.plays().is_some() => scene.played(),
        8 => scene.pass(u64::from(step) * 50),
        9 => scene.driver = if scene.driver == Driver::Opens { Driver::InUse } else { Driver::Opens },
        10 if scene.has(CALLEE, "INVITE ") => refused(scene, 486),
        11 if scene.has(CALLER, "BYE ") => {
            let bye = scene.take(CALLER, "BYE ");
            scene.hear(CALLER, &response(&bye, 200));
        }
        12 => scene.give(Input::Control(Control::Hangup(180000000000001))),
        _ => {}
    }
}

/// Whatever a caller does and in whichever order: each call ends, with one record, and leaves nothing behind.
fn every_call_ends(number: u8, offer: bool, steps: Vec<u8>) -> bool {
    let mut scene = begin(&format!("{ANNOUNCEMENTS}operator = \"busy.wav\"\n").replace("[tones]\n", NUMBERS));
    scene.shard = MediaShard::new(media_stream(Seed::from_number(1), 0), sounds());
    let number = ["9000", "0800", "0815", "0915"][usize::from(number) % 4];
    scene.invite(number, "", if offer { ALAW } else { "" });
    let mut answer = String::new();
    for (cseq, one) in (2..).zip(steps) {
        step(&mut scene, &mut answer, one, cseq);
    }
    // nobody says anything any more: the ports open, the callee never answers, the call has its longest time
    scene.driver = Driver::Opens;
    scene.pass(4_000_000);
    scene.nothing_is_left();
    scene.record.is_some()
}

#[test]
fn every_call_ends_and_leaves_nothing() {
    quickcheck::QuickCheck::new().tests(2_000).quickcheck(every_call_ends as fn(u8, bool, Vec<u8>) -> bool);
}
