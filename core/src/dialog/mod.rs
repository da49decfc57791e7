//! A dialog (RFC 3261 §12): what one leg of a call shares with its peer.

mod parties;

pub use parties::Parties;

use crate::cx::Cx;
use crate::input::Flow;
use crate::limits;
use crate::nat;
use crate::sdp::Version;
use crate::sip::{COOKIE, Message, Name, NameAddr, Uri, Writer};
use crate::transaction::Branch;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The tag we put on our side of a dialog: random, so it names the dialog among all of ours (RFC 3261 §19.3).
pub type Tag = [u8; 16];

/// What Max-Forwards starts from where we are the first to send (RFC 3261 §8.1.1.6).
pub const MAX_FORWARDS: u8 = 70;

/// One side's view of a dialog, early or confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dialog {
    /// Call-ID, and who it is between.
    pub parties: Parties,
    /// Our tag.
    pub local_tag: Tag,
    /// The peer's tag; empty until it has answered.
    pub remote_tag: Box<[u8]>,
    /// Request-URI of our requests: the peer's Contact.
    pub target: Box<[u8]>,
    /// Route values of our requests, in order.
    pub routes: Vec<Box<[u8]>>,
    /// CSeq number of our last request.
    pub local_cseq: u32,
    /// CSeq number of the peer's last request.
    pub remote_cseq: Option<u32>,
    /// Where our requests go.
    pub flow: Flow,
    /// The last session description that went to the peer.
    pub described: Option<Version>,
    /// The ACKs of our answered INVITEs, the last one last, to be sent again when their 2xx are (RFC 3261 §13.2.2.4):
    /// further INVITEs may follow before the loss of an ACK shows.
    acks: Vec<Ack>,
}

/// An ACK that was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// CSeq number of the INVITE it belongs to.
    pub cseq: u32,
    /// The message.
    pub bytes: Bytes,
}

impl Dialog {
    /// The dialog that answering this request makes (RFC 3261 §12.1.1). The request has passed [`crate::sip::check`].
    pub fn as_server(message: &Message<'_>, flow: Flow, local_tag: Tag) -> Option<Dialog> {
        let from = message.from().ok()?;
        let to = message.to().ok()?;
        let mut dialog = Dialog {
            parties: Parties::new(message.call_id().ok()?, &without_tag(&to), &without_tag(&from)),
            local_tag,
            remote_tag: from.tag().unwrap_or_default().into(),
            target: Box::default(),
            routes: message.list(Name::RecordRoute).map(Box::from).collect(),
            local_cseq: 0,
            remote_cseq: Some(message.cseq().ok()?.number),
            flow,
            described: None,
            acks: Vec::new(),
        };
        let via = message.via().ok()?;
        dialog.take_target(message, flow, nat::via_shows_nat(&via, flow.remote));
        Some(dialog)
    }

    /// The dialog of an INVITE that is to go to `flow`, before anybody has answered.
    pub fn as_client(parties: Parties, local_tag: Tag, flow: Flow) -> Dialog {
        Dialog {
            parties,
            local_tag,
            remote_tag: Box::default(),
            target: Box::default(),
            routes: Vec::new(),
            local_cseq: 0,
            remote_cseq: None,
            flow,
            described: None,
            acks: Vec::new(),
        }
    }

    /// Takes what the peer's answer to our INVITE says of the dialog (RFC 3261 §12.1.2).
    pub fn take_answer(&mut self, message: &Message<'_>, flow: Flow) {
        if let Some(tag) = message.to().ok().and_then(|to| to.tag()) {
            self.remote_tag = tag.into();
        }
        self.routes = message.list(Name::RecordRoute).map(Box::from).collect();
        self.routes.reverse();
        self.take_target(message, flow, false);
    }

    /// Takes the Contact of a target refresh request or its 2xx (RFC 3261 §12.2) and where it leads.
    pub fn take_target(&mut self, message: &Message<'_>, source: Flow, behind_nat: bool) {
        let Some(contact) = first_contact(message) else { return };
        let Ok(uri) = Uri::parse(contact.uri) else { return };
        self.target = contact.uri.into();
        self.flow = source;
        // With a route set the first route is the next hop, and that is who speaks to us.
        if self.routes.is_empty() {
            self.flow.remote = nat::reach(&uri, source.remote, behind_nat);
        }
    }

    /// The head of a new request in this dialog: start line, Via, Max-Forwards, From, To, Call-ID, CSeq, Route, Contact.
    pub fn request(&mut self, cx: &mut Cx, method: &str, max_forwards: u8) -> (Writer, Branch) {
        self.local_cseq += 1;
        self.head(cx, method, self.local_cseq, max_forwards)
    }

