//! Recordings that can be given away: `crosspoint-sim anonymise`.
//!
//! A recording of a server holds who called whom, and passwords. This writes the same recording with other numbers, names,
//! addresses, secrets and texts: consistently, each as long as before, and so that the switch does the same with them,
//! which is checked input by input. `docs/replay.md` says what is replaced, what is kept, and what may still be told.
//!
//! | module | holds |
//! |---|---|
//! | `recording` | the work: replace an input, play it into a switch beside the old one, compare, write |
//! | `compare` | whether both switches do the same |
//! | `mapping` | what is replaced by what |
//! | `key` | the secret, and the permutations that follow from it |
//! | `symbols` | the symbols of a text, each replaced in its place |
//! | `numbers` | numbers and names, so that rules about prefixes hold |
//! | `addresses` | IP addresses, so that networks hold |
//! | `page` | the parts of a message: URIs, parameters, identifiers |
//! | `headers` | which part of which header |
//! | `message` | start line, headers, bodies |
//! | `sdp` | session descriptions |
//! | `credentials` | digest answers, right or wrong as they were |
//! | `dns` | DNS messages |
//! | `config` | the configuration |

mod addresses;
mod compare;
mod config;
mod credentials;
mod dns;
mod headers;
mod key;
mod mapping;
mod media;
mod message;
mod numbers;
mod page;
mod recording;
mod sdp;
mod symbols;

pub use recording::{Failure, anonymise};
