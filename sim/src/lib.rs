//! The simulator of the Crosspoint SIP softswitch.

pub mod ladder;
pub mod net;
pub mod phone;
