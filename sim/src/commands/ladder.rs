//! `ladder`: the messages of a recording, or of a simulated world.

use crosspoint_core::rng::Seed;
use crosspoint_sim::ladder::{LINES, Log};
use crosspoint_sim::scenario;
use std::path::PathBuf;
use std::process::ExitCode;

/// Calls named where the one that was asked for is not there.
const NAMED: usize = 20;

/// Shows who sent what to whom, in a recording or in a simulated world: see docs/ladders.md
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A recording of a server or of a world; without it a world is run
    file: Option<PathBuf>,
    /// The world's seed; of a recording without an end, the number of the seed of its switch
    #[arg(long, required_unless_present = "file")]
    seed: Option<u64>,
    /// Calls of the random scenario
    #[arg(long, default_value_t = 20)]
    calls: u64,
    /// Which scenario
    #[arg(long, default_value = "random", value_parser = scenario::NAMES.map(|(name, _)| name))]
    scenario: String,
    /// Only this call, by its flow number: all its legs, and what the switch told of it
    #[arg(long)]
    call: Option<u64>,
    /// As what
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Leaves the times out
    #[arg(long)]
    no_times: bool,
    /// Every line, however many there are
    #[arg(long)]
    all: bool,
}

/// What a ladder is drawn as.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// A picture, for a browser
    Svg,
    /// A sequence diagram, for a page that draws those
    Mermaid,
}

/// Carries it out.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match draw(&arguments) {
        Ok(drawn) => {
            print!("{drawn}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(arguments: &Arguments) -> Result<String, String> {
    let (mut log, mut title) = log(arguments)?;
    if let Some(number) = arguments.call {
        log = log.of_call(number).ok_or_else(|| no_call(number, &log))?;
        title = format!("{title} call {number}");
    }
    if arguments.no_times {
        log = log.without_times();
    }
    let lines = if arguments.all { usize::MAX } else { LINES };
    Ok(match arguments.format {
        Format::Text => log.text_limited(&title, lines),
        Format::Svg => log.svg(&title, lines),
        Format::Mermaid => log.mermaid(&title, lines),
    })
}

/// What happened, and its title.
fn log(Arguments { file, seed, calls, scenario, .. }: &Arguments) -> Result<(Log, String), String> {
    if let Some(path) = file {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let recording = std::fs::read(path).map_err(|error| failed(&error))?;
        let log = Log::of_recording(&recording, seed.map(Seed::from_number)).map_err(|error| failed(&error))?;
        return Ok((log, path.display().to_string()));
    }
    let seed = seed.expect("clap asks for one where there is no file");
    let world = scenario::run(scenario, seed, *calls).expect("clap lets only known names through");
    Ok((world.log(), format!("scenario {scenario} seed {seed}")))
}

fn no_call(number: u64, log: &Log) -> String {
    let mut known: Vec<String> = log.calls().take(NAMED + 1).map(|call| call.to_string()).collect();
    if known.len() > NAMED {
        known[NAMED] = "...".to_owned();
    }
    format!("there is no call {number}; there are: {}", known.join(" "))
}
