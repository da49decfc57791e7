//! What a Crosspoint server process needs whatever its event loop.

pub mod cdr;
pub mod clock;
pub mod journal;
pub mod udp;
pub mod utc;
