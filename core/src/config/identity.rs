//! What an endpoint is shown of who calls, and what it is believed.

use serde::{Deserialize, Serialize};

/// The identity settings of a phone or gateway (RFC 3323, RFC 3325). All but `trusted` are about messages to it; as the
/// side that calls, only `trusted` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityPolicy {
    /// Whether it is in the switch's trust domain (RFC 3325 §2.3): what it says of identities is believed, and it is told
    /// identities that the public is not to see.
    pub trusted: bool,
    /// The name beside the caller's number.
    pub display: Display,
    /// Remote-Party-ID (draft-ietf-sip-privacy-04, which older trunks still want).
    pub remote_party_id: Claim,
    /// Privacy (RFC 3323).
    pub privacy: Privacy,
    /// P-Asserted-Identity (RFC 3325 §9.1).
    pub p_asserted_identity: Claim,
    /// P-Preferred-Identity (RFC 3325 §9.2).
    pub p_preferred_identity: Claim,
    /// Diversion (RFC 5806).
    pub diversion: Trail,
    /// History-Info (RFC 7044).
    pub history_info: Trail,
}

/// What name stands beside the caller's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Display {
    /// None.
    None,
    /// The one that the caller gives.
    Passthrough,
    /// The number itself.
    Number,
}

/// A header that says who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Claim {
    /// Not written.
    None,
    /// Who a trusted caller's side says it is.
    Passthrough,
    /// The calling number as routing gives it.
    Caller,
}

/// The Privacy header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Privacy {
    /// Not written. Who asks for privacy is then not told of at all.
    None,
    /// As the caller asks.
    Passthrough,
    /// `id`, whoever calls.
    Id,
}

/// A header that says which way a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trail {
    /// Not written.
    None,
    /// What a trusted caller's side says.
    Passthrough,
}

impl IdentityPolicy {
    /// Gateways are partners: they are believed, and get what they need to place and bill a call.
    pub const GATEWAY: IdentityPolicy = IdentityPolicy {
        trusted: true,
        display: Display::Passthrough,
        remote_party_id: Claim::None,
        privacy: Privacy::Passthrough,
        p_asserted_identity: Claim::Passthrough,
        p_preferred_identity: Claim::None,
        diversion: Trail::Passthrough,
        history_info: Trail::Passthrough,
    };

    /// Phones are the public: they see a number and a name, or that both are withheld.
    pub const PHONE: IdentityPolicy = IdentityPolicy {
        trusted: false,
        p_asserted_identity: Claim::None,
        diversion: Trail::None,
        history_info: Trail::None,
        ..IdentityPolicy::GATEWAY
    };
}
