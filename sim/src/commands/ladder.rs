//! `ladder`: the messages of a simulated world.

use super::Which;
use crosspoint_sim::ladder::LINES;
use std::process::ExitCode;

/// Prints the message ladder of a simulated world
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Only this call, by its flow number
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
pub(crate) fn run(Arguments { which, call, format, no_times, all }: Arguments) -> ExitCode {
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
    let (title, lines) =
        (format!("scenario {} seed {}", which.scenario, which.seed), if all { usize::MAX } else { LINES });
    let drawn = match format {
        Format::Text => log.text_limited(&title, lines),
        Format::Svg => log.svg(&title, lines),
        Format::Mermaid => log.mermaid(&title, lines),
    };
    print!("{drawn}");
    ExitCode::SUCCESS
}
