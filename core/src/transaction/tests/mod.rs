//! The layer under virtual time, against peers made of strings.

mod cancel;
mod machines;
mod matching;
mod memory;
mod properties;
mod replies;
mod schedules;
mod world;
