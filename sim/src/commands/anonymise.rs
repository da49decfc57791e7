//! `anonymise`: a recording that can be given away.

use crosspoint_core::rng::Seed;
use crosspoint_sim::anonymise::anonymise;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes a recording with other numbers, names, addresses, secrets and texts, in which the switch does the same
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The recording
    input: PathBuf,
    /// Where the other one is written; it must not be there yet
    output: PathBuf,
    /// Chooses what is replaced by what. Who knows it can undo it: for tests only. Without it the system's chance does
    #[arg(long)]
    seed: Option<u64>,
    /// The number of the seed of a simulated switch whose log has no end
    #[arg(long)]
    switch_seed: Option<u64>,
}

/// Carries it out.
pub(crate) fn run(Arguments { input, output, seed, switch_seed }: Arguments) -> ExitCode {
    let work = || -> Result<usize, String> {
        let log = std::fs::read(&input).map_err(|error| format!("{}: {error}", input.display()))?;
        let key = seed.map_or_else(system_seed, |number| Ok(Seed::from_number(number)))?;
        let new = anonymise(&log, key, switch_seed.map(Seed::from_number))
            .map_err(|failure| format!("{}: {failure}", input.display()))?;
        write(&output, &new).map_err(|error| format!("{}: {error}", output.display()))?;
        Ok(new.len())
    };
    match work() {
        Ok(bytes) => {
            println!("{}: {bytes} bytes, replays as the recording did", output.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// As recordings are written: for the owner alone.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

fn system_seed() -> Result<Seed, String> {
    let mut seed = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut seed));
    read.map_err(|error| format!("/dev/urandom: {error}"))?;
    Ok(Seed(seed))
}
