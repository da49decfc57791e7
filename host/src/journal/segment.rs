//! Segments: the files of a journal, numbered, each begun by a header and appended to until the next is begun.

use super::files::Files;
use super::frame::{self, Frames, Torn};
use crosspoint_core::time::UnixMicros;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The layout of the entries. A file with another one is refused, since reading it would give nonsense.
const LAYOUT: u32 = 2;

/// Entries kept in memory while the disk takes none: some 60,000 bindings. Beyond it they are lost, and counted.
const PENDING_BYTES: usize = 16 << 20;

/// The first entry of every segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    layout: u32,
    /// When the segment was begun; for calls it also names the record file.
    pub(crate) begun: UnixMicros,
}

/// The file name of a segment of this kind.
pub(crate) fn file_name(kind: &str, number: u64) -> String {
    format!("{kind}-{number:010}.journal")
}

/// The segments of this kind in `dir`, oldest first.
pub(crate) fn list(dir: &Path, kind: &str) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-'));
        let number = number.and_then(|rest| rest.strip_suffix(".journal")).and_then(|digits| digits.parse().ok());
        if let Some(number) = number {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// A segment read whole.
pub(crate) struct Contents<T> {
    /// When it was begun; `None` where the process was killed before the header was written.
    pub(crate) begun: Option<UnixMicros>,
    pub(crate) entries: Vec<T>,
    pub(crate) torn: Option<Torn>,
}

/// Reads a segment as far as it is whole.
///
/// # Errors
/// The system's, and `InvalidData` where the segment was written in another layout.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Contents<T>> {
    let bytes = fs::read(path)?;
    let mut frames = Frames::new(&bytes);
    let header: Option<Header> = frames.next();
    if let Some(header) = header.filter(|header| header.layout != LAYOUT) {
        let text = format!("{}: layout {} is not ours ({LAYOUT})", path.display(), header.layout);
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let mut entries = Vec::new();
    while let Some(entry) = header.and_then(|_| frames.next()) {
        entries.push(entry);
    }
    Ok(Contents { begun: header.map(|header| header.begun), entries, torn: frames.torn() })
}

/// The bytes of a segment with these entries.
pub(crate) fn encode<T: Serialize>(begun: UnixMicros, entries: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::push(&mut bytes, &Header { layout: LAYOUT, begun });
    for entry in entries {
        frame::push(&mut bytes, &entry);
    }
    bytes
}

/// The segment being written.
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) begun: UnixMicros,
    file: File,
    pending: Vec<u8>,
    /// How much of `pending` an interrupted write already put into the file.
    written: usize,
    bytes: u64,
    lost: u64,
}

impl Segment {
    /// Begins a segment.
    pub(crate) fn begin(files: &mut impl Files, path: PathBuf, begun: UnixMicros) -> io::Result<Segment> {
        let mut pending = Vec::with_capacity(64 << 10);
        frame::push(&mut pending, &Header { layout: LAYOUT, begun });
        let file = files.create(&path)?;
        let mut segment = Segment { path, begun, file, pending, written: 0, bytes: 0, lost: 0 };
        segment.commit(files)?;
        Ok(segment)
    }

    /// Takes an entry for the next [`Segment::commit`]. Where the disk has taken nothing for so long that
    /// [`PENDING_BYTES`] wait, the entry is lost and counted.
    pub(crate) fn append(&mut self, entry: &impl Serialize) {
        if self.pending.len() >= PENDING_BYTES || !frame::push(&mut self.pending, entry) {
            self.lost += 1;
        }
    }

    /// Writes what was appended: one system call, or none. What an error leaves is tried again next time.
    pub(crate) fn commit(&mut self, files: &mut impl Files) -> io::Result<()> {
        while let Some(rest) = self.pending.get(self.written..).filter(|rest| !rest.is_empty()) {
            let count = files.write(&mut self.file, rest)?;
            self.written += count;
            self.bytes += count as u64;
        }
        self.pending.clear();
        self.written = 0;
        Ok(())
    }

    /// A second handle, for the thread that forces it to the disk.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Bytes in the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Entries lost because the disk took none.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether anything waits to be written.
    pub(crate) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}
