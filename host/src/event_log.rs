//! The event log: one JSON object a line, and the same facts as log lines.

use crate::utc::Rfc3339;
use crosspoint_core::event::Event;
use crosspoint_core::time::UnixMicros;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Lines kept in memory while the disk takes none; beyond it they are lost, and counted.
const PENDING_BYTES: usize = 16 << 20;

/// The log, appended to once a turn.
pub struct EventLog {
    file: File,
    pending: Vec<u8>,
    lost: u64,
}

impl EventLog {
    /// Opens the file for appending; only this user may read it.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<EventLog> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(EventLog { file, pending: Vec::new(), lost: 0 })
    }

    /// Takes an event for the next [`EventLog::commit`].
    pub fn append(&mut self, event: &Event, now: UnixMicros) {
        if self.pending.len() >= PENDING_BYTES {
            self.lost += 1;
            return;
        }
        write_line(&mut self.pending, event, now);
    }

    /// Writes what was appended.
    ///
    /// # Errors
    /// The system's; what was not written is kept, bounded, for the next call.
    pub fn commit(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            match self.file.write(&self.pending) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) if count == self.pending.len() => self.pending.clear(),
                Ok(count) => drop(self.pending.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Lines lost because the disk took none.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

/// Appends `{"t":"…","event":"…",fields…}` and a line end.
pub fn write_line(out: &mut Vec<u8>, event: &Event, now: UnixMicros) {
    let start = out.len();
    // Writing to memory does not fail, and an event is plain data with text keys.
    let _ = write!(out, "{{\"t\":\"{}\",\"event\":\"{}\",", Rfc3339(now), event.name());
    let fields_at = out.len();
    if serde_json::to_writer(&mut *out, event).is_err() || out.get(fields_at) != Some(&b'{') {
        out.truncate(start);
        return;
    }
    // The fields are an object of their own: its opening brace is already written.
    out.remove(fields_at);
    if out.ends_with(b",}") {
        out.truncate(out.len() - 2);
        out.push(b'}');
    }
    out.push(b'\n');
}

/// Writes the event as a log line: what an operator must see at `info` and above, what happens on every call at `debug`.
pub fn trace(event: &Event) {
    match event {
        Event::ConfigApplied { generation, changes } => tracing::info!(generation, ?changes, "{}", event.name()),
        Event::DrainStarted { calls } => tracing::info!(calls, "{}", event.name()),
        Event::Dropped { reason, count } => tracing::warn!(reason = reason.name(), count, "{}", event.name()),
        Event::TrunkChanged { gateway, state, rule, detail } => match *state {
            "up" | "released" | "registered" | "unregistered" => {
                tracing::info!(gateway, state, rule, detail, "{}", event.name());
            }
            _ => tracing::warn!(gateway, state, rule, detail, "{}", event.name()),
        },
        Event::GatewayLocated { gateway, host, addresses, rule } => {
            tracing::info!(gateway, host, ?addresses, rule, "{}", event.name());
        }
        Event::AuthFailed { user, source, rule } => tracing::debug!(user, %source, rule, "{}", event.name()),
        Event::BindingChanged { binding, change } => {
            tracing::debug!(aor = binding.aor, contact = binding.contact, change, "{}", event.name());
        }
        Event::CallEnded { record } => {
            tracing::debug!(call = record.flow_no, reason = record.end_reason.name(), "{}", event.name());
        }
        other => tracing::debug!(event = ?other, "{}", event.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMicros = UnixMicros(1_767_323_045_678_901);

    fn line(event: &Event) -> String {
        let mut out = b"before\n".to_vec();
        write_line(&mut out, event, NOW);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_one_json_object_a_line() {
        assert_eq!(
            line(&Event::RouteDecided { call: 7, rule: "route.binding", result: "a \"b\"".into() }),
            "before\n{\"t\":\"2026-01-02T03:04:05.678901Z\",\"event\":\"route.decided\",\"call\":7,\
             \"rule\":\"route.binding\",\"result\":\"a \\\"b\\\"\"}\n"
        );
    }

    #[test]
    fn the_file_holds_every_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        for call in 1..=3 {
            log.append(&Event::CallAnswered { call }, NOW);
        }
        log.commit().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let calls: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(calls.iter().map(|c| c["call"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
