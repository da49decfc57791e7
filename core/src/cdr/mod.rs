//! Call detail records: what a call was, when, and why it ended.

mod hold_time;
mod record;

pub use hold_time::billed_seconds;
pub use record::{CallRecord, EndDirection, EndReason};
