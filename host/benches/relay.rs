//! A media shard alone: what its CPU per packet and its latency are measured on, beside other forwarders.
//!
//! ```text
//! cargo bench -p crosspoint-host --bench relay --no-run
//! target/release/deps/relay-* -n 500 -p 26000 -t 60 -c 500      # 500 calls for 60 s, served every 500 µs
//! target/release/deps/relay-* -n 500 -p 26000 -M                # "ip port ip port" for each call
//! ```
//!
//! Both legs of every call are learned from what comes. Without arguments, one call for a moment.

use crosspoint_core::media::tone::Sounds;
use crosspoint_core::media::{
    Interruption, Kind, LegPlan, LegSocket, MediaOp, MediaShard, PayloadTypes, RtcpPlan, SessionId,
};
use crosspoint_core::rng::{Seed, media_stream};
use crosspoint_core::sdp::PayloadMap;
use crosspoint_host::clock::Clock;
use crosspoint_host::media::{Settings, Shard};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

struct Arguments {
    calls: u32,
    first_port: u16,
    seconds: u64,
    batch_us: u32,
    prints_map: bool,
}

fn arguments() -> Arguments {
    let mut arguments = Arguments { calls: 1, first_port: 26_000, seconds: 0, batch_us: 500, prints_map: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("a number follows");
        match word.as_str() {
            "-n" => arguments.calls = number() as u32,
            "-p" => arguments.first_port = number() as u16,
            "-t" => arguments.seconds = number(),
            "-c" => arguments.batch_us = number() as u32,
            "-M" => arguments.prints_map = true,
            // cargo bench adds words of its own
            _ => {}
        }
    }
    arguments
}

fn main() -> ExitCode {
    let arguments = arguments();
    let port = |call: u32, leg: u32| arguments.first_port + (2 * call + leg) as u16;
    if arguments.prints_map {
        (0..arguments.calls).for_each(|call| println!("127.0.0.1 {} 127.0.0.1 {}", port(call, 0), port(call, 1)));
        return ExitCode::SUCCESS;
    }
    let (_wake, woken) = UnixStream::pair().expect("a socket pair");
    let settings = Settings { batch_us: arguments.batch_us, ..Settings::default() };
    let core = MediaShard::new(media_stream(Seed::from_number(1), 0), Sounds::default());
    let mut shard = Shard::new(Clock::start(), settings, core, woken.as_fd()).expect("an epoll instance");
    for call in 0..arguments.calls {
        let sockets = [0, 1].map(|leg| {
            let at = LegSocket(2 * call + leg);
            shard.open(at, SocketAddr::from((Ipv4Addr::LOCALHOST, port(call, leg)))).expect("a free port");
            at
        });
        let session = SessionId(u64::from(call));
        shard.apply(MediaOp::Install { session, generation: 1, legs: Box::new(sockets.map(leg)) });
        while shard.poll_report().is_some() {}
    }
    // a packet that nobody waits for wakes the last wait
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let waker = std::thread::spawn(move || {
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        drop(_wake);
    });
    while Instant::now() < end {
        shard.turn().expect("a wait");
        while shard.poll_report().is_some() {}
    }
    waker.join().expect("it sleeps");
    println!("{:?}", shard.work());
    ExitCode::SUCCESS
}

fn leg(socket: LegSocket) -> LegPlan {
    LegPlan {
        socket,
        kind: Kind::Rtp,
        signalled: None,
        rtcp: RtcpPlan::Muxed,
        signalling_host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        is_behind_nat: true,
        clock_hz: 8000,
        events: PayloadTypes::default(),
        payload_map: PayloadMap::default(),
        is_held: false,
        interruption: Interruption::None,
        interruption_after_ms: 60_000,
    }
}
