//! Recordings: the first input after which a replay differs, and what is said of a log that is no good.

use crosspoint_core::config::Config;
use crosspoint_core::input::{Flow, Input, SocketId, Transport};
use crosspoint_core::record::{Divergence, Log, LogError, Player, Recorder, Replay, replay};
use crosspoint_core::rng::Seed;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use std::sync::Arc;
use std::time::Duration;

const INPUTS: u64 = 20;

/// The log of a switch that answers an OPTIONS a second.
fn recorded(config: &Arc<Config>) -> Vec<u8> {
    let now = |s| Now { mono: Instant::from_micros(s * 1_000_000), wall: UnixMicros(s * 1_000_000) };
    let mut log = Vec::new();
    let mut recorder = Recorder::start(config.clone(), Seed::from_number(1), now(0), &mut log);
    let mut player = Player::new(config.clone(), Seed::from_number(1), now(0), |_| {});
    for s in 1..=INPUTS {
        let text = format!(
            "OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{s}\r\nMax-Forwards: 70\r\nFrom: \
             <sip:a@localhost>;tag=1\r\nTo: <sip:localhost>\r\nCall-ID: id-{s}-\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let remote = "192.0.2.1:5060".parse().unwrap();
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote };
        let input = Input::Datagram { flow, bytes: text.as_bytes() };
        recorder.input(now(s), &input, player.digest(), &mut log);
        player.play(now(s), input, |_| {});
    }
    recorder.finish(player.digest(), &mut log);
    log
}

fn log() -> Vec<u8> {
    recorded(&Arc::new(Config::embedded("secret")))
}

fn at(log: &[u8], text: &str) -> usize {
    log.windows(text.len()).position(|bytes| bytes == text.as_bytes()).unwrap()
}

#[test]
fn a_replay_names_the_first_input_after_which_it_differs() {
    let log = log();
    assert!(matches!(replay(&log, None), Ok(Replay::Identical { inputs: INPUTS, .. })));
    for number in 1..=INPUTS {
        let mut log = log.clone();
        let place = at(&log, &format!("id-{number}-"));
        log[place] ^= 1;
        let Ok(Replay::Diverged(Divergence { input, after, .. })) = replay(&log, None) else { panic!("{number}") };
        assert_eq!((input, after), (number, Duration::from_secs(number)));
    }
}

#[test]
fn a_changed_end_is_a_difference_after_the_last_input() {
    let mut log = log();
    *log.last_mut().unwrap() ^= 1;
    let diverged = replay(&log, None);
    assert!(matches!(diverged, Ok(Replay::Diverged(Divergence { input: INPUTS, .. }))), "{diverged:?}");
}

#[test]
fn a_log_that_is_cut_off_replays_as_far_as_it_goes() {
    let log = log();
    let cut = &log[..at(&log, "id-8-")];
    assert_eq!(replay(cut, None), Err(LogError::NoSeed));
    assert!(matches!(replay(cut, Some(Seed::from_number(1))), Ok(Replay::Identical { inputs: 7, .. })));
    // tags come from the seed: the first answer differs
    let other = replay(cut, Some(Seed::from_number(2)));
    assert!(matches!(other, Ok(Replay::Diverged(Divergence { input: 1, .. }))), "{other:?}");
}

#[test]
fn what_is_no_log_of_this_version_is_told_so() {
    assert_eq!(replay(b"nonsense", None), Err(LogError::NotALog));
    let error = replay(b"crosspoint-input-log-3\n....", None).unwrap_err();
    assert_eq!(error.to_string(), "an input log of format 3; this build reads format 4");
    let beginning = &log()[..40];
    assert!(matches!(replay(beginning, None), Err(LogError::Damaged { .. })));
}

#[test]
fn a_damaged_frame_is_named_by_its_offset() {
    let whole = log();
    // the first octet of a frame says which kind it is
    let second = Log::read(&whole).unwrap().inputs().count() as u64;
    assert_eq!(second, INPUTS);
    let first_frame = at(&whole, "crosspoint 0") - 2;
    let length = u32::from_le_bytes(whole[first_frame - 4..first_frame].try_into().unwrap()) as usize;
    let input = first_frame + length;
    let mut log = whole.clone();
    log[input + 4] = 99;
    let error = replay(&log, None).unwrap_err();
    assert!(error.to_string().starts_with(&format!("damaged at byte {input}: ")), "{error}");
    // a length that leads past the end hides everything behind it, the seed too
    let mut log = whole.clone();
    log[input + 3] = 0x7f;
    assert_eq!(replay(&log, None), Err(LogError::NoSeed));
    // a frame that is gone
    let length = u32::from_le_bytes(whole[input..input + 4].try_into().unwrap()) as usize;
    let mut log = whole.clone();
    log.drain(input..input + 4 + length);
    let found = Log::read(&log).unwrap().inputs().find_map(Result::err);
    assert_eq!(found, Some(LogError::Incomplete { said: INPUTS, found: INPUTS - 1 }));
    // bytes behind the end
    let mut log = whole;
    log.extend_from_slice(&[0; 5]);
    assert!(replay(&log, None).is_err());
}
