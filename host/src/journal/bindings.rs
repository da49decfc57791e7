//! The journal of bindings: what a restart needs so that no phone has to register again.
//!
//! Every change is appended. A segment is closed once it is large or old, and deleted once every binding in it must have
//! expired: a binding that still lives was refreshed since, in a later segment. Segments go oldest first, so that the
//! end of a binding is never forgotten before its beginning.

use super::disk::DiskThread;
use super::files::Disk;
use super::segment::{self, Segment};
use super::{Repair, report};
use crosspoint_core::registrar::BindingRecord;
use crosspoint_core::time::UnixMicros;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const KIND: &str = "bindings";

/// A segment of this size is closed: some 60,000 entries, read in well under a second at the next start.
const SEGMENT_BYTES: u64 = 16 << 20;

/// A segment of this age is closed, so that on a quiet system too old ones go.
const SEGMENT_AGE: Duration = Duration::from_secs(3600);

/// The journal, open for appending.
pub struct BindingJournal {
    dir: PathBuf,
    number: u64,
    active: Segment,
    /// The latest expiry in the active segment.
    expires_at: UnixMicros,
    /// Closed segments, oldest first, each with the latest expiry in it.
    closed: VecDeque<(PathBuf, UnixMicros)>,
    disk: DiskThread,
}

/// What an earlier run left.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The live bindings, each as it last was.
    pub bindings: Vec<BindingRecord>,
    /// What was torn.
    pub repairs: Vec<Repair>,
}

impl BindingJournal {
    /// Reads what earlier runs left in `dir` and begins a new segment.
    ///
    /// # Errors
    /// The system's, and `InvalidData` where a segment was written by an incompatible version.
    pub fn open(dir: &Path, now: UnixMicros, disk: DiskThread) -> io::Result<(BindingJournal, Recovered)> {
        let mut last: BTreeMap<_, BindingRecord> = BTreeMap::new();
        let mut recovered = Recovered::default();
        let mut closed = VecDeque::new();
        let mut number = 0;
        for (found, path) in segment::list(dir, KIND)? {
            let contents = segment::read::<BindingRecord>(&path)?;
            report(&mut recovered.repairs, &path, contents.torn);
            let latest = contents.entries.iter().map(|entry| entry.expires_at).max().unwrap_or_default();
            for entry in contents.entries {
                let name = (entry.aor.clone(), entry.contact.clone(), entry.instance.clone(), entry.reg_id);
                last.insert(name, entry);
            }
            closed.push_back((path, latest));
            number = found;
        }
        recovered.bindings = last.into_values().filter(|entry| entry.expires_at > now).collect();
        number += 1;
        let active = Segment::begin(&mut Disk, dir.join(segment::file_name(KIND, number)), now)?;
        disk.watch(KIND, &active);
        let mut journal =
            BindingJournal { dir: dir.to_owned(), number, active, expires_at: UnixMicros(0), closed, disk };
        journal.forget(now);
        Ok((journal, recovered))
    }

    /// Takes a changed binding for the next [`BindingJournal::commit`].
    pub fn append(&mut self, binding: &BindingRecord) {
        self.expires_at = self.expires_at.max(binding.expires_at);
        self.active.append(binding);
    }

    /// Writes what was appended, in one system call; begins a new segment where it is time; drops those that no longer
    /// matter.
    ///
    /// # Errors
    /// The system's; what was not written is kept, bounded, and tried again at the next call.
    pub fn commit(&mut self, now: UnixMicros) -> io::Result<()> {
        if !self.active.is_pending() {
            return Ok(());
        }
        self.active.commit(&mut Disk)?;
        self.disk.touched();
        if self.active.bytes() >= SEGMENT_BYTES || now >= self.active.begun.plus(SEGMENT_AGE) {
            self.rotate(now)?;
        }
        Ok(())
    }

    /// Entries lost because the disk took none.
    pub fn lost(&self) -> u64 {
        self.active.lost()
    }

    fn rotate(&mut self, now: UnixMicros) -> io::Result<()> {
        let path = self.dir.join(segment::file_name(KIND, self.number + 1));
        let next = Segment::begin(&mut Disk, path, now)?;
        self.number += 1;
        self.disk.watch(KIND, &next);
        let full = std::mem::replace(&mut self.active, next);
        self.closed.push_back((full.path, std::mem::take(&mut self.expires_at)));
        self.forget(now);
        Ok(())
    }

    /// Deletes the oldest segments as far as all in them has expired.
    fn forget(&mut self, now: UnixMicros) {
        while let Some((path, _)) = self.closed.pop_front_if(|(_, latest)| *latest <= now) {
            self.disk.remove(path);
        }
    }
}
