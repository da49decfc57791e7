//! SIP as text: the phone's own reading and writing, made apart from the core's on purpose.
//!
//! Nothing here is forgiving: a line is a line, and what is odd is an error the phone reports. The values of a message that
//! was read share its text.

mod text;
mod values;

use std::borrow::Cow;
pub use text::Text;
pub use values::{address_of, param, uri_of, user_of};
use values::{long_name, reason_phrase, split_list};

/// A SIP message, every header a name and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the first line says.
    pub start: Start,
    /// Headers in order, compact names written out.
    pub headers: Vec<(Cow<'static, str>, Text)>,
    /// What follows the blank line.
    pub body: String,
    /// The body where it is no text; [`Message::body`] then is what can be shown of it.
    pub binary: Option<Vec<u8>>,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// `METHOD uri SIP/2.0`
    Request {
        /// The method.
        method: Text,
        /// The Request-URI.
        uri: Text,
    },
    /// `SIP/2.0 status reason`
    Response {
        /// The status code.
        status: u16,
        /// The reason phrase.
        reason: Text,
    },
}

impl Message {
    /// A request with no headers yet.
    pub fn request(method: &str, uri: &str) -> Message {
        let start = Start::Request { method: method.into(), uri: uri.into() };
        Message { start, headers: Vec::with_capacity(12), body: String::new(), binary: None }
    }

    /// A response to `request`: its Via, From, To, Call-ID and CSeq come over (RFC 3261 §8.2.6.2).
    pub fn response(request: &Message, status: u16) -> Message {
        let start = Start::Response { status, reason: Text::Fixed(reason_phrase(status)) };
        let copied = ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"];
        let is_copied = |name: &str| copied.iter().any(|c| c.eq_ignore_ascii_case(name));
        let mut headers = Vec::with_capacity(10);
        headers.extend(request.headers.iter().filter(|(name, _)| is_copied(name)).cloned());
        Message { start, headers, body: String::new(), binary: None }
    }

    /// The message with one header more.
    pub fn with(mut self, name: &str, value: impl Into<Text>) -> Message {
        self.headers.push((long_name(name), value.into()));
        self
    }

    /// The message with one header more, before all others.
    pub fn with_first(mut self, name: &str, value: impl Into<Text>) -> Message {
        self.headers.insert(0, (long_name(name), value.into()));
        self
    }

    /// The message with an SDP body.
    pub fn with_sdp(mut self, sdp: String) -> Message {
        self.body = sdp;
        self.with("Content-Type", Text::Fixed("application/sdp"))
    }

