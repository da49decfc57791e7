//! A message under the pen: its parts are replaced where they stand, and nothing changes its place.

use super::mapping::Mapping;
use std::ops::Range;

/// Parameters of headers and URIs whose values are protocol: numbers, and words that RFCs define.
const KEPT_PARAMS: [&str; 41] = [
    "actor",
    "algorithm",
    "cause",
    "comp",
    "counter",
    "duration",
    "events",
    "expires",
    "handling",
    "id-type",
    "index",
    "isfocus",
    "keep",
    "limit",
    "lr",
    "maxfwd",
    "method",
    "methods",
    "mobility",
    "np",
    "ob",
    "order",
    "party",
    "privacy",
    "protocol",
    "purpose",
    "q",
    "reason",
    "refresher",
    "reg-id",
    "retry-after",
    "rc",
    "rport",
    "screen",
    "text-only",
    "transport",
    "ttl",
    "type",
    "user",
    "sigcomp-id",
    "audio",
];
/// Parameters that hold an address.
const HOST_PARAMS: [&str; 3] = ["received", "maddr", "phone-context"];
/// Parameters that hold an identifier.
const ID_PARAMS: [&str; 6] = ["tag", "branch", "to-tag", "from-tag", "icid-value", "remote"];

/// A range of octets of the message.
pub(super) type Span = Range<usize>;

/// The message.
pub(super) struct Page<'m> {
    pub(super) map: &'m Mapping,
    pub(super) bytes: Vec<u8>,
    /// Where identifiers stand that the switch may have made up.
    pub(super) ids: Vec<Span>,
    /// Where numbers stand that the switch may make of everything else: the ids of descriptions without a readable one.
    pub(super) made: Vec<Span>,
    /// Where the answers to digest challenges stand, each with the header's value that it is in.
    pub(super) answers: Vec<(Span, Span)>,
}

impl<'m> Page<'m> {
    pub(super) fn new(map: &'m Mapping, bytes: &[u8]) -> Page<'m> {
        Page { map, bytes: bytes.to_vec(), ids: Vec::new(), made: Vec::new(), answers: Vec::new() }
    }

    pub(super) fn get(&self, at: Span) -> &[u8] {
        &self.bytes[at]
    }

    /// Whether these octets say this, in any case.
    pub(super) fn is(&self, at: &Span, text: &str) -> bool {
        self.bytes[at.clone()].eq_ignore_ascii_case(text.as_bytes())
    }

    pub(super) fn text(&mut self, at: Span) {
        self.map.text(&mut self.bytes[at]);
    }

    pub(super) fn host(&mut self, at: Span) {
        self.map.host(&mut self.bytes[at]);
    }

    pub(super) fn id(&mut self, at: Span) {
        self.ids.push(at.clone());
        self.map.id(&mut self.bytes[at]);
    }

    /// Without the white space around.
    pub(super) fn trim(&self, at: Span) -> Span {
        let text = &self.bytes[at.clone()];
        let front = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let back = text[front..].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        at.start + front..at.end - back
    }

    /// Without the quotes around, where there are any.
    pub(super) fn unquote(&self, at: Span) -> Span {
        match &self.bytes[at.clone()] {
            [b'"', _, ..] if self.bytes[at.end - 1] == b'"' => at.start + 1..at.end - 1,
            _ => at,
        }
    }

    /// The parts between these separators, except where quotes or `<>` hide them.
    pub(super) fn split(&self, at: Span, separator: u8) -> Vec<Span> {
        let (mut parts, mut from) = (Vec::new(), at.start);
        let (mut is_quoted, mut is_bracketed, mut is_escaped) = (false, false, false);
        for i in at.clone() {
            let byte = self.bytes[i];
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                b'<' if !is_quoted => is_bracketed = true,
                b'>' if !is_quoted => is_bracketed = false,
                _ if byte == separator && !is_quoted && !is_bracketed => {
                    parts.push(from..i);
                    from = i + 1;
                }
                _ => {}
            }
        }
        parts.push(from..at.end);
        parts
    }

    /// The parts between blanks.
    pub(super) fn words(&self, at: Span) -> Vec<Span> {
        let mut from = at.start;
        let parts = self.bytes[at].split(|&byte| byte == b' ').map(|part| {
            let word = from..from + part.len();
            from = word.end + 1;
            word
        });
        parts.collect()
    }

