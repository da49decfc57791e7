//! The scanner: one pass over a datagram that finds the start line, every header field and the body, without copying.

use super::chars::{is_lws, is_token, is_token_char, number, split_while, trim_end, trim_start};
use super::message::{Header, Message, Start};
use super::method::Method;
use super::names::{COUNT, Name};
use super::sanity::Defect;
use crate::limits::{DATAGRAM_BYTES, HEADERS_PER_MESSAGE};
use memchr::{memchr, memchr2, memrchr};

/// Where the header fields of a message stand. Scratch space: one serves for every message, and once warm the scanner
/// allocates nothing.
#[derive(Debug)]
pub struct Index {
    fields: Vec<Field>,
    /// By name, where its first field stands in `fields`, plus one; 0 for none.
    first: [u16; COUNT],
    /// The names that occur more than once, as bits.
    repeated: u128,
}

/// One header field as offsets into the datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: Name,
    /// Whether it is one line that ends in CRLF.
    is_plain: bool,
    start: u16,
    name_end: u16,
    value_start: u16,
    value_end: u16,
    /// Behind the line end.
    end: u16,
}

impl Field {
    #[inline]
    pub(super) fn value<'m>(&self, datagram: &'m [u8]) -> &'m [u8] {
        cut(datagram, self.value_start, self.value_end)
    }

    #[inline]
    pub(super) fn header<'m>(&self, datagram: &'m [u8]) -> Header<'m> {
        Header {
            name: self.name,
            raw_name: cut(datagram, self.start, self.name_end),
            value: self.value(datagram),
            line: cut(datagram, self.start, self.end),
            is_plain: self.is_plain,
        }
    }
}

/// The octets between two offsets of the scanner, which are in range and in order. Without a panic the compiler may
/// leave out the parts of a header that its caller does not use.
#[inline]
fn cut(datagram: &[u8], start: u16, end: u16) -> &[u8] {
    let cut = datagram.get(usize::from(start)..usize::from(end));
    debug_assert!(cut.is_some(), "the scanner's offsets {start}..{end} are not within {} octets", datagram.len());
    cut.unwrap_or_default()
}

// Offsets are 16 bits, and so is a field's number plus one.
const _: () = assert!(DATAGRAM_BYTES <= u16::MAX as usize);
const _: () = assert!(HEADERS_PER_MESSAGE < u16::MAX as usize);

impl Default for Index {
    fn default() -> Index {
        Index { fields: Vec::with_capacity(HEADERS_PER_MESSAGE / 4), first: [0; COUNT], repeated: 0 }
    }
}

impl Index {
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Where the first field of this name stands.
    pub(super) fn first(&self, name: Name) -> Option<usize> {
        usize::from(self.first[name as usize]).checked_sub(1)
    }

    /// Whether the name occurs more than once.
    pub(super) fn is_repeated(&self, name: Name) -> bool {
        self.repeated & 1 << name as u32 != 0
    }

    pub(super) fn repeated(&self) -> u128 {
        self.repeated
    }

    fn clear(&mut self) {
        self.fields.clear();
        self.first = [0; COUNT];
        self.repeated = 0;
    }

    fn push(&mut self, field: Field) {
        self.fields.push(field);
        let first = &mut self.first[field.name as usize];
        if *first == 0 {
            *first = self.fields.len() as u16;
        } else {
            self.repeated |= 1 << field.name as u32;
        }
    }
}

/// What a datagram holds.
#[derive(Clone, Copy, Debug)]
pub enum Scanned<'m> {
    /// A message, perhaps a faulty one: [`crate::sip::check`] says.
    Message(Message<'m>),
    /// Nothing but line ends.
    KeepAlive(KeepAlive),
}

/// A keep-alive (RFC 5626 §3.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// CRLFCRLF: asks for a pong.
    Ping,
    /// CRLF. Anything else that is blank counts as one too, for it asks for nothing.
    Pong,
}

/// The datagram is no SIP message, nor one so nearly that an answer could be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ScanError {
    /// What is wrong, in words.
    pub reason: &'static str,
}

