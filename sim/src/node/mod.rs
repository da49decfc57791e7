//! Who stands in a world without any right: attackers and floods, as data and as nodes that are driven as phones are.
//!
//! ```
//! use crosspoint_core::rng::{Seed, Stream};
//! use crosspoint_core::time::Instant;
//! use crosspoint_sim::node::{Attack, Attacker, Campaign, Method, Place};
//!
//! let campaign = Campaign { attack: Attack::Scan { method: Method::Invite }, after_ms: 0, gap_us: 1000, count: 3 };
//! let place = Place::new("198.18.0.1:5060".parse().unwrap(), "192.0.2.10:5060".parse().unwrap(), "example.net");
//! let mut attacker = Attacker::new(place, campaign, Stream::new(Seed::from_number(7), 1));
//! attacker.tick(Instant::EPOCH);
//! let parcel = attacker.poll_send().expect("the first INVITE");
//! assert!(parcel.datagram.starts_with(b"INVITE sip:"));
//! ```

mod attacker;
mod flood;
mod forge;
mod garbage;
mod spray;

pub use attacker::{AMPLIFICATION_PERCENT, Attacker, MEDIA_STOLEN, Place};
pub use flood::{Flood, Flooding};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// A datagram with the source that it claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Where it says that it comes from.
    pub source: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
    /// What it says.
    pub datagram: Bytes,
}

/// A request that needs rights, or OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the methods' own")]
pub enum Method {
    Register,
    Invite,
    Options,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Register => "REGISTER",
            Method::Invite => "INVITE",
            Method::Options => "OPTIONS",
        }
    }
}

/// What somebody does in the name of a phone that is in a call, from another address than that phone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forgery {
    /// Ends the call.
    Bye,
    /// Cancels the INVITE that waits.
    Cancel,
    /// Leads the audio to himself.
    Reinvite,
    /// Answers the INVITE that waits, in the callee's place.
    Answer,
}

/// What an attacker knows of other people's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Knowledge {
    /// Nothing: Call-IDs, tags and branches are guesses.
    Guessed,
    /// Everything that goes to the switch and comes from it. Over UDP nothing but the source tells such a one from the
    /// phone itself, and who reads everything may forge that too (RFC 3261 §26.1.3): only signalling over TLS stops him.
    Sniffed,
}

/// What an attacker does again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attack {
    /// Asks as each of these users in turn, who need not exist, and answers every challenge with a guess.
    GuessPasswords {
        /// REGISTER or INVITE.
        method: Method,
        /// The users.
        users: Vec<String>,
    },
    /// Asks for one number after another, without credentials.
    Scan {
        /// How.
        method: Method,
    },
    /// Sends again what phones have sent to the switch, credentials and all, from its own address.
    Replay,
    /// Sends in other people's dialogs.
    Forge {
        /// What.
        what: Forgery,
        /// With names of dialogs that it made up, or heard.
        knows: Knowledge,
    },
    /// Asks in as few octets as a request can have: what comes back is the most that can be had for so little.
    Shortest {
        /// How.
        method: Method,
    },
    /// Sends what is no SIP, or nearly: written by hand, or a request of its own with some octets changed.
    Garbage,
    /// Sends one header of that many octets.
    Oversized {
        /// Up to what a datagram can have.
        bytes: u32,
    },
    /// Sends that many headers of one name.
    ManyHeaders {
        /// `Via`, `Route`, `Contact` or another.
        name: String,
        /// How many.
        count: u32,
    },
    /// Sends RTP and RTCP to one port after another: whatever calls are there, it is in none.
    Spray {
        /// The first port.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// Answers a challenge that never was with credentials of every wrong form.
    FuzzCredentials,
}

/// An attack and its pace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// What is done.
    pub attack: Attack,
    /// How long after the attacker came into the world, in milliseconds.
    pub after_ms: u64,
    /// From one time to the next, in microseconds.
    pub gap_us: u64,
    /// How often.
    pub count: u64,
}
