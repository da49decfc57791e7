//! Answers to digest challenges: what was right is right afterwards, what was wrong wrong.

use super::page::Page;
use crosspoint_core::auth::{Algorithm, Credentials, Secret};
use crosspoint_core::config::Config;
use crosspoint_core::sip::{Index, Message, Scanned, scan};

/// The secrets in force when a request came, and those in their place.
pub(super) struct Secrets<'c> {
    pub(super) old: &'c Config,
    pub(super) new: &'c Config,
}

/// What of a configuration can answer for a user.
fn secrets<'c>(config: &'c Config, user: &str) -> impl Iterator<Item = &'c Secret> {
    let phone = config.phones.profile(user).map(|profile| &profile.secret);
    phone.into_iter().chain(config.gateways.find_user(user).map(|(_, secret)| secret))
}

impl Secrets<'_> {
    /// Writes the right answers into the page of this request where the request had right ones. A wrong answer has been
    /// replaced by other digits, which are as wrong.
    pub(super) fn answer(&self, request: &[u8], page: &mut Page<'_>) {
        if page.answers.is_empty() {
            return;
        }
        let mut index = Index::default();
        let Ok(Scanned::Message(message)) = scan(request, &mut index) else { return };
        for (response, value) in page.answers.clone() {
            let Ok(Some(old)) = Credentials::parse(&request[value.clone()]) else { continue };
            let Some(which) = self.right(&old, &message) else { continue };
            let body = page.bytes.len() - message.body().len();
            let Ok(Some(new)) = Credentials::parse(page.get(value)) else { continue };
            let user = new.user();
            let answers = secrets(self.new, &user)
                .filter_map(|secret| answer(secret, &new, which, &page.bytes[body..]))
                .find(|answer| answer.len() == response.len());
            if let Some(answer) = answers {
                page.bytes[response].copy_from_slice(&answer);
            }
        }
    }

    /// The method for which these credentials are right, if they are: an ACK repeats those of its INVITE (RFC 3261
    /// §22.1).
    fn right(&self, old: &Credentials<'_>, message: &Message<'_>) -> Option<&'static [u8]> {
        let method = message.method()?;
        let methods: [&'static [u8]; 16] = [
            b"INVITE",
            b"ACK",
            b"BYE",
            b"CANCEL",
            b"OPTIONS",
            b"REGISTER",
            b"PRACK",
            b"SUBSCRIBE",
            b"NOTIFY",
            b"PUBLISH",
            b"INFO",
            b"REFER",
            b"MESSAGE",
            b"UPDATE",
            b"BENOTIFY",
            b"SERVICE",
        ];
        let own = methods.into_iter().filter(|known| *known == method.as_bytes());
        let user = old.user();
        own.chain([b"INVITE".as_slice()]).find(|method| {
            let given = old.response.to_ascii_lowercase();
            secrets(self.old, &user)
                .filter_map(|secret| answer(secret, old, method, message.body()))
                .any(|right| right == given)
        })
    }
}

/// The answer that the owner of this secret gives, in lower-case hexadecimal digits.
fn answer(secret: &Secret, credentials: &Credentials<'_>, method: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let (algorithm, _): (Algorithm, bool) = credentials.algorithm()?;
    let realm = std::str::from_utf8(credentials.realm).ok()?;
    let ha1 = secret.ha1(credentials.username, realm, algorithm)?;
    credentials.answer(ha1, method, body).map(|hash| hash.hex().as_ref().to_vec())
}
