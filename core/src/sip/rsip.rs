//! Conversions to and from the types of the rsip crate, for those whose code speaks them. The switch itself never does:
//! rsip copies every header and cannot hold every message (IPv6 hosts and unknown methods in the start line, octets that
//! are not UTF-8, reason phrases of one's own for codes it knows).
//!
//! Neither way goes through rsip's printing, which alters binary bodies, IPv6 hosts and `tel:`.
//!
//! ```
//! use crosspoint_core::sip::{self, Index, Scanned};
//! use rsip::prelude::*;
//!
//! let datagram = b"OPTIONS sip:bob@example.com SIP/2.0\r\nv: SIP/2.0/UDP pc;branch=z9hG4bK1\r\nX-Key: 1\r\n\r\n";
//! let mut index = Index::default();
//! let Ok(Scanned::Message(message)) = sip::scan(datagram, &mut index) else { panic!("it is a message") };
//!
//! let theirs = rsip::SipMessage::try_from(&message)?;
//! assert_eq!(theirs.via_header()?.value(), "SIP/2.0/UDP pc;branch=z9hG4bK1");
//! assert!(sip::rsip::datagram(&theirs)?.starts_with(b"OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP pc"));
//! # Ok::<(), rsip::Error>(())
//! ```

use super::{Message, Name, Start, Writer, reason_phrase};
use bytes::Bytes;
use rsip::common::uri::{Host, Scheme};
use rsip::message::HasHeaders;
use rsip::{Error, Header, SipMessage, StatusCode, Uri};

/// Compact names are written in full, folds become spaces, and Content-Length says what the body has.
///
/// # Errors
///
/// What rsip says where it cannot hold the start line, or a name or value is not UTF-8.
impl TryFrom<&Message<'_>> for SipMessage {
    type Error = Error;

    fn try_from(message: &Message<'_>) -> Result<SipMessage, Error> {
        let mut writer = match message.start() {
            Start::Request { method, uri } => Writer::request(method.as_bytes(), uri),
            Start::Response { status, reason } => Writer::response(status, &String::from_utf8_lossy(reason)),
        };
        for header in message.headers().filter(|header| header.name != Name::ContentLength) {
            let name = match header.name {
                Name::Unknown => std::str::from_utf8(header.raw_name).map_err(|e| Error::Utf8Error(e.to_string()))?,
                known => known.as_str(),
            };
            writer.header(name, header.value);
        }
        SipMessage::try_from(writer.finish(message.body()))
    }
}

/// The message as it goes on the wire, with a Content-Length of its body.
///
/// # Errors
///
/// Where a header's name is no token: it would begin another header, or none.
pub fn datagram(message: &SipMessage) -> Result<Bytes, Error> {
    let mut writer = match message {
        SipMessage::Request(request) => {
            Writer::request(request.method.to_string().as_bytes(), uri_text(&request.uri).as_bytes())
        }
        SipMessage::Response(response) => match &response.status_code {
            StatusCode::Other(code, reason) => Writer::response(*code, reason),
            known => Writer::response(known.code(), reason_phrase(known.code())),
        },
    };
    for header in message.headers().iter().filter(|header| !matches!(header, Header::ContentLength(_))) {
        let text = header.to_string();
        let (name, value) = text.split_once(": ").unwrap_or((text.as_str(), ""));
        if name.is_empty() || !name.bytes().all(is_token_char) {
            return Err(Error::Unexpected(format!("{name:?} is not a header name")));
        }
        writer.header(name, value);
    }
    Ok(writer.finish(message.body()))
}

