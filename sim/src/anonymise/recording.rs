//! A recording under the mapping: every input replaced, played into a new switch beside the old one, and written with what
//! that switch does.

use super::credentials::Secrets;
use super::key::Key;
use super::mapping::Mapping;
use super::page::Page;
use super::{compare, dns, media};
use crosspoint_core::command::Command;
use crosspoint_core::config::Config;
use crosspoint_core::input::{Control, Input, LookupReply};
use crosspoint_core::record::{Log, LogError, Player, Recorder};
use crosspoint_core::rng::Seed;
use std::sync::Arc;
use thiserror::Error;

/// Why a recording cannot be anonymised.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// It cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// This build does not do what was recorded.
    #[error("this build diverges from the recording after input {input}: use the build that made it, {build}")]
    Diverges {
        /// The first input after which it does.
        input: u64,
        /// What made the recording.
        build: String,
    },
    /// The switch does something else when names and numbers are others.
    #[error("after input {input} the switch does not do the same with other names and numbers: {why}")]
    Differs {
        /// The first input after which it does not; 0 is the beginning.
        input: u64,
        /// What differs. Holds words of the recording.
        why: String,
    },
}

/// Both switches, each with what its last input led to.
struct Pair {
    old: Player,
    new: Player,
    did: Vec<Command>,
    does: Vec<Command>,
}

/// Keys that are tried. Where two contacts are registered at the same moment their order is that of their texts, which not
/// every key leaves as it was.
const KEYS: u64 = 16;

/// The same recording with other numbers, names, addresses, secrets and texts, chosen by `key`; `seed` is that of a switch
/// whose log has no end.
///
/// # Errors
/// Where the log cannot be replayed as it is, or the switch would not do the same with the other names.
pub fn anonymise(log: &[u8], key: Seed, seed: Option<Seed>) -> Result<Vec<u8>, Failure> {
    let log = Log::read(log)?;
    let seed = log.end.map(|end| end.seed).or(seed).ok_or(LogError::NoSeed)?;
    let configs = configs(&log)?;
    let configs: Vec<&Config> = configs.iter().map(AsRef::as_ref).collect();
    let mut tried = (0..KEYS).map(|number| under(Mapping::new(Key::new(key, number), &configs), &log, seed));
    tried.find(|tried| !matches!(tried, Err(Failure::Differs { .. }))).unwrap_or_else(|| {
        // they all differ: the first says where
        under(Mapping::new(Key::new(key, 0), &configs), &log, seed)
    })
}

/// The recording under this mapping.
fn under(mut map: Mapping, log: &Log<'_>, seed: Seed) -> Result<Vec<u8>, Failure> {
    let (mut old_config, mut new_config) = (Arc::clone(&log.config), Arc::new(map.config(&log.config)));
    let mut out = Vec::new();
    let mut recorder = Recorder::start(Arc::clone(&new_config), seed, log.began, &mut out);
    let mut pair = Pair::new(log, &new_config, seed);
    pair.compare(&mut map, 0)?;
    let mut last = 0;
    for recorded in log.inputs() {
        let recorded = recorded?;
        if !recorded.follows(pair.old.digest()) {
            return Err(Failure::Diverges { input: last, build: log.build.clone() });
        }
        last = recorded.number;
        if let Input::Control(Control::Reload(config)) = &recorded.input {
            (old_config, new_config) = (Arc::clone(config), Arc::new(map.config(config)));
        }
        let secrets = Secrets { old: &old_config, new: &new_config };
        let mut bytes = Vec::new();
        let input = replaced(&map, &secrets, &recorded.input, &mut bytes);
        recorder.input(recorded.now, &input, pair.new.digest(), &mut out);
        pair.old.play(recorded.now, recorded.input, |command| pair.did.push(command));
        pair.new.play(recorded.now, input, |command| pair.does.push(command));
        pair.compare(&mut map, last)?;
    }
    if log.end.is_some_and(|end| end.digest != pair.old.digest()) {
        return Err(Failure::Diverges { input: last, build: log.build.clone() });
    }
    recorder.finish(pair.new.digest(), &mut out);
    Ok(out)
}

/// Every configuration that the switch ever had.
fn configs(log: &Log<'_>) -> Result<Vec<Arc<Config>>, LogError> {
    let mut configs = vec![Arc::clone(&log.config)];
    for recorded in log.inputs() {
        if let Input::Control(Control::Reload(config)) = recorded?.input {
            configs.push(config);
        }
    }
    Ok(configs)
}

/// The input under the mapping; `bytes` holds its datagram.
fn replaced<'b>(map: &Mapping, secrets: &Secrets<'_>, input: &Input<'_>, bytes: &'b mut Vec<u8>) -> Input<'b> {
    match input {
        Input::Datagram { flow, bytes: datagram } => {
            *bytes = Page::of(map, datagram, Some(secrets)).bytes;
            Input::Datagram { flow: map.flow(*flow), bytes }
        }
        Input::Undelivered { flow } => Input::Undelivered { flow: map.flow(*flow) },
        Input::Lookup(LookupReply { query, message }) => {
            *bytes = message.map(|message| dns::replace(map, message)).unwrap_or_default();
            Input::Lookup(LookupReply { query: *query, message: message.map(|_| bytes.as_slice()) })
        }
        Input::Ports(reply) => Input::Ports(*reply),
        Input::Media(shard, report) => Input::Media(*shard, media::report(map, report)),
        Input::Control(control) => Input::Control(map.control(control)),
        Input::Tick => Input::Tick,
    }
}

impl Pair {
    fn new(log: &Log<'_>, new_config: &Arc<Config>, seed: Seed) -> Pair {
        let (mut did, mut does) = (Vec::new(), Vec::new());
        let old = Player::new(Arc::clone(&log.config), seed, log.began, |command| did.push(command));
        let new = Player::new(Arc::clone(new_config), seed, log.began, |command| does.push(command));
        Pair { old, new, did, does }
    }

    fn compare(&mut self, map: &mut Mapping, input: u64) -> Result<(), Failure> {
        compare::commands(map, &self.did, &self.does).map_err(|why| Failure::Differs { input, why })?;
        self.did.clear();
        self.does.clear();
        Ok(())
    }
}
