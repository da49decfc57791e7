//! One call of a phone: its dialog (RFC 3261 §12) and how far it has come.

use super::message::{Message, address_of, param, uri_of};
use super::rtp::Media;
use super::sdp::{Direction, Session};
use super::settings::End;
use std::net::SocketAddr;

/// How far a call has come, from one phone's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// INVITE sent, nothing heard.
    Calling,
    /// INVITE sent, a provisional answer heard.
    Proceeding,
    /// INVITE received, no final answer sent.
    Incoming,
    /// 2xx sent, its ACK awaited.
    Answered,
    /// Both sides talk.
    Up,
    /// BYE sent.
    Ending,
    /// Over.
    Over(End),
}

/// A call, live or past.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) number: u32,
    pub(super) outgoing: bool,
    pub(super) state: State,
    pub(super) call_id: String,
    pub(super) local_tag: String,
    pub(super) remote_tag: String,
    pub(super) local_uri: String,
    pub(super) remote_uri: String,
    pub(super) remote_target: String,
    pub(super) routes: Vec<String>,
    pub(super) local_cseq: u32,
    pub(super) remote_cseq: u32,
    /// The call is to end as soon as the protocol allows it.
    pub(super) wants_end: bool,
    pub(super) was_answered: bool,
    pub(super) ours: Session,
    pub(super) media: Option<Media>,
    /// The final status of the INVITE that began it.
    pub(super) final_status: Option<u16>,
}

impl Call {
    pub(super) fn outgoing(
        number: u32,
        call_id: String,
        tag: String,
        local_uri: &str,
        to: &str,
        ours: Session,
    ) -> Call {
        Call {
            number,
            outgoing: true,
            state: State::Calling,
            call_id,
            local_tag: tag,
            remote_tag: String::new(),
            local_uri: local_uri.to_owned(),
            remote_uri: to.to_owned(),
            remote_target: to.to_owned(),
            routes: Vec::new(),
            local_cseq: 1,
            remote_cseq: 0,
            wants_end: false,
            was_answered: false,
            ours,
            media: None,
            final_status: None,
        }
    }

    /// The dialog of a UAS (RFC 3261 §12.1.1).
    pub(super) fn incoming(number: u32, invite: &Message, tag: String, ours: Session) -> Call {
        let header = |name| invite.get(name).unwrap_or_default();
        Call {
            outgoing: false,
            state: State::Incoming,
            remote_tag: invite.from_tag().unwrap_or_default().to_owned(),
            remote_target: uri_of(header("Contact")).to_owned(),
            routes: invite.list("Record-Route").into_iter().map(str::to_owned).collect(),
            local_cseq: 0,
            remote_cseq: invite.cseq().map_or(0, |(number, _)| number),
            ..Call::outgoing(
                number,
                invite.call_id().to_owned(),
                tag,
                uri_of(header("To")),
                uri_of(header("From")),
                ours,
            )
        }
    }

    /// What a response makes known of the far side (RFC 3261 §12.1.2): its tag, its target, the route set reversed.
    pub(super) fn learn(&mut self, response: &Message) {
        if let Some(tag) = response.to_tag() {
            self.remote_tag = tag.to_owned();
        }
        self.learn_target(response);
        let routes = response.list("Record-Route");
        if !routes.is_empty() {
            self.routes = routes.into_iter().rev().map(str::to_owned).collect();
        }
    }

    /// The far side's target as a message of it says (RFC 3261 §12.2.2).
    pub(super) fn learn_target(&mut self, message: &Message) {
        if let Some(contact) = message.get("Contact") {
            self.remote_target = uri_of(contact).to_owned();
        }
    }

    /// A request inside the dialog with this CSeq number (RFC 3261 §12.2.1.1); Via comes on sending.
    pub(super) fn request(&self, method: &str, cseq: u32) -> Message {
        let mut request = Message::request(method, &self.remote_target).with("Max-Forwards", "70");
        for route in &self.routes {
            request = request.with("Route", route.clone());
        }
        let to_tag = if self.remote_tag.is_empty() { String::new() } else { format!(";tag={}", self.remote_tag) };
        request
            .with("From", format!("<{}>;tag={}", self.local_uri, self.local_tag))
            .with("To", format!("<{}>{to_tag}", self.remote_uri))
            .with("Call-ID", self.call_id.clone())
            .with("CSeq", format!("{cseq} {method}"))
    }

    /// Where requests inside the dialog go: the first route, else the target. None where that is no address.
    pub(super) fn next_hop(&self) -> Option<SocketAddr> {
        address_of(self.routes.first().map_or(&self.remote_target, |route| uri_of(route)))
    }

    /// Whether a request belongs to this dialog (RFC 3261 §12.2.2).
    pub(super) fn owns(&self, request: &Message) -> bool {
        request.call_id() == self.call_id
            && request.to_tag() == Some(&self.local_tag)
            && request.from_tag().unwrap_or_default() == self.remote_tag
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// The phone's number for it, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether this phone placed it.
    pub fn is_outgoing(&self) -> bool {
        self.outgoing
    }

    /// How far it has come.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether it was up at any time.
    pub fn was_answered(&self) -> bool {
        self.was_answered
    }

    /// Its Call-ID on this leg.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The final status of its INVITE, where there was one.
    pub fn final_status(&self) -> Option<u16> {
        self.final_status
    }

    /// Which way audio goes, from this phone's view.
    pub fn direction(&self) -> Direction {
        self.ours.direction
    }

    /// The far side's target: what its Contact said.
    pub fn remote_target(&self) -> &str {
        &self.remote_target
    }
}

/// The tag parameter of a header value, for comparing.
pub(super) fn tag_of(value: Option<&str>) -> &str {
    value.and_then(|v| param(v, "tag")).unwrap_or_default()
}
