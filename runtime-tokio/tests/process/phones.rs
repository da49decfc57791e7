//! Phones of the simulator over real sockets.

use crate::serving::{CONFIG, Serving};
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use crosspoint_sim::phone::{Answering, Notice, Phone, Settings};
use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A phone and its sockets.
pub(crate) struct Line {
    pub(crate) phone: Phone,
    socket: UdpSocket,
    audio: UdpSocket,
    /// Where the audio comes from that it has heard.
    pub(crate) heard_from: BTreeSet<SocketAddr>,
    pub(crate) notices: Vec<Notice>,
    started: std::time::Instant,
}

impl Line {
    /// A phone that answers at once.
    pub(crate) fn new(user: &str, password: &str, switch: SocketAddr) -> Line {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        let mut settings = Settings::new(user, password, "example.net", socket.local_addr().unwrap(), switch);
        let audio = UdpSocket::bind("127.0.0.1:0").unwrap();
        audio.set_nonblocking(true).unwrap();
        settings.audio = audio.local_addr().unwrap();
        settings.answering = Answering::Answer { ring_after: Duration::ZERO, after: Duration::ZERO };
        let seed = user.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte));
        let phone = Phone::new(settings, Stream::new(Seed::from_number(seed), 1));
        let started = std::time::Instant::now();
        Line { phone, socket, audio, heard_from: BTreeSet::new(), notices: Vec::new(), started }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::EPOCH + self.started.elapsed()
    }

    /// Sends and receives the audio that is there.
    fn step_audio(&mut self) {
        let mut buffer = [0; 2000];
        while let Some((to, bytes)) = self.phone.poll_audio(self.now()) {
            self.audio.send_to(&bytes, to).unwrap();
        }
        while let Ok((count, from)) = self.audio.recv_from(&mut buffer) {
            self.heard_from.insert(from);
            self.phone.handle_audio(&buffer[..count]);
        }
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

/// Lets the phones talk until each has heard so many packets.
pub(crate) fn until_heard(lines: &mut [Line], packets: u64) {
    let until = std::time::Instant::now() + PATIENCE;
    while !lines.iter().all(|line| line.phone.audio().received >= packets) {
        assert!(std::time::Instant::now() < until, "{:?}", lines.iter().map(|l| l.phone.audio()).collect::<Vec<_>>());
        for line in &mut *lines {
            line.step();
            line.step_audio();
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
