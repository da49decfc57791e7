//! The header and option tables of the back-to-back user agent: the page against the code, and the code against whole
//! messages.
#![expect(clippy::disallowed_methods, reason = "the ban is for the core; this test reads a page")]

use crosspoint_core::call::headers::{self, Policy};
use crosspoint_core::call::options::{self, Reach};
use crosspoint_core::sip::{Index, Message, Scanned, Writer, scan};
use std::path::Path;

fn page() -> String {
    let mut page = "# What passes between the legs\n\nThe switch is a back-to-back user agent (RFC 7092): each leg of a \
        call is a dialog of its own. These tables say what becomes of a header and of an option on the way from one leg \
        to the other. What is not listed is unknown to the switch and passes byte for byte, as bodies do, multipart ones \
        too. Of a session description the switch owns the `o=` line and, where it relays media, the lines that \
        `core/src/sdp/mod.rs` lists. Written from the tables in `core/src/call/headers.rs` and `core/src/call/options.rs`.\n\n"
        .to_owned();
    for (policy, title) in [
        (Policy::Own, "Written by the switch on each leg"),
        (Policy::Mapped, "Passed with a change"),
        (Policy::Drop, "Left out"),
        (Policy::Pass, "Passed byte for byte"),
    ] {
        page.push_str(&format!("## {title}\n\n| headers | because |\n|---|---|\n"));
        for group in headers::TABLE.iter().filter(|group| group.policy == policy) {
            let names: Vec<&str> = group.names.iter().map(|name| name.as_str()).collect();
            page.push_str(&format!("| {} | {} |\n", names.join(", "), group.why));
        }
        page.push('\n');
    }
    page.push_str("## Options in Supported, Require and Unsupported\n\n| option | works | because |\n|---|---|---|\n");
    for row in options::TABLE {
        let reach = match row.reach {
            Reach::EndToEnd => "end to end",
            Reach::LegByLeg => "on each leg",
            Reach::Nowhere => "not: 420 where required",
        };
        page.push_str(&format!("| {} | {reach} | {} |\n", row.name, row.why));
    }
    page.push_str("\nProxy-Require is always answered 420: whatever it asks for, this is no proxy.\n");
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

fn with_message<T>(start: &str, lines: &str, then: impl FnOnce(&Message<'_>) -> T) -> T {
    let text = format!("{start}\r\n{lines}\r\n");
    let mut index = Index::default();
    let Ok(Scanned::Message(message)) = scan(text.as_bytes(), &mut index) else { panic!("no message: {text}") };
    then(&message)
}

/// What of these header lines reaches the other leg in a message that begins so.
fn passed_of(start: &str, lines: &str) -> String {
    with_message(start, lines, |message| {
        let mut writer = Writer::lines();
        headers::copy(message, "switch.example", &mut writer);
        String::from_utf8(writer.as_bytes().to_vec()).expect("all of it was text")
    })
}

fn passed(lines: &str) -> String {
    passed_of("INVITE sip:a@b SIP/2.0", lines)
}

#[test]
fn unknown_headers_pass_byte_for_byte_and_the_leg_keeps_its_own() {
    let lines = "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1\r\nX-Odd:   kept \t\r\n  folded\r\nContact: <sip:a@10.0.0.5>\r\n\
                 f: <sip:a@b>;tag=1\r\nRoute: <sip:10.0.0.9;lr>\r\nSubject: hello\r\n";
    assert_eq!(passed(lines), "X-Odd:   kept \t\r\n  folded\r\nSubject: hello\r\n");
}

#[test]
fn secrets_and_addresses_of_a_leg_stay_on_it() {
    for name in [
        "Authorization",
        "Proxy-Authorization",
        "P-Asserted-Identity",
        "History-Info",
        "Replaces",
        "Refer-To",
        "Session-Expires",
        "In-Reply-To",
    ] {
        assert_eq!(passed(&format!("{name}: <sip:a@10.0.0.5>\r\n")), "", "{name}");
    }
}

#[test]
fn options_that_do_not_work_across_the_switch_are_taken_out() {
    assert_eq!(passed("Supported: 100rel, histinfo ,Timer,x-new\r\n"), "Supported: histinfo, x-new\r\n");
    assert_eq!(passed("k: 100rel, timer\r\nRequire: replaces\r\n"), "Require: replaces\r\n");
    assert_eq!(passed_of("SIP/2.0 420 Bad Extension", "Unsupported: x-new, gruu\r\n"), "Unsupported: x-new\r\n");
}

#[test]
fn what_a_side_can_do_is_asked_of_both_lists() {
    with_message("INVITE sip:a@b SIP/2.0", "Require: 100REL\r\nk: replaces, timer\r\n", |message| {
        assert!(options::requires(message, options::RELIABLE) && options::supports(message, options::RELIABLE));
        assert!(options::supports(message, "replaces") && !options::requires(message, "replaces"));
        assert_eq!(options::unsupported(message), b"");
    });
    with_message("INVITE sip:a@b SIP/2.0", "Require: tdialog,x\r\nProxy-Require: privacy\r\n", |message| {
        assert_eq!(options::unsupported(message), b"tdialog, privacy");
    });
}

#[test]
fn a_referrer_is_a_user_of_this_switch() {
    // RFC 3892 §7.1 and §6.1
    assert_eq!(
        passed("Referred-By: <sip:referror@referror.example>;cid=\"20398823.2UWQFN309shb3@referror.example\"\r\n"),
        "Referred-By: <sip:referror@switch.example>;cid=\"20398823.2UWQFN309shb3@referror.example\"\r\n"
    );
    assert_eq!(passed("b: sip:r%20ef@10.0.0.5;x=1\r\n"), "Referred-By: <sip:r%20ef@switch.example>;x=1\r\n");
    assert_eq!(passed("Reply-To: \"B\" <sips:b@10.0.0.5:5061;lr>\r\n"), "Reply-To: \"B\" <sip:b@switch.example>\r\n");
    assert_eq!(passed("Referred-By: <sip:10.0.0.5>\r\nReply-To: <http://10.0.0.5>\r\n"), "");
}

#[test]
fn a_warning_is_said_by_the_switch() {
    // RFC 3261 §20.43
    assert_eq!(
        passed(
            "Warning: 307 isi.edu \"Session parameter 'foo' not understood\", 301 10.0.0.5:5060 \"no, \\\"4\\\"\"\r\n"
        ),
        "Warning: 307 switch.example \"Session parameter 'foo' not understood\"\r\n\
         Warning: 301 switch.example \"no, \\\"4\\\"\"\r\n"
    );
    assert_eq!(passed("Warning: 10.0.0.5\r\nWarning: 399 a b\r\n"), "");
}

#[test]
fn a_gateway_that_is_out_for_a_while_does_not_speak_for_the_switch() {
    let lines = "Retry-After: 120 (maintenance);duration=60\r\n";
    assert_eq!(passed_of("SIP/2.0 486 Busy Here", lines), lines);
    assert_eq!(passed_of("SIP/2.0 503 Service Unavailable", lines), "");
    with_message("SIP/2.0 503 Service Unavailable", lines, |message| {
        assert_eq!(headers::retry_after(message), Some(120));
    });
    with_message("SIP/2.0 503 Service Unavailable", "Retry-After: soon\r\n", |message| {
        assert_eq!(headers::retry_after(message), None);
    });
}
