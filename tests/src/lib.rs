//! What the whole switch does, seen from outside: ladders in `tests/`, real peers in `interop/`, and here what they need:
//! scenes of phones and gateways for the former, for the latter processes that end with their test, free ports, a
//! capture, tones.

pub mod capture;
pub mod ports;
pub mod process;
pub mod rtp;
pub mod scene;
pub mod sipp;
pub mod site;
pub mod switch;
pub mod tone;
