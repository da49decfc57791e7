//! Receiving: up to 64 datagrams a system call into buffers that are used again.

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use std::io::IoSliceMut;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;

/// Datagrams a system call: at 20,000 messages a second it is called some 300 times, and a call costs far less than
/// the 64 messages take.
pub(super) const BATCH_DATAGRAMS: usize = 64;

/// Room for one datagram: the UDP maximum. Pages never written to cost no memory.
const DATAGRAM_BYTES: usize = crosspoint_core::limits::DATAGRAM_BYTES;

/// The datagrams of one system call, read with [`Batch::next`].
pub struct Batch {
    buffer: Vec<u8>,
    headers: MultiHeaders<SockaddrStorage>,
    received: Vec<(SocketAddr, usize)>,
    taken: usize,
}

/// What one system call brought.
pub(super) enum Received {
    /// A full batch: there may be more.
    More,
    /// All there was.
    Empty,
    /// The socket has an error to report; receive again once it is read.
    Error,
}

impl Default for Batch {
    fn default() -> Self {
        Batch::new()
    }
}

impl Batch {
    /// An empty batch with its buffers.
    pub fn new() -> Batch {
        Batch {
            buffer: vec![0; BATCH_DATAGRAMS * DATAGRAM_BYTES],
            headers: MultiHeaders::preallocate(BATCH_DATAGRAMS, None),
            received: Vec::with_capacity(BATCH_DATAGRAMS),
            taken: 0,
        }
    }

    /// The next datagram and where it came from.
    #[expect(clippy::should_implement_trait, reason = "lends from its buffer, which an Iterator cannot")]
    pub fn next(&mut self) -> Option<(SocketAddr, &[u8])> {
        let (remote, length) = *self.received.get(self.taken)?;
        let start = self.taken * DATAGRAM_BYTES;
        self.taken += 1;
        self.buffer.get(start..start + length).map(|bytes| (remote, bytes))
    }

    /// Whether every datagram was taken.
    pub fn is_empty(&self) -> bool {
        self.taken == self.received.len()
    }

    pub(super) fn receive(&mut self, socket: &UdpSocket) -> Received {
        self.received.clear();
        self.taken = 0;
        let mut rooms = self.buffer.chunks_exact_mut(DATAGRAM_BYTES);
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH_DATAGRAMS] =
            std::array::from_fn(|_| [IoSliceMut::new(rooms.next().unwrap_or_default())]);
        match recvmmsg(socket.as_raw_fd(), &mut self.headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None) {
            Ok(messages) => {
                for message in messages {
                    let remote = message.address.as_ref().and_then(socket_address);
                    // A datagram without a sender cannot be answered: its length 0 makes it a keep-alive.
                    let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
                    let length = if remote.is_some() { message.bytes } else { 0 };
                    self.received.push((remote.unwrap_or(nowhere), length));
                }
                if self.received.len() == BATCH_DATAGRAMS { Received::More } else { Received::Empty }
            }
            Err(Errno::EAGAIN) => Received::Empty,
            Err(_) => Received::Error,
        }
    }
}

/// The address in the standard library's form.
pub(super) fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|a| SocketAddr::V4(SocketAddrV4::from(*a)));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| SocketAddr::V6(SocketAddrV6::from(*a))))
}
