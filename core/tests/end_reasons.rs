//! The table of end reasons: the page against the code.
#![expect(clippy::disallowed_methods, reason = "the ban is for the core; this test reads a page")]

use crosspoint_core::cdr::{EndReason, cause_of_status, status_of_cause};
use crosspoint_core::sip::reason_phrase;
use std::fmt::Write;
use std::path::Path;

/// Final statuses of RFC 3261 §21 and their extensions that a peer is likely to send.
const STATUSES: [u16; 40] = [
    300, 301, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 414, 415, 416, 420, 421, 480, 481,
    482, 483, 484, 485, 486, 487, 488, 500, 501, 502, 503, 504, 505, 600, 603, 604, 606,
];

fn page() -> String {
    let mut page = "# End reasons\n\nWhy a call ended: one word, the same in the CDR, the log, the API and the Reason header \
        (RFC 3326). Written from the table in `core/src/cdr/end_reason.rs`.\n\n* **Status**: the final SIP status for a \
        caller that still waits for an answer; `-` where none can be waiting. The CDR of an answered call has 200.\n* \
        **Q.850**: the cause for ISDN and SS7, and the one in the Reason header.\n* **Reason**: the header in a BYE or \
        CANCEL that the switch sends for it. Where the other leg's BYE or CANCEL carries a Reason header, that one is \
        passed on instead.\n\n| name | meaning | status | Q.850 | Reason |\n|---|---|---|---|---|\n"
        .to_owned();
    for reason in EndReason::ALL {
        let status = reason.waiting_status().map_or("-".to_owned(), |status| status.to_string());
        let header = std::str::from_utf8(reason.header()).expect("ASCII").trim_end();
        let header = header.strip_prefix("Reason: ").map_or("-".to_owned(), |value| format!("`{value}`"));
        writeln!(page, "| `{}` | {} | {status} | {} | {header} |", reason.name(), reason.meaning(), reason.q850())
            .expect("a text takes every write");
    }
    page.push_str(
        "\n## What a peer's status says\n\nWhere it carries a Reason header with a more precise Q.850 cause, that one \
         goes first. The Q.850 column is RFC 3398 §8.2.6.1.\n\n| status | phrase | end reason | Q.850 |\n|---|---|---|---|\n",
    );
    for status in STATUSES {
        let (reason, cause) = (EndReason::of_status(status).name(), cause_of_status(status));
        writeln!(page, "| {status} | {} | `{reason}` | {cause} |", reason_phrase(status)).expect("as above");
    }
    page.push_str(
        "\n## What a Q.850 cause says\n\nThe status column is RFC 3398 §7.2.4.1. `-`: nothing more precise than the \
         status it comes with.\n\n| Q.850 | end reason | status |\n|---|---|---|\n",
    );
    for cause in 1..=127 {
        let reason = EndReason::of_cause(cause).map_or("-".to_owned(), |reason| format!("`{}`", reason.name()));
        if reason != "-" || [16, 31, 127].contains(&cause) {
            writeln!(page, "| {cause} | {reason} | {} |", status_of_cause(cause)).expect("as above");
        }
    }
    page
}

/// Written anew by `UPDATE_DOCS=1 cargo test -p crosspoint-core --test end_reasons`.
#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/end-reasons.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, page()).expect("docs/end-reasons.md can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/end-reasons.md is there");
    assert!(written == page(), "docs/end-reasons.md is out of date; UPDATE_DOCS=1 writes it anew");
}

/// A CDR is read years later: these words stay.
#[test]
fn the_words_of_earlier_records_are_still_there() {
    let earlier = "normal cancelled busy rejected not_found called_not_online no_answer no_available_router \
                   connection_limit_exceeded response_timeout server_failure codec_mismatch no_ack max_duration \
                   dialog_gone operator protocol_error interrupted";
    for word in earlier.split_whitespace() {
        assert!(EndReason::ALL.iter().any(|reason| reason.name() == word), "{word}");
    }
}
