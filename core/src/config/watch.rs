//! What is watched in the media of an endpoint.

use crate::media::Interruption;
use serde::{Deserialize, Serialize};

/// Which silences end a call of this endpoint (behaviour §3, "RTP interrupt detection"). Media that is watched is relayed
/// (rule F2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaWatch {
    /// In which directions.
    pub interruption: Interruption,
    /// How long a silence is one, in seconds.
    pub after_s: u32,
}

impl Default for MediaWatch {
    /// None is; where one is to be, after half a minute, longer than any phone pauses that sends comfort noise.
    fn default() -> MediaWatch {
        MediaWatch { interruption: Interruption::None, after_s: 30 }
    }
}
