//! A binding as the journal, the log and the operator see it.

use crate::input::Flow;
use crate::time::UnixMicros;
use serde::{Deserialize, Serialize};

/// One contact of one address-of-record, whole: what a journal entry holds and a restart needs.
///
/// (`aor`, `contact`, `instance`, `reg_id`) name the binding; the record with the latest `updated_at` is the one that
/// counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingRecord {
    /// The user part of the address-of-record, unescaped; the host part is the switch's domain.
    pub aor: String,
    /// The Contact URI as registered. A REGISTER with octets that are not UTF-8 in what a binding keeps is refused.
    pub contact: String,
    /// Call-ID of the REGISTER that made or refreshed it.
    pub call_id: String,
    /// CSeq number of that REGISTER.
    pub cseq: u32,
    /// Preference in thousandths, 0 to 1000.
    pub q_permille: u16,
    /// Where the REGISTER came from.
    pub flow: Flow,
    /// Whether its Via showed an address translator on the way, so that only the flow leads to the phone.
    pub behind_nat: bool,
    /// Path values in order (RFC 3327), comma-separated as they are to stand in a Route header.
    pub path: String,
    /// `+sip.instance` as registered, without quotes (RFC 5626).
    pub instance: String,
    /// `reg-id` (RFC 5626), 1 to 2^31 - 1; 0 where there is none or it does not apply.
    pub reg_id: u32,
    /// When it was last changed, by the wall clock, but always later than the change before: the record's version.
    pub updated_at: UnixMicros,
    /// When it ends, by the wall clock; [`BindingRecord::ENDED`] where it has been ended.
    pub expires_at: UnixMicros,
}

impl BindingRecord {
    /// `expires_at` of a binding that is no more: earlier than any clock will say, however it is set.
    pub const ENDED: UnixMicros = UnixMicros(0);
}
