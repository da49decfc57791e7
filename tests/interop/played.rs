//! What the switch plays itself, as a caller hears it: every packet, decoded and measured. The caller's signalling is
//! SIPp's, its ear a socket of the test; who is called is baresip.

use crate::phone::{Answer, BARESIP, Phone};
use crate::script::{Script, Sdp};
use crate::stage::Stage;
use crate::{folder, turn};
use crosspoint_tests::ports::free_udp_port;
use crosspoint_tests::process::{installed, until};
use crosspoint_tests::rtp::{Heard, PACKET, Peer, Rtp, SAMPLES};
use crosspoint_tests::switch::PASSWORD;
use crosspoint_tests::tone;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// The ringback of the default: 425 Hz, 1 s on, 4 s off, in packets.
const RINGBACK_HZ: f64 = 425.0;
const ON: usize = 50;
const PERIOD: usize = 250;

/// A whole period and the next ring.
const LISTEN: usize = PERIOD + ON + 10;

/// The ports for announcements.
const IVR: RangeInclusive<u16> = 26_200..=26_299;

/// What the callee's phone plays.
const VOICE_HZ: f64 = 700.0;

/// How much later than on time a packet may come: the machine has other things to do.
const LATE: Duration = Duration::from_millis(200);

/// The longest delay after which the switch sends the packets that it missed, rather than leaving them out.
const MADE_UP: Duration = Duration::from_millis(80);

#[test]
fn a_caller_hears_the_ringback_of_the_switch() {
    let turn = turn();
    if !installed(&["sipp", "baresip"]) {
        return;
    }
    let also = format!(
        "[parameters]\nSS_RTP_PORT_RANGE = \"26000,26199\"\n\n\
         [[phone]]\nuser = \"r00001\"\npassword = \"{PASSWORD}\"\nlocal_ring = true\n\n"
    );
    let mut stage = Stage::set("ringback", &also, |[]| []);
    let mut callee = Phone::prepare(&BARESIP, stage.folder(), "r00001", VOICE_HZ, Answer::Plain);
    callee.start(stage.switch.address());
    callee.wait_for(BARESIP.registered);

    let ear = Peer::bind((Ipv4Addr::LOCALHOST, free_udp_port()));
    let offer = Some(Sdp::plain(ear.address().port()));
    let caller = Script::caller("ringback-caller").begin("INVITE", "r00001", &[], offer).expect_status(183);
    let caller = caller.with("m=audio [1-9][0-9]* RTP/AVP 8").expect_status(200).ack(None).pause(2_500);
    let scene = stage.begin(caller.send("BYE", &[], None).expect_status(200), []);
    callee.wait_for(BARESIP.is_called);
    until(Duration::from_secs(10), || (ear.heard().len() >= LISTEN).then_some(())).expect("ringback");
    callee.answer();
    scene.end();
    callee.wait_for(BARESIP.is_free);

    let heard = ear.heard();
    let packets: Vec<Rtp> = heard.iter().map(|one| Rtp::read(&one.bytes).expect("PCMA")).collect();
    let answered = packets.iter().position(|packet| packet.ssrc != packets[0].ssrc).expect("the callee is heard");
    let (ringing, talking) = packets.split_at(answered);
    assert!(ringing.len() >= LISTEN, "{} packets", ringing.len());
    is_ringback(ringing, &numbers(&heard[..answered], ringing));
    // the second of speech in the middle of two
    let voice = decode(&talking[20..70]);
    let [right, wrong] = [VOICE_HZ, RINGBACK_HZ].map(|hz| tone::strength(&voice, hz));
    assert!(right > 1000.0 && right > 100.0 * wrong, "{VOICE_HZ} Hz: {right}, {RINGBACK_HZ} Hz: {wrong}");
    drop((turn, callee));
    let rules: Vec<_> = stage.strike().iter().map(|record| record["media_rule"].clone()).collect();
    assert_eq!(rules, ["S4"]);
}

/// The announcement's tone, and its length.
const ANNOUNCED_HZ: f64 = 600.0;
const ANNOUNCED_S: u32 = 2;

