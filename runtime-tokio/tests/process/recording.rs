//! `run --record`: what the process did can be done again without it.

use crate::phones::{call, config, hang_up, phones, register};
use crate::serving::{Serving, code, path};
use crosspoint_core::record::{LogError, Replay, replay};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_recording_of_a_call_replays_as_identical() {
    let recordings = tempfile::tempdir().unwrap();
    let file = recordings.path().join("log");
    let serving = Serving::with(tempfile::tempdir().unwrap(), &config(), &["--record", path(&file)]);
    let mut lines = phones(&serving);
    register(&mut lines);
    call(&mut lines);
    hang_up(&mut lines);
    assert!(matches!(replay(&std::fs::read(&file).unwrap(), None), Err(LogError::NoSeed)), "no seed while it runs");
    assert_eq!(code(&serving.ask(&["drain"])), 0);
    assert_eq!(serving.wait(), Some(0));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "it holds credentials");
    match replay(&std::fs::read(&file).unwrap(), None).unwrap() {
        Replay::Identical { inputs, .. } => assert!(inputs >= 12, "{inputs}"),
        other => panic!("{other:?}"),
    }
}
