//! The numbers that the switch answers itself, called by baresip: it hears its own tone, and the switch's.

use crate::phone::{Answer, BARESIP, Phone};
use crate::{folder, turn};
use crosspoint_tests::process::{installed, until};
use crosspoint_tests::switch::Switch;
use crosspoint_tests::tone;
use std::time::Duration;

/// What the caller plays, and what the tone number does.
const CALLERS_HZ: f64 = 700.0;
const TONE_HZ: f64 = 1004.0;

#[test]
fn baresip_hears_itself_and_the_tone() {
    let _turn = turn();
    if !installed(&["baresip"]) {
        return;
    }
    for (number, expected, other) in [("9000", CALLERS_HZ, TONE_HZ), ("9001", TONE_HZ, CALLERS_HZ)] {
        let folder = folder(&format!("numbers-{number}"));
        let mut switch = Switch::start_with(&folder, "[tones]\necho_number = \"9000\"\ntone_number = \"9001\"\n");
        let mut caller = Phone::prepare(&BARESIP, &folder, "u00001", CALLERS_HZ, Answer::Plain);
        caller.start(switch.address());
        caller.wait_for(BARESIP.registered);
        caller.dial(number);
        caller.wait_for(BARESIP.talks);
        let is_heard = |tone: &Vec<i16>| tone.len() == 8000 && tone::strength(tone, expected) > 1000.0;
        let heard = until(Duration::from_secs(10), || Some(caller.heard()).filter(is_heard));
        let heard = heard.unwrap_or_else(|| panic!("{number}: no {expected} Hz"));
        let (right, wrong) = (tone::strength(&heard, expected), tone::strength(&heard, other));
        assert!(right > 10.0 * wrong, "{number}: {expected} Hz: {right}, {other} Hz: {wrong}");
        caller.hold();
        caller.wait_for(BARESIP.holds);
        caller.resume();
        caller.wait_for(BARESIP.resumed);
        caller.hang_up();
        caller.wait_for(BARESIP.is_free);
        switch.wait_for_zero(&["calls"], Duration::from_secs(10));
        switch.stop();
        let records = switch.records();
        assert_eq!(records.len(), 1, "one CDR for the call");
        assert_eq!(
            [&records[0]["media"], &records[0]["media_rule"], &records[0]["caller_codec"]],
            ["relay", "N1", "PCMA"]
        );
        assert!(records[0]["rtp_caller_packets"].parse::<u32>().is_ok_and(|count| count > 50), "{:?}", records[0]);
    }
}