    /// The `name=value` of a list of them, trimmed and unquoted. As the core does, it takes for a quoted string only what
    /// begins behind the `=`.
    pub(super) fn pairs(&self, at: Span) -> Vec<(Span, Span)> {
        let mut pairs = Vec::new();
        let mut from = at.start;
        while from < at.end {
            let equals = self.find(from..at.end, b'=').unwrap_or(at.end);
            let comma = self.find(from..at.end, b',').unwrap_or(at.end);
            let value = self.trim(equals.saturating_add(1).min(at.end)..at.end);
            let mut end = comma;
            if equals < comma {
                end = self.find(value.clone(), b',').unwrap_or(at.end);
                if self.bytes.get(value.start) == Some(&b'"') {
                    let close =
                        (value.start + 1..at.end).find(|&i| self.bytes[i] == b'"' && self.bytes[i - 1] != b'\\');
                    end = close.and_then(|close| self.find(close..at.end, b',')).unwrap_or(at.end);
                }
            }
            pairs.push(self.pair(from..end));
            from = end + 1;
        }
        pairs
    }

    /// Where this octet first stands.
    pub(super) fn find(&self, at: Span, byte: u8) -> Option<usize> {
        self.bytes[at.clone()].iter().position(|&other| other == byte).map(|place| at.start + place)
    }

    /// `name=value`, trimmed and unquoted; the value is empty where there is none.
    pub(super) fn pair(&self, at: Span) -> (Span, Span) {
        let at = self.trim(at);
        match self.find(at.clone(), b'=') {
            Some(equals) => (self.trim(at.start..equals), self.unquote(self.trim(equals + 1..at.end))),
            None => (at.clone(), at.end..at.end),
        }
    }

    /// Parameters behind their first `;`.
    pub(super) fn params(&mut self, at: Span) {
        for part in self.split(at, b';') {
            let (name, value) = self.pair(part);
            self.param(&name, value);
        }
    }

    fn param(&mut self, name: &Span, value: Span) {
        let is_any = |page: &Page<'_>, list: &[&str]| list.iter().any(|known| page.is(name, known));
        if is_any(self, &ID_PARAMS) {
            self.id(value);
        } else if is_any(self, &HOST_PARAMS) {
            if self.bytes[value.clone()].starts_with(b"+") {
                self.map.user(&mut self.bytes[value]);
            } else {
                self.host(value);
            }
        } else if !is_any(self, &KEPT_PARAMS) {
            self.text_but_urn(value);
        }
    }

