//! One shard with its sockets: a pass over those that are ready.

use super::port::Port;
use crate::clock::Clock;
use crosspoint_core::config::MEDIA_BATCH_US;
use crosspoint_core::media::tone::{self, Sounds};
use crosspoint_core::media::{LegSocket, MediaOp, MediaReport, MediaShard, Relay, Tally};
use nix::libc;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Sockets that one pass looks at; the rest is ready for the next one.
const READY_AT_ONCE: usize = 1024;
/// Packets that are read, then looked at, then sent on together: each of the three finds its code and its tables in the
/// caches more often than if packet by packet went all the way.
const PACKETS_AT_ONCE: usize = 32;
/// Packets of its own that one pass sends; the rest is due in the next one still.
const PLAYED_AT_ONCE: usize = 1024;
/// The longest datagram there is: one that was cut off would be a different packet.
const PACKET_BYTES: usize = 65_535;
/// The wake-up of the thread among the sockets, whose numbers are smaller.
const WAKE: u64 = u64::MAX;

/// How a shard works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The ready set is served at most so often, in µs; 0 serves at once.
    pub batch_us: u32,
    /// The type-of-service octet of what it sends (SS_QOS_RTP).
    pub type_of_service: u8,
    /// No port is opened while the process has so many files open: the rest is for signalling, journals and records.
    pub port_files: u64,
    /// The processor that its thread stays on; `None` leaves it to the system.
    pub cpu: Option<usize>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { batch_us: MEDIA_BATCH_US, type_of_service: 0xa0, port_files: u64::MAX, cpu: None }
    }
}

/// What a shard has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Passes over the ready set.
    pub passes: u64,
    /// Packets read.
    pub received: u64,
    /// Packets sent on.
    pub sent: u64,
    /// Packets of its own sent, of tones and recordings.
    pub played: u64,
    /// Packets that the system did not take.
    pub unsent: u64,
}

/// What a shard holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions.
    pub sessions: usize,
    /// Of the loop.
    pub work: Work,
    /// What became of the packets.
    pub tally: Tally,
    /// Reports that were not told because there were too many.
    pub lost_reports: u64,
}

/// A media shard, the sockets that it relays between, and the clock.
#[derive(Debug)]
pub struct Shard {
    clock: Clock,
    settings: Settings,
    shard: MediaShard,
    epoll: Epoll,
    /// By socket number.
    ports: Vec<Option<Port>>,
    buffers: Box<[Box<[u8]>]>,
    ready: Vec<EpollEvent>,
    /// When the last pass began.
    passed_at: Instant,
    work: Work,
}

impl Shard {
    /// This shard without sockets; `clock` is the one that its reports and the signalling thread share. `wake` ends a wait.
    ///
    /// # Errors
    /// The system's, where it gives no epoll instance.
    pub fn new(clock: Clock, settings: Settings, shard: MediaShard, wake: BorrowedFd<'_>) -> io::Result<Shard> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE))?;
        Ok(Shard {
            clock,
            settings,
            shard,
            epoll,
            ports: Vec::new(),
            buffers: std::iter::repeat_with(|| vec![0; PACKET_BYTES].into()).take(PACKETS_AT_ONCE).collect(),
            ready: vec![EpollEvent::empty(); READY_AT_ONCE],
            passed_at: Instant::now(),
            work: Work::default(),
        })
    }

    /// Opens a port under this number, which has none.
    ///
    /// # Errors
    /// The system's.
    pub fn open(&mut self, at: LegSocket, address: SocketAddr) -> io::Result<()> {
        let port = Port::bind(address, self.settings.type_of_service)?;
        // the system gives the lowest number that is free (open(2)), so it tells how many are in use
        if u64::try_from(port.as_fd().as_raw_fd()).is_ok_and(|number| number >= self.settings.port_files) {
            return Err(io::Error::from_raw_os_error(libc::EMFILE));
        }
        self.epoll.add(&port, EpollEvent::new(EpollFlags::EPOLLIN, u64::from(at.0)))?;
        let place = at.0 as usize;
        if self.ports.len() <= place {
            self.ports.resize_with(place + 1, || None);
        }
        self.ports[place] = Some(port);
        Ok(())
    }

    /// Closes what was opened under this number.
    pub fn close(&mut self, at: LegSocket) {
        // the kernel takes a closed descriptor out of the epoll instance
        self.ports.get_mut(at.0 as usize).and_then(Option::take);
    }

    /// What was opened under this number.
    pub fn port(&self, at: LegSocket) -> Option<&Port> {
        self.ports.get(at.0 as usize).and_then(Option::as_ref)
    }

    /// Serves at most so often from now on, and marks so what leaves by ports that no session has yet: calls keep the mark
    /// that they began with.
    pub fn set(&mut self, batch_us: u32, type_of_service: u8) {
        self.settings = Settings { batch_us, type_of_service, ..self.settings };
        for (number, port) in (0..).zip(&self.ports) {
            if let Some(port) = port.as_ref().filter(|_| !self.shard.has(LegSocket(number))) {
                port.mark(type_of_service);
            }
        }
    }

