//! The server against other people's SIP: SIPp and baresip, on loopback.

mod baresip;
mod sipp;

use std::path::{Path, PathBuf};

/// A folder for one test's files, emptied first. What a failed test leaves there tells why.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}
