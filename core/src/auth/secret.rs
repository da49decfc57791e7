//! What the switch knows of a phone's password.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A password, or what is left of one. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Secret {
    /// The password itself.
    Password(String),
    /// H(user:realm:password) (RFC 7616 §3.4.2), for one algorithm or both; good for one user and one realm only.
    Ha1 {
        /// With MD5.
        md5: Option<[u8; 16]>,
        /// With SHA-256.
        sha256: Option<[u8; 32]>,
    },
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Secret::Password(_) => "Password(…)",
            Secret::Ha1 { .. } => "Ha1(…)",
        })
    }
}
