//! What the switch plays itself, as configured: ringback, and announcements.

use super::phones::{Phone, Phones};
use crate::cdr::EndReason;
use crate::limits::SOUNDS;
use crate::media::tone::{Announcements, Cadence, ECHO_NUMBER, Program, SoundId, TONE_NUMBER};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

/// What a caller hears while a phone rings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ringback {
    /// A tone.
    Tone(Cadence),
    /// A recording, over and over: the name of its file.
    File(String),
}

impl Ringback {
    /// The same with another file.
    #[must_use]
    pub fn with_file(&self, rename: impl Fn(&str) -> String) -> Ringback {
        match self {
            Ringback::Tone(_) => self.clone(),
            Ringback::File(file) => Ringback::File(rename(file)),
        }
    }
}

/// As written.
impl fmt::Display for Ringback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ringback::Tone(cadence) => cadence.fmt(f),
            Ringback::File(file) => f.write_str(file),
        }
    }
}

/// `[tones]` and `[announcements]`, and which files they and the phones want.
///
/// ```
/// use crosspoint_core::cdr::EndReason;
/// use crosspoint_core::media::tone::{Program, SoundId};
///
/// let text = "[tones]\nfolder = \"sounds\"\n[announcements]\nnot_found = \"no-number.wav\"\nbusy = \"busy.wav\"\n";
/// let tones = crosspoint_core::config::parse(text).unwrap().config.tones;
/// assert_eq!(tones.files(), ["busy.wav", "no-number.wav"]);
/// let announcement = Program::Recording { sound: SoundId(1), times: Some(1) };
/// assert_eq!(tones.announcement(EndReason::NotFound), Some(announcement));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tones {
    /// Of phones with `local_ring` that have none of their own.
    pub ringback: Ringback,
    /// Where the files are, from the directory of the configuration file; there if a file is wanted.
    pub folder: Option<PathBuf>,
    /// Which file tells which end reason.
    pub announcements: Announcements,
    /// The number that answers with an echo.
    pub echo_number: Option<String>,
    /// The number that answers with a tone.
    pub tone_number: Option<String>,
    /// How often an announcement is heard.
    pub announcement_times: u32,
    /// Every file that is wanted, each once, by name.
    files: Vec<String>,
}

impl Default for Tones {
    fn default() -> Tones {
        Tones {
            ringback: Ringback::Tone(Cadence::ringback()),
            folder: None,
            announcements: Announcements::default(),
            echo_number: None,
            tone_number: None,
            announcement_times: 1,
            files: Vec::new(),
        }
    }
}

impl Tones {
    /// Those of a switch that was given no configuration: it has the two numbers for a test.
    pub(super) fn embedded() -> Tones {
        let (echo_number, tone_number) = (Some(ECHO_NUMBER.to_owned()), Some(TONE_NUMBER.to_owned()));
        Tones { echo_number, tone_number, ..Tones::default() }
    }

    /// The files that are wanted, in the order of their [`SoundId`]s.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The same with other files: `rename` keeps the order of names, as the numbers hang on it.
    #[must_use]
    pub fn with_files(&self, rename: impl Fn(&str) -> String) -> Tones {
        let files: Vec<String> = self.files.iter().map(|file| rename(file)).collect();
        debug_assert!(files.is_sorted(), "the numbers of the files change: {files:?}");
        let ringback = self.ringback.with_file(&rename);
        Tones { ringback, announcements: self.announcements.with_files(rename), files, ..self.clone() }
    }

    /// What those hear who call this phone while it rings.
    pub fn ringback(&self, phone: &Phone<'_>) -> Program {
        match phone.ringback.unwrap_or(&self.ringback) {
            Ringback::Tone(cadence) => Program::Tone(cadence.clone()),
            Ringback::File(file) => self.recording(file, None),
        }
    }

    /// What is heard of a number that the switch answers itself; `None` of any other.
    pub fn station(&self, number: &str) -> Option<Program> {
        if self.echo_number.as_deref() == Some(number) {
            return Some(Program::Echo);
        }
        (self.tone_number.as_deref() == Some(number)).then(|| Program::Tone(Cadence::test_tone()))
    }

    /// What tells a caller who still waits that the call ends so; `None` where the status alone does.
    pub fn announcement(&self, reason: EndReason) -> Option<Program> {
        let file = self.announcements.file_of(reason)?;
        Some(self.recording(file, Some(self.announcement_times)))
    }

    fn recording(&self, file: &str, times: Option<u32>) -> Program {
        let place = self.files.binary_search_by(|known| known.as_str().cmp(file));
        let place = place.expect("every file that the configuration names is among its files");
        let number = u16::try_from(place).expect("the parser bounds the number of files");
        Program::Recording { sound: SoundId(number), times }
    }

    /// Numbers all files that this and the phones want; whether there are not too many.
    pub(super) fn number(&mut self, phones: &Phones) -> bool {
        let singles = phones.singles().iter().map(|single| &single.profile);
        let profiles = singles.chain(phones.blocks().iter().map(|block| &block.profile));
        let ringbacks = profiles.filter_map(|profile| profile.ringback.as_ref()).chain([&self.ringback]);
        let rung = ringbacks.filter_map(|ringback| match ringback {
            Ringback::File(file) => Some(file.as_str()),
            Ringback::Tone(_) => None,
        });
        let files: BTreeSet<&str> = rung.chain(self.announcements.iter().map(|(_, file)| file)).collect();
        self.files = files.into_iter().map(str::to_owned).collect();
        self.files.len() <= SOUNDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, parse};
    use crate::limits::SOUNDS;

