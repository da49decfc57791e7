//! Tones and announcements: what the switch itself says to a caller, and the two numbers for a test.
//!
//! Nothing is mixed or transcoded here. A [`Sound`] is kept once, however many hear it; a [`Player`] is the few numbers of
//! one stream, and gives a packet of 20 ms whenever one is due. Telephone-events (RFC 4733) are never made nor returned.
//!
//! | file | holds |
//! |---|---|
//! | `g711` | mu-law and A-law: one octet for a sample |
//! | `sine` | the sine of a phase, in integers, and the level of tones |
//! | `cadence` | frequencies and times on and off, as text: `425/1000,4000` |
//! | `wav` | reads a WAVE file into a recording |
//! | `program` | what is asked to be played, and the recordings that are there |
//! | `sound` | a tone for ever, or a recording some times over |
//! | `player` | RTP packets of a sound, paced by the clock that is passed in |
//! | `echo` | what the echo number sends back |
//! | `announcement` | which recording tells which end reason |

mod announcement;
mod cadence;
mod echo;
mod g711;
mod player;
mod program;
mod sine;
mod sound;
mod wav;

pub(crate) use announcement::check_file_name;
pub use announcement::{AnnouncementError, Announcements};
pub use cadence::{Cadence, CadenceError, Pulse};
pub use echo::{ECHO_NUMBER, Echo, NotEchoed};
pub use g711::Law;
pub use player::{PACKET_BYTES, Player, Turn};
pub use program::{Program, SoundId, Sounds};
pub use sound::{Recording, Sound, TONE_NUMBER};
pub use wav::WavError;

/// Samples of one second: what telephony has, and the one rate of both laws (RFC 3551 §4.5.14).
pub const SAMPLES_PER_S: usize = 8000;

/// What one packet carries, the default of RFC 3551 §4.2.
pub const FRAME_MS: u64 = 20;

/// Samples of a packet, and by as much its timestamp rises.
pub const FRAME_SAMPLES: usize = SAMPLES_PER_S / 1000 * FRAME_MS as usize;

#[cfg(test)]
mod tests;
