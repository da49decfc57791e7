//! Registering (RFC 3261 §10.2): the client's side of one binding.

use super::exchange::Purpose;
use super::message::{Message, address_of, param, uri_of};
use super::{Notice, Phone};
use crosspoint_core::time::Instant;

/// All REGISTERs of one boot share a Call-ID and count up their CSeq.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    call_id: String,
    pub(super) cseq: u32,
    expires_s: Option<u32>,
    /// Whether it is to be there; else the latest wish was to take it back.
    pub(super) is_wanted: bool,
}

impl Registration {
    pub(super) fn new(call_id: String) -> Registration {
        Registration { call_id, cseq: 0, expires_s: None, is_wanted: false }
    }
}

impl Phone {
    /// Registers, or refreshes what is registered.
    pub fn register(&mut self, now: Instant) {
        self.tick(now);
        self.send_register(self.settings.expires_s);
    }

    /// Takes the binding back.
    pub fn unregister(&mut self, now: Instant) {
        self.tick(now);
        self.send_register(0);
    }

    /// For how long the registrar said it keeps the binding; none before the first 200.
    pub fn registered_s(&self) -> Option<u32> {
        self.registration.expires_s
    }

    pub(super) fn send_register(&mut self, expires_s: u32) {
        let (own, tag) = (self.own_uri(), self.token());
        let q = self.settings.contact_q.as_ref().map(|q| format!(";q={q}")).unwrap_or_default();
        self.registration.is_wanted = expires_s > 0;
        self.registration.cseq += 1;
        let request = Message::request("REGISTER", &format!("sip:{}", self.settings.domain))
            .with("Max-Forwards", "70")
            .with("From", format!("<{own}>;tag={tag}"))
            .with("To", format!("<{own}>"))
            .with("Call-ID", self.registration.call_id.clone())
            .with("CSeq", format!("{} REGISTER", self.registration.cseq))
            .with("Contact", format!("{}{q}", self.contact()))
            .with("Expires", expires_s.to_string());
        self.send_request(request, self.settings.server, Purpose::Register, 0);
    }

    /// The 200 lists every binding; ours is there with its expiry, or gone (RFC 3261 §10.2.4).
    pub(super) fn on_registered(&mut self, response: &Message) {
        let is_ours = |contact: &&str| {
            let at = address_of(uri_of(contact));
            at == Some(self.settings.local) || self.settings.behind_alg
        };
        let expires_s = match response.list("Contact").into_iter().find(is_ours) {
            None => 0,
            Some(contact) => match param(contact, "expires").map(str::parse) {
                Some(Ok(seconds)) => seconds,
                _ => return self.violation(format!("200 to REGISTER: no expires in {contact}")),
            },
        };
        self.registration.expires_s = Some(expires_s);
        self.after_registering(expires_s);
        self.tell(Notice::Registered { expires_s });
    }
}
