//! SIPp registers phones and calls them, everything with digest.

use crate::{folder, turn};
use crosspoint_tests::ports::{free_udp_port, wait_until_bound};
use crosspoint_tests::process::{Process, installed};
use crosspoint_tests::switch::{PASSWORD, Switch};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Phones that register and call each other.
const PHONES: usize = 200;
/// Calls in all.
const CALLS: usize = 2_000;
/// Calls begun each second.
const CALLS_PER_SECOND: usize = 200;

/// One SIPp with its statistics.
struct Sipp {
    process: Process,
    statistics: PathBuf,
}

impl Sipp {
    fn start(folder: &Path, scenario: &str, switch: &Switch, port: u16, arguments: &[&str]) -> Sipp {
        let own = |ending: &str| folder.join(format!("{scenario}{ending}"));
        let scenario_file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("interop/scenarios/{scenario}.xml"));
        let mut command = Command::new("sipp");
        command.current_dir(folder).arg(format!("127.0.0.1:{}", switch.port)).arg("-sf").arg(scenario_file);
        command.args(["-i", "127.0.0.1", "-t", "u1", "-nostdin", "-skip_rlimit", "-buff_size", "4194304"]);
        command.args(["-p", &port.to_string(), "-recv_timeout", "20000", "-trace_stat", "-fd", "1", "-stf"]);
        command.arg(own(".csv")).arg("-trace_err").arg("-error_file").arg(own(".err")).args(arguments);
        Sipp { process: Process::start(command.env("TERM", "dumb"), &own(".log")), statistics: own(".csv") }
    }

    /// The last value of a column of its statistics.
    fn count(&self, column: &str) -> usize {
        let text = std::fs::read_to_string(&self.statistics).unwrap_or_default();
        let mut rows = text.lines().map(|line| line.split(';'));
        let at = rows.next().and_then(|mut names| names.position(|name| name == column));
        let last = rows.next_back().and_then(|mut row| row.nth(at?));
        last.and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    /// Waits for its end and wants every call to have gone exactly as its scenario says.
    fn wait_for_success(&mut self, calls: usize) {
        let status = self.process.wait(Duration::from_secs(60));
        let errors = std::fs::read_to_string(self.statistics.with_extension("err")).unwrap_or_default();
        // some of its messages end without a line end, so lines do not bound what is printed
        let first: String = errors.chars().take(4_000).collect();
        assert!(status.success(), "{status}\n{first}");
        assert_eq!((self.count("SuccessfulCall(C)"), self.count("FailedCall(C)")), (calls, 0), "{first}");
    }
}

/// Which phone calls which, with the caller's credentials, as the scenarios read them.
fn injected(folder: &Path, name: &str, columns: impl Fn(&str, &str) -> String) -> String {
    let mut lines = "SEQUENTIAL\n".to_owned();
    for n in 0..PHONES {
        let user = format!("u{n:05}");
        let credentials = format!("[authentication username={user} password={PASSWORD}]");
        writeln!(lines, "{}", columns(&user, &credentials)).expect("a String takes all");
    }
    let path = folder.join(name);
    std::fs::write(&path, lines).expect("the test's folder can be written");
    path.display().to_string()
}

#[test]
fn two_thousand_authenticated_calls_and_not_one_fails() {
    let _turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let folder = folder("sipp");
    let mut switch = Switch::start(&folder);
    let callee_port = free_udp_port();
    let phones = injected(&folder, "phones.csv", |user, credentials| format!("{user};{credentials}"));
    let (callee, every) = (callee_port.to_string(), PHONES.to_string());
    let arguments = ["-key", "contact_port", &callee, "-inf", &phones, "-r", "200", "-m", &every, "-l", "500"];
    Sipp::start(&folder, "register", &switch, free_udp_port(), &arguments).wait_for_success(PHONES);

    let (rate, most) = (CALLS_PER_SECOND.to_string(), CALLS.to_string());
    let mut callee = Sipp::start(&folder, "callee", &switch, callee_port, &["-m", &most]);
    wait_until_bound(callee_port);
    let calls = injected(&folder, "calls.csv", |user, credentials| {
        let n: usize = user[1..].parse().expect("u and digits");
        format!("{user};{credentials};u{:05}", (n * 7 + 13) % PHONES)
    });
    let arguments = ["-inf", &calls, "-r", &rate, "-m", &most, "-l", "2000", "-d", "100"];
    let mut caller = Sipp::start(&folder, "caller", &switch, free_udp_port(), &arguments);
    caller.wait_for_success(CALLS);
    callee.wait_for_success(CALLS);

    // a call's transactions and timers outlive it by at most 64*T1 = 32 s (RFC 3261 §17)
    switch.wait_for_zero(&["calls", "transactions"], Duration::from_secs(45));
    switch.stop();
    assert_eq!(switch.records().len(), CALLS, "one CDR for each call");
}
