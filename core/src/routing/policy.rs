//! What holds for an attempt on one way, taken from the configuration when the way is chosen.

pub use crate::config::{Redirect, Rel100};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long an attempt may take, how long a conversation, and what happens when it fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayPolicy {
    /// Until the first answer of any kind (SS_SIP_TIMEOUT_INVITE, `timeout_invite_s`).
    pub invite: Duration,
    /// After a 100 (SS_SIP_TIMEOUT_TRYING, `timeout_trying_s`).
    pub trying: Duration,
    /// After a 183 without SDP (SS_SIP_TIMEOUT_SESSION_PROGRESS, `timeout_progress_s`).
    pub progress: Duration,
    /// After a 183 with SDP (SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP, `timeout_progress_sdp_s`).
    pub progress_sdp: Duration,
    /// After a 180 (SS_SIP_TIMEOUT_RINGING, `timeout_ringing_s`).
    pub ringing: Duration,
    /// Longest conversation; `None` is no limit (behaviour 1(e)).
    pub max_talk: Option<Duration>,
    /// What becomes of a 3xx.
    pub redirect: Redirect,
    /// Whether its provisional answers may be reliable.
    pub rel100: Rel100,
    /// When no further way is tried.
    pub failover: StopPolicy,
}

/// After which failures another way is tried. The parameters and what the gateway says about itself, put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopPolicy {
    /// Most gateways tried for one call; `None` is all.
    pub limit: Option<u16>,
    /// Go on though it has rung.
    pub after_18x: bool,
    /// Go on though a provisional answer had SDP.
    pub after_sdp: bool,
    /// Go on though media has flowed.
    pub after_rtp: bool,
    /// Go on though the callee is busy.
    pub after_busy: bool,
    /// Go on though the status is about the number: another device of a phone may say otherwise.
    pub after_number: bool,
    /// Go on though not even a 100 came.
    pub after_invite_timeout: bool,
    /// Statuses after which to go on, whatever they mean otherwise.
    pub next: Vec<u16>,
    /// Statuses after which not to go on; they count before `next`.
    pub stop: Vec<u16>,
}

impl StopPolicy {
    /// That of a phone's bindings: all that RFC 3261 §16.7 lets a forking server try is tried.
    pub fn of_bindings() -> StopPolicy {
        StopPolicy {
            limit: None,
            after_18x: true,
            after_sdp: true,
            after_rtp: true,
            after_busy: true,
            after_number: true,
            after_invite_timeout: true,
            next: Vec::new(),
            stop: Vec::new(),
        }
    }
}
