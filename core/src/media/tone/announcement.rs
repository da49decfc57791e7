//! Which recording tells a caller why the call failed: a plain map, by the reason. Its files are the host's to read.

use crate::cdr::EndReason;
use crate::limits::ANNOUNCEMENT_NAME_BYTES;
use crate::nearest::nearest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Recordings by end reason; a reason without one is answered by its status alone.
///
/// ```
/// use crosspoint_core::{cdr::EndReason, media::tone::Announcements};
///
/// let mut announcements = Announcements::default();
/// announcements.set("not_found", "no-such-number.wav").unwrap();
/// assert_eq!(announcements.file_of(EndReason::NotFound), Some("no-such-number.wav"));
/// assert_eq!(announcements.file_of(EndReason::Busy), None);
/// assert!(announcements.set("normal", "goodbye.wav").is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcements {
    files: BTreeMap<EndReason, String>,
}

/// Why an announcement is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementError {
    /// No end reason of this name.
    #[error("`{name}` is no end reason{}", .near.map(|near| format!("; perhaps `{near}`")).unwrap_or_default())]
    Reason {
        /// What was written.
        name: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// Nobody waits for an answer any more when a call ends so.
    #[error("nobody hears an announcement for `{0}`")]
    Unheard(&'static str),
    /// The reason has one already.
    #[error("`{0}` has an announcement already")]
    Twice(&'static str),
    /// Not the name of a file.
    #[error(
        "`{0}` is no file name of at most {ANNOUNCEMENT_NAME_BYTES} letters, digits, `-`, `_`, `.`, ending in .wav"
    )]
    File(String),
}

impl Announcements {
    /// Sets the file that tells the reason of this name. It has a name without a path, so that it is in the one folder
    /// that the host reads.
    ///
    /// # Errors
    /// What is wrong with the reason or the file name; nothing is changed then.
    pub fn set(&mut self, reason: &str, file: &str) -> Result<(), AnnouncementError> {
        let reason = reason_of(reason)?;
        if !is_heard(reason) {
            return Err(AnnouncementError::Unheard(reason.name()));
        }
        if self.files.contains_key(&reason) {
            return Err(AnnouncementError::Twice(reason.name()));
        }
        check_file_name(file)?;
        self.files.insert(reason, file.to_owned());
        Ok(())
    }

    /// The file that tells a caller who still waits; `None` where none is set.
    pub fn file_of(&self, reason: EndReason) -> Option<&str> {
        self.files.get(&reason).map(String::as_str)
    }

    /// The same reasons with other files.
    #[must_use]
    pub fn with_files(&self, rename: impl Fn(&str) -> String) -> Announcements {
        Announcements { files: self.files.iter().map(|(&reason, file)| (reason, rename(file))).collect() }
    }

    /// Every reason that has one, with its file, in the order of the end reasons.
    pub fn iter(&self) -> impl Iterator<Item = (EndReason, &str)> {
        self.files.iter().map(|(&reason, file)| (reason, file.as_str()))
    }
}

fn reason_of(name: &str) -> Result<EndReason, AnnouncementError> {
    let found = EndReason::ALL.iter().copied().find(|reason| reason.name() == name);
    found.ok_or_else(|| AnnouncementError::Reason {
        name: shown(name),
        near: nearest(name, EndReason::ALL.iter().map(|reason| reason.name())),
    })
}

/// Whether a caller is still there, and not about to get an answer from elsewhere.
fn is_heard(reason: EndReason) -> bool {
    let goes_on = [
        EndReason::Cancelled,
        EndReason::AnsweredElsewhere,
        EndReason::Replaced,
        EndReason::Redirected,
        EndReason::FailedOver,
    ];
    reason.waiting_status().is_some() && !goes_on.contains(&reason)
}

/// Whether this is the name of a file in the folder of recordings, and of nothing elsewhere.
pub(crate) fn check_file_name(file: &str) -> Result<(), AnnouncementError> {
    if is_file_name(file) { Ok(()) } else { Err(AnnouncementError::File(shown(file))) }
}

fn is_file_name(file: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let stem = file.strip_suffix(".wav").unwrap_or_default();
    file.len() <= ANNOUNCEMENT_NAME_BYTES && !stem.is_empty() && !stem.starts_with('.') && file.bytes().all(is_plain)
}

/// The beginning of what somebody wrote, for a message.
fn shown(text: &str) -> String {
    text.chars().take(ANNOUNCEMENT_NAME_BYTES).collect()
}
