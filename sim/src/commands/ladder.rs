//! `ladder`: the messages of a recording, or of a simulated world.

use super::Which;
use crosspoint_core::record::is_recording;
use crosspoint_core::rng::Seed;
use crosspoint_sim::ladder::{LINES, Log};
use std::process::ExitCode;

/// Calls named where the one that was asked for is not there.
const NAMED: usize = 20;

/// Shows who sent what to whom, in a recording or in a simulated world: see docs/ladders.md
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
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

/// What happened, and its title. A file that is no recording is a scenario.
fn log(Arguments { which, .. }: &Arguments) -> Result<(Log, String), String> {
    let Some(path) = &which.file else { return Ok((which.play()?.log(), which.title())) };
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let recording = std::fs::read(path).map_err(|error| failed(&error))?;
    let log = match is_recording(&recording) {
        true => Log::of_recording(&recording, which.seed.map(Seed::from_number)).map_err(|error| failed(&error))?,
        false => which.play()?.log(),
    };
    Ok((log, which.title()))
}

fn no_call(number: u64, log: &Log) -> String {
    let mut known: Vec<String> = log.calls().take(NAMED + 1).map(|call| call.to_string()).collect();
    if known.len() > NAMED {
        known[NAMED] = "...".to_owned();
    }
    format!("there is no call {number}; there are: {}", known.join(" "))
}
