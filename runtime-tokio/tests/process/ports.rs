//! The media ports of the real binary.

use crate::phones::{phones, register};
use crate::serving::{CONFIG, Serving, code, stderr, stdout};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// One shard, and a range of 256 ports that were free a moment ago, away from those of other switches; each test has its
/// number from 0 to 2.
fn config(test: u16) -> (u16, String) {
    let start = 2000 + 2600 * test;
    let chance = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() % 1000;
    let is_free_range = |first: &u16| (*first..first + 256).all(is_free);
    let mut starts = (start + 2 * chance..start + 2300).chain(start..start + 2300).step_by(2);
    let first = starts.find(is_free_range).expect("somewhere ports are free");
    let config = CONFIG.replace("[switch]\n", "[switch]\nmedia_shards = 1\n");
    (first, format!("{config}[parameters]\nSS_RTP_PORT_RANGE = \"{first},{}\"\n", first + 255))
}

/// The ports of the leases that the switch names.
fn leased(serving: &Serving) -> Vec<u16> {
    let output = serving.ask(&["ports", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let ports: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let leases = ports["leases"].as_array().unwrap();
    leases.iter().map(|lease| u16::try_from(lease["port"].as_u64().unwrap()).unwrap()).collect()
}

fn is_free(port: u16) -> bool {
    UdpSocket::bind(("127.0.0.1", port)).is_ok()
}

#[test]
fn a_running_switch_shows_its_ports_and_gives_them_back_at_its_end() {
    let (first, config) = config(0);
    let serving = Serving::new(&config);
    serving.until_status("ports_warm", 32);
    let ports = leased(&serving);
    assert_eq!(ports.len(), 32);
    assert!(!ports.iter().any(|&port| is_free(port) || is_free(port + 1)), "{ports:?}");
    let output = serving.ask(&["ports", "--limit", "1"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let lines: Vec<&str> = stdout(&output).lines().collect();
    assert!(lines[1].starts_with(&format!("relay  {first},{}    192   64    0 ", first + 255)), "{lines:?}");
    assert!(lines.last().is_some_and(|line| line.ends_with("  warm")), "{lines:?}");
    let output = serving.ask(&["status"]);
    for gauge in [
        "ports.relay.used",
        "ports.ivr.free",
        "ports_warm",
        "ports_overdue",
        "media_sessions",
        "process.media_shards.0.received",
    ] {
        assert!(stdout(&output).lines().any(|line| line.starts_with(gauge)), "{gauge}: {}", stdout(&output));
    }
    assert!(!stdout(&output).contains("warning"), "{}", stdout(&output));
    serving.ask(&["drain"]);
    assert_eq!(serving.wait(), Some(0));
    assert!(ports.iter().all(|&port| is_free(port) && is_free(port + 1)), "{ports:?}");
}

#[test]
fn nothing_of_the_ports_is_left_after_a_kill() {
    let serving = Serving::new(&config(1).1);
    serving.until_status("ports_warm", 32);
    let ports = leased(&serving);
    serving.kill();
    assert!(ports.iter().all(|&port| is_free(port) && is_free(port + 1)), "{ports:?}");
}

#[test]
fn with_few_open_files_ports_are_short_and_signalling_is_not() {
    // the second has a soft limit alone, which it raises
    for ulimit in ["-n 1024", "-Sn 64"] {
        let serving = Serving::limited(&config(2).1, ulimit);
        serving.until_status("ports_warm", 32);
        serving.kill();
    }
    let config = crate::phones::config().replace("[switch]\n", "[switch]\nmedia_shards = 1\n");
    let serving = Serving::limited(&config, "-n 64");
    let until = Instant::now() + Duration::from_secs(10);
    // three quarters of 64, into which pairs fit but for one file at most
    while serving.open_files() < 47 {
        assert!(Instant::now() < until, "{}", serving.open_files());
        serving.until_status("ports_overdue", 0);
    }
    let mut lines = phones(&serving);
    register(&mut lines);
    // the event loop has opened some of its own meanwhile
    assert!(serving.open_files() < 62, "{}", serving.open_files());
    let ports = leased(&serving).len();
    assert!((1..24).contains(&ports), "{ports}");
    serving.ask(&["drain"]);
    assert_eq!(serving.wait(), Some(0));
}
