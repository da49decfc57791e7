//! One media socket.

use crate::udp::mark;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Type};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

/// What we ask for as receive buffer, in bytes: a second of G.711 at some 800 bytes of kernel memory a packet, four times
/// over, so that a stall of the machine delays and does not lose.
const RECEIVE_BUFFER_BYTES: usize = 160 << 10;

/// A bound socket that never blocks.
#[derive(Debug)]
pub struct Port {
    socket: UdpSocket,
}

impl Port {
    /// Binds exactly this address. `type_of_service` is the whole octet (SS_QOS_RTP), DSCP in its upper six bits.
    ///
    /// # Errors
    /// The system's, where the address cannot be bound. Options that it refuses are left as they are.
    pub fn bind(address: SocketAddr, type_of_service: u8) -> io::Result<Port> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        let _ = setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES);
        mark(&socket, address, type_of_service);
        socket.bind(&address.into())?;
        Ok(Port { socket: socket.into() })
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// The system's.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Marks what is sent from now on.
    pub(super) fn mark(&self, type_of_service: u8) {
        if let Ok(local) = self.local() {
            mark(&socket2::SockRef::from(&self.socket), local, type_of_service);
        }
    }

    /// The next packet, if there is one: its length and its source.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.socket.recv_from(buffer).ok()
    }

    /// Sends; says whether the system took it.
    pub(super) fn send(&self, packet: &[u8], to: SocketAddr) -> bool {
        self.socket.send_to(packet, to).is_ok()
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
