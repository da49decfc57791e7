//! The header table: what a back-to-back user agent passes, drops or writes itself (RFC 7092).
//!
//! | policy | meaning |
//! |---|---|
//! | `Own` | belongs to one leg; written by the dialog or the transaction of the other |
//! | `Pass` | copied byte for byte |
//! | `Drop` | would carry one leg's addresses, secrets or extensions to the other |
//! | `Filter` | an option list: the options that only work within one leg are taken out |
//!
//! A header that is not in the table is unknown to us and passes.

use crate::sip::{Message, Name, Writer};

/// What happens to a header between the legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Written by us.
    Own,
    /// Copied byte for byte.
    Pass,
    /// Left out.
    Drop,
    /// Copied without the options of [`NOT_CARRIED`].
    Filter,
}

/// Options that hold between two neighbours only, which two legs of ours are not, or that need a part the switch does
/// not play: reliable provisional answers, session timers, outbound flows, GRUUs, replaced dialogs.
pub const NOT_CARRIED: [&str; 10] =
    ["100rel", "timer", "path", "outbound", "gruu", "replaces", "join", "tdialog", "norefersub", "resource-priority"];

/// Methods that the switch takes part in: the Allow header.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, REGISTER";

/// The policy for this header.
pub fn policy(name: Name) -> Policy {
    match name {
        // dialog, transaction and framing of one leg
        Name::Via
        | Name::From
        | Name::To
        | Name::CallId
        | Name::CSeq
        | Name::Contact
        | Name::MaxForwards
        | Name::Route
        | Name::RecordRoute
        | Name::ContentLength
        | Name::Allow => Policy::Own,
        // secrets and challenges of one leg
        Name::Authorization
        | Name::ProxyAuthorization
        | Name::WwwAuthenticate
        | Name::ProxyAuthenticate
        | Name::AuthenticationInfo
        | Name::ProxyAuthenticationInfo => Policy::Drop,
        // addresses and identifiers of one leg
        Name::Path
        | Name::ServiceRoute
        | Name::Warning
        | Name::InReplyTo
        | Name::ReplyTo
        | Name::Timestamp
        | Name::HistoryInfo
        | Name::Diversion
        | Name::PAssertedIdentity
        | Name::PPreferredIdentity
        | Name::RemotePartyId
        | Name::Replaces
        | Name::TargetDialog
        | Name::Join => Policy::Drop,
        // what a neighbour's network says of itself, or agreed with us alone (RFC 7315, RFC 3329, RFC 5626)
        Name::PAccessNetworkInfo
        | Name::PAssociatedUri
        | Name::PCalledPartyId
        | Name::PChargingFunctionAddresses
        | Name::PChargingVector
        | Name::PVisitedNetworkId
        | Name::SecurityClient
        | Name::SecurityServer
        | Name::SecurityVerify
        | Name::FlowTimer => Policy::Drop,
        // signed over the From and To of the other leg (RFC 8224 §4)
        Name::Identity | Name::IdentityInfo => Policy::Drop,
        // extensions that hold within one leg
        Name::SessionExpires | Name::MinSe | Name::RSeq | Name::RAck | Name::ProxyRequire | Name::Unsupported => {
            Policy::Drop
        }
        Name::Supported | Name::Require => Policy::Filter,
        _ => Policy::Pass,
    }
}

/// Copies what passes of `message` into the other leg's message, and says what the switch allows.
pub fn copy(message: &Message<'_>, writer: &mut Writer) {
    for header in message.headers() {
        match policy(header.name) {
            Policy::Own | Policy::Drop => {}
            Policy::Pass => {
                writer.pass(&header);
            }
            Policy::Filter => filter(header.name, header.value, writer),
        }
    }
}

/// The Reason lines of a BYE or CANCEL as they go to the other leg; empty where there are none.
pub fn reason_lines(message: &Message<'_>) -> Box<[u8]> {
    if message.value(Name::Reason).is_none() {
        return Box::default();
    }
    let mut writer = Writer::lines();
    for header in message.headers().filter(|header| header.name == Name::Reason) {
        writer.pass(&header);
    }
    writer.as_bytes().into()
}

fn filter(name: Name, options: &[u8], writer: &mut Writer) {
    let carried = |option: &&[u8]| !option.is_empty() && !is_listed(option, &NOT_CARRIED);
    let mut carried = options.split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(carried).peekable();
    if carried.peek().is_none() {
        return;
    }
    writer.raw(name.as_str().as_bytes());
    for (i, option) in carried.enumerate() {
        writer.raw(if i == 0 { b": " } else { b", " }).raw(option);
    }
    writer.raw(b"\r\n");
}

/// The options of Require, or all of Proxy-Require, that the switch cannot carry: the Unsupported list of a 420
/// (RFC 3261 §8.2.2.3). Empty where there are none.
pub fn unsupported(message: &Message<'_>) -> Vec<u8> {
    let required = message.list(Name::Require).filter(|option| is_listed(option, &NOT_CARRIED));
    let of_proxies = message.list(Name::ProxyRequire);
    let mut out = Vec::new();
    for option in required.chain(of_proxies).filter(|option| !option.is_empty()) {
        if !out.is_empty() {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(option);
    }
    out
}

fn is_listed(option: &[u8], list: &[&str]) -> bool {
    list.iter().any(|listed| option.eq_ignore_ascii_case(listed.as_bytes()))
}
