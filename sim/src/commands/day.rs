//! `day`: thousands of phones and a day of calls in one world.

use crosspoint_sim::day::{self, Day};
use std::process::ExitCode;
use std::time::Instant;

/// Plays a day of 24 virtual hours with many phones in one world; prints what it holds after each hour and the memory of
/// this process
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The world's seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Phones
    #[arg(long, default_value_t = 10_000)]
    phones: u32,
    /// Calls
    #[arg(long, default_value_t = 100_000)]
    calls: u64,
}

/// Carries it out.
pub(crate) fn run(Arguments { seed, phones, calls }: Arguments) -> ExitCode {
    let begun = Instant::now();
    println!("hour     calls  calls up  bindings  transactions  memory MiB  seconds");
    let world = day::run(&Day { seed, phones, calls }, |hour, world| {
        let status = world.status();
        println!(
            "{hour:>4} {:>9} {:>9} {:>9} {:>13} {:>11} {:>8.1}",
            status.counters["calls_started"],
            status.calls,
            status.bindings,
            status.transactions,
            resident_mib().map_or("?".to_owned(), |mib| mib.to_string()),
            begun.elapsed().as_secs_f64()
        );
    });
    let status = world.status();
    println!(
        "{} calls, {} answered, {} registrations in {:.1} s; digest {:016x}",
        status.counters["calls_started"],
        status.counters["calls_answered"],
        status.counters["registrations"],
        begun.elapsed().as_secs_f64(),
        world.digest()
    );
    let violations = world.found();
    for violation in &violations {
        println!("violated: {violation}");
    }
    println!(
        "holds {} calls, {} transactions, {} bindings: {}",
        status.calls,
        status.transactions,
        status.bindings,
        match violations.is_empty() {
            true => "clean",
            false => "not clean",
        }
    );
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What this process holds in memory; nothing where the system does not say it as Linux does.
fn resident_mib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
