//! UDP ports that nobody uses at the moment.

use std::net::UdpSocket;

/// A free port on 127.0.0.1, chosen by the system. It is free again when this returns, and the system hands out others
/// first.
///
/// # Panics
/// When the system has no port left.
pub fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("the system has a free port");
    socket.local_addr().expect("a bound socket has an address").port()
}
