//! SIP: keep-alive, session timer, resends, call timers (behaviour 2.3, 3).

use crate::params::kind::Kind;
use crate::params::spec::Spec;

const SECTION: &str = "SIP";

/// Seconds a call timer may take: an hour is longer than any phone rings.
const CALL_TIMER: Kind = Kind::Whole { min: 1, max: 3600 };

pub(super) const SPECS: &[Spec] = &[
    Spec::active(
        SECTION,
        "SS_SIP_RESEND_INTERVAL",
        Kind::Intervals,
        "0.5,1,2,4,4,4,4,4,4,4",
        "s",
        "Gaps between resends over UDP; given up after their sum and the first once more. The default is the schedule of \
         RFC 3261 Timers E and F",
    ),
    Spec::active(
        SECTION,
        "SS_SIP_TIMEOUT_INVITE",
        CALL_TIMER,
        "10",
        "s",
        "No answer of any kind to an INVITE: the next route is tried, or the call fails",
    ),
    Spec::active(SECTION, "SS_SIP_TIMEOUT_TRYING", CALL_TIMER, "20", "s", "Nothing more after 100 Trying"),
    Spec::active(
        SECTION,
        "SS_SIP_TIMEOUT_SESSION_PROGRESS",
        CALL_TIMER,
        "20",
        "s",
        "Nothing more after 183 Session Progress without SDP",
    ),
    Spec::active(
        SECTION,
        "SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP",
        CALL_TIMER,
        "120",
        "s",
        "No answer after 183 Session Progress with SDP",
    ),
    Spec::active(SECTION, "SS_SIP_TIMEOUT_RINGING", CALL_TIMER, "120", "s", "No answer after 180 Ringing"),
    Spec::active(
        SECTION,
        "SS_SIP_NO_TIMER_REINVITE_INTERVAL",
        Kind::Whole { min: 0, max: 604_800 },
        "7200",
        "s",
        "Longest conversation where a leg has no session timer, despite the name; 0 is no limit. No re-INVITE is sent",
    ),
    Spec::accepted(
        SECTION,
        "SS_SIP_SESSION_TTL",
        Kind::Whole { min: 90, max: 86_400 },
        "1800",
        "s",
        "Session-Expires; RFC 4028 allows no less than 90",
    ),
    Spec::accepted(
        SECTION,
        "SS_SIP_SESSION_UPDATE_SEGMENT",
        Kind::Whole { min: 2, max: 43_200 },
        "300",
        "s, or divider up to 10",
        "Time between session refreshes: up to 10 it divides SS_SIP_SESSION_TTL, above it is seconds; at most half of \
         SS_SIP_SESSION_TTL either way",
    ),
    Spec::accepted(
        SECTION,
        "SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP",
        Kind::Whole { min: 0, max: 3600 },
        "0",
        "s",
        "How long before a session expires the switch hangs up; 0 is as RFC 4028 §10 recommends",
    ),
    Spec::accepted(
        SECTION,
        "SS_SIP_NAT_KEEP_ALIVE_MESSAGE",
        Kind::Text { max_bytes: 1024 },
        "HELLO",
        "",
        "What is sent, as it stands, to registered UDP phones to keep their NAT binding open; empty is off",
    ),
    Spec::accepted(
        SECTION,
        "SS_SIP_NAT_KEEP_ALIVE_PERIOD",
        Kind::Whole { min: 10, max: 86_400 },
        "30",
        "s",
        "Time between two keep-alive messages to one device",
    ),
    Spec::accepted(
        SECTION,
        "SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL",
        Kind::Whole { min: 10, max: 60_000 },
        "500",
        "ms",
        "Pause between two batches of keep-alive messages",
    ),
    Spec::accepted(
        SECTION,
        "SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME",
        Kind::Whole { min: 1, max: 1_000_000 },
        "3000",
        "messages",
        "Most keep-alive messages in one batch",
    ),
    Spec::accepted(
        SECTION,
        "SS_TCP_CLOSE_RESET",
        Kind::Switch,
        "Off",
        "",
        "Close TCP connections with a reset, so that no port waits",
    ),
];
