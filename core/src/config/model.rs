//! The validated form: what the rest of the core reads.

use super::gateways::Gateways;
use super::groups::Group;
use super::phones::{Block, Phones, Profile};
use super::tones::Tones;
use crate::auth::{Algorithm, Secret};
use crate::input::{Flow, SocketId, Transport};
use crate::params::Parameters;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
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
    /// Threads that relay media; `None` is one per core.
    pub media_shards: Option<u16>,
    /// A media shard serves the sockets that are ready at most so often, in µs; 0 serves at once.
    pub media_batch_us: u32,
    /// Digest algorithms offered in a challenge, in this order (RFC 8760 §2.4); at least one.
    pub digest_algorithms: Vec<Algorithm>,
    /// Nameservers, in the order in which they are asked. Where the file names none the process takes those of its host.
    pub nameservers: Vec<SocketAddr>,
    /// Signalling sockets, by [`crate::input::SocketId`]; at least one.
    pub listen: Vec<Listen>,
    /// The named networks of rule S6.
    pub networks: Vec<Network>,
    /// The phones that may register.
    pub phones: Phones,
    /// Groups of gateways.
    pub groups: Vec<Group>,
    /// Gateways in the order of the file.
    pub gateways: Gateways,
    /// What the switch plays itself.
    pub tones: Tones,
    /// Most concurrent calls of the switch; 0 is no limit.
    pub max_calls: u32,
    /// The system parameters.
    pub parameters: Parameters,
}

/// One signalling socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// The transport.
    pub transport: Transport,
    /// The address to bind. Port 0 lets the system choose; the driver puts the port it got into both addresses.
    pub bind: SocketAddr,
    /// What Via and Contact say: `advertise`, else `bind`.
    pub advertise: SocketAddr,
    /// The name of the network it belongs to.
    pub network: Option<String>,
}

/// A named network (behaviour 1(a)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// The addresses in it.
    pub cidrs: Vec<Cidr>,
}

/// An address block. No bit beyond the prefix is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cidr {
    /// Its first address.
    pub address: IpAddr,
    /// How many leading bits are fixed.
    pub prefix_bits: u8,
}

/// The domain where none is configured.
pub(super) const DEFAULT_DOMAIN: &str = "localhost";
/// The address that is served where none is configured: loopback, so that nothing is open to the world by mistake.
pub(super) const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5060);
/// What is offered where nothing is configured: MD5 alone, or else phones that know nothing better stay outside. Measured:
/// libre 1.0.0 (baresip of Debian 12) gives up on a response in which any challenge names another algorithm, first or
/// last; SIPp 3.6.1 where it comes first.
pub(super) const DEFAULT_ALGORITHMS: [Algorithm; 1] = [Algorithm::Md5];

/// [`Config::media_batch_us`] where none is configured: most of the CPU that waiting saves is saved by then, and latency
/// stays under 1 ms (measured: docs/media.md).
pub const MEDIA_BATCH_US: u32 = 500;

impl Listen {
    /// A UDP socket that advertises the address it is bound to.
    pub fn udp(bind: SocketAddr) -> Listen {
        Listen { transport: Transport::Udp, bind, advertise: bind, network: None }
    }
}

impl Config {
    /// The way to an address: from the first signalling socket of its family, where there is one.
    pub fn flow_to(&self, remote: SocketAddr) -> Option<Flow> {
        let index = self.listen.iter().position(|listen| listen.bind.is_ipv4() == remote.is_ipv4())?;
        let socket = SocketId(u16::try_from(index).expect("the parser bounds the number of sockets"));
        Some(Flow { socket, transport: self.listen[index].transport, remote })
    }

    /// How many threads relay media: [`Config::media_shards`], which whoever starts a process sets to its processors.
    pub fn shards(&self) -> u16 {
        self.media_shards.unwrap_or(1).max(1)
    }

    /// Whether a host part of a URI means this switch: its domain, or the address of one of its sockets, with that one's
    /// port or none.
    pub fn is_own_host(&self, host: &[u8], port: Option<u16>) -> bool {
        let ip = crate::sip::host_ip(host);
        let is_socket = |listen: &Listen| {
            [listen.bind, listen.advertise]
                .iter()
                .any(|own| ip == Some(own.ip()) && port.is_none_or(|port| port == own.port()))
        };
        host.eq_ignore_ascii_case(self.domain.as_bytes()) || self.listen.iter().any(is_socket)
    }

    /// The configuration of a switch that was given none: UDP on 127.0.0.1:5060, domain `localhost`, phones 1001 to 1010
    /// with this password, 9000 for an echo and 9001 for a tone.
    ///
    /// ```
    /// let config = crosspoint_core::config::Config::embedded("secret");
    /// assert!(config.phones.find("1010").is_some());
    /// assert!(config.phones.find("1011").is_none());
    /// ```
    pub fn embedded(password: &str) -> Config {
        let profile = Profile::new(Secret::Password(password.to_owned()));
        let block = Block { prefix: String::new(), width: 4, first: 1001, last: 1010, profile };
        Config {
            domain: DEFAULT_DOMAIN.to_owned(),
            state_dir: None,
            event_log: None,
            media_shards: None,
            media_batch_us: MEDIA_BATCH_US,
            digest_algorithms: DEFAULT_ALGORITHMS.to_vec(),
            nameservers: Vec::new(),
            listen: vec![Listen::udp(DEFAULT_BIND)],
            networks: Vec::new(),
            phones: Phones::new(Vec::new(), vec![block]),
            groups: Vec::new(),
            gateways: Gateways::default(),
            tones: Tones::embedded(),
            max_calls: 0,
            parameters: Parameters::default(),
        }
    }
}
