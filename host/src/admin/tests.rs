use super::*;
use crate::config_file::Loaded;
use crosspoint_core::config::Config;
use crosspoint_core::media::tone::Sounds;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A socket served by a loop that answers every question with the question itself.
fn serving(load: fn() -> Result<Loaded, String>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (mailbox, mut inbox) = mailbox().unwrap();
    serve(&crate::state_dir::admin_socket(dir.path()), mailbox, load).unwrap();
    std::thread::spawn(move || {
        loop {
            let (answer, reply) = match inbox.wait() {
                Mail::Ask(Request::Hangup { call: 0 }, reply) => (Answer::Error("no call 0".into()), reply),
                Mail::Ask(request, reply) => (Answer::Ok(serde_json::to_value(&request).unwrap()), reply),
                Mail::Config(outcome, Some(reply)) => (
                    outcome.map_or_else(Answer::Error, |loaded| Answer::Ok(loaded.config.domain.clone().into())),
                    reply,
                ),
                Mail::Config(_, None) => continue,
            };
            reply.send(answer).unwrap();
        }
    });
    dir
}

impl Inbox {
    /// The next letter, waited for as an event loop does: on the descriptor.
    fn wait(&mut self) -> Mail {
        loop {
            if let Some(mail) = self.take() {
                return mail;
            }
            let mut fds = [nix::poll::PollFd::new(std::os::fd::AsFd::as_fd(self), nix::poll::PollFlags::POLLIN)];
            nix::poll::poll(&mut fds, nix::poll::PollTimeout::NONE).unwrap();
        }
    }
}

fn embedded() -> Result<Loaded, String> {
    Ok(Loaded { config: Arc::new(Config::embedded("x")), sounds: Sounds::default() })
}

fn raw(dir: &Path, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(crate::state_dir::admin_socket(dir)).unwrap();
    stream.write_all(line).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn each_request_is_one_line_and_comes_back_answered() {
    let dir = serving(embedded);
    for request in [
        Request::Status,
        Request::Calls { limit: 7 },
        Request::Registrations { after: Some(u64::MAX), limit: 1 },
        Request::Hangup { call: 9 },
        Request::Drain,
    ] {
        assert_eq!(ask::<Request>(dir.path(), &request), Ok(request));
    }
    assert_eq!(ask_value(dir.path(), &Request::Hangup { call: 0 }), Err("no call 0".to_owned()));
    assert_eq!(raw(dir.path(), b"{\"do\":\"status\"}\n"), "{\"ok\":{\"do\":\"status\"}}\n");
}

#[test]
fn a_reload_brings_the_configuration_along() {
    assert_eq!(ask_value(serving(embedded).path(), &Request::Reload), Ok("localhost".into()));
    let broken = serving(|| Err("1:1: error".to_owned()));
    assert_eq!(ask_value(broken.path(), &Request::Reload), Err("1:1: error".to_owned()));
}

#[test]
fn what_is_no_request_is_answered_with_the_reason() {
    let dir = serving(embedded);
    for line in [&b"\n"[..], b"status\n", b"{\"do\":\"fly\"}\n", &[&[b'['; 4000][..], b"\n"].concat()] {
        let answer = raw(dir.path(), line);
        assert!(answer.starts_with("{\"error\":\"no request: "), "{answer}");
    }
    assert!(ask_value(dir.path(), &Request::Status).is_ok(), "and the next client is served");
}

#[test]
fn a_dead_socket_file_is_replaced_and_only_its_user_may_connect() {
    let dir = tempfile::tempdir().unwrap();
    let path = crate::state_dir::admin_socket(dir.path());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(ask_value(dir.path(), &Request::Status).unwrap_err().starts_with("no switch runs in"));
    let (mailbox, _inbox) = mailbox().unwrap();
    serve(&path, mailbox, embedded).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
