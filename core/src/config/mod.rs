//! The configuration, validated.

mod model;

pub use model::*;
