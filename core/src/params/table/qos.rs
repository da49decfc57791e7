//! Quality of service (behaviour 1(h), 2.5).

use crate::params::kind::Kind;
use crate::params::spec::Spec;

const SECTION: &str = "QoS";

pub(super) const SPECS: &[Spec] = &[
    Spec::active(
        SECTION,
        "SS_QOS_SIGNAL",
        Kind::Tos,
        "0xa0",
        "ToS octet",
        "Mark on signalling, IPv4 type of service and IPv6 traffic class alike. 0xa0 is CS5, which RFC 4594 gives to \
         signalling",
    ),
    Spec::active(
        SECTION,
        "SS_QOS_RTP",
        Kind::Tos,
        "0xa0",
        "ToS octet",
        "Mark on relayed media, IPv4 and IPv6 alike. 0xa0 is CS5, the compatible default; RFC 4594 gives EF (0xb8) to \
         voice, which is the better choice",
    ),
];