    /// The head of the ACK for the 2xx to our INVITE of this CSeq number (RFC 3261 §13.2.2.4).
    pub fn ack(&mut self, cx: &mut Cx, cseq: u32) -> Writer {
        self.head(cx, "ACK", cseq, MAX_FORWARDS).0
    }

    /// The ACK of our INVITE of this CSeq number, while it is kept.
    pub fn ack_of(&self, cseq: u32) -> Option<&Ack> {
        self.acks.iter().find(|ack| ack.cseq == cseq)
    }

    /// Keeps an ACK that was sent.
    pub fn keep_ack(&mut self, ack: Ack) {
        if self.acks.len() == limits::ACKS_PER_DIALOG {
            self.acks.remove(0);
        }
        self.acks.reserve_exact(1);
        self.acks.push(ack);
    }

    /// Lets go of the ACK of our INVITE of this CSeq number: its 2xx comes no more.
    pub fn forget_ack(&mut self, cseq: u32) {
        self.acks.retain(|ack| ack.cseq != cseq);
        self.acks.shrink_to_fit();
    }

    /// Whether any ACK is kept.
    pub fn has_acks(&self) -> bool {
        !self.acks.is_empty()
    }

    fn head(&self, cx: &mut Cx, method: &str, cseq: u32, max_forwards: u8) -> (Writer, Branch) {
        let branch: Branch = cx.rng.ids.token();
        let listen = &cx.config.listen[usize::from(self.flow.socket.0)];
        let advertise = listen.advertise;
        // A first route without `lr` is a strict router: it wants itself in the Request-URI (RFC 3261 §12.2.1.1).
        let strict = self.routes.first().and_then(|route| {
            let uri = NameAddr::parse(route).ok()?.uri;
            Uri::parse(uri).is_ok_and(|parsed| !parsed.params.has("lr")).then_some(uri)
        });
        let mut writer = Writer::request(method.as_bytes(), strict.unwrap_or(&self.target));
        writer
            .raw(b"Via: SIP/2.0/")
            .raw(listen.transport.via_name().as_bytes())
            .raw(b" ")
            .address(advertise)
            .raw(b";branch=")
            .raw(COOKIE)
            .raw(&branch)
            .raw(b";rport\r\nMax-Forwards: ")
            .number(max_forwards.into())
            .raw(b"\r\nFrom: ")
            .raw(self.parties.local())
            .raw(b";tag=")
            .raw(&self.local_tag)
            .raw(b"\r\nTo: ")
            .raw(self.parties.remote());
        if !self.remote_tag.is_empty() {
            writer.raw(b";tag=").raw(&self.remote_tag);
        }
        writer
            .raw(b"\r\nCall-ID: ")
            .raw(self.parties.call_id())
            .raw(b"\r\nCSeq: ")
            .number(cseq.into())
            .raw(b" ")
            .raw(method.as_bytes())
            .raw(b"\r\n");
        let loose = if strict.is_some() { &self.routes[1..] } else { &self.routes[..] };
        for route in loose {
            writer.header("Route", route);
        }
        if strict.is_some() {
            writer.raw(b"Route: <").raw(&self.target).raw(b">\r\n");
        }
        if method != "BYE" {
            writer.raw(b"Contact: <sip:").address(advertise).raw(b">\r\n");
        }
        (writer, branch)
    }

    /// Whether a request or response with this Call-ID and this tag of the peer belongs to the dialog.
    pub fn is_of(&self, call_id: &[u8], remote_tag: &[u8]) -> bool {
        self.parties.call_id() == call_id && *self.remote_tag == *remote_tag
    }
}

/// The first Contact of a message, where it has one that is not `*`.
pub fn first_contact<'m>(message: &Message<'m>) -> Option<NameAddr<'m>> {
    NameAddr::parse(message.list(Name::Contact).next()?).ok()
}

/// A name-addr as `display <uri>` on one line, all header parameters left out (the tag is put in anew where it belongs).
pub(crate) fn without_tag(value: &NameAddr<'_>) -> Box<[u8]> {
    let mut out = Vec::with_capacity(value.display.len() + value.uri.len() + 3);
    if !value.display.is_empty() {
        // A display name may have been folded over lines; here it is one.
        out.extend(value.display.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        out.push(b' ');
    }
    out.push(b'<');
    out.extend_from_slice(value.uri);
    out.push(b'>');
    out.into_boxed_slice()
}
