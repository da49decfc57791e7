//! Requests inside a call that change nothing of it: INFO, MESSAGE, and whatever else there is.

use super::call::{Call, State};
use super::dialog::Spot;
use super::exchange::Purpose;
use super::message::{Message, Text};
use super::{Notice, Phone};
use crosspoint_core::time::Instant;

/// Methods that are answered 200 wherever they belong.
const KNOWN: [&str; 3] = ["OPTIONS", "MESSAGE", "INFO"];

/// The dialog of a call that counts, where it is up.
pub(super) fn up(call: &Call) -> Option<Spot> {
    (call.state == State::Up).then_some(Spot { call: call.number, dialog: call.current })
}

impl Phone {
    /// Sends INFO, MESSAGE or OPTIONS inside the current call. A no-op unless it is up.
    pub fn send_within(&mut self, now: Instant, method: &str, body: &str) {
        self.tick(now);
        if let Some(spot) = self.spot_that_is_up() {
            self.send_text_in(spot, method, body);
        }
    }

    pub(super) fn send_text_in(&mut self, spot: Spot, method: &str, body: &str) {
        let headers = if body.is_empty() { &[][..] } else { &[("Content-Type", "text/plain")] };
        self.send_any_in(spot, method, headers, body.as_bytes());
    }

    /// Sends a request of any method inside the current call, with these headers and this body, which may be no text. A
    /// no-op unless the call is up.
    pub fn send_any_within(&mut self, now: Instant, method: &str, headers: &[(&str, &str)], body: &[u8]) {
        self.tick(now);
        if let Some(spot) = self.spot_that_is_up() {
            self.send_any_in(spot, method, headers, body);
        }
    }

    pub(super) fn send_any_in(&mut self, spot: Spot, method: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut request = self.next_request(spot, method);
        for (name, value) in headers {
            request = request.with(name, *value);
        }
        match String::from_utf8(body.to_vec()) {
            Ok(text) => request.body = text,
            Err(_) => request.binary = Some(body.to_vec()),
        }
        self.send_within_call(spot, request, Purpose::Within(spot));
    }

    /// The current call, where it is up.
    pub(super) fn spot_that_is_up(&self) -> Option<Spot> {
        self.current_call().and_then(up)
    }

    /// A request that changes nothing. An unknown one is told of, byte for byte, where the phone takes it.
    pub(super) fn on_other(&mut self, index: usize, request: &Message) {
        let method = request.method().unwrap_or_default().to_owned();
        let is_known = KNOWN.contains(&method.as_str());
        if !is_known && !self.settings.takes_any_method {
            return self.respond(index, 405, "");
        }
        let spot = self.spot_of(request);
        if let Some(spot) = spot {
            self.note_cseq(spot, request);
        }
        let status = match spot.is_some() || request.to_tag().is_none() {
            true if method == "OPTIONS" => self.settings.trunk.answers_options,
            true => Some(200),
            false => Some(481),
        };
        if let Some(status) = status {
            self.respond(index, status, "");
        }
        if !is_known {
            let text = |(name, value): &(std::borrow::Cow<'_, str>, Text)| (name.to_string(), value.to_string());
            let (headers, body) = (request.headers.iter().map(text).collect(), request.body_bytes().to_vec());
            return self.tell(Notice::Unknown { method, headers, body });
        }
        self.tell(Notice::Received { method, body: request.body.clone() });
    }
}