/// Finds the parts of the message in this datagram. Lenient: a faulty message in which the parts can still be told from
/// each other is returned as well, so that it can be answered, and [`crate::sip::check`] names its fault.
///
/// # Errors
/// Where there is neither a start line nor a Via header, or more octets than a datagram can have.
///
/// # Examples
/// ```
/// use crosspoint_core::sip::{Index, Name, Scanned, scan};
///
/// let mut index = Index::default();
/// let datagram = b"OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP c\r\n\r\n";
/// let Ok(Scanned::Message(message)) = scan(datagram, &mut index) else { panic!("a message") };
/// assert_eq!(message.value(Name::Via), Some(&b"SIP/2.0/UDP c"[..]));
/// ```
pub fn scan<'m>(datagram: &'m [u8], index: &'m mut Index) -> Result<Scanned<'m>, ScanError> {
    if datagram.len() > DATAGRAM_BYTES {
        return Err(ScanError { reason: "longer than a datagram can be" });
    }
    // RFC 3261 §7.5: line ends before the start line are ignored.
    let Some(start) = datagram.iter().position(|byte| !matches!(byte, b'\r' | b'\n')) else {
        return Ok(Scanned::KeepAlive(keep_alive(datagram)));
    };
    if datagram[start..].iter().all(|&byte| is_lws(byte) || byte == 0) {
        return Ok(Scanned::KeepAlive(KeepAlive::Pong));
    }
    index.clear();
    let mut scanner = Scanner { bytes: datagram, index, fault: None };
    let (line_end, fields_start) = scanner.line_end(start);
    let start_line = scanner.start_line(&datagram[start..line_end]);
    let startless = scanner.fault.is_some_and(|fault| fault.reason == START_LINE);
    let body_start = scanner.fields(fields_start);
    let body = scanner.body(body_start);
    let Scanner { bytes, index, fault } = scanner;
    if startless && index.first(Name::Via).is_none() {
        return Err(ScanError { reason: "neither a start line nor a Via" });
    }
    Ok(Scanned::Message(Message { bytes, index, start: start_line, body, fault }))
}

fn keep_alive(datagram: &[u8]) -> KeepAlive {
    if datagram == b"\r\n\r\n" { KeepAlive::Ping } else { KeepAlive::Pong }
}

const START_LINE: &str = "sip.start-line";

struct Scanner<'m, 'i> {
    bytes: &'m [u8],
    index: &'i mut Index,
    /// The first fault found.
    fault: Option<Defect>,
}

impl<'m> Scanner<'m, '_> {
    fn fault(&mut self, status: u16, reason: &'static str) {
        self.fault.get_or_insert(Defect { status: Some(status), reason });
    }

    /// Where the line that `from` stands in ends, and where the next one begins. CR without LF ends no line and is a
    /// fault: others may read it as a line end and see headers that we do not.
    fn line_end(&mut self, from: usize) -> (usize, usize) {
        let mut at = from;
        while let Some(found) = self.bytes.get(at..).and_then(|rest| memchr2(b'\r', b'\n', rest)) {
            at += found;
            match &self.bytes[at..] {
                [b'\r', b'\n', ..] => return (at, at + 2),
                [b'\n', ..] => return (at, at + 1),
                _ => {
                    self.fault(400, "sip.bare-cr");
                    at += 1;
                }
            }
        }
        (self.bytes.len(), self.bytes.len())
    }

    fn start_line(&mut self, line: &'m [u8]) -> Start<'m> {
        if line.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/")) {
            return self.status_line(line);
        }
        let (method, rest) = split_at_blank(line);
        let (uri, version) = match memrchr(b' ', rest) {
            Some(blank) => (&rest[..blank], &rest[blank + 1..]),
            None => (rest, &rest[..0]),
        };
        if !is_token(method) {
            self.fault(400, START_LINE);
        }
        self.version(version);
        Start::Request { method: Method::of(method), uri }
    }

    fn status_line(&mut self, line: &'m [u8]) -> Start<'m> {
        let (version, rest) = split_at_blank(line);
        let (code, reason) = split_at_blank(rest);
        self.version(version);
        let status = Some(code).filter(|code| code.len() == 3).and_then(|code| number(code, 699));
        let status = status.filter(|&status| status >= 100).unwrap_or_else(|| {
            self.fault(400, "sip.status-code");
            0
        });
        Start::Response { status: status as u16, reason }
    }

    /// RFC 3261 §7.1: the version is in any case of letters, and 2.0.
    fn version(&mut self, version: &[u8]) {
        if version == b"SIP/2.0" || version.eq_ignore_ascii_case(b"SIP/2.0") {
            return;
        }
        if is_version(version) {
            self.fault(505, "sip.version");
        } else {
            self.fault(400, START_LINE);
        }
    }

    /// Finds the header fields from `at` on; returns where the body begins.
    fn fields(&mut self, mut at: usize) -> usize {
        loop {
            match &self.bytes[at..] {
                [b'\r', b'\n', ..] => return at + 2,
                [b'\n', ..] => return at + 1,
                [] => {
                    self.fault(400, "sip.no-empty-line");
                    return at;
                }
                _ => at = self.field(at),
            }
        }
    }

    /// Finds the field that begins at `start`, folds included (RFC 3261 §7.3.1); returns where the next one begins.
    fn field(&mut self, start: usize) -> usize {
        let bytes = self.bytes;
        let name = split_while(&bytes[start..], is_token_char).0;
        let name_end = start + name.len();
        let (mut value_end, mut end) = self.line_end(name_end);
        let mut is_plain = end - value_end == 2;
        while matches!(bytes.get(end), Some(b' ' | b'\t')) {
            (value_end, end) = self.line_end(end);
            is_plain = false;
        }
        let mut colon = name_end;
        if bytes.get(colon) != Some(&b':') {
            colon += bytes[colon..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        }
        // Line ends are neither blanks nor colons, so what is found is in this field.
        if name.is_empty() || bytes.get(colon) != Some(&b':') {
            self.fault(400, "sip.header-line");
            return end;
        }
        if self.index.fields.len() == HEADERS_PER_MESSAGE {
            self.fault(400, "sip.too-many-headers");
            return end;
        }
        let value = trim_start(&bytes[colon + 1..value_end]);
        let value_start = value_end - value.len();
        value_end = value_start + trim_end(value).len();
        self.index.push(Field {
            name: Name::of(name),
            is_plain,
            start: start as u16,
            name_end: name_end as u16,
            value_start: value_start as u16,
            value_end: value_end as u16,
            end: end as u16,
        });
        end
    }

    /// The body: as long as Content-Length says (RFC 3261 §18.3), else the rest of the datagram.
    fn body(&mut self, start: usize) -> &'m [u8] {
        let rest = &self.bytes[start..];
        let Some(first) = self.index.first(Name::ContentLength) else { return rest };
        let length = |field: &Field| number(field.value(self.bytes), u32::MAX);
        let stated = length(&self.index.fields[first]);
        let others = &self.index.fields[first + 1..];
        if self.index.is_repeated(Name::ContentLength)
            && others.iter().any(|field| field.name == Name::ContentLength && length(field) != stated)
        {
            self.fault(400, "sip.content-length-repeated");
            return rest;
        }
        match stated {
            None => self.fault(400, "sip.content-length"),
            Some(length) if length as usize > rest.len() => self.fault(400, "sip.content-length-too-long"),
            Some(length) => return &rest[..length as usize],
        }
        rest
    }
}

