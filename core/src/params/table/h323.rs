//! H.323: checked and kept, so that a list of VOS3000 loads; H.323 endpoints themselves are refused (behaviour 1(i)).

use crate::params::kind::{Choice, Kind};
use crate::params::spec::Spec;

const SECTION: &str = "H.323";

pub(super) const SPECS: &[Spec] = &[
    Spec::accepted(
        SECTION,
        "SS_H323_DTMF_METHOD",
        Kind::Choice(&[
            Choice { name: "RFC 2833", code: 10 },
            Choice { name: "H.245 alphanumeric", code: 20 },
            Choice { name: "H.245 signal", code: 30 },
            Choice { name: "Q.931 keypad", code: 40 },
            Choice { name: "Off", code: 60 },
        ]),
        "H.245 alphanumeric",
        "",
        "How digits are sent to a gateway that leaves the method to the system",
    ),
    Spec::accepted(
        SECTION,
        "SS_H323_TIMEOUT_SETUP",
        Kind::Whole { min: 1, max: 3600 },
        "5",
        "s",
        "No answer to Setup: the next gateway is tried",
    ),
    Spec::accepted(
        SECTION,
        "SS_H323_TIMEOUT_CALLPROCEEDING",
        Kind::Whole { min: 1, max: 3600 },
        "20",
        "s",
        "Nothing more after CallProceeding",
    ),
    Spec::accepted(
        SECTION,
        "SS_H323_TIMEOUT_CALLPROCEEDING_OLC",
        Kind::Whole { min: 1, max: 3600 },
        "120",
        "s",
        "Nothing more after CallProceeding with an open logical channel: the counterpart of 183 with SDP",
    ),
    Spec::accepted(
        SECTION,
        "SS_H323_TIMEOUT_ALERTING",
        Kind::Whole { min: 1, max: 3600 },
        "120",
        "s",
        "No answer after Alerting",
    ),
];
