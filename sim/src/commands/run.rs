//! `run`: one simulated world.

use super::Which;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs one simulated world; prints what it held, the digest of all commands, and any violated invariant
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Writes the recording of the switch's inputs there
    #[arg(long)]
    record: Option<PathBuf>,
}

/// Carries it out.
pub(crate) fn run(Arguments { which, record }: Arguments) -> ExitCode {
    let world = which.play();
    let status = world.status();
    println!("scenario {} seed {}: {} s of virtual time", which.scenario, which.seed, world.elapsed().as_secs());
    for (name, count) in status.counters.iter().filter(|(_, count)| **count > 0) {
        println!("{name:>20} {count}");
    }
    println!("holds {} calls, {} transactions, {} bindings", status.calls, status.transactions, status.bindings);
    println!("digest {:016x}", world.digest());
    let violations = world.violations();
    if let Some(path) = record
        && let Err(error) = std::fs::write(&path, world.into_recording())
    {
        eprintln!("{}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    for violation in &violations {
        println!("violated: {violation}");
    }
    if violations.is_empty() {
        return ExitCode::SUCCESS;
    }
    let Which { seed, calls, scenario } = &which;
    println!("again: crosspoint-sim run --seed {seed} --calls {calls} --scenario {scenario}");
    ExitCode::FAILURE
}
