//! Digest authentication of requests (RFC 7616, RFC 8760, RFC 3261 §22).
//!
//! The switch is a UAS to everybody, so a request is answered with a challenge, and the repeated request is judged by
//! [`Authenticator::verify`]. What follows from the [`Outcome`] is the dispatcher's to do. Towards gateways that challenge
//! it is a client: [`client`].
//!
//! Choices, each where the RFCs leave one:
//!
//! * **Which algorithms are offered** is policy (`digest_algorithms`). The order of the policy is the order of the header
//!   fields, and RFC 8760 §2.3 makes the first one the preferred. Any response with another
//!   algorithm than MD5 in it loses some MD5-only clients, so the default is MD5 alone; see `config::model`.
//! * **qop**: `auth` is offered. `auth-int` is accepted but not offered: of the clients at hand SIPp takes it wherever it
//!   is named, and a SIP ALG on the way that rewrites the body then makes every call fail.
//! * **No qop** (RFC 2069, RFC 3261 §22.4 item 8) is accepted with MD5 alone, and a nonce serves such a client once. RFC
//!   8760 §2.6 asks for qop with every newer algorithm.
//! * **The digest-uri** is hashed as received and not compared with the Request-URI: SIPp, sipsak and svcrack name the
//!   registrar's address there, whatever they call. The comparison would stop a captured answer from being put on another
//!   request, and that the nonce count does already: an answer is accepted once.
//! * **A nonce that is not ours, too old, or used up** is answered with `stale=true` before the answer is looked at. A
//!   phone then repeats with the credentials it has, also after a restart of the switch, and nobody learns through such
//!   a nonce whether a password is right.

mod algorithm;
mod authenticator;
mod challenge;
pub mod client;
mod credentials;
mod nonce;
mod rounds;
mod secret;

pub use algorithm::{Algorithm, Hash};
pub use authenticator::{Authenticator, ChallengeCode, Outcome};
pub use credentials::{Credentials, Qop};
pub use secret::Secret;

#[cfg(test)]
mod tests;
