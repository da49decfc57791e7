//! Record files: `cdr-YYYYMMDDTHHMMSSZ.csv`, RFC 4180 with a header row and `|` as delimiter.
//!
//! The columns are the fields of [`CallRecord`] in their order, which is the order of the interface.

use crosspoint_core::cdr::CallRecord;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const DELIMITER: u8 = b'|';

/// The bytes of a record file.
///
/// # Errors
/// None that writing to memory makes; the type is that of the CSV writer.
pub fn encode(records: &[CallRecord]) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(DELIMITER)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::with_capacity(256 * (records.len() + 1)));
    for record in records {
        writer.serialize(record).map_err(io::Error::other)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// Reads a record file.
///
/// # Errors
/// The system's, and `InvalidData` with the line where a row is no record.
pub fn read(path: &Path) -> io::Result<Vec<CallRecord>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(DELIMITER).from_path(path).map_err(io::Error::from)?;
    let rows = reader.deserialize().collect::<Result<Vec<CallRecord>, csv::Error>>();
    rows.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display())))
}

/// The record files in `dir`, oldest first.
///
/// # Errors
/// The system's.
pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("cdr-") && name.ends_with(".csv") {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}
