//! Two baresip phones register with digest and talk; what each heard is the tone that the other played.

use crate::phone::{Answer, BARESIP, Phone};
use crate::{folder, turn};
use crosspoint_tests::process::{installed, until};
use crosspoint_tests::switch::Switch;
use crosspoint_tests::tone;
use std::time::Duration;

#[test]
fn two_baresips_register_and_hear_each_other() {
    let _turn = turn();
    if !installed(&["baresip"]) {
        return;
    }
    let folder = folder("baresip");
    let mut switch = Switch::start(&folder);
    let mut callee = Phone::prepare(&BARESIP, &folder, "u00002", 440.0, Answer::Plain);
    let mut caller = Phone::prepare(&BARESIP, &folder, "u00001", 700.0, Answer::Plain);
    for phone in [&mut callee, &mut caller] {
        phone.start(switch.address());
        phone.wait_for(BARESIP.registered);
    }
    caller.dial("u00002");
    callee.wait_for(BARESIP.is_called);
    callee.answer();
    for phone in [&mut caller, &mut callee] {
        phone.wait_for(BARESIP.talks);
    }
    for (phone, expected, other) in [(&caller, 440.0, 700.0), (&callee, 700.0, 440.0)] {
        let is_heard = |tone: &Vec<i16>| tone.len() == 8000 && tone::strength(tone, expected) > 1000.0;
        let heard = until(Duration::from_secs(10), || Some(phone.heard()).filter(is_heard));
        let heard = heard.unwrap_or_else(|| panic!("{} hears no {expected} Hz", phone.user));
        let (right, wrong) = (tone::strength(&heard, expected), tone::strength(&heard, other));
        assert!(right > 10.0 * wrong, "{expected} Hz: {right}, {other} Hz: {wrong}");
    }
    caller.hang_up();
    for phone in [&mut caller, &mut callee] {
        phone.wait_for(BARESIP.is_free);
    }
    switch.wait_for_zero(&["calls"], Duration::from_secs(10));
    switch.stop();
    assert_eq!(switch.records().len(), 1, "one CDR for the call");
}
