//! The real binary as a process: command line, signals, restarts, recordings.

mod cli;
mod names;
mod network;
mod phones;
mod ports;
mod recording;
mod relay;
mod restart;
mod serving;
