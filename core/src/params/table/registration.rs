//! Registration, in and out (behaviour 3).

use crate::params::kind::Kind;
use crate::params::spec::Spec;

const SECTION: &str = "Registration";

pub(super) const SPECS: &[Spec] = &[
    Spec::active(
        SECTION,
        "SS_ENDPOINT_EXPIRE",
        Kind::Whole { min: 10, max: 604_800 },
        "3600",
        "s",
        "Life of a registration: the default where the phone names none, and the most it gets",
    ),
    Spec::accepted(
        SECTION,
        "SS_ENDPOINTTIMETOLIVE",
        Kind::Whole { min: 10, max: 86_400 },
        "60",
        "s",
        "Time between two checks of the switch whether a registered endpoint is still there",
    ),
    Spec::active(
        SECTION,
        "SS_SIP_USER_AGENT_EXPIRE",
        Kind::WholeOr { word: "Auto", min: 20, max: 7200 },
        "Auto",
        "s",
        "Expiry that the switch asks for where it registers to others; Auto takes what they give",
    ),
    Spec::active(
        SECTION,
        "SS_SIP_USER_AGENT_RETRY_DELAY",
        Kind::Whole { min: 30, max: 600 },
        "60",
        "s",
        "Pause before the switch tries a failed registration to others again; longer where they say so in Retry-After",
    ),
    Spec::accepted(
        SECTION,
        "SS_SIP_PUBLISH_EXPIRE",
        Kind::Whole { min: 30, max: 7200 },
        "300",
        "s",
        "Life of a published event state (RFC 3903)",
    ),
];
