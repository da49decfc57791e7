//! A datagram in one pass: where the few things stand that the checks ask for. Nothing is copied.
//!
//! It is forgiving, since what peers send may be broken: what cannot be read is simply not there. The checks say what
//! must be there in what the switch sends.

use super::ids::{Id, id};

/// The methods that some check tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Invite,
    Ack,
    Cancel,
    Bye,
    Prack,
    Update,
    Refer,
    Notify,
    Subscribe,
    Register,
    Other,
}

impl Method {
    fn of(name: &[u8]) -> Method {
        match name {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"CANCEL" => Method::Cancel,
            b"BYE" => Method::Bye,
            b"PRACK" => Method::Prack,
            b"UPDATE" => Method::Update,
            b"REFER" => Method::Refer,
            b"NOTIFY" => Method::Notify,
            b"SUBSCRIBE" => Method::Subscribe,
            b"REGISTER" => Method::Register,
            _ => Method::Other,
        }
    }
}

impl Method {
    /// The name, where it is one of these.
    pub(super) fn name(self) -> &'static str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Cancel => "CANCEL",
            Method::Bye => "BYE",
            Method::Prack => "PRACK",
            Method::Update => "UPDATE",
            Method::Refer => "REFER",
            Method::Notify => "NOTIFY",
            Method::Subscribe => "SUBSCRIBE",
            Method::Register => "REGISTER",
            Method::Other => "request",
        }
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start<'a> {
    Request { name: &'a [u8], uri: &'a [u8] },
    Response { status: u16 },
}

/// A message, and where in it things stand; numbers of headers that are there at most once count how often they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) start: Start<'a>,
    /// The method, of a response that of its CSeq.
    pub(super) method: Method,
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
    /// The first value of the first Via, and how many values there are.
    pub(super) via: &'a [u8],
    pub(super) vias: u32,
    pub(super) from: &'a [u8],
    pub(super) to: &'a [u8],
    pub(super) call_id: &'a [u8],
    pub(super) cseq: u32,
    pub(super) cseq_method: &'a [u8],
    /// How many headers From, To, Call-ID and CSeq there are.
    pub(super) once: [u32; 4],
    pub(super) max_forwards: Option<u32>,
    pub(super) content_length: Option<usize>,
    pub(super) has_content_type: bool,
    pub(super) contact: &'a [u8],
    pub(super) contacts: u32,
    pub(super) rseq: Option<u32>,
    pub(super) rack: &'a [u8],
    pub(super) requires_reliable: bool,
    pub(super) has_credentials: bool,
    /// The operation of the scenario that an INVITE belongs to.
    pub(super) op: &'a [u8],
}

