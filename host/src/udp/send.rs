//! Sending: what a turn gathers leaves in batches; what the system has no room for waits, bounded.

use super::Sent;
use super::receive::BATCH_DATAGRAMS;
use bytes::Bytes;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Most datagrams waiting: what a turn of the pump can make, twice. Beyond it datagrams are dropped, and SIP resends.
pub const BACKLOG_DATAGRAMS: usize = 8192;

/// What became of the datagrams given to a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SendCounts {
    /// Handed to the system.
    pub sent: u64,
    /// Dropped because [`BACKLOG_DATAGRAMS`] were waiting.
    pub dropped_full: u64,
    /// Refused by the system: no route, too long, filtered.
    pub refused: u64,
}

pub(super) struct SendQueue {
    waiting: VecDeque<(SocketAddr, Bytes)>,
    headers: MultiHeaders<SockaddrStorage>,
    addresses: Vec<Option<SockaddrStorage>>,
    /// The system answered an error to the first datagram; it may be that of an earlier one (ICMP), so it gets one more try.
    tried_once: bool,
    undeliverable: Option<SocketAddr>,
    counts: SendCounts,
}

pub(super) enum Flushed {
    /// Nothing waits, or the system has no room.
    Done,
    /// The system reported an error; flush again once it is read.
    Error,
}

impl SendQueue {
    pub(super) fn new() -> SendQueue {
        SendQueue {
            waiting: VecDeque::with_capacity(BATCH_DATAGRAMS),
            headers: MultiHeaders::preallocate(BATCH_DATAGRAMS, None),
            addresses: Vec::with_capacity(BATCH_DATAGRAMS),
            tried_once: false,
            undeliverable: None,
            counts: SendCounts::default(),
        }
    }

    pub(super) fn push(&mut self, remote: SocketAddr, bytes: &Bytes) -> Sent {
        if self.waiting.len() == BACKLOG_DATAGRAMS {
            self.counts.dropped_full += 1;
            return Sent::Full;
        }
        self.waiting.push_back((remote, bytes.clone()));
        Sent::Done
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn counts(&self) -> SendCounts {
        self.counts
    }

    /// Where the datagram was to go that the system refused.
    pub(super) fn take_undeliverable(&mut self) -> Option<SocketAddr> {
        self.undeliverable.take()
    }

    pub(super) fn flush(&mut self, socket: &UdpSocket) -> Flushed {
        while !self.waiting.is_empty() {
            match self.send_batch(socket) {
                Ok(sent) => {
                    self.waiting.drain(..sent);
                    self.counts.sent += sent as u64;
                    self.tried_once = false;
                    // sendmmsg stopped short at an error and swallowed it.
                    if sent < BATCH_DATAGRAMS && !self.waiting.is_empty() {
                        return Flushed::Error;
                    }
                }
                Err(Errno::EAGAIN) => return Flushed::Done,
                Err(Errno::EINTR) => {}
                Err(_) if self.tried_once => {
                    self.undeliverable = self.waiting.pop_front().map(|(remote, _)| remote);
                    self.counts.refused += 1;
                    self.tried_once = false;
                    return Flushed::Error;
                }
                Err(_) => {
                    self.tried_once = true;
                    return Flushed::Error;
                }
            }
        }
        Flushed::Done
    }

    fn send_batch(&mut self, socket: &UdpSocket) -> Result<usize, Errno> {
        let count = self.waiting.len().min(BATCH_DATAGRAMS);
        self.addresses.clear();
        self.addresses.extend(self.waiting.iter().take(count).map(|(remote, _)| Some(SockaddrStorage::from(*remote))));
        let mut bodies = self.waiting.iter().map(|(_, bytes)| bytes.as_ref());
        let slices: [[IoSlice<'_>; 1]; BATCH_DATAGRAMS] =
            std::array::from_fn(|_| [IoSlice::new(bodies.next().unwrap_or_default())]);
        let none: [ControlMessage<'_>; 0] = [];
        let flags = MsgFlags::MSG_DONTWAIT;
        sendmmsg(socket.as_raw_fd(), &mut self.headers, slices.iter().take(count), &self.addresses, none, flags)
            .map(Iterator::count)
    }
}
