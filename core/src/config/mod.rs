//! The configuration: from the text of the file to the validated form that the rest of the core reads.

mod diff;
mod endpoint;
mod gateway_rules;
mod gateways;
mod groups;
mod identity;
mod model;
mod named;
mod network;
mod parameters;
mod parse;
mod parse_gateway;
mod parse_gateway_rules;
mod parse_identity;
mod parse_phone;
mod parse_tones;
mod phones;
mod reader;
#[cfg(test)]
mod tests;
mod tones;
mod watch;

pub use crate::finding::{Finding, Findings, Level};
pub use gateway_rules::{
    Digits, Failover, GatewayRules, MaxDuration, NotTaken, NumberRules, Numbers, Prefix, Redirect, Rel100, Reserved,
    Rewrite, Timeouts,
};
pub use gateways::{Gateway, GatewayAuth, Gateways, Peer, Ping};
pub use groups::{Group, Order};
pub use identity::{Claim, Display, IdentityPolicy, Privacy, Trail};
pub use model::{Cidr, Config, Listen, MEDIA_BATCH_US, Network};
pub use named::Endpoint;
pub use parse::{Parsed, parse, parse_on};
pub use parse_gateway_rules::KEYS as ROUTING_KEYS;
pub use phones::{Block, Phone, Phones, Profile, Single};
pub use tones::{Ringback, Tones};
pub use watch::MediaWatch;
