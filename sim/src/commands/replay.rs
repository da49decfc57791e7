//! `replay`: a recorded input log, played into the core again.

use crosspoint_core::rng::Seed;
use crosspoint_sim::replay;
use std::path::PathBuf;
use std::process::ExitCode;

/// Feeds a recorded input log to the core; says `identical` with the digest, or shows the ladder around the first input
/// after which the core does something else
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The log
    file: PathBuf,
    /// The number of the seed of a simulated switch whose log has no end
    #[arg(long)]
    seed: Option<u64>,
}

/// Carries it out.
pub(crate) fn run(Arguments { file, seed }: Arguments) -> ExitCode {
    let found = std::fs::read(&file).map_err(|error| error.to_string());
    let seed = seed.map(Seed::from_number);
    match found.and_then(|log| replay::report(&log, seed).map_err(|error| error.to_string())) {
        Ok(report) => {
            print!("{}", report.text);
            if report.is_identical { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