/// Splits at the first blank, which goes to neither side.
fn split_at_blank(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b' ', text) {
        Some(blank) => (&text[..blank], &text[blank + 1..]),
        None => (text, &text[text.len()..]),
    }
}

/// Whether it is a SIP version, of whatever number (RFC 3261 §25.1 `SIP-Version`).
fn is_version(text: &[u8]) -> bool {
    let Some((name, numbers)) = text.split_at_checked(4) else { return false };
    let mut parts = numbers.split(|&byte| byte == b'.');
    let mut is_number = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    name.eq_ignore_ascii_case(b"SIP/") && is_number() && is_number() && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::check;

    /// Scans the text and gives the message to the test.
    fn with<T>(text: impl AsRef<[u8]>, test: impl FnOnce(Message<'_>) -> T) -> T {
        let mut index = Index::default();
        match scan(text.as_ref(), &mut index) {
            Ok(Scanned::Message(message)) => test(message),
            other => panic!("no message but {other:?}"),
        }
    }

    fn fault(text: impl AsRef<[u8]>) -> Option<(Option<u16>, &'static str)> {
        with(text, |message| message.fault.map(|fault| (fault.status, fault.reason)))
    }

    #[test]
    fn the_index_serves_one_message_after_the_other() {
        let mut index = Index::default();
        let _ = scan(b"A sip:a SIP/2.0\r\nVia: 1\r\nVia: 2\r\nTo: x\r\n\r\n", &mut index);
        let Ok(Scanned::Message(message)) = scan(b"B sip:b SIP/2.0\r\nv: 3\r\n\r\n", &mut index) else {
            panic!("a message");
        };
        assert_eq!(message.fields(Name::Via).collect::<Vec<_>>(), [b"3"]);
        assert_eq!(message.value(Name::To), None);
        assert!(!message.index.is_repeated(Name::Via));
    }

    #[test]
    fn folds_blanks_and_bare_line_feeds_are_read() {
        with("\r\n\r\nINVITE sip:a SIP/2.0\nSubject  :\r\n  one\n\ttwo  \r\nx:y\n\nbody", |message| {
            assert_eq!(message.method(), Some(Method::Invite));
            assert_eq!(message.value(Name::Subject), Some(&b"one\n\ttwo"[..]));
            assert_eq!(message.value(Name::SessionExpires), Some(&b"y"[..]));
            assert_eq!((message.find(b"X"), message.find(b"Session-Expires")), (Some(&b"y"[..]), None));
            assert_eq!(message.body(), b"body");
            let lines: Vec<_> = message.headers().map(|header| header.line).collect();
            assert_eq!(lines, [&b"Subject  :\r\n  one\n\ttwo  \r\n"[..], b"x:y\n"]);
        });
    }

    #[test]
    fn keep_alives_are_told_apart() {
        let mut index = Index::default();
        for (datagram, kind) in [
            (&b"\r\n\r\n"[..], KeepAlive::Ping),
            (b"\r\n", KeepAlive::Pong),
            (b"", KeepAlive::Pong),
            (b" \r\n\t", KeepAlive::Pong),
            (b"\0\0\0\0", KeepAlive::Pong),
        ] {
            let found = scan(datagram, &mut index);
            assert!(matches!(found, Ok(Scanned::KeepAlive(found)) if found == kind), "{datagram:?} {found:?}");
        }
    }

    #[test]
    fn what_is_no_sip_is_an_error() {
        let mut index = Index::default();
        for datagram in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"\x00\x01\x00\x00\x21\x12\xa4\x42",
            b"hello",
            b"INVITE sip:a SIP/2.0junk\r\nTo: a\r\n\r\n",
            &[b'a'; DATAGRAM_BYTES + 1],
        ] {
            assert!(scan(datagram, &mut index).is_err(), "{:?}", &datagram[..datagram.len().min(40)]);
        }
    }

    #[test]
    fn the_body_is_as_long_as_content_length_says() {
        let head = "A sip:a SIP/2.0\r\n";
        with(format!("{head}l: 2\r\n\r\nbody"), |message| assert_eq!(message.body(), b"bo"));
        with(format!("{head}l: 2\r\nContent-Length:02\r\n\r\nbody"), |message| {
            assert_eq!((message.body(), message.fault), (&b"bo"[..], None));
        });
        with(format!("{head}\r\nbody"), |message| assert_eq!(message.body(), b"body"));
        for (length, reason) in [
            ("l: 5", "sip.content-length-too-long"),
            ("l: -1", "sip.content-length"),
            ("l: ", "sip.content-length"),
            ("l: 99999999999999999999", "sip.content-length"),
            ("l: 1\r\nl: 2", "sip.content-length-repeated"),
            ("l: 1\r\nl: x", "sip.content-length-repeated"),
        ] {
            assert_eq!(fault(format!("{head}{length}\r\n\r\nbody")), Some((Some(400), reason)), "{length}");
        }
    }

    #[test]
    fn faults_are_kept_for_the_sanity_step() {
        for (text, status, reason) in [
            ("A sip:a SIP/7.0\r\nv:x\r\n\r\n", 505, "sip.version"),
            ("A sip:a SIP/2\r\nv:x\r\n\r\n", 400, START_LINE),
            ("A  SIP/2.0 \r\nv:x\r\n\r\n", 400, START_LINE),
            ("A sip:a\r\nv:x\r\n\r\n", 400, START_LINE),
            ("\x01 sip:a SIP/2.0\r\nv:x\r\n\r\n", 400, START_LINE),
            ("SIP/2.0 4294967301 x\r\nv:x\r\n\r\n", 400, "sip.status-code"),
            ("SIP/2.0 099 x\r\nv:x\r\n\r\n", 400, "sip.status-code"),
            ("SIP/2.0 700 x\r\nv:x\r\n\r\n", 400, "sip.status-code"),
            ("A sip:a SIP/2.0\r\nv:x", 400, "sip.no-empty-line"),
            ("A sip:a SIP/2.0\r\nv:x\rTo: y\r\n\r\n", 400, "sip.bare-cr"),
            ("A sip:a SIP/2.0\r\nno colon\r\n\r\n", 400, "sip.header-line"),
            ("A sip:a SIP/2.0\r\nb@d: x\r\n\r\n", 400, "sip.header-line"),
            ("A sip:a SIP/2.0\r\n: x\r\n\r\n", 400, "sip.header-line"),
            ("A sip:a SIP/2.0\r\n fold\r\n\r\n", 400, "sip.header-line"),
        ] {
            assert_eq!(fault(text), Some((Some(status), reason)), "{text:?}");
        }
        let many = "x: y\r\n".repeat(HEADERS_PER_MESSAGE + 1);
        assert_eq!(fault(format!("A sip:a SIP/2.0\r\n{many}\r\n")), Some((Some(400), "sip.too-many-headers")));
    }

    #[test]
    fn a_reason_phrase_may_be_anything_or_nothing() {
        for (line, reason) in
            [("SIP/2.0 100 ", &b""[..]), ("SIP/2.0 100", b""), ("sip/2.0 100 a, \u{41f} b", "a, \u{41f} b".as_bytes())]
        {
            with(format!("{line}\r\n\r\n"), |message| {
                assert_eq!(message.start(), Start::Response { status: 100, reason });
                assert_eq!(message.fault, None);
                assert_eq!(check(&message).map_err(|defect| defect.status), Err(None), "no Via, and a response");
            });
        }
    }
}
