//! A shard's thread between two sockets of this machine.

use super::*;
use crate::clock::Clock;
use crosspoint_core::media::{
    Interruption, Kind, LegPlan, LegSocket, MediaOp, MediaReport, Party, PayloadTypes, RtcpPlan, SessionId,
};
use crosspoint_core::sdp::PayloadMap;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
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
    spawn("media-test", Clock::start(), Settings::default()).unwrap()
}

/// The next report, waited for at the descriptor as an event loop does.
fn next(remote: &mut Remote) -> Report {
    loop {
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
    for (number, address) in (0..).zip(addresses) {
        remote.order(Order::Open { at: LegSocket(number), address });
        let report = next(&mut remote);
        assert!(matches!(report, Report::Opened(LegSocket(at)) if at == number), "{report:?}");
    }
    let legs = Box::new([leg(LegSocket(0), &alice), leg(LegSocket(1), &bob)]);
    remote.order(Order::Apply(MediaOp::Install { session: SessionId(1), generation: 1, legs }));
    let report = next(&mut remote);
    assert!(matches!(report, Report::Media(MediaReport::Applied { generation: 1, .. })), "{report:?}");
    alice.send_to(&packet(1), addresses[0]).unwrap();
    let mut buffer = [0; 2000];
    let (length, from) = bob.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from), (&packet(1)[..], addresses[1]));
    let report = next(&mut remote);
    assert!(matches!(report, Report::Media(MediaReport::Latched { party: Party::Caller, .. })), "{report:?}");
}

#[test]
fn a_port_that_is_taken_is_refused_and_one_that_is_closed_is_free() {
    let taken = peer();
    let mut remote = shard();
    let open = |remote: &mut Remote, address| {
        remote.order(Order::Open { at: LegSocket(3), address });
        next(remote)
    };
    let report = open(&mut remote, taken.local_addr().unwrap());
    assert!(
        matches!(&report, Report::Refused(LegSocket(3), error) if error.kind() == ErrorKind::AddrInUse),
        "{report:?}"
    );
    let address = free_address();
    assert!(matches!(open(&mut remote, address), Report::Opened(_)));
    assert!(UdpSocket::bind(address).is_err());
    remote.order(Order::Close(LegSocket(3)));
    // the thread takes orders one after the other
    assert!(matches!(open(&mut remote, free_address()), Report::Opened(_)));
    UdpSocket::bind(address).unwrap();
}

#[test]
fn dropping_the_signalling_end_ends_the_thread_and_closes_its_ports() {
    let address = free_address();
    let mut remote = shard();
    remote.order(Order::Open { at: LegSocket(0), address });
    assert!(matches!(next(&mut remote), Report::Opened(_)));
    drop(remote);
    UdpSocket::bind(address).unwrap();
}