impl<'a> Seen<'a> {
    /// Reads a datagram; none where it is no SIP message.
    pub(super) fn of(datagram: &'a [u8]) -> Option<Seen<'a>> {
        let mut lines = Lines { rest: datagram };
        let first = lines.next()?;
        let start = start_of(first)?;
        let mut seen = Seen {
            start,
            method: Method::Other,
            head: datagram,
            body: b"",
            via: b"",
            vias: 0,
            from: b"",
            to: b"",
            call_id: b"",
            cseq: 0,
            cseq_method: b"",
            once: [0; 4],
            max_forwards: None,
            content_length: None,
            has_content_type: false,
            contact: b"",
            contacts: 0,
            rseq: None,
            rack: b"",
            requires_reliable: false,
            has_credentials: false,
            op: b"",
        };
        for line in lines.by_ref() {
            if line.is_empty() {
                break;
            }
            seen.header(line);
        }
        seen.body = lines.rest;
        seen.head = &datagram[..datagram.len() - lines.rest.len()];
        seen.method = match start {
            Start::Request { name, .. } => Method::of(name),
            Start::Response { .. } => Method::of(seen.cseq_method),
        };
        Some(seen)
    }

    fn header(&mut self, line: &'a [u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        // compact forms too (RFC 3261 §7.3.3): what a phone or an ALG made of a name is not the switch's fault
        match Name::of(name) {
            Some(Name::Via) => {
                self.vias += values(value);
                if self.via.is_empty() {
                    self.via = first_value(value);
                }
            }
            Some(Name::From) => self.from = self.note(0, value, self.from),
            Some(Name::To) => self.to = self.note(1, value, self.to),
            Some(Name::CallId) => self.call_id = self.note(2, value, self.call_id),
            Some(Name::CSeq) => {
                self.once[3] += 1;
                let (number, method) = split_once(value, b' ');
                (self.cseq, self.cseq_method) = (number_of(number).unwrap_or(0), method.trim_ascii());
            }
            Some(Name::MaxForwards) => self.max_forwards = number_of(value),
            Some(Name::ContentLength) => self.content_length = number_of(value).map(|length| length as usize),
            Some(Name::ContentType) => self.has_content_type = true,
            Some(Name::Contact) => {
                self.contacts += values(value);
                if self.contact.is_empty() {
                    self.contact = first_value(value);
                }
            }
            Some(Name::RSeq) => self.rseq = number_of(value),
            Some(Name::RAck) => self.rack = value,
            Some(Name::Require) => {
                let mut options = value.split(|byte| *byte == b',');
                self.requires_reliable |= options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"100rel"));
            }
            Some(Name::Credentials) => self.has_credentials = true,
            Some(Name::Op) => self.op = value,
            None => {}
        }
    }

    fn note(&mut self, place: usize, value: &'a [u8], before: &'a [u8]) -> &'a [u8] {
        self.once[place] += 1;
        if self.once[place] == 1 { value } else { before }
    }

    /// The status; none of a request.
    pub(super) fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status } => Some(status),
            Start::Request { .. } => None,
        }
    }

    /// The Request-URI; empty in a response.
    pub(super) fn uri(&self) -> &'a [u8] {
        match self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => b"",
        }
    }

    pub(super) fn branch(&self) -> &'a [u8] {
        param(self.via, b"branch").unwrap_or_default()
    }

    /// Host and port of the top Via, as written (RFC 3261 §18.1.1).
    pub(super) fn sent_by(&self) -> &'a [u8] {
        let rest = split_once(self.via, b' ').1.trim_ascii();
        let end = rest.iter().position(|byte| matches!(byte, b';' | b' ' | b'\t')).unwrap_or(rest.len());
        &rest[..end]
    }

    pub(super) fn tag_of_from(&self) -> &'a [u8] {
        tag(self.from)
    }

    pub(super) fn tag_of_to(&self) -> &'a [u8] {
        tag(self.to)
    }

    /// The Call-ID, by its id.
    pub(super) fn call(&self) -> Id {
        id(self.call_id)
    }

    pub(super) fn call_id_text(&self) -> String {
        String::from_utf8_lossy(self.call_id).into_owned()
    }

    /// The first line, for a violation.
    pub(super) fn name(&self) -> String {
        match self.start {
            Start::Request { name, .. } => format!("{} {}", String::from_utf8_lossy(name), self.cseq),
            Start::Response { status } => {
                format!("{status} to {} {}", String::from_utf8_lossy(self.cseq_method), self.cseq)
            }
        }
    }
}

/// Header names that some check asks for.
enum Name {
    Via,
    From,
    To,
    CallId,
    CSeq,
    MaxForwards,
    ContentLength,
    ContentType,
    Contact,
    RSeq,
    RAck,
    Require,
    Credentials,
    Op,
}

impl Name {
    fn of(name: &[u8]) -> Option<Name> {
        let is = |full: &[u8]| name.eq_ignore_ascii_case(full);
        // by length first: of most names nothing but the length is looked at
        match name.len() {
            1 => match name[0].to_ascii_lowercase() {
                b'v' => Some(Name::Via),
                b'f' => Some(Name::From),
                b't' => Some(Name::To),
                b'i' => Some(Name::CallId),
                b'l' => Some(Name::ContentLength),
                b'c' => Some(Name::ContentType),
                b'm' => Some(Name::Contact),
                _ => None,
            },
            2 if is(b"To") => Some(Name::To),
            3 if is(b"Via") => Some(Name::Via),
            4 if is(b"From") => Some(Name::From),
            4 if is(b"CSeq") => Some(Name::CSeq),
            4 if is(b"RSeq") => Some(Name::RSeq),
            4 if is(b"RAck") => Some(Name::RAck),
            4 if is(b"X-Op") => Some(Name::Op),
            7 if is(b"Call-ID") => Some(Name::CallId),
            7 if is(b"Contact") => Some(Name::Contact),
            7 if is(b"Require") => Some(Name::Require),
            12 if is(b"Max-Forwards") => Some(Name::MaxForwards),
            12 if is(b"Content-Type") => Some(Name::ContentType),
            13 if is(b"Authorization") => Some(Name::Credentials),
            14 if is(b"Content-Length") => Some(Name::ContentLength),
            19 if is(b"Proxy-Authorization") => Some(Name::Credentials),
            _ => None,
        }
    }
}

