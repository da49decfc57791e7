//! The limit of open files (`RLIMIT_NOFILE`): each media port is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The soft limit as far as it can be raised, and `u64::MAX` where the system does not say.
pub fn most() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(_, hard)| hard)
}

/// Raises the soft limit to the hard one; says in the log what came of it, and gives the limit that holds.
pub fn raise() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        tracing::warn!("the system does not say how many files may be open");
        return u64::MAX;
    };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => {
            tracing::info!(soft, hard, "limit of open files raised from the soft one to the hard one");
            hard
        }
        Err(error) => {
            tracing::warn!(soft, hard, %error, "the limit of open files stays at the soft one");
            soft
        }
    }
}
