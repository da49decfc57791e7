//! A UDP socket that receives and sends in batches, for any event loop.
//!
//! The event loop waits for [`Socket::as_fd`] to become readable and calls [`Socket::receive`] until it says that the
//! socket is empty; sends are collected by [`Socket::queue`] and leave together with [`Socket::flush`]. Neither blocks.
//! What the network reports about datagrams sent earlier (ICMP) is read off with [`Socket::next_undelivered`] and never
//! stops the loop.

mod errors;
mod receive;
mod send;

pub use receive::Batch;
pub use send::{BACKLOG_DATAGRAMS, SendCounts};

use bytes::Bytes;
use crosspoint_core::pump::Sent;
use nix::sys::socket::{setsockopt, sockopt};
use send::SendQueue;
use socket2::{Domain, Protocol, Type};
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

/// What we ask for as receive buffer: at 20,000 messages a second of some 3 KiB of kernel memory each this rides out a
/// stall of half a second. The system may grant less.
pub const RECEIVE_BUFFER_BYTES: usize = 32 << 20;

/// What we ask for as send buffer: a full backlog of ordinary messages.
const SEND_BUFFER_BYTES: usize = 4 << 20;

/// Reports of undelivered datagrams kept for the next turn; later ones are dropped, since SIP's own timers cover them.
const UNDELIVERED_KEPT: usize = 256;

/// Errors in a row after which [`Socket::receive`] waits for the event loop all the same: an interface that is down must
/// not make a hot loop.
const FAILURES_IN_A_ROW: u32 = 16;

/// One signalling socket.
pub struct Socket {
    socket: UdpSocket,
    local: SocketAddr,
    receive_buffer_bytes: usize,
    queue: SendQueue,
    undelivered: VecDeque<SocketAddr>,
    errors: errors::ErrorQueue,
    failures_in_a_row: u32,
}

impl Socket {
    /// Binds `address`. `type_of_service` is the whole octet (SS_QOS_SIGNAL), DSCP in its upper six bits.
    ///
    /// # Errors
    /// The system's, where the address cannot be bound. Options that the system refuses are left as they are: a smaller
    /// buffer shows in [`Socket::receive_buffer_bytes`].
    pub fn bind(address: SocketAddr, type_of_service: u8) -> io::Result<Socket> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_BYTES).is_err() {
            let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        }
        let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
        mark(&socket, address, type_of_service);
        let _ = match address {
            SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4RecvErr, &true),
            SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvErr, &true),
        };
        socket.bind(&address.into())?;
        // The kernel doubles what is set, for its own book-keeping (socket(7)); the half is ours.
        let receive_buffer_bytes = socket.recv_buffer_size()? / 2;
        let socket = UdpSocket::from(socket);
        let local = socket.local_addr()?;
        Ok(Socket {
            socket,
            local,
            receive_buffer_bytes,
            queue: SendQueue::new(),
            undelivered: VecDeque::new(),
            errors: errors::ErrorQueue::new(),
            failures_in_a_row: 0,
        })
    }

    /// The address it is bound to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The receive buffer that the system granted, in bytes.
    pub fn receive_buffer_bytes(&self) -> usize {
        self.receive_buffer_bytes
    }

    /// Marks what is sent from now on.
    pub fn set_type_of_service(&self, type_of_service: u8) {
        mark(&socket2::SockRef::from(&self.socket), self.local, type_of_service);
    }

    /// Fills `batch` with what has arrived; one system call. Returns whether there may be more: call again before
    /// waiting.
    pub fn receive(&mut self, batch: &mut Batch) -> bool {
        match batch.receive(&self.socket) {
            receive::Received::More => {
                self.failures_in_a_row = 0;
                true
            }
            receive::Received::Empty => {
                self.failures_in_a_row = 0;
                false
            }
            receive::Received::Error => {
                self.read_errors();
                self.failures_in_a_row += 1;
                self.failures_in_a_row < FAILURES_IN_A_ROW
            }
        }
    }

    /// Takes a datagram for the next [`Socket::flush`].
    pub fn queue(&mut self, remote: SocketAddr, bytes: &Bytes) -> Sent {
        self.queue.push(remote, bytes)
    }

    /// Sends what is queued, as few system calls as it takes. What the system has no room for stays queued:
    /// see [`Socket::is_blocked`].
    pub fn flush(&mut self) {
        while let send::Flushed::Error = self.queue.flush(&self.socket) {
            if let Some(remote) = self.queue.take_undeliverable() {
                self.note_undelivered(remote);
            }
            self.read_errors();
        }
    }

    /// Whether datagrams wait for room in the system's send buffer: flush again when the socket is writable.
    pub fn is_blocked(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next address that could not be reached.
    pub fn next_undelivered(&mut self) -> Option<SocketAddr> {
        self.undelivered.pop_front()
    }

    /// What became of the datagrams sent.
    pub fn send_counts(&self) -> SendCounts {
        self.queue.counts()
    }

    /// Reads the socket's error queue into [`Socket::next_undelivered`]. Call it when the event loop reports an error on
    /// the socket; the other calls do it themselves where they meet one.
    pub fn read_errors(&mut self) {
        while let Some(remote) = self.errors.next(&self.socket) {
            self.note_undelivered(remote);
        }
    }

    fn note_undelivered(&mut self, remote: SocketAddr) {
        if self.undelivered.len() < UNDELIVERED_KEPT {
            self.undelivered.push_back(remote);
        }
    }
}

/// Sets the type-of-service octet, or the traffic class. A system that refuses leaves the datagrams unmarked.
pub(crate) fn mark(socket: &socket2::Socket, address: SocketAddr, type_of_service: u8) {
    let _ = match address {
        SocketAddr::V4(_) => socket.set_tos_v4(u32::from(type_of_service)),
        SocketAddr::V6(_) => socket.set_tclass_v6(u32::from(type_of_service)),
    };
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests;
