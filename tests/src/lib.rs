//! What the whole switch does, seen from outside: see `tests/`.

pub mod ports;
pub mod process;
pub mod switch;
pub mod tone;
