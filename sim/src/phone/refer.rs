//! Transfer (RFC 3515, RFC 3892) and subscriptions inside a call (RFC 6665).

use super::call::{Call, State};
use super::dialog::Spot;
use super::exchange::Purpose;
use super::message::{Message, uri_of};
use super::{Notice, Phone};
use crosspoint_core::time::Instant;

/// How long the transferee says that it will report, in seconds.
const REPORTS_S: u32 = 60;

/// Whom a call that was placed for a REFER is reported to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscription {
    spot: Spot,
    /// The status that was reported last: none is reported twice.
    told: u16,
}

/// The transferor.
impl Phone {
    /// Transfers the far side of the current call to a user of the switch, blindly: the REFER says nothing of a call that
    /// is there already. A no-op unless a call is up.
    pub fn refer(&mut self, now: Instant, target: &str) {
        self.tick(now);
        if let Some(spot) = self.spot_that_is_up() {
            self.refer_in(spot, target);
        }
    }

    pub(super) fn refer_in(&mut self, spot: Spot, target: &str) {
        let at = if target.contains('@') { String::new() } else { format!("@{}", self.settings.domain) };
        self.send_refer(spot, &format!("<sip:{target}{at}>"));
    }

    /// Transfers the far side of one call to the far side of another, attended: Refer-To names the other call in Replaces
    /// (RFC 3891, RFC 5589 §7). A no-op unless both are up.
    pub fn refer_attended(&mut self, now: Instant, number: u32, other: u32) {
        self.tick(now);
        let is_up = |number| self.calls.get(number).filter(|call| call.state == State::Up);
        let (Some(call), Some(other)) = (is_up(number), is_up(other)) else { return };
        let (ours, theirs) = other.tags();
        let call_id = other.call_id().replace('@', "%40");
        let target = other.remote_target().split('?').next().unwrap_or_default();
        let refer_to = format!("<{target}?Replaces={call_id}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}>");
        self.send_refer(Spot { call: number, dialog: call.current }, &refer_to);
    }

    fn send_refer(&mut self, spot: Spot, refer_to: &str) {
        let (own, contact) = (self.own_uri(), self.contact());
        let request = self
            .next_request(spot, "REFER")
            .with("Contact", contact)
            .with("Refer-To", refer_to)
            .with("Referred-By", format!("<{own}>"));
        self.send_within_call(spot, request, Purpose::Within(spot));
    }

    /// A report of the transferee, or of any other subscription.
    pub(super) fn on_notify(&mut self, index: usize, request: &Message) {
        let is_kept = self.settings.keeps_subscriptions;
        let Some(spot) = self.spot_of(request).filter(|spot| is_kept || !self.is_past(*spot)) else {
            return self.respond(index, 481, "");
        };
        self.note_cseq(spot, request);
        for name in ["Event", "Subscription-State"] {
            if request.get(name).is_none() {
                self.violation(format!("NOTIFY without {name}")); // RFC 6665 §4.1.3
            }
        }
        self.respond(index, 200, "");
        self.tell(Notice::Received { method: "NOTIFY".to_owned(), body: request.body.clone() });
        if !request.get("Event").is_some_and(|event| event.starts_with("refer")) {
            return;
        }
        if request.get("Content-Type").is_none_or(|kind| !kind.starts_with("message/sipfrag")) {
            self.violation("NOTIFY about a REFER without message/sipfrag".to_owned()); // RFC 3515 §2.4.5
        }
        let has_worked = request.body.starts_with("SIP/2.0 2");
        if has_worked && self.settings.hangs_up_after_transfer {
            self.end_call(spot.call);
        }
    }

    fn is_past(&self, spot: Spot) -> bool {
        self.calls.get(spot.call).is_some_and(Call::is_over)
    }
}

