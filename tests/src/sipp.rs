//! SIPp playing a scenario.

use crate::process::Process;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// One SIPp with its statistics.
pub struct Sipp {
    process: Process,
    statistics: PathBuf,
}

impl Sipp {
    /// Starts one that plays `scenario` from this port against `remote`, both on 127.0.0.1, with its files in `folder`.
    ///
    /// # Panics
    /// When SIPp cannot be started.
    pub fn start(folder: &Path, scenario: &Path, remote: u16, port: u16, arguments: &[&str]) -> Sipp {
        let name = scenario.file_stem().expect("a scenario is a file").to_string_lossy();
        let own = |ending: &str| folder.join(format!("{name}{ending}"));
        let mut command = Command::new("sipp");
        command.current_dir(folder).arg(format!("127.0.0.1:{remote}")).arg("-sf").arg(scenario);
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
    ///
    /// # Panics
    /// When one has not.
    pub fn wait_for_success(&mut self, calls: usize) {
        let status = self.process.wait(Duration::from_secs(60));
        let errors = std::fs::read_to_string(self.statistics.with_extension("err")).unwrap_or_default();
        // some of its messages end without a line end, so lines do not bound what is printed
        let first: String = errors.chars().take(4_000).collect();
        let name = self.statistics.display();
        assert!(status.success(), "{name}: {status}\n{first}");
        let counts = (self.count("SuccessfulCall(C)"), self.count("FailedCall(C)"));
        assert_eq!(counts, (calls, 0), "{name}:\n{first}");
    }
}
