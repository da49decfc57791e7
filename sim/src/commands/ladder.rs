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
        let Some(of_call) = log.of_call(number) else {
            eprintln!("there is no call {number} in this world");
            return ExitCode::FAILURE;
        };
        log = of_call;
    }
    if no_times {
        log = log.without_times();
    }
    print!("{}", log.text(&format!("scenario {} seed {}", which.scenario, which.seed)));
    ExitCode::SUCCESS
}
