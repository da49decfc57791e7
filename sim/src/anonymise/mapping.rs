//! What is replaced by what: the whole mapping of one recording.

use super::addresses::{self, Addresses};
use super::key::{Key, Kind};
use super::numbers::Words;
use super::symbols;
use crosspoint_core::config::{Cidr, Config};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// Branches of RFC 3261 begin so (§8.1.1.7); it says how a transaction is matched.
const COOKIE: &[u8] = b"z9hG4bK";

/// Words and addresses that are remembered.
const REMEMBERED: usize = 100_000;

/// Every substitution, and the identifiers of the switch that came out otherwise.
pub(super) struct Mapping {
    pub(super) key: Key,
    words: Words,
    addresses: Addresses,
    /// Addresses and words that were replaced before: most come again and again.
    seen_addresses: RefCell<BTreeMap<IpAddr, IpAddr>>,
    seen_words: RefCell<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// The numbers that gateways show instead of the caller's: which of several it is, the digits of the caller decide.
    shown: BTreeSet<String>,
    /// What the switch made up itself, as it did then and as it does now.
    made: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Mapping {
    /// The mapping under which all of these configurations go on meaning what they do.
    pub(super) fn new(key: Key, configs: &[&Config]) -> Mapping {
        let words = Words::new(key, configs.iter().copied());
        let addresses = Addresses::new(key, configs.iter().copied());
        let gateways = configs.iter().flat_map(|config| config.gateways.iter());
        let shown = gateways.flat_map(|gateway| gateway.rules.caller_ids.iter().cloned()).collect();
        let (seen_addresses, seen_words, made) = Default::default();
        Mapping { key, words, addresses, seen_addresses, seen_words, shown, made }
    }

    /// Remembers what an identifier of the switch is now.
    pub(super) fn learn(&mut self, old: &[u8], new: &[u8]) {
        self.made.insert(old.to_vec(), new.to_vec());
    }

    /// Whether both are of the numbers that gateways show, the one as it was and the other under the mapping.
    pub(super) fn are_shown(&self, old: &[u8], new: &[u8]) -> bool {
        let digits = |number: &str| number.trim_start_matches('+').to_owned();
        self.shown.iter().any(|number| digits(number).as_bytes() == old)
            && self.shown.iter().any(|number| digits(&self.of(number, Mapping::user)).as_bytes() == new)
    }

    pub(super) fn ip(&self, ip: IpAddr) -> IpAddr {
        remembered(&self.seen_addresses, &ip, || self.addresses.image(ip))
    }

    /// One word; see [`Words::replace`].
    fn word(&self, text: &mut [u8], may_be_escaped: bool) {
        if text.is_empty() {
            return;
        }
        let is_plain = !may_be_escaped || !text.contains(&b'%');
        let replaced = || {
            let mut new = text.to_vec();
            self.words.replace(&mut new, may_be_escaped);
            new
        };
        let new = if is_plain { remembered(&self.seen_words, &text.to_vec(), replaced) } else { replaced() };
        text.copy_from_slice(&new);
    }

    pub(super) fn socket(&self, at: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.ip(at.ip()), at.port())
    }

    pub(super) fn block(&self, cidr: Cidr) -> Cidr {
        self.addresses.block(cidr)
    }

    /// A user part, a number, a login: one word, with a host behind an `@`.
    pub(super) fn user(&self, text: &mut [u8]) {
        let end = text.iter().position(|&byte| byte == b'@').unwrap_or(text.len());
        let (user, host) = text.split_at_mut(end);
        self.word(user, true);
        symbols::scramble_letters(&self.key, user);
        if let [b'@', host @ ..] = host {
            self.host(host);
        }
    }

    /// An address, or a name label by label. A label that begins with `_` names a service (RFC 2782) and stays.
    pub(super) fn host(&self, text: &mut [u8]) {
        if addresses::replace(text, |ip| self.ip(ip)) {
            return;
        }
        for label in text.split_mut(|&byte| byte == b'.') {
            self.label(label);
        }
    }

    /// One label of a host name.
    pub(super) fn label(&self, label: &mut [u8]) {
        if label.first() != Some(&b'_') {
            self.word(label, false);
        }
    }

    /// Free text: every word by itself, an IPv4 address as such.
    pub(super) fn text(&self, text: &mut [u8]) {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+');
        for piece in text.split_mut(|byte| !is_part(byte)) {
            if addresses::replace(piece, |ip| self.ip(ip)) {
                continue;
            }
            for word in piece.split_mut(|&byte| byte == b'.') {
                self.word(word, false);
            }
        }
        symbols::scramble_letters(&self.key, text);
    }

    /// A tag, branch, Call-ID or nonce: of the switch as it is now, else another one.
    pub(super) fn id(&self, text: &mut [u8]) {
        match self.made.get(&*text) {
            Some(new) => text.copy_from_slice(new),
            None => self.scramble(Kind::Id, text),
        }
    }

    pub(super) fn password(&self, text: &mut [u8]) {
        self.scramble(Kind::Password, text);
    }

    fn scramble(&self, kind: Kind, text: &mut [u8]) {
        let begin = if text.starts_with(COOKIE) { COOKIE.len() } else { 0 };
        symbols::scramble(&self.key, kind, &mut text[begin..], true);
        symbols::scramble_letters(&self.key, text);
    }

    /// Any of these, of a text that is owned.
    pub(super) fn of(&self, text: &str, replace: impl Fn(&Mapping, &mut [u8])) -> String {
        let mut bytes = text.as_bytes().to_vec();
        replace(self, &mut bytes);
        String::from_utf8(bytes).expect("symbols are replaced by symbols of as many octets")
    }
}

/// What was found before, or is now; what is remembered is bounded.
fn remembered<T: Ord + Clone, I: Clone>(seen: &RefCell<BTreeMap<T, I>>, of: &T, image: impl FnOnce() -> I) -> I {
    if let Some(image) = seen.borrow().get(of) {
        return image.clone();
    }
    let image = image();
    let mut seen = seen.borrow_mut();
    if seen.len() >= REMEMBERED {
        seen.clear();
    }
    seen.insert(of.clone(), image.clone());
    image
}
