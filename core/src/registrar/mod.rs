//! The registrar (RFC 3261 §10).

mod record;

pub use record::BindingRecord;
