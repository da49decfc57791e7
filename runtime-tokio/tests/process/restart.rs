//! `kill -9`: registrations and records survive it.

use crate::phones::{call, config, hang_up, phones, register};
use crate::serving::{Serving, stderr};
use serde_json::Value;

fn json(serving: &Serving, command: &[&str]) -> Vec<Value> {
    let output = serving.ask(&[command, &["--json"]].concat());
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    value.as_array().unwrap().clone()
}

/// The bindings in the order of their users, without the moment of their end: it is kept by the monotonic clock, and the
/// two clocks are not read in the same microsecond.
fn bindings(serving: &Serving) -> Vec<Value> {
    let mut all = json(serving, &["registrations"]);
    for binding in &mut all {
        let left_us = binding["expires_at"].as_u64().unwrap() - binding["updated_at"].as_u64().unwrap();
        assert!(left_us.abs_diff(3_600_000_000) < 1_000_000, "{left_us}");
        binding["expires_at"] = Value::Null;
    }
    all.sort_by_key(|binding| binding["aor"].to_string());
    all
}

#[test]
fn registered_phones_can_be_called_after_a_kill() {
    let config = config();
    let serving = Serving::new(&config);
    let mut lines = phones(&serving);
    register(&mut lines);
    let before = bindings(&serving);
    assert_eq!(before.len(), 2);
    let serving = Serving::again(serving.kill(), &config);
    assert_eq!(bindings(&serving), before);
    call(&mut lines);
    assert_eq!(json(&serving, &["calls"]).len(), 1);
}

#[test]
fn a_call_that_was_up_is_recorded_once_however_often_the_switch_is_killed() {
    let config = config();
    let serving = Serving::new(&config);
    let mut lines = phones(&serving);
    register(&mut lines);
    call(&mut lines);
    let mut dir = serving.kill();
    for _ in 0..3 {
        let serving = Serving::again(dir, &config);
        let records = json(&serving, &["cdr", "list"]);
        assert_eq!(records.len(), 1, "{records:?}");
        assert_eq!(records[0]["end_reason"], "interrupted");
        assert_eq!(records[0]["caller"], "1001");
        assert!(records[0]["answer_ms"].is_u64());
        dir = serving.kill();
    }
}

#[test]
fn a_finished_call_is_in_the_records_at_once_and_after_a_kill() {
    let config = config();
    let serving = Serving::new(&config);
    let mut lines = phones(&serving);
    register(&mut lines);
    call(&mut lines);
    hang_up(&mut lines);
    let before = json(&serving, &["cdr", "list"]);
    assert_eq!((before.len(), &before[0]["end_reason"]), (1, &"normal".into()));
    let serving = Serving::again(serving.kill(), &config);
    assert_eq!(json(&serving, &["cdr", "list"]), before);
}

#[test]
fn the_first_signal_waits_for_the_call_and_the_second_does_not() {
    let config = config();
    let serving = Serving::new(&config);
    let mut lines = phones(&serving);
    register(&mut lines);
    call(&mut lines);
    serving.signal("-TERM");
    serving.until_status("is_draining", true);
    assert_eq!(json(&serving, &["calls"]).len(), 1, "it goes on");
    serving.signal("-TERM");
    let (dir, exit_code) = serving.wait_and_keep();
    assert_eq!(exit_code, Some(0));
    let serving = Serving::again(dir, &config);
    let records = json(&serving, &["cdr", "list"]);
    assert_eq!((records.len(), &records[0]["end_reason"]), (1, &"interrupted".into()));
}
