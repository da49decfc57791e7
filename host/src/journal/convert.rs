//! From closed call segments to record files, exactly once, whatever moment the process is killed at.
//!
//! A segment becomes the record file named after the segment's beginning; then the set of calls still up is put in
//! place under the segment's number; then the segment goes. Each step is whole or not at all and repeating it changes
//! nothing, so a restart just repeats.

use super::calls::{CallEntry, KIND};
use super::files::Files;
use super::{Repair, report, segment};
use crate::cdr;
use crate::utc::{Stamp, parse_stamp};
use crosspoint_core::cdr::{CallRecord, EndDirection, EndReason, billed_seconds};
use crosspoint_core::time::UnixMicros;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Calls up after the segment of the same number.
const OPEN_KIND: &str = "open";

/// Where the files lie.
#[derive(Clone, Debug)]
pub struct Dirs {
    /// The journals.
    pub journal: PathBuf,
    /// The record files.
    pub cdr: PathBuf,
}

/// Brings the record files up to date with what a killed process left, and writes a record for every call that was up:
/// its end is the last moment known to the journal, its reason `interrupted`.
///
/// # Errors
/// The system's, and `InvalidData` where a segment was written by an incompatible version.
pub fn recover(dirs: &Dirs, now: UnixMicros, precision_ms: u64, keep_files: usize) -> io::Result<Vec<Repair>> {
    recover_with(&mut super::files::Disk, dirs, now, precision_ms, keep_files)
}

pub(super) fn recover_with(
    files: &mut impl Files,
    dirs: &Dirs,
    now: UnixMicros,
    precision_ms: u64,
    keep_files: usize,
) -> io::Result<Vec<Repair>> {
    let last_known_ms = last_known_ms(dirs)?;
    let repairs = convert(files, dirs, u64::MAX, keep_files)?;
    let (_, open) = read_open(dirs)?;
    if open.is_empty() {
        return Ok(repairs);
    }
    let interrupted = open.into_values().map(|mut record| {
        let answered_ms = record.answer_ms.unwrap_or(record.invite_ms);
        record.end_ms = last_known_ms.max(answered_ms);
        record.hold_time_ms = record.end_ms - answered_ms;
        record.hold_time_s = billed_seconds(record.hold_time_ms, precision_ms);
        record.end_reason = EndReason::Interrupted;
        record.end_direction = EndDirection::Server;
        CallEntry::Ended(Box::new(record))
    });
    let path = dirs.journal.join(segment::file_name(KIND, next_number(dirs)?));
    files.put(&path, &segment::encode(next_stamp(dirs, now)?, interrupted))?;
    convert(files, dirs, u64::MAX, keep_files)?;
    Ok(repairs)
}

/// Turns every segment numbered below `below` into its record file.
pub(super) fn convert(files: &mut impl Files, dirs: &Dirs, below: u64, keep_files: usize) -> io::Result<Vec<Repair>> {
    let mut repairs = Vec::new();
    let (mut applied, mut open) = read_open(dirs)?;
    for (number, path) in segment::list(&dirs.journal, KIND)?.into_iter().filter(|(number, _)| *number < below) {
        if number > applied {
            let contents = segment::read::<CallEntry>(&path)?;
            report(&mut repairs, &path, contents.torn);
            let ended = apply(contents.entries, &mut open);
            if let Some(begun) = contents.begun.filter(|_| !ended.is_empty()) {
                let name = format!("cdr-{}.csv", Stamp(begun.as_secs()));
                files.put(&dirs.cdr.join(name), &cdr::encode(&ended)?)?;
            }
            let bytes = segment::encode(contents.begun.unwrap_or_default(), open.values());
            files.put(&dirs.journal.join(segment::file_name(OPEN_KIND, number)), &bytes)?;
            applied = number;
        }
        files.remove(&path)?;
    }
    for (_, path) in segment::list(&dirs.journal, OPEN_KIND)?.into_iter().filter(|(number, _)| *number < applied) {
        files.remove(&path)?;
    }
    prune(files, &dirs.cdr, keep_files)?;
    Ok(repairs)
}

/// The records that stand in the journal only, in the order in which the calls ended.
///
/// # Errors
/// The system's, and `InvalidData` where a segment was written by an incompatible version.
pub fn unconverted(journal: &Path) -> io::Result<Vec<CallRecord>> {
    let mut records = Vec::new();
    for (_, path) in segment::list(journal, KIND)? {
        match segment::read::<CallEntry>(&path) {
            Ok(contents) => records.extend(apply(contents.entries, &mut BTreeMap::new())),
            // Converted since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(records)
}

/// Applies a segment to the calls that were up before it; returns the records of those that ended.
fn apply(entries: Vec<CallEntry>, open: &mut BTreeMap<u64, CallRecord>) -> Vec<CallRecord> {
    let mut ended = Vec::new();
    for entry in entries {
        match entry {
            CallEntry::Answered(record) => {
                open.insert(record.flow_no, *record);
            }
            CallEntry::Ended(record) => {
                open.remove(&record.flow_no);
                ended.push(*record);
            }
        }
    }
    ended
}

/// The last segment applied and the calls that were up after it.
fn read_open(dirs: &Dirs) -> io::Result<(u64, BTreeMap<u64, CallRecord>)> {
    let Some((number, path)) = segment::list(&dirs.journal, OPEN_KIND)?.pop() else {
        return Ok((0, BTreeMap::new()));
    };
    let calls = segment::read::<CallRecord>(&path)?.entries;
    Ok((number, calls.into_iter().map(|record| (record.flow_no, record)).collect()))
}

/// The latest moment that the journal tells of.
fn last_known_ms(dirs: &Dirs) -> io::Result<u64> {
    let mut latest = 0;
    for (_, path) in segment::list(&dirs.journal, KIND)? {
        let contents = segment::read::<CallEntry>(&path)?;
        latest = latest.max(contents.begun.unwrap_or_default().as_millis());
        for entry in contents.entries {
            latest = latest.max(match entry {
                CallEntry::Answered(record) => record.answer_ms.unwrap_or(record.invite_ms),
                CallEntry::Ended(record) => record.end_ms,
            });
        }
    }
    Ok(latest)
}

/// The first number that no segment has had.
pub(super) fn next_number(dirs: &Dirs) -> io::Result<u64> {
    let last = |kind| Ok::<u64, io::Error>(segment::list(&dirs.journal, kind)?.pop().map_or(0, |(number, _)| number));
    Ok(last(KIND)?.max(last(OPEN_KIND)?) + 1)
}

/// A moment that names no record file yet: now, or a second after the last, where the clock was set back.
pub(super) fn next_stamp(dirs: &Dirs, now: UnixMicros) -> io::Result<UnixMicros> {
    let last = cdr::files(&dirs.cdr)?.last().and_then(|path| {
        let name = path.file_stem()?.to_str()?;
        parse_stamp(name.strip_prefix("cdr-")?)
    });
    Ok(UnixMicros(now.0.max(last.map_or(0, |seconds| (seconds + 1) * 1_000_000))))
}

/// Keeps the newest record files only (SERVER_CDR_FILE_WRITE_MAX).
fn prune(files: &mut impl Files, dir: &Path, keep_files: usize) -> io::Result<()> {
    let all = cdr::files(dir)?;
    let surplus = all.len().saturating_sub(keep_files);
    for path in all.into_iter().take(surplus) {
        files.remove(&path)?;
    }
    Ok(())
}
