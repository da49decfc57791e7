use super::*;
use std::time::{Duration, Instant};

fn loopback() -> Socket {
    Socket::bind("127.0.0.1:0".parse().unwrap(), 0xa0).unwrap()
}

/// Receives until `wanted` datagrams are there or two seconds are over.
fn receive_all(socket: &mut Socket, wanted: usize) -> Vec<(SocketAddr, Vec<u8>)> {
    let mut batch = Batch::new();
    let mut all = Vec::new();
    let until = Instant::now() + Duration::from_secs(2);
    while all.len() < wanted && Instant::now() < until {
        socket.receive(&mut batch);
        while let Some((remote, bytes)) = batch.next() {
            all.push((remote, bytes.to_vec()));
        }
    }
    all
}

#[test]
fn batches_cross_the_loopback_whole_and_in_order() {
    let (mut a, mut b) = (loopback(), loopback());
    for i in 0..200_usize {
        assert!(matches!(a.queue(b.local(), &Bytes::from(format!("{i}").repeat(1 + i % 7))), Sent::Done));
    }
    a.flush();
    assert_eq!(a.send_counts(), SendCounts { sent: 200, dropped_full: 0, refused: 0 });
    let all = receive_all(&mut b, 200);
    assert_eq!(all.len(), 200);
    for (i, (remote, bytes)) in all.iter().enumerate() {
        assert_eq!((*remote, bytes.as_slice()), (a.local(), format!("{i}").repeat(1 + i % 7).as_bytes()));
    }
}

#[test]
fn datagrams_of_extreme_size_cross_too() {
    let (mut a, mut b) = (loopback(), loopback());
    for length in [0, 1, 65_507] {
        a.queue(b.local(), &Bytes::from(vec![b'x'; length]));
    }
    a.flush();
    let lengths: Vec<usize> = receive_all(&mut b, 3).iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(lengths, [0, 1, 65_507]);
}

#[test]
fn ipv6_crosses_too() {
    let Ok(mut a) = Socket::bind("[::1]:0".parse().unwrap(), 0xa0) else {
        println!("no IPv6 on this machine: passed over");
        return;
    };
    let mut b = Socket::bind("[::1]:0".parse().unwrap(), 0xa0).unwrap();
    a.queue(b.local(), &Bytes::from_static(b"six"));
    a.flush();
    assert_eq!(receive_all(&mut b, 1), [(a.local(), b"six".to_vec())]);
}

#[test]
fn an_unreachable_port_is_reported_and_stops_nothing() {
    let (mut a, mut b) = (loopback(), loopback());
    let gone = loopback().local();
    for _ in 0..3 {
        a.queue(gone, &Bytes::from_static(b"to nobody"));
        a.queue(b.local(), &Bytes::from_static(b"to b"));
    }
    a.flush();
    assert_eq!(receive_all(&mut b, 3).len(), 3, "what followed the unreachable one was sent");
    b.queue(a.local(), &Bytes::from_static(b"back"));
    b.flush();
    assert_eq!(receive_all(&mut a, 1).len(), 1, "receiving goes on");
    let reports: Vec<SocketAddr> = std::iter::from_fn(|| a.next_undelivered()).collect();
    assert!(!reports.is_empty());
    assert!(reports.iter().all(|remote| *remote == gone), "{reports:?}");
}

#[test]
fn what_the_system_refuses_is_dropped_and_reported() {
    let (mut a, mut b) = (loopback(), loopback());
    a.queue(b.local(), &Bytes::from(vec![0; 65_508]));
    a.queue(b.local(), &Bytes::from_static(b"fits"));
    a.flush();
    assert_eq!(a.send_counts(), SendCounts { sent: 1, dropped_full: 0, refused: 1 });
    assert_eq!(a.next_undelivered(), Some(b.local()));
    assert_eq!(receive_all(&mut b, 1).len(), 1);
}

#[test]
fn a_full_backlog_drops_and_counts() {
    let (mut a, b) = (loopback(), loopback());
    for _ in 0..BACKLOG_DATAGRAMS {
        assert!(matches!(a.queue(b.local(), &Bytes::from_static(b"x")), Sent::Done));
    }
    assert!(matches!(a.queue(b.local(), &Bytes::from_static(b"x")), Sent::Full));
    assert_eq!(a.send_counts().dropped_full, 1);
    assert!(a.is_blocked());
    a.flush();
    assert_eq!(a.send_counts().sent, BACKLOG_DATAGRAMS as u64);
    assert!(!a.is_blocked());
}

#[test]
fn every_datagram_carries_the_type_of_service() {
    let socket = loopback();
    assert_eq!(socket2::SockRef::from(&socket).tos_v4().unwrap(), 0xa0);
    assert!(socket.receive_buffer_bytes() >= 100_000, "{}", socket.receive_buffer_bytes());
}
