//! The client's side: what the commands use.

use super::{Answer, Request};
use crate::state_dir;
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a running switch may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the switch that runs in this state directory.
///
/// # Errors
/// A text for the operator: none runs there, it does not answer, or it refuses.
pub fn ask_value(state_dir: &Path, request: &Request) -> Result<serde_json::Value, String> {
    let path = state_dir::admin_socket(state_dir);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut stream =
        UnixStream::connect(&path).map_err(|error| format!("no switch runs in {}: {error}", state_dir.display()))?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut line = serde_json::to_vec(request).map_err(|error| error.to_string())?;
    line.push(b'\n');
    stream.write_all(&line).map_err(failed)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(failed)?;
    match serde_json::from_str(&answer).map_err(|error| format!("{}: no answer: {error}", path.display()))? {
        Answer::Ok(value) => Ok(value),
        Answer::Error(text) => Err(text),
    }
}

/// As [`ask_value`], read into a type.
///
/// # Errors
/// As [`ask_value`], and where the answer is of another shape.
pub fn ask<T: DeserializeOwned>(state_dir: &Path, request: &Request) -> Result<T, String> {
    serde_json::from_value(ask_value(state_dir, request)?).map_err(|error| format!("unexpected answer: {error}"))
}
