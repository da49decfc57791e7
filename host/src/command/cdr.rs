//! `cdr list|show|export`: reads the record files and, beside them, what still stands in the journal only.

use super::table::columns;
use super::{Done, print, print_json, state_dir_of};
use crate::cli::{CdrCommand, CdrFilter, StateArgs};
use crate::{cdr as files, journal, state_dir};
use crosspoint_core::cdr::CallRecord;
use std::collections::BTreeMap;
use std::io;

pub(crate) fn cdr(command: CdrCommand) -> Done {
    match command {
        CdrCommand::List { filter, json } => {
            let records = filtered(&filter)?;
            if json { print_json(&records) } else { print(&list(&records)) }
        }
        CdrCommand::Show { flow_no, state, json } => {
            let record = records(&state)?.remove(&flow_no).ok_or_else(|| format!("no record {flow_no}"))?;
            if json { print_json(&record) } else { print(&show(&record)?) }
        }
        CdrCommand::Export { filter, output } => {
            let bytes = files::encode(&filtered(&filter)?).map_err(|error| error.to_string())?;
            match output {
                Some(path) => std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display())),
                None => print(&String::from_utf8_lossy(&bytes)),
            }
        }
    }
}

/// Every record by flow number. The journal is read first: a record that moves into a file meanwhile is then seen twice,
/// not never.
fn records(state: &StateArgs) -> Result<BTreeMap<u64, CallRecord>, String> {
    let dirs = state_dir::dirs(&state_dir_of(state)?);
    let failed = |error: io::Error| format!("{}: {error}", dirs.cdr.display());
    let mut all: BTreeMap<u64, CallRecord> = BTreeMap::new();
    let mut add = |records: Vec<CallRecord>| all.extend(records.into_iter().map(|record| (record.flow_no, record)));
    add(journal::unconverted(&dirs.journal).map_err(failed)?);
    for path in files::files(&dirs.cdr).map_err(failed)? {
        add(files::read(&path).map_err(failed)?);
    }
    Ok(all)
}

fn filtered(filter: &CdrFilter) -> Result<Vec<CallRecord>, String> {
    let matches = |wanted: &Option<String>, one: &str, other: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted == one || wanted == other)
    };
    let mut found: Vec<CallRecord> = records(&filter.state)?
        .into_values()
        .filter(|record| matches(&filter.caller, &record.caller, &record.caller_in))
        .filter(|record| matches(&filter.callee, &record.callee, &record.callee_out))
        .filter(|record| matches(&filter.reason, record.end_reason.name(), record.end_reason.name()))
        .filter(|record| filter.since_ms.is_none_or(|since_ms| record.end_ms >= since_ms))
        .collect();
    if let Some(last) = filter.last {
        found.drain(..found.len().saturating_sub(last));
    }
    Ok(found)
}

pub(super) fn list(records: &[CallRecord]) -> String {
    let rows: Vec<[String; 8]> = records
        .iter()
        .map(|record| {
            [
                record.flow_no.to_string(),
                crate::utc::Stamp(record.invite_ms / 1000).to_string(),
                record.caller.clone(),
                record.callee.clone(),
                record.hold_time_s.to_string(),
                record.end_direction.name().to_owned(),
                record.end_reason.name().to_owned(),
                record.sip_status.to_string(),
            ]
        })
        .collect();
    columns(["FLOW NO", "INVITE", "CALLER", "CALLEE", "SECONDS", "ENDED BY", "REASON", "STATUS"], &rows)
}

/// A `column value` line for each column.
pub(crate) fn show(record: &CallRecord) -> Result<String, String> {
    let bytes = files::encode(std::slice::from_ref(record)).map_err(|error| error.to_string())?;
    let mut rows = csv::ReaderBuilder::new().delimiter(b'|').from_reader(bytes.as_slice());
    let headings = rows.headers().map_err(|error| error.to_string())?.clone();
    let row = rows.records().next().and_then(Result::ok).unwrap_or_default();
    Ok(headings.iter().zip(&row).map(|(name, value)| format!("{name:<20} {value}\n")).collect())
}
