//! A shard's thread between two sockets of this machine.

use super::*;
use crate::clock::Clock;
use crosspoint_core::media::rtp::Header;
use crosspoint_core::media::tone::{Law, PACKET_BYTES, Program, Recording, SoundId, Sounds};
use crosspoint_core::media::{
    Interruption, Kind, LegPlan, LegSocket, MediaOp, MediaReport, MediaShard, Party, PayloadTypes, RtcpPlan, SessionId,
};
use crosspoint_core::ports::{self, BindError, Place, Pool, PortCommand, PortReply};
use crosspoint_core::rng::{Seed, media_stream};
use crosspoint_core::sdp::PayloadMap;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

fn peer() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// An address that was free a moment ago.
fn free_address() -> SocketAddr {
    peer().local_addr().unwrap()
}

fn shard() -> Remote {
    let shard = MediaShard::new(media_stream(Seed::from_number(1), 0), Sounds::default());
    spawn("media-test", Clock::start(), Settings::default(), shard).unwrap()
}

fn order(remote: &mut Remote, order: Order) {
    remote.order(order);
    remote.flush();
}

/// One port of this address, which its number names.
fn place(address: SocketAddr) -> Place {
    let kind = ports::Kind { pool: Pool::Relay, address: address.ip(), is_pair: false };
    Place { shard: ports::Shard(0), port: address.port(), kind }
}

fn number(address: SocketAddr) -> LegSocket {
    LegSocket(address.port().into())
}

/// Asks for a place and waits for the reply.
fn open(remote: &mut Remote, place: Place) -> PortReply {
    order(remote, Order::Ports(PortCommand::Open { request: 7, place }));
    match next(remote) {
        Report::Ports(reply) => reply,
        other => panic!("{other:?}"),
    }
}

/// The next report, waited for at the descriptor as an event loop does.
fn next(remote: &mut Remote) -> Report {
    loop {
        remote.hear();
        if let Some(report) = remote.report() {
            return report;
        }
        let mut waits = [PollFd::new(remote.as_fd(), PollFlags::POLLIN)];
        let patience = PollTimeout::try_from(PATIENCE).unwrap();
        assert_eq!(poll(&mut waits, patience), Ok(1), "no report came");
    }
}

fn leg(socket: LegSocket, signalled: &UdpSocket) -> LegPlan {
    LegPlan {
        socket,
        kind: Kind::Rtp,
        signalled: signalled.local_addr().ok(),
        rtcp: RtcpPlan::Off,
        signalling_host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        is_behind_nat: false,
        clock_hz: 8000,
        events: PayloadTypes::default(),
        payload_map: PayloadMap::default(),
        is_held: false,
        interruption: Interruption::None,
        interruption_after_ms: 60_000,
    }
}

/// RTP version 2, payload type 8.
fn packet(sequence: u8) -> Vec<u8> {
    [&[0x80, 8, 0, sequence, 0, 0, 0, sequence, 1, 2, 3, 4], &[0xd5; 160][..]].concat()
}

#[test]
fn what_comes_to_one_port_leaves_by_the_other() {
    let (alice, bob) = (peer(), peer());
    let mut remote = shard();
    let addresses = [free_address(), free_address()];
    for address in addresses {
        assert_eq!(open(&mut remote, place(address)), PortReply::Opened { request: 7 });
    }
    let legs = Box::new([leg(number(addresses[0]), &alice), leg(number(addresses[1]), &bob)]);
    order(&mut remote, Order::Apply(MediaOp::Install { session: SessionId(1), generation: 1, legs }));
    let report = next(&mut remote);
    assert!(matches!(report, Report::Media(MediaReport::Applied { generation: 1, .. })), "{report:?}");
    alice.send_to(&packet(1), addresses[0]).unwrap();
    let mut buffer = [0; 2000];
    let (length, from) = bob.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from), (&packet(1)[..], addresses[1]));
    let report = next(&mut remote);
    assert!(matches!(report, Report::Media(MediaReport::Latched { party: Party::Caller, .. })), "{report:?}");
    peer().send_to(&packet(2), addresses[0]).unwrap();
    // a reply is of a later pass than the packets before it
    assert_eq!(open(&mut remote, place(free_address())), PortReply::Opened { request: 7 });
    assert_eq!(open(&mut remote, place(free_address())), PortReply::Opened { request: 7 });
    let counts = remote.counts();
    assert_eq!((counts.sessions, counts.work.received, counts.work.sent), (1, 2, 1), "{counts:?}");
    assert_eq!((counts.tally.forwarded, counts.tally.dropped.iter().sum::<u64>()), (1, 1), "{counts:?}");
}

/// Half a packet, so that six times are three packets.
fn beep() -> Recording {
    let head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\xa0\0\0\0";
    Recording::read_wav(&[&head[..], &8000i16.to_le_bytes().repeat(80)].concat()).unwrap()
}

