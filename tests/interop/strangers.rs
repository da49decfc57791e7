//! A third host sends to every port of the relay, again and again, what could pass for a call's own packets. Signalling is
//! SIPp's; the media peers and the stranger are sockets of the test, so that each knows of every packet what it is.
//!
//! `STRANGER_SECONDS=60` has it go on for so long; 5 s otherwise.

use crate::script::{Script, Sdp};
use crate::stage::{Scene, Stage};
use crate::turn;
use crosspoint_tests::ports::free_udp_ports;
use crosspoint_tests::process::{installed, until};
use crosspoint_tests::rtp::{Heard, PACKET, Peer, Rtp};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// The ports of the relay.
const RELAY: RangeInclusive<u16> = 23_000..=24_999;

/// Where the stranger is.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// How long nobody speaks but the stranger.
const SILENCE: Duration = Duration::from_secs(1);

/// What the callee takes to answer, in ms: the stranger begins before.
const RINGING_MS: u32 = 300;

/// SSRC and speech of the caller and of the callee, and the stranger's speech.
const VOICES: [(u32, u8); 2] = [(0x1111_1111, 0x11), (0x2222_2222, 0x22)];
const STRANGE: u8 = 0xee;

/// The media sockets of a side: RTP and RTCP.
struct Side {
    rtp: Peer,
    rtcp: Peer,
}

impl Side {
    fn bind() -> Side {
        let ports = free_udp_ports(2);
        let [rtp, rtcp] = [*ports.start(), *ports.end()].map(|port| Peer::bind((Ipv4Addr::LOCALHOST, port)));
        Side { rtp, rtcp }
    }

    fn port(&self) -> u16 {
        self.rtp.address().port()
    }
}

/// One call, what the two sides heard, and what the stranger did.
struct Call {
    sides: [Side; 2],
    relay: [u16; 2],
    stranger: Peer,
    scene: Scene,
}

fn seconds() -> u64 {
    std::env::var("STRANGER_SECONDS").map_or(5, |seconds| seconds.parse().expect("STRANGER_SECONDS is a number"))
}

#[test]
fn a_stranger_reaches_nobody_and_hears_nothing() {
    let turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let also = format!("[parameters]\nSS_RTP_PORT_RANGE = \"{},{}\"\n\n", RELAY.start(), RELAY.end());
    let mut stage = Stage::set("strangers", &also, |[callee]| {
        [("out", callee, "prefixes = [\"9\"]\nmedia_proxy = \"On\"\n".to_owned())]
    });
    plain_call(&mut stage);
    translated_call(&mut stage);
    drop(turn);
    let rules: Vec<_> = stage.strike().iter().map(|record| record["media_rule"].clone()).collect();
    assert_eq!(rules, ["S3", "S3"]);
}

/// The call of two sides that stay where their descriptions say, for so long after its answer.
fn begin(stage: &mut Stage<1>, names: [&'static str; 2], host: &'static str, length: Duration) -> Call {
    let sides = [(); 2].map(|()| Side::bind());
    let [offer, answer] = [0, 1].map(|side| Some(Sdp::plain(sides[side].port())));
    let offer = offer.map(|offer| Sdp { host, ..offer });
    let length_ms = length.as_millis() as u32;
    let caller = Script::caller(names[0]).begin("INVITE", "9001", &[], offer).expect_status(180).expect_status(200);
    let caller = caller.ack(None).pause(length_ms).send("BYE", &[], None).expect_status(200);
    let callee = Script::callee(names[1]).expect("INVITE").answer_invite(180, "callee", &[], None).pause(RINGING_MS);
    let callee = callee.answer_invite(200, "callee", &[], answer).expect("ACK");
    // SIPp waits 20 s for a request
    let callee = callee.pause(length_ms / 2 + length_ms / 4).expect("BYE").answer(200, &[], None);
    let scene = stage.begin(caller, [Some(callee)]);
    Call { sides, relay: stage.switch.relay_ports(), stranger: Peer::bind((STRANGER, 0)), scene }
}

impl Call {
    /// Both sides begin to speak.
    fn speak(&mut self) {
        for ((side, relay), (ssrc, byte)) in self.sides.iter_mut().zip(self.relay).zip(VOICES) {
            side.rtp.speak((Ipv4Addr::LOCALHOST, relay).into(), move |n| vec![Rtp::nth(n, ssrc, byte).bytes()]);
        }
    }

    /// The stranger sends to every port, all kinds of packets in turn, for so long.
    fn intrude(&self, length: Duration) {
        let begun = Instant::now();
        for sweep in 0.. {
            let n = (begun.elapsed().as_millis() / PACKET.as_millis()) as u32;
            let [(caller, _), (callee, _)] = VOICES;
            // a BYE of RTCP (RFC 3550 §6.6), a binding request of STUN (RFC 8489 §5), and nothing that is anything
            let bye = [&[0x81, 203, 0, 1][..], &caller.to_be_bytes()].concat();
            let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[STRANGE; 12]].concat();
            let datagram = match sweep % 6 {
                0 => Rtp::nth(n, caller, STRANGE).bytes(),
                1 => Rtp::nth(n + 1, callee, STRANGE).bytes(),
                2 => Rtp::nth(0, 0x6666_6666, STRANGE).bytes(),
                3 => bye,
                4 => stun,
                _ => vec![STRANGE; 33],
            };
            for port in RELAY {
                self.stranger.send((Ipv4Addr::LOCALHOST, port).into(), &datagram);
            }
            if begun.elapsed() > length {
                return;
            }
            std::thread::sleep(PACKET);
        }
    }
}

