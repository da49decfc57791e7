//! A call that becomes a fax and then a call again (T.38 annex D), and one whose fax is refused. Signalling is SIPp's; the
//! media peers are sockets of the test. They send speech and fax datagrams all the time: which of them pass tells what the
//! relay takes the stream for.

use crate::script::{Script, Sdp};
use crate::stage::Stage;
use crate::turn;
use crosspoint_tests::ports::free_udp_port;
use crosspoint_tests::process::installed;
use crosspoint_tests::rtp::{Heard, Peer, Rtp};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

/// The ports of the relay.
const RELAY: RangeInclusive<u16> = 25_000..=25_199;

/// How long speech and fax last, in ms.
const PHASE_MS: u32 = 1_500;

/// Packets of a phase that must come, of the 75 sent.
const LEAST: usize = 30;

/// What caller and callee send.
const VOICES: [u32; 2] = [0x1111_1111, 0x2222_2222];

#[test]
fn a_call_becomes_a_fax_and_a_call_again() {
    let turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let also = format!("[parameters]\nSS_RTP_PORT_RANGE = \"{},{}\"\n\n", RELAY.start(), RELAY.end());
    let mut stage =
        Stage::set("fax", &also, |[callee]| [("out", callee, "prefixes = [\"9\"]\nmedia_proxy = \"On\"\n".to_owned())]);
    for (heard, other) in play(&mut stage, fax) {
        // nothing else passes, and never in another order: speech, fax, speech
        let is_fax: Vec<bool> = heard.iter().map(|one| is_fax(one, other)).collect();
        let first = is_fax.iter().position(|fax| *fax).expect("fax datagrams came");
        let last = is_fax.iter().rposition(|fax| *fax).expect("the first is one");
        let faxes = is_fax.iter().filter(|fax| **fax).count();
        assert!(
            first >= LEAST && faxes >= LEAST && is_fax.len() - last > LEAST,
            "{first}, {faxes}, {last}, {}",
            is_fax.len()
        );
    }
    for (heard, other) in play(&mut stage, refused_fax) {
        assert!(heard.len() >= 2 * LEAST, "{} packets", heard.len());
        assert!(!heard.iter().any(|one| is_fax(one, other)), "a fax that was refused");
    }
    drop(turn);
    stage.strike();
}

/// Plays a call; gives what each side heard, and whose it must be.
fn play(stage: &mut Stage<1>, scene: fn([u16; 2]) -> (Script, Script)) -> [(Vec<Heard>, u32); 2] {
    let mut peers = VOICES.map(|_| Peer::bind((Ipv4Addr::LOCALHOST, free_udp_port())));
    let (caller, callee) = scene([0, 1].map(|side| peers[side].address().port()));
    let scene = stage.begin(caller, [Some(callee)]);
    for ((peer, relay), voice) in peers.iter_mut().zip(stage.switch.relay_ports()).zip(VOICES) {
        peer.speak((Ipv4Addr::LOCALHOST, relay).into(), move |n| {
            vec![Rtp::nth(n, voice, 0xd5).bytes(), datagram(n, voice)]
        });
    }
    scene.end();
    let [caller, callee] = VOICES;
    [(peers[0].heard(), callee), (peers[1].heard(), caller)]
}

/// The `n`th fax datagram of a sender, of the form of UDPTL: a number, a primary packet, no error recovery (T.38 §9.1).
fn datagram(n: u32, voice: u32) -> Vec<u8> {
    let [.., high, low] = n.to_be_bytes();
    [&[high, low, 4][..], &voice.to_be_bytes(), &[0, 0]].concat()
}

/// Whether it is a fax datagram of this sender, or else speech of this sender, byte for byte.
fn is_fax(heard: &Heard, voice: u32) -> bool {
    if let Some(rtp) = Rtp::read(&heard.bytes) {
        assert_eq!(heard.bytes, Rtp::nth(rtp.timestamp / 160, voice, 0xd5).bytes());
        return false;
    }
    let n = u32::from(u16::from_be_bytes([heard.bytes[0], heard.bytes[1]]));
    assert_eq!(heard.bytes, datagram(n, voice));
    true
}

/// Speech, until the callee wants a fax.
fn answered(names: [&'static str; 2], [caller, callee]: [u16; 2]) -> (Script, Script) {
    let [offer, answer] = [caller, callee].map(|port| Some(Sdp::plain(port)));
    let caller = Script::caller(names[0]).begin("INVITE", "9001", &[], offer).expect_status(200).ack(None);
    let callee = Script::callee(names[1]).expect("INVITE").answer_invite(200, "callee", &[], answer).expect("ACK");
    (caller, callee.pause(PHASE_MS))
}

/// The callee, which hears the caller's fax machine, asks for T.38; in the end the caller asks for speech again.
fn fax(ports: [u16; 2]) -> (Script, Script) {
    let (caller, callee) = answered(["fax-caller", "fax-callee"], ports);
    let [caller_fax, callee_fax] = ports.map(|port| Some(Sdp::fax(port)));
    let [caller_speech, callee_speech] = ports.map(|port| Some(Sdp::plain(port)));
    let callee = callee.send("INVITE", &[], callee_fax).expect_status(200).with("m=image [1-9][0-9]* udptl t38");
    let callee = callee.with("a=T38FaxUdpEC:t38UDPRedundancy").ack(None);
    let caller = caller.expect("INVITE").with("m=image [1-9][0-9]* udptl t38").answer_invite(200, "", &[], caller_fax);
    let caller = caller.expect("ACK").pause(PHASE_MS).send("INVITE", &[], caller_speech);
    let caller = caller.expect_status(200).with("m=audio [1-9][0-9]* RTP/AVP 8").ack(None).pause(PHASE_MS);
    let callee = callee.expect("INVITE").with("m=audio [1-9][0-9]* RTP/AVP 8");
    let callee = callee.answer_invite(200, "", &[], callee_speech).expect("ACK").expect("BYE").answer(200, &[], None);
    (caller.send("BYE", &[], None).expect_status(200), callee)
}

/// The caller knows no T.38, and they go on speaking.
fn refused_fax(ports: [u16; 2]) -> (Script, Script) {
    let (caller, callee) = answered(["no-fax-caller", "no-fax-callee"], ports);
    let callee = callee.send("INVITE", &[], Some(Sdp::fax(ports[1]))).expect_status(488).ack_refusal();
    let caller =
        caller.expect("INVITE").with("m=image").answer_invite(488, "", &[], None).expect("ACK").pause(PHASE_MS);
    let callee = callee.expect("BYE").answer(200, &[], None);
    (caller.send("BYE", &[], None).expect_status(200), callee)
}
