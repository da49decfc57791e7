//! What a phone does without being asked, as real ones do: it refreshes its registration, tries again where that fails,
//! holds its NAT open, and gives calls up that last too long. And what it is when somebody pulls its plug.

use super::Phone;
use super::message::{Message, param};
use super::register::Registration;
use bytes::Bytes;
use crosspoint_core::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// What goes out to hold a NAT open. RFC 5626 §3.5.1 has it for streams, and §3.5.2 STUN for UDP; phones of the field send
/// it over UDP too, and a switch may answer it with one CRLF (§4.4.1) or not at all.
const KEEP_ALIVE: &[u8] = b"\r\n\r\n";
/// RFC 5626 §4.5: the base time where every flow has failed, and the longest wait.
const BACK_OFF_S: u64 = 30;
const LONGEST_BACK_OFF_S: u64 = 1800;

/// The state of it.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    keep_alive_at: Option<Instant>,
    register_at: Option<Instant>,
    /// Registrations that failed in a row.
    failures: u32,
    /// Where the switch saw the phone's latest request come from.
    seen_at: Option<SocketAddr>,
    pongs: u64,
    /// Until then messages may come of what was lost in a reboot.
    forgets_until: Option<Instant>,
}

impl Upkeep {
    pub(super) fn next_at(&self) -> Option<Instant> {
        [self.keep_alive_at, self.register_at].into_iter().flatten().min()
    }

    pub(super) fn is_forgetful(&self, now: Instant) -> bool {
        self.forgets_until.is_some_and(|until| now < until)
    }
}

/// The longest that a call rings: three minutes, as RFC 3261 §16.6 (11) has it for proxies.
const RINGS: Duration = Duration::from_secs(180);

impl Phone {
    /// Power fails and comes back: calls, requests and what they were about are gone without a word, and the phone
    /// registers anew, under another Call-ID. Its calls stay to be looked at, as [`super::End::Rebooted`].
    pub fn reboot(&mut self, now: Instant) {
        self.tick(now);
        for call in self.calls.live_mut() {
            call.reboot();
        }
        self.clients.clear();
        self.servers.clear();
        self.todo.clear();
        self.out.clear();
        self.challenge = None;
        self.registration = Registration::new(self.token());
        // what it asked for may ring for minutes before it is answered, and what is under way ends within 64*T1; a call's
        // far side may live on, and meets 481 in the phone
        self.upkeep = Upkeep { forgets_until: Some(self.now + RINGS + 2 * super::GIVE_UP), ..Upkeep::default() };
        self.register(now);
    }

    /// Where the switch saw the phone's latest request come from: `received` and `rport` of its Via (RFC 3581).
    pub fn seen_at(&self) -> Option<SocketAddr> {
        self.upkeep.seen_at
    }

    /// How many of its keep-alives were answered (RFC 5626 §4.4.1).
    pub fn pongs(&self) -> u64 {
        self.upkeep.pongs
    }

    /// Does what is due.
    pub(super) fn keep_up(&mut self) {
        let now = self.now;
        if self.upkeep.keep_alive_at.is_some_and(|at| at <= now) {
            self.out.push_back((self.settings.server, Bytes::from_static(KEEP_ALIVE)));
            self.plan_keep_alive();
        }
        if self.upkeep.register_at.is_some_and(|at| at <= now) {
            self.upkeep.register_at = None;
            self.send_register(self.settings.expires_s);
        }
        let is_late = |ends_at: &Option<Instant>| ends_at.is_some_and(|at| at <= now);
        let mut late = Vec::new();
        for call in self.calls.live_mut().filter(|call| is_late(&call.ends_at)) {
            call.ends_at = None;
            late.push(call.number);
        }
        late.into_iter().for_each(|number| self.end_call(number));
    }

    /// When a call that begins now is given up.
    pub(super) fn longest_call(&self) -> Option<Instant> {
        self.settings.longest_call_ms.map(|ms| self.now + Duration::from_millis(ms))
    }

    fn plan_keep_alive(&mut self) {
        let gap = self.settings.keep_alive_ms.map(Duration::from_millis);
        self.upkeep.keep_alive_at = gap.map(|gap| self.now + gap);
    }

    /// A REGISTER was answered 200: the next one follows after half the time that was granted.
    pub(super) fn after_registering(&mut self, expires_s: u32) {
        self.upkeep.failures = 0;
        if expires_s == 0 {
            (self.upkeep.keep_alive_at, self.upkeep.register_at) = (None, None);
            return;
        }
        if self.upkeep.keep_alive_at.is_none() {
            self.plan_keep_alive();
        }
        let half = Duration::from_millis(500 * u64::from(expires_s));
        self.upkeep.register_at = self.settings.refreshes.then_some(self.now + half);
    }

    /// A REGISTER failed: another one follows, later each time (RFC 5626 §4.5), or when the registrar says so.
    pub(super) fn after_failed_registering(&mut self, response: Option<&Message>) {
        if !self.settings.refreshes || !self.registration.is_wanted {
            return;
        }
        let number = |name: &str| response?.get(name)?.split([' ', ';', '(']).next()?.parse::<u64>().ok();
        if let Some(least_s) = number("Min-Expires") {
            // RFC 3261 §10.2.8
            self.settings.expires_s = self.settings.expires_s.max(u32::try_from(least_s).unwrap_or(u32::MAX));
        }
        let longest_s = (BACK_OFF_S << self.upkeep.failures.min(6)).min(LONGEST_BACK_OFF_S);
        self.upkeep.failures += 1;
        // evenly between one half of it and all
        let drawn_ms = 500 * longest_s + self.stream.below(500 * longest_s);
        let wait = number("Retry-After").map_or(Duration::from_millis(drawn_ms), Duration::from_secs);
        self.upkeep.register_at = Some(self.now + wait);
    }

    /// Whether this datagram is no SIP at all but holds a NAT open, from either side.
    pub(super) fn is_keep_alive(&mut self, datagram: &[u8]) -> bool {
        if datagram == b"\r\n" {
            self.upkeep.pongs += 1;
        }
        // and whatever word the switch is set to send
        !datagram.windows(7).any(|bytes| bytes == b"SIP/2.0")
    }

    pub(super) fn note_where_seen(&mut self, response: &Message) {
        let Some(via) = response.top_via() else { return };
        let port = param(via, "rport").and_then(|port| port.parse().ok());
        let ip = param(via, "received").map_or(Some(self.settings.local.ip()), |ip| ip.parse().ok());
        if let (Some(ip), Some(port)) = (ip, port) {
            self.upkeep.seen_at = Some(SocketAddr::new(ip, port));
        }
    }
}
