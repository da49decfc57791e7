//! How other threads reach the signalling loop: a bounded queue, and a socket that becomes readable when there is mail.

use super::{Answer, Request};
use crate::config_file::Loaded;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

/// Letters waiting: admin requests come one by one, so this is generous.
const LETTERS: usize = 64;

/// How long [`Mailbox::settle`] waits at most, in milliseconds.
const SETTLE_MS: u32 = 500;

/// A letter to the signalling loop.
#[derive(Debug)]
pub enum Mail {
    /// A client's question; the answer goes back through the sender.
    Ask(Request, SyncSender<Answer>),
    /// A configuration that was read and checked, or the reason why not. An admin client may wait for the outcome.
    Config(Result<Loaded, String>, Option<SyncSender<Answer>>),
}

/// The sending end.
#[derive(Clone, Debug)]
pub struct Mailbox {
    letters: SyncSender<Mail>,
    wake: Arc<UnixStream>,
    owed: Arc<AtomicUsize>,
}

/// The receiving end, in the signalling loop.
#[derive(Debug)]
pub struct Inbox {
    letters: Receiver<Mail>,
    wake: UnixStream,
}

/// A mailbox and its inbox.
///
/// # Errors
/// The system's, where it gives no socket pair.
pub fn pair() -> io::Result<(Mailbox, Inbox)> {
    let (sender, letters) = mpsc::sync_channel(LETTERS);
    let (wake, woken) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    woken.set_nonblocking(true)?;
    let owed = Arc::default();
    Ok((Mailbox { letters: sender, wake: Arc::new(wake), owed }, Inbox { letters, wake: woken }))
}

impl Mailbox {
    /// Posts a letter; waits where the queue is full. Says whether the loop still runs.
    pub fn post(&self, mail: Mail) -> bool {
        let posted = self.letters.send(mail).is_ok();
        // Where the wake socket is full it is readable already, which is all that is wanted.
        let _ = self.wake.as_ref().write(&[0]);
        posted
    }

    /// Runs a conversation with a client that is owed an answer until it returns.
    pub(super) fn owing<T>(&self, conversation: impl FnOnce() -> T) -> T {
        self.owed.fetch_add(1, Ordering::Relaxed);
        let done = conversation();
        self.owed.fetch_sub(1, Ordering::Relaxed);
        done
    }

    /// Waits, not for long, until every client has its answer: that of `drain` comes just before the process ends.
    pub fn settle(&self) {
        for _ in 0..SETTLE_MS {
            if self.owed.load(Ordering::Relaxed) == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Inbox {
    /// The next letter, if there is one. Call until there is none, whenever [`Inbox::as_fd`] is readable.
    pub fn take(&mut self) -> Option<Mail> {
        // The bytes go first: a letter posted after they were read leaves a byte of its own.
        let mut bytes = [0; LETTERS];
        while self.wake.read(&mut bytes).is_ok_and(|count| count > 0) {}
        self.letters.try_recv().ok()
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
