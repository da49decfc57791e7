//! Phones of the simulator over real sockets.

use crate::serving::{CONFIG, Serving};
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use crosspoint_sim::phone::{Answering, Notice, Phone, Settings};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A phone and its socket.
pub(crate) struct Line {
    pub(crate) phone: Phone,
    socket: UdpSocket,
    pub(crate) notices: Vec<Notice>,
    started: std::time::Instant,
}

impl Line {
    /// A phone that answers at once.
    pub(crate) fn new(user: &str, password: &str, switch: SocketAddr) -> Line {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        let mut settings = Settings::new(user, password, "example.net", socket.local_addr().unwrap(), switch);
        settings.answering = Answering::Answer { ring_after: Duration::ZERO, after: Duration::ZERO };
        let seed = user.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte));
        let phone = Phone::new(settings, Stream::new(Seed::from_number(seed), 1));
        Line { phone, socket, notices: Vec::new(), started: std::time::Instant::now() }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::EPOCH + self.started.elapsed()
    }

    /// Sends, receives and ticks once.
    fn step(&mut self) {
        let mut buffer = [0; 4096];
        while let Some((to, bytes)) = self.phone.poll_send() {
            self.socket.send_to(&bytes, to).unwrap();
        }
        if let Ok((count, from)) = self.socket.recv_from(&mut buffer) {
            self.phone.handle(self.now(), from, &buffer[..count]);
        }
        self.phone.tick(self.now());
        self.notices.extend(std::iter::from_fn(|| self.phone.poll_notice()));
        while let Some((to, bytes)) = self.phone.poll_send() {
            self.socket.send_to(&bytes, to).unwrap();
        }
    }
}

/// Lets the phones work until every one of them has told this.
pub(crate) fn until_all(lines: &mut [Line], told: impl Fn(&Notice) -> bool) {
    let until = std::time::Instant::now() + PATIENCE;
    while !lines.iter().all(|line| line.notices.iter().any(&told)) {
        assert!(
            std::time::Instant::now() < until,
            "told so far: {:?}",
            lines.iter().map(|l| &l.notices).collect::<Vec<_>>()
        );
        lines.iter_mut().for_each(Line::step);
    }
}

/// The usual configuration on a port that stays the same over restarts, with a second phone.
pub(crate) fn config() -> String {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    CONFIG.replace("127.0.0.1:0", &free.to_string()) + "\n[[phone]]\nuser = \"1002\"\npassword = \"secret\"\n"
}

pub(crate) fn phones(serving: &Serving) -> Vec<Line> {
    let switch: SocketAddr = serving.address.parse().unwrap();
    ["1001", "1002"].map(|user| Line::new(user, "secret", switch)).into()
}

pub(crate) fn register(lines: &mut [Line]) {
    for line in &mut *lines {
        let now = line.now();
        line.phone.register(now);
    }
    until_all(lines, |notice| matches!(notice, Notice::Registered { .. }));
}

pub(crate) fn call(lines: &mut [Line]) {
    let now = lines[0].now();
    lines[0].phone.call(now, "1002");
    until_all(lines, |notice| matches!(notice, Notice::Answered { .. }));
}

pub(crate) fn hang_up(lines: &mut [Line]) {
    let now = lines[0].now();
    lines[0].phone.hang_up(now);
    until_all(lines, |notice| matches!(notice, Notice::Ended { .. }));
}
