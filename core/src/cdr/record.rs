//! The record itself: the columns of the CDR files, in their order.

use super::EndReason;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Who ended the call (the vendor's codes 0, 1, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndDirection {
    /// The caller hung up or gave up.
    Caller,
    /// The callee hung up or refused.
    Callee,
    /// The switch ended it.
    Server,
}

impl EndDirection {
    /// The word in the CDR.
    pub fn name(self) -> &'static str {
        match self {
            EndDirection::Caller => "caller",
            EndDirection::Callee => "callee",
            EndDirection::Server => "server",
        }
    }
}

/// One call, from its INVITE to the end of both legs. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The call's number: unique and rising.
    pub flow_no: u64,
    /// The calling number sent to the callee.
    pub caller: String,
    /// The called number after routing.
    pub callee: String,
    /// The calling number as it came in.
    pub caller_in: String,
    /// The called number as it went out.
    pub callee_out: String,
    /// Where the call came from.
    pub caller_ip: IpAddr,
    /// Where the call went, if it got so far.
    pub callee_ip: Option<IpAddr>,
    /// The mapping gateway it came from; empty for a phone.
    pub caller_gateway: String,
    /// The routing gateway it went to; empty for a phone.
    pub callee_gateway: String,
    /// When the INVITE came.
    pub invite_ms: u64,
    /// When the callee first rang.
    pub ring_ms: Option<u64>,
    /// When it was answered.
    pub answer_ms: Option<u64>,
    /// When it ended.
    pub end_ms: u64,
    /// Billed seconds ([`super::billed_seconds`]).
    pub hold_time_s: u64,
    /// Conversation in milliseconds by the monotonic clock, from the 2xx to the end.
    pub hold_time_ms: u64,
    /// Who ended it.
    pub end_direction: EndDirection,
    /// Why it ended.
    pub end_reason: EndReason,
    /// The final SIP status the caller got; 487 where it cancelled.
    pub sip_status: u16,
    /// `direct` or `relay`.
    pub media: String,
    /// The rule that decided so.
    pub media_rule: String,
    /// Call-ID of the caller's leg.
    pub call_id_in: String,
    /// Call-ID of the callee's leg.
    pub call_id_out: String,
    /// The caller's first agreed codec.
    pub caller_codec: String,
    /// The callee's first agreed codec.
    pub callee_codec: String,
    /// RTP packets relayed from the caller; none where media is direct.
    pub rtp_caller_packets: Option<u64>,
    /// RTP packets relayed from the callee; none where media is direct.
    pub rtp_callee_packets: Option<u64>,
    /// How its way was found, in words with the id of each rule: what was chosen, every attempt, and what followed from its
    /// failure. Steps are separated by `; `.
    #[serde(default)]
    pub route: String,
}
