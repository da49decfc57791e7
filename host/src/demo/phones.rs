//! Two phones of the simulator over real sockets: register, call, talk, hang up.

use crate::clock::Clock;
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use crosspoint_sim::ladder::Log;
use crosspoint_sim::phone::{Answering, Audio, End, Notice, Phone, Settings};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// The whole conversation must be over by then.
const PATIENCE: Duration = Duration::from_secs(8);
const RINGS_AFTER: Duration = Duration::from_millis(100);
const ANSWERS_AFTER: Duration = Duration::from_millis(600);
const TALKS: Duration = Duration::from_secs(2);

/// Caller and callee.
const NAMES: [&str; 2] = ["1001", "1002"];
const SWITCH: &str = "switch";

/// What came of it.
pub(super) struct Outcome {
    pub(super) ladder: Log,
    pub(super) audio: [Audio; 2],
    /// What should have happened and did not.
    pub(super) missing: Vec<String>,
}

struct Arrival {
    phone: usize,
    is_audio: bool,
    from: SocketAddr,
    bytes: Vec<u8>,
}

struct Line {
    phone: Phone,
    signalling: UdpSocket,
    audio: UdpSocket,
    is_registered: bool,
    was_answered: bool,
    end: Option<End>,
}

/// Both phones and what arrives at their sockets.
pub(super) struct Phones {
    clock: Clock,
    lines: [Line; 2],
    arrivals: Receiver<Arrival>,
    ladder: Log,
}

impl Phones {
    /// Phones 1001 and 1002 on free ports.
    pub(super) fn bind(switch: SocketAddr, password: &str) -> Result<Phones, String> {
        let failed = |error: std::io::Error| format!("phone socket: {error}");
        let (sender, arrivals) = mpsc::channel();
        let seed = Seed::from_number(u64::from(std::process::id()));
        let line = |index: usize| {
            let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
            let (signalling, audio) = (bind()?, bind()?);
            let mut settings = Settings::new(NAMES[index], password, "localhost", signalling.local_addr()?, switch);
            settings.audio = audio.local_addr()?;
            settings.answering = Answering::Answer { ring_after: RINGS_AFTER, after: ANSWERS_AFTER };
            listen(index, false, signalling.try_clone()?, sender.clone());
            listen(index, true, audio.try_clone()?, sender.clone());
            let phone = Phone::new(settings, Stream::new(seed, index as u64));
            Ok(Line { phone, signalling, audio, is_registered: false, was_answered: false, end: None })
        };
        let (mut caller, callee) = (line(0).map_err(failed)?, line(1).map_err(failed)?);
        caller.phone.settings_mut().hang_up_after = Some(TALKS);
        Ok(Phones {
            clock: Clock::start(),
            lines: [caller, callee],
            arrivals,
            ladder: Log::new([NAMES[0], SWITCH, NAMES[1]]),
        })
    }

    /// Registers both, lets 1001 call 1002, and goes on until both have hung up or patience ends.
    pub(super) fn talk(mut self) -> Result<Outcome, String> {
        let until = Instant::EPOCH + PATIENCE;
        let mut has_called = false;
        for line in &mut self.lines {
            line.phone.register(Instant::EPOCH);
        }
        while self.now() < until {
            self.send()?;
            if self.is_over() {
                break;
            }
            if !has_called && self.lines.iter().all(|line| line.is_registered) {
                let now = self.now();
                self.lines[0].phone.call(now, NAMES[1]);
                has_called = true;
                self.send()?;
            }
            self.wait(until)?;
        }
        Ok(self.outcome())
    }

    fn now(&self) -> Instant {
        self.clock.now().mono
    }

    fn is_over(&self) -> bool {
        self.lines.iter().all(|line| line.end.is_some())
    }

    /// Sends what the phones want to send and notes what they tell.
    fn send(&mut self) -> Result<(), String> {
        let now = self.now();
        for (index, line) in self.lines.iter_mut().enumerate() {
            while let Some((to, bytes)) = line.phone.poll_send() {
                line.signalling.send_to(&bytes, to).map_err(|error| format!("phone: {error}"))?;
                self.ladder.message(now.as_micros(), NAMES[index], SWITCH, &bytes, 1);
            }
            while let Some((to, bytes)) = line.phone.poll_audio(now) {
                // An audio packet that does not leave is an audio packet lost.
                let _ = line.audio.send_to(&bytes, to);
            }
            while let Some(notice) = line.phone.poll_notice() {
                match notice {
                    Notice::Registered { .. } => line.is_registered = true,
                    Notice::Answered { .. } => line.was_answered = true,
                    Notice::Ended { how, .. } => line.end = Some(how),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Waits for the next datagram or for what a phone wants to do next.
    fn wait(&mut self, until: Instant) -> Result<(), String> {
        let wanted = self.lines.iter().flat_map(|line| [line.phone.poll_timeout(), line.phone.poll_audio_timeout()]);
        let next = wanted.flatten().chain([until]).min().unwrap_or(until);
        match self.arrivals.recv_timeout(next.since(self.now())) {
            Ok(arrival) => self.take(arrival),
            Err(RecvTimeoutError::Timeout) => {
                let now = self.now();
                self.lines.iter_mut().for_each(|line| line.phone.tick(now));
            }
            Err(RecvTimeoutError::Disconnected) => return Err("the phones' sockets are gone".to_owned()),
        }
        Ok(())
    }

    fn take(&mut self, arrival: Arrival) {
        let now = self.now();
        let Arrival { phone, is_audio, from, bytes } = arrival;
        if is_audio {
            return self.lines[phone].phone.handle_audio(&bytes);
        }
        self.lines[phone].phone.handle(now, from, &bytes);
        self.ladder.message(now.as_micros(), SWITCH, NAMES[phone], &bytes, 1);
    }

    fn outcome(mut self) -> Outcome {
        let mut missing = Vec::new();
        let mut expect = |holds: bool, text: &str| {
            if !holds {
                missing.push(text.to_owned());
            }
        };
        let [caller, callee] = &self.lines;
        expect(caller.is_registered && callee.is_registered, "both phones registered");
        expect(caller.was_answered && callee.was_answered, "the call was answered");
        expect(caller.end == Some(End::HungUp), "1001 hung up");
        expect(callee.end == Some(End::PeerHungUp), "1002 saw it hang up");
        for violation in caller.phone.violations().iter().chain(callee.phone.violations()) {
            expect(false, violation);
        }
        let audio = [caller.phone.audio(), callee.phone.audio()];
        let [one, two] = audio;
        let heard = format!(
            "rtp directly: {} heard {} of {}, {} heard {} of {}",
            NAMES[0], one.received, two.sent, NAMES[1], two.received, one.sent
        );
        self.ladder.note(self.clock.now().mono.as_micros(), heard);
        Outcome { audio, ladder: self.ladder, missing }
    }
}

/// Receives on a thread of its own until the program ends.
fn listen(phone: usize, is_audio: bool, socket: UdpSocket, sender: Sender<Arrival>) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; crosspoint_core::limits::DATAGRAM_BYTES];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            let bytes = buffer.get(..count).unwrap_or_default().to_vec();
            if sender.send(Arrival { phone, is_audio, from, bytes }).is_err() {
                return;
            }
        }
    });
}
