//! A server with real sockets, driven as an event loop drives it.

use super::*;
use crosspoint_core::config::{Config, Listen};
use crosspoint_core::media::tone::Sounds;
use crosspoint_core::ports::PortsView;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many ports that were free a moment ago, away from those that systems and other tests take; the first is even. Each
/// test has its number, from 0 to 2.
fn free_ports(test: u16, count: u16) -> std::ops::RangeInclusive<u16> {
    let chance = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() % 1000;
    let start = 2000 + 2600 * test;
    let firsts = (start + 2 * chance..start + 2600 - count).step_by(2);
    let ranges = firsts.map(|first| first..=first + count - 1);
    ranges.into_iter().find(|range| range.clone().all(is_free)).expect("somewhere ports are free")
}

fn start(dir: &tempfile::TempDir, ports: &std::ops::RangeInclusive<u16>, shards: u16) -> Server {
    let listen = vec![Listen::udp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))];
    let mut config = Config { listen, media_shards: Some(shards), ..Config::embedded("x") };
    config.parameters.set("SS_RTP_PORT_RANGE", &format!("{},{}", ports.start(), ports.end())).unwrap();
    let state_dir = dir.path().to_owned();
    let (sounds, config_file) = (Sounds::default(), ConfigFile::embedded());
    let options = Options { config, sounds, config_file, state_dir, record: None };
    Server::start(options).unwrap().server
}

/// Serves until the ports are as wanted.
fn serve_until(server: &mut Server, is_so: impl Fn(&PortsView) -> bool) -> PortsView {
    let until = Instant::now() + PATIENCE;
    loop {
        let view = server.pump.switch().ports(1000);
        if is_so(&view) {
            return view;
        }
        assert!(Instant::now() < until, "{view:?}");
        let wait = server.deadline().map_or(PATIENCE, |at| at.saturating_duration_since(Instant::now()));
        let mut fds = [PollFd::new(server.media_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, PollTimeout::try_from(wait.as_millis()).unwrap()).unwrap() > 0 {
            while server.on_media() {}
        }
        server.on_deadline();
    }
}

fn is_free(port: u16) -> bool {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[test]
fn ports_are_open_ahead_of_demand_and_free_after_the_end() {
    let (dir, range) = (tempfile::tempdir().unwrap(), free_ports(0, 256));
    let mut server = start(&dir, &range, 2);
    let view = serve_until(&mut server, |view| view.warm == 64);
    assert_eq!((view.ranges[0].counts.used, view.ranges[0].counts.free), (128, 128));
    for lease in &view.leases {
        assert_eq!((lease.state, lease.is_pair), ("warm", true));
        assert!(!is_free(lease.port) && !is_free(lease.port + 1), "{lease:?}");
    }
    assert_eq!([0, 1].map(|shard| view.leases.iter().filter(|lease| lease.shard == shard).count()), [32, 32]);
    server.close();
    assert!(range.into_iter().all(is_free));
}

#[test]
fn a_port_that_somebody_else_has_is_shelved_and_another_pair_opened() {
    let (dir, range) = (tempfile::tempdir().unwrap(), free_ports(1, 6));
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, range.start() + 3)).unwrap();
    let mut server = start(&dir, &range, 1);
    let view = serve_until(&mut server, |view| view.warm == 2 && view.ranges[0].counts.shelved > 0);
    let mut ports: Vec<u16> = view.leases.iter().map(|lease| lease.port).collect();
    ports.sort_unstable();
    assert_eq!(ports, [*range.start(), range.start() + 4]);
    let counts = view.ranges[0].counts;
    assert_eq!((counts.used, counts.shelved, counts.free, view.tally.in_use), (4, 2, 0, 1));
    assert!(is_free(range.start() + 2), "of a pair that cannot be opened nothing stays open");
    drop(taken);
    server.close();
    assert!(range.into_iter().all(is_free));
}

#[test]
fn a_reload_without_its_recordings_is_refused_as_a_whole() {
    let (dir, range) = (tempfile::tempdir().unwrap(), free_ports(2, 6));
    let mut server = start(&dir, &range, 1);
    let file = dir.path().join("crosspoint.toml");
    let bind = server.pump.switch().config().listen[0].bind;
    let text = format!(
        "[switch]\nmax_calls = 7\n[tones]\nfolder = \"sounds\"\n[announcements]\nbusy = \"b.wav\"\n\
         [[listen]]\nbind = \"{bind}\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let mut reload = || {
        let answer = server.apply(ConfigFile::at(file.clone()).load_all());
        (answer, server.pump.switch().config().max_calls)
    };
    let (answer, max_calls) = reload();
    assert!(matches!(&answer, Answer::Error(text) if text.contains("b.wav: No such file")), "{answer:?}");
    assert_eq!(max_calls, 0);
    let head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x06\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x01\0\0\0\xd5";
    std::fs::create_dir(dir.path().join("sounds")).unwrap();
    std::fs::write(dir.path().join("sounds/b.wav"), head).unwrap();
    let (answer, max_calls) = reload();
    assert!(matches!(answer, Answer::Ok(_)), "{answer:?}");
    assert_eq!(max_calls, 7);
    server.close();
}
