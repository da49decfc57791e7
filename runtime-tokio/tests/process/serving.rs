//! The real binary, started and asked.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_crosspoint-tokio");

pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(BINARY).args(args).output().unwrap()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

pub(crate) fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A serving switch on a free port.
pub(crate) struct Serving {
    child: Option<Child>,
    dir: Option<tempfile::TempDir>,
    pub(crate) address: String,
}

pub(crate) const CONFIG: &str = "[switch]\ndomain = \"example.net\"\n\n[[listen]]\ntransport = \"udp\"\nbind = \"127.0.0.1:0\"\n\n\
                      [[phone]]\nuser = \"1001\"\npassword = \"secret\"\n";

impl Serving {
    /// Starts one in a directory of its own and waits until it is ready.
    pub(crate) fn new(config: &str) -> Serving {
        Serving::again(tempfile::tempdir().unwrap(), config)
    }

    /// Starts one in the directory of an earlier one.
    pub(crate) fn again(dir: tempfile::TempDir, config: &str) -> Serving {
        Serving::with(dir, config, &[])
    }

    /// Starts one under limits that the shell's `ulimit` sets.
    pub(crate) fn limited(config: &str, ulimit: &str) -> Serving {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit {ulimit}; exec \"$0\" \"$@\""), BINARY]);
        Serving::start(shell, tempfile::tempdir().unwrap(), config, &[])
    }

    /// Starts one with more arguments.
    pub(crate) fn with(dir: tempfile::TempDir, config: &str, arguments: &[&str]) -> Serving {
        Serving::start(Command::new(BINARY), dir, config, arguments)
    }

    fn start(mut program: Command, dir: tempfile::TempDir, config: &str, arguments: &[&str]) -> Serving {
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let mut child = program
            .args(["run", "--config"])
            .arg(dir.path().join("config.toml"))
            .arg("--state-dir")
            .arg(dir.path().join("state"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut address = String::new();
        for line in lines {
            if let Some(listening) = line.strip_prefix("listening on udp ") {
                address = listening.to_owned();
            }
            if line == "ready" {
                return Serving { child: Some(child), dir: Some(dir), address };
            }
        }
        let output = child.wait_with_output().unwrap();
        panic!("it never was ready: {}", stderr(&output));
    }

    /// Kills it as `kill -9` does and gives its directory.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        self.dir.take().unwrap()
    }

    /// Files that it has open.
    pub(crate) fn open_files(&self) -> usize {
        let fds = format!("/proc/{}/fd", self.child.as_ref().unwrap().id());
        std::fs::read_dir(fds).unwrap().count()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.as_ref().unwrap().path()
    }

    pub(crate) fn state_dir(&self) -> std::path::PathBuf {
        self.dir().join("state")
    }

    pub(crate) fn ask(&self, command: &[&str]) -> Output {
        let state_dir = self.state_dir();
        let mut args = command.to_vec();
        args.extend(["--state-dir", state_dir.to_str().unwrap()]);
        run(&args)
    }

    /// Asks for the status until a figure in it is as wanted.
    pub(crate) fn until_status(&self, name: &str, wanted: impl Into<serde_json::Value>) {
        let (wanted, until) = (wanted.into(), Instant::now() + Duration::from_secs(10));
        loop {
            let output = self.ask(&["status", "--json"]);
            let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            if status[name] == wanted {
                return;
            }
            assert!(Instant::now() < until, "{name} is {} and not {wanted}", status[name]);
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(
            Command::new("kill")
                .args([name, &self.child.as_ref().unwrap().id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end and gives the exit code.
    pub(crate) fn wait(self) -> Option<i32> {
        self.wait_and_keep().1
    }

    /// Waits for the end and gives the directory too.
    pub(crate) fn wait_and_keep(mut self) -> (tempfile::TempDir, Option<i32>) {
        let until = Instant::now() + Duration::from_secs(10);
        let mut child = self.child.take().unwrap();
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > until {
                child.kill().unwrap();
                panic!("it did not end");
            }
            std::thread::yield_now();
        }
        (self.dir.take().unwrap(), child.wait().unwrap().code())
    }
}

/// A test that fails leaves no process behind.
impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
