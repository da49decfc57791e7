//! Digest from the client's side (RFC 7616, RFC 8760), made apart from the core's on purpose.

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The hash a phone can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// What every phone can.
    #[serde(rename = "MD5")]
    Md5,
    /// What newer ones prefer.
    #[serde(rename = "SHA-256")]
    Sha256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    fn hex(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text)),
            Algorithm::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A challenge taken up: the nonce in use and how often it has been.
#[derive(Clone, Debug)]
pub struct Challenge {
    header: &'static str,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    qop: bool,
    algorithm: Algorithm,
    count: u32,
}

/// Who answers.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The user name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

impl Challenge {
    /// The first of these `WWW-Authenticate` or `Proxy-Authenticate` values whose algorithm is `wanted`. `status` is the
    /// 401 or 407 that brought them: it says which header answers.
    pub fn choose(status: u16, values: &[&str], wanted: Algorithm) -> Option<Challenge> {
        let header = if status == 407 { "Proxy-Authorization" } else { "Authorization" };
        values.iter().find_map(|value| {
            let params = value.strip_prefix("Digest ")?;
            let offered = auth_param(params, "algorithm").unwrap_or("MD5");
            offered.eq_ignore_ascii_case(wanted.name()).then_some(())?;
            Some(Challenge {
                header,
                realm: auth_param(params, "realm")?.to_owned(),
                nonce: auth_param(params, "nonce")?.to_owned(),
                opaque: auth_param(params, "opaque").map(str::to_owned),
                qop: auth_param(params, "qop").is_some_and(|q| q.split(',').any(|q| q.trim() == "auth")),
                algorithm: wanted,
                count: 0,
            })
        })
    }

    /// Gives a count back, as if the latest answer had not been: the next one uses it again.
    pub fn step_back(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// Takes another nonce, which nobody gave.
    pub fn forge_nonce(&mut self) {
        self.nonce = self.nonce.chars().rev().collect();
    }

    /// The header that answers a request of this method to this URI: its name and value. Counts the nonce's use.
    pub fn answer(&mut self, account: Account<'_>, method: &str, uri: &str, cnonce: &str) -> (&'static str, String) {
        self.count += 1;
        let Account { user, password } = account;
        let Challenge { realm, nonce, algorithm, count, .. } = self;
        let ha1 = algorithm.hex(&format!("{user}:{realm}:{password}"));
        let ha2 = algorithm.hex(&format!("{method}:{uri}"));
        let response = match self.qop {
            true => algorithm.hex(&format!("{ha1}:{nonce}:{count:08x}:{cnonce}:auth:{ha2}")),
            false => algorithm.hex(&format!("{ha1}:{nonce}:{ha2}")),
        };
        let mut value = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
             algorithm={}",
            algorithm.name()
        );
        if self.qop {
            value.push_str(&format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = &self.opaque {
            value.push_str(&format!(", opaque=\"{opaque}\""));
        }
        (self.header, value)
    }
}

/// Whether credentials were made for this nonce.
pub(super) fn has_nonce(value: &str, nonce: &str) -> bool {
    value.strip_prefix("Digest ").and_then(|params| auth_param(params, "nonce")) == Some(nonce)
}

/// Whether credentials are right for this account and method: the other side of [`Challenge::answer`].
pub(super) fn is_right(value: &str, account: Account<'_>, method: &str) -> bool {
    let Some(params) = value.strip_prefix("Digest ") else { return false };
    let param = |name| auth_param(params, name).unwrap_or_default();
    let algorithm = if param("algorithm") == "SHA-256" { Algorithm::Sha256 } else { Algorithm::Md5 };
    let Account { user, password } = account;
    let ha1 = algorithm.hex(&format!("{user}:{}:{password}", param("realm")));
    let ha2 = algorithm.hex(&format!("{method}:{}", param("uri")));
    let (nonce, nc, cnonce) = (param("nonce"), param("nc"), param("cnonce"));
    let right = match param("qop") {
        "auth" => algorithm.hex(&format!("{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}")),
        _ => algorithm.hex(&format!("{ha1}:{nonce}:{ha2}")),
    };
    param("username") == user && param("response") == right
}

/// A parameter of a challenge, without its quotes.
fn auth_param<'a>(params: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = params;
    loop {
        let mut quoted = false;
        let comma = rest.bytes().position(|byte| {
            quoted ^= byte == b'"';
            byte == b',' && !quoted
        });
        let part = &rest[..comma.unwrap_or(rest.len())];
        if let Some((key, value)) = part.split_once('=')
            && key.trim_ascii().eq_ignore_ascii_case(name)
        {
            return Some(value.trim_ascii().trim_matches('"'));
        }
        rest = &rest[comma? + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1, both answers.
    #[test]
    fn the_example_of_the_rfc() {
        let values = |algorithm| {
            format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        };
        let (sha, md5) = (values("SHA-256"), values("MD5"));
        let both = [sha.as_str(), md5.as_str()];
        let account = Account { user: "Mufasa", password: "Circle of Life" };
        for (wanted, response) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let mut challenge = Challenge::choose(401, &both, wanted).unwrap();
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let (header, value) = challenge.answer(account, "GET", "/dir/index.html", cnonce);
            assert_eq!(header, "Authorization");
            assert!(value.contains(&format!("response=\"{response}\"")), "{value}");
        }
    }
}
