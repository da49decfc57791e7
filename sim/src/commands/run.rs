//! `run`: one simulated world.

use super::Which;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs one simulated world; prints what it held, the digest of all commands, and any violated invariant
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Prints the scenario as TOML instead, to be kept or changed by hand
    #[arg(long)]
    show: bool,
    /// Writes the recording of the switch's inputs there
    #[arg(long)]
    record: Option<PathBuf>,
}

/// Carries it out.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match carry_out(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all was well.
fn carry_out(Arguments { which, show, record }: &Arguments) -> Result<bool, String> {
    let drawn = which.drawn()?;
    if *show {
        print!("{}", drawn.ok_or("this scenario is played by hand: it has no TOML")?.to_toml());
        return Ok(true);
    }
    let world = which.play()?;
    println!("{which}: {} s of virtual time", world.elapsed().as_secs());
    if let Some(scenario) = &drawn {
        println!("{} phones, {} operations; options: {}", scenario.phones.len(), scenario.ops.len(), scenario.options);
    }
    let status = world.status();
    for (name, count) in status.counters.iter().filter(|(_, count)| **count > 0) {
        println!("{name:>20} {count}");
    }
    println!("holds {} calls, {} transactions, {} bindings", status.calls, status.transactions, status.bindings);
    println!("digest {:016x}", world.digest());
    let violations = world.found();
    if let Some(path) = record {
        std::fs::write(path, world.into_recording()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for violation in &violations {
        println!("violated: {violation}");
    }
    if !violations.is_empty() {
        println!("again: crosspoint-sim run {which}\nits ladder: crosspoint-sim ladder {which}");
    }
    Ok(violations.is_empty())
}
