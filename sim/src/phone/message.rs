//! SIP as text: the phone's own reading and writing, made apart from the core's on purpose.
//!
//! Nothing here is fast or forgiving: a line is a line, and what is odd is an error the phone reports.

/// A SIP message, every header a name and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the first line says.
    pub start: Start,
    /// Headers in order, compact names written out.
    pub headers: Vec<(String, String)>,
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
        method: String,
        /// The Request-URI.
        uri: String,
    },
    /// `SIP/2.0 status reason`
    Response {
        /// The status code.
        status: u16,
        /// The reason phrase.
        reason: String,
    },
}

impl Message {
    /// A request with no headers yet.
    pub fn request(method: &str, uri: &str) -> Message {
        let start = Start::Request { method: method.to_owned(), uri: uri.to_owned() };
        Message { start, headers: Vec::new(), body: String::new(), binary: None }
    }

    /// A response to `request`: its Via, From, To, Call-ID and CSeq come over (RFC 3261 §8.2.6.2).
    pub fn response(request: &Message, status: u16) -> Message {
        let start = Start::Response { status, reason: reason_phrase(status).to_owned() };
        let copied = ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"];
        let is_copied = |name: &str| copied.iter().any(|c| c.eq_ignore_ascii_case(name));
        let headers = request.headers.iter().filter(|(name, _)| is_copied(name)).cloned().collect();
        Message { start, headers, body: String::new(), binary: None }
    }

    /// The message with one header more.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Message {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The message with an SDP body.
    pub fn with_sdp(mut self, sdp: String) -> Message {
        self.headers.push(("Content-Type".to_owned(), "application/sdp".to_owned()));
        self.body = sdp;
        self
    }

    /// Gives the first header of that name another value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value.into(),
            None => self.headers.push((name.to_owned(), value.into())),
        }
    }

    /// Takes every header of that name out.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The message as a datagram, Content-Length added where it has none.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { status, reason } => format!("SIP/2.0 {status} {reason}\r\n"),
        };
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = self.body_bytes();
        if self.get("Content-Length").is_none() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        bytes
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
        let mut lines = head.split("\r\n");
        let start = parse_start(lines.next().unwrap_or_default())?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), headers.last_mut()) {
                value.push(' ');
                value.push_str(line.trim());
                continue;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| format!("no colon in the header line {line:?}"))?;
            headers.push((long_name(name.trim()).to_owned(), value.trim().to_owned()));
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
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every header of that name, one a line.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every value of that name, comma-separated ones apart.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| split_list(value))
            .collect()
    }

    /// CSeq number and method.
    pub fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.get("CSeq")?.split_once(' ')?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// The branch of the top Via; empty where there is none.
    pub fn branch(&self) -> &str {
        self.top_via().and_then(|via| param(via, "branch")).unwrap_or_default()
    }

    /// The top Via.
    pub fn top_via(&self) -> Option<&str> {
        self.list("Via").first().copied()
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

fn parse_start(line: &str) -> Result<Start, String> {
    let parts: Vec<&str> = line.splitn(3, ' ').collect();
    match parts[..] {
        ["SIP/2.0", status, reason] => {
            let status = status.parse().map_err(|_| format!("no status code in {line:?}"))?;
            Ok(Start::Response { status, reason: reason.to_owned() })
        }
        [method, uri, "SIP/2.0"] => Ok(Start::Request { method: method.to_owned(), uri: uri.to_owned() }),
        _ => Err(format!("not a start line: {line:?}")),
    }
}

fn long_name(name: &str) -> &str {
    match name {
        "v" => "Via",
        "f" => "From",
        "t" => "To",
        "i" => "Call-ID",
        "m" => "Contact",
        "l" => "Content-Length",
        "c" => "Content-Type",
        "k" => "Supported",
        "o" => "Event",
        "r" => "Refer-To",
        "b" => "Referred-By",
        _ => name,
    }
}

/// Comma-separated values; commas inside quotes and angle brackets do not count.
fn split_list(value: &str) -> Vec<&str> {
    let (mut quoted, mut depth, mut from, mut parts) = (false, 0, 0, Vec::new());
    for (i, c) in value.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '<' if !quoted => depth += 1,
            '>' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(value[from..i].trim());
                from = i + 1;
            }
            _ => {}
        }
    }
    parts.push(value[from..].trim());
    parts
}

/// A parameter of a header value, looked for behind the `>` where there is one; empty for a flag.
pub fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let params = value.rsplit_once('>').map_or(value, |(_, behind)| behind);
    params.split(';').skip(1).find_map(|p| {
        let (key, value) = p.split_once('=').unwrap_or((p, ""));
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// The URI of a From, To, Contact or Route value.
pub fn uri_of(value: &str) -> &str {
    match value.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        Some((uri, _)) => uri,
        None => value.split(';').next().unwrap_or_default().trim(),
    }
}

/// The user part of a URI; empty where there is none.
pub fn user_of(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    rest.split_once('@').map_or("", |(user, _)| user)
}

/// `host:port` of a URI as a socket address, port 5060 where none is given; none where the host is a name.
pub fn address_of(uri: &str) -> Option<std::net::SocketAddr> {
    let rest = uri.split_once(':')?.1;
    let rest = rest.split_once('@').map_or(rest, |(_, host)| host);
    let host_port = rest.split([';', '?']).next()?;
    host_port.parse().ok().or_else(|| {
        let host: std::net::IpAddr = host_port.trim_matches(['[', ']']).parse().ok()?;
        Some((host, 5060).into())
    })
}

fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        302 => "Moved Temporarily",
        404 => "Not Found",
        401 => "Unauthorized",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        420 => "Bad Extension",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        603 => "Decline",
        _ => "Answer",
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
