//! Failover between gateways (behaviour 3).

use crate::params::kind::Kind;
use crate::params::spec::Spec;

const SECTION: &str = "Failover";

pub(super) const SPECS: &[Spec] = &[
    Spec::active(
        SECTION,
        "SS_GATEWAY_SWITCH_LIMIT",
        Kind::WholeOr { word: "None", min: 1, max: 100 },
        "None",
        "gateways",
        "Most gateways tried for one call; None is all that match",
    ),
    Spec::active(
        SECTION,
        "SS_GATEWAY_SWITCH_UNTIL_CONNECT",
        Kind::Switch,
        "Off",
        "",
        "Try further gateways until one answers, even after one has rung or sent SDP",
    ),
    Spec::active(
        SECTION,
        "SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START",
        Kind::Switch,
        "On",
        "",
        "Try no further gateway once media flows",
    ),
    Spec::active(
        SECTION,
        "SS_SIP_STOP_SWITCH_AFTER_SDP",
        Kind::Switch,
        "On",
        "",
        "Try no further gateway once one has sent SDP, unless SS_GATEWAY_SWITCH_UNTIL_CONNECT is on",
    ),
    Spec::active(
        SECTION,
        "SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT",
        Kind::Switch,
        "Off",
        "",
        "Try no further gateway after SS_SIP_TIMEOUT_INVITE",
    ),
];
