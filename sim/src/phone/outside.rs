//! Requests outside any dialog.

use super::Phone;
use super::exchange::Purpose;
use super::message::Message;
use crosspoint_core::time::Instant;

impl Phone {
    /// Sends OPTIONS to a user of the switch, outside any dialog.
    pub fn options(&mut self, now: Instant, target: &str) {
        self.tick(now);
        let request = self.outside("OPTIONS", target).with("Accept", "application/sdp");
        self.send_request(request, self.settings.server, Purpose::Outside, 0);
    }

    /// Sends a text message to a user of the switch, outside any dialog (RFC 3428).
    pub fn message(&mut self, now: Instant, target: &str, text: &str) {
        self.tick(now);
        let mut request = self.outside("MESSAGE", target).with("Content-Type", "text/plain");
        text.clone_into(&mut request.body);
        self.send_request(request, self.settings.server, Purpose::Outside, 0);
    }

    fn outside(&mut self, method: &str, target: &str) -> Message {
        let (from, to) = (self.own_uri(), format!("sip:{target}@{}", self.settings.domain));
        let (tag, call_id) = (self.token(), self.token());
        Message::request(method, &to)
            .with("Max-Forwards", "70")
            .with("From", format!("<{from}>;tag={tag}"))
            .with("To", format!("<{to}>"))
            .with("Call-ID", call_id)
            .with("CSeq", format!("1 {method}"))
    }
}
