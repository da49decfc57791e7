//! A NAT for UDP, in the terms of RFC 4787: mapping, filtering, refresh, hairpinning, ports; and its reboot.

use super::alg;
use super::chance::{Draws, address_words};
use super::passage::Loss;
use crosspoint_core::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What of the far end a mapping or a filter depends on (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dependence {
    /// Nothing.
    EndpointIndependent,
    /// Its address.
    AddressDependent,
    /// Its address and port.
    AddressAndPortDependent,
}

impl Dependence {
    /// What is left of a far end: two that look alike are one to this NAT.
    fn of(self, far: SocketAddr) -> Option<SocketAddr> {
        match self {
            Dependence::EndpointIndependent => None,
            Dependence::AddressDependent => Some(SocketAddr::new(far.ip(), 0)),
            Dependence::AddressAndPortDependent => Some(far),
        }
    }
}

/// How a NAT behaves. What is left out in TOML is as in [`Settings::new`].
///
/// ```
/// use crosspoint_sim::net::nat::{Dependence, Settings};
///
/// let text = "public = \"198.51.100.1\"\nmapping = \"address-and-port-dependent\"\nexpiry_ms = 20000";
/// let settings: Settings = toml::from_str(text).unwrap();
/// assert_eq!(settings.mapping, Dependence::AddressAndPortDependent);
/// assert!(!settings.has_hairpin);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its address outside; no other NAT or node has it.
    pub public: IpAddr,
    /// What a new mapping is made for (RFC 4787 §4.1).
    #[serde(default = "endpoint_independent")]
    pub mapping: Dependence,
    /// Who outside may send to a mapping: whomever something of this was sent to (RFC 4787 §5).
    #[serde(default = "address_and_port_dependent")]
    pub filtering: Dependence,
    /// How long a mapping lives that nothing refreshes (RFC 4787 §4.3 asks for two minutes; many give thirty seconds).
    #[serde(default = "half_a_minute_ms")]
    pub expiry_ms: u64,
    /// Whether what comes in refreshes a mapping too (RFC 4787 §4.3).
    #[serde(default)]
    pub is_refreshed_inbound: bool,
    /// Whether those behind it reach one another by its address outside (RFC 4787 §6).
    #[serde(default)]
    pub has_hairpin: bool,
    /// Whether a port outside is that inside where it is free (RFC 4787 §4.2.1).
    #[serde(default)]
    pub preserves_ports: bool,
    /// The application layer gateway inside it, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<alg::Settings>,
}

const fn endpoint_independent() -> Dependence {
    Dependence::EndpointIndependent
}

const fn address_and_port_dependent() -> Dependence {
    Dependence::AddressAndPortDependent
}

const fn half_a_minute_ms() -> u64 {
    30_000
}

impl Settings {
    /// What stands in most homes: mapping endpoint-independent, filtering by address and port, thirty seconds that only
    /// the inside refreshes, no hairpin, no ALG.
    pub const fn new(public: IpAddr) -> Settings {
        Settings {
            public,
            mapping: endpoint_independent(),
            filtering: address_and_port_dependent(),
            expiry_ms: half_a_minute_ms(),
            is_refreshed_inbound: false,
            has_hairpin: false,
            preserves_ports: false,
            alg: None,
        }
    }

    /// The one that RFC 4787 §12 asks for: filtering endpoint-independent as REQ-8 recommends for transparency, five
    /// minutes (REQ-5), hairpin (REQ-9).
    pub const fn good(public: IpAddr) -> Settings {
        Settings {
            filtering: Dependence::EndpointIndependent,
            expiry_ms: 300_000,
            is_refreshed_inbound: true,
            has_hairpin: true,
            preserves_ports: true,
            ..Settings::new(public)
        }
    }

    /// The one of offices and mobile carriers: every far end sees another port.
    pub const fn symmetric(public: IpAddr) -> Settings {
        Settings { mapping: Dependence::AddressAndPortDependent, ..Settings::new(public) }
    }
}

