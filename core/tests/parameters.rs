//! The parameter table against the specification, and the reference page against the table.
#![expect(clippy::disallowed_methods, reason = "the ban is for the core; this test reads a page and the specification")]

mod shared;

use crosspoint_core::params::{Format, Parameters, Spec, Status, TABLE, find, import, render};
use quickcheck::quickcheck;
use std::path::Path;

/// Every parameter that behaviour.md names in §2, and those of §3 that have a whole name; written out by hand.
const NAMES: &str = "
    SS_MEDIAPROXYMODE SS_MEDIAPROXYBETWEENNET SS_MEDIAPROXYBEHINDNAT SS_MEDIAPROXYSAMENAT
    SS_RTP_PORT_RANGE SS_H245_PORT_RANGE IVR_RTP_PORT
    SS_SIP_NAT_KEEP_ALIVE_MESSAGE SS_SIP_NAT_KEEP_ALIVE_PERIOD SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL
    SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME
    SS_SIP_SESSION_TTL SS_SIP_SESSION_UPDATE_SEGMENT SS_SIP_RESEND_INTERVAL SS_SIP_NO_TIMER_REINVITE_INTERVAL
    SS_AUTHENTICATION_MAX_RETRY SS_AUTHENTICATION_FAILED_SUSPEND
    SS_SIP_AUTHENTICATION_CODE SS_SIP_AUTHENTICATION_TIMEOUT SS_SIP_AUTHENTICATION_RETRY
    SS_H323_DTMF_METHOD SS_H323_TIMEOUT_SETUP SS_H323_TIMEOUT_CALLPROCEEDING SS_H323_TIMEOUT_ALERTING
    SS_QOS_SIGNAL SS_QOS_RTP
    SERVER_BILLING_HOLD_TIME_PRECISION SERVER_MAX_CDR_PENDING_LIST_LENGTH
    SERVER_CDR_FILE_WRITE_MAX SERVER_CDR_FILE_WRITE_INTERVAL

    SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP
    SS_SIP_TIMEOUT_RINGING
    SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START
    SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT
    SS_ENDPOINT_EXPIRE SS_ENDPOINTTIMETOLIVE SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY
    SS_SIP_PUBLISH_EXPIRE SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP
    SS_REPLY_UNAUTHORIZED SS_TCP_CLOSE_RESET SERVER_LOGIN_FAILED_DISABLE_TIME
    SS_BLACK_LIST_CALLER_MALICIOUS_CALL_CHECK_INTERVAL SS_BLACK_LIST_CALLER_MALICIOUS_CALL_EXPIRE
    SS_BLACK_LIST_CALLER_MALICIOUS_CALL_LIMIT
    SERVER_BILLING_FREE_TIME SERVER_BILLING_FEE_PRECISTION SERVER_BILLING_FEE_UNIT
    SERVER_BILLING_RECORD_ZERO_HOLD_TIME SERVER_BILLING_RECORD_SERVER_HANG_UP
    SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME SS_CDR_RECORD_TO_FILE SS_CDR_RECORD_NONCONNECT";

/// Those that this build acts on.
const ACTIVE: &str = "
    SS_SIP_RESEND_INTERVAL SS_ENDPOINT_EXPIRE SS_SIP_USER_AGENT_EXPIRE SS_SIP_USER_AGENT_RETRY_DELAY
    SS_SIP_AUTHENTICATION_CODE SS_SIP_AUTHENTICATION_TIMEOUT
    SS_SIP_AUTHENTICATION_RETRY SS_SIP_TIMEOUT_INVITE SS_SIP_TIMEOUT_TRYING SS_SIP_TIMEOUT_SESSION_PROGRESS
    SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP SS_SIP_TIMEOUT_RINGING SS_SIP_NO_TIMER_REINVITE_INTERVAL
    SERVER_BILLING_HOLD_TIME_PRECISION SERVER_CDR_FILE_WRITE_INTERVAL SERVER_CDR_FILE_WRITE_MAX SS_QOS_SIGNAL
    SS_QOS_RTP SS_RTP_PORT_RANGE IVR_RTP_PORT SS_MEDIAPROXYMODE SS_MEDIAPROXYBETWEENNET SS_MEDIAPROXYBEHINDNAT
    SS_MEDIAPROXYSAMENAT
    SS_GATEWAY_SWITCH_LIMIT SS_GATEWAY_SWITCH_UNTIL_CONNECT SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START
    SS_SIP_STOP_SWITCH_AFTER_SDP SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT";

/// Named in the specification as what other lists call it; the importer knows it.
const ALIAS: &str = "SS_ENDPOINTREGISTERSUSPEND";

#[test]
fn every_parameter_of_the_specification_is_in_the_table() {
    for name in NAMES.split_whitespace() {
        assert!(find(name).is_some(), "{name} is not in the table");
    }
}

/// Names written whole; `SERVER_BILLING_{...}` and `..._PERIOD` are in [`NAMES`].
#[test]
fn every_name_in_the_text_of_the_specification_is_in_the_table() {
    for (_, bytes) in shared::files("spec", &["behaviour.md"]) {
        let text = String::from_utf8(bytes).expect("the specification is UTF-8");
        let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
        let whole =
            |name: &&str| ["SS_", "SERVER_", "IVR_"].iter().any(|p| name.starts_with(p)) && !name.ends_with('_');
        let names: Vec<&str> = words.filter(whole).collect();
        assert!(names.len() > 40, "the specification names its parameters");
        for name in names {
            assert!(find(name).is_some() || name == ALIAS, "{name} is not in the table");
        }
    }
}

#[test]
fn exactly_the_parameters_of_this_build_are_active() {
    let active = |spec: &&Spec| spec.status == Status::Active;
    let mut listed: Vec<&str> = TABLE.iter().filter(active).map(|spec| spec.name).collect();
    let mut expected: Vec<&str> = ACTIVE.split_whitespace().collect();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

/// Written anew by `UPDATE_DOCS=1 cargo test -p crosspoint-core --test parameters`.
#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/parameters.md");
    let page = render(&Parameters::default(), Format::Markdown);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/parameters.md can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/parameters.md is there");
    assert!(written == page, "docs/parameters.md is out of date; UPDATE_DOCS=1 writes it anew");
}

quickcheck! {
    /// A value that passes its check is listed in one spelling, which passes again and means the same.
    fn what_passes_is_listed_and_passes_again(row: usize, text: String, number: u32) -> bool {
        let spec = &TABLE[row % TABLE.len()];
        [text, number.to_string(), (number % 4000).to_string()].iter().all(|written| {
            let mut once = Parameters::default();
            let Ok(()) = once.set(spec.name, written) else { return once == Parameters::default() };
            let listed = once.get(spec.name).expect("the table has it");
            let mut twice = Parameters::default();
            twice.set(spec.name, &listed).is_ok() && once == twice
        })
    }

    fn any_list_is_imported(text: String) -> bool {
        import(&text).toml.starts_with("[parameters]\n")
    }
}
