//! `crosspoint-tokio`: the switch on tokio.

fn main() {}
