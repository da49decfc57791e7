//! What is played. A recording is kept once, however many hear it.

use super::g711::Law;
use super::{Cadence, FRAME_SAMPLES};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The number that plays [`Cadence::test_tone`], of the configuration that is built in.
pub const TONE_NUMBER: &str = "9001";

/// What a WAVE file said: samples at 8000 Hz. Made by [`Recording::read_wav`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    pub(super) samples: Vec<i16>,
}

impl Recording {
    /// The samples, 16 bits with sign.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }
}

/// Something to play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sound {
    /// A tone, which never ends.
    Tone(Cadence),
    /// A recording, over and over.
    Recording {
        /// Which.
        recording: Arc<Recording>,
        /// How many times; for ever where it is `None`.
        times: Option<u32>,
    },
}

impl Sound {
    /// Packets until it ends, the last filled up with silence; `None` where it never does.
    pub fn frames(&self) -> Option<u64> {
        match self {
            Sound::Recording { recording, .. } if recording.samples.is_empty() => Some(0),
            Sound::Tone(_) | Sound::Recording { times: None, .. } => None,
            Sound::Recording { recording, times: Some(times) } => {
                Some((recording.samples.len() as u64 * u64::from(*times)).div_ceil(FRAME_SAMPLES as u64))
            }
        }
    }

    /// Writes packet `frame` since the beginning. Only of one before the end.
    pub(super) fn write(&self, frame: u64, law: Law, out: &mut [u8; FRAME_SAMPLES]) {
        for (n, octet) in (frame * FRAME_SAMPLES as u64..).zip(out) {
            *octet = law.encode(self.sample(n));
        }
    }

    fn sample(&self, n: u64) -> i16 {
        match self {
            Sound::Tone(cadence) => cadence.sample(n),
            Sound::Recording { recording, times } => {
                let samples = &recording.samples;
                let length = samples.len() as u64;
                let is_over = times.is_some_and(|times| n / length >= u64::from(times));
                if is_over { 0 } else { samples[(n % length) as usize] }
            }
        }
    }
}
