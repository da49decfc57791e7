//! What a name leads to.

use crate::input::Flow;
use crate::time::Instant;
use crate::transaction::Owner;
use serde::{Deserialize, Serialize};

/// The places a name leads to, in the order in which they are to be tried (RFC 3263 §4.3). Drawn anew for each asker, so
/// that weights share the load; one asker keeps its set for as long as it tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSet {
    /// Each from a socket of ours of its family. Never empty, no place twice.
    pub targets: Vec<Flow>,
    /// When the first of the records behind it runs out.
    pub until: Instant,
}

impl TargetSet {
    /// The places in their order.
    pub fn flows(&self) -> impl Iterator<Item = Flow> {
        self.targets.iter().copied()
    }
}

/// Why a name leads nowhere. In rising order of what an operator wants to hear of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DnsFailure {
    /// There is no such name.
    NxDomain,
    /// The name has no record that leads to an address of a family we listen on.
    NoRecords,
    /// The domain says that it does not offer SIP.
    NotOffered,
    /// It is an address of a family that we do not listen on.
    NoSocket,
    /// A chain of CNAMEs that does not end.
    TooDeep,
    /// The nameserver's answer cannot be read.
    Malformed,
    /// Every nameserver refused, failed or was unreachable.
    ServerFailure,
    /// No nameserver answered in time.
    Timeout,
    /// None is configured.
    NoNameserver,
    /// No host name.
    BadName,
    /// A bound of `limits.rs` is reached.
    Overload,
}

impl DnsFailure {
    /// The rule's id.
    pub fn name(self) -> &'static str {
        match self {
            DnsFailure::NxDomain => "dns.nxdomain",
            DnsFailure::NoRecords => "dns.no-records",
            DnsFailure::NotOffered => "dns.not-offered",
            DnsFailure::NoSocket => "dns.no-socket",
            DnsFailure::TooDeep => "dns.too-deep",
            DnsFailure::Malformed => "dns.malformed",
            DnsFailure::ServerFailure => "dns.server-failure",
            DnsFailure::Timeout => "dns.timeout",
            DnsFailure::NoNameserver => "dns.no-nameserver",
            DnsFailure::BadName => "dns.bad-name",
            DnsFailure::Overload => "dns.overload",
        }
    }
}

/// Where a name leads, or why nowhere.
pub type Answer = Result<TargetSet, DnsFailure>;

/// The answer to a [`super::Resolver::resolve`] that had to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Who asked.
    pub owner: Owner,
    /// What came of it.
    pub answer: Answer,
}
