//! Judges credentials and makes challenges.

use super::algorithm::{Algorithm, Hash};
use super::credentials::{Credentials, Qop};
use super::nonce::{Answered, Mint, Stamp};
use super::rounds::{Place, Rounds};
use super::secret::{self, Secret};
use crate::cx::Cx;
use crate::input::Flow;
use crate::sip::{Message, Name};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What an unknown user's password is: a hash is made of it as of any other, so that both take the same time. It need
/// not be secret, since its owner is refused whatever the hash is.
const NOBODYS_PASSWORD: &str = "nobody";

/// Verifies digest credentials: the key of the nonces and the two bounded memories that go with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Authenticator {
    mint: Mint,
    answered: Answered,
    rounds: Rounds,
}

/// What [`Authenticator::verify`] says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The credentials are those of this user.
    Accepted {
        /// Whose.
        user: String,
    },
    /// Nothing was given that could be judged: answer with [`Authenticator::challenge`]. No failed attempt.
    Challenge {
        /// Whether to say `stale=true`: the client may repeat with a new nonce without asking its user (RFC 7616 §3.3).
        stale: bool,
        /// Why, such as `auth.nonce-expired`.
        rule: &'static str,
    },
    /// A wrong answer to a nonce that was issued to this very source: a failed attempt.
    Refused {
        /// The user name given.
        user: String,
        /// Why: `auth.wrong-response`, `auth.unknown-user`, `auth.no-hash-for-algorithm`. Not for the wire.
        rule: &'static str,
        /// Whether to challenge again (without `stale`); else the rounds of this exchange are used up: 403.
        again: bool,
    },
    /// The exchange was challenged SS_SIP_AUTHENTICATION_RETRY times without an answer that could be judged: 403.
    Exhausted,
    /// The credentials break their grammar: 400.
    Malformed(&'static str),
}

/// As whom the switch challenges (RFC 3261 §22.2, §22.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeCode {
    /// 401 with WWW-Authenticate: a registrar or another UAS. REGISTER always gets this one.
    Unauthorized,
    /// 407 with Proxy-Authenticate.
    ProxyAuthenticationRequired,
}

impl ChallengeCode {
    /// The response's status.
    pub fn status(self) -> u16 {
        match self {
            ChallengeCode::Unauthorized => 401,
            ChallengeCode::ProxyAuthenticationRequired => 407,
        }
    }

    fn header(self) -> &'static str {
        match self {
            ChallengeCode::Unauthorized => "WWW-Authenticate",
            ChallengeCode::ProxyAuthenticationRequired => "Proxy-Authenticate",
        }
    }
}

/// Credentials whose nonce is ours and may be used.
struct Fresh<'m> {
    credentials: Credentials<'m>,
    algorithm: Algorithm,
    stamp: Stamp,
    count: u32,
}

impl Authenticator {
    /// With a key of its own from `cx.rng.nonce`.
    pub fn new(cx: &mut Cx) -> Authenticator {
        let mint = Mint::new(&mut cx.rng.nonce);
        let rounds = Rounds::new((cx.rng.nonce.next_u64(), cx.rng.nonce.next_u64()));
        Authenticator { mint, answered: Answered::default(), rounds }
    }

