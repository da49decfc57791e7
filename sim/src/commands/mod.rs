//! The subcommands, one a file: each has its arguments and a `run` that prints and says how the process ends.

pub(crate) mod anonymise;
pub(crate) mod crossings;
pub(crate) mod day;
pub(crate) mod ladder;
pub(crate) mod ports;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod swarm;

use crosspoint_sim::scenario::{self, Scenario};
use crosspoint_sim::swarm::CALLS;
use crosspoint_sim::world::World;
use std::path::PathBuf;

/// Which simulated world.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// A scenario that was kept, as TOML; without it one is drawn from the seed, or played by name
    file: Option<PathBuf>,
    /// The world's seed
    #[arg(long, required_unless_present = "file")]
    seed: Option<u64>,
    /// Calls of the random scenario
    #[arg(long, default_value_t = CALLS)]
    calls: u64,
    /// Which scenario
    #[arg(long, default_value = "random", value_parser = scenario::NAMES.map(|(name, _)| name))]
    scenario: String,
}

impl Which {
    fn seed(&self) -> u64 {
        self.seed.expect("clap asks for one where there is no file")
    }

    /// The scenario, where it is data and not one of the few that are played by hand.
    fn drawn(&self) -> Result<Option<Scenario>, String> {
        if let Some(path) = &self.file {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            return Scenario::of_toml(&text).map(Some).map_err(|error| format!("{}: {error}", path.display()));
        }
        Ok((self.scenario == "random").then(|| Scenario::draw(self.seed(), self.calls)))
    }

    /// What it is called, over its ladder.
    fn title(&self) -> String {
        match &self.file {
            Some(file) => file.display().to_string(),
            None => format!("scenario {} seed {}", self.scenario, self.seed()),
        }
    }

    /// The world, at its end.
    fn play(&self) -> Result<World, String> {
        Ok(match self.drawn()? {
            Some(scenario) => scenario::play_with(&scenario, |_| {}),
            None => scenario::run(&self.scenario, self.seed()).expect("clap lets only known names through"),
        })
    }
}

impl std::fmt::Display for Which {
    /// As it stands behind a subcommand.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display()),
            None => write!(f, "--seed {} --calls {} --scenario {}", self.seed(), self.calls, self.scenario),
        }
    }
}
