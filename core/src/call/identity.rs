//! What one side of a call is shown of who the other is: From, P-Asserted-Identity, P-Preferred-Identity, Privacy,
//! Remote-Party-ID, Diversion and History-Info, by the identity settings of both endpoints.
//!
//! | | |
//! |---|---|
//! | hosts | every URI written here has the switch's domain: no address of the other leg |
//! | belief | identities come from trusted endpoints only; a phone's P-Preferred-Identity counts where it is its own number |
//! | privacy | who asks for it has an anonymous From; a trusted side that can be told so still gets the identity, the others |
//! | | get none (RFC 3325 §7) |

use crate::config::{Claim, Config, Display, IdentityPolicy, Privacy, Trail};
use crate::sip::{Message, Name, NameAddr, Params, Scheme, Uri, Writer, escape_user};

/// From of who withholds its identity (RFC 3323 §4.1.1.3).
pub const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
/// The URI in it.
const ANONYMOUS_URI: &str = "sip:anonymous@anonymous.invalid";
/// Most P-Asserted-Identity values (RFC 3325 §9.1): one of `sip:` and one of `tel:`.
const ASSERTED: usize = 2;
/// Parameters of Remote-Party-ID that pass (draft-ietf-sip-privacy-04 §6).
const REMOTE_PARTY: [&str; 4] = ["party", "screen", "privacy", "id-type"];
/// Parameters of Diversion that pass (RFC 5806 §5).
const DIVERSION: [&str; 5] = ["reason", "counter", "limit", "privacy", "screen"];
/// Parameters of History-Info that pass (RFC 7044 §5).
const HISTORY: [&str; 4] = ["index", "rc", "mp", "np"];
/// Parameters of a URI in History-Info that pass (RFC 4458, RFC 3261 §19.1.1).
const HISTORY_URI: [&str; 2] = ["cause", "user"];

/// A party of a call, as the other side is to see it.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// What the party sent: its INVITE, another request, or its answer to one.
    pub message: &'a Message<'a>,
    /// Its own settings.
    pub source: IdentityPolicy,
    /// Numbers that are its own by configuration: a phone's user name and caller number. None for a gateway.
    pub own: &'a [&'a str],
    /// Its number as the other side is to see it.
    pub number: &'a str,
    /// The settings of the other side, which this is written for.
    pub target: IdentityPolicy,
    /// The switch's domain.
    pub domain: &'a str,
}

/// The settings of the gateway of this name; without one, of the phone of this user name. Who is neither any longer is
/// treated as a phone.
pub fn policy_of(config: &Config, gateway: &str, user: &str) -> IdentityPolicy {
    if gateway.is_empty() {
        return config.phones.profile(user).map_or(IdentityPolicy::PHONE, |profile| profile.identity);
    }
    config.gateways.find(gateway).map_or(IdentityPolicy::PHONE, |gateway| gateway.identity)
}

/// The number that a gateway's request comes from: From, or what a trusted gateway asserts where From withholds it.
pub fn calling_number(message: &Message<'_>, source: IdentityPolicy) -> String {
    let asserted = || {
        let value = message.list(Name::PAssertedIdentity).find_map(|value| NameAddr::parse(value).ok())?;
        super::called_number(value.uri)
    };
    let shown = message.from().ok().and_then(|from| super::called_number(from.uri));
    match shown {
        Some(shown) if !is_anonymous(message) => shown,
        shown => asserted().filter(|_| source.trusted).or(shown).unwrap_or_default(),
    }
}

