//! What the whole switch does, seen from outside: ladders in `tests/`, real peers in `interop/`, and here what the latter
//! need: processes that end with their test, free ports, a capture, tones.

pub mod capture;
pub mod ports;
pub mod process;
pub mod sipp;
pub mod switch;
pub mod tone;
