//! What `crosspoint-sim replay` says of a recording.

use crosspoint_core::rng::Seed;
use crosspoint_sim::replay::report;
use crosspoint_sim::scenario;

fn recording() -> Vec<u8> {
    scenario::run("call", 7).unwrap().into_recording()
}

/// Changes the byte that stands so far from the first place where this text is.
fn alter(log: &mut [u8], text: &str, offset: isize) {
    let at = log.windows(text.len()).position(|bytes| bytes == text.as_bytes()).unwrap();
    log[at.checked_add_signed(offset).unwrap()] ^= 1;
}

#[test]
fn a_recording_that_was_not_changed_is_identical() {
    let report = report(&recording(), None).unwrap();
    assert!(report.is_identical);
    assert!(report.text.starts_with("identical: "), "{}", report.text);
}

#[test]
fn a_datagram_changed_in_one_byte_shows_the_ladder_around_it() {
    let mut log = recording();
    // the CSeq of the BYE, now no later than the INVITE's
    alter(&mut log, " BYE\r\n", -1);
    let report = report(&log, None).unwrap();
    assert!(!report.is_identical);
    insta::assert_snapshot!(report.text);
}

#[test]
fn a_changed_configuration_shows_where_it_first_matters() {
    let mut log = recording();
    // the password of the first phone
    alter(&mut log, "secret", 0);
    insta::assert_snapshot!(report(&log, None).unwrap().text);
}

#[test]
fn a_recording_of_a_killed_process_says_so() {
    let log = recording();
    let cut = &log[..log.len() * 2 / 3];
    assert!(report(cut, None).is_err());
    let report = report(cut, Some(Seed::from_number(7))).unwrap();
    assert!(report.is_identical);
    assert!(report.text.ends_with("(the log has no end: its process runs or was killed)\n"), "{}", report.text);
}
