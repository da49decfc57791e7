//! What a Crosspoint server process needs whatever its event loop: command line, sockets, journals, records, logs.
//!
//! A runtime crate is a `main` that calls [`cli::main`] with a function which drives a [`server::Server`]. No protocol
//! logic lives here: that is `crosspoint-core`, reached through its pump.

pub mod admin;
pub mod cdr;
pub mod cli;
pub mod clock;
mod command;
pub mod config_file;
mod demo;
pub mod event_log;
pub mod journal;
pub mod logging;
pub mod lookup;
pub mod media;
pub mod open_files;
pub mod resolv_conf;
pub mod server;
pub mod sounds;
pub mod state_dir;
pub mod udp;
pub mod utc;