/// RFC 3261 §25.1, `token`.
fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// A Request-URI: rsip writes `tel://` and an IPv6 host without its brackets.
fn uri_text(uri: &Uri) -> String {
    let scheme = match &uri.scheme {
        Some(Scheme::Sips) => "sips",
        Some(Scheme::Other(other)) => other.as_str(),
        Some(Scheme::Sip) | None => "sip",
    };
    let user = uri.auth.as_ref().map(|auth| format!("{auth}@")).unwrap_or_default();
    let host = match &uri.host_with_port.host {
        Host::IpAddr(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        other => other.to_string(),
    };
    let port = uri.host_with_port.port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
    let params: String = uri.params.iter().map(ToString::to_string).collect();
    format!("{scheme}:{user}{host}{port}{params}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Index, Scanned, scan};

    fn converted(datagram: &[u8]) -> Result<SipMessage, Error> {
        let mut index = Index::default();
        match scan(datagram, &mut index) {
            Ok(Scanned::Message(message)) => SipMessage::try_from(&message),
            other => panic!("no message: {other:?}"),
        }
    }

    #[test]
    fn there_and_back_the_message_means_the_same() {
        let text = b"MESSAGE sip:bob@example.com;lr SIP/2.0\r\nf: \"B\xc3\xbcro\" <sip:a@[2001:db8::1]>;tag=1\r\n\
            Subject: folded\r\n  twice\r\nX-Own: a, b\r\nl: 3\r\n\r\n\xff\0\r";
        let back = datagram(&converted(text).unwrap()).unwrap();
        let expected =
            b"MESSAGE sip:bob@example.com;lr SIP/2.0\r\nFrom: \"B\xc3\xbcro\" <sip:a@[2001:db8::1]>;tag=1\r\n\
            Subject: folded    twice\r\nX-Own: a, b\r\nContent-Length: 3\r\n\r\n\xff\0\r";
        assert_eq!(String::from_utf8_lossy(&back), String::from_utf8_lossy(expected));
        assert_eq!(&back[..], expected);
    }

    #[test]
    fn a_response_keeps_its_status_and_gets_the_registered_reason() {
        let back = datagram(&converted(b"SIP/2.0 183 Wait a bit\r\nTo: <sip:b>\r\n\r\n").unwrap()).unwrap();
        assert_eq!(&back[..], b"SIP/2.0 183 Session Progress\r\nTo: <sip:b>\r\nContent-Length: 0\r\n\r\n");
        let back = datagram(&converted(b"SIP/2.0 499 Own words\r\nTo: <sip:b>\r\n\r\n").unwrap()).unwrap();
        assert_eq!(&back[..], b"SIP/2.0 499 Own words\r\nTo: <sip:b>\r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn what_rsip_cannot_hold_is_refused() {
        assert!(converted(b"NEWMETHOD sip:a@b SIP/2.0\r\nTo: <sip:b>\r\n\r\n").is_err());
        assert!(converted(b"INVITE sip:a@[::1] SIP/2.0\r\nTo: <sip:b>\r\n\r\n").is_err());
        assert!(converted(b"INVITE sip:a@b SIP/2.0\r\nTo: B\xfcro <sip:b>\r\n\r\n").is_err());
    }

    #[test]
    fn an_address_of_version_6_gets_its_brackets() {
        let host: std::net::IpAddr = "2001:db8::1".parse().unwrap();
        let uri = Uri { scheme: Some(Scheme::Sips), host_with_port: (host, 5061).into(), ..Uri::default() };
        assert_eq!(uri_text(&uri), "sips:[2001:db8::1]:5061");
    }

    #[test]
    fn a_name_or_a_value_begins_no_header_of_its_own() {
        let mut message = converted(b"INVITE sip:a@b SIP/2.0\r\nTo: <sip:b>\r\n\r\n").unwrap();
        message.headers_mut().push(Header::Other("X-A".into(), "1\r\nX-B: 2".into()));
        assert!(datagram(&message).unwrap().ends_with(b"X-A: 1  X-B: 2\r\nContent-Length: 0\r\n\r\n"));
        message.headers_mut().push(Header::Other("X-A: 1\r\nX-B".into(), "2".into()));
        assert!(datagram(&message).is_ok_and(|bytes| !bytes.windows(5).any(|at| at == b"\nX-B:")));
        message.headers_mut().push(Header::Other("X B".into(), "2".into()));
        assert!(datagram(&message).is_err());
    }
}
