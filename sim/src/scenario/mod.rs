//! Scenarios as data: who is there, what their network is like, and what happens when.
//!
//! A [`Scenario`] is drawn from a seed ([`Scenario::draw`]), or written by hand as TOML, and played in a world of its own
//! ([`play()`]): first with all its faults, then in calm, when everything must come to rest and everybody must reach
//! everybody. What is found wrong is a [`Violation`] of the catalogue in [`crate::check`]; `shrink` makes a scenario
//! that goes wrong as small as it can.
//!
//! ```
//! use crosspoint_sim::scenario::{Scenario, play};
//!
//! let scenario = Scenario::of_toml(r#"
//!     seed = 7
//!     phones = [{ name = "u1" }, { name = "u2" }]
//!
//!     [[ops]]
//!     id = 1
//!     at_ms = 1000
//!     call = { from = "u1", to = "u2", hangs_up = "callee", after_ms = 5000 }
//!
//!     [[ops]]
//!     id = 2
//!     at_ms = 3000
//!     switch = { crash = { lost_ms = 0 } }
//! "#).unwrap();
//! assert_eq!(play(&scenario).violations, []);
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `op` | what happens: calls, what phones do besides, faults of the switch and of the network, attacks |
//! | `options` | the swarm options: which kinds of things a drawn scenario has at all |
//! | `draw` | a scenario from a seed |
//! | `config` | the configuration of its switch |
//! | `play` | the two phases |
//! | `shrink` | smaller scenarios; quickcheck's `Arbitrary` |
//! | `named` | a few calls that can be asked for by name |

mod audible;
mod config;
mod draw;
mod named;
mod op;
mod options;
mod play;
mod shrink;

pub use crate::check::Violation;
pub use named::{NAMES, run};
pub use op::{Act, CallPlan, Inside, NetFault, Op, PhoneAct, PhonePlan, Side, Step, SwitchFault};
pub use options::Options;
pub use play::{Played, ladder_of, play, play_with};
pub use shrink::{Shrunk, minimise};

pub(crate) use op::is_default;

use crate::net::{Plan, nat};
use crate::phone::{Demand, Speech};
use serde::{Deserialize, Serialize};

/// A world and what happens in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The seed of everything that is drawn at random while it is played.
    pub seed: u64,
    /// It ends once all is at rest; else everybody registers once more in calm, and calls everybody.
    #[serde(default, skip_serializing_if = "op::is_default")]
    pub ends_at_rest: bool,
    /// What kinds of things it was drawn with.
    #[serde(default, skip_serializing_if = "op::is_default")]
    pub options: Options,
    /// What the links are like while things happen.
    #[serde(default = "good", skip_serializing_if = "is_good")]
    pub links: Plan,
    /// The address translators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nats: Vec<Site>,
    /// The phones.
    pub phones: Vec<Member>,
    /// The gateways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<Gateway>,
    /// What happens, in no particular order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<Op>,
}

/// An address translator, and the place behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its number.
    pub id: u16,
    /// What it does.
    pub nat: nat::Settings,
}

/// A phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name, and the user of its account: `u` and a number, which gives it its address.
    pub name: String,
    /// The translator that it sits behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u16>,
    /// Digest by SHA-256, else MD5.
    #[serde(default, skip_serializing_if = "op::is_default")]
    pub has_sha256: bool,
    /// It uses a nonce more than once.
    #[serde(default, skip_serializing_if = "op::is_default")]
    pub reuses_nonce: bool,
    /// It does RFC 3262.
    #[serde(default, skip_serializing_if = "op::is_default")]
    pub has_prack: bool,
    /// Who calls it hears the switch's ringback.
    #[serde(default, skip_serializing_if = "op::is_default")]
    pub local_ring: bool,
    /// How it talks; none: it is silent while things happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speech: Option<Speech>,
}

/// A gateway; calls to and from any number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Its name: `g` and a number, which gives it its address.
    pub name: String,
    /// Prefixes of the numbers that it takes.
    pub prefixes: Vec<String>,
    /// It wants credentials for an INVITE.
    #[serde(default, skip_serializing_if = "op::is_default")]
    pub challenges: bool,
    /// How it talks; none: it is silent while things happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speech: Option<Speech>,
}

impl Gateway {
    /// The credentials it wants.
    fn demand(&self) -> Demand {
        Demand::new("trunk", "trunk-secret")
    }
}

impl Scenario {
    /// Whether the translator of this number rewrites SIP.
    fn has_alg(&self, nat: u16) -> bool {
        self.nats.iter().any(|site| site.id == nat && site.nat.alg.is_some())
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn of_toml(text: &str) -> Result<Scenario, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The scenario as TOML, to be kept.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a scenario is plain data with text keys")
    }
}

fn good() -> Plan {
    Plan::GOOD
}

fn is_good(plan: &Plan) -> bool {
    *plan == Plan::GOOD
}
