//! A switch with a driver and a media shard, which the test plays for it.

use crosspoint_core::cdr::CallRecord;
use crosspoint_core::config;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::media::{MediaOp, MediaShard};
use crosspoint_core::ports::{BindError, PortCommand, PortReply, Shard};
use crosspoint_core::rng::media_stream;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch};
use std::sync::Arc;
use std::time::Duration;

/// The gateway that calls come from.
pub(crate) const CALLER: &str = "192.0.2.1:5060";
/// The gateway that they go to.
pub(crate) const CALLEE: &str = "198.51.100.2:5060";

/// How the driver answers an order to open ports.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Driver {
    /// At once.
    Opens,
    /// Each time: somebody else has them.
    InUse,
    /// Not at all.
    #[allow(dead_code, reason = "only some of the tests that share this file need it")]
    Silent,
}

pub(crate) struct Rig {
    pub(crate) switch: Switch,
    pub(crate) now: Now,
    pub(crate) driver: Driver,
    /// Requests for ports that have had no reply.
    pub(crate) asked: Vec<u64>,
    pub(crate) shard: MediaShard,
    /// It looks for silence by itself; else the test says what it would tell.
    pub(crate) shard_runs: bool,
    /// What the shard was told.
    pub(crate) ops: Vec<MediaOp>,
    pub(crate) sent: Vec<(String, String)>,
    pub(crate) record: Option<CallRecord>,
}

impl Rig {
    /// With further parameters, and further keys of the gateway that is called and tables.
    pub(crate) fn new(driver: Driver, parameters: &str, callee: &str) -> Rig {
        let text = format!(
            "[switch]\ndomain = \"switch.example\"\n[parameters]\nSS_RTP_PORT_RANGE = \"20000,20399\"\n{parameters}\n\
             [[listen]]\ntransport = \"udp\"\nbind = \"10.9.9.9:5060\"\nadvertise = \"203.0.113.9:5060\"\n\
             [[gateway]]\nname = \"in\"\ndirection = \"mapping\"\npeers = [\"{CALLER}\"]\n\
             [[gateway]]\nname = \"out\"\ndirection = \"routing\"\npeers = [\"{CALLEE}\"]\n{callee}\n"
        );
        let config = config::parse(&text).unwrap_or_else(|findings| panic!("{findings}")).config;
        let now = Now { mono: Instant::from_micros(1), wall: UnixMicros(1_800_000_000_000_000) };
        let mut rig = Rig {
            switch: Switch::new(Arc::new(config), Seed::from_number(1), now),
            now,
            driver,
            asked: Vec::new(),
            shard: MediaShard::new(media_stream(Seed::from_number(1), 0), Default::default()),
            shard_runs: false,
            ops: Vec::new(),
            sent: Vec::new(),
            record: None,
        };
        rig.pass(1);
        rig
    }

    pub(crate) fn give(&mut self, input: Input<'_>) {
        self.switch.handle(self.now, input);
        let mut replies = Vec::new();
        while let Some(command) = self.switch.poll_command() {
            match command {
                Command::Send { flow, bytes } => {
                    self.sent.push((flow.remote.to_string(), String::from_utf8(bytes.to_vec()).unwrap()));
                }
                Command::Emit(event) => {
                    if let Event::CallEnded { record } = *event {
                        self.record = Some(*record);
                    }
                }
                Command::Ports(PortCommand::Open { request, .. }) => match self.driver {
                    Driver::Opens => replies.push(PortReply::Opened { request }),
                    Driver::InUse => replies.push(PortReply::Refused { request, why: BindError::AddressInUse }),
                    Driver::Silent => self.asked.push(request),
                },
                Command::Media(_, op) => {
                    self.shard.apply(self.now.mono, op.clone());
                    self.ops.push(op);
                }
                _ => {}
            }
        }
        for reply in replies {
            self.give(Input::Ports(reply));
        }
        while let Some(report) = self.shard.poll_report() {
            self.give(Input::Media(Shard(0), report));
        }
    }

    /// Lets time pass, in ms.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.mono + Duration::from_millis(ms);
        loop {
            let of_switch = self.switch.poll_timeout().map(|next| next.at);
            let of_shard = self.shard.poll_timeout().filter(|_| self.shard_runs);
            let next = [of_switch, of_shard].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.now.mono = self.now.mono.max(next);
            if self.shard_runs {
                self.shard.tick(self.now.mono);
            }
            self.give(Input::Tick);
        }
        self.now.mono = end;
    }

    pub(crate) fn hear(&mut self, from: &str, text: &str) {
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote: from.parse().unwrap() };
        self.give(Input::Datagram { flow, bytes: text.as_bytes() });
    }

    /// The first message to there that begins so.
    #[track_caller]
    pub(crate) fn take(&mut self, to: &str, start: &str) -> String {
        let found = self.sent.iter().position(|(remote, text)| remote == to && text.starts_with(start));
        let at = found.unwrap_or_else(|| panic!("no {start} to {to} among {:#?}", self.sent));
        self.sent.remove(at).1
    }

    pub(crate) fn has(&self, to: &str, start: &str) -> bool {
        self.sent.iter().any(|(remote, text)| remote == to && text.starts_with(start))
    }

    /// Ports that are in use or waiting, but for the stock.
    pub(crate) fn used(&self) -> u32 {
        let view = self.switch.relays().ports().view(1000);
        view.leases
            .iter()
            .filter(|lease| lease.flow_no.is_some() && !["quarantined", "overdue"].contains(&lease.state))
            .count() as u32
    }

    /// The call is over, and nothing of it stays.
    #[track_caller]
    pub(crate) fn nothing_is_left(&mut self) {
        self.pass(40_000);
        assert!(self.switch.is_idle());
        assert_eq!((self.used(), self.switch.relays().sessions(), self.shard.len()), (0, 0, 0), "something is left");
    }
}

pub(crate) fn with_body(head: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

pub(crate) fn field(message: &str, name: &str) -> String {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned()
}
