//! A call whose media goes through the real binary.

use crate::phones::{call, config, hang_up, phones, register, until_heard};
use crate::serving::{Serving, code, path, stderr};
use crosspoint_core::record::{Replay, replay};
use serde_json::Value;
use std::net::SocketAddr;

fn json(serving: &Serving, command: &[&str]) -> Value {
    let output = serving.ask(&[command, &["--json"]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The ports that calls hold.
fn held(serving: &Serving) -> Vec<Value> {
    let ports = json(serving, &["ports"]);
    ports["leases"].as_array().unwrap().iter().filter(|lease| lease["state"] == "held").cloned().collect()
}

#[test]
fn both_hear_each_other_through_ports_of_the_switch_and_the_recording_replays() {
    let recordings = tempfile::tempdir().unwrap();
    let file = recordings.path().join("log");
    let config = config() + "[parameters]\nSS_MEDIAPROXYMODE = \"Must On\"\n";
    let serving = Serving::with(tempfile::tempdir().unwrap(), &config, &["--record", path(&file)]);
    let mut lines = phones(&serving);
    register(&mut lines);
    call(&mut lines);
    until_heard(&mut lines, 10);
    let leases = held(&serving);
    assert_eq!(leases.len(), 2, "{leases:?}");
    assert_eq!(leases[0]["flow_no"], leases[1]["flow_no"]);
    assert_eq!(leases[0]["shard"], leases[1]["shard"], "both legs are of one shard");
    for (line, party) in lines.iter().zip(["caller", "callee"]) {
        let lease = leases.iter().find(|lease| lease["party"] == party).unwrap();
        let port = u16::try_from(lease["port"].as_u64().unwrap()).unwrap();
        assert_eq!(line.heard_from.iter().collect::<Vec<_>>(), [&SocketAddr::from(([127, 0, 0, 1], port))], "{party}");
    }
    serving.until_status("media_sessions", 1);
    hang_up(&mut lines);
    serving.until_status("media_sessions", 0);
    let status = json(&serving, &["status"]);
    assert_eq!(held(&serving), [Value::Null; 0]);
    let shards = status["process"]["media_shards"].as_array().unwrap();
    let heard: u64 = lines.iter().map(|line| line.phone.audio().received).sum();
    let sent: u64 = shards.iter().map(|shard| shard["sent"].as_u64().unwrap()).sum();
    assert!(sent >= heard && heard >= 20, "{sent} {heard}");
    let records = json(&serving, &["cdr", "list"]);
    assert_eq!((&records[0]["media"], &records[0]["media_rule"]), (&"relay".into(), &"G1".into()), "{records}");
    serving.ask(&["drain"]);
    assert_eq!(serving.wait(), Some(0));
    match replay(&std::fs::read(&file).unwrap(), None).unwrap() {
        Replay::Identical { inputs, .. } => assert!(inputs >= 80, "{inputs}"),
        other => panic!("{other:?}"),
    }
}