/// Lines up to and with the empty one, without their ends; `rest` is what follows.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let line = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = &self.rest[end.map_or(self.rest.len(), |end| end + 1)..];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn start_of(line: &[u8]) -> Option<Start<'_>> {
    if let Some(rest) = line.strip_prefix(b"SIP/2.0 ") {
        let status = number_of(split_once(rest, b' ').0)?;
        return Some(Start::Response { status: u16::try_from(status).ok()? });
    }
    let (name, rest) = split_once(line.strip_suffix(b" SIP/2.0")?, b' ');
    (!name.is_empty()).then_some(Start::Request { name, uri: rest })
}

fn split_once(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == at) {
        Some(place) => (&text[..place], &text[place + 1..]),
        None => (text, b""),
    }
}

fn number_of(text: &[u8]) -> Option<u32> {
    let digits = text.trim_ascii();
    if digits.is_empty() || digits.len() > 10 {
        return None;
    }
    let number = digits
        .iter()
        .try_fold(0_u64, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))?;
    u32::try_from(number).ok()
}

/// Places of this byte outside of quotes and angle brackets.
fn bare(text: &[u8], wanted: u8) -> impl Iterator<Item = usize> {
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    text.iter().enumerate().filter_map(move |(place, byte)| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => angle = true,
            b'>' if !quoted => angle = false,
            _ if *byte == wanted && !quoted && !angle => return Some(place),
            _ => {}
        }
        None
    })
}

/// How many values a header value lists.
fn values(value: &[u8]) -> u32 {
    bare(value, b',').count() as u32 + 1
}

fn first_value(value: &[u8]) -> &[u8] {
    value[..bare(value, b',').next().unwrap_or(value.len())].trim_ascii()
}

/// A header parameter: one behind the URI, not in it.
pub(super) fn param<'a>(value: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut starts = bare(value, b';');
    starts.find_map(|start| {
        let rest = &value[start + 1..];
        let rest = &rest[..bare(rest, b';').next().unwrap_or(rest.len())];
        let (found, value) = split_once(rest, b'=');
        found.trim_ascii().eq_ignore_ascii_case(name).then(|| value.trim_ascii())
    })
}

/// The tag of a From or To; empty where it has none.
fn tag(value: &[u8]) -> &[u8] {
    param(value, b"tag").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_in_place() {
        let text = b"INVITE sip:bob@10.0.0.1 SIP/2.0\r\nv: SIP/2.0/UDP 10.0.1.100:5060;rport ; branch=z9hG4bKa, \
            SIP/2.0/UDP other\r\nFrom: \"A, <;tag=no\" <sip:alice@x;tag=no>;tag=f1\r\nTo: <sip:bob@x>\r\ni: c1\r\n\
            CSEQ: 7 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@10.0.1.100>,<sip:b@x>\r\nRequire: x, 100rel\r\n\
            Content-Length: 4\r\n\r\nv=0\r";
        let seen = Seen::of(text).expect("a message");
        assert_eq!(
            (seen.method, seen.uri(), seen.vias, seen.branch()),
            (Method::Invite, &b"sip:bob@10.0.0.1"[..], 2, &b"z9hG4bKa"[..])
        );
        assert_eq!(
            (seen.sent_by(), seen.tag_of_from(), seen.tag_of_to()),
            (&b"10.0.1.100:5060"[..], &b"f1"[..], &b""[..])
        );
        assert_eq!((seen.call_id, seen.cseq, seen.cseq_method), (&b"c1"[..], 7, &b"INVITE"[..]));
        assert_eq!((seen.once, seen.max_forwards, seen.content_length), ([1; 4], Some(70), Some(4)));
        assert_eq!((seen.contacts, seen.contact, seen.body), (2, &b"<sip:a@10.0.1.100>"[..], &b"v=0\r"[..]));
        assert!(seen.requires_reliable && !seen.has_credentials && seen.head.ends_with(b"\r\n\r\n"));
    }

    #[test]
    fn a_response_has_the_method_of_its_cseq() {
        let seen = Seen::of(b"SIP/2.0 180 Ringing\r\nTo: <sip:b@x>;tag=t\r\nCSeq: 2 INVITE\r\nRSeq: 9\r\n\r\n")
            .expect("a message");
        assert_eq!(
            (seen.status(), seen.method, seen.rseq, seen.tag_of_to()),
            (Some(180), Method::Invite, Some(9), &b"t"[..])
        );
        assert_eq!(seen.name(), "180 to INVITE 2");
    }

    #[test]
    fn what_is_no_message_is_none() {
        for text in [&b"\r\n\r\n"[..], b"HELLO", b"", b"SIP/2.0 abc\r\n\r\n", b" x SIP/2.0\r\n"] {
            assert!(Seen::of(text).is_none());
        }
    }
}