#[test]
fn a_recording_is_heard_at_its_own_pace_and_its_end_is_told() {
    let alice = peer();
    let mut remote = shard();
    let address = free_address();
    assert_eq!(open(&mut remote, place(address)), PortReply::Opened { request: 7 });
    order(&mut remote, Order::Sounds(Sounds::new([beep()])));
    let (session, leg) = (SessionId(1), Box::new(leg(number(address), &alice)));
    let program = Program::Recording { sound: SoundId(0), times: Some(6) };
    let began = std::time::Instant::now();
    order(&mut remote, Order::Apply(MediaOp::Station { session, generation: 1, leg, law: Law::Mu, program }));
    let mut buffer = [0; 2000];
    let headers = [(); 3].map(|()| {
        let (length, from) = alice.recv_from(&mut buffer).unwrap();
        assert_eq!((length, from), (PACKET_BYTES, address));
        assert_eq!(buffer[12..PACKET_BYTES], [Law::Mu.encode(8000); 160]);
        Header::read(&buffer[..length]).unwrap()
    });
    assert!(began.elapsed() >= Duration::from_millis(40), "the third is due 40 ms after the first");
    for (n, header) in (0..).zip(headers) {
        assert_eq!(header.timestamp, headers[0].timestamp.wrapping_add(160 * u32::from(n)));
        assert_eq!(header.sequence, headers[0].sequence.wrapping_add(n));
    }
    assert!(matches!(next(&mut remote), Report::Media(MediaReport::Applied { .. })));
    assert!(matches!(next(&mut remote), Report::Media(MediaReport::Played { generation: 1, .. })));
}

#[test]
fn a_port_that_is_taken_is_refused_and_one_that_is_closed_is_free() {
    let taken = place(free_address());
    let mut remote = shard();
    let holder = UdpSocket::bind((Ipv4Addr::LOCALHOST, taken.port)).unwrap();
    let refused = PortReply::Refused { request: 7, why: BindError::AddressInUse };
    assert_eq!(open(&mut remote, taken), refused);
    drop(holder);
    assert_eq!(open(&mut remote, taken), PortReply::Opened { request: 7 });
    assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, taken.port)).is_err());
    order(&mut remote, Order::Ports(PortCommand::Close { place: taken }));
    // the thread takes orders one after the other
    assert_eq!(open(&mut remote, place(free_address())), PortReply::Opened { request: 7 });
    UdpSocket::bind((Ipv4Addr::LOCALHOST, taken.port)).unwrap();
}

/// An even port that was free a moment ago, and the next one too.
fn free_pair() -> Place {
    let is_free = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let ports = std::iter::repeat_with(|| free_address().port() & !1);
    let port = ports.take(1000).find(|&port| is_free(port) && is_free(port + 1)).unwrap();
    let single = place(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    Place { kind: ports::Kind { is_pair: true, ..single.kind }, ..single }
}

#[test]
fn of_a_pair_both_ports_are_opened_or_none() {
    let mut remote = shard();
    let pair = free_pair();
    let holder = UdpSocket::bind((Ipv4Addr::LOCALHOST, pair.port + 1)).unwrap();
    let refused = PortReply::Refused { request: 7, why: BindError::AddressInUse };
    assert_eq!(open(&mut remote, pair), refused);
    drop(UdpSocket::bind((Ipv4Addr::LOCALHOST, pair.port)).unwrap());
    drop(holder);
    assert_eq!(open(&mut remote, pair), PortReply::Opened { request: 7 });
    for port in [pair.port, pair.port + 1] {
        assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_err(), "{port}");
    }
}

#[test]
fn dropping_the_signalling_end_ends_the_thread_and_closes_its_ports() {
    let address = free_address();
    let mut remote = shard();
    assert_eq!(open(&mut remote, place(address)), PortReply::Opened { request: 7 });
    drop(remote);
    UdpSocket::bind(address).unwrap();
}

/// The mark of a port: what is there of the socket that `open` has opened under this number.
fn marks(shard: &Shard, numbers: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mark = |number: u32| {
        let port = shard.port(LegSocket(number)).unwrap();
        let socket = socket2::SockRef::from(port);
        let mark = if port.local().unwrap().is_ipv6() { socket.tclass_v6() } else { socket.tos_v4() };
        mark.unwrap()
    };
    numbers.into_iter().map(mark).collect()
}

#[test]
fn ports_are_marked_and_other_settings_are_for_calls_that_begin() {
    let (_wake, woken) = std::os::unix::net::UnixStream::pair().unwrap();
    let core = MediaShard::new(media_stream(Seed::from_number(1), 0), Sounds::default());
    let settings = Settings { type_of_service: 0xb8, ..Settings::default() };
    let mut shard = Shard::new(Clock::start(), settings, core, woken.as_fd()).unwrap();
    let open = |shard: &mut Shard, number, ip: IpAddr| shard.open(LegSocket(number), SocketAddr::new(ip, 0)).unwrap();
    let ips = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    (0..4).for_each(|number| open(&mut shard, number, ips[number as usize % 2]));
    assert_eq!(marks(&shard, 0..4), [0xb8; 4]);
    let legs = Box::new([leg(LegSocket(0), &peer()), leg(LegSocket(1), &peer())]);
    shard.apply(MediaOp::Install { session: SessionId(1), generation: 1, legs });
    shard.set(0, 0x60);
    (4..6).for_each(|number| open(&mut shard, number, ips[number as usize % 2]));
    assert_eq!(marks(&shard, 0..6), [0xb8, 0xb8, 0x60, 0x60, 0x60, 0x60]);
}
