//! Call detail records: what a call was, when, and why it ended.

mod causes;
mod end_reason;
mod hold_time;
mod record;

pub use causes::{cause_of_status, status_of_cause};
pub use end_reason::EndReason;
pub use hold_time::billed_seconds;
pub use record::{CallRecord, EndDirection};
