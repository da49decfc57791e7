//! Where a call goes: registered phones by their binding, everything else to a gateway by the longest prefix.
//!
//! | rule | when | result |
//! |---|---|---|
//! | `route.binding` | the number is a phone of ours, and registered | its best binding |
//! | `route.not-registered` | the number is a phone of ours, and not registered | 480 |
//! | `route.prefix` | a gateway takes a prefix of the number | the gateway: longest prefix, then priority, then least load |
//! | `route.capacity` | every such gateway is full | 503 |
//! | `route.none` | nobody takes the number | 404 |

use crate::cdr::EndReason;
use crate::config::Config;
use crate::input::{Flow, SocketId};
use crate::registrar::Registrar;
use crate::time::Now;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Calls under way to and from each gateway, by its index in the configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Load(std::collections::BTreeMap<String, u32>);

impl Load {
    /// Calls under way through this gateway.
    pub fn of(&self, gateway: &str) -> u32 {
        self.0.get(gateway).copied().unwrap_or(0)
    }

    /// A call goes through this gateway.
    pub fn add(&mut self, gateway: &str) {
        *self.0.entry(gateway.to_owned()).or_default() += 1;
    }

    /// A call through this gateway is over.
    pub fn remove(&mut self, gateway: &str) {
        if let Some(calls) = self.0.get_mut(gateway) {
            *calls = calls.checked_sub(1).expect("a gateway's call is removed once for each time it was added");
        }
    }
}

/// Where a call goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The next hop.
    pub flow: Flow,
    /// The Request-URI there.
    pub uri: Box<[u8]>,
    /// Route values for the way there (RFC 3327).
    pub routes: Vec<Box<[u8]>>,
    /// The called number as it goes out.
    pub number: String,
    /// The gateway's name; empty for a phone.
    pub gateway: String,
}

impl Destination {
    /// Where, in words.
    pub fn describe(&self) -> String {
        let to = if self.gateway.is_empty() { "phone" } else { &self.gateway };
        format!("{} at {} ({to})", self.number, self.flow.remote)
    }
}

/// The choice, with the rule that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// There is a way.
    To {
        /// Where.
        destination: Destination,
        /// The rule.
        rule: &'static str,
    },
    /// There is none.
    Refused {
        /// The SIP status that says so.
        status: u16,
        /// The CDR's word for it.
        reason: EndReason,
        /// The rule.
        rule: &'static str,
    },
}

/// Chooses. Pure: the same facts give the same route.
pub fn choose(config: &Config, registrar: &Registrar, load: &Load, now: Now, number: &str) -> Route {
    if config.phones.find(number).is_some() {
        return to_phone(registrar, now, number);
    }
    to_gateway(config, load, number)
}

fn to_phone(registrar: &Registrar, now: Now, number: &str) -> Route {
    match registrar.lookup(number.as_bytes(), now).next() {
        Some(target) => Route::To {
            destination: Destination {
                flow: target.flow,
                uri: target.contact.into(),
                routes: crate::sip::split_list(target.path).map(Box::from).collect(),
                number: number.to_owned(),
                gateway: String::new(),
            },
            rule: "route.binding",
        },
        None => Route::Refused { status: 480, reason: EndReason::NotOnline, rule: "route.not-registered" },
    }
}

fn to_gateway(config: &Config, load: &Load, number: &str) -> Route {
    let mut candidates: Vec<(usize, u32, u32, usize)> = Vec::new();
    let mut is_any_full = false;
    for (index, gateway) in config.gateways.iter().enumerate().filter(|(_, gateway)| gateway.routing) {
        let Some(longest) = gateway.longest_prefix(number) else { continue };
        let calls = load.of(&gateway.name);
        if gateway.capacity != 0 && calls >= gateway.capacity {
            is_any_full = true;
            continue;
        }
        candidates.push((usize::MAX - longest, gateway.priority, calls, index));
    }
    let Some(&(.., index)) = candidates.iter().min() else {
        return if is_any_full {
            Route::Refused { status: 503, reason: EndReason::Capacity, rule: "route.capacity" }
        } else {
            Route::Refused { status: 404, reason: EndReason::NoRoute, rule: "route.none" }
        };
    };
    let gateway = &config.gateways.list()[index];
    let remote = gateway.peers.first().expect("config refuses a gateway without peers").target();
    let Some(socket) = socket_for(config, remote) else {
        return Route::Refused { status: 503, reason: EndReason::NoRoute, rule: "route.no-socket" };
    };
    let number = gateway.rewritten(number).into_owned();
    let uri = format!("sip:{}@{remote}", crate::sip::escape_user(&number));
    Route::To {
        destination: Destination {
            flow: Flow { socket, transport: config.listen[usize::from(socket.0)].transport, remote },
            uri: uri.into_bytes().into(),
            routes: Vec::new(),
            number,
            gateway: gateway.name.clone(),
        },
        rule: "route.prefix",
    }
}

/// The first signalling socket of the remote's address family.
fn socket_for(config: &Config, remote: SocketAddr) -> Option<SocketId> {
    let index = config.listen.iter().position(|listen| listen.bind.is_ipv4() == remote.is_ipv4())?;
    Some(SocketId(u16::try_from(index).expect("config bounds the number of sockets")))
}
