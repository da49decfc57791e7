//! `ladder`: the messages of a simulated world.

use super::Which;
use std::process::ExitCode;

/// Prints the message ladder of a simulated world
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Only this call, by its flow number
    #[arg(long)]
    call: Option<u64>,
    /// Leaves the times out
    #[arg(long)]
    no_times: bool,
}

/// Carries it out.
pub(crate) fn run(Arguments { which, call, no_times }: Arguments) -> ExitCode {
    let world = which.play();
    let mut log = world.log();
    if let Some(number) = call {
        let Some(call_ids) = world.call_ids(number) else {
            eprintln!("there is no call {number} in this world");
            return ExitCode::FAILURE;
        };
        log = log.of_calls(&[&call_ids[0], &call_ids[1]]);
    }
    if no_times {
        log = log.without_times();
    }
    print!("{}", log.text(&format!("scenario {} seed {}", which.scenario, which.seed)));
    ExitCode::SUCCESS
}