/// A packet of this voice.
fn is_of(heard: &Heard, (ssrc, byte): (u32, u8)) -> bool {
    Rtp::read(&heard.bytes).is_some_and(|rtp| rtp.ssrc == ssrc && rtp.payload.iter().all(|one| *one == byte))
}

/// Both sides are where they say: also before their first packets nothing of the stranger's passes, and theirs do without
/// a loss.
fn plain_call(stage: &mut Stage<1>) {
    let intrusion = Duration::from_secs(seconds());
    let mut call = begin(stage, ["plain-caller", "plain-callee"], "[local_ip]", SILENCE + intrusion + SILENCE);
    call.intrude(SILENCE);
    call.speak();
    call.intrude(intrusion);
    let tried = ["untrusted", "spoofed"].map(|reason| stage.switch.dropped(reason));
    assert!(tried.iter().all(|packets| *packets >= 10), "before the first packets, and then: {tried:?}");
    let least = (intrusion.as_millis() / PACKET.as_millis()) as usize * 9 / 10;
    for ((side, relay), voice) in call.sides.iter().zip(call.relay).zip([VOICES[1], VOICES[0]]) {
        let heard = side.rtp.heard();
        let strange: Vec<_> = heard.iter().filter(|one| one.from.port() != relay || !is_of(one, voice)).collect();
        assert!(strange.is_empty(), "{} of {}: {:?}", strange.len(), heard.len(), strange[0]);
        let sequence: Vec<u16> = heard.iter().filter_map(|one| Some(Rtp::read(&one.bytes)?.sequence)).collect();
        assert!(sequence.len() >= least, "{} of {least} packets", sequence.len());
        // the two do not begin at the same moment
        let first = sequence[0];
        assert!(first < 50 && sequence.iter().copied().eq(first..first + sequence.len() as u16), "{sequence:?}");
        assert!(side.rtcp.heard().is_empty(), "RTCP that nobody sent");
    }
    assert!(call.stranger.heard().is_empty(), "{:?}", call.stranger.heard()[0]);
    call.scene.end();
}

/// The caller names a private address, so that its own has to be learned. Until it speaks the stranger may pass for it,
/// as nothing tells the two apart; its first packet comes from where its signalling does, and ends that.
fn translated_call(stage: &mut Stage<1>) {
    let mut call = begin(stage, ["translated-caller", "translated-callee"], "10.66.0.1", 4 * SILENCE);
    call.intrude(SILENCE);
    call.speak();
    let [caller, callee] = &call.sides;
    let heard = until(SILENCE, || [caller, callee].iter().all(|side| !side.rtp.heard().is_empty()).then_some(()));
    assert!(heard.is_some(), "they do not hear each other");
    let counts = || (callee.rtp.heard().len(), call.stranger.heard().len());
    let (passed, overheard) = counts();
    call.intrude(SILENCE);
    for (side, voice, from) in [(caller, VOICES[1], 0), (callee, VOICES[0], passed)] {
        let heard = side.rtp.heard();
        let strange: Vec<_> = heard[from..].iter().filter(|one| !is_of(one, voice)).collect();
        assert!(strange.is_empty(), "{} of {}: {:?}", strange.len(), heard.len(), strange[0]);
        assert!(heard.len() >= from + 25, "{} packets after {from}", heard.len());
    }
    assert_eq!(counts().1, overheard, "the stranger still hears the callee");
    call.scene.end();
}
