//! A binding as the journal, the log and the operator see it.

use crate::input::Flow;
use crate::time::UnixMicros;
use serde::{Deserialize, Serialize};

/// One contact of one address-of-record, whole: what a journal entry holds and a restart needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingRecord {
    /// The user part of the address-of-record; the host part is the switch's domain.
    pub aor: String,
    /// The Contact URI as registered, its octets as Latin-1 characters where they are not UTF-8.
    pub contact: String,
    /// Call-ID of the REGISTER that made or refreshed it.
    pub call_id: String,
    /// CSeq number of that REGISTER.
    pub cseq: u32,
    /// Preference in thousandths, 0 to 1000.
    pub q_permille: u16,
    /// Where the REGISTER came from: replies and calls go there.
    pub flow: Flow,
    /// Path values in order (RFC 3327), comma-separated as they are to stand in a Route header.
    pub path: String,
    /// `+sip.instance` as registered, without quotes (RFC 5626).
    pub instance: String,
    /// When it ends, by the wall clock.
    pub expires_at: UnixMicros,
}
