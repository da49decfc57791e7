//! A flood: more of one thing than anybody can want, from one source or from many.

use super::attacker::Place;
use super::forge::{self, Ask};
use super::{Method, Parcel, garbage};
use crosspoint_core::rng::Stream;
use crosspoint_core::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// What comes in a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flooding {
    /// Requests without credentials, each of its own.
    Requests(Method),
    /// What is no SIP.
    Garbage,
}

/// How strong it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flood {
    /// What comes.
    pub what: Flooding,
    /// How long after it came into the world it begins, in milliseconds.
    pub after_ms: u64,
    /// Datagrams a second.
    pub rate_per_s: u64,
    /// How long it lasts, in milliseconds.
    pub for_ms: u64,
    /// From how many addresses.
    pub sources: u16,
}

impl Flood {
    /// How many datagrams it has.
    pub(super) fn count(&self) -> u64 {
        self.rate_per_s * self.for_ms / 1000
    }

    /// When the datagram of this number comes, told from the beginning.
    pub(super) fn at(&self, begun: Instant, number: u64) -> Instant {
        let us = number * 1_000_000 / self.rate_per_s.max(1);
        begun + Duration::from_millis(self.after_ms) + Duration::from_micros(us)
    }

    /// The addresses that it comes from: those that follow the node's own.
    pub(super) fn addresses(&self, local: SocketAddr) -> Vec<SocketAddr> {
        let ports = (0..self.sources.max(1)).map(|n| local.port().wrapping_add(n).max(1024));
        ports.map(|port| SocketAddr::new(local.ip(), port)).collect()
    }

    /// A datagram of it.
    pub(super) fn next(&self, place: &Place, source: SocketAddr, number: u64, stream: &mut Stream) -> Parcel {
        let datagram = match self.what {
            Flooding::Garbage => garbage::next(&[], stream),
            Flooding::Requests(method) => {
                let (call_id, user) = (forge::token(stream), format!("flood{}", number % 1000));
                let ask = Ask {
                    method: method.name(),
                    source,
                    domain: &place.domain,
                    user: &user,
                    target: "alice",
                    call_id: &call_id,
                    cseq: 1,
                    headers: "",
                };
                forge::write(&ask, stream).into_bytes()
            }
        };
        Parcel { source, to: place.server, datagram: datagram.into() }
    }
}
