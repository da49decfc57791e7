//! Which part of which header is replaced.

use super::page::{Page, Span};
use crosspoint_core::sip::Name;

/// How the value of a header is made.
enum Form {
    /// Tokens and numbers that RFCs define.
    Protocol,
    /// The same, with texts in quotes or brackets that a person may have written.
    Remarked,
    /// A list of addresses with parameters.
    Addresses,
    /// A list of Vias.
    Vias,
    /// A list of identifiers.
    Ids,
    /// Digest credentials, challenges and what belongs to them.
    Digest,
    /// `399 host "text"`.
    Warnings,
    /// Anything.
    Text,
}

/// Headers of tokens and numbers that RFCs define.
const PROTOCOL: &[Name] = &[
    Name::Accept,
    Name::AcceptContact,
    Name::AcceptEncoding,
    Name::AcceptLanguage,
    Name::Allow,
    Name::AllowEvents,
    Name::AnswerMode,
    Name::ContentDisposition,
    Name::ContentEncoding,
    Name::ContentLanguage,
    Name::ContentLength,
    Name::ContentType,
    Name::CSeq,
    Name::Date,
    Name::Event,
    Name::Expires,
    Name::FeatureCaps,
    Name::FlowTimer,
    Name::InfoPackage,
    Name::MaxBreadth,
    Name::MaxForwards,
    Name::MimeVersion,
    Name::MinExpires,
    Name::MinSe,
    Name::PEarlyMedia,
    Name::Priority,
    Name::Privacy,
    Name::ProxyRequire,
    Name::RAck,
    Name::RSeq,
    Name::RecvInfo,
    Name::ReferSub,
    Name::RejectContact,
    Name::RequestDisposition,
    Name::Require,
    Name::ResourcePriority,
    Name::SecurityClient,
    Name::SecurityServer,
    Name::SecurityVerify,
    Name::SessionExpires,
    Name::SubscriptionState,
    Name::Supported,
    Name::Timestamp,
    Name::Unsupported,
];

/// Headers of addresses with parameters.
const ADDRESSES: &[Name] = &[
    Name::AlertInfo,
    Name::CallInfo,
    Name::Contact,
    Name::Diversion,
    Name::ErrorInfo,
    Name::From,
    Name::Geolocation,
    Name::HistoryInfo,
    Name::IdentityInfo,
    Name::PAssertedIdentity,
    Name::PAssociatedUri,
    Name::PCalledPartyId,
    Name::PPreferredIdentity,
    Name::Path,
    Name::RecordRoute,
    Name::ReferTo,
    Name::ReferredBy,
    Name::RemotePartyId,
    Name::ReplyTo,
    Name::Route,
    Name::ServiceRoute,
    Name::To,
];

/// Headers of identifiers.
const IDS: &[Name] = &[
    Name::CallId,
    Name::InReplyTo,
    Name::Join,
    Name::Replaces,
    Name::SessionId,
    Name::SipETag,
    Name::SipIfMatch,
    Name::TargetDialog,
];

/// Headers of digest credentials, challenges and what belongs to them.
const DIGEST: &[Name] = &[
    Name::AuthenticationInfo,
    Name::Authorization,
    Name::ProxyAuthenticate,
    Name::ProxyAuthenticationInfo,
    Name::ProxyAuthorization,
    Name::WwwAuthenticate,
];

/// What no list names is replaced as text, a header of tomorrow too.
fn form(name: Name) -> Form {
    let lists = [(PROTOCOL, Form::Protocol), (ADDRESSES, Form::Addresses), (IDS, Form::Ids), (DIGEST, Form::Digest)];
    match name {
        Name::Reason | Name::RetryAfter => Form::Remarked,
        Name::Via => Form::Vias,
        Name::Warning => Form::Warnings,
        _ => lists.into_iter().find(|(list, _)| list.contains(&name)).map_or(Form::Text, |(_, form)| form),
    }
}

