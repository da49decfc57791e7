//! Questions and records, as far as finding a SIP server needs them.

use super::DnsFailure;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Kind {
    A,
    Aaaa,
    Srv,
    Naptr,
}

/// What is asked of a nameserver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Question {
    /// In lower case, without a dot at the end.
    pub(super) name: Box<str>,
    pub(super) kind: Kind,
}

/// RFC 2782.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Srv {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    /// Empty where the service is not offered: `.` on the wire.
    pub(super) target: Box<str>,
}

/// RFC 3403 §4.1, without the regular expression, of which RFC 3263 §4.1 makes no use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Naptr {
    pub(super) order: u16,
    pub(super) preference: u16,
    pub(super) flags: Box<[u8]>,
    pub(super) service: Box<[u8]>,
    pub(super) replacement: Box<str>,
}

/// What is known of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Found {
    Addresses(Vec<IpAddr>),
    Srv(Vec<Srv>),
    Naptr(Vec<Naptr>),
    /// The same question is to be asked of this name (CNAME).
    Alias(Box<str>),
    /// There is nothing, or nothing can be learned.
    Nothing(DnsFailure),
}
