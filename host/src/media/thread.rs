//! A shard on its thread, and the signalling end of it.

use super::relay::{Counts, Settings, Shard};
use crate::clock::Clock;
use crosspoint_core::media::tone::Sounds;
use crosspoint_core::media::{MediaOp, MediaReport, MediaShard};
use crosspoint_core::ports::{PortCommand, PortReply};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What a shard's thread is to do.
#[derive(Debug)]
pub enum Order {
    /// Open or close ports; exactly one [`Report::Ports`] follows an opening.
    Ports(PortCommand),
    /// For the shard.
    Apply(MediaOp),
    /// Settings for what follows; see [`Shard::set`].
    Set {
        /// [`Settings::batch_us`].
        batch_us: u32,
        /// [`Settings::type_of_service`].
        type_of_service: u8,
    },
    /// Other recordings for the ops that follow.
    Sounds(Sounds),
}

/// What a shard's thread tells.
#[derive(Debug)]
pub enum Report {
    /// What came of an opening.
    Ports(PortReply),
    /// From the shard.
    Media(MediaReport),
}

/// Keeps this thread on one processor, where its sockets' packets are in the cache.
fn stay_on(cpu: usize) {
    let mut cpus = CpuSet::new();
    if let Err(error) = cpus.set(cpu).and_then(|()| sched_setaffinity(Pid::from_raw(0), &cpus)) {
        tracing::warn!(cpu, %error, "a media shard runs on whatever processor");
    }
}

/// The counts of a shard as they were after its last pass.
type Published = Arc<Mutex<Counts>>;

/// The signalling end. Dropping it ends the thread.
#[derive(Debug)]
pub struct Remote {
    /// None once the thread is to end. Signalling bounds what is under way: ports by their range, ops by its calls.
    orders: Option<Sender<Order>>,
    has_ordered: bool,
    reports: Receiver<Report>,
    wake: UnixStream,
    counts: Published,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread of this shard.
///
/// # Errors
/// The system's, where it gives no descriptors or no thread.
pub fn spawn(name: &str, clock: Clock, settings: Settings, shard: MediaShard) -> io::Result<Remote> {
    let (wake, woken) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    woken.set_nonblocking(true)?;
    let shard = Shard::new(clock, settings, shard, woken.as_fd())?;
    let (orders, inbox) = mpsc::channel();
    let (outbox, reports) = mpsc::channel();
    let counts = Published::default();
    let published = Arc::clone(&counts);
    let run = move || {
        if let Some(cpu) = settings.cpu {
            stay_on(cpu);
        }
        run(shard, &woken, &inbox, &outbox, &published);
    };
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
    Ok(Remote { orders: Some(orders), has_ordered: false, reports, wake, counts, thread: Some(thread) })
}

impl Remote {
    /// Takes an order for the next [`Remote::flush`].
    pub fn order(&mut self, order: Order) {
        if let Some(orders) = &self.orders {
            // it fails only where the thread has ended, and then nobody waits for what it would do
            let _ = orders.send(order);
            self.has_ordered = true;
        }
    }

    /// Wakes the thread where there are orders for it.
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.has_ordered) {
            ring(&self.wake);
        }
    }

    /// What the shard held and had done after its last pass.
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes [`Remote::as_fd`] unreadable until there is another report. Reports that are there already stay.
    pub fn hear(&self) {
        drain(&self.wake);
    }

    /// The next report that is there.
    pub fn report(&mut self) -> Option<Report> {
        self.reports.try_recv().ok()
    }
}

impl AsFd for Remote {
    /// Readable from when there is a report until [`Remote::hear`].
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.orders = None;
        ring(&self.wake);
        if let Some(thread) = self.thread.take() {
            // what it panicked with has been told by then
            let _ = thread.join();
        }
    }
}

/// The thread: ends when nobody can give it orders any more.
fn run(
    mut shard: Shard,
    wake: &UnixStream,
    inbox: &Receiver<Order>,
    outbox: &Sender<Report>,
    published: &Mutex<Counts>,
) {
    loop {
        let is_woken = match shard.turn() {
            Ok(is_woken) => is_woken,
            Err(error) => return tracing::error!(%error, "a media shard cannot wait for its sockets"),
        };
        let mut has_told = false;
        let mut tell = |report| {
            has_told = true;
            outbox.send(report).is_ok()
        };
        if is_woken {
            drain(wake);
            loop {
                match inbox.try_recv() {
                    Ok(Order::Ports(command)) => {
                        if let Some(reply) = shard.carry_out(command) {
                            tell(Report::Ports(reply));
                        }
                    }
                    Ok(Order::Apply(op)) => shard.apply(op),
                    Ok(Order::Set { batch_us, type_of_service }) => shard.set(batch_us, type_of_service),
                    Ok(Order::Sounds(sounds)) => shard.set_sounds(sounds),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
        }
        while let Some(report) = shard.poll_report() {
            tell(Report::Media(report));
        }
        *published.lock().unwrap_or_else(PoisonError::into_inner) = shard.counts();
        if has_told {
            ring(wake);
        }
    }
}

/// Makes the other end readable. Where its buffer is full it is so already.
fn ring(mut wake: &UnixStream) {
    let _ = wake.write(&[0]);
}

fn drain(mut wake: &UnixStream) {
    let mut rings = [0; 256];
    while matches!(wake.read(&mut rings), Ok(count) if count == rings.len()) {}
}
