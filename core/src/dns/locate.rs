//! RFC 3263 §4.1 and §4.2 as a walk over what is known.
//!
//! The walk is done again from the start whenever an answer has come; it holds no state. Where it misses something it
//! names the questions, all that can be asked at once.

use super::cache::Cache;
use super::order::{Choice, Target};
use super::records::{Found, Kind, Naptr, Question, Srv};
use super::{DnsFailure, Name};
use crate::config::Config;
use crate::input::Transport;
use crate::limits;
use crate::sip::{DEFAULT_PORT, host_name};
use crate::time::Instant;
use std::net::{IpAddr, SocketAddr};

/// The transports we have, the preferred one first.
const TRANSPORTS: [Transport; 1] = [Transport::Udp];

/// How far the walk came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// These are missing.
    Ask(Vec<Question>),
    /// The sets to be tried one after the other, and until when what they rest on counts.
    Found(Vec<Vec<Choice>>, Instant),
    /// It leads nowhere.
    Failed(DnsFailure),
}

/// The kinds of address record worth asking for: the families we listen on, that of the first socket first.
pub(super) fn families(config: &Config) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for listen in &config.listen {
        let kind = if listen.bind.is_ipv4() { Kind::A } else { Kind::Aaaa };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// Where this name leads by what is known at this time.
pub(super) fn locate(cache: &Cache, now: Instant, families: &[Kind], name: &Name) -> Step {
    let Some(host) = host_name(&name.host) else { return Step::Failed(DnsFailure::BadName) };
    let mut walk =
        Walk { cache, now, families, missing: Vec::new(), until: Instant::FAR_FUTURE, failure: DnsFailure::NxDomain };
    let sets = walk.sets(&host, name);
    if !walk.missing.is_empty() {
        return Step::Ask(walk.missing);
    }
    if sets.iter().flatten().all(|choice| choice.targets.is_empty()) {
        return Step::Failed(walk.failure);
    }
    Step::Found(sets, walk.until)
}

struct Walk<'c> {
    cache: &'c Cache,
    now: Instant,
    families: &'c [Kind],
    missing: Vec<Question>,
    until: Instant,
    /// The most telling of the failures met.
    failure: DnsFailure,
}

impl<'c> Walk<'c> {
    /// The sets, as far as nothing is missing.
    fn sets(&mut self, host: &str, name: &Name) -> Vec<Vec<Choice>> {
        // §4.1: without a transport, a port means the preferred one: UDP for a SIP URI
        let transport = name.transport.unwrap_or(Transport::Udp);
        if let Some(port) = name.port {
            return vec![vec![self.choice(host, port, transport)]];
        }
        let services = self.services(host, name.transport);
        let found: Vec<(Transport, &[Srv])> =
            services.iter().filter_map(|(transport, name)| Some((*transport, self.srv(name)?))).collect();
        if self.is_stopped() {
            return Vec::new();
        }
        if found.is_empty() {
            // §4.2: no SRV records: the host itself, at the default port
            return vec![vec![self.choice(host, DEFAULT_PORT, transport)]];
        }
        let mut set = |transport, records: &[Srv]| records.iter().map(|srv| self.server(srv, transport)).collect();
        found.into_iter().map(|(transport, records)| set(transport, records)).collect()
    }

    /// Whether there is no use in going on: something has to be asked first, or no nameserver answers.
    fn is_stopped(&self) -> bool {
        !self.missing.is_empty() || self.failure >= DnsFailure::Timeout
    }

    /// The SRV names, in the order in which to use them.
    fn services(&mut self, host: &str, transport: Option<Transport>) -> Vec<(Transport, Box<str>)> {
        let own = |transport| (transport, format!("{}.{host}", srv_prefix(transport)).into());
        if let Some(transport) = transport {
            return vec![own(transport)];
        }
        let offered = match self.find(host, Kind::Naptr) {
            Some(Found::Naptr(records)) => usable(records),
            _ => Vec::new(),
        };
        if self.is_stopped() || !offered.is_empty() {
            return offered;
        }
        // §4.1: no NAPTR record that we can use: SRV for each transport that we have
        TRANSPORTS.map(own).into()
    }

    fn srv(&mut self, name: &str) -> Option<&'c [Srv]> {
        match self.find(name, Kind::Srv)? {
            Found::Srv(records) => Some(records),
            _ => None,
        }
    }

    fn server(&mut self, srv: &Srv, transport: Transport) -> Choice {
        let Srv { priority, weight, port, target } = srv;
        if target.is_empty() || *port == 0 {
            // RFC 2782: "A Target of "." means that the service is decidedly not available at this domain."
            self.note(DnsFailure::NotOffered);
            return Choice { priority: *priority, weight: *weight, targets: Vec::new() };
        }
        Choice { priority: *priority, weight: *weight, ..self.choice(target, *port, transport) }
    }

    /// Every address of a host, by family.
    fn choice(&mut self, host: &str, port: u16, transport: Transport) -> Choice {
        let mut targets = Vec::new();
        for &family in self.families {
            let Some(Found::Addresses(addresses)) = self.find(host, family) else { continue };
            let target = |ip: &IpAddr| Target { remote: SocketAddr::new(*ip, port), transport };
            targets.extend(addresses.iter().map(target));
        }
        Choice { priority: 0, weight: 0, targets }
    }

    /// The records of a name, its aliases followed; `None` where there are none or they have to be asked for.
    fn find(&mut self, name: &str, kind: Kind) -> Option<&'c Found> {
        let mut name: Box<str> = name.into();
        for _ in 0..=limits::DNS_ALIASES {
            let question = Question { name, kind };
            let Some(known) = self.cache.get(self.now, &question) else {
                if !self.missing.contains(&question) {
                    self.missing.push(question);
                }
                return None;
            };
            self.until = self.until.min(known.until);
            match &known.found {
                Found::Alias(other) => name = other.clone(),
                Found::Nothing(failure) => {
                    self.note(*failure);
                    return None;
                }
                found => return Some(found),
            }
        }
        self.note(DnsFailure::TooDeep);
        None
    }

    fn note(&mut self, failure: DnsFailure) {
        self.failure = self.failure.max(failure);
    }
}

/// The records whose service we can use, as SRV names, in their order. Of several orders only the first usable one counts
/// (RFC 3403 §4.1).
fn usable(records: &[Naptr]) -> Vec<(Transport, Box<str>)> {
    let transport = |naptr: &Naptr| {
        let is_srv = naptr.flags.eq_ignore_ascii_case(b"s") && !naptr.replacement.is_empty();
        let offers = |&transport: &Transport| naptr.service.eq_ignore_ascii_case(naptr_service(transport));
        TRANSPORTS.into_iter().find(|transport| is_srv && offers(transport))
    };
    let mut usable: Vec<(&Naptr, Transport)> =
        records.iter().filter_map(|naptr| Some((naptr, transport(naptr)?))).collect();
    usable.sort_by_key(|(naptr, _)| (naptr.order, naptr.preference));
    let first = usable.first().map(|(naptr, _)| naptr.order);
    let counts = usable.into_iter().filter(|(naptr, _)| Some(naptr.order) == first);
    counts.map(|(naptr, transport)| (transport, naptr.replacement.clone())).collect()
}

/// RFC 3263 §4.1.
fn naptr_service(transport: Transport) -> &'static [u8] {
    match transport {
        Transport::Udp => b"SIP+D2U",
    }
}

/// RFC 3263 §4.2, RFC 2782.
fn srv_prefix(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "_sip._udp",
    }
}
