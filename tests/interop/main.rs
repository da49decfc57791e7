//! The server against other people's SIP: SIPp, baresip and linphone, on loopback or on hosts of their own.

mod baresip;
mod calls;
mod exchange;
mod failover;
mod fax;
mod marks;
mod moves;
mod nat;
mod numbers;
mod odd;
mod phone;
mod played;
mod registrar;
mod script;
mod sipp;
mod stage;
mod strangers;
mod transfers;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Real peers keep real time, so their tests run one after the other. A test holds what this returns to its end.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // a failed test has stopped its peers all the same
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder for one test's files, emptied first. What a failed test leaves there tells why.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}
