//! The whole machine as bytes, and back.

use super::Switch;
use thiserror::Error;

/// First bytes of every snapshot; the digit is the version of the layout.
const HEADER: &[u8] = b"crosspoint-snapshot-7 ";

/// Why a snapshot cannot be used.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// It does not begin like one, or is of another version of the layout.
    #[error("not a snapshot of this version of Crosspoint")]
    Version,
    /// It is cut short or damaged.
    #[error("damaged snapshot: {0}")]
    Damaged(#[from] postcard::Error),
}

impl Switch {
    /// The whole state, between two inputs, drained (R2).
    ///
    /// # Panics
    /// Where commands still wait: they are not part of a snapshot.
    pub fn snapshot(&self) -> Vec<u8> {
        assert!(self.cx.is_drained(), "drain the commands before a snapshot (R2)");
        postcard::to_extend(self, HEADER.to_vec()).expect("all state is plain data that postcard can write")
    }

    /// The switch that [`Switch::snapshot`] wrote: it goes on with the same commands as the one that was never
    /// interrupted.
    ///
    /// # Errors
    /// Where the bytes are no snapshot of this version, or damaged.
    pub fn restore(bytes: &[u8]) -> Result<Switch, SnapshotError> {
        let body = bytes.strip_prefix(HEADER).ok_or(SnapshotError::Version)?;
        Ok(postcard::from_bytes(body)?)
    }
}
