//! The header table: what a back-to-back user agent passes, drops, changes or writes itself (RFC 7092).
//!
//! Headers that the table does not name are unknown to us and pass byte for byte, as bodies do. What the legs' options may
//! be stands in `options.rs`; what they tell of a party's identity, in `identity.rs`. `docs/headers.md` is written from
//! both tables.

use super::options;
use crate::sip::{Header, Message, Name, NameAddr, Uri, Writer, split_list};

/// What happens to a header between the legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Written by us on each leg.
    Own,
    /// Copied byte for byte.
    Pass,
    /// Copied with what belongs to one leg taken out or replaced.
    Mapped,
    /// Left out: would carry one leg's addresses, secrets or agreements to the other.
    Drop,
}

/// Headers with one policy for one reason.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The headers.
    pub names: &'static [Name],
    /// What happens to them.
    pub policy: Policy,
    /// Why.
    pub why: &'static str,
}

const fn group(policy: Policy, why: &'static str, names: &'static [Name]) -> Group {
    Group { names, policy, why }
}

/// Every header that has a name here, once.
pub const TABLE: &[Group] = &[
    group(
        Policy::Own,
        "transaction, dialog and framing of one leg (RFC 3261 §8.1.1, §12)",
        &[
            Name::Via,
            Name::MaxForwards,
            Name::Route,
            Name::RecordRoute,
            Name::From,
            Name::To,
            Name::CallId,
            Name::CSeq,
            Name::Contact,
            Name::ContentLength,
        ],
    ),
    group(Policy::Own, "the methods that the switch carries", &[Name::Allow]),
    group(Policy::Own, "names a REFER by its number on one leg, else passes (RFC 3515 §2.4.6)", &[Name::Event]),
    group(Policy::Own, "reliable answers are counted on each leg (RFC 3262 §3)", &[Name::RSeq, Name::RAck]),
    group(
        Policy::Own,
        "name a dialog or an address of one leg, and are put into the terms of the other (RFC 3515, RFC 3891)",
        &[Name::ReferTo, Name::Replaces],
    ),
    group(
        Policy::Own,
        "who calls: written by the identity settings of the endpoint (RFC 3323, RFC 3325, RFC 5806, RFC 7044)",
        &[
            Name::PAssertedIdentity,
            Name::PPreferredIdentity,
            Name::RemotePartyId,
            Name::Privacy,
            Name::Diversion,
            Name::HistoryInfo,
        ],
    ),
    group(
        Policy::Mapped,
        "the options that work across the switch pass, see below",
        &[Name::Supported, Name::Require, Name::Unsupported],
    ),
    group(
        Policy::Mapped,
        "the user passes, with the switch's domain for the host (RFC 3892, RFC 3261 §20.31)",
        &[Name::ReferredBy, Name::ReplyTo],
    ),
    group(
        Policy::Mapped,
        "code and text pass, with the switch's domain for the agent (RFC 3261 §20.43)",
        &[Name::Warning],
    ),
    group(
        Policy::Mapped,
        "passes where it speaks of the called party; with 503 it would speak of the switch (RFC 3261 §20.33, §21.5.4)",
        &[Name::RetryAfter],
    ),
    group(
        Policy::Drop,
        "secrets and challenges of one leg (RFC 3261 §22)",
        &[
            Name::Authorization,
            Name::ProxyAuthorization,
            Name::WwwAuthenticate,
            Name::ProxyAuthenticate,
            Name::AuthenticationInfo,
            Name::ProxyAuthenticationInfo,
        ],
    ),
    group(
        Policy::Drop,
        "agreed with a neighbour alone (RFC 3327, RFC 3608, RFC 3329, RFC 5626)",
        &[
            Name::Path,
            Name::ServiceRoute,
            Name::SecurityClient,
            Name::SecurityServer,
            Name::SecurityVerify,
            Name::FlowTimer,
        ],
    ),
    group(Policy::Drop, "never goes beyond the next hop: what it asks for is answered 420", &[Name::ProxyRequire]),
    group(
        Policy::Drop,
        "what a neighbour's network says to its own servers (RFC 7315)",
        &[
            Name::PAccessNetworkInfo,
            Name::PAssociatedUri,
            Name::PCalledPartyId,
            Name::PChargingFunctionAddresses,
            Name::PChargingVector,
            Name::PVisitedNetworkId,
        ],
    ),
    group(
        Policy::Drop,
        "signed over the From, To and Date of the other leg (RFC 8224 §4)",
        &[Name::Identity, Name::IdentityInfo],
    ),
    group(
        Policy::Drop,
        "name a dialog of one leg, and no option that needs them is carried (RFC 3911, RFC 4538, RFC 3261 §20.21)",
        &[Name::Join, Name::TargetDialog, Name::InReplyTo],
    ),
    group(
        Policy::Drop,
        "a session is refreshed on each leg by itself (RFC 4028)",
        &[Name::SessionExpires, Name::MinSe],
    ),
    group(Policy::Drop, "measures the way to the next hop (RFC 3261 §20.38)", &[Name::Timestamp]),
    group(
        Policy::Pass,
        "the body and how it is read",
        &[Name::ContentType, Name::ContentDisposition, Name::ContentEncoding, Name::ContentLanguage, Name::MimeVersion],
    ),
    group(
        Policy::Pass,
        "what the far side takes",
        &[Name::Accept, Name::AcceptEncoding, Name::AcceptLanguage, Name::AllowEvents, Name::RecvInfo],
    ),
    group(
        Policy::Pass,
        "from user to user",
        &[
            Name::AlertInfo,
            Name::AnswerMode,
            Name::CallInfo,
            Name::Date,
            Name::ErrorInfo,
            Name::Geolocation,
            Name::GeolocationRouting,
            Name::Organization,
            Name::Priority,
            Name::Subject,
            Name::UserToUser,
        ],
    ),
    group(Policy::Pass, "why; of a CANCEL or BYE too (RFC 3326)", &[Name::Reason]),
    group(Policy::Pass, "made to pass a back-to-back user agent (RFC 7989)", &[Name::SessionId]),
    group(
        Policy::Pass,
        "requests and events that pass within the dialog",
        &[
            Name::Expires,
            Name::InfoPackage,
            Name::MinExpires,
            Name::ReferSub,
            Name::SipETag,
            Name::SipIfMatch,
            Name::SubscriptionState,
        ],
    ),
    group(
        Policy::Pass,
        "what the caller prefers and how urgent it is, for who can act on it (RFC 3841, RFC 4412, RFC 5009, RFC 5393, RFC 6809)",
        &[
            Name::AcceptContact,
            Name::RejectContact,
            Name::RequestDisposition,
            Name::ResourcePriority,
            Name::PEarlyMedia,
            Name::MaxBreadth,
            Name::FeatureCaps,
        ],
    ),
    group(
        Policy::Pass,
        "which product speaks: the first thing that is asked in a dispute (RFC 3261 §20.35, §20.41)",
        &[Name::UserAgent, Name::Server],
    ),
];

