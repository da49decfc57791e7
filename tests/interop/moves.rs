//! A re-INVITE moves the media of one side, and nobody misses a packet. Signalling is SIPp's; the media peers are sockets
//! of the test.

use crate::script::{Script, Sdp};
use crate::stage::Stage;
use crate::turn;
use crosspoint_tests::ports::free_udp_port;
use crosspoint_tests::process::{installed, until};
use crosspoint_tests::rtp::{Heard, Peer, Rtp};
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long the caller's media is in each place, in ms.
const PHASE_MS: u32 = 1_500;

/// Packets that must come in a phase, of the 75 sent.
const LEAST: usize = 30;

/// Who speaks: the caller in its first place and in its second, the callee.
const FIRST: u32 = 0x1111_1111;
const SECOND: u32 = 0x2222_2222;
const CALLEE: u32 = 0x3333_3333;

#[test]
fn a_side_moves_and_no_packet_is_lost() {
    let turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let mut stage = Stage::set("moves", "[parameters]\nSS_RTP_PORT_RANGE = \"27000,27199\"\n\n", |[callee]| {
        [("out", callee, "prefixes = [\"9\"]\nmedia_proxy = \"On\"\n".to_owned())]
    });
    let [mut first, mut second, mut callee] = [(); 3].map(|()| Peer::bind((Ipv4Addr::LOCALHOST, free_udp_port())));
    let [here, there, answer] = [&first, &second, &callee].map(|peer| Some(Sdp::plain(peer.address().port())));
    let caller = Script::caller("moving-caller").begin("INVITE", "9001", &[], here).expect_status(200).ack(None);
    let caller = caller.pause(PHASE_MS).send("INVITE", &[], there).expect_status(200).ack(None).pause(PHASE_MS);
    let still = Script::callee("still-callee").expect("INVITE").answer_invite(200, "callee", &[], answer).expect("ACK");
    let still = still.expect("INVITE").answer_invite(200, "", &[], answer).expect("ACK");
    let still = still.expect("BYE").answer(200, &[], None);
    let scene = stage.begin(caller.send("BYE", &[], None).expect_status(200), [Some(still)]);

    let [to_caller, to_callee] = stage.switch.relay_ports().map(|port| (Ipv4Addr::LOCALHOST, port).into());
    first.speak(to_caller, |n| vec![Rtp::nth(n, FIRST, 0xd5).bytes()]);
    callee.speak(to_callee, |n| vec![Rtp::nth(n, CALLEE, 0xd5).bytes()]);
    // a phone listens in its new place before it speaks there; what it sent from the old one may still be on its way
    until(Duration::from_secs(10), || second.heard().first().map(drop)).expect("media moves");
    second.speak(to_caller, |n| vec![Rtp::nth(n, SECOND, 0xd5).bytes()]);
    scene.end();

    let there = [numbers(&first.heard(), CALLEE), numbers(&second.heard(), CALLEE)];
    assert!(there.iter().all(|heard| heard.len() >= LEAST), "{there:?}");
    is_whole(&there.concat());
    let back = callee.heard();
    let [old, new] = [FIRST, SECOND].map(|voice| numbers(&back, voice));
    assert!(old.len() >= LEAST && new.len() >= LEAST, "{old:?}, {new:?}");
    is_whole(&old);
    assert_eq!(new[0], 0, "the first packet from the new place");
    is_whole(&new);
    assert_eq!(back.len(), old.len() + new.len(), "nothing else");
    drop(turn);
    stage.strike();
}

/// The sequence numbers of the packets of this voice, as they came.
fn numbers(heard: &[Heard], voice: u32) -> Vec<u16> {
    let packets = heard.iter().filter_map(|one| Rtp::read(&one.bytes));
    packets.filter(|packet| packet.ssrc == voice).map(|packet| packet.sequence).collect()
}

/// None is missing, none comes twice or out of turn.
fn is_whole(numbers: &[u16]) {
    let first = numbers[0];
    assert!(numbers.iter().copied().eq(first..first + numbers.len() as u16), "{numbers:?}");
}
