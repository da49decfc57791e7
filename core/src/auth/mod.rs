//! Digest authentication.

mod algorithm;
mod secret;

pub use algorithm::Algorithm;
pub use secret::Secret;
