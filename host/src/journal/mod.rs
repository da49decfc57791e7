//! The write-ahead journals: registrations and calls survive a killed process.
//!
//! A turn appends what it changed with one write per journal, before its datagrams leave; a thread of its own forces the
//! files to the disk once a second, so that signalling never waits for one. `kill -9` therefore loses nothing; a power
//! failure loses at most that second.

mod bindings;
mod calls;
mod convert;
mod disk;
mod files;
mod frame;
mod segment;

pub use bindings::{BindingJournal, Recovered};
pub use calls::CallJournal;
pub use convert::{Dirs, recover, unconverted};
pub use disk::DiskThread;
pub use frame::Torn;

use std::path::{Path, PathBuf};

/// A journal file that did not end whole: the process was killed in the middle of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The file.
    pub path: PathBuf,
    /// What was lost of it.
    pub torn: Torn,
}

impl std::fmt::Display for Repair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Torn { good_bytes, lost_bytes } = self.torn;
        write!(f, "{}: torn after {good_bytes} bytes, {lost_bytes} bytes passed over", self.path.display())
    }
}

fn report(repairs: &mut Vec<Repair>, path: &Path, torn: Option<Torn>) {
    repairs.extend(torn.map(|torn| Repair { path: path.to_owned(), torn }));
}

#[cfg(test)]
mod tests;
