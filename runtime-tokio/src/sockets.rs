//! The signalling sockets in tokio's reactor.
//!
//! They are registered for reading only: with an interest in writing, every datagram that leaves would wake the thread
//! (the kernel reports the room it makes). Room is waited for on a registration of its own, made when a send found none.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::Poll;
use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// Second handles of the sockets, registered.
pub(crate) struct Sockets {
    fds: Vec<AsyncFd<OwnedFd>>,
}

impl Sockets {
    pub(crate) fn register(fds: Vec<OwnedFd>) -> io::Result<Sockets> {
        let interest = Interest::READABLE.add(Interest::ERROR);
        let fds = fds.into_iter().map(|fd| watch(fd, interest)).collect::<io::Result<_>>()?;
        Ok(Sockets { fds })
    }

    /// Waits for room to send on this socket.
    pub(crate) async fn writable(&self, socket: usize) -> io::Result<()> {
        let Some(fd) = self.fds.get(socket) else { return std::future::pending().await };
        let handle = watch(fd.get_ref().try_clone()?, Interest::WRITABLE)?;
        handle.writable().await.map(|_| ())
    }
}

type Guard<'a> = AsyncFdReadyGuard<'a, OwnedFd>;
type Wait<'a> = Pin<Box<dyn Future<Output = io::Result<Guard<'a>>> + 'a>>;

/// Waits for any of the sockets, in turn, so that a busy one does not starve the next.
pub(crate) struct Readable<'a> {
    fds: &'a [AsyncFd<OwnedFd>],
    waits: Vec<Wait<'a>>,
    first: usize,
}

impl<'a> Readable<'a> {
    pub(crate) fn new(sockets: &'a Sockets) -> Readable<'a> {
        let fds = sockets.fds.as_slice();
        Readable { fds, waits: fds.iter().map(wait).collect(), first: 0 }
    }

    /// The next socket that is readable or in error. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> io::Result<(usize, Guard<'a>)> {
        poll_fn(|cx| {
            let count = self.waits.len();
            for index in (self.first..count).chain(0..self.first) {
                if let Poll::Ready(guard) = self.waits[index].as_mut().poll(cx) {
                    self.waits[index] = wait(&self.fds[index]);
                    self.first = (index + 1) % count;
                    return Poll::Ready(guard.map(|guard| (index, guard)));
                }
            }
            Poll::Pending
        })
        .await
    }
}

fn wait(fd: &AsyncFd<OwnedFd>) -> Wait<'_> {
    Box::pin(fd.ready(Interest::READABLE.add(Interest::ERROR)))
}

/// Registers a descriptor with the runtime.
#[expect(unsafe_code, reason = "tokio cannot ask the type system for a descriptor that stays open; an OwnedFd is one")]
pub(crate) fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the AsyncFd owns the descriptor, an OwnedFd stays open until it is dropped, and nothing here takes it out or
    // replaces it.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(io::Error::from)
}
