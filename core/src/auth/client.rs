//! The other side of digest: answering the challenges that the switch gets as a client.
//!
//! A [`Client`] goes with one leg or one registration of ours, and one pair of credentials. Where a request is answered
//! 401 or 407, [`Client::answer`] gives the header lines with which it is sent again, or says why not; every further
//! request to the same peer begins with [`Client::again`], so that it need not be challenged. The request itself is sent
//! again by [`crate::transaction::resend`].
//!
//! * **Which challenge**: of each realm the strongest algorithm, whatever the order (RFC 7616 §3.7; the preference of the
//!   server that RFC 8760 §2.4 wants followed may be a downgrade on the way).
//! * **Never the same twice**: credentials that were refused are not sent again, unless the nonce was only too old
//!   (`stale=true`) or another realm asks (RFC 3261 §22.1, §8.1.3.5). A nonce that had been accepted and is now met with
//!   another one was not refused but has grown old: not every server says so.
//! * **How often**: SS_SIP_AUTHENTICATION_RETRY challenges to one request.
//! * **How long**: SS_SIP_AUTHENTICATION_TIMEOUT is for whoever sends: so long the request with credentials may go
//!   without any answer.

#[cfg(test)]
mod tests;

use super::challenge::Challenge;
use super::credentials::{Credentials, Qop};
use super::secret;
use crate::cx::Cx;
use crate::limits;
use crate::sip::{Message, Writer};
use serde::{Deserialize, Serialize};

/// Who we are to a peer that challenges us.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The user name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// These credentials were refused already (RFC 3261 §8.1.3.5, §22.1).
    SameCredentialsRejected,
    /// SS_SIP_AUTHENTICATION_RETRY challenges have been answered.
    RoundsOver,
    /// The response has no challenge that can be read.
    NoChallenge,
    /// No challenge has a scheme, an algorithm and a protection that we know.
    NoUsableChallenge,
}

impl WhyNot {
    /// The id of the rule.
    pub fn name(self) -> &'static str {
        match self {
            WhyNot::SameCredentialsRejected => "auth.credentials-rejected",
            WhyNot::RoundsOver => "auth.rounds-over",
            WhyNot::NoChallenge => "auth.no-challenge",
            WhyNot::NoUsableChallenge => "auth.no-usable-challenge",
        }
    }
}

/// What a peer has asked of us, and how often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// One of each realm, in the order of their first challenges; at most [`limits::REALMS_PER_CLIENT`].
    held: Vec<Held>,
    /// Challenges to the request in hand that were answered.
    rounds: u32,
}

/// A challenge that was answered, kept for the next request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    by_proxy: bool,
    realm: Box<[u8]>,
    nonce: Box<[u8]>,
    opaque: Option<Box<[u8]>>,
    algorithm: Box<[u8]>,
    qop: Qop,
    /// One for each nonce: for the session keys of the -sess algorithms it has to stay (RFC 7616 §3.4.2).
    cnonce: [u8; 16],
    /// How often the nonce was used.
    count: u32,
    state: State,
}

/// What is known of the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    /// Sent; no other request has begun since.
    Offered,
    /// Another request has begun since, so they were not refused.
    Taken,
    /// Refused.
    Rejected,
}

impl Client {
    /// The header lines with which a request that was answered with this 401 or 407 is to be sent again, those for other
    /// realms that still ask included. `body` is the request's, for `auth-int`.
    ///
    /// # Errors
    /// Why it is not to be sent again.
    pub fn answer(
        &mut self,
        cx: &mut Cx,
        challenge: &Message<'_>,
        method: &str,
        uri: &[u8],
        body: &[u8],
        login: &Login<'_>,
    ) -> Result<Vec<u8>, WhyNot> {
        let challenges = strongest(challenge)?;
        for held in &mut self.held {
            let asked = challenges.iter().find(|challenge| challenge.is_of(held.by_proxy, &held.realm));
            if asked.is_some_and(|challenge| held.is_refused_by(challenge)) {
                held.state = State::Rejected;
                return Err(WhyNot::SameCredentialsRejected);
            }
        }
        if self.rounds >= cx.config.parameters.auth_retry() {
            return Err(WhyNot::RoundsOver);
        }
        self.rounds += 1;
        for challenge in &challenges {
            self.hold(cx, challenge);
        }
        Ok(self.lines(method, uri, body, login))
    }

    /// Begins another request to the peer: the header lines it is to carry, with the nonces known from earlier ones.
    /// None where the peer has not challenged yet, or has refused the credentials.
    pub fn again(&mut self, method: &str, uri: &[u8], body: &[u8], login: &Login<'_>) -> Option<Vec<u8>> {
        self.rounds = 0;
        for held in self.held.iter_mut().filter(|held| held.state == State::Offered) {
            held.state = State::Taken;
        }
        let lines = self.lines(method, uri, body, login);
        (!lines.is_empty()).then_some(lines)
    }

