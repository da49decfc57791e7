//! Where facts go: the journals, the event log, the recording, the log.

use crate::event_log::{self, EventLog};
use crate::journal::{BindingJournal, CallJournal};
use crosspoint_core::config::Config;
use crosspoint_core::event::Event;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// A disk that refuses is reported at most so often.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// The configuration last applied: what `reload` answers.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct LastConfig {
    generation: u64,
    changes: Vec<String>,
}

pub(super) struct Sinks {
    bindings: BindingJournal,
    calls: Option<CallJournal>,
    events: Option<EventLog>,
    recording: Option<Recording>,
    last_config: LastConfig,
    refused_at: Option<Instant>,
}

/// Entries lost because a disk took none.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Lost {
    bindings: u64,
    records: u64,
    events: u64,
}

impl Sinks {
    pub(super) fn new(
        bindings: BindingJournal,
        calls: CallJournal,
        events: Option<EventLog>,
        recording: Option<Recording>,
    ) -> Sinks {
        let last_config = LastConfig::default();
        Sinks { bindings, calls: Some(calls), events, recording, last_config, refused_at: None }
    }

    pub(super) fn configure(&mut self, config: &Config) {
        let parameters = &config.parameters;
        if let Some(calls) = &mut self.calls {
            calls.set_files(parameters.cdr_file_interval(), parameters.cdr_file_max());
        }
    }

    pub(super) fn take(&mut self, event: Event, wall: UnixMicros) {
        event_log::trace(&event);
        if let Some(events) = &mut self.events {
            events.append(&event, wall);
        }
        match event {
            Event::BindingChanged { binding, .. } => self.bindings.append(&binding),
            Event::ConfigApplied { generation, changes } => self.last_config = LastConfig { generation, changes },
            other => {
                if let Some(calls) = &mut self.calls {
                    calls.take(other, wall);
                }
            }
        }
    }

    pub(super) fn record(&mut self, bytes: &[u8]) {
        if let Some(recording) = &mut self.recording {
            recording.pending.extend_from_slice(bytes);
        }
    }

    /// Writes what the turn brought: one system call for each file that has something new.
    pub(super) fn commit(&mut self, now: Now) {
        let done = [
            self.bindings.commit(now.wall),
            self.calls.as_mut().map_or(Ok(()), |calls| calls.commit(now)),
            self.events.as_mut().map_or(Ok(()), EventLog::commit),
            self.recording.as_mut().map_or(Ok(()), Recording::commit),
        ];
        for error in done.into_iter().filter_map(Result::err) {
            if self.refused_at.is_none_or(|at| now.mono.since(at) >= REPORT_EVERY) {
                self.refused_at = Some(now.mono);
                tracing::error!("the disk refuses what must be kept: {error}");
            }
        }
    }

    /// When [`Sinks::commit`] has a record file to begin.
    pub(super) fn next_file(&self) -> Option<Instant> {
        self.calls.as_ref().and_then(CallJournal::next_file)
    }

    pub(super) fn last_config(&self) -> LastConfig {
        self.last_config.clone()
    }

    pub(super) fn lost(&self) -> Lost {
        Lost {
            bindings: self.bindings.lost(),
            records: self.calls.as_ref().map_or(0, CallJournal::lost),
            events: self.events.as_ref().map_or(0, EventLog::lost),
        }
    }

    /// Hands the last records to the disk thread.
    pub(super) fn close(&mut self) {
        if let Some(Err(error)) = self.calls.take().map(CallJournal::close) {
            tracing::error!("the last records stay in the journal: {error}");
        }
    }
}

/// The input log of `run --record`. It holds credentials: only this user may read it.
pub(super) struct Recording {
    file: File,
    pending: Vec<u8>,
}

impl Recording {
    pub(super) fn create(path: &Path) -> io::Result<Recording> {
        let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
        Ok(Recording { file, pending: Vec::new() })
    }

    fn commit(&mut self) -> io::Result<()> {
        let done = self.file.write_all(&self.pending);
        self.pending.clear();
        done
    }
}
