//! `swarm`: many seeds, one scenario each.

use crosspoint_sim::swarm::{self, Failure, Tally};
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Plays the scenario of each seed; stops at, shrinks and prints the first failure with the one command that repeats it
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which seeds, the last one not included
    #[arg(long, value_name = "A..B", value_parser = range)]
    seeds: Range<u64>,
    /// Calls of each scenario
    #[arg(long, default_value_t = swarm::CALLS)]
    calls: u64,
    /// Worlds at the same time
    #[arg(long, default_value_t = cores())]
    jobs: u64,
    /// Writes the smallest failing scenario there, as TOML
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("two numbers with .. between them")?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|error| format!("{text}: {error}"));
    Ok(number(from)?..number(to)?)
}

fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
}

/// What the threads share.
struct Shared {
    next: AtomicU64,
    end: AtomicU64,
    tally: Mutex<Tally>,
    failure: Mutex<Option<Box<Failure>>>,
}

/// Carries it out.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let Arguments { seeds, calls, jobs, keep } = arguments;
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !swarm::is_playing() {
            tell(panic);
        }
    }));
    let bar = ProgressBar::new(seeds.end.saturating_sub(seeds.start));
    bar.set_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} seeds {msg} {eta} left").expect("a template as documented"),
    );
    bar.enable_steady_tick(Duration::from_millis(500));
    let shared = Shared {
        next: AtomicU64::new(seeds.start),
        end: AtomicU64::new(seeds.end),
        tally: Mutex::default(),
        failure: Mutex::default(),
    };
    let begun = Instant::now();
    std::thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(|| work(&shared, calls, &bar, begun)))));
    bar.finish_and_clear();
    let seconds = begun.elapsed().as_secs_f64();
    let panics_not = "no thread panics while it holds this";
    let Tally { worlds, calls, complete_calls, virtual_s } = shared.tally.into_inner().expect(panics_not);
    println!(
        "{worlds} worlds, {calls} calls, {complete_calls} answered and ended, {} h of virtual time in {seconds:.1} s: \
         {:.0} complete calls a second and thread",
        virtual_s / 3600,
        complete_calls as f64 / seconds / jobs.max(1) as f64
    );
    let Some(failure) = shared.failure.into_inner().expect(panics_not) else {
        println!("clean");
        return ExitCode::SUCCESS;
    };
    let report = failure.report(env!("CROSSPOINT_BUILD"));
    println!("{}", report.text);
    if let Some(path) = keep
        && let Err(error) = std::fs::write(&path, report.scenario.to_toml())
    {
        eprintln!("{}: {error}", path.display());
    }
    ExitCode::FAILURE
}

fn work(shared: &Shared, calls: u64, bar: &ProgressBar, begun: Instant) {
    let panics_not = "no thread panics while it holds this";
    loop {
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        if seed >= shared.end.load(Ordering::Relaxed) {
            return;
        }
        match swarm::run(seed, calls) {
            Ok(tally) => {
                let mut total = shared.tally.lock().expect(panics_not);
                *total = total.plus(tally);
                let rate = total.complete_calls as f64 / begun.elapsed().as_secs_f64();
                bar.set_message(format!("{} calls, {rate:.0} complete a second", total.calls));
                bar.inc(1);
            }
            Err(failure) => {
                // the lowest seed is told, whichever thread finds its own first
                shared.end.fetch_min(seed, Ordering::Relaxed);
                let mut first = shared.failure.lock().expect(panics_not);
                if first.as_ref().is_none_or(|other| seed < other.drawn.seed) {
                    *first = Some(failure);
                }
            }
        }
    }
}
