//! Requests built from one that was sent: the CANCEL of an INVITE and the ACK of its failure, which the layer sends itself,
//! and the request once more with credentials.

use super::Branch;
use crate::sip::{COOKIE, Index, Message, Name, Scanned, Writer, scan};
use bytes::Bytes;

/// The ACK of a response in 300..=699 with this To (RFC 3261 §17.1.1.3).
pub(super) fn ack(invite: &[u8], to: &[u8]) -> Bytes {
    derive(invite, "ACK", Some(to), b"")
}

/// The CANCEL of this INVITE (RFC 3261 §9.1), with these header lines besides.
pub(super) fn cancel(invite: &[u8], lines: &[u8]) -> Bytes {
    derive(invite, "CANCEL", None, lines)
}

/// Both have the INVITE's Request-URI, top Via, From, Call-ID, CSeq number and Route; only the To may differ.
fn derive(invite: &[u8], method: &str, to: Option<&[u8]>, lines: &[u8]) -> Bytes {
    let mut index = Index::default();
    let invite = read(invite, &mut index);
    let number = invite.cseq().expect("the INVITE that was given to the transaction layer has a CSeq").number;
    let field = |name| invite.value(name).unwrap_or_default();

    let mut request = Writer::request(method.as_bytes(), invite.uri().unwrap_or_default());
    request.header("Via", invite.list(Name::Via).next().unwrap_or_default()).header("Max-Forwards", "70");
    for route in invite.fields(Name::Route) {
        request.header("Route", route);
    }
    request
        .header("From", field(Name::From))
        .header("To", to.unwrap_or(field(Name::To)))
        .header("Call-ID", field(Name::CallId))
        .header_fmt("CSeq", format_args!("{number} {method}"))
        .raw(lines);
    request.finish(b"")
}

/// The same request in a transaction of its own (RFC 3261 §8.1.3.5): another branch, another CSeq number, and these header
/// lines in the place of its credentials; the rest is as it was, byte for byte. `request` is a whole request of ours as
/// it was sent.
///
/// # Panics
/// Where it is none.
pub fn resend(request: &[u8], branch: &Branch, cseq: u32, auth_lines: &[u8]) -> Bytes {
    let mut index = Index::default();
    let message = read(request, &mut index);
    let mut out = Vec::with_capacity(request.len() + auth_lines.len() + 16);
    let start_line = memchr::memmem::find(request, b"\r\n").map_or(0, |end| end + 2);
    out.extend_from_slice(&request[..start_line]);
    let mut auth_lines = Some(auth_lines);
    for header in message.headers() {
        match header.name {
            Name::Via => rebranch(&mut out, header.line, branch),
            Name::CSeq => {
                let method = message.method().map_or(b"".as_slice(), |method| method.as_bytes());
                for part in [b"CSeq: ", cseq.to_string().as_bytes(), b" ", method, b"\r\n"] {
                    out.extend_from_slice(part);
                }
            }
            Name::Authorization | Name::ProxyAuthorization => {}
            Name::ContentLength => {
                out.extend_from_slice(auth_lines.take().unwrap_or_default());
                out.extend_from_slice(header.line);
            }
            _ => out.extend_from_slice(header.line),
        }
    }
    out.extend_from_slice(auth_lines.unwrap_or_default());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(message.body());
    Bytes::from(out)
}

fn rebranch(out: &mut Vec<u8>, line: &[u8], branch: &Branch) {
    let at = memchr::memmem::find(line, COOKIE).expect("a request of ours has a branch of ours") + COOKIE.len();
    out.extend_from_slice(&line[..at]);
    out.extend_from_slice(branch);
    out.extend_from_slice(&line[at + branch.len()..]);
}

fn read<'m>(request: &'m [u8], index: &'m mut Index) -> Message<'m> {
    match scan(request, index) {
        Ok(Scanned::Message(message)) => message,
        _ => panic!("what was sent as a request is no SIP message"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_sent_again_with_credentials_and_nothing_else_changed() {
        let head = "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKaaaaaaaaaaaaaaaa;rport\r\n\
                    X-Odd :  as\r\n it was\r\nCSeq: 9 INVITE\r\n";
        let tail = "Content-Length: 4\r\n\r\nbody";
        let with = |auth: &str| format!("{head}{auth}{tail}");
        let once = resend(with("").as_bytes(), b"bbbbbbbbbbbbbbbb", 10, b"Authorization: one\r\n");
        let expected =
            |auth: &str| with(auth).replace("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb").replace("CSeq: 9 ", "CSeq: 10 ");
        assert_eq!(once, expected("Authorization: one\r\n"));
        let lines = "Proxy-Authorization: two\r\nAuthorization: three\r\n";
        assert_eq!(resend(&once, b"bbbbbbbbbbbbbbbb", 10, lines.as_bytes()), expected(lines));
    }
}
