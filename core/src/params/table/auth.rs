//! Authentication, lockout and other defences (behaviour 2.4, 3).

use crate::params::kind::{Choice, Kind};
use crate::params::spec::Spec;

const SECTION: &str = "Authentication";

pub(super) const SPECS: &[Spec] = &[
    Spec::active(
        SECTION,
        "SS_SIP_AUTHENTICATION_CODE",
        Kind::Choice(&[
            Choice { name: "Unauthorized(401)", code: 401 },
            Choice { name: "Proxy Authentication Required(407)", code: 407 },
        ]),
        "Unauthorized(401)",
        "",
        "Status of the challenge to everything but REGISTER, which is always challenged with 401: a registrar is a user \
         agent server",
    ),
    Spec::active(
        SECTION,
        "SS_SIP_AUTHENTICATION_TIMEOUT",
        Kind::Whole { min: 1, max: 300 },
        "10",
        "s",
        "Time to answer a fresh challenge of ours; where the switch is the client, the time its request with credentials \
         may go without any answer",
    ),
    Spec::active(
        SECTION,
        "SS_SIP_AUTHENTICATION_RETRY",
        Kind::Whole { min: 1, max: 100 },
        "6",
        "rounds",
        "Most challenges in one exchange, then 403; most authenticated resends where the switch is the client",
    ),
    Spec::accepted(
        SECTION,
        "SS_AUTHENTICATION_MAX_RETRY",
        Kind::Whole { min: 0, max: 999 },
        "6",
        "failures",
        "Wrong answers to our challenges from one address (IPv6: one /64) before it is locked out; 0 turns the lockout \
         off, never the authentication",
    ),
    Spec::accepted(
        SECTION,
        "SS_AUTHENTICATION_FAILED_SUSPEND",
        Kind::Whole { min: 60, max: 3600 },
        "180",
        "s",
        "How long a lockout lasts, from the failure that caused it; further attempts do not extend it",
    ),
    Spec::accepted(
        SECTION,
        "SS_REPLY_UNAUTHORIZED",
        Kind::Switch,
        "On",
        "",
        "Answer a locked-out address with a rate-limited 403; Off: with silence",
    ),
    Spec::accepted(
        SECTION,
        "SERVER_LOGIN_FAILED_DISABLE_TIME",
        Kind::Whole { min: 0, max: 86_400 },
        "120",
        "s",
        "How long a management login is refused after repeated failures; 0 is off",
    ),
    Spec::accepted(
        SECTION,
        "SS_BLACK_LIST_CALLER_MALICIOUS_CALL_CHECK_INTERVAL",
        Kind::Whole { min: 1, max: 86_400 },
        "60",
        "s",
        "Window in which the calls of one caller are counted for the malicious-call blacklist",
    ),
    Spec::accepted(
        SECTION,
        "SS_BLACK_LIST_CALLER_MALICIOUS_CALL_EXPIRE",
        Kind::Whole { min: 1, max: 2_592_000 },
        "3600",
        "s",
        "How long a caller stays on the malicious-call blacklist",
    ),
    Spec::accepted(
        SECTION,
        "SS_BLACK_LIST_CALLER_MALICIOUS_CALL_LIMIT",
        Kind::WholeOr { word: "None", min: 1, max: 1_000_000 },
        "None",
        "calls",
        "Calls in the window that put a caller on the malicious-call blacklist; None is off",
    ),
];
