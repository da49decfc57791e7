//! The value of a WWW-Authenticate or Proxy-Authenticate header field.

use super::algorithm::Algorithm;
use super::credentials::{self, Qop};
use crate::limits;
use crate::sip::{Message, Name};

/// A Digest challenge (RFC 7616 §3.3) as received: slices of the message, as in [`super::Credentials`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge<'m> {
    /// Whether a proxy asks; else the user agent server does.
    pub(super) by_proxy: bool,
    pub(super) realm: &'m [u8],
    pub(super) nonce: &'m [u8],
    /// What is to be returned as it is, where the challenge has it; it may be empty.
    pub(super) opaque: Option<&'m [u8]>,
    /// The algorithm's name; empty where none is named, which means MD5.
    pub(super) algorithm: &'m [u8],
    /// The list of protections that are offered.
    qop: &'m [u8],
    /// The nonce was too old, the credentials right.
    pub(super) is_stale: bool,
}

impl<'m> Challenge<'m> {
    /// Every Digest challenge of a response that can be read, in its order, at most [`limits::CHALLENGES`]. Other schemes
    /// and broken values are passed over: another one may be answered.
    pub(super) fn all(message: &Message<'m>) -> impl Iterator<Item = Challenge<'m>> + use<'m> {
        let of = |name, by_proxy| {
            let read = move |value| Challenge::parse(value).map(|challenge| Challenge { by_proxy, ..challenge });
            message.fields(name).filter_map(read)
        };
        of(Name::ProxyAuthenticate, true).chain(of(Name::WwwAuthenticate, false)).take(limits::CHALLENGES)
    }

    fn parse(value: &'m [u8]) -> Option<Challenge<'m>> {
        let mut challenge = Challenge::default();
        let is_digest = credentials::parameters(value, |name, value| {
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            match () {
                () if is("realm") => challenge.realm = value,
                () if is("nonce") => challenge.nonce = value,
                () if is("opaque") => challenge.opaque = Some(value),
                () if is("algorithm") => challenge.algorithm = value,
                () if is("qop") => challenge.qop = value,
                () if is("stale") => challenge.is_stale = value.eq_ignore_ascii_case(b"true"),
                () => {}
            }
            Ok(())
        });
        let is_whole =
            is_digest == Ok(true) && !challenge.nonce.is_empty() && challenge.bytes() <= limits::CHALLENGE_BYTES;
        is_whole.then_some(challenge)
    }

    fn bytes(&self) -> usize {
        self.realm.len() + self.nonce.len() + self.opaque.map_or(0, <[u8]>::len)
    }

    /// Whether it is for the same protection space: asked by the same kind of server for the same realm.
    pub(super) fn is_of(&self, by_proxy: bool, realm: &[u8]) -> bool {
        self.by_proxy == by_proxy && self.realm == realm
    }

    /// How it is to be answered, where it can be: `auth` goes before `auth-int`, which fails wherever something on the
    /// way rewrites the body; without any offer it is the older digest of RFC 2069, which has no session keys.
    pub(super) fn usable(&self) -> Option<(Algorithm, Qop)> {
        let (algorithm, is_session) = credentials::algorithm(self.algorithm)?;
        if self.qop.is_empty() {
            return (!is_session).then_some((algorithm, Qop::None));
        }
        let offers = |wanted: &[u8]| {
            self.qop.split(|&byte| byte == b',').any(|offer| offer.trim_ascii().eq_ignore_ascii_case(wanted))
        };
        let qop =
            [(b"auth".as_slice(), Qop::Auth), (b"auth-int", Qop::AuthInt)].into_iter().find(|(name, _)| offers(name));
        qop.map(|(_, qop)| (algorithm, qop))
    }
}
