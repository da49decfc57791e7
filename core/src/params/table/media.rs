//! Media proxy and media ports (behaviour 2.1, 2.2).

use crate::params::kind::Kind;
use crate::params::media_proxy::CHOICES;
use crate::params::spec::Spec;

const SECTION: &str = "Media";

pub(super) const SPECS: &[Spec] = &[
    Spec::active(
        SECTION,
        "SS_MEDIAPROXYMODE",
        Kind::Choice(CHOICES),
        "Auto",
        "",
        "Whether media goes through the switch. Off: never. On: always. Auto: the rules S1 to S8 decide for each call. \
         Must On: always, and nothing may lift it",
    ),
    Spec::active(
        SECTION,
        "SS_MEDIAPROXYBETWEENNET",
        Kind::Switch,
        "On",
        "",
        "In Auto, relay a call between endpoints of different networks (rule S6)",
    ),
    Spec::active(
        SECTION,
        "SS_MEDIAPROXYBEHINDNAT",
        Kind::Switch,
        "On",
        "",
        "In Auto, relay a call with a side behind an address translator (rule S7)",
    ),
    Spec::active(
        SECTION,
        "SS_MEDIAPROXYSAMENAT",
        Kind::Switch,
        "On",
        "",
        "Rule S7 also for two sides behind the same address translator: two customers of one carrier-grade NAT share an \
         address yet cannot reach each other",
    ),
    Spec::active(
        SECTION,
        "SS_RTP_PORT_RANGE",
        Kind::Ports,
        "10000,39999",
        "UDP ports",
        "Ports for relayed media, both ends included: one a leg with RTCP multiplexed or off, else an even-odd pair",
    ),
    Spec::accepted(
        SECTION,
        "SS_H245_PORT_RANGE",
        Kind::Ports,
        "10000,39999",
        "TCP ports",
        "Ports for H.245 listeners. TCP, so it takes nothing from the media ports of the same numbers",
    ),
    Spec::active(
        SECTION,
        "IVR_RTP_PORT",
        Kind::Ports,
        "40000,47999",
        "UDP ports",
        "Ports for tones and announcements that the switch plays itself, one a leg; apart from SS_RTP_PORT_RANGE",
    ),
];