#[test]
fn a_caller_hears_why_the_call_fails() {
    let turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let sounds = folder("announcement-sounds");
    tone::write(&sounds.join("busy.wav"), ANNOUNCED_HZ, ANNOUNCED_S);
    let also = format!(
        "[parameters]\nSS_RTP_PORT_RANGE = \"26000,26199\"\nIVR_RTP_PORT = \"{},{}\"\n\n\
         [tones]\nfolder = \"{}\"\n\n[announcements]\nbusy = \"busy.wav\"\n\n",
        IVR.start(),
        IVR.end(),
        sounds.display()
    );
    let mut stage = Stage::set("announcement", &also, |[callee]| [("out", callee, "prefixes = [\"9\"]\n".to_owned())]);
    let ear = Peer::bind((Ipv4Addr::LOCALHOST, free_udp_port()));
    let offer = Some(Sdp::plain(ear.address().port()));
    let caller = Script::caller("announced-caller").begin("INVITE", "9001", &[], offer).expect_status(183);
    let caller = caller.with("m=audio [1-9][0-9]* RTP/AVP 8").expect_status(486).ack_refusal();
    let callee = Script::callee("busy-callee").expect("INVITE").answer_invite(486, "callee", &[], None);
    stage.play(caller, [Some(callee.expect("ACK"))]);

    let heard = ear.heard();
    let packets: Vec<Rtp> = heard.iter().map(|one| Rtp::read(&one.bytes).expect("PCMA")).collect();
    let last = numbers(&heard, &packets).into_iter().next_back().expect("packets");
    assert_eq!((last + 1) * SAMPLES, ANNOUNCED_S as usize * 8_000, "all of it, once");
    assert!(heard.iter().all(|one| IVR.contains(&one.from.port())), "from the ports for announcements");
    let samples = decode(&packets[..ON]);
    let [right, wrong] = [ANNOUNCED_HZ, RINGBACK_HZ].map(|hz| tone::strength(&samples, hz));
    assert!(right > 1000.0 && right > 100.0 * wrong, "{ANNOUNCED_HZ} Hz: {right}, {RINGBACK_HZ} Hz: {wrong}");
    drop(turn);
    let statuses: Vec<_> = stage.strike().iter().map(|record| record["sip_status"].clone()).collect();
    assert_eq!(statuses, ["486"]);
}

fn decode(packets: &[Rtp]) -> Vec<i16> {
    packets.iter().flat_map(|packet| &packet.payload).map(|octet| tone::decode_a(*octet)).collect()
}

/// The numbers of packets by their timestamps, each of which is a whole number of packets after the first and comes when
/// it is due. One may only be left out where the machine had the switch wait for longer than it makes up for.
fn numbers(heard: &[Heard], packets: &[Rtp]) -> Vec<usize> {
    let first = &packets[0];
    let mut last: Option<(usize, Instant)> = None;
    let number = |(n, (packet, one)): (usize, (&Rtp, &Heard))| {
        let samples = packet.timestamp.wrapping_sub(first.timestamp) as usize;
        assert_eq!((samples % SAMPLES, packet.payload.len()), (0, SAMPLES), "packet {n}");
        assert_eq!(packet.sequence, first.sequence.wrapping_add(n as u16), "packet {n}");
        let number = samples / SAMPLES;
        if let Some((before, at)) = last.replace((number, one.at)) {
            let is_next = number == before + 1;
            assert!(
                is_next || number > before && one.at - at >= MADE_UP,
                "{number} follows {before} after {:?}",
                one.at - at
            );
        }
        let (after, due) = (one.at - heard[0].at, PACKET * number as u32);
        // the first may itself have been late
        assert!(after < due + LATE && due < after + LATE, "packet {number} came after {after:?}");
        number
    };
    packets.iter().zip(heard).enumerate().map(number).collect()
}

/// The tone and nothing else when it is on, nothing when it is off.
fn is_ringback(packets: &[Rtp], numbers: &[usize]) {
    // each where its timestamp puts it, since a packet left out is no whole number of waves
    let (mut on, mut present) = (vec![0; (numbers[numbers.len() - 1] + 1) * SAMPLES], 0.0);
    for (packet, number) in packets.iter().zip(numbers) {
        let samples = decode(std::slice::from_ref(packet));
        let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().expect("160 of them");
        if number % PERIOD < ON {
            assert!(loudest > 1_000, "packet {number} is silent: {loudest}");
            on[number * SAMPLES..][..SAMPLES].copy_from_slice(&samples);
            present += SAMPLES as f64;
        } else {
            assert!(loudest < 20, "packet {number} is loud: {loudest}");
        }
    }
    let power = on.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / present;
    // a sine of amplitude a has the power a²/2, and the strength a/2
    let pure = |hz| 2.0 * (tone::strength(&on, hz) * on.len() as f64 / present).powi(2) / power;
    let (right, near) = (pure(RINGBACK_HZ), [RINGBACK_HZ - 1.0, RINGBACK_HZ + 1.0].map(pure));
    assert!(right > 0.98 && near.iter().all(|near| *near < 0.1), "{right} of the power is {RINGBACK_HZ} Hz, {near:?}");
}
