//! The few things a journal does to a disk, as a trait, so that a test can kill it between any two of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Who may read what the process keeps: its own user. Journals hold users' addresses and calls.
const MODE: u32 = 0o600;

/// What a journal does to a disk.
pub(crate) trait Files {
    /// A new file; an old one of the name is emptied.
    fn create(&mut self, path: &Path) -> io::Result<File>;
    /// Writes some of the bytes at the file's end and says how many.
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<usize>;
    /// Forces the file to the disk.
    fn sync(&mut self, file: &File) -> io::Result<()>;
    /// Renames, over whatever is there.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Deletes.
    fn remove(&mut self, path: &Path) -> io::Result<()>;

    /// Puts a file with these bytes in place, whole or not at all.
    fn put(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let draft = path.with_extension("tmp");
        let mut file = self.create(&draft)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = self.write(&mut file, rest)?;
            rest = &rest[written..];
        }
        self.sync(&file)?;
        self.rename(&draft, path)
    }
}

/// The disk.
pub(crate) struct Disk;

impl Files for Disk {
    fn create(&mut self, path: &Path) -> io::Result<File> {
        OpenOptions::new().create(true).write(true).truncate(true).mode(MODE).open(path)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        match file.write(bytes) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            other => other,
        }
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        sync_name(to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// Forces the name of a new file to the disk: it stands in the directory, not in the file.
pub(super) fn sync_name(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// A disk under a process that is killed: after so many steps nothing happens any more, and the last write is half done.
#[cfg(test)]
pub(crate) struct Dying {
    pub(crate) steps_left: usize,
}

#[cfg(test)]
impl Dying {
    fn step(&mut self) -> io::Result<()> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or_else(|| io::Error::other("killed"))?;
        Ok(())
    }
}

#[cfg(test)]
impl Files for Dying {
    fn create(&mut self, path: &Path) -> io::Result<File> {
        self.step()?;
        Disk.create(path)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        if self.steps_left == 1 && bytes.len() > 1 {
            self.steps_left = 0;
            return Disk.write(file, &bytes[..bytes.len() / 2]);
        }
        self.step()?;
        Disk.write(file, bytes)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        self.step()?;
        Disk.sync(file)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Disk.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.remove(path)
    }
}
