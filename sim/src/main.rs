//! `crosspoint-sim`: simulated worlds, replays and ladders from the command line.

mod commands;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Simulated worlds around the Crosspoint SIP softswitch.
#[derive(Parser)]
#[command(name = "crosspoint-sim", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(commands::run::Arguments),
    Swarm(commands::swarm::Arguments),
    Day(commands::day::Arguments),
    Ports(commands::ports::Arguments),
    Replay(commands::replay::Arguments),
    Crossings(commands::crossings::Arguments),
    Ladder(commands::ladder::Arguments),
    Anonymise(commands::anonymise::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => commands::run::run(arguments),
        Command::Swarm(arguments) => commands::swarm::run(arguments),
        Command::Day(arguments) => commands::day::run(arguments),
        Command::Ports(arguments) => commands::ports::run(arguments),
        Command::Replay(arguments) => commands::replay::run(arguments),
        Command::Crossings(arguments) => commands::crossings::run(arguments),
        Command::Ladder(arguments) => commands::ladder::run(arguments),
        Command::Anonymise(arguments) => commands::anonymise::run(arguments),
    }
}
