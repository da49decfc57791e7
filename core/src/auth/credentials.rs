//! The value of an Authorization or Proxy-Authorization header field.

use super::algorithm::{Algorithm, Hash};
use serde::{Deserialize, Serialize};

/// Digest credentials as received (RFC 7616 §3.4): slices of the message, without the quotes around a quoted string but
/// with any backslash in it, for that is how they are hashed. A parameter that is not there is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credentials<'m> {
    /// Who.
    pub username: &'m [u8],
    /// For which realm.
    pub realm: &'m [u8],
    /// The nonce that is answered.
    pub nonce: &'m [u8],
    /// The digest-uri.
    pub uri: &'m [u8],
    /// The answer, in hexadecimal.
    pub response: &'m [u8],
    /// The client's own nonce.
    pub cnonce: &'m [u8],
    /// The nonce count, 8 hexadecimal digits.
    pub nc: &'m [u8],
    /// The quality of protection.
    pub qop: &'m [u8],
    /// The algorithm's name.
    pub algorithm: &'m [u8],
    /// What the challenge gave to be returned.
    pub opaque: &'m [u8],
}

/// Quality of protection (RFC 7616 §3.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Qop {
    /// None given: the older digest of RFC 2069.
    None,
    /// Method and digest-uri are protected.
    Auth,
    /// The body too.
    AuthInt,
}

impl<'m> Credentials<'m> {
    /// Reads the value of one header field; `None` for a scheme other than Digest.
    ///
    /// # Errors
    /// What is wrong with its grammar: a parameter without value, an open quote, or a parameter given twice, which two
    /// readers would understand differently.
    pub fn parse(value: &'m [u8]) -> Result<Option<Credentials<'m>>, &'static str> {
        let mut credentials = Credentials::default();
        let is_digest = parameters(value, |name, parameter| {
            let Some(field) = credentials.field(name) else { return Ok(()) };
            if !field.is_empty() {
                return Err("auth.parameter-twice");
            }
            *field = parameter;
            Ok(())
        })?;
        Ok(is_digest.then_some(credentials))
    }

    fn field(&mut self, name: &[u8]) -> Option<&mut &'m [u8]> {
        let mut lower = [0; 9];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"username" => &mut self.username,
            b"realm" => &mut self.realm,
            b"nonce" => &mut self.nonce,
            b"uri" => &mut self.uri,
            b"response" => &mut self.response,
            b"cnonce" => &mut self.cnonce,
            b"nc" => &mut self.nc,
            b"qop" => &mut self.qop,
            b"algorithm" => &mut self.algorithm,
            b"opaque" => &mut self.opaque,
            _ => return None,
        })
    }

    /// The algorithm, and whether it is its `-sess` form; MD5 where none is named (RFC 7616 §3.4).
    pub fn algorithm(&self) -> Option<(Algorithm, bool)> {
        algorithm(self.algorithm)
    }

    /// The quality of protection; `None` for one that we do not know.
    pub fn qop(&self) -> Option<Qop> {
        match self.qop {
            b"" => Some(Qop::None),
            qop if qop.eq_ignore_ascii_case(b"auth") => Some(Qop::Auth),
            qop if qop.eq_ignore_ascii_case(b"auth-int") => Some(Qop::AuthInt),
            _ => None,
        }
    }

    /// The nonce count: exactly 8 hexadecimal digits (RFC 7616 §3.4).
    pub fn count(&self) -> Option<u32> {
        let digits: &[u8; 8] = self.nc.try_into().ok()?;
        digits.iter().try_fold(0, |count, digit| Some(count << 4 | char::from(*digit).to_digit(16)?))
    }

    /// The user name without the backslashes of its quoted string, its octets as Latin-1 where they are not UTF-8.
    pub fn user(&self) -> String {
        let mut name = Vec::with_capacity(self.username.len());
        let mut bytes = self.username.iter();
        while let Some(byte) = bytes.next() {
            name.push(if *byte == b'\\' { *bytes.next().unwrap_or(byte) } else { *byte });
        }
        String::from_utf8(name).unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect())
    }

    /// The answer that the owner of `ha1` (the hash of user, realm and password) gives for a request of this method with
    /// this body (RFC 7616 §3.4.1 to §3.4.3).
    pub fn answer(&self, ha1: Hash, method: &[u8], body: &[u8]) -> Option<Hash> {
        let (algorithm, session) = self.algorithm()?;
        let qop = self.qop()?;
        let ha1 =
            if session { algorithm.hash(&[ha1.hex().as_ref(), b":", self.nonce, b":", self.cnonce]) } else { ha1 };
        let ha2 = match qop {
            Qop::AuthInt => {
                let body = algorithm.hash(&[body]);
                algorithm.hash(&[method, b":", self.uri, b":", body.hex().as_ref()])
            }
            Qop::None | Qop::Auth => algorithm.hash(&[method, b":", self.uri]),
        };
        let (ha1, ha2) = (ha1.hex(), ha2.hex());
        Some(match qop {
            Qop::None => algorithm.hash(&[ha1.as_ref(), b":", self.nonce, b":", ha2.as_ref()]),
            Qop::Auth | Qop::AuthInt => algorithm.hash(&[
                ha1.as_ref(),
                b":",
                self.nonce,
                b":",
                self.nc,
                b":",
                self.cnonce,
                b":",
                self.qop,
                b":",
                ha2.as_ref(),
            ]),
        })
    }

    /// What makes the credentials unusable by their form (RFC 3261 §22.4), if anything.
    pub(super) fn defect(&self) -> Option<&'static str> {
        // an unknown algorithm is no defect: it is challenged again
        let (algorithm, session) = self.algorithm()?;
        let answer_bytes = if algorithm == Algorithm::Md5 { 16 } else { 32 };
        let qop = self.qop();
        if self.username.is_empty() {
            Some("auth.no-username")
        } else if self.nonce.is_empty() {
            Some("auth.no-nonce")
        } else if self.uri.is_empty() {
            Some("auth.no-uri")
        } else if self.response.len() != 2 * answer_bytes {
            Some("auth.response-length")
        } else if qop.is_none() {
            Some("auth.unknown-qop")
        // RFC 8760 §2.6: qop with every algorithm but MD5; a session key needs a cnonce
        } else if qop == Some(Qop::None) && (algorithm != Algorithm::Md5 || session) {
            Some("auth.no-qop")
        } else if qop != Some(Qop::None) && self.count().is_none() {
            Some("auth.nonce-count")
        } else if qop != Some(Qop::None) && self.cnonce.is_empty() {
            Some("auth.no-cnonce")
        } else {
            None
        }
    }
}