    /// Judges the credentials of a request for `realm`, in whichever of the two headers they are. `lookup` gives the
    /// secret of a user name.
    pub fn verify<'s>(
        &mut self,
        cx: &mut Cx,
        message: &Message<'_>,
        flow: Flow,
        realm: &str,
        lookup: impl FnOnce(&str) -> Option<&'s Secret>,
    ) -> Outcome {
        let source = flow.remote.ip();
        let place = self.rounds.place(message, source);
        let outcome = match self.usable(cx, message, source, realm) {
            Ok(fresh) => self.answer_is_right(cx, message, &fresh, realm, lookup),
            Err(outcome) => outcome,
        };
        match outcome {
            Outcome::Accepted { .. } => {
                self.rounds.done(place);
                cx.counters.auth_accepted += 1;
                outcome
            }
            Outcome::Challenge { .. } if !self.another_round(cx, place) => Outcome::Exhausted,
            Outcome::Refused { user, rule, .. } => {
                cx.counters.auth_refused += 1;
                Outcome::Refused { user, rule, again: self.another_round(cx, place) }
            }
            outcome => outcome,
        }
    }

    fn another_round(&mut self, cx: &Cx, place: Place) -> bool {
        let (most, within) = (cx.config.parameters.auth_retry(), cx.config.parameters.auth_timeout());
        self.rounds.another(place, most, within.saturating_mul(most), cx.now.mono)
    }

    /// The credentials that are for `realm` and whose nonce may be used, or what to say where there are none.
    fn usable<'m>(&self, cx: &Cx, message: &Message<'m>, source: IpAddr, realm: &str) -> Result<Fresh<'m>, Outcome> {
        let (credentials, stamp) = self.find(message, source, realm)?;
        if let Some(defect) = credentials.defect() {
            return Err(Outcome::Malformed(defect));
        }
        let Some((algorithm, _)) = credentials.algorithm() else {
            return Err(Outcome::Challenge { stale: false, rule: "auth.unknown-algorithm" });
        };
        if !cx.config.digest_algorithms.contains(&algorithm) {
            return Err(Outcome::Challenge { stale: false, rule: "auth.algorithm-not-offered" });
        }
        let stamp = stamp.ok_or(Outcome::Challenge { stale: true, rule: "auth.foreign-nonce" })?;
        // without qop there is no count: such a nonce serves once
        let count = if credentials.qop() == Some(Qop::None) { 0 } else { credentials.count().unwrap_or_default() };
        match self.answered.refusal(stamp, count, cx.now.mono, cx.config.parameters.auth_timeout()) {
            Some(rule) => Err(Outcome::Challenge { stale: true, rule }),
            None => Ok(Fresh { credentials, algorithm, stamp, count }),
        }
    }

    /// The first credentials for `realm` whose nonce is ours, else the first for `realm`. Other realms' credentials may
    /// stand beside them (RFC 3261 §22.3), and unknown schemes are passed over.
    fn find<'m>(
        &self,
        message: &Message<'m>,
        source: IpAddr,
        realm: &str,
    ) -> Result<(Credentials<'m>, Option<Stamp>), Outcome> {
        let mut none = Outcome::Challenge { stale: false, rule: "auth.no-credentials" };
        let mut first = None;
        for value in message.fields(Name::Authorization).chain(message.fields(Name::ProxyAuthorization)) {
            match Credentials::parse(value) {
                Ok(Some(credentials)) if credentials.realm == realm.as_bytes() => {
                    match self.mint.open(credentials.nonce, source, realm) {
                        None => first = first.or(Some(credentials)),
                        stamp => return Ok((credentials, stamp)),
                    }
                }
                Ok(_) => {}
                Err(reason) => none = Outcome::Malformed(reason),
            }
        }
        first.map(|credentials| (credentials, None)).ok_or(none)
    }

    /// Compares the answer with the right one. Everybody's takes the same hashes and one comparison: a known user's with
    /// a password or a stored hash, an unknown one's.
    fn answer_is_right<'s>(
        &mut self,
        cx: &Cx,
        message: &Message<'_>,
        fresh: &Fresh<'_>,
        realm: &str,
        lookup: impl FnOnce(&str) -> Option<&'s Secret>,
    ) -> Outcome {
        let Fresh { credentials, algorithm, stamp, count } = fresh;
        let user = credentials.user();
        let secret = lookup(&user);
        let password = match secret {
            Some(Secret::Password(password)) => password,
            Some(Secret::Ha1 { .. }) | None => NOBODYS_PASSWORD,
        };
        let computed = secret::ha1(credentials.username, realm.as_bytes(), password, *algorithm);
        let known = match secret {
            Some(Secret::Password(_)) => Some(computed),
            Some(stored @ Secret::Ha1 { .. }) => stored.ha1(credentials.username, realm, *algorithm),
            None => None,
        };
        let method = message.method().map_or(b"".as_slice(), |method| method.as_bytes());
        let right = credentials.answer(known.unwrap_or(computed), method, message.body());
        let same = right.is_some() && right == Hash::from_hex(credentials.response);
        let rule = match (secret, known) {
            (None, _) => "auth.unknown-user",
            (Some(_), None) => "auth.no-hash-for-algorithm",
            (Some(_), Some(_)) if same => {
                self.answered.accept(*stamp, *count, cx.now.mono);
                return Outcome::Accepted { user };
            }
            (Some(_), Some(_)) => "auth.wrong-response",
        };
        Outcome::Refused { user, rule, again: true }
    }

    /// The header fields of a challenge: one per algorithm of the policy, in its order, all with one new nonce.
    pub fn challenge(&mut self, cx: &mut Cx, flow: Flow, realm: &str, code: ChallengeCode, stale: bool) -> Vec<u8> {
        cx.counters.challenges += 1;
        let nonce = self.mint.make(cx.now.mono, flow.remote.ip(), realm);
        let mut lines = Vec::with_capacity(cx.config.digest_algorithms.len() * (128 + realm.len()));
        for algorithm in &cx.config.digest_algorithms {
            for part in [code.header(), ": Digest realm=\"", realm, "\", nonce=\""] {
                lines.extend_from_slice(part.as_bytes());
            }
            lines.extend_from_slice(&nonce);
            for part in ["\", algorithm=", algorithm.name(), ", qop=\"auth\"", if stale { ", stale=true" } else { "" }]
            {
                lines.extend_from_slice(part.as_bytes());
            }
            lines.extend_from_slice(b"\r\n");
        }
        lines
    }

    /// Nonces and exchanges remembered.
    pub fn remembered(&self) -> (usize, usize) {
        (self.answered.len(), self.rounds.len())
    }
}
