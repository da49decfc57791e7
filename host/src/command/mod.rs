//! What each command does. An error is a text for stderr; the process then ends with 1.

mod act;
mod cdr;
mod config;
mod explain;
mod firewall;
mod ports;
mod run;
mod show;
mod table;

pub(crate) use act::{drain, hangup, reload};
pub(crate) use cdr::{cdr, show as show_record};
pub(crate) use config::{check, params};
pub(crate) use explain::explain;
pub(crate) use firewall::firewall;
pub(crate) use ports::ports;
pub(crate) use run::{random_password, run};
pub(crate) use show::{calls, registrations, status, trunks};

use crate::cli::{Drive, StateArgs};
use crate::config_file::ConfigFile;
use crate::state_dir;
use std::io::{self, Write};
use std::path::PathBuf;

type Done = Result<(), String>;

/// The state directory that the arguments name: themselves, else in the configuration, else the default one.
fn state_dir_of(args: &StateArgs) -> Result<PathBuf, String> {
    if let Some(dir) = &args.state_dir {
        return Ok(dir.clone());
    }
    let Some(path) = &args.config else { return Ok(state_dir::default_path()) };
    let config = ConfigFile::at(path.clone()).load()?;
    Ok(config.state_dir.clone().unwrap_or_else(state_dir::default_path))
}

/// Runs the demonstration.
pub(crate) fn demo(drive: Drive) -> Done {
    print(&crate::demo::run(drive)?)
}

/// Prints a result. A reader that has gone away (`| head`) is no failure.
fn print(text: &str) -> Done {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("stdout: {error}")),
        _ => Ok(()),
    }
}

fn print_json(value: &impl serde::Serialize) -> Done {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    print(&(text + "\n"))
}
