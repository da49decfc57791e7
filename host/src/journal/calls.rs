//! The journal of calls: every answered call and every record stands here before anything else knows of it.
//!
//! One segment is one record file: at each SERVER_CDR_FILE_WRITE_INTERVAL the segment is closed and the disk thread turns
//! it into `cdr-*.csv` (see `convert`).

use super::convert::Dirs;
use super::disk::DiskThread;
use super::files::Disk;
use super::segment::{self, Segment};
use crosspoint_core::cdr::{CallRecord, EndDirection, EndReason};
use crosspoint_core::event::Event;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

pub(super) const KIND: &str = "calls";

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CallEntry {
    /// A call was answered: the record as it would stand if the process were killed now.
    Answered(Box<CallRecord>),
    /// A call is over.
    Ended(Box<CallRecord>),
}

/// The journal, open for appending.
pub struct CallJournal {
    dirs: Dirs,
    number: u64,
    active: Segment,
    active_since: Instant,
    interval: Duration,
    keep_files: usize,
    has_entries: bool,
    /// What is known of calls not yet answered.
    starting: BTreeMap<u64, Box<CallRecord>>,
    /// Answered calls not yet ended.
    answered: u64,
    disk: DiskThread,
}

impl CallJournal {
    /// Begins a segment after those that [`super::recover`] has dealt with.
    ///
    /// # Errors
    /// The system's.
    pub fn open(dirs: &Dirs, now: Now, disk: DiskThread) -> io::Result<CallJournal> {
        let number = super::convert::next_number(dirs)?;
        let begun = super::convert::next_stamp(dirs, now.wall)?;
        let active = Segment::begin(&mut Disk, dirs.journal.join(segment::file_name(KIND, number)), begun)?;
        disk.watch(KIND, &active);
        Ok(CallJournal {
            dirs: dirs.clone(),
            number,
            active,
            active_since: now.mono,
            interval: Duration::from_secs(60),
            keep_files: 2048,
            has_entries: false,
            starting: BTreeMap::new(),
            answered: 0,
            disk,
        })
    }

    /// Sets SERVER_CDR_FILE_WRITE_INTERVAL and SERVER_CDR_FILE_WRITE_MAX.
    pub fn set_files(&mut self, interval: Duration, keep_files: usize) {
        self.interval = interval;
        self.keep_files = keep_files;
    }

    /// Takes what an event says of a call, for the next [`CallJournal::commit`].
    pub fn take(&mut self, event: Event, now: UnixMicros) {
        match event {
            Event::CallStarted { call, caller, callee, source } => {
                self.starting.insert(call, Box::new(interim(call, caller, callee, source.ip(), now)));
            }
            Event::MediaDecided { call, rule, result, .. } => {
                if let Some(record) = self.starting.get_mut(&call) {
                    record.media = result.to_owned();
                    record.media_rule = rule.to_owned();
                }
            }
            Event::CallAnswered { call } => {
                if let Some(mut record) = self.starting.remove(&call) {
                    record.answer_ms = Some(now.as_millis());
                    record.sip_status = 200;
                    self.append(&CallEntry::Answered(record));
                    self.answered += 1;
                }
            }
            Event::CallEnded { record } => {
                if self.starting.remove(&record.flow_no).is_none() {
                    self.answered = self.answered.saturating_sub(1);
                }
                self.append(&CallEntry::Ended(record));
            }
            _ => {}
        }
    }

    fn append(&mut self, entry: &CallEntry) {
        self.has_entries = true;
        self.active.append(entry);
    }

    /// Writes what was appended, in one system call, and begins a new segment where the interval is over.
    ///
    /// # Errors
    /// The system's; what was not written is kept, bounded, and tried again at the next call.
    pub fn commit(&mut self, now: Now) -> io::Result<()> {
        if self.active.is_pending() {
            self.active.commit(&mut Disk)?;
            self.disk.touched();
        }
        if self.next_file().is_some_and(|due| due <= now.mono) {
            self.rotate(now)?;
        }
        Ok(())
    }

    /// When [`CallJournal::commit`] has a file to begin; `None` while there is nothing to put into one.
    pub fn next_file(&self) -> Option<Instant> {
        // With calls up an empty segment is closed too: its beginning tells a restart until when they were known to live.
        (self.has_entries || self.answered > 0).then(|| self.active_since + self.interval)
    }

    /// Records lost because the disk took none.
    pub fn lost(&self) -> u64 {
        self.active.lost()
    }

    /// Closes the journal; every record is in its file when the disk thread has finished.
    ///
    /// # Errors
    /// The system's.
    pub fn close(mut self) -> io::Result<()> {
        self.active.commit(&mut Disk)?;
        self.disk.convert(self.dirs, self.number + 1, self.keep_files);
        Ok(())
    }

    fn rotate(&mut self, now: Now) -> io::Result<()> {
        // Later than the last one by a second at least: the stamp names the record file.
        let begun = UnixMicros(now.wall.0.max(self.active.begun.0 + 1_000_000));
        let path = self.dirs.journal.join(segment::file_name(KIND, self.number + 1));
        self.active = Segment::begin(&mut Disk, path, begun)?;
        self.number += 1;
        self.active_since = now.mono;
        self.has_entries = false;
        self.disk.watch(KIND, &self.active);
        self.disk.convert(self.dirs.clone(), self.number, self.keep_files);
        Ok(())
    }
}

/// The record of a call that has just begun.
fn interim(flow_no: u64, caller: String, callee: String, source: std::net::IpAddr, now: UnixMicros) -> CallRecord {
    CallRecord {
        flow_no,
        caller: caller.clone(),
        callee: callee.clone(),
        caller_in: caller,
        callee_out: callee,
        caller_ip: source,
        callee_ip: None,
        caller_gateway: String::new(),
        callee_gateway: String::new(),
        invite_ms: now.as_millis(),
        ring_ms: None,
        answer_ms: None,
        end_ms: now.as_millis(),
        hold_time_s: 0,
        hold_time_ms: 0,
        end_direction: EndDirection::Server,
        end_reason: EndReason::Interrupted,
        sip_status: 0,
        media: String::new(),
        media_rule: String::new(),
        call_id_in: String::new(),
        call_id_out: String::new(),
        caller_codec: String::new(),
        callee_codec: String::new(),
        rtp_caller_packets: None,
        rtp_callee_packets: None,
        route: String::new(),
    }
}
