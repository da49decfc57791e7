//! What the switch knows about a phone's password.

use super::algorithm::{Algorithm, Hash};
use serde::{Deserialize, Serialize};

/// The password of a phone, or hashes of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Secret {
    /// The password itself: every algorithm can be verified.
    Password(String),
    /// `H(user:realm:password)` (RFC 7616 §3.4.2): only the algorithms whose hash is here, in the realm it was made for.
    Ha1 {
        /// The one of MD5.
        md5: Option<[u8; 16]>,
        /// The one of SHA-256.
        sha256: Option<[u8; 32]>,
    },
}

impl Secret {
    /// `H(user:realm:password)`, where it is known for this algorithm.
    pub fn ha1(&self, user: &[u8], realm: &str, algorithm: Algorithm) -> Option<Hash> {
        match self {
            Secret::Password(password) => Some(ha1(user, realm.as_bytes(), password, algorithm)),
            Secret::Ha1 { md5, sha256 } => match algorithm {
                Algorithm::Md5 => md5.as_ref().and_then(|hash| Hash::from_bytes(hash)),
                Algorithm::Sha256 => sha256.as_ref().and_then(|hash| Hash::from_bytes(hash)),
                Algorithm::Sha512_256 => None,
            },
        }
    }
}

/// `H(user:realm:password)`.
pub(super) fn ha1(user: &[u8], realm: &[u8], password: &str, algorithm: Algorithm) -> Hash {
    algorithm.hash(&[user, b":", realm, b":", password.as_bytes()])
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Secret::Password(_) => "Password(…)",
            Secret::Ha1 { .. } => "Ha1(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_hash_is_what_the_password_would_give() {
        // RFC 2617 §3.5, HA1 recomputed
        let password = Secret::Password("Circle Of Life".to_owned());
        let hash = password.ha1(b"Mufasa", "testrealm@host.com", Algorithm::Md5).unwrap();
        assert_eq!(hash.hex().as_ref(), b"939e7578ed9e3c518a452acee763bce9");
        let stored = Secret::Ha1 { md5: Some(hash.as_bytes().try_into().unwrap()), sha256: None };
        assert_eq!(stored.ha1(b"Mufasa", "testrealm@host.com", Algorithm::Md5), Some(hash));
        assert_eq!(stored.ha1(b"Mufasa", "testrealm@host.com", Algorithm::Sha256), None);
    }

    #[test]
    fn a_secret_does_not_print() {
        let ha1 = Secret::Ha1 { md5: Some([65; 16]), sha256: None };
        assert_eq!(format!("{:?} {ha1:?}", Secret::Password("hunter2".to_owned())), "Password(…) Ha1(…)");
    }
}
