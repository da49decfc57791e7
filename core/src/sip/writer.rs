//! Writes messages: what the switch owns header by header, what it passes on line by line.

use super::decimal::{push_address, push_number};
use super::message::Header;
use bytes::Bytes;
use std::fmt::Arguments;
use std::io::Write;
use std::net::SocketAddr;

/// A message being written. Whatever a header's value holds, it stays one line: CR and LF in it become blanks, so that
/// nothing a peer or the configuration gives can begin a header of its own.
#[derive(Debug)]
pub struct Writer {
    text: Vec<u8>,
}

/// An INVITE with SDP is some 1,300 octets, and more than fits a frame few messages are.
const USUAL_BYTES: usize = 1536;

impl Writer {
    /// Begins a request.
    pub fn request(method: &[u8], uri: &[u8]) -> Writer {
        let mut writer = Writer { text: Vec::with_capacity(USUAL_BYTES) };
        writer.on_one_line(|text| {
            text.extend_from_slice(method);
            text.push(b' ');
            text.extend_from_slice(uri);
        });
        writer.text.extend_from_slice(b" SIP/2.0\r\n");
        writer
    }

    /// Begins a response. `status` is a SIP status code, 100 to 699.
    pub fn response(status: u16, reason: &str) -> Writer {
        debug_assert!((100..700).contains(&status), "a SIP status code, not {status}");
        let mut writer = Writer { text: Vec::with_capacity(USUAL_BYTES) };
        let digit = |power: u16| b'0' + (status / power % 10) as u8;
        writer.text.extend_from_slice(b"SIP/2.0 ");
        writer.text.extend_from_slice(&[digit(100), digit(10), digit(1), b' ']);
        writer.on_one_line(|text| text.extend_from_slice(reason.as_bytes()));
        writer.text.extend_from_slice(b"\r\n");
        writer
    }

    /// Begins header lines that go into a message later; see [`Writer::as_bytes`].
    pub fn lines() -> Writer {
        Writer { text: Vec::with_capacity(USUAL_BYTES / 4) }
    }

    /// Adds an address as it stands in Via, Contact and URIs: an IPv6 one in its brackets, the port always.
    pub fn address(&mut self, address: SocketAddr) -> &mut Writer {
        push_address(&mut self.text, address);
        self
    }

    /// Adds a number in decimal.
    pub fn number(&mut self, number: u64) -> &mut Writer {
        push_number(&mut self.text, number);
        self
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Adds a header.
    pub fn header(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Writer {
        self.field(name, |text| text.extend_from_slice(value.as_ref()))
    }

    /// Adds a header whose value is formatted.
    pub fn header_fmt(&mut self, name: &str, value: Arguments<'_>) -> &mut Writer {
        self.field(name, |text| text.write_fmt(value).expect("writing to memory does not fail"))
    }

    fn field(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) -> &mut Writer {
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b": ");
        self.on_one_line(value);
        self.text.extend_from_slice(b"\r\n");
        self
    }

    /// Adds a received header as it came, with CRLF for each line end.
    pub fn pass(&mut self, header: &Header<'_>) -> &mut Writer {
        if header.is_plain { self.raw(header.line) } else { self.line(header.line) }
    }

    /// Adds a received field as it is ([`crate::sip::Header::line`]), its folds included, with CRLF for each line end.
    pub fn line(&mut self, line: &[u8]) -> &mut Writer {
        let mut rest = line;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let piece = &rest[..end];
            self.text.extend_from_slice(piece.strip_suffix(b"\r").unwrap_or(piece));
            self.text.extend_from_slice(b"\r\n");
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        self
    }

    /// Adds octets as they are: whole header lines that the switch made itself.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Writer {
        self.text.extend_from_slice(bytes);
        self
    }

    /// Ends the headers with Content-Length and adds the body.
    pub fn finish(mut self, body: &[u8]) -> Bytes {
        self.text.reserve_exact(body.len() + b"Content-Length: 18446744073709551615\r\n\r\n".len());
        self.text.extend_from_slice(b"Content-Length: ");
        push_number(&mut self.text, body.len() as u64);
        self.text.extend_from_slice(b"\r\n\r\n");
        self.text.extend_from_slice(body);
        Bytes::from(self.text)
    }

    fn on_one_line(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        write(&mut self.text);
        let written = &mut self.text[start..];
        if memchr::memchr2(b'\r', b'\n', written).is_some() {
            written.iter_mut().filter(|byte| matches!(**byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Index, Scanned, reason_phrase, scan};

    #[test]
    fn a_request_and_a_response_are_written() {
        let mut writer = Writer::request(b"OPTIONS", b"sip:a@b");
        writer.header("Call-ID", "1@a").header_fmt("CSeq", format_args!("{} OPTIONS", 7)).raw(b"X: y\r\n");
        assert_eq!(
            writer.finish(b""),
            "OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1@a\r\nCSeq: 7 OPTIONS\r\nX: y\r\nContent-Length: 0\r\n\r\n"
        );
        let writer = Writer::response(486, reason_phrase(486));
        assert_eq!(writer.finish(b"body"), "SIP/2.0 486 Busy Here\r\nContent-Length: 4\r\n\r\nbody");
    }

    #[test]
    fn a_header_is_passed_on_as_by_its_line() {
        let text = b"OPTIONS sip:a SIP/2.0\r\nA: 1\r\nB: 2\n 3\r\nC: 4\n\r\n";
        let mut index = Index::default();
        let Ok(Scanned::Message(message)) = scan(text, &mut index) else { panic!("a message") };
        let (mut passed, mut lines) = (Writer::response(200, "OK"), Writer::response(200, "OK"));
        for header in message.headers() {
            passed.pass(&header);
            lines.line(header.line);
        }
        let passed = passed.finish(b"");
        assert_eq!(passed, "SIP/2.0 200 OK\r\nA: 1\r\nB: 2\r\n 3\r\nC: 4\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(passed, lines.finish(b""));
    }

    #[test]
    fn no_value_begins_a_line_of_its_own() {
        let mut writer = Writer::request(b"INVITE", b"sip:a@b\r\nX: 1");
        writer.header("Subject", "hi\r\nRoute: <sip:evil>\n\r").header("From", b"\"a\"\r\n <sip:b>");
        assert_eq!(
            writer.finish(b""),
            "INVITE sip:a@b  X: 1 SIP/2.0\r\nSubject: hi  Route: <sip:evil>  \r\nFrom: \"a\"   <sip:b>\r\n\
             Content-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_received_line_keeps_its_folds_and_gets_clean_ends() {
        let mut writer = Writer::response(200, "OK");
        writer.line(b"Subject: a\n b\r\n\tc\n").line(b"X: unended");
        assert_eq!(
            writer.finish(b""),
            "SIP/2.0 200 OK\r\nSubject: a\r\n b\r\n\tc\r\nX: unended\r\nContent-Length: 0\r\n\r\n"
        );
    }
}
