//! What is asked to be played, and the recordings that are there for it.

use super::{Cadence, Recording, Sound};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Names a recording: its place among the [`Sounds`] of a shard, and among the file names of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SoundId(pub u16);

/// What the switch sends of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// A tone, which never ends.
    Tone(Cadence),
    /// A recording.
    Recording {
        /// Which.
        sound: SoundId,
        /// How many times; for ever where it is `None`.
        times: Option<u32>,
    },
    /// What the peer sends, back to it.
    Echo,
}

/// The recordings of a shard. A copy is one pointer; what plays keeps its recording when others take their place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sounds(Arc<[Arc<Recording>]>);

impl Sounds {
    /// These, in the order of their [`SoundId`]s.
    pub fn new(recordings: impl IntoIterator<Item = Recording>) -> Sounds {
        Sounds(recordings.into_iter().map(Arc::new).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What this program sounds like; `None` where there is no such recording, and of an echo.
    pub(in crate::media) fn sound(&self, program: &Program) -> Option<Sound> {
        match program {
            Program::Tone(cadence) => Some(Sound::Tone(cadence.clone())),
            Program::Recording { sound, times } => {
                let recording = Arc::clone(self.0.get(usize::from(sound.0))?);
                Some(Sound::Recording { recording, times: *times })
            }
            Program::Echo => None,
        }
    }
}
