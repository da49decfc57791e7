//! How an answer is put together (RFC 3261 §8.2.6.2): what it repeats of its request, then what the user has to say.

use super::uas::Reply;
use crate::input::Flow;
use crate::sip::{Message, Method, Name, Via, host_ip, push_ip, push_number, reason_phrase};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The lines that every answer to a request repeats: Via, From, To, Call-ID, CSeq; then Record-Route, which only those
/// repeat that make a dialog.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ReplyHead {
    lines: Box<[u8]>,
    /// Where the Record-Route lines begin.
    routes_at: u32,
    /// Where the To tag goes; none where the request's To had one.
    tag_at: Option<u32>,
}

impl ReplyHead {
    /// Takes the lines of this request, with the top Via completed by where it came from; one that cannot be read stays
    /// as it is.
    pub(super) fn of(message: &Message<'_>, via: Option<&Via<'_>>, to_has_tag: bool, flow: Flow) -> ReplyHead {
        let values =
            [Name::From, Name::To, Name::CallId, Name::CSeq].map(|name| message.value(name).unwrap_or_default());
        let vias: usize = message.fields(Name::Via).map(|via| via.len() + "Via: \r\n".len()).sum();
        let room = vias + ";rport=65535;received=".len() + 45 + values.iter().map(|v| v.len() + 11).sum::<usize>();

        let mut lines = Vec::with_capacity(room);
        for (i, value) in message.list(Name::Via).enumerate() {
            lines.extend_from_slice(b"Via: ");
            match via.filter(|_| i == 0) {
                Some(via) => write_top_via(&mut lines, value, via, flow),
                None => write_unfolded(&mut lines, value),
            }
            lines.extend_from_slice(b"\r\n");
        }
        let mut tag_at = None;
        for (name, value) in ["From: ", "To: ", "Call-ID: ", "CSeq: "].into_iter().zip(values) {
            lines.extend_from_slice(name.as_bytes());
            write_unfolded(&mut lines, value);
            if name == "To: " && !to_has_tag {
                tag_at = Some(u32::try_from(lines.len()).expect("a head is of the size of a datagram"));
            }
            lines.extend_from_slice(b"\r\n");
        }
        let routes_at = u32::try_from(lines.len()).expect("a head is of the size of a datagram");
        // Inside a dialog the route set stays as it is (RFC 3261 §12.2).
        if !to_has_tag && matches!(message.method(), Some(Method::Invite | Method::Subscribe | Method::Refer)) {
            for route in message.list(Name::RecordRoute) {
                lines.extend_from_slice(b"Record-Route: ");
                write_unfolded(&mut lines, route);
                lines.extend_from_slice(b"\r\n");
            }
        }
        ReplyHead { lines: lines.into_boxed_slice(), routes_at, tag_at }
    }

    /// The whole answer.
    pub(super) fn compose(&self, reply: &Reply<'_>) -> Bytes {
        let reason = reply.reason.unwrap_or_else(|| reason_phrase(reply.status));
        let fixed = "SIP/2.0 200 \r\n;tag=Content-Length: 65535\r\n\r\n".len();
        let said = reason.len() + reply.to_tag.len() + reply.headers.len() + reply.body.len();
        let mut out = Vec::with_capacity(fixed + self.lines.len() + said);

        out.extend_from_slice(b"SIP/2.0 ");
        push_number(&mut out, reply.status.into());
        out.push(b' ');
        out.extend_from_slice(reason.as_bytes());
        out.extend_from_slice(b"\r\n");
        // RFC 3261 §12.1.1: who gets the answer learns the route set from it.
        let makes_dialog = (101..300).contains(&reply.status);
        let lines = if makes_dialog { &self.lines } else { &self.lines[..self.routes_at as usize] };
        match self.tag_at {
            Some(at) if !reply.to_tag.is_empty() => {
                let (before, after) = lines.split_at(at as usize);
                out.extend_from_slice(before);
                out.extend_from_slice(b";tag=");
                out.extend_from_slice(reply.to_tag);
                out.extend_from_slice(after);
            }
            _ => out.extend_from_slice(lines),
        }
        out.extend_from_slice(reply.headers);
        out.extend_from_slice(b"Content-Length: ");
        push_number(&mut out, reply.body.len() as u64);
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(reply.body);
        Bytes::from(out)
    }
}

/// The top Via with `received` where the source is not its sent-by (RFC 3261 §18.2.1), and with `rport` filled in and
/// `received` in any case where the sender asks for it (RFC 3581 §4). Values the sender gave to either are not believed.
fn write_top_via(out: &mut Vec<u8>, raw: &[u8], via: &Via<'_>, flow: Flow) {
    let source = flow.remote.ip().to_canonical();
    // neither the protocol nor the sent-by has a semicolon
    let sent_by = memchr::memchr(b';', raw).unwrap_or(raw.len());
    write_unfolded(out, raw[..sent_by].trim_ascii_end());
    let mut wants_rport = false;
    for (name, value) in via.params.iter() {
        if name.eq_ignore_ascii_case(b"rport") {
            wants_rport = true;
            continue;
        }
        if name.eq_ignore_ascii_case(b"received") {
            continue;
        }
        out.push(b';');
        out.extend_from_slice(name);
        if let Some(value) = value {
            out.push(b'=');
            write_unfolded(out, value);
        }
    }
    if wants_rport {
        out.extend_from_slice(b";rport=");
        push_number(out, flow.remote.port().into());
    }
    if wants_rport || host_ip(via.host) != Some(source) {
        out.extend_from_slice(b";received=");
        push_ip(out, source);
    }
}

/// A value on one line, however many the sender had folded it over (RFC 3261 §7.3.1: a fold is one space).
fn write_unfolded(out: &mut Vec<u8>, value: &[u8]) {
    if memchr::memchr2(b'\r', b'\n', value).is_none() {
        return out.extend_from_slice(value);
    }
    let pieces = value.split(|byte| matches!(byte, b'\r' | b'\n')).map(<[u8]>::trim_ascii);
    for (i, piece) in pieces.filter(|piece| !piece.is_empty()).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(piece);
    }
}
