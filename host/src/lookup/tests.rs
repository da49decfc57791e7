use super::*;
use bytes::Bytes;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

const UNTIL: Instant = Instant::from_micros(2_000_000);

fn query(id: u64, server: SocketAddr, carrier: Carrier, bytes: &'static [u8]) -> Query {
    Query { id: QueryId(id), server, carrier, until: UNTIL, bytes: Bytes::from_static(bytes) }
}

fn udp_server() -> (UdpSocket, SocketAddr) {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let address = server.local_addr().unwrap();
    (server, address)
}

/// Waits for the next reply, five seconds at most.
fn reply(lookups: &mut Lookups) -> Reply {
    for _ in 0..50 {
        let mut fds = [nix::poll::PollFd::new(lookups.as_fd(), nix::poll::PollFlags::POLLIN)];
        nix::poll::poll(&mut fds, 100_u16).unwrap();
        while lookups.receive() {}
        if let Some(reply) = lookups.next_reply() {
            return reply;
        }
    }
    panic!("no reply");
}

#[test]
fn a_datagram_that_begins_as_the_question_answers_it() {
    let (server, address) = udp_server();
    let mut lookups = Lookups::new().unwrap();
    lookups.start(Instant::EPOCH, &query(7, address, Carrier::Udp, b"IDquestion"));
    let mut buffer = [0; 64];
    let (length, asker) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"IDquestion");
    let (elsewhere, _) = udp_server();
    elsewhere.send_to(b"IDforged from another port", asker).unwrap();
    server.send_to(b"xxanother id", asker).unwrap();
    server.send_to(b"IDanswer", asker).unwrap();
    server.send_to(b"IDanswer", asker).unwrap();
    assert_eq!(reply(&mut lookups), (QueryId(7), Some(b"IDanswer".to_vec())));
    assert!(lookups.open.is_empty() && !lookups.receive() && !lookups.has_replies(), "once");
}

#[test]
fn questions_have_ports_of_their_own() {
    let (server, address) = udp_server();
    let mut lookups = Lookups::new().unwrap();
    let mut ports = std::collections::BTreeSet::new();
    for id in 0..20 {
        lookups.start(Instant::EPOCH, &query(id, address, Carrier::Udp, b"ID"));
        ports.insert(server.recv_from(&mut [0; 8]).unwrap().1.port());
    }
    assert_eq!(ports.len(), 20);
}

#[test]
fn a_server_that_is_not_there_is_told_at_once() {
    let (server, address) = udp_server();
    drop(server);
    let mut lookups = Lookups::new().unwrap();
    lookups.start(Instant::EPOCH, &query(1, address, Carrier::Udp, b"IDquestion"));
    assert_eq!(reply(&mut lookups), (QueryId(1), None));
    lookups.start(Instant::EPOCH, &query(2, address, Carrier::Tcp, b"IDquestion"));
    assert_eq!(reply(&mut lookups), (QueryId(2), None));
}

#[test]
fn over_tcp_an_answer_may_come_in_pieces() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = vec![b'a'; 40_000];
    let server = std::thread::spawn({
        let answer = answer.clone();
        move || {
            let mut stream = listener.accept().unwrap().0;
            let mut question = [0; 12];
            stream.read_exact(&mut question).unwrap();
            assert_eq!(&question, b"\x00\x0aIDquestion");
            let whole = [&40_000_u16.to_be_bytes()[..], &answer].concat();
            for piece in whole.chunks(777) {
                stream.write_all(piece).unwrap();
                stream.flush().unwrap();
            }
        }
    });
    let mut lookups = Lookups::new().unwrap();
    lookups.start(Instant::EPOCH, &query(3, address, Carrier::Tcp, b"IDquestion"));
    assert_eq!(reply(&mut lookups), (QueryId(3), Some(answer)));
    server.join().unwrap();
}

#[test]
fn a_connection_that_ends_early_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.read_exact(&mut [0; 4]).unwrap();
        stream.write_all(b"\x00\xffhalf").unwrap();
    });
    let mut lookups = Lookups::new().unwrap();
    lookups.start(Instant::EPOCH, &query(3, address, Carrier::Tcp, b"ID"));
    assert_eq!(reply(&mut lookups), (QueryId(3), None));
    server.join().unwrap();
}

#[test]
fn what_nobody_waits_for_any_more_is_closed() {
    let (_server, address) = udp_server();
    let mut lookups = Lookups::new().unwrap();
    lookups.start(Instant::EPOCH, &query(1, address, Carrier::Udp, b"ID"));
    lookups.start(UNTIL, &query(2, address, Carrier::Udp, b"ID"));
    assert_eq!(lookups.open.keys().copied().collect::<Vec<_>>(), [2]);
}