/// From when until when something holds. It begins with the first datagram to arrive, which need not be the first one
/// that the network is asked about.
#[derive(Clone, Copy, Debug)]
struct Span {
    since: Instant,
    until: Instant,
}

impl Span {
    fn new(at: Instant, expiry: Duration) -> Span {
        Span { since: at, until: at + expiry }
    }

    fn holds(&self, at: Instant) -> bool {
        self.since <= at && at < self.until
    }

    fn refresh(&mut self, at: Instant, expiry: Duration) {
        self.since = self.since.min(at);
        self.until = self.until.max(at + expiry);
    }
}

/// Whom a mapping is for: an address inside, and what counts of the far end.
type Owner = (SocketAddr, Option<SocketAddr>);

/// A port outside that stands for an address inside.
#[derive(Debug)]
struct Mapping {
    port: u16,
    span: Span,
    /// Whether an ALG opened it, to all.
    is_open: bool,
    /// Who outside may send to it, and how long.
    permits: BTreeMap<SocketAddr, Span>,
}

/// Permits of one mapping before those that are over are swept out.
const PERMITS_SWEPT: usize = 64;

/// A NAT and what it knows.
#[derive(Debug)]
pub(super) struct Nat {
    pub(super) settings: Settings,
    /// What its draws of ports are named by.
    name: u64,
    mappings: BTreeMap<Owner, Mapping>,
    owners: BTreeMap<u16, Owner>,
}

impl Nat {
    /// A NAT that has just been switched on; its ports are drawn under this name.
    pub(super) fn new(settings: Settings, name: u64) -> Nat {
        Nat { settings, name, mappings: BTreeMap::new(), owners: BTreeMap::new() }
    }

    /// Forgets every mapping.
    pub(super) fn reboot(&mut self) {
        self.mappings.clear();
        self.owners.clear();
    }

    /// The source that a datagram from inside has outside; makes or refreshes what lets its answers in (RFC 4787 REQ-6:
    /// what goes out always refreshes).
    pub(super) fn outward(&mut self, at: Instant, inside: SocketAddr, far: SocketAddr) -> Result<SocketAddr, Loss> {
        let owner = self.owner(at, inside, far);
        let expiry = self.expiry();
        let permit = self.settings.filtering.of(far);
        let mapping = self.mapping(at, owner)?;
        if let Some(permit) = permit {
            if mapping.permits.len() >= PERMITS_SWEPT {
                mapping.permits.retain(|_, span| at < span.until);
            }
            mapping.permits.entry(permit).or_insert(Span::new(at, expiry)).refresh(at, expiry);
        }
        let port = mapping.port;
        Ok(SocketAddr::new(self.settings.public, port))
    }

    /// The address inside that a datagram for this port outside is meant for.
    pub(super) fn inward(&mut self, at: Instant, port: u16, far: SocketAddr) -> Result<SocketAddr, Loss> {
        let expiry = self.expiry();
        let owner = *self.owners.get(&port).ok_or(Loss::NatExpired)?;
        let mapping = self.mappings.get_mut(&owner).expect("a port outside has an owner with a mapping");
        if !mapping.span.holds(at) {
            return Err(Loss::NatExpired);
        }
        let permit = self.settings.filtering.of(far).filter(|_| !mapping.is_open);
        let span = permit.map(|permit| mapping.permits.get_mut(&permit).filter(|span| span.holds(at)));
        let span = span.map(|span| span.ok_or(Loss::NatFiltered)).transpose()?;
        // what is filtered does not refresh, else anyone outside could keep a mapping alive
        if self.settings.is_refreshed_inbound {
            mapping.span.refresh(at, expiry);
            if let Some(span) = span {
                span.refresh(at, expiry);
            }
        }
        Ok(owner.0)
    }

