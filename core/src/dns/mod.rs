//! Where a name leads: RFC 3263 (NAPTR, SRV, A and AAAA) as a machine whose questions go out as commands and whose
//! answers come in as inputs.
//!
//! [`Resolver::resolve`] answers at once from what is known, or later with a [`Resolved`]. Literal addresses never ask.
//! Who does what:
//!
//! * `locate`: RFC 3263 as a pure walk over what is known, which names the questions that are still open
//! * `order`: the order inside an SRV set (RFC 2782)
//! * `resolver`: the walks under way, coalesced on their questions
//! * `flight`: one question on its way to the nameservers: ids, tries, deadlines
//! * `cache`: what is known, with its time to live
//! * `message`: the wire format, read by hickory-proto
//! * `peers`: the addresses of mapping gateways that are named by host
//!
//! | rule | when |
//! |---|---|
//! | `dns.nxdomain` | there is no such name |
//! | `dns.no-records` | the name has no record that leads to an address of a family we listen on |
//! | `dns.not-offered` | the domain says that it does not offer SIP (SRV target `.`, RFC 2782) |
//! | `dns.no-socket` | it is an address of a family that we do not listen on |
//! | `dns.too-deep` | a chain of CNAMEs that does not end |
//! | `dns.malformed` | the nameserver's answer cannot be read |
//! | `dns.server-failure` | every nameserver refused, failed or was unreachable |
//! | `dns.timeout` | no nameserver answered in time |
//! | `dns.no-nameserver` | none is configured |
//! | `dns.bad-name` | no host name |
//! | `dns.overload` | a bound of `limits.rs` is reached |

mod answer;
mod cache;
mod flight;
mod locate;
mod message;
mod name;
mod order;
mod peers;
mod records;
mod resolver;

pub use answer::{Answer, DnsFailure, Resolved, TargetSet};
pub use name::Name;
pub use peers::Peers;
pub use resolver::Resolver;