impl Party<'_> {
    /// The name-addr of From for the other leg, without a tag.
    pub fn from(&self) -> Box<[u8]> {
        if self.is_private() {
            return ANONYMOUS.as_bytes().into();
        }
        let display = self.message.from().map_or(&b""[..], |from| from.display);
        let mut value = self.address(display, &self.uri(), self.number.as_bytes());
        // A display name may have been folded over lines; here it is one.
        value.iter_mut().filter(|byte| matches!(**byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
        value.into()
    }

    /// Writes every other header that says who the party is.
    pub fn write(&self, writer: &mut Writer) {
        let is_private = self.is_private();
        let is_withheld = is_private && !self.may_know();
        self.privacy(is_private, writer);
        if !is_withheld {
            self.asserted(is_private, writer);
            self.preferred(writer);
            self.remote_party(is_private, writer);
            self.diversion(writer);
        }
        self.history(is_withheld, writer);
    }

    /// Whether the identity is kept from the public: by the party's wish, or by the settings of the other side.
    fn is_private(&self) -> bool {
        self.target.privacy == Privacy::Id || asks_privacy(self.message)
    }

    /// Whether the other side may know an identity that is private: one that is trusted, and can be told so.
    fn may_know(&self) -> bool {
        self.target.trusted && self.target.privacy != Privacy::None
    }

    fn privacy(&self, is_private: bool, writer: &mut Writer) {
        let given = self.message.fields(Name::Privacy);
        match self.target.privacy {
            Privacy::None => {}
            Privacy::Passthrough if !is_private || asks_by_header(self.message) => {
                given.for_each(|value| {
                    writer.header("Privacy", value);
                });
            }
            // asked for by an anonymous From alone, or by the settings
            Privacy::Passthrough | Privacy::Id => {
                writer.header("Privacy", "id");
            }
        }
    }

    fn asserted(&self, is_private: bool, writer: &mut Writer) {
        let mut passed = 0;
        if self.target.p_asserted_identity == Claim::Passthrough && self.source.trusted {
            for value in self.values(Name::PAssertedIdentity).take(ASSERTED) {
                passed += usize::from(self.claim(&value, &[], Name::PAssertedIdentity, writer));
            }
        }
        // The switch knows who its phone is, and says so where From no longer does (RFC 3325 §5).
        let is_said = match self.target.p_asserted_identity {
            Claim::None => false,
            Claim::Passthrough => passed == 0 && is_private,
            Claim::Caller => true,
        };
        if is_said {
            writer.header("P-Asserted-Identity", self.caller());
        }
    }

    fn preferred(&self, writer: &mut Writer) {
        match self.target.p_preferred_identity {
            // RFC 3325 §9.2: a wish about a request
            _ if self.message.method().is_none() => {}
            Claim::None => {}
            Claim::Caller => {
                writer.header("P-Preferred-Identity", self.caller());
            }
            Claim::Passthrough => {
                if let Some(value) = self.preference() {
                    self.claim(&value, &[], Name::PPreferredIdentity, writer);
                }
            }
        }
    }

    fn remote_party(&self, is_private: bool, writer: &mut Writer) {
        match self.target.remote_party_id {
            Claim::None => {}
            Claim::Passthrough if self.source.trusted => {
                for value in self.values(Name::RemotePartyId) {
                    self.claim(&value, &REMOTE_PARTY, Name::RemotePartyId, writer);
                }
            }
            Claim::Passthrough => {}
            Claim::Caller => {
                let mut value = self.caller();
                let is_known = self.source.trusted || !self.own.is_empty();
                value.extend_from_slice(if self.message.method().is_some() {
                    b";party=calling"
                } else {
                    b";party=called"
                });
                value.extend_from_slice(if is_known { b";screen=yes" } else { b";screen=no" });
                value.extend_from_slice(if is_private { b";privacy=full" } else { b";privacy=off" });
                writer.header("Remote-Party-ID", value);
            }
        }
    }

    fn diversion(&self, writer: &mut Writer) {
        if self.target.diversion == Trail::None || !self.source.trusted {
            return;
        }
        for value in self.values(Name::Diversion) {
            if self.target.trusted || !hides(&value.params) {
                self.claim(&value, &DIVERSION, Name::Diversion, writer);
            }
        }
    }

    /// Entries that are not to be seen keep their index: the tree stays whole (RFC 7044 §10.1.2).
    fn history(&self, is_withheld: bool, writer: &mut Writer) {
        if self.target.history_info == Trail::None || !self.source.trusted {
            return;
        }
        let all_hidden = is_withheld || (!self.target.trusted && asks(self.message, &[b"history"]));
        for value in self.values(Name::HistoryInfo) {
            let Ok(uri) = Uri::parse(value.uri) else { continue };
            let headers: Vec<&[u8]> =
                uri.headers.split(|&byte| byte == b'&').filter(|header| may_stay(header)).collect();
            let is_hidden = all_hidden || (!self.target.trusted && headers.contains(&&b"Privacy=history"[..]));
            let mut text = b"<".to_vec();
            if is_hidden {
                text.extend_from_slice(ANONYMOUS_URI.as_bytes());
            } else {
                let Some(hosted) = self.hosted(&uri) else { continue };
                text.extend(hosted);
                push_params(&mut text, &uri.params, &HISTORY_URI);
                for (i, header) in headers.iter().enumerate() {
                    text.push(if i == 0 { b'?' } else { b'&' });
                    text.extend_from_slice(header);
                }
            }
            text.push(b'>');
            push_params(&mut text, &value.params, &HISTORY);
            writer.header("History-Info", text);
        }
    }

    /// The values of a header that can be read.
    fn values(&self, name: Name) -> impl Iterator<Item = NameAddr<'_>> {
        self.message.list(name).filter_map(|value| NameAddr::parse(value).ok())
    }

    /// The identity that the party prefers, where it may: any of a trusted party, else its own numbers.
    fn preference(&self) -> Option<NameAddr<'_>> {
        let value = self.values(Name::PPreferredIdentity).next()?;
        let is_own = || super::called_number(value.uri).is_some_and(|number| self.own.contains(&number.as_str()));
        (self.source.trusted || is_own()).then_some(value)
    }

    /// The party by the number that routing gave it, with the name that it prefers or shows.
    fn caller(&self) -> Vec<u8> {
        let shown = self.message.from().ok().filter(|_| self.message.method().is_some() && !is_anonymous(self.message));
        let display = self.preference().or(shown).map_or(&b""[..], |value| value.display);
        self.address(display, &self.uri(), self.number.as_bytes())
    }

    /// The party's URI.
    fn uri(&self) -> Vec<u8> {
        ["sip:", &escape_user(self.number), "@", self.domain].concat().into_bytes()
    }

    /// Writes what the party says of an identity, with these parameters of it; false where it names no user.
    fn claim(&self, value: &NameAddr<'_>, params: &[&str], name: Name, writer: &mut Writer) -> bool {
        let Ok(uri) = Uri::parse(value.uri) else { return false };
        let Some(hosted) = self.hosted(&uri) else { return false };
        let mut text = self.address(value.display, &hosted, plain_user(&uri).unwrap_or_default());
        push_params(&mut text, &value.params, params);
        writer.header(name.as_str(), text);
        true
    }

    /// A URI of the same user at this switch. A global number stays one (RFC 3966 §5.1.4); what else stands in a URI may
    /// tell where it came from.
    fn hosted(&self, uri: &Uri<'_>) -> Option<Vec<u8>> {
        let user = plain_user(uri)?;
        match uri.scheme {
            Scheme::Tel if user.starts_with(b"+") => Some([b"tel:", user].concat()),
            Scheme::Sip | Scheme::Sips | Scheme::Tel => Some([b"sip:", user, b"@", self.domain.as_bytes()].concat()),
            Scheme::Other(_) => None,
        }
    }

    /// A name-addr with the name that the other side is to see beside this number.
    fn address(&self, display: &[u8], uri: &[u8], number: &[u8]) -> Vec<u8> {
        match self.target.display {
            Display::Passthrough if !display.is_empty() => [display, b" <", uri, b">"].concat(),
            Display::Passthrough | Display::None => [b"<", uri, b">"].concat(),
            Display::Number => {
                let plain: Vec<u8> = number.iter().copied().filter(|byte| !b"\"\\\r\n".contains(byte)).collect();
                [b"\"", &plain[..], b"\" <", uri, b">"].concat()
            }
        }
    }
}