    /// Text; of a URN (RFC 8141) the namespace stays.
    pub(super) fn text_but_urn(&mut self, at: Span) {
        let inner = self.bytes[at.clone()].strip_prefix(b"<").map_or(at.clone(), |_| at.start + 1..at.end);
        if self.bytes[inner.clone()].get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"urn:"))
            && let Some(colon) = self.find(inner.start + 4..inner.end, b':')
        {
            return self.text(colon + 1..at.end);
        }
        self.escaped_text(at);
    }

    /// Text in which `%` escapes stay as they are.
    fn escaped_text(&mut self, at: Span) {
        let (mut from, mut i) = (at.start, at.start);
        while i < at.end {
            let is_escape =
                self.bytes[i] == b'%' && i + 2 < at.end && self.bytes[i + 1..i + 3].iter().all(u8::is_ascii_hexdigit);
            if is_escape {
                self.text(from..i);
                from = i + 3;
            }
            i += if is_escape { 3 } else { 1 };
        }
        self.text(from..at.end);
    }

    /// `host`, `host:port`, `[v6]:port`.
    pub(super) fn host_port(&mut self, at: Span) {
        let at = self.trim(at);
        let end = match self.bytes[at.clone()].first() {
            Some(b'[') => self.find(at.clone(), b']').map(|end| end + 1),
            _ => self.find(at.clone(), b':'),
        };
        let host = self.trim(at.start..end.unwrap_or(at.end));
        self.host(host);
    }

    /// A URI of any scheme.
    pub(super) fn uri(&mut self, at: Span) {
        let at = self.trim(at);
        let Some(colon) = self.find(at.clone(), b':') else { return self.text(at) };
        let (scheme, rest) = (at.start..colon, colon + 1..at.end);
        if self.is(&scheme, "sip") || self.is(&scheme, "sips") {
            self.sip_uri(rest);
        } else if self.is(&scheme, "tel") {
            let end = self.find(rest.clone(), b';').unwrap_or(rest.end);
            self.number(rest.start..end);
            self.params(end..rest.end);
        } else if self.is(&scheme, "urn") {
            self.text_but_urn(at);
        } else {
            self.text(rest);
        }
    }

    /// `user:password@host:port;params?headers`.
    fn sip_uri(&mut self, at: Span) {
        let mut host = at.start;
        if let Some(end) = self.find(at.clone(), b'@') {
            host = end + 1;
            let colon = self.find(at.start..end, b':').unwrap_or(end);
            // parameters of a telephone number (RFC 3261 §19.1.6)
            let semicolon = self.find(at.start..colon, b';').unwrap_or(colon);
            self.map.user(&mut self.bytes[at.start..semicolon]);
            self.params(semicolon..colon);
            self.map.password(&mut self.bytes[colon..end]);
        }
        let headers = self.find(host..at.end, b'?').unwrap_or(at.end);
        let params = self.find(host..headers, b';').unwrap_or(headers);
        self.host_port(host..params);
        self.params(params..headers);
        for part in self.split(headers.saturating_add(1).min(at.end)..at.end, b'&') {
            let (name, value) = self.pair(part);
            if self.is(&name, "Replaces") || self.is(&name, "Join") || self.is(&name, "Call-ID") {
                self.escaped_dialog(value);
            } else {
                self.escaped_text(value);
            }
        }
    }

    /// A dialog's name inside a URI: `id%3Bto-tag%3Da%3Bfrom-tag%3Db`.
    fn escaped_dialog(&mut self, at: Span) {
        let text = String::from_utf8_lossy(&self.bytes[at.clone()]).to_ascii_lowercase();
        if text.len() != at.len() {
            return self.text(at);
        }
        let mut from = 0;
        for part in text.split("%3b") {
            let value = part.find("%3d").map_or(0, |equals| equals + 3);
            self.escaped_id(at.start + from + value..at.start + from + part.len());
            from += part.len() + 3;
        }
    }

    /// An identifier with `%` escapes: as the one that it stands for.
    fn escaped_id(&mut self, at: Span) {
        let old = self.bytes[at.clone()].to_vec();
        let plain = unescape(&old);
        let mut new = plain.clone();
        self.map.id(&mut new);
        let mut symbols = new.into_iter();
        super::symbols::each(&mut self.bytes[at], true, |_| symbols.next().unwrap_or(b'0'));
    }

    /// The number of a `tel:` URI: its visual separators (RFC 3966 §5.1.1) are not part of it.
    fn number(&mut self, at: Span) {
        let is_digit = |byte: &u8| !b"-.()".contains(byte);
        let mut digits: Vec<u8> = self.bytes[at.clone()].iter().copied().filter(is_digit).collect();
        self.map.user(&mut digits);
        let places = self.bytes[at].iter_mut().filter(|byte| is_digit(byte));
        for (place, digit) in places.zip(digits) {
            *place = digit;
        }
    }

    /// `"name" <uri>;params`, `name <uri>;params` or `uri;params`.
    pub(super) fn name_addr(&mut self, at: Span) {
        let at = self.trim(at);
        let parts = self.split(at.clone(), b';');
        let first = parts[0].clone();
        let open = first.clone().find(|&i| self.bytes[i] == b'<' && !self.is_within_quotes(first.start, i));
        match open {
            Some(open) => {
                let close = self.find(open..first.end, b'>').unwrap_or(first.end);
                self.text(first.start..open);
                self.uri(open + 1..close);
            }
            None => self.uri(first.clone()),
        }
        self.params(first.end..at.end);
    }

    fn is_within_quotes(&self, from: usize, at: usize) -> bool {
        let mut bytes = self.bytes[from..at].iter();
        let mut is_quoted = false;
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => is_quoted = !is_quoted,
                b'\\' if is_quoted => drop(bytes.next()),
                _ => {}
            }
        }
        is_quoted
    }
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut copy = text.to_vec();
    super::symbols::each(&mut copy, true, |symbol| {
        plain.push(symbol);
        symbol
    });
    plain
}
