//! `crossings`: what both sides of a call do at once, generated.

use crosspoint_sim::crossings::{self, Ground, Links, Tally};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Runs generated crossings: both sides of a call change, cancel and end it at once, at every state. Stops at the
/// first after which they do not agree, or something is left
#[derive(clap::Args)]
pub(crate) struct Arguments {
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

/// Carries it out.
pub(crate) fn run(which: Arguments) -> ExitCode {
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