    /// Other recordings for what begins from now on.
    pub fn set_sounds(&mut self, sounds: Sounds) {
        self.shard.set_sounds(sounds);
    }

    /// Carries an op out.
    pub fn apply(&mut self, op: MediaOp) {
        self.shard.apply(self.clock.now().mono, op);
    }

    /// The next report.
    pub fn poll_report(&mut self) -> Option<MediaReport> {
        self.shard.poll_report()
    }

    /// What was done so far.
    pub fn work(&self) -> Work {
        self.work
    }

    /// What it holds and has done so far.
    pub fn counts(&self) -> Counts {
        let lost_reports = self.shard.lost_reports();
        Counts { sessions: self.shard.len(), work: self.work, tally: *self.shard.tally(), lost_reports }
    }

    /// Waits until a socket is ready, a deadline of the shard has come or `wake` is readable, and does what is due. Says
    /// whether `wake` was.
    ///
    /// # Errors
    /// The system's, where it cannot wait.
    pub fn turn(&mut self) -> io::Result<bool> {
        let batch = Duration::from_micros(u64::from(self.settings.batch_us));
        if let Some(rest) = batch.checked_sub(self.passed_at.elapsed()).filter(|rest| !rest.is_zero()) {
            std::thread::sleep(rest);
        }
        let timeout = self.timeout();
        let ready = match self.epoll.wait(&mut self.ready, timeout) {
            Err(nix::errno::Errno::EINTR) => 0,
            other => other?,
        };
        self.passed_at = Instant::now();
        self.work.passes += 1;
        let now = self.clock.now().mono;
        if self.shard.poll_timeout().is_some_and(|at| at <= now) {
            self.shard.tick(now);
            self.play(now);
        }
        for begin in (0..ready).step_by(PACKETS_AT_ONCE) {
            self.serve(now, begin, ready.min(begin + PACKETS_AT_ONCE));
        }
        Ok(self.ready[..ready].iter().any(|event| event.data() == WAKE))
    }

    /// What is due of tones and recordings.
    fn play(&mut self, now: crosspoint_core::time::Instant) {
        let mut packet = [0; tone::PACKET_BYTES];
        for _ in 0..PLAYED_AT_ONCE {
            let Some((out, to)) = self.shard.poll_packet(now, &mut packet) else { return };
            match send(&self.ports, out, &packet, to) {
                true => self.work.played += 1,
                false => self.work.unsent += 1,
            }
        }
    }

    /// One packet of each of these ready sockets: with more it is ready in the next pass again, and a flood at one port
    /// holds up no other.
    fn serve(&mut self, now: crosspoint_core::time::Instant, begin: usize, end: usize) {
        let mut arrived = [None; PACKETS_AT_ONCE];
        for ((event, buffer), arrived) in self.ready[begin..end].iter().zip(&mut self.buffers).zip(&mut arrived) {
            let Ok(number) = u32::try_from(event.data()) else { continue }; // the wake-up
            let Some(Some(port)) = self.ports.get(number as usize) else { continue };
            *arrived = port.receive(buffer).map(|(length, from)| (LegSocket(number), length, from));
        }
        let mut leaving = [None; PACKETS_AT_ONCE];
        for ((arrived, buffer), leaving) in arrived.iter().zip(&mut self.buffers).zip(&mut leaving) {
            let Some((at, length, from)) = *arrived else { continue };
            self.work.received += 1;
            if let Relay::Forward { out, to } = self.shard.relay(now, at, from, &mut buffer[..length]) {
                *leaving = Some((out, length, to));
            }
        }
        for (leaving, buffer) in leaving.iter().zip(&self.buffers) {
            let Some((out, length, to)) = *leaving else { continue };
            match send(&self.ports, out, &buffer[..length], to) {
                true => self.work.sent += 1,
                false => self.work.unsent += 1,
            }
        }
    }

    /// Until the next deadline of the shard. Rounded down, so that a packet of a tone is late by less than the interval
    /// of the passes, which end the rest of the wait; rounded up where there is none, since the passes would be many.
    fn timeout(&self) -> EpollTimeout {
        let Some(at) = self.shard.poll_timeout() else { return EpollTimeout::NONE };
        let wait_us = at.since(self.clock.now().mono).as_micros();
        let wait_ms = if self.settings.batch_us == 0 { wait_us.div_ceil(1000) } else { wait_us / 1000 };
        let wait_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
        EpollTimeout::try_from(wait_ms).unwrap_or(EpollTimeout::MAX)
    }
}

/// Sends through the socket of this number; says whether there is one and the system took it.
fn send(ports: &[Option<Port>], out: LegSocket, packet: &[u8], to: SocketAddr) -> bool {
    match ports.get(out.0 as usize) {
        Some(Some(port)) => port.send(packet, to),
        _ => false,
    }
}