/// Policies by [`Name`], the unknown one last.
const POLICIES: [Policy; Name::ALL.len() + 1] = {
    let mut policies = [Policy::Pass; Name::ALL.len() + 1];
    let mut seen = [false; Name::ALL.len()];
    let mut count = 0;
    let mut at = 0;
    while at < TABLE.len() {
        let mut name = 0;
        while name < TABLE[at].names.len() {
            let slot = TABLE[at].names[name] as usize;
            assert!(!seen[slot], "a header stands in the table twice");
            seen[slot] = true;
            policies[slot] = TABLE[at].policy;
            count += 1;
            name += 1;
        }
        at += 1;
    }
    assert!(count == Name::ALL.len(), "a header is missing in the table");
    policies
};

/// Methods that the switch carries: the Allow header.
pub const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, UPDATE, PRACK, REFER, NOTIFY, SUBSCRIBE, REGISTER";

/// The policy for this header.
pub fn policy(name: Name) -> Policy {
    POLICIES[name as usize]
}

/// Copies what passes of `message` into the other leg's message. `domain` stands where an address of this leg stood.
pub fn copy(message: &Message<'_>, domain: &str, writer: &mut Writer) {
    for header in message.headers() {
        match policy(header.name) {
            Policy::Own | Policy::Drop => {}
            Policy::Pass => {
                writer.pass(&header);
            }
            Policy::Mapped => map(message, &header, domain, writer),
        }
    }
}

fn map(message: &Message<'_>, header: &Header<'_>, domain: &str, writer: &mut Writer) {
    match header.name {
        Name::Supported | Name::Require | Name::Unsupported => options::copy(header, writer),
        Name::ReferredBy | Name::ReplyTo => address(header, domain, writer),
        Name::Warning => warning(header, domain, writer),
        Name::RetryAfter if message.status() != Some(503) => {
            writer.pass(header);
        }
        Name::RetryAfter => {}
        name => panic!("{} is mapped, and nothing here maps it", name.as_str()),
    }
}

/// A name-addr whose user is one of this switch. What is no SIP address of a user is left out.
fn address(header: &Header<'_>, domain: &str, writer: &mut Writer) {
    let Ok(address) = NameAddr::parse(header.value) else { return };
    let Some(user) = Uri::parse(address.uri).ok().filter(Uri::is_sip).and_then(|uri| uri.user) else { return };
    let space: &[u8] = if address.display.is_empty() { b"" } else { b" " };
    let value = [address.display, space, b"<sip:", user, b"@", domain.as_bytes(), b">", address.params.as_bytes()];
    writer.header(header.name.as_str(), value.concat());
}

/// `307 isi.edu "Session parameter 'foo' not understood"`, said by the switch.
fn warning(header: &Header<'_>, domain: &str, writer: &mut Writer) {
    for value in split_list(header.value) {
        let mut words = value.splitn(3, u8::is_ascii_whitespace);
        let (Some(code), Some(_), Some(text)) = (words.next(), words.next(), words.next()) else { continue };
        let text = text.trim_ascii();
        if code.len() == 3 && code.iter().all(u8::is_ascii_digit) && text.starts_with(b"\"") {
            writer.header(header.name.as_str(), [code, b" ", domain.as_bytes(), b" ", text].concat());
        }
    }
}

/// Seconds of Retry-After (RFC 3261 §20.33); `None` without one that can be read.
pub fn retry_after(message: &Message<'_>) -> Option<u32> {
    let value = message.value(Name::RetryAfter)?;
    let digits = value.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
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
