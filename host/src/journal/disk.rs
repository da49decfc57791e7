//! The thread that waits for the disk, so that signalling does not.

use super::convert::{self, Dirs};
use super::files::{self, Disk};
use super::segment::Segment;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often written entries are forced to the disk: what a power failure may cost.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

enum Job {
    /// From now on this is the file that the journal of this kind writes.
    Watch(&'static str, File, PathBuf),
    Remove(PathBuf),
    Convert {
        dirs: Dirs,
        below: u64,
        keep_files: usize,
    },
    Finish,
}

#[derive(Default)]
struct Shared {
    touched: AtomicBool,
    errors: AtomicU64,
}

/// A handle to the thread; clones share it. Jobs are few: some per minute.
#[derive(Clone)]
pub struct DiskThread {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
}

impl DiskThread {
    /// Starts the thread. It ends after [`DiskThread::finish`], which the returned handle waits for.
    ///
    /// # Errors
    /// The system's, where it gives no thread.
    pub fn start() -> io::Result<(DiskThread, JoinHandle<()>)> {
        let (jobs, inbox) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let worker = Worker { shared: Arc::clone(&shared), watched: BTreeMap::new() };
        let thread = std::thread::Builder::new().name("disk".into()).spawn(move || worker.run(&inbox))?;
        Ok((DiskThread { jobs, shared }, thread))
    }

    /// Things the disk refused since the start.
    pub fn errors(&self) -> u64 {
        self.shared.errors.load(Ordering::Relaxed)
    }

    /// Does what was asked so far, forces everything to the disk and ends the thread.
    pub fn finish(&self) {
        self.send(Job::Finish);
    }

    pub(super) fn watch(&self, kind: &'static str, segment: &Segment) {
        match segment.handle() {
            Ok(file) => self.send(Job::Watch(kind, file, segment.path.clone())),
            Err(error) => tracing::error!("{}: not forced to the disk: {error}", segment.path.display()),
        }
    }

    pub(super) fn touched(&self) {
        self.shared.touched.store(true, Ordering::Relaxed);
    }

    pub(super) fn remove(&self, path: PathBuf) {
        self.send(Job::Remove(path));
    }

    pub(super) fn convert(&self, dirs: Dirs, below: u64, keep_files: usize) {
        self.send(Job::Convert { dirs, below, keep_files });
    }

    fn send(&self, job: Job) {
        // The thread ends after `finish` only; whatever comes later is done by the next start.
        let _ = self.jobs.send(job);
    }
}

struct Worker {
    shared: Arc<Shared>,
    watched: BTreeMap<&'static str, File>,
}

impl Worker {
    fn run(mut self, inbox: &mpsc::Receiver<Job>) {
        let mut synced = Instant::now();
        loop {
            match inbox.recv_timeout(SYNC_INTERVAL.saturating_sub(synced.elapsed())) {
                Ok(Job::Finish) | Err(RecvTimeoutError::Disconnected) => break self.sync(),
                Ok(job) => self.work(job),
                Err(RecvTimeoutError::Timeout) => {
                    self.sync();
                    synced = Instant::now();
                }
            }
        }
    }

    fn work(&mut self, job: Job) {
        let done = match job {
            Job::Watch(kind, file, path) => {
                let closed = self.watched.insert(kind, file).map_or(Ok(()), |closed| closed.sync_data());
                closed.and_then(|()| files::sync_name(&path))
            }
            Job::Remove(path) => std::fs::remove_file(path),
            Job::Convert { dirs, below, keep_files } => {
                convert::convert(&mut Disk, &dirs, below, keep_files).map(|_| ())
            }
            Job::Finish => Ok(()),
        };
        self.note(done);
    }

    fn sync(&mut self) {
        if self.shared.touched.swap(false, Ordering::Relaxed) {
            let all: Vec<io::Result<()>> = self.watched.values().map(File::sync_data).collect();
            all.into_iter().for_each(|done| self.note(done));
        }
    }

    fn note(&self, done: io::Result<()>) {
        if let Err(error) = done {
            self.shared.errors.fetch_add(1, Ordering::Relaxed);
            tracing::error!("journal: {error}");
        }
    }
}
