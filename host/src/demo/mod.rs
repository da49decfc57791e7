//! `demo`: a switch and two phones on this machine's loopback, one call between them, and the proof of it.
//!
//! The phones are those of the simulator, which share no SIP code with the switch; here real sockets carry them.

mod phones;

use crate::cli::Drive;
use crate::config_file::ConfigFile;
use crate::server::{Options, Server, Started};
use crate::{admin, cdr, command, state_dir};
use crosspoint_core::cdr::{CallRecord, EndReason};
use crosspoint_core::config::{Config, Listen};
use crosspoint_core::media::tone::Sounds;
use phones::{Outcome, Phones};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

const EVENTS: &str = "events.jsonl";

/// Runs the demonstration and gives its report.
///
/// # Errors
/// The report so far and what is missing in it.
pub(crate) fn run(drive: Drive) -> Result<String, String> {
    let root = std::env::temp_dir().join(format!("crosspoint-demo-{}", std::process::id()));
    let done = run_in(&root, drive);
    let _ = fs::remove_dir_all(&root);
    done
}

fn run_in(root: &Path, drive: Drive) -> Result<String, String> {
    let password = command::random_password()?;
    let (address, switch) = start_switch(root.to_owned(), &password, drive)?;
    let outcome = Phones::bind(address, &password).and_then(Phones::talk);
    let drained = admin::ask_value(root, &admin::Request::Drain).map(|_| ());
    let ended = switch.join().map_err(|_| "the switch died".to_owned())?;
    let outcome = outcome?;
    drained.and(ended)?;
    report(root, address, &outcome)
}

/// Starts the switch on a free port, on a thread of its own; it ends after a drain.
fn start_switch(
    root: PathBuf,
    password: &str,
    drive: Drive,
) -> Result<(SocketAddr, JoinHandle<Result<(), String>>), String> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config =
        Config { listen: vec![Listen::udp(anywhere)], event_log: Some(EVENTS.into()), ..Config::embedded(password) };
    let (sender, started) = mpsc::channel();
    let switch = std::thread::spawn(move || {
        let options = Options {
            config,
            sounds: Sounds::default(),
            config_file: ConfigFile::embedded(),
            state_dir: root,
            record: None,
        };
        let Started { server, listening } = Server::start(options)?;
        let ready = move || {
            // Whoever waits for the address waits until it comes or this thread ends.
            let _ = sender.send(listening);
            Ok(())
        };
        drive(server, Box::new(ready)).map_err(|error| error.to_string())
    });
    match started.recv().ok().and_then(|listening| listening.first().copied()) {
        Some(address) => Ok((address, switch)),
        None => match switch.join() {
            Ok(Err(text)) => Err(text),
            _ => Err("the switch did not start".to_owned()),
        },
    }
}

/// The report, once everything in it is as it must be.
fn report(root: &Path, address: SocketAddr, outcome: &Outcome) -> Result<String, String> {
    let mut text = outcome.ladder.text(&format!("two phones and a switch on udp {address}, domain localhost"));
    let [caller, callee] = outcome.audio;
    let decision = media_decision(root);
    text.push_str(&format!("\nmedia decision: {}\n", decision.as_deref().unwrap_or("none")));
    let record = only_record(root);
    if let Some(record) = &record {
        text.push_str(&format!("\ncall detail record:\n{}", command::show_record(record)?));
    }
    let mut missing = outcome.missing.clone();
    if caller.received == 0 || callee.received == 0 {
        missing.push("a phone heard nothing".to_owned());
    }
    if decision.is_none() {
        missing.push("no media decision was logged".to_owned());
    }
    if !record.is_some_and(|record| record.end_reason == EndReason::Normal && record.answer_ms.is_some()) {
        missing.push("no record of an answered call that ended normally".to_owned());
    }
    if missing.is_empty() { Ok(text) } else { Err(format!("{text}\nnot all of it happened: {}", missing.join("; "))) }
}

/// Rule, result and reason of the media decision, from the event log.
fn media_decision(root: &Path) -> Option<String> {
    let log = fs::read_to_string(root.join(EVENTS)).ok()?;
    let mut events = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let event = events.find(|event| event["event"] == "media.decided")?;
    let field = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    Some(format!("{} by rule {}: {}", field("result"), field("rule"), field("facts")))
}

/// The record of the one call, from the record file.
fn only_record(root: &Path) -> Option<CallRecord> {
    let files = cdr::files(&state_dir::dirs(root).cdr).ok()?;
    let mut records = files.iter().filter_map(|path| cdr::read(path).ok()).flatten();
    records.next().filter(|_| records.next().is_none())
}
