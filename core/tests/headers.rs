//! The header table of the back-to-back user agent: the page against the code, and the code against whole messages.
#![expect(clippy::disallowed_methods, reason = "the ban is for the core; this test reads a page")]

use crosspoint_core::call::headers::{self, Policy, policy};
use crosspoint_core::sip::{Index, Name, Scanned, Writer, scan};
use std::path::Path;

fn page() -> String {
    let mut page =
        "# What passes between the legs\n\nThe switch is a back-to-back user agent (RFC 7092): each leg of a \
        call is a dialog of its own. This table says what becomes of a header on its way from one leg to the other. A \
        header that is not listed is unknown to the switch and passes byte for byte.\n\n"
            .to_owned();
    for (which, title) in [
        (Policy::Own, "Written by the switch: dialog, transaction and framing of one leg"),
        (Policy::Drop, "Left out: addresses, identifiers, secrets and extensions of one leg"),
        (Policy::Filter, "Passed without the options that hold within one leg only"),
        (Policy::Pass, "Passed byte for byte"),
    ] {
        let names: Vec<&str> =
            Name::ALL.iter().filter(|&&name| policy(name) == which).map(|name| name.as_str()).collect();
        page.push_str(&format!("## {title}\n\n{}\n\n", names.join(", ")));
    }
    page.push_str(&format!("The options that are taken out: {}.\n", headers::NOT_CARRIED.join(", ")));
    page
}

/// Written anew by `UPDATE_DOCS=1 cargo test -p crosspoint-core --test headers`.
#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/headers.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, page()).expect("docs/headers.md can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/headers.md is there");
    assert!(written == page(), "docs/headers.md is out of date; UPDATE_DOCS=1 writes it anew");
}

/// What of these header lines reaches the other leg.
fn passed(lines: &str) -> String {
    let text = format!("INVITE sip:a@b SIP/2.0\r\n{lines}\r\n");
    let mut index = Index::default();
    let Ok(Scanned::Message(message)) = scan(text.as_bytes(), &mut index) else { panic!("no message: {text}") };
    let mut writer = Writer::lines();
    headers::copy(&message, &mut writer);
    String::from_utf8(writer.as_bytes().to_vec()).expect("all of it was text")
}

#[test]
fn unknown_headers_pass_byte_for_byte_and_the_leg_keeps_its_own() {
    let lines = "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1\r\nX-Odd:   kept \t\r\n  folded\r\nContact: <sip:a@10.0.0.5>\r\n\
                 f: <sip:a@b>;tag=1\r\nRoute: <sip:10.0.0.9;lr>\r\nSubject: hello\r\n";
    assert_eq!(passed(lines), "X-Odd:   kept \t\r\n  folded\r\nSubject: hello\r\n");
}

#[test]
fn secrets_and_addresses_of_a_leg_stay_on_it() {
    for name in
        ["Authorization", "Proxy-Authorization", "P-Asserted-Identity", "Warning", "Replaces", "Session-Expires"]
    {
        assert_eq!(passed(&format!("{name}: <sip:a@10.0.0.5>\r\n")), "", "{name}");
    }
}

#[test]
fn options_that_hold_within_one_leg_are_taken_out() {
    assert_eq!(passed("Supported: 100rel, histinfo ,Timer,x-new\r\n"), "Supported: histinfo, x-new\r\n");
    assert_eq!(passed("k: 100rel, timer\r\n"), "");
}
