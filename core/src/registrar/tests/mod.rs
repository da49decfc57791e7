//! What stands here reads a REGISTER and its answer as text, against RFC 3261 §10.3, RFC 3327 and RFC 5626.

mod bounds;
mod end;
mod flows;
mod journal;
mod model;
mod rules;

use super::*;
use crate::command::Command;
use crate::config::Config;
use crate::event::Event;
use crate::input::{SocketId, Transport};
use crate::rng::Seed;
use crate::sip::{Index, Scanned, scan};
use crate::time::UnixMicros;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// 2026-01-01T00:00:00Z.
const START: UnixMicros = UnixMicros(1_767_225_600_000_000);

/// A registrar with the ground it stands on.
struct Rig {
    registrar: Registrar,
    cx: Cx,
}

impl Rig {
    fn new() -> Rig {
        Rig::with("3600")
    }

    /// With this SS_ENDPOINT_EXPIRE.
    fn with(endpoint_expire: &str) -> Rig {
        let mut config = Config::embedded("secret");
        config.parameters.set("SS_ENDPOINT_EXPIRE", endpoint_expire).unwrap();
        let now = Now { mono: Instant::EPOCH, wall: START };
        Rig { registrar: Registrar::new((1, 2)), cx: Cx::new(Arc::new(config), Seed::from_number(7), now) }
    }

    /// 1001 sends a REGISTER: its answer, and a line for each change that it made.
    fn register(&mut self, headers: &str) -> String {
        self.register_as("1001", headers)
    }

    fn register_as(&mut self, aor: &str, headers: &str) -> String {
        let answer = self.answer(aor, format!("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n{headers}").as_bytes());
        self.text(answer)
    }

    /// The answer alone; `headers` are all but From and To.
    fn answer(&mut self, aor: &str, headers: &[u8]) -> Answer {
        let mut datagram = format!(
            "REGISTER sip:localhost SIP/2.0\r\nFrom: <sip:{aor}@localhost>;tag=1\r\nTo: <sip:{aor}@localhost>\r\n"
        )
        .into_bytes();
        for line in headers.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()) {
            datagram.extend_from_slice(line);
            datagram.extend_from_slice(b"\r\n");
        }
        for (name, default) in [("Call-ID:", "Call-ID: a"), ("CSeq:", "CSeq: 1 REGISTER")] {
            if !datagram.windows(name.len()).any(|part| part == name.as_bytes()) {
                datagram.extend_from_slice(default.as_bytes());
                datagram.extend_from_slice(b"\r\n");
            }
        }
        datagram.extend_from_slice(b"\r\n");
        let mut index = Index::default();
        let Ok(Scanned::Message(message)) = scan(&datagram, &mut index) else { panic!("the test's own REGISTER") };
        let answer = self.registrar.register(&mut self.cx, &message, flow(5060), aor);
        self.check();
        answer
    }

    /// Status and headers but Date, which [`rules::the_answer_is_dated`] looks at.
    fn text(&mut self, answer: Answer) -> String {
        let mut text = format!("{}\n", answer.status);
        let headers = String::from_utf8(answer.headers).unwrap();
        for line in headers.split_terminator("\r\n").filter(|line| !line.starts_with("Date: ")) {
            writeln!(text, "{line}").unwrap();
        }
        text + &self.changes()
    }

    /// What has changed since the last time, a line each.
    fn changes(&mut self) -> String {
        let mut text = String::new();
        for (binding, change) in self.events() {
            let left_s = (binding.expires_at.0.saturating_sub(self.cx.now.wall.0)) / 1_000_000;
            writeln!(text, "* {change} {} {} for {left_s} s", binding.aor, binding.contact).unwrap();
        }
        text
    }

    fn events(&mut self) -> Vec<(BindingRecord, &'static str)> {
        let mut events = Vec::new();
        while let Some(command) = self.cx.next_command() {
            let Command::Emit(event) = command else { panic!("the registrar sends nothing itself") };
            let Event::BindingChanged { binding, change } = *event else { panic!("what else would it tell?") };
            events.push((binding, change));
        }
        events
    }

    /// Time passes and the timer fires.
    fn wait(&mut self, seconds: u64) {
        self.pass(seconds);
        while let Some((_, key)) = self.cx.timers.pop_due(self.cx.now.mono) {
            assert_eq!(key, TimerKey::BindingExpiry);
            self.registrar.fire(&mut self.cx);
            self.check();
        }
    }

    /// Time passes, but the timer does not come round to fire.
    fn pass(&mut self, seconds: u64) {
        let after = Duration::from_secs(seconds);
        self.cx.now = Now { mono: self.cx.now.mono + after, wall: self.cx.now.wall.plus(after) };
    }

    /// Where 1001 is reached, best first.
    fn targets(&self) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let targets = self.registrar.lookup(b"1001", self.cx.now);
        targets.map(|target| format!("{} q{}", text(target.contact), target.q_permille)).collect()
    }

    /// What must hold whatever happens.
    fn check(&self) {
        let Registrar { bindings, heads, expiries, timer, text_bytes } = &self.registrar;
        assert_eq!(expiries.len(), bindings.len());
        assert_eq!(bindings.iter().map(|(_, binding)| binding.text.len()).sum::<usize>(), *text_bytes);
        assert_eq!(timer.map(TimerId::at), expiries.first().map(|(at, _)| *at), "the timer waits for the first expiry");
        assert_eq!(self.cx.timers.len(), usize::from(timer.is_some()));
        let mut chained = 0;
        let mut owners: Vec<&[u8]> = bindings.iter().map(|(_, binding)| binding.text.parts().aor).collect();
        owners.sort_unstable();
        owners.dedup();
        assert_eq!(heads.len(), owners.len());
        for owner in owners {
            for (handle, binding) in self.registrar.chain(owner) {
                assert!(expiries.contains(&(binding.expires, handle)));
                assert_eq!(binding.text.parts().aor, owner);
                chained += 1;
            }
        }
        assert_eq!(chained, bindings.len());
    }
}

fn flow(port: u16) -> Flow {
    Flow { socket: SocketId(0), transport: Transport::Udp, remote: ([192, 0, 2, 1], port).into() }
}