    const LISTEN: &str = "[[listen]]\nbind = \"127.0.0.1:5060\"\n";

    /// The findings, one a line.
    fn lines(text: &str) -> String {
        match parse(&format!("{text}{LISTEN}")) {
            Ok(parsed) => parsed.warnings.iter().map(|finding| format!("{finding}\n")).collect(),
            Err(faults) => format!("{faults}\n"),
        }
    }

    fn config(text: &str) -> Config {
        parse(text).unwrap_or_else(|faults| panic!("{faults}")).config
    }

    #[test]
    fn each_phone_has_its_ringback_and_each_reason_its_announcement() {
        let config = config(
            "[tones]\nringback = \"400+450/400,200,400,2000\"\nfolder = \"sounds\"\n\
             [announcements]\ntimes = 2\nno_available_router = \"no-route.wav\"\nbusy = \"busy.wav\"\n\
             [[phone]]\nuser = \"1\"\npassword = \"x\"\n\
             [[phone]]\nuser = \"2\"\npassword = \"x\"\nlocal_ring = true\nringback = \"melody.wav\"\n\
             [[phone]]\nusers = \"30..39\"\npassword = \"x\"\nlocal_ring = true\nringback = \"440+480/2000,4000\"\n\
             [[phone]]\nusers = \"40..49\"\npassword = \"x\"\nlocal_ring = true\nringback = \"busy.wav\"\n",
        );
        let tones = &config.tones;
        assert_eq!(tones.files(), ["busy.wav", "melody.wav", "no-route.wav"]);
        assert_eq!(tones.folder, Some("sounds".into()));
        let ringback = |user| tones.ringback(&config.phones.find(user).unwrap());
        let recording = |number, times| Program::Recording { sound: SoundId(number), times };
        assert_eq!(ringback("1"), Program::Tone("400+450/400,200,400,2000".parse().unwrap()));
        assert_eq!(ringback("2"), recording(1, None));
        assert_eq!(ringback("35"), Program::Tone("440+480/2000,4000".parse().unwrap()));
        assert_eq!(ringback("45"), recording(0, None));
        assert_eq!(tones.announcement(EndReason::NoRoute), Some(recording(2, Some(2))));
        assert_eq!(tones.announcement(EndReason::Busy), Some(recording(0, Some(2))));
        assert_eq!(tones.announcement(EndReason::NotFound), None);
    }

    #[test]
    fn nothing_written_is_the_tone_of_e_180() {
        let tones = config("").tones;
        assert_eq!((&tones, tones.files().len()), (&Tones::default(), 0));
        assert_eq!(tones.ringback.to_string(), "425/1000,4000");
    }

    #[test]
    fn faults_are_shown_where_they_are() {
        insta::assert_snapshot!(lines(
            "[tones]\nringbak = \"425\"\nringback = \"42/1000,4000\"\nfolder = 7\n\
             [announcements]\nbussy = \"busy.wav\"\nnormal = \"bye.wav\"\nbusy = \"../busy.wav\"\nnot_found = 3\ntimes = 0\n\
             [[phone]]\nuser = \"1\"\npassword = \"x\"\nringback = \"melody.mp3\"\n"
        ), @"
        2:1: error: unknown key `ringbak` in [tones], did you mean `ringback`? (unknown-key)
        3:12: error: `ringback`: `42` is no frequency of 300 to 3400 Hz (value)
        4:10: error: `folder` must be a text in quotes, not a whole number (wrong-type)
        6:1: error: `bussy` is no end reason; perhaps `busy` (unknown-key)
        7:1: error: nobody hears an announcement for `normal` (value)
        8:8: error: `../busy.wav` is no file name of at most 64 letters, digits, `-`, `_`, `.`, ending in .wav (value)
        9:13: error: `not_found` must be a text in quotes, not a whole number (wrong-type)
        10:9: error: `times` must be a whole number from 1 to 10 (value)
        14:12: error: `ringback` is a tone, such as 425/1000,4000, or a file: `melody.mp3` is no file name of at most 64 letters, digits, `-`, `_`, `.`, ending in .wav (value)
        ");
        insta::assert_snapshot!(lines(
            "[announcements]\nbusy = \"busy.wav\"\n[[phone]]\nuser = \"1\"\npassword = \"x\"\nringback = \"melody.wav\"\n"
        ), @"
        2:8: error: `busy.wav` needs `folder` in [tones], where it is (missing-key)
        6:12: error: `melody.wav` needs `folder` in [tones], where it is (missing-key)
        6:12: warning: `ringback` is heard only with `local_ring = true`: without it the phone's own is (no-local-ring)
        ");
    }

    #[test]
    fn files_are_bounded() {
        let phone = |n: usize| {
            format!("[[phone]]\nuser = \"{n}\"\npassword = \"x\"\nlocal_ring = true\nringback = \"{}.wav\"\n", n % 2000)
        };
        let text = |count| format!("[tones]\nfolder = \".\"\n{}", (0..count).map(phone).collect::<String>());
        assert_eq!(config(&text(SOUNDS)).tones.files().len(), SOUNDS);
        let faults = parse(&text(SOUNDS + 1)).unwrap_err().to_string();
        assert!(faults.starts_with("1:1: error: 1025 different files are to be played, at most 1024"), "{faults}");
    }
}