    /// Opens a port to everybody outside, as an ALG does for media that it reads of.
    pub(super) fn open(&mut self, at: Instant, inside: SocketAddr) -> Result<SocketAddr, Loss> {
        let mapping = self.mapping(at, (inside, None))?;
        mapping.is_open = true;
        let port = mapping.port;
        Ok(SocketAddr::new(self.settings.public, port))
    }

    /// Who is behind this port outside, whoever asks.
    pub(super) fn inside_of(&self, at: Instant, port: u16) -> Option<SocketAddr> {
        let owner = self.owners.get(&port)?;
        self.mappings[owner].span.holds(at).then_some(owner.0)
    }

    /// As whom this address inside is seen by that far end, while it has a mapping.
    pub(super) fn outside_of(&self, at: Instant, inside: SocketAddr, far: SocketAddr) -> Option<SocketAddr> {
        let mapping = self.mappings.get(&self.owner(at, inside, far)).filter(|mapping| mapping.span.holds(at))?;
        Some(SocketAddr::new(self.settings.public, mapping.port))
    }

    fn expiry(&self) -> Duration {
        Duration::from_millis(self.settings.expiry_ms)
    }

    /// Whom a mapping towards this far end is for; a port that an ALG has opened is used for all.
    fn owner(&self, at: Instant, inside: SocketAddr, far: SocketAddr) -> Owner {
        let opened = self.mappings.get(&(inside, None)).is_some_and(|mapping| at < mapping.span.until);
        (inside, if opened { None } else { self.settings.mapping.of(far) })
    }

    /// The mapping of this owner, made where there is none that lives, and refreshed.
    fn mapping(&mut self, at: Instant, owner: Owner) -> Result<&mut Mapping, Loss> {
        let expiry = self.expiry();
        if self.mappings.get(&owner).is_none_or(|mapping| at >= mapping.span.until) {
            self.forget(owner);
            let port = self.free_port(at, owner)?;
            self.owners.insert(port, owner);
            let span = Span::new(at, expiry);
            self.mappings.insert(owner, Mapping { port, span, is_open: false, permits: BTreeMap::new() });
        }
        let mapping = self.mappings.get_mut(&owner).expect("it was there or has been made");
        mapping.span.refresh(at, expiry);
        Ok(mapping)
    }

    fn forget(&mut self, owner: Owner) {
        if let Some(mapping) = self.mappings.remove(&owner) {
            self.owners.remove(&mapping.port);
        }
    }

    /// A port that no living mapping has: never one for two (RFC 4787 REQ-3), of the same range as that inside
    /// (REQ-3a) and as even or odd (REQ-4).
    fn free_port(&mut self, at: Instant, owner: Owner) -> Result<u16, Loss> {
        let inside = owner.0.port();
        if self.settings.preserves_ports && self.vacate(at, inside) {
            return Ok(inside);
        }
        let range: RangeInclusive<u16> = if inside < 1024 { 0..=1023 } else { 1024..=65_535 };
        let (first, pairs) = (*range.start(), (range.end() - range.start()).div_ceil(2));
        let [a, b, c] = address_words(owner.0);
        let [d, e, f] = owner.1.map(address_words).unwrap_or_default();
        // drawn anew after every end of a mapping, whatever others do
        let drawn = Draws::named([self.name, a, b, c, d, e, f, at.as_micros()]).up_to(u64::from(pairs - 1)) as u16;
        let port = |n: u16| first + 2 * ((drawn + n) % pairs) + inside % 2;
        (0..pairs).map(port).find(|port| *port != 0 && self.vacate(at, *port)).ok_or(Loss::NatFull)
    }

    /// Whether this port is free, or was held by a mapping that is over and is forgotten with this.
    fn vacate(&mut self, at: Instant, port: u16) -> bool {
        let Some(owner) = self.owners.get(&port).copied() else { return true };
        let is_over = at >= self.mappings[&owner].span.until;
        if is_over {
            self.forget(owner);
        }
        is_over
    }
}

#[cfg(test)]
mod tests;