/// The transferee.
impl Phone {
    pub(super) fn on_refer(&mut self, index: usize, request: &Message) {
        let Some(spot) = self.spot_of(request).filter(|spot| !self.is_past(*spot)) else {
            return self.respond(index, 481, "");
        };
        self.note_cseq(spot, request);
        let targets = request.list("Refer-To");
        let [target] = targets[..] else { return self.respond(index, 400, "") }; // RFC 3515 §2.4.2
        let accepted = self.response(index, 202, "").with("Contact", self.contact());
        self.send_response(index, 202, &accepted);
        self.tell(Notice::Received { method: "REFER".to_owned(), body: target.to_owned() });
        self.report(spot, 100);
        let (uri, headers) = uri_of(target).split_once('?').unwrap_or((uri_of(target), ""));
        let mut further = Vec::new();
        if let Some(by) = request.get("Referred-By") {
            further.push(("Referred-By", by.to_owned()));
        }
        for (name, value) in headers.split('&').filter_map(|header| header.split_once('=')) {
            if name.eq_ignore_ascii_case("Replaces") {
                further.push(("Replaces", unescape(value)));
            }
        }
        let uri = uri.to_owned();
        let op = self.find_call(spot.call).op;
        let number = self.place(op, &uri, &further);
        self.find_call(number).referred_by = Some(Subscription { spot, told: 100 });
    }

    /// Tells whoever sent the REFER how the call that was placed for it goes.
    pub(super) fn report_transfer(&mut self, number: u32, status: u16) {
        let call = self.find_call(number);
        let Some(Subscription { spot, told }) = call.referred_by else { return };
        if told == status || told >= 200 {
            return;
        }
        call.referred_by = Some(Subscription { spot, told: status });
        let is_up = !self.is_past(spot) && self.find_call(spot.call).state == State::Up;
        if is_up || self.settings.keeps_subscriptions {
            self.report(spot, status);
        }
    }

    /// A NOTIFY with a status line (RFC 3515 §2.4.4); a final status ends the subscription.
    fn report(&mut self, spot: Spot, status: u16) {
        let state = match status {
            100..200 => format!("active;expires={REPORTS_S}"),
            _ => "terminated;reason=noresource".to_owned(),
        };
        let line = Message::response(&Message::request("INVITE", ""), status).to_bytes();
        let line = String::from_utf8_lossy(&line).lines().next().unwrap_or_default().to_owned();
        let contact = self.contact();
        let mut notify = self
            .next_request(spot, "NOTIFY")
            .with("Contact", contact)
            .with("Event", "refer")
            .with("Subscription-State", state)
            .with("Content-Type", "message/sipfrag;version=2.0");
        notify.body = format!("{line}\r\n");
        self.send_within_call(spot, notify, Purpose::Within(spot));
    }
}

/// Other subscriptions.
impl Phone {
    /// Subscribes inside the current call. A no-op unless it is up.
    pub fn subscribe(&mut self, now: Instant, event: &str) {
        self.tick(now);
        let Some(spot) = self.spot_that_is_up() else { return };
        let contact = self.contact();
        let request =
            self.next_request(spot, "SUBSCRIBE").with("Contact", contact).with("Event", event).with("Expires", "60");
        self.send_within_call(spot, request, Purpose::Within(spot));
    }

    /// Takes any subscription, and notifies at once (RFC 6665 §4.2.1.2).
    pub(super) fn on_subscribe(&mut self, index: usize, request: &Message) {
        let Some(spot) = self.spot_of(request).filter(|spot| !self.is_past(*spot)) else {
            return self.respond(index, 481, "");
        };
        self.note_cseq(spot, request);
        let Some(event) = request.get("Event").map(str::to_owned) else { return self.respond(index, 489, "") };
        let expires = request.get("Expires").unwrap_or("60").to_owned();
        let contact = self.contact();
        let accepted = self.response(index, 200, "").with("Contact", contact.clone()).with("Expires", expires.clone());
        self.send_response(index, 200, &accepted);
        self.tell(Notice::Received { method: "SUBSCRIBE".to_owned(), body: request.body.clone() });
        let state = if expires == "0" { "terminated".to_owned() } else { format!("active;expires={expires}") };
        let notify = self
            .next_request(spot, "NOTIFY")
            .with("Contact", contact)
            .with("Event", event)
            .with("Subscription-State", state);
        self.send_within_call(spot, notify, Purpose::Within(spot));
    }
}

/// The value of a header in a URI, its escapes undone (RFC 3261 §19.1.2).
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).filter(|_| *first == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => (bytes.push(byte), rest = &tail[2..]).0,
            None => (bytes.push(*first), rest = tail).0,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
