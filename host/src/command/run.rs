//! `run`: serve until told to stop.

use super::{Done, print};
use crate::cli::{Drive, RunArgs};
use crate::config_file::{ConfigFile, Loaded};
use crate::server::{Options, Server, Started};
use crate::{open_files, state_dir};
use crosspoint_core::media::tone::Sounds;
use crosspoint_core::params;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

pub(crate) fn run(args: RunArgs, drive: Drive) -> Done {
    let (Loaded { config, sounds }, config_file) = match args.config {
        Some(path) => {
            let file = ConfigFile::at(path);
            (file.load_all()?, file)
        }
        None => {
            let password = random_password()?;
            print(&format!("no configuration: phones 1001 to 1010 of domain localhost, password {password}\n"))?;
            let config = Arc::new(crosspoint_core::config::Config::embedded(&password));
            if let Some(remark) = params::open_files(&config.parameters, open_files::most()) {
                tracing::warn!("{}", remark.text);
            }
            (Loaded { config, sounds: Sounds::default() }, ConfigFile::embedded())
        }
    };
    let state_dir = args.state_dir.or_else(|| config.state_dir.clone()).unwrap_or_else(state_dir::default_path);
    let shown = state_dir.display().to_string();
    let config = Arc::unwrap_or_clone(config);
    let Started { server, listening } =
        Server::start(Options { config, sounds, config_file, state_dir, record: args.record })?;
    let mut text: String = listening.iter().map(|address| format!("listening on udp {address}\n")).collect();
    text.push_str(&format!("state in {shown}\nready\n"));
    drive(server, Box::new(move || print(&text).map_err(io::Error::other))).map_err(|error| error.to_string())
}

/// Sixteen letters and digits from the operating system.
pub(crate) fn random_password() -> Result<String, String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|error| format!("/dev/urandom: {error}"))?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}
