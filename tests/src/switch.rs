//! A running Crosspoint server.

use crate::ports::free_udp_port;
use crate::process::{Process, until};
use crate::site::Site;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The digest realm and domain of every switch here.
pub const DOMAIN: &str = "interop.test";
/// The password of every phone here.
pub const PASSWORD: &str = "secret";

/// A server with phones u00000 to u09999 on a port of its own.
pub struct Switch {
    program: PathBuf,
    process: Process,
    state: PathBuf,
    events: PathBuf,
    recording: PathBuf,
    site: Site,
    /// Where it takes SIP.
    pub port: u16,
}

impl Switch {
    /// Starts one with its files in `folder`.
    ///
    /// # Panics
    /// When it is not ready after ten seconds.
    pub fn start(folder: &Path) -> Switch {
        Switch::start_with(folder, "")
    }

    /// Starts one whose configuration also has these lines: tables such as `[parameters]` and `[[gateway]]`.
    ///
    /// # Panics
    /// When it is not ready after ten seconds.
    pub fn start_with(folder: &Path, also: &str) -> Switch {
        Switch::start_at(&Site::LOOPBACK, free_udp_port(), folder, also)
    }

    /// Starts one there, listening to this port.
    ///
    /// # Panics
    /// When it is not ready after ten seconds.
    pub fn start_at(site: &Site, port: u16, folder: &Path, also: &str) -> Switch {
        let [state, events, recording] = ["state", "events.jsonl", "recording"].map(|name| folder.join(name));
        let config = folder.join("crosspoint.toml");
        let text = format!(
            "[switch]\ndomain = \"{DOMAIN}\"\nevent_log = \"{}\"\n\n[[listen]]\ntransport = \"udp\"\nbind = \"{}\"\n\n\
             [[phone]]\nusers = \"u00000..u09999\"\npassword = \"{PASSWORD}\"\n\n{also}",
            events.display(),
            SocketAddr::new(site.address, port),
        );
        std::fs::write(&config, text).expect("the test's folder can be written");
        let program = program();
        let mut command = site.command(&program);
        command.arg("run").arg("--config").arg(&config).arg("--state-dir").arg(&state).arg("--record").arg(&recording);
        let mut process = Process::start(&mut command, &folder.join("crosspoint.log"));
        process.wait_for("ready", Duration::from_secs(10));
        Switch { program, process, state, events, recording, site: site.clone(), port }
    }

    /// Where it takes SIP.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.site.address, self.port)
    }

    /// What `status --json` prints.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn status(&self) -> String {
        self.ask("status")
    }

    /// What a command such as `calls`, with its arguments, prints with `--json`.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn ask(&self, what: &str) -> String {
        let mut command = Command::new(&self.program);
        let output = command.args(what.split(' ')).arg("--json").arg("--state-dir").arg(&self.state).output();
        let output = output.expect("the server's program can be run");
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Its ports for the two legs of the call that it relays: the caller's, the callee's.
    ///
    /// # Panics
    /// When there are no two after ten seconds.
    pub fn relay_ports(&self) -> [u16; 2] {
        let held = || {
            let ports: Value = serde_json::from_str(&self.ask("ports")).expect("`ports --json` prints JSON");
            let leases = ports["leases"].as_array().into_iter().flatten();
            let held: Vec<_> = leases.filter(|lease| lease["state"] == "held").cloned().collect();
            let of = |party: &str| {
                let lease = held.iter().find(|lease| lease["party"] == party)?;
                u16::try_from(lease["port"].as_u64()?).ok()
            };
            Some([of("caller")?, of("callee")?])
        };
        until(Duration::from_secs(10), held).unwrap_or_else(|| panic!("no call is relayed: {}", self.ask("ports")))
    }

    /// How many media packets it has dropped for this reason.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn dropped(&self, reason: &str) -> u64 {
        let status: Value = serde_json::from_str(&self.status()).expect("`status --json` prints JSON");
        let shards = status["process"]["media_shards"].as_array().into_iter().flatten();
        shards.filter_map(|shard| shard["dropped"][reason].as_u64()).sum()
    }

    /// The lines of its event log.
    pub fn events(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.events).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The call detail records written, each as its columns by name, in the order the calls began. The server must have been stopped.
    ///
    /// # Panics
    /// When a file of them cannot be read.
    pub fn records(&self) -> Vec<BTreeMap<String, String>> {
        let mut records = Vec::new();
        let entries = std::fs::read_dir(self.state.join("cdr")).into_iter().flatten();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "csv")) {
            let text = std::fs::read_to_string(path).expect("a CDR file is text");
            let mut lines = text.lines().map(|line| line.split('|').map(str::to_owned));
            let Some(names) = lines.next() else { continue };
            let names: Vec<String> = names.collect();
            records.extend(lines.map(|values| names.iter().cloned().zip(values).collect::<BTreeMap<_, _>>()));
        }
        records.sort_by(|one, other| one.get("flow_no").cmp(&other.get("flow_no")));
        records
    }

    /// Waits until `status --json` says 0 for each of these names.
    ///
    /// # Panics
    /// When it does not within `most`.
    pub fn wait_for_zero(&self, names: &[&str], most: Duration) {
        let zero = |status: &String| names.iter().all(|name| number(status, name) == Some(0));
        let settled = until(most, || Some(self.status()).filter(zero));
        assert!(settled.is_some(), "not all of {names:?} went to zero:\n{}", self.status());
    }

    /// Waits until `status --json` says at least this for the name.
    ///
    /// # Panics
    /// When it does not within 20 seconds.
    pub fn wait_for(&self, name: &str, least: u64) {
        let reached = until(Duration::from_secs(20), || number(&self.status(), name).filter(|count| *count >= least));
        assert!(reached.is_some(), "{name} did not reach {least}:\n{}", self.status());
    }

    /// The recording of everything that went into it. The server must have been stopped.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn recording(&self) -> Vec<u8> {
        std::fs::read(&self.recording).expect("the server wrote its recording")
    }

    /// Stops it as an operator does, and wants exit code 0.
    ///
    /// # Panics
    /// When it ends otherwise or not at all.
    pub fn stop(&mut self) {
        let status = self.process.stop(Duration::from_secs(10));
        assert!(status.success(), "{status}:\n{}", self.process.output());
    }
}

/// `CROSSPOINT_BIN`, else `crosspoint-tokio` in the target folder that this test was built in.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("CROSSPOINT_BIN") {
        return program.into();
    }
    let test = std::env::current_exe().expect("a test knows its own path");
    let program = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST").join("crosspoint-tokio");
    assert!(program.is_file(), "build the server first: cargo build --bin crosspoint-tokio, or set CROSSPOINT_BIN");
    program
}

/// The number behind `"name":` in a JSON text.
fn number(json: &str, name: &str) -> Option<u64> {
    let (_, rest) = json.split_once(&format!("\"{name}\":"))?;
    let rest = rest.trim_start();
    rest[..rest.find(|character: char| !character.is_ascii_digit())?].parse().ok()
}
