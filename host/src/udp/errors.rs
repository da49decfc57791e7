//! The socket's error queue (`IP_RECVERR`, ip(7)): which datagrams the network could not deliver.

use super::receive::socket_address;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{sock_extended_err, sockaddr_in6};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

pub(super) struct ErrorQueue {
    control: Vec<u8>,
}

impl ErrorQueue {
    pub(super) fn new() -> ErrorQueue {
        ErrorQueue { control: cmsg_space!(sock_extended_err, sockaddr_in6) }
    }

    /// Where the next undelivered datagram was to go; `None` once the queue is empty. Reading it also clears the error that
    /// the next system call on the socket would otherwise return.
    pub(super) fn next(&mut self, socket: &UdpSocket) -> Option<SocketAddr> {
        // The beginning of the datagram comes back too; nobody needs it.
        let mut payload = [0; 16];
        loop {
            let mut slices = [IoSliceMut::new(&mut payload)];
            let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
            match recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut self.control), flags) {
                Ok(message) => {
                    let unreachable = message.cmsgs().is_ok_and(|mut all| all.any(|one| means_unreachable(&one)));
                    let remote = message.address.as_ref().and_then(socket_address);
                    if let Some(remote) = remote.filter(|_| unreachable) {
                        return Some(remote);
                    }
                }
                Err(Errno::EINTR) => {}
                Err(_) => return None,
            }
        }
    }
}

/// Whether the far side is unreachable. A too-long datagram is not: the kernel has learned the path's size from the same
/// report and fragments the next one.
fn means_unreachable(message: &ControlMessageOwned) -> bool {
    let (ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _)) = message else {
        return false;
    };
    Errno::from_raw(error.ee_errno.cast_signed()) != Errno::EMSGSIZE
}
