//! The state directory: journals, record files, the admin socket, and the lock that keeps a second switch out of it.

use crate::journal::Dirs;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Longest path of a Unix socket: `sun_path` has 108 bytes, one of them the end (unix(7)).
const SOCKET_PATH_BYTES: usize = 107;

/// The directory of the embedded default: one per user, under the system's temporary one.
pub fn default_path() -> PathBuf {
    std::env::temp_dir().join(format!("crosspoint-{}", nix::unistd::Uid::effective()))
}

/// Where the admin socket of a state directory lies.
pub fn admin_socket(root: &Path) -> PathBuf {
    root.join("admin.sock")
}

/// Where the journals and records of a state directory lie.
pub fn dirs(root: &Path) -> Dirs {
    Dirs { journal: root.join("journal"), cdr: root.join("cdr") }
}

/// A state directory that is ours while this value lives.
#[derive(Debug)]
pub struct StateDir {
    root: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Creates what is missing, readable by this user only, and takes the lock.
    ///
    /// # Errors
    /// A text for the operator: the directory cannot be made, belongs to somebody else, or another switch runs in it.
    pub fn open(root: &Path) -> Result<StateDir, String> {
        let failed = |error: io::Error| format!("state directory {}: {error}", root.display());
        let dirs = dirs(root);
        for dir in [root, &dirs.journal, &dirs.cdr] {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
        }
        let metadata = fs::metadata(root).map_err(failed)?;
        if metadata.uid() != nix::unistd::Uid::effective().as_raw() {
            return Err(format!("state directory {} belongs to another user", root.display()));
        }
        if metadata.permissions().mode() & 0o022 != 0 {
            return Err(format!("state directory {} can be written by others; chmod 700 it", root.display()));
        }
        if admin_socket(root).as_os_str().len() > SOCKET_PATH_BYTES {
            return Err(format!("state directory {}: too long for a socket in it", root.display()));
        }
        let lock = File::options().create(true).append(true).open(root.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(StateDir { root: root.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(format!("another switch runs in {}", root.display())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_switch_at_a_time_and_nobody_else_reads() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("a/b");
        let first = StateDir::open(&root).unwrap();
        assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
        let refused = StateDir::open(&root).unwrap_err();
        assert!(refused.starts_with("another switch runs in"), "{refused}");
        drop(first);
        StateDir::open(&root).unwrap();
    }

    #[test]
    fn a_directory_open_to_others_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(StateDir::open(temporary.path()).unwrap_err().contains("chmod 700"));
    }
}
