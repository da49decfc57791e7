//! A program that runs while a test needs it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a waiting test looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A child process whose output goes to a file. It is killed, by its id, when this is dropped.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its output in `log`.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Process {
        Process::spawn(command.stdin(Stdio::null()), log)
    }

    /// The same for a program that takes commands on its standard input.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start_commanded(command: &mut Command, log: &Path) -> Process {
        Process::spawn(command.stdin(Stdio::piped()), log)
    }

    fn spawn(command: &mut Command, log: &Path) -> Process {
        let output = File::create(log).expect("the test's folder can be written");
        let errors = output.try_clone().expect("a file can be opened twice");
        let child = command.stdout(output).stderr(errors).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        Process { input: child.stdin.take(), child, log: log.to_owned() }
    }

    /// Gives it one line of input.
    ///
    /// # Panics
    /// When it takes none, or has ended.
    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it was started to take commands");
        // in one piece: some programs read a line with one call
        let said = input.write_all(format!("{line}\n").as_bytes());
        assert!(said.is_ok(), "takes no command `{line}`:\n{}", self.output());
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it has not ended after `most`; says what it has printed.
    pub fn wait(&mut self, most: Duration) -> ExitStatus {
        let ended = until(most, || self.child.try_wait().expect("it is our child"));
        ended.unwrap_or_else(|| panic!("runs for more than {most:?}:\n{}", self.output()))
    }

    /// Asks it to end (SIGTERM) and waits for that.
    ///
    /// # Panics
    /// When it has not ended after `most`.
    pub fn stop(&mut self, most: Duration) -> ExitStatus {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.is_ok_and(|status| status.success()), "process {id} takes no signal:\n{}", self.output());
        self.wait(most)
    }

    /// Waits until it has printed `text`.
    ///
    /// # Panics
    /// When it ends first, or has not after `most`.
    pub fn wait_for(&mut self, text: &str, most: Duration) {
        let seen = until(most, || {
            let ended = self.child.try_wait().expect("it is our child").is_some();
            if self.output().contains(text) { Some(true) } else { ended.then_some(false) }
        });
        assert!(seen == Some(true), "`{text}` was not printed:\n{}", self.output());
    }

    /// What it has printed.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // an error says that it has ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until `found` finds something, for at most `most`.
pub fn until<T>(most: Duration, mut found: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(value) = found() {
            return Some(value);
        }
        if begun.elapsed() > most {
            return None;
        }
        sleep(LOOK_EVERY);
    }
}

/// Whether every one of these programs is on this machine. Where one is not: said on standard error, and a failure
/// where `CI` is `true`.
///
/// # Panics
/// In CI, where a program is missing.
pub fn installed(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !there(program)).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI runs with real peers; not installed: {missing:?}");
    eprintln!("passed over, not installed: {}", missing.join(", "));
    false
}
