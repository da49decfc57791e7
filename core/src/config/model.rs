//! The validated form: what the rest of the core reads.

use crate::params::Parameters;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// A configuration that has passed every check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Digest realm and the host part that means this switch.
    pub domain: String,
    /// Where the process keeps its files; the core itself never looks.
    pub state_dir: Option<PathBuf>,
    /// The event log's file name, where one is wanted.
    pub event_log: Option<PathBuf>,
    /// Signalling sockets, by [`crate::input::SocketId`].
    pub listen: Vec<Listen>,
    /// The phones that may register.
    pub phones: Phones,
    /// Gateways in the order of the file.
    pub gateways: Vec<Gateway>,
    /// The system parameters.
    pub parameters: Parameters,
}

/// One signalling socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// The transport.
    pub transport: crate::input::Transport,
    /// The address to bind.
    pub bind: SocketAddr,
    /// What Via and Contact say: `advertise`, else `bind`.
    pub advertise: SocketAddr,
}

/// The phones: single ones and blocks, found by user name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phones;

/// A gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its name in routes and records.
    pub name: String,
    /// Whether it may bring calls in.
    pub mapping: bool,
    /// Whether calls may go out to it.
    pub routing: bool,
    /// Its addresses; without a port, any port of that host is it, and 5060 is called.
    pub peers: Vec<Peer>,
    /// Called-number prefixes it takes; the empty one is everything.
    pub prefixes: Vec<String>,
    /// Smaller is tried first among equally long prefixes.
    pub priority: u32,
    /// Most concurrent calls; 0 is no limit.
    pub capacity: u32,
}

/// The address of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its host.
    pub ip: IpAddr,
    /// Its port, where one is given.
    pub port: Option<u16>,
}