/// The algorithm of this name, and whether it is its `-sess` form; MD5 where the name is empty (RFC 7616 §3.3).
pub(super) fn algorithm(name: &[u8]) -> Option<(Algorithm, bool)> {
    if name.is_empty() {
        return Some((Algorithm::Md5, false));
    }
    match name.split_last_chunk::<5>() {
        Some((name, end)) if end.eq_ignore_ascii_case(b"-sess") => Some((Algorithm::of(name)?, true)),
        _ => Some((Algorithm::of(name)?, false)),
    }
}

/// Gives each parameter of credentials or a challenge to `take`, in order. Whether the scheme is Digest; nothing of
/// another one is given.
pub(super) fn parameters<'m>(
    value: &'m [u8],
    mut take: impl FnMut(&'m [u8], &'m [u8]) -> Result<(), &'static str>,
) -> Result<bool, &'static str> {
    let value = value.trim_ascii();
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (scheme, mut rest) = value.split_at(end);
    if !scheme.eq_ignore_ascii_case(b"Digest") {
        return Ok(false);
    }
    loop {
        rest = rest.trim_ascii_start();
        let Some((&first, after)) = rest.split_first() else { return Ok(true) };
        // empty list elements are allowed (RFC 9110 §5.6.1)
        if first == b',' {
            rest = after;
            continue;
        }
        let (name, parameter, after) = next_parameter(rest)?;
        take(name, parameter)?;
        rest = after.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return Err("auth.parameter-without-comma");
        }
    }
}

/// The name and the value of the parameter at the start of `rest`, and what comes after it.
type Parameter<'m> = (&'m [u8], &'m [u8], &'m [u8]);

fn next_parameter(rest: &[u8]) -> Result<Parameter<'_>, &'static str> {
    let equals =
        memchr::memchr2(b'=', b',', rest).filter(|at| rest[*at] == b'=').ok_or("auth.parameter-without-value")?;
    let name = rest[..equals].trim_ascii_end();
    let value = rest[equals + 1..].trim_ascii_start();
    if let Some(quoted) = value.strip_prefix(b"\"") {
        let mut at = 0;
        while let Some(found) = memchr::memchr2(b'"', b'\\', &quoted[at..]) {
            at += found;
            if quoted[at] == b'"' {
                return Ok((name, &quoted[..at], &quoted[at + 1..]));
            }
            // the octet after a backslash ends nothing (RFC 3261 §25.1 quoted-pair)
            at = (at + 2).min(quoted.len());
        }
        return Err("auth.open-quote");
    }
    let end = value.iter().position(|byte| *byte == b',' || byte.is_ascii_whitespace()).unwrap_or(value.len());
    if end == 0 {
        return Err("auth.parameter-without-value");
    }
    Ok((name, &value[..end], &value[end..]))
}
