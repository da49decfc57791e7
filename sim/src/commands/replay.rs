//! `replay`: a recorded input log, played into the core again.

use crosspoint_core::record::{Replay, replay};
use std::path::PathBuf;
use std::process::ExitCode;

/// Feeds a recorded input log to the core; says `identical` with the digest, or shows the first divergence
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The log
    file: PathBuf,
}

/// Carries it out.
pub(crate) fn run(Arguments { file }: Arguments) -> ExitCode {
    let found = std::fs::read(&file).map_err(|error| error.to_string());
    match found.and_then(|log| replay(&log, None).map_err(|error| error.to_string())) {
        Ok(Replay::Identical { inputs, digest }) => {
            println!("identical: {inputs} inputs, digest {digest:016x}");
            ExitCode::SUCCESS
        }
        Ok(Replay::Diverged { after_input, before_input, recorded, replayed }) => {
            println!(
                "diverged between inputs {after_input} and {before_input}: recorded {recorded:016x}, replayed \
                 {replayed:016x}"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
