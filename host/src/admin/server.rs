//! The server's side: the thread that talks to clients.

use super::{Answer, Mail, Mailbox, REQUEST_BYTES, Request};
use crate::config_file::Loaded;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// How long a client may take to write its line, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves clients on a thread of its own until the process ends. `load` reads the configuration for `reload`. The caller
/// holds the state directory's lock, so a socket file in the way is a dead one.
///
/// # Errors
/// The system's.
pub fn serve<L>(path: &Path, mailbox: Mailbox, load: L) -> io::Result<()>
where
    L: Fn() -> Result<Loaded, String> + Send + 'static,
{
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    std::thread::Builder::new().name("admin".into()).spawn(move || {
        // One client after the other: each is an operator's command, and none may stay longer than its patience.
        for stream in listener.incoming().flatten() {
            if let Err(error) = converse(&stream, &mailbox, &load) {
                tracing::debug!("admin client: {error}");
            }
        }
    })?;
    Ok(())
}

fn converse(stream: &UnixStream, mailbox: &Mailbox, load: &impl Fn() -> Result<Loaded, String>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = Vec::new();
    BufReader::new(stream.take(REQUEST_BYTES)).read_until(b'\n', &mut line)?;
    mailbox.owing(|| {
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => put(request, mailbox, load),
            Err(error) => Answer::Error(format!("no request: {error}")),
        };
        let mut bytes = serde_json::to_vec(&answer)?;
        bytes.push(b'\n');
        let mut stream = stream;
        stream.write_all(&bytes)
    })
}

fn put(request: Request, mailbox: &Mailbox, load: &impl Fn() -> Result<Loaded, String>) -> Answer {
    let (reply, answer) = mpsc::sync_channel(1);
    mailbox.post(match request {
        Request::Reload => Mail::Config(load(), Some(reply)),
        other => Mail::Ask(other, reply),
    });
    answer.recv_timeout(PATIENCE).unwrap_or_else(|_| Answer::Error("the switch does not answer".to_owned()))
}
