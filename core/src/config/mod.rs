//! The configuration, validated.

mod gateways;
mod model;
mod phones;

pub use gateways::{Gateway, GatewayAuth, Gateways, Peer, Rewrite};
pub use model::{Cidr, Config, Listen, Network};
pub use phones::{Block, Phone, Phones, Profile, Single};