    fn hold(&mut self, cx: &mut Cx, challenge: &Challenge<'_>) {
        let (_, qop) = challenge.usable().expect("only usable challenges are chosen");
        let held = Held {
            by_proxy: challenge.by_proxy,
            realm: challenge.realm.into(),
            nonce: challenge.nonce.into(),
            opaque: challenge.opaque.map(Box::from),
            algorithm: challenge.algorithm.into(),
            qop,
            cnonce: cx.rng.cnonce.token(),
            count: 0,
            state: State::Offered,
        };
        match self.held.iter_mut().find(|known| challenge.is_of(known.by_proxy, &known.realm)) {
            Some(known) => *known = held,
            None => {
                // the one asked for first is the one most likely passed by now
                if self.held.len() == limits::REALMS_PER_CLIENT {
                    self.held.remove(0);
                }
                self.held.push(held);
            }
        }
    }

    fn lines(&mut self, method: &str, uri: &[u8], body: &[u8], login: &Login<'_>) -> Vec<u8> {
        let mut lines = Writer::lines();
        for held in self.held.iter_mut().filter(|held| held.state != State::Rejected) {
            held.count = held.count.saturating_add(1);
            let name = if held.by_proxy { "Proxy-Authorization" } else { "Authorization" };
            lines.header(name, held.value(method, uri, body, login));
        }
        lines.as_bytes().to_vec()
    }
}

impl Held {
    fn is_refused_by(&self, challenge: &Challenge<'_>) -> bool {
        match self.state {
            State::Rejected => true,
            State::Offered => !challenge.is_stale,
            State::Taken => !challenge.is_stale && *self.nonce == *challenge.nonce,
        }
    }

    /// The value of the header field (RFC 7616 §3.4): the algorithm and the opaque value only where the challenge has them.
    fn value(&self, method: &str, uri: &[u8], body: &[u8], login: &Login<'_>) -> Vec<u8> {
        let (user, nc) = (quoted(login.user), format!("{:08x}", self.count));
        let (qop, cnonce, nc) = match self.qop {
            Qop::None => (b"".as_slice(), b"".as_slice(), ""),
            Qop::Auth => (b"auth".as_slice(), self.cnonce.as_slice(), &*nc),
            Qop::AuthInt => (b"auth-int".as_slice(), self.cnonce.as_slice(), &*nc),
        };
        let credentials = Credentials {
            username: &user,
            realm: &self.realm,
            nonce: &self.nonce,
            uri,
            response: b"",
            cnonce,
            nc: nc.as_bytes(),
            qop,
            algorithm: &self.algorithm,
            opaque: b"",
        };
        let (algorithm, _) = credentials.algorithm().expect("only challenges with a known algorithm are held");
        let ha1 = secret::ha1(&user, &self.realm, login.password, algorithm);
        let response = credentials.answer(ha1, method.as_bytes(), body).expect("algorithm and qop are known");
        let mut value = b"Digest".to_vec();
        let mut put = |name: &str, quote: &str, text: &[u8]| {
            let comma = if value.len() == b"Digest".len() { " " } else { ", " };
            for part in [comma.as_bytes(), name.as_bytes(), b"=", quote.as_bytes(), text, quote.as_bytes()] {
                value.extend_from_slice(part);
            }
        };
        put("username", "\"", &user);
        put("realm", "\"", &self.realm);
        put("nonce", "\"", &self.nonce);
        put("uri", "\"", uri);
        put("response", "\"", response.hex().as_ref());
        if !self.algorithm.is_empty() {
            put("algorithm", "", &self.algorithm);
        }
        if self.qop != Qop::None {
            put("cnonce", "\"", cnonce);
            put("qop", "", qop);
            put("nc", "", nc.as_bytes());
        }
        if let Some(opaque) = &self.opaque {
            put("opaque", "\"", opaque);
        }
        value
    }
}

/// The best challenge of each realm: the strongest algorithm, of equal ones the first.
fn strongest<'m>(message: &Message<'m>) -> Result<Vec<Challenge<'m>>, WhyNot> {
    let mut best: Vec<Challenge<'m>> = Vec::new();
    let mut is_any = false;
    for challenge in Challenge::all(message) {
        is_any = true;
        let Some((algorithm, _)) = challenge.usable() else { continue };
        match best.iter().position(|other| challenge.is_of(other.by_proxy, other.realm)) {
            Some(at) if best[at].usable().is_some_and(|(known, _)| known < algorithm) => best[at] = challenge,
            None if best.len() < limits::REALMS_PER_CLIENT => best.push(challenge),
            Some(_) | None => {}
        }
    }
    match (best.is_empty(), is_any) {
        (false, _) => Ok(best),
        (true, true) => Err(WhyNot::NoUsableChallenge),
        (true, false) => Err(WhyNot::NoChallenge),
    }
}

/// The content of a quoted string (RFC 3261 §25.1), as it is hashed too.
fn quoted(text: &str) -> Vec<u8> {
    let mut content = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            content.push(b'\\');
        }
        content.push(byte);
    }
    content
}

impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({:?}, …)", self.user)
    }
}
