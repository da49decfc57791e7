//! UDP ports that nobody uses at the moment.

use crate::process::until;
use std::net::UdpSocket;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A free port on 127.0.0.1, chosen by the system. It is free again when this returns, and the system hands out others
/// first.
///
/// # Panics
/// When the system has no port left.
pub fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("the system has a free port");
    socket.local_addr().expect("a bound socket has an address").port()
}

/// This many free ports on 127.0.0.1 in a row, the first of them even.
///
/// # Panics
/// When there are none after many tries.
pub fn free_udp_ports(count: u16) -> RangeInclusive<u16> {
    let is_free = |port: u16| UdpSocket::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..1_000 {
        let first = free_udp_port() & !1;
        let Some(last) = first.checked_add(count - 1) else { continue };
        if (first..=last).all(is_free) {
            return first..=last;
        }
    }
    panic!("no {count} free ports in a row");
}

/// Waits until a program has bound this port on 127.0.0.1.
///
/// # Panics
/// When none has after ten seconds.
pub fn wait_until_bound(port: u16) {
    let bound = until(Duration::from_secs(10), || UdpSocket::bind(("127.0.0.1", port)).is_err().then_some(()));
    assert!(bound.is_some(), "nobody listens on port {port}");
}
