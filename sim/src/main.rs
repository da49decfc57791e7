//! `crosspoint-sim`: simulated worlds, replays and ladders from the command line.

use clap::{Parser, Subcommand};
use crosspoint_core::record::{Replay, replay};
use crosspoint_sim::crossings::{self, Ground, Links, Tally};
use crosspoint_sim::scenario;
use crosspoint_sim::world::World;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Simulated worlds around the Crosspoint SIP softswitch.
#[derive(Parser)]
#[command(name = "crosspoint-sim", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one simulated world; prints what it held, the digest of all commands, and any violated invariant
    Run {
        #[command(flatten)]
        which: Which,
        /// Writes the recording of the switch's inputs there
        #[arg(long)]
        record: Option<PathBuf>,
    },
    /// Feeds a recorded input log to the core; says `identical` with the digest, or shows the first divergence
    Replay {
        /// The log
        file: PathBuf,
    },
    /// Runs generated crossings: both sides of a call change, cancel and end it at once, at every state. Stops at the
    /// first after which they do not agree, or something is left
    Crossings {
        #[command(flatten)]
        which: Many,
    },
    /// Prints the message ladder of a simulated world
    Ladder {
        #[command(flatten)]
        which: Which,
        /// Only this call, by its flow number
        #[arg(long)]
        call: Option<u64>,
        /// Leaves the times out
        #[arg(long)]
        no_times: bool,
    },
}

#[derive(clap::Args)]
struct Which {
    /// The world's seed
    #[arg(long)]
    seed: u64,
    /// Calls of the random scenario
    #[arg(long, default_value_t = 20)]
    calls: u64,
    /// Which scenario
    #[arg(long, default_value = "random", value_parser = scenario::NAMES.map(|(name, _)| name))]
    scenario: String,
}

#[derive(clap::Args)]
struct Many {
    /// How many
    #[arg(long, default_value_t = 1000)]
    count: u64,
    /// The first world's seed; there is a world for every hundred
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Without the switch: the phones alone
    #[arg(long)]
    face_to_face: bool,
    /// Over links that lose, double and reorder
    #[arg(long)]
    bad_links: bool,
    /// Worlds at the same time
    #[arg(long, default_value_t = 2)]
    threads: u64,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { which, record } => run(&which, record),
        Command::Replay { file } => play(&file),
        Command::Crossings { which } => cross(&which),
        Command::Ladder { which, call, no_times } => ladder(&which, call, no_times),
    }
}

fn world(which: &Which) -> World {
    scenario::run(&which.scenario, which.seed, which.calls).expect("clap lets only known names through")
}

fn run(which: &Which, record: Option<PathBuf>) -> ExitCode {
    let world = world(which);
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
    let Which { seed, calls, scenario } = which;
    println!("again: crosspoint-sim run --seed {seed} --calls {calls} --scenario {scenario}");
    ExitCode::FAILURE
}

fn cross(which: &Many) -> ExitCode {
    let ground = if which.face_to_face { Ground::FaceToFace } else { Ground::Switch };
    let links = if which.bad_links { Links::Bad } else { Links::Good };
    let worlds = which.count.div_ceil(crossings::PER_WORLD);
    let (next, total, failure) = (AtomicU64::new(0), Mutex::new(Tally::default()), Mutex::new(None));
    let panics_not = "no thread panics while it holds this";
    let begun = Instant::now();
    let work = || {
        loop {
            let world = next.fetch_add(1, Ordering::Relaxed);
            if world >= worlds {
                break;
            }
            let count = (which.count - world * crossings::PER_WORLD).min(crossings::PER_WORLD);
            match crossings::run(which.seed + world, count, ground, links) {
                Ok(tally) => {
                    let mut total = total.lock().expect(panics_not);
                    *total = total.plus(tally);
                }
                Err(found) => {
                    failure.lock().expect(panics_not).get_or_insert(found);
                    next.fetch_max(worlds, Ordering::Relaxed);
                }
            }
        }
    };
    std::thread::scope(|scope| (0..which.threads.max(1)).for_each(|_| drop(scope.spawn(work))));
    if let Some(failure) = failure.into_inner().expect(panics_not) {
        println!("{failure}");
        return ExitCode::FAILURE;
    }
    let Tally { crossings, glares, up } = total.into_inner().expect(panics_not);
    let rate = crossings as f64 / begun.elapsed().as_secs_f64();
    println!("{crossings} crossings: both sides agreed, nothing left; {rate:.0} a second");
    println!("{glares} times a phone answered 491, {up} calls were up in the end");
    ExitCode::SUCCESS
}

fn play(file: &PathBuf) -> ExitCode {
    let found = std::fs::read(file).map_err(|error| error.to_string());
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

fn ladder(which: &Which, call: Option<u64>, no_times: bool) -> ExitCode {
    let world = world(which);
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