/// The user without the parameters that may stand in a telephone number (RFC 3261 §19.1.6): `phone-context` is a host.
fn plain_user<'m>(uri: &Uri<'m>) -> Option<&'m [u8]> {
    uri.user?.split(|&byte| byte == b';').next().filter(|user| !user.is_empty())
}

/// Whether the sender wants its identity withheld: by Privacy (RFC 3323 §4.2, RFC 3325 §9.3), by an anonymous From, or by
/// the privacy of its Remote-Party-ID.
pub fn asks_privacy(message: &Message<'_>) -> bool {
    let by_party = || message.list(Name::RemotePartyId).filter_map(|value| NameAddr::parse(value).ok());
    asks_by_header(message) || is_anonymous(message) || by_party().any(|party| hides(&party.params))
}

fn asks_by_header(message: &Message<'_>) -> bool {
    asks(message, &[b"id", b"user", b"header"])
}

/// Whether one of these stands in Privacy.
fn asks(message: &Message<'_>, wanted: &[&[u8]]) -> bool {
    let given = message.fields(Name::Privacy).flat_map(|value| value.split(|byte| matches!(byte, b';' | b',')));
    given.map(<[u8]>::trim_ascii).any(|given| wanted.iter().any(|wanted| given.eq_ignore_ascii_case(wanted)))
}

/// Whether a request's From says that nobody is to know. An answer's From is the other side's.
fn is_anonymous(message: &Message<'_>) -> bool {
    let from = message.method().and_then(|_| message.from().ok());
    from.and_then(|from| Uri::parse(from.uri).ok()).is_some_and(|uri| {
        let user = uri.user.unwrap_or_default();
        uri.host.eq_ignore_ascii_case(b"anonymous.invalid") || user.eq_ignore_ascii_case(b"anonymous")
    })
}

/// Whether a Diversion or Remote-Party-ID is itself marked private.
fn hides(params: &Params<'_>) -> bool {
    params.get_unquoted("privacy").is_some_and(|privacy| !privacy.eq_ignore_ascii_case(b"off"))
}

/// Headers of a History-Info URI that pass: why it was left, and that it is private (RFC 7044 §5).
fn may_stay(header: &[u8]) -> bool {
    let name = header.split(|&byte| byte == b'=').next().unwrap_or_default();
    name.eq_ignore_ascii_case(b"Reason") || name.eq_ignore_ascii_case(b"Privacy")
}

/// Adds those of these parameters that are there and are words.
fn push_params(text: &mut Vec<u8>, params: &Params<'_>, names: &[&str]) {
    let is_word = |value: &[u8]| value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._%".contains(byte));
    for name in names {
        if let Some(value) = params.get_unquoted(name).filter(|value| is_word(value)) {
            text.push(b';');
            text.extend_from_slice(name.as_bytes());
            if !value.is_empty() {
                text.push(b'=');
                text.extend_from_slice(value);
            }
        }
    }
}
