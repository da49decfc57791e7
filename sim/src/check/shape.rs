//! What each message that leaves must be by itself (RFC 3261 §8.1.1, §8.2.6, §20).

use super::scan::{Method, Seen, Start};
use super::{At, Found, Violation};
use std::net::SocketAddr;

/// RFC 3261 §8.1.1.6.
const MOST_HOPS: u32 = 70;

/// How the switch names itself.
#[derive(Debug)]
pub(super) struct Shape {
    sent_by: Vec<u8>,
}

impl Shape {
    pub(super) fn new(switch: SocketAddr) -> Shape {
        Shape { sent_by: switch.to_string().into_bytes() }
    }

    pub(super) fn went(&self, at: At, seen: &Seen<'_>, found: &mut Found) {
        let mut tell = |check, wrong: &str| {
            let text = format!("{} to {}: {wrong}", seen.name(), at.peer);
            found.add(Violation::new(check, text).of_call(&seen.call_id_text()));
        };
        if seen.once != [1; 4] || seen.cseq_method.is_empty() {
            tell("headers", "not one each of From, To, Call-ID and CSeq");
        }
        if seen.tag_of_from().is_empty() {
            tell("headers", "no tag in From");
        }
        if seen.content_length != Some(seen.body.len()) {
            tell("content-length", "Content-Length is not the length of the body");
        }
        if seen.body.is_empty() == seen.has_content_type {
            tell("content-type", "a body and Content-Type do not go without each other");
        }
        if seen.rseq.is_some() != seen.requires_reliable && seen.status().is_some() {
            tell("reliable", "RSeq and Require: 100rel do not go without each other");
        }
        if needs_contact(seen) && seen.contacts != 1 {
            tell("contact", "not one Contact");
        }
        if let Start::Request { name, .. } = seen.start {
            if name != seen.cseq_method {
                tell("headers", "CSeq names another method");
            }
            if seen.vias != 1 || seen.sent_by() != self.sent_by {
                tell("via", "not one Via, that of the switch");
            }
            if !seen.branch().starts_with(b"z9hG4bK") {
                tell("branch", "a branch without the cookie");
            }
            if seen.max_forwards.is_none_or(|hops| hops > MOST_HOPS) {
                tell("max-forwards", "Max-Forwards is not there, or above 70");
            }
        }
    }
}

/// Where a dialog or its target is made (RFC 3261 table 2, §12.1.1, RFC 3311 §5, RFC 3515 §2.1, RFC 6665 §4).
fn needs_contact(seen: &Seen<'_>) -> bool {
    let refreshes_target = matches!(seen.method, Method::Invite | Method::Update | Method::Subscribe);
    match seen.status() {
        None => refreshes_target || matches!(seen.method, Method::Refer | Method::Notify),
        Some(status) => refreshes_target && (200..300).contains(&status),
    }
}
