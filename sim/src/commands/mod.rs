//! The subcommands, one a file: each has its arguments and a `run` that prints and says how the process ends.

pub(crate) mod anonymise;
pub(crate) mod crossings;
pub(crate) mod ladder;
pub(crate) mod replay;
pub(crate) mod run;

use crosspoint_sim::scenario;
use crosspoint_sim::world::World;

/// Which simulated world.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// The world's seed
    #[arg(long)]
    pub(super) seed: u64,
    /// Calls of the random scenario
    #[arg(long, default_value_t = 20)]
    pub(super) calls: u64,
    /// Which scenario
    #[arg(long, default_value = "random", value_parser = scenario::NAMES.map(|(name, _)| name))]
    pub(super) scenario: String,
}

impl Which {
    /// The world, at its end.
    fn play(&self) -> World {
        scenario::run(&self.scenario, self.seed, self.calls).expect("clap lets only known names through")
    }
}
