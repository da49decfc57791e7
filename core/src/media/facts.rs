//! What the decision knows of a call. Facts are plain values: whoever gathers them has done all the looking up.

use crate::nat::Evidence;
use crate::params::{MediaProxy, Parameters};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Everything that the decision depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The parameters.
    pub switches: Switches,
    /// Who calls.
    pub caller: Side,
    /// Who is called, by this attempt.
    pub callee: Side,
    /// What needs the media in the switch besides.
    pub needs: Needs,
}

/// The parameters of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switches {
    /// SS_MEDIAPROXYMODE.
    pub mode: MediaProxy,
    /// SS_MEDIAPROXYBETWEENNET.
    pub between_net: bool,
    /// SS_MEDIAPROXYBEHINDNAT.
    pub behind_nat: bool,
    /// SS_MEDIAPROXYSAMENAT.
    pub same_nat: bool,
}

impl Switches {
    /// Those in force.
    pub fn of(parameters: &Parameters) -> Switches {
        Switches {
            mode: parameters.media_proxy_mode(),
            between_net: parameters.media_between_net(),
            behind_nat: parameters.media_behind_nat(),
            same_nat: parameters.media_same_nat(),
        }
    }
}

/// One side of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// `media_proxy` of the phone or gateway.
    pub mode: MediaProxy,
    /// It registers here, so its address is not a configured one.
    pub registers: bool,
    /// `encryption` of the phone or gateway.
    pub is_encrypted: bool,
    /// `local_ring`: the switch plays ringback to those who call it. Of the callee alone it counts.
    pub has_local_ring: bool,
    /// Interruption of its media is watched for.
    pub is_watched: bool,
    /// The name of its network (behaviour 1(a)).
    pub network: String,
    /// Where its packets come from; unknown before it has sent any, and then taken for IPv4.
    pub source: Option<IpAddr>,
    /// Whether an address translator stands before it.
    pub nat: Nat,
}

impl Side {
    /// Whether it is reached by IPv6.
    pub fn is_v6(&self) -> bool {
        self.source.is_some_and(|source| source.to_canonical().is_ipv6())
    }
}

/// Whether an address translator stands before a side (behaviour 1(a), "NAT facts").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Nat {
    /// Nothing shows one.
    None,
    /// There is one, whose outside is this address.
    Behind {
        /// Where its packets were seen to come from.
        observed: IpAddr,
        /// What shows it.
        evidence: Evidence,
    },
}

impl Nat {
    /// The translator that `evidence` shows before a side whose packets come from `observed`.
    pub fn shown_by(evidence: Evidence, observed: IpAddr) -> Nat {
        match evidence.is_any() {
            true => Nat::Behind { observed: observed.to_canonical(), evidence },
            false => Nat::None,
        }
    }

    /// The outside address of the translator.
    pub fn observed(self) -> Option<IpAddr> {
        match self {
            Nat::None => None,
            Nat::Behind { observed, .. } => Some(observed),
        }
    }
}

/// Whether two outside addresses are of one site: the same, or for IPv6 in the same /64 (behaviour 1(a), S7).
pub(super) fn is_same_site(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => one == other,
        (IpAddr::V6(one), IpAddr::V6(other)) => one.segments()[..4] == other.segments()[..4],
        _ => false,
    }
}

/// What needs a call's media in the switch (behaviour 1(a), "Extension").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Need {
    /// It is recorded.
    Recording,
    /// Interruption of its media is watched for.
    Interruption,
    /// Codecs or the way digits are sent have to be converted.
    Conversion,
    /// One side has SRTP, the other has not.
    Crypto,
    /// One side has IPv4, the other IPv6.
    Family,
}

impl Need {
    /// All of them, by the order of their rules.
    pub const ALL: [Need; 5] = [Need::Recording, Need::Interruption, Need::Conversion, Need::Crypto, Need::Family];

    /// Whether the two sides cannot speak to each other without it.
    pub fn is_vital(self) -> bool {
        matches!(self, Need::Conversion | Need::Crypto | Need::Family)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Need::Recording => "recording",
            Need::Interruption => "interruption detection",
            Need::Conversion => "conversion of codecs or digits",
            Need::Crypto => "SRTP on one side alone",
            Need::Family => "IPv4 and IPv6",
        }
    }
}

/// A set of needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs(u8);

impl Needs {
    /// No need at all.
    pub const NONE: Needs = Needs(0);

    /// Those that follow from the two sides.
    pub fn of(caller: &Side, callee: &Side) -> Needs {
        let needs = [
            (caller.is_watched || callee.is_watched, Need::Interruption),
            (caller.is_v6() != callee.is_v6(), Need::Family),
        ];
        needs.into_iter().fold(Needs::NONE, |all, (is_so, need)| if is_so { all.and(need) } else { all })
    }

    /// With this one too.
    #[must_use]
    pub fn and(self, need: Need) -> Needs {
        Needs(self.0 | 1 << need as u8)
    }

    /// Whether it is in the set.
    pub fn has(self, need: Need) -> bool {
        self.0 & 1 << need as u8 != 0
    }

    /// Those in the set, in the order of their rules.
    pub fn iter(self) -> impl Iterator<Item = Need> {
        Need::ALL.into_iter().filter(move |need| self.has(*need))
    }
}
