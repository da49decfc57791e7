//! Requests written by somebody who means no good, from the RFCs' grammar and nothing else.

use crate::phone::message::{Message, uri_of};
use crosspoint_core::rng::Stream;
use std::net::SocketAddr;

/// A request that stands on its own: who sends it, and what it asks.
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) source: SocketAddr,
    pub(super) domain: &'a str,
    pub(super) user: &'a str,
    pub(super) target: &'a str,
    pub(super) call_id: &'a str,
    pub(super) cseq: u32,
    pub(super) headers: &'a str,
}

/// A word of chance.
pub(super) fn token(stream: &mut Stream) -> String {
    stream.token::<12>().iter().map(|byte| char::from(*byte)).collect()
}

/// Its text. An INVITE has a description that leads the audio to the sender, a REGISTER a Contact that leads calls there.
pub(super) fn write(ask: &Ask<'_>, stream: &mut Stream) -> String {
    let Ask { method, source, domain, user, target, call_id, cseq, headers } = ask;
    let (branch, tag) = (token(stream), token(stream));
    let uri = if *method == "REGISTER" { format!("sip:{domain}") } else { format!("sip:{target}@{domain}") };
    let to = if *method == "REGISTER" { *user } else { *target };
    let body = if *method == "INVITE" { sdp(*source) } else { String::new() };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {source};rport;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@{domain}>;tag={tag}\r\nTo: <sip:{to}@{domain}>\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:{user}@{source}>\r\n{headers}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The shortest request that is answered at all: compact names, no more than is needed (RFC 3261 §7.3.3, §8.1.1).
pub(super) fn shortest(method: &str, source: SocketAddr, domain: &str, stream: &mut Stream) -> String {
    let word = token(stream);
    let uri = if method == "REGISTER" { domain } else { "b" };
    format!(
        "{method} sip:{uri} SIP/2.0\r\nv:SIP/2.0/UDP {source};rport;branch=z9hG4bK{word}\r\nf:<sip:a>;tag=1\r\n\
         t:<sip:b>\r\ni:{word}\r\nm:<sip:a>\r\nMax-Forwards:7\r\nCSeq:1 {method}\r\n\r\n"
    )
}

fn sdp(source: SocketAddr) -> String {
    let ip = source.ip();
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
}

/// The name of a dialog as its far side knows it: who a request says that it comes from, and goes to.
pub(super) struct Spy {
    call_id: String,
    from: String,
    to: String,
    /// The top Via of the INVITE, for who cancels or answers it.
    via: String,
    uri: String,
    cseq: u32,
}

impl Spy {
    /// What this INVITE, or an answer to it, tells of its dialog.
    pub(super) fn of(message: &Message) -> Option<Spy> {
        let (cseq, method) = message.cseq()?;
        (method == "INVITE").then(|| Spy {
            call_id: message.call_id().to_owned(),
            from: message.get("From").unwrap_or_default().to_owned(),
            to: message.get("To").unwrap_or_default().to_owned(),
            via: message.top_via().unwrap_or_default().to_owned(),
            uri: message.uri().unwrap_or_else(|| uri_of(message.get("Contact").unwrap_or_default())).to_owned(),
            cseq,
        })
    }

    /// Made up.
    pub(super) fn guess(domain: &str, source: SocketAddr, stream: &mut Stream) -> Spy {
        let mut word = || token(stream);
        Spy {
            call_id: word(),
            from: format!("<sip:alice@{domain}>;tag={}", word()),
            to: format!("<sip:bob@{domain}>;tag={}", word()),
            via: format!("SIP/2.0/UDP {source};branch=z9hG4bK{}", word()),
            uri: format!("sip:bob@{domain}"),
            cseq: 1,
        }
    }

    /// A request inside the dialog, as the side that called, or the one that was called: the n-th of this attacker.
    pub(super) fn inside(&self, method: &str, turn: u32, source: SocketAddr, stream: &mut Stream) -> String {
        let Spy { call_id, from, to, uri, cseq, .. } = self;
        let (from, to) = if stream.below(2) == 0 { (to, from) } else { (from, to) };
        let (branch, body) = (token(stream), if method == "INVITE" { sdp(source) } else { String::new() });
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        // above all that the dialog has seen
        let number = cseq.saturating_add(10 + turn);
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {source};rport;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:me@{source}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// A CANCEL of the INVITE, with its very Via (RFC 3261 §9.1).
    pub(super) fn cancel(&self) -> String {
        let Spy { call_id, from, to, via, uri, cseq } = self;
        format!(
            "CANCEL {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} CANCEL\r\nContent-Length: 0\r\n\r\n"
        )
    }

    /// A 200 to the INVITE in the place of the callee.
    pub(super) fn answer(&self, source: SocketAddr, stream: &mut Stream) -> String {
        let Spy { call_id, from, to, via, cseq, .. } = self;
        let to = to.split(";tag=").next().unwrap_or_default();
        let (tag, body) = (token(stream), sdp(source));
        format!(
            "SIP/2.0 200 OK\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to};tag={tag}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} INVITE\r\nContact: <sip:me@{source}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// Credentials of every wrong form, one after another.
pub(super) fn credentials(turn: u64, stream: &mut Stream) -> String {
    let word = token(stream);
    let long = "x".repeat(20_000);
    let forms = [
        format!("Digest username=\"{long}\", realm=\"r\", nonce=\"{word}\", uri=\"sip:a\", response=\"{word}\""),
        format!("Digest username=\"alice, realm=\"r\", nonce={word}, uri=sip:a, response=\"\""),
        "Digest".to_owned(),
        "Digest ,,,,=,=\"\",".to_owned(),
        format!("Basic {word}"),
        format!("Digest nonce=\"{word}\", nonce=\"{word}\", username=\"alice\", username=\"bob\""),
        format!("Digest username=\"alice\", realm=\"example.net\", nonce=\"{word}\", nc=ffffffffff, qop=auth-int"),
        format!("Digest username=\"\\\"\\\\\", realm=\"\u{0}\", nonce=\"{word}\", response=\"{}\"", "0".repeat(32)),
        format!("Digest algorithm=SHA-1024, username=\"alice\", realm=\"example.net\", nonce=\"{word}\""),
    ];
    let form = &forms[(turn % forms.len() as u64) as usize];
    format!("Authorization: {form}\r\n")
}
