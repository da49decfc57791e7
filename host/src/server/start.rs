//! Starting: directory, journals, sockets, switch, clients.

use super::Server;
use super::feed::Feed;
use super::outlet::Outlet;
use super::shards::Shards;
use super::sinks::{Recording, Sinks};
use crate::admin;
use crate::clock::Clock;
use crate::config_file::ConfigFile;
use crate::event_log::EventLog;
use crate::journal::{self, BindingJournal, CallJournal, DiskThread};
use crate::lookup::Lookups;
use crate::open_files;
use crate::state_dir::{self, StateDir};
use crate::udp::{RECEIVE_BUFFER_BYTES, Socket};
use crosspoint_core::config::Config;
use crosspoint_core::input::Control;
use crosspoint_core::media::tone::Sounds;
use crosspoint_core::params::media_files;
use crosspoint_core::pump::{Io, Pump};
use crosspoint_core::record::Recorder;
use crosspoint_core::rng::Seed;
use crosspoint_core::switch::Switch;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration.
    pub config: Config,
    /// The recordings that it names.
    pub sounds: Sounds,
    /// Where it came from, for `reload`.
    pub config_file: ConfigFile,
    /// The state directory.
    pub state_dir: PathBuf,
    /// Where to write the input log.
    pub record: Option<PathBuf>,
}

/// A started server and what to tell about it.
pub struct Started {
    /// It serves as soon as an event loop drives it.
    pub server: Server,
    /// The addresses it is bound to, in the order of the configuration.
    pub listening: Vec<SocketAddr>,
}

impl Server {
    /// Starts a server: when this returns, its sockets are bound and what an earlier run left is restored.
    ///
    /// # Errors
    /// A text for the operator.
    pub fn start(options: Options) -> Result<Started, String> {
        let Options { mut config, sounds, config_file, state_dir, record } = options;
        let state_dir = StateDir::open(&state_dir)?;
        let port_files = media_files(open_files::raise());
        let clock = Clock::start();
        let now = clock.now();
        let sockets = bind(&mut config)?;
        config.media_shards.get_or_insert_with(processors);
        let config = Arc::new(config);
        let root = state_dir.root().to_owned();
        let events = config.event_log.as_ref().map(|name| EventLog::open(&root.join(name))).transpose();
        let events = events.map_err(|error| format!("event log: {error}"))?;

        let (disk, disk_thread) = DiskThread::start().map_err(|error| format!("disk thread: {error}"))?;
        let (bindings, calls, restored) = open_journals(&root, &config, now, &disk)?;
        let mut recording = None;
        if let Some(path) = record {
            let file = Recording::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            recording = Some(file);
        }
        let seed = system_seed()?;
        let is_recording = recording.is_some();
        let sinks = Sinks::new(bindings, calls, events, recording);
        let lookups = Lookups::new().map_err(|error| format!("epoll: {error}"))?;
        let shards = Shards::start(&config, &sounds, clock, seed, port_files);
        let shards = shards.map_err(|error| format!("media shard: {error}"))?;
        let mut outlet = Outlet { sockets, lookups, shards, sinks, now, is_halted: false };
        outlet.configure(&config);
        let mut pump = Pump::new(Switch::new(Arc::clone(&config), seed, now));
        if is_recording {
            let mut head = Vec::new();
            pump = pump.with_recorder(Recorder::start(Arc::clone(&config), seed, now, &mut head));
            outlet.record(&head);
        }

        let (mailbox, inbox) = admin::mailbox().map_err(|error| format!("wake socket: {error}"))?;
        let socket_path = state_dir::admin_socket(&root);
        let loader = config_file.clone();
        admin::serve(&socket_path, mailbox.clone(), move || loader.load_all())
            .map_err(|error| format!("{}: {error}", socket_path.display()))?;
        let listening = outlet.sockets.iter().map(Socket::local).collect();
        let feed = Feed::new();
        let deadline = None;
        let mut server =
            Server { clock, pump, feed, outlet, inbox, mailbox, config_file, deadline, state_dir, disk, disk_thread };
        restored.into_iter().for_each(|binding| server.feed.control(Control::Restore(Box::new(binding))));
        server.turn();
        Ok(Started { server, listening })
    }
}

/// What a file leaves to the process stays as it was chosen at the start.
pub(super) fn keep_choices(config: &mut Config, running: &Config) {
    config.media_shards = config.media_shards.or(running.media_shards);
    for (new, old) in config.listen.iter_mut().zip(&running.listen) {
        if new.bind.port() == 0 && new.bind.ip() == old.bind.ip() {
            new.bind = old.bind;
            if new.advertise.port() == 0 {
                new.advertise.set_port(old.advertise.port());
            }
        }
    }
}

/// How many threads this process can run at once.
fn processors() -> u16 {
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Binds every socket and puts the ports that the system chose into the configuration.
fn bind(config: &mut Config) -> Result<Vec<Socket>, String> {
    if config.listen.len() > usize::from(u16::MAX) {
        return Err("more sockets than can be numbered".to_owned());
    }
    let type_of_service = config.parameters.qos_signal();
    let mut sockets = Vec::new();
    for listen in &mut config.listen {
        let socket = Socket::bind(listen.bind, type_of_service);
        let socket = socket.map_err(|error| format!("cannot listen on {}: {error}", listen.bind))?;
        listen.bind = socket.local();
        if listen.advertise.port() == 0 {
            listen.advertise.set_port(socket.local().port());
        }
        let granted = socket.receive_buffer_bytes();
        if granted < RECEIVE_BUFFER_BYTES {
            let address = socket.local();
            tracing::info!(%address, "receive buffer of {granted} bytes; more needs CAP_NET_ADMIN or net.core.rmem_max");
        }
        sockets.push(socket);
    }
    Ok(sockets)
}

type Journals = (BindingJournal, CallJournal, Vec<crosspoint_core::registrar::BindingRecord>);

fn open_journals(
    root: &std::path::Path,
    config: &Config,
    now: crosspoint_core::time::Now,
    disk: &DiskThread,
) -> Result<Journals, String> {
    let failed = |error: std::io::Error| format!("journal: {error}");
    let dirs = state_dir::dirs(root);
    let parameters = &config.parameters;
    let (precision_ms, keep_files) = (parameters.hold_time_precision_ms(), parameters.cdr_file_max());
    let mut repairs = journal::recover(&dirs, now.wall, precision_ms, keep_files).map_err(failed)?;
    let (bindings, recovered) = BindingJournal::open(&dirs.journal, now.wall, disk.clone()).map_err(failed)?;
    repairs.extend(recovered.repairs);
    for repair in repairs {
        tracing::warn!("the last run was killed in the middle of a write: {repair}");
    }
    let calls = CallJournal::open(&dirs, now, disk.clone()).map_err(failed)?;
    Ok((bindings, calls, recovered.bindings))
}

/// 256 bits from the operating system.
fn system_seed() -> Result<Seed, String> {
    let mut seed = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut seed));
    read.map_err(|error| format!("/dev/urandom: {error}"))?;
    Ok(Seed(seed))
}