impl Page<'_> {
    /// Replaces what is to be replaced in a header's value.
    pub(super) fn header(&mut self, name: Name, value: Span) {
        match form(name) {
            Form::Protocol => {}
            Form::Remarked => self.remarks(value),
            Form::Addresses => self.split(value, b',').into_iter().for_each(|one| self.name_addr(one)),
            Form::Vias => self.split(value, b',').into_iter().for_each(|one| self.via(one)),
            Form::Ids => self.split(value, b',').into_iter().for_each(|one| {
                let end = self.find(one.clone(), b';').unwrap_or(one.end);
                let id = self.trim(one.start..end);
                self.id(id);
                self.params(end..one.end);
            }),
            Form::Digest => self.digest(value),
            Form::Warnings => self.split(value, b',').into_iter().for_each(|one| self.warning(one)),
            Form::Text => self.text(value),
        }
    }

    /// What stands in quotes, and in brackets (a comment).
    fn remarks(&mut self, value: Span) {
        let mut from = value.start;
        while let Some(open) = (from..value.end).find(|&i| matches!(self.bytes[i], b'"' | b'(')) {
            let end = if self.bytes[open] == b'"' { b'"' } else { b')' };
            let close = self.find(open + 1..value.end, end).unwrap_or(value.end);
            self.text(open + 1..close);
            from = (close + 1).min(value.end);
        }
    }

    /// `SIP/2.0/UDP host:port;params`. White space may stand around the slashes and the colon (§25.1).
    fn via(&mut self, at: Span) {
        let end = self.find(at.clone(), b';').unwrap_or(at.end);
        let slashes = self.find(at.start..end, b'/').and_then(|slash| self.find(slash + 1..end, b'/'));
        let transport = self.trim(slashes.map_or(at.start, |slash| slash + 1)..end);
        let sent_by = transport.clone().find(|&i| self.bytes[i].is_ascii_whitespace()).unwrap_or(transport.start);
        self.host_port(sent_by..end);
        self.params(end..at.end);
    }

    fn warning(&mut self, at: Span) {
        let at = self.trim(at);
        let quote = self.find(at.clone(), b'"').unwrap_or(at.end);
        if let Some(space) = self.find(at.start..quote, b' ') {
            self.host_port(space..quote);
        }
        self.text(quote..at.end);
    }

    /// `Digest name="value", ...`. The answer itself is made anew when everything else is in its place.
    fn digest(&mut self, value: Span) {
        let trimmed = self.trim(value.clone());
        let scheme = trimmed.start..self.find(trimmed.clone(), b' ').unwrap_or(trimmed.end);
        let has_scheme = !self.bytes[scheme.clone()].contains(&b'=');
        if has_scheme && !self.is(&scheme, "Digest") {
            return self.text(scheme.end..trimmed.end);
        }
        let from = if has_scheme { scheme.end } else { trimmed.start };
        for (name, at) in self.pairs(from..trimmed.end) {
            let is = |page: &Self, known: &[&str]| known.iter().any(|known| page.is(&name, known));
            if is(self, &["username"]) {
                self.map.user(&mut self.bytes[at]);
            } else if is(self, &["realm"]) {
                self.host(at);
            } else if is(self, &["nonce", "cnonce", "opaque", "nextnonce"]) {
                self.id(at);
            } else if is(self, &["uri"]) {
                self.uri(at);
            } else if is(self, &["response", "rspauth"]) {
                super::symbols::scramble_hex(&self.map.key, &mut self.bytes[at.clone()]);
                self.answers.push((at, value.clone()));
            } else if is(self, &["domain"]) {
                self.words(at).into_iter().filter(|word| !word.is_empty()).for_each(|word| self.uri(word));
            } else if !is(self, &["nc", "qop", "algorithm", "stale", "charset", "userhash"]) {
                self.text(at);
            }
        }
    }
}