    /// Gives the first header of that name another value.
    pub fn set(&mut self, name: &str, value: impl Into<Text>) {
        match self.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value.into(),
            None => self.headers.push((long_name(name), value.into())),
        }
    }

    /// Takes every header of that name out.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The message as a datagram, Content-Length added where it has none.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = self.body_bytes();
        let size: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut out = Vec::with_capacity(size + body.len() + 128);
        let mut put = |parts: &[&str]| parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
        match &self.start {
            Start::Request { method, uri } => put(&[method, " ", uri, " SIP/2.0\r\n"]),
            Start::Response { status, reason } => put(&["SIP/2.0 ", &status.to_string(), " ", reason, "\r\n"]),
        }
        for (name, value) in &self.headers {
            put(&[name, ": ", value, "\r\n"]);
        }
        if self.get("Content-Length").is_none() {
            put(&["Content-Length: ", &body.len().to_string(), "\r\n"]);
        }
        put(&["\r\n"]);
        out.extend_from_slice(body);
        out
    }

    /// The body as it is on the wire.
    pub fn body_bytes(&self) -> &[u8] {
        self.binary.as_deref().unwrap_or(self.body.as_bytes())
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(datagram: &[u8]) -> Result<Message, String> {
        let message = Message::parse_leniently(datagram)?;
        match message.get("Content-Length").map(str::parse::<usize>) {
            Some(Ok(length)) if length == message.body_bytes().len() => Ok(message),
            Some(length) => {
                Err(format!("Content-Length {length:?} over a body of {} octets", message.body_bytes().len()))
            }
            None => Err("no Content-Length".to_owned()),
        }
    }

    /// Reads a datagram for showing it: the length of its body is what it is.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse_leniently(datagram: &[u8]) -> Result<Message, String> {
        let blank =
            datagram.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("no blank line after the headers")?;
        let head = std::str::from_utf8(&datagram[..blank]).map_err(|_| "headers that are not UTF-8".to_owned())?;
        let body = &datagram[blank + 4..];
        let (body, binary) = match std::str::from_utf8(body) {
            Ok(text) => (text.to_owned(), None),
            Err(_) => (String::from_utf8_lossy(body).into_owned(), Some(body.to_vec())),
        };
        let whole = Text::from(head);
        let mut lines = Lines { rest: Some(&whole) };
        let start = parse_start(&whole, lines.next().unwrap_or_default())?;
        let mut headers: Vec<(Cow<'static, str>, Text)> = Vec::with_capacity(16);
        for line in lines {
            if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), headers.last_mut()) {
                *value = format!("{value} {}", line.trim()).into();
                continue;
            }
            let colon = line.bytes().position(|byte| byte == b':');
            let colon = colon.ok_or_else(|| format!("no colon in the header line {line:?}"))?;
            headers.push((long_name(line[..colon].trim_ascii()), whole.part(line[colon + 1..].trim_ascii())));
        }
        Ok(Message { start, headers, body, binary })
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI of a request.
    pub fn uri(&self) -> Option<&str> {
        match &self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status, .. } => Some(status),
            Start::Request { .. } => None,
        }
    }

    /// The first header of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Every header of that name, one a line.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Every value of that name, comma-separated ones apart.
    pub fn list<'a>(&'a self, name: &str) -> Vec<&'a str> {
        self.values(name).collect()
    }

    /// The same one after another.
    pub fn values<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.all(name).flat_map(split_list)
    }

    /// CSeq number and method.
    pub fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.get("CSeq")?.split_once(' ')?;
        Some((number.parse().ok()?, method.trim_ascii()))
    }

    /// The branch of the top Via; empty where there is none.
    pub fn branch(&self) -> &str {
        self.top_via().and_then(|via| param(via, "branch")).unwrap_or_default()
    }

    /// The top Via.
    pub fn top_via(&self) -> Option<&str> {
        self.get("Via").and_then(|value| split_list(value).next())
    }

    /// The host and port of the top Via.
    pub fn sent_by(&self) -> Option<&str> {
        self.top_via()?.split([' ', ';']).nth(1)
    }

    /// The tag of From.
    pub fn from_tag(&self) -> Option<&str> {
        param(self.get("From")?, "tag")
    }

    /// The tag of To.
    pub fn to_tag(&self) -> Option<&str> {
        param(self.get("To")?, "tag")
    }

    /// Call-ID; empty where there is none.
    pub fn call_id(&self) -> &str {
        self.get("Call-ID").unwrap_or_default()
    }
}

/// The lines of a text, each ended by CRLF but the last.
struct Lines<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let mut from = 0;
        while let Some(found) = rest[from..].bytes().position(|byte| byte == b'\r') {
            let at = from + found;
            if rest.as_bytes().get(at + 1) == Some(&b'\n') {
                self.rest = Some(&rest[at + 2..]);
                return Some(&rest[..at]);
            }
            from = at + 1;
        }
        self.rest.take()
    }
}

fn parse_start(whole: &Text, line: &str) -> Result<Start, String> {
    let wrong = || format!("not a start line: {line:?}");
    let (first, rest) = line.split_once(' ').ok_or_else(wrong)?;
    let (second, third) = rest.split_once(' ').ok_or_else(wrong)?;
    match (first, third) {
        ("SIP/2.0", reason) => {
            let status = second.parse().map_err(|_| format!("no status code in {line:?}"))?;
            Ok(Start::Response { status, reason: whole.part(reason) })
        }
        (method, "SIP/2.0") => Ok(Start::Request { method: whole.part(method), uri: whole.part(second) }),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let message = Message::request("OPTIONS", "sip:a@192.0.2.1")
            .with("Via", "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKx;rport, SIP/2.0/UDP p;branch=z9hG4bKy")
            .with("From", "\"a, <b>\" <sip:a@b;tag=no>;tag=yes")
            .with("CSeq", "7 OPTIONS");
        let mut read = Message::parse(&message.to_bytes()).unwrap();
        assert_eq!((read.branch(), read.from_tag(), read.cseq()), ("z9hG4bKx", Some("yes"), Some((7, "OPTIONS"))));
        assert_eq!(read.list("via").len(), 2);
        read.remove("Content-Length");
        assert_eq!(read, message);
    }

    #[test]
    fn a_length_that_lies_is_an_error() {
        let text = "SIP/2.0 200 OK\r\nContent-Length: 4\r\n\r\nabc";
        assert!(Message::parse(text.as_bytes()).unwrap_err().contains("Content-Length"));
    }

    #[test]
    fn addresses_of_uris() {
        assert_eq!(address_of("sip:u@192.0.2.9:5070;lr"), Some("192.0.2.9:5070".parse().unwrap()));
        assert_eq!(address_of("sip:[2001:db8::1]"), Some("[2001:db8::1]:5060".parse().unwrap()));
        assert_eq!(address_of("sip:u@example.net"), None);
    }
}
