//! `ports`: calls without pause over ports that are hard to get.

use crosspoint_sim::churn::{self, Churn};
use std::process::ExitCode;
use std::time::Instant;

/// Sets up and tears down relayed calls while media ports are refused, late, lost or another process's and media threads
/// stand still; no port may be lost, and no packet go astray
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The world's seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Calls
    #[arg(long, default_value_t = 200_000)]
    calls: u64,
}

/// Carries it out.
pub(crate) fn run(Arguments { seed, calls }: Arguments) -> ExitCode {
    let begun = Instant::now();
    let world = churn::run(&Churn { seed, calls }, |number, world| {
        if number * 10 / calls > (number - calls.div_ceil(1000).min(number)) * 10 / calls {
            let (status, ports) = (world.status(), world.relays().ports());
            println!(
                "{number:>8} calls, {} up, {} sessions, {} warm, {} overdue, {:.1} s",
                status.calls,
                world.relays().sessions(),
                ports.warm(),
                ports.overdue(),
                begun.elapsed().as_secs_f64()
            );
        }
    });
    let (status, tally) = (world.status(), world.relays().ports().tally());
    println!(
        "{} calls, {} answered; {} leases granted, {} of them at once, {} refused, {} ports in use by others, {} replies lost, \
         in {:.1} s; digest {:016x}",
        status.counters["calls_started"],
        status.counters["calls_answered"],
        tally.granted,
        tally.from_stock,
        tally.refused,
        tally.in_use,
        world.lost_replies(),
        begun.elapsed().as_secs_f64(),
        world.digest()
    );
    let violations = world.found();
    violations.iter().for_each(|violation| println!("violated: {violation}"));
    println!("{}", if violations.is_empty() { "clean: no port lost, no packet astray" } else { "not clean" });
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
