//! How a phone speaks: how much, from where, with what control, and under which names.

use serde::{Deserialize, Serialize};

/// How a phone speaks. The default is a stream without end and without control, as it was before.
///
/// ```
/// use crosspoint_sim::phone::{Rtcp, Speech};
///
/// let speech: Speech = toml::from_str("burst = 10\npause_ms = 5000\nrtcp = \"muxed\"").unwrap();
/// assert_eq!(speech, Speech { rtcp: Rtcp::Muxed, ..Speech::bursts(10, 5000) });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Speech {
    /// So many packets follow each change of a session, and then few; none: without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Between the few, in milliseconds.
    #[serde(skip_serializing_if = "crate::scenario::is_default")]
    pub pause_ms: u64,
    /// How it has RTCP.
    #[serde(skip_serializing_if = "crate::scenario::is_default")]
    pub rtcp: Rtcp,
    /// It sends from another port than the one it receives at.
    #[serde(skip_serializing_if = "crate::scenario::is_default")]
    pub is_asymmetric: bool,
    /// It has another source (SSRC) after a hold.
    #[serde(skip_serializing_if = "crate::scenario::is_default")]
    pub renews_source: bool,
    /// It goes on so long after a call is over, in milliseconds.
    #[serde(skip_serializing_if = "crate::scenario::is_default")]
    pub trails_ms: u64,
    /// Each call has ports of its own, and its descriptions name the source of its media (RFC 5576): who hears it knows
    /// whose it is. Else all calls are at one port.
    #[serde(skip_serializing_if = "crate::scenario::is_default")]
    pub is_named: bool,
}

/// How a phone has RTCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rtcp {
    /// Not at all.
    #[default]
    Off,
    /// At the port above that of RTP, without a word (RFC 3550 §11).
    Next,
    /// At a port that its descriptions name (RFC 3605).
    Named,
    /// With RTP, where the far side does that too (RFC 5761).
    Muxed,
}

/// Ports of each call, of [`Speech::is_named`]: RTP, RTCP, the port that one may send from, and a named one of RTCP.
pub(crate) const PORTS_OF_CALL: u16 = 4;
/// So many calls at a time have ports of their own.
pub(crate) const SLOTS: u16 = 16;

impl Speech {
    /// Bursts, by phones that can be told apart.
    pub fn bursts(burst: u32, pause_ms: u64) -> Speech {
        Speech { burst: Some(burst), pause_ms, ..Speech::default() }
    }

    /// By how much the ports are above those of the phone that the n-th call has where no other call has them.
    pub(super) fn offset(&self, call: u32) -> u16 {
        if self.is_named { PORTS_OF_CALL * (call % u32::from(SLOTS)) as u16 } else { 0 }
    }

    /// Every port that is the phone's for media, counted from its first one.
    pub(crate) fn ports(&self) -> std::ops::Range<u16> {
        0..if self.is_named { PORTS_OF_CALL * SLOTS } else { PORTS_OF_CALL }
    }
}
