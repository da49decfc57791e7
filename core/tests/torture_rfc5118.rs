//! The IPv6 torture messages of RFC 5118: verdicts, and the addresses that the accepted ones hold.

mod shared;

use crosspoint_core::sip::{Contacts, Index, Message, Name, Scanned, Uri, Via, check, host_ip, scan};
use std::net::IpAddr;

/// Every message and its verdict.
const VERDICTS: &[(&str, &str)] = &[
    ("as-printed/s4.1-001-ipv6-good", "ok"),
    ("as-printed/s4.2-002-ipv6-bad", "400 sip.request-uri"),
    ("as-printed/s4.3-003-port-ambiguous", "ok"),
    ("as-printed/s4.4-004-port-unambiguous", "ok"),
    ("as-printed/s4.5-005-via-received-param-with-delim", "ok"),
    ("as-printed/s4.5-006-via-received-param-no-delim", "ok"),
    // Printed with a Content-Length of 268 for a body of 251 octets.
    ("as-printed/s4.6-007-ipv6-in-sdp", "400 sip.content-length-too-long"),
    ("as-printed/s4.7-008-mult-ip-in-header", "ok"),
    // Printed with 181 for 189: cut short, as RFC 3261 §18.3 says.
    ("as-printed/s4.8-009-mult-ip-in-sdp", "ok"),
    // Printed with 236 for 245.
    ("as-printed/s4.9-010-ipv4-mapped-ipv6", "ok"),
    ("as-printed/s4.10-011-ipv6-bug-abnf-3-colons", "ok"),
    ("as-printed/s4.10-012-ipv6-correct-abnf-2-colons", "ok"),
    ("length-corrected/s4.6-007-ipv6-in-sdp", "ok"),
    ("length-corrected/s4.8-009-mult-ip-in-sdp", "ok"),
    ("length-corrected/s4.9-010-ipv4-mapped-ipv6", "ok"),
];

fn messages(test: impl Fn(&str, Message<'_>)) -> usize {
    let files = shared::files("torture/rfc5118", &[".sip"]);
    for (path, bytes) in &files {
        let name = path.trim_start_matches("torture/rfc5118/").trim_end_matches(".sip");
        let mut index = Index::default();
        match scan(bytes, &mut index) {
            Ok(Scanned::Message(message)) => test(name, message),
            other => panic!("{name}: {other:?}"),
        }
    }
    files.len()
}

#[test]
fn every_message_gets_its_verdict() {
    let count = messages(|name, message| {
        let (_, expected) = VERDICTS.iter().find(|(given, _)| *given == name).expect("every file is in the table");
        let verdict = match check(&message) {
            Ok(()) => "ok".into(),
            Err(defect) => format!("{} {}", defect.status.unwrap_or(0), defect.reason),
        };
        assert_eq!(verdict, *expected, "{name}");
    });
    assert!(count == 0 || count == VERDICTS.len(), "every line of the table has its file");
}

/// Gives the one message of this section to the test.
fn with(name: &str, test: impl Fn(Message<'_>)) {
    messages(|given, message| {
        if given.starts_with(name) {
            test(message);
        }
    });
}

fn uri<'m>(message: &Message<'m>) -> Uri<'m> {
    Uri::parse(message.uri().expect("a request")).expect("a sound URI")
}

fn contact_ip(message: &Message<'_>) -> Option<IpAddr> {
    match message.contacts() {
        Ok(Contacts::List(list)) => {
            let contact = list.iter().next().expect("one").expect("sound");
            Uri::parse(contact.uri).expect("sound").host_ip()
        }
        other => panic!("{other:?}"),
    }
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().expect("an address"))
}

#[test]
fn references_in_uris_and_via() {
    with("as-printed/s4.1-", |message| {
        assert_eq!((uri(&message).host, uri(&message).port), (&b"[2001:db8::10]"[..], None));
        assert_eq!(uri(&message).host_ip(), ip("2001:db8::10"));
        let via = message.via().expect("sound");
        assert_eq!((host_ip(via.host), via.port), (ip("2001:db8::9:1"), None));
        assert_eq!(via.branch(), Some(&b"z9hG4bKas3-111"[..]));
        assert_eq!(contact_ip(&message), ip("2001:db8::1"));
    });
    with("as-printed/s4.3", |message| {
        assert_eq!((uri(&message).host_ip(), uri(&message).port), (ip("2001:db8::10:5070"), None));
    });
    with("as-printed/s4.4", |message| {
        assert_eq!((uri(&message).host_ip(), uri(&message).port), (ip("2001:db8::10"), Some(5070)));
    });
}

#[test]
fn received_with_and_without_brackets() {
    for name in ["as-printed/s4.5-005", "as-printed/s4.5-006"] {
        with(name, |message| {
            let via = message.via().expect("sound");
            assert_eq!(via.received().and_then(host_ip), ip("2001:db8::9:255"));
            assert!(via.has_cookie());
        });
    }
}

#[test]
fn mixed_and_mapped_addresses() {
    with("as-printed/s4.7", |message| {
        let vias: Vec<_> = message.list(Name::Via).map(|via| Via::parse(via).expect("sound")).collect();
        let hosts: Vec<_> = vias.iter().map(|via| (host_ip(via.host), via.port)).collect();
        assert_eq!(hosts, [(ip("2001:db8::9:1"), Some(6050)), (ip("192.0.2.1"), None), (ip("2001:db8::9:255"), None)]);
        assert_eq!(vias[2].received(), Some(&b"192.0.2.200"[..]));
    });
    with("length-corrected/s4.9", |message| {
        let hosts: Vec<_> = message
            .list(Name::Via)
            .map(|via| Via::parse(via).expect("sound"))
            .map(|via| (host_ip(via.host), via.port))
            .collect();
        assert_eq!(hosts, [(ip("::ffff:192.0.2.10"), Some(19823)), (ip("::ffff:192.0.2.2"), None)]);
        assert_eq!(contact_ip(&message), ip("::ffff:192.0.2.2"));
        assert_eq!(message.body().len(), 245);
    });
    with("length-corrected/s4.6", |message| assert_eq!(message.body().len(), 251));
    with("length-corrected/s4.8", |message| assert_eq!(message.body().len(), 189));
}

#[test]
fn three_colons_are_two() {
    for name in ["as-printed/s4.10-011", "as-printed/s4.10-012"] {
        with(name, |message| {
            assert_eq!(uri(&message).host_ip(), ip("2001:db8::192.0.2.1"));
            let to = message.to().expect("sound");
            assert!(Uri::parse(to.uri).expect("sound").matches(&uri(&message)));
        });
    }
}
