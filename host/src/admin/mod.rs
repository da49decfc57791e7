//! The admin socket: one request line of JSON, one answer line of JSON.
//!
//! A thread of its own talks to the clients, so that a slow one holds up nobody; it puts each question to the signalling
//! loop through a [`Mailbox`], and the loop answers from what the switch holds.

mod client;
mod mailbox;
mod server;

pub use client::{ask, ask_value};
pub use mailbox::{Inbox, Mail, Mailbox, pair as mailbox};
pub use server::serve;

use crosspoint_core::media::Seen;
use serde::{Deserialize, Serialize};

/// Longest request line.
const REQUEST_BYTES: u64 = 4096;

/// Most entries in one answer; a client asks again for the rest.
pub const PAGE: usize = 1000;

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Request {
    /// What the switch holds and has counted.
    Status,
    /// The calls that are up.
    Calls {
        /// At most so many.
        limit: usize,
    },
    /// The gateways.
    Trunks,
    /// The media ports.
    Ports {
        /// At most so many leases.
        limit: usize,
    },
    /// The bindings, in an order that does not change between requests.
    Registrations {
        /// Those after the one of this number.
        after: Option<u64>,
        /// At most so many, and at most [`PAGE`].
        limit: usize,
    },
    /// Explain how a call would find its way now.
    ExplainRoute {
        /// A phone's user or a mapping gateway's name.
        caller: String,
        /// The calling number, where it is not the phone's own.
        caller_number: Option<String>,
        /// The called number.
        callee: String,
    },
    /// Explain whether the media of a call would be relayed now.
    ExplainMedia {
        /// Who calls: a phone's user or a gateway's name.
        caller: String,
        /// Who is called: the same.
        callee: String,
        /// Where both are seen, as far as the asker says so: caller, callee.
        seen: [Seen; 2],
    },
    /// End a call.
    Hangup {
        /// Its flow number.
        call: u64,
    },
    /// Read the configuration file again.
    Reload,
    /// Refuse new calls and end when the last one is over.
    Drain,
}

/// The line that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Done; here is the result.
    Ok(serde_json::Value),
    /// Not done, for this reason.
    Error(String),
}

#[cfg(test)]
mod tests;
