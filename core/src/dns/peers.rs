//! The addresses of mapping gateways that are named by host.
//!
//! A call of such a gateway is recognised by its address, so its name is looked up before it calls: at the start, after a
//! reload, and whenever the records run out. Where a nameserver fails, the addresses last known stay: a gateway's calls are
//! not refused because somebody else's server is down.

use super::{Answer, DnsFailure, Name, Resolver};
use crate::config::{Config, Peer};
use crate::cx::Cx;
use crate::event::Event;
use crate::time::Instant;
use crate::timers::{DnsTimer, TimerId, TimerKey};
use crate::transaction::{Owner, Party};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long after a failure a name is looked up again.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What is known of the hosts of mapping gateways.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Peers {
    hosts: Vec<Host>,
    /// Their addresses with the place of the gateway in the configuration.
    by_address: BTreeMap<(IpAddr, Option<u16>), usize>,
    timer: Option<TimerId>,
    next_id: u64,
}

/// One host name.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Host {
    /// Names it in a lookup; never used again.
    id: u64,
    /// The place of its gateway in the configuration.
    gateway: usize,
    host: String,
    port: Option<u16>,
    addresses: Vec<IpAddr>,
    /// What the last lookup failed with.
    failure: Option<DnsFailure>,
    /// When to look it up next; far away while a lookup is under way.
    due: Instant,
}

impl Peers {
    /// Takes the names from the configuration in force and has the new ones looked up; known addresses stay.
    pub fn configure(&mut self, cx: &mut Cx) {
        let old = std::mem::take(&mut self.hosts);
        let config = cx.config.clone();
        for (gateway, mapping) in config.gateways.iter().enumerate().filter(|(_, gateway)| gateway.brings_calls()) {
            for peer in &mapping.peers {
                let Peer::Name { host, port } = peer else { continue };
                let known = old.iter().find(|old| old.host == *host && old.port == *port);
                let (addresses, failure) = known.map_or((Vec::new(), None), |old| (old.addresses.clone(), old.failure));
                self.next_id += 1;
                let (id, host, port, due) = (self.next_id, host.clone(), *port, cx.now.mono);
                self.hosts.push(Host { id, gateway, host, port, addresses, failure, due });
            }
        }
        self.index();
        self.arm(cx);
    }

    /// The place in the configuration of the mapping gateway that a message from this address is from. Written addresses go
    /// before those of names, and one with a port before one without.
    pub fn find(&self, config: &Config, from: SocketAddr) -> Option<usize> {
        config.gateways.find_peer(from).or_else(|| {
            let ip = from.ip().to_canonical();
            [Some(from.port()), None].into_iter().find_map(|port| self.by_address.get(&(ip, port)).copied())
        })
    }

    /// Timers armed here.
    pub fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    /// A name is due: looks up the one that has waited longest. Its answer may come at once.
    pub fn fire(&mut self, cx: &mut Cx, resolver: &mut Resolver) {
        self.timer = None;
        let due = self.hosts.iter_mut().min_by_key(|host| host.due).filter(|host| host.due <= cx.now.mono);
        if let Some(host) = due {
            host.due = Instant::FAR_FUTURE;
            let owner = Owner { party: Party::Dns, id: host.id, role: 0 };
            let name = Name { host: host.host.clone(), port: host.port, transport: None };
            if let Some(answer) = resolver.resolve(cx, &name, owner) {
                self.take(cx, owner.id, answer);
            }
        }
        self.arm(cx);
    }

    /// The answer to a lookup of [`Peers::fire`].
    pub fn on_resolved(&mut self, cx: &mut Cx, owner: Owner, answer: Answer) {
        self.take(cx, owner.id, answer);
        self.arm(cx);
    }

    fn take(&mut self, cx: &mut Cx, id: u64, answer: Answer) {
        let Some(host) = self.hosts.iter_mut().find(|host| host.id == id) else { return };
        let before = (host.addresses.clone(), host.failure);
        match answer {
            Ok(set) => {
                host.due = set.until;
                host.failure = None;
                host.addresses = set.targets.iter().map(|target| target.remote.ip().to_canonical()).collect();
                host.addresses.sort_unstable();
                host.addresses.dedup();
            }
            Err(failure) => {
                host.due = cx.now.mono + AGAIN_AFTER;
                host.failure = Some(failure);
            }
        }
        if before == (host.addresses.clone(), host.failure) {
            return;
        }
        let gateway = cx.config.gateways.get(host.gateway).map_or_else(String::new, |gateway| gateway.name.clone());
        let rule = host.failure.map_or("dns.resolved", DnsFailure::name);
        cx.emit(Event::GatewayLocated { gateway, host: host.host.clone(), addresses: host.addresses.clone(), rule });
        self.index();
    }

    fn index(&mut self) {
        self.by_address.clear();
        for host in self.hosts.iter().rev() {
            for &ip in &host.addresses {
                // from the last to the first: of two gateways with one address the earlier stays
                self.by_address.insert((ip, host.port), host.gateway);
            }
        }
    }

    /// Arms the timer for the name that is due first.
    fn arm(&mut self, cx: &mut Cx) {
        cx.timers.cancel(&mut self.timer);
        let due = self.hosts.iter().map(|host| host.due).min().filter(|due| *due != Instant::FAR_FUTURE);
        self.timer = due.map(|due| cx.timers.arm(due.max(cx.now.mono), TimerKey::Dns(0, DnsTimer::Peers)));
    }
}
