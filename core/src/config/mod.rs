//! The configuration: from the text of the file to the validated form that the rest of the core reads.

mod diff;
mod endpoint;
mod gateways;
mod model;
mod network;
mod parameters;
mod parse;
mod parse_gateway;
mod parse_phone;
mod phones;
mod reader;
#[cfg(test)]
mod tests;

pub use crate::finding::{Finding, Findings, Level};
pub use gateways::{Gateway, GatewayAuth, Gateways, Peer, Rewrite};
pub use model::{Cidr, Config, Listen, Network};
pub use parse::{Parsed, parse, parse_on};
pub use phones::{Block, Phone, Phones, Profile, Single};
