//! A datagram in a few words.

use crate::phone::message::{Message, Start, param, uri_of};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Characters of a method, of a header's value, and of all that stands beside an arrow.
const METHOD_CHARS: usize = 16;
const VALUE_CHARS: usize = 80;
const NOTES_CHARS: usize = 240;
/// Characters of a line, and lines, where a message is shown in more words.
const LINE_CHARS: usize = 160;
const MAIN_LINES: usize = 24;

const MAIN_HEADERS: [&str; 24] = [
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Route",
    "Record-Route",
    "Max-Forwards",
    "Expires",
    "Require",
    "Supported",
    "Unsupported",
    "Reason",
    "Retry-After",
    "RSeq",
    "RAck",
    "Refer-To",
    "Replaces",
    "Event",
    "Subscription-State",
    "Session-Expires",
    "Content-Type",
    "X-Op",
];

/// What sort of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Provisional,
    Success,
    /// 3xx to 6xx.
    Failure,
    /// No SIP message.
    Other,
}

/// A datagram in a few words.
pub(super) struct Described {
    pub(super) kind: Kind,
    /// What stands on the arrow: what it is, of which call, its CSeq.
    pub(super) label: String,
    /// What stands beside it: branch, tags, and the headers that a ladder is read for.
    pub(super) notes: String,
}

/// Describes a datagram.
pub(super) fn describe(aliases: &mut Aliases, datagram: &[u8]) -> Described {
    let Ok(message) = Message::parse_leniently(datagram) else {
        let notes = clean(&first_line(datagram), VALUE_CHARS);
        return Described { kind: Kind::Other, label: octets(datagram), notes };
    };
    let call = aliases.name("c", message.call_id());
    let (number, method) = message.cseq().unwrap_or((0, "?"));
    let (kind, label) = match &message.start {
        Start::Request { method, .. } => (Kind::Request, clean(method, METHOD_CHARS)),
        Start::Response { status, .. } => {
            let kind = match status {
                ..=199 => Kind::Provisional,
                200..=299 => Kind::Success,
                _ => Kind::Failure,
            };
            (kind, format!("{status} {}", clean(method, METHOD_CHARS)))
        }
    };
    let notes = clean(&notes(aliases, &message), NOTES_CHARS);
    Described { kind, label: format!("{label} {call}.{number}"), notes }
}

/// The lines that say most about a datagram: the first, and the headers that calls are understood by. Credentials stay
/// out: a picture is passed around, and a digest can be guessed at.
pub(super) fn main_lines(datagram: &[u8]) -> Vec<String> {
    let Ok(message) = Message::parse_leniently(datagram) else {
        return vec![octets(datagram), clean(&first_line(datagram), LINE_CHARS)];
    };
    let first = match &message.start {
        Start::Request { method, uri } => format!("{method} {uri}"),
        Start::Response { status, reason } => format!("{status} {reason}"),
    };
    let is_main = |name: &str| MAIN_HEADERS.iter().any(|main| main.eq_ignore_ascii_case(name));
    let headers = message.headers.iter().filter(|(name, _)| is_main(name)).take(MAIN_LINES);
    let headers = headers.map(|(name, value)| format!("{name}: {value}"));
    let body = (!message.body.is_empty()).then(|| format!("body: {} octets", message.body_bytes().len()));
    std::iter::once(first).chain(headers).chain(body).map(|line| clean(&line, LINE_CHARS)).collect()
}

/// The Call-ID of a datagram, whatever else is wrong with it.
pub(super) fn call_id(datagram: &[u8]) -> Option<&[u8]> {
    let is_name = |name: &[u8]| name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i");
    let lines = datagram.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    lines.skip(1).find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        is_name(line[..colon].trim_ascii()).then(|| line[colon + 1..].trim_ascii())
    })
}

/// Whether it is an INVITE outside of any dialog: its To has no tag (RFC 3261 §12.2.1.1).
pub(super) fn opens_dialog(datagram: &[u8]) -> bool {
    datagram.starts_with(b"INVITE ")
        && Message::parse_leniently(datagram).is_ok_and(|message| message.to_tag().is_none())
}

/// What can be said of a datagram that is no SIP message.
fn octets(datagram: &[u8]) -> String {
    match datagram {
        // RFC 5626 §3.5.1, and what phones send instead of it over UDP
        b"\r\n\r\n" | b"\r\n" | b"\0" | b"\0\0\0\0" => "keep-alive".to_owned(),
        // RFC 8489 §5: two zero bits, the method, a length, the magic cookie
        [0..=0x3f, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..] => "STUN".to_owned(),
        _ => format!("{} octets", datagram.len()),
    }
}

/// The first line where somebody could read it.
fn first_line(datagram: &[u8]) -> String {
    let line = datagram.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let is_readable = line.iter().take(VALUE_CHARS).all(|byte| matches!(byte, b' '..=b'~'));
    if is_readable { String::from_utf8_lossy(line).into_owned() } else { String::new() }
}

fn notes(aliases: &mut Aliases, message: &Message) -> String {
    let mut notes = aliases.name("br", message.branch());
    let _ = write!(notes, " {}", aliases.name("t", message.from_tag().unwrap_or_default()));
    if let Some(tag) = message.to_tag() {
        let _ = write!(notes, ">{}", aliases.name("t", tag));
    }
    for name in ["Expires", "Retry-After", "Reason", "Min-Expires", "Require", "Unsupported", "Subscription-State"] {
        if let Some(value) = message.get(name) {
            let _ = write!(notes, " {name}={}", clean(value, VALUE_CHARS));
        }
    }
    for name in ["RSeq", "RAck"] {
        if let Some(rseq) = message.get(name).and_then(|value| value.split(' ').next()) {
            let _ = write!(notes, " {name}={}", aliases.name("rs", rseq));
        }
    }
    for contact in message.list("Contact") {
        if contact == "*" || message.cseq().is_some_and(|(_, method)| method == "REGISTER") {
            let expires = param(contact, "expires").map(|s| format!(";expires={s}")).unwrap_or_default();
            let _ = write!(notes, " contact={}{expires}", clean(uri_of(contact), VALUE_CHARS));
        }
    }
    if message.get("Authorization").or(message.get("Proxy-Authorization")).is_some() {
        notes.push_str(" +credentials");
    }
    for challenge in message.all("WWW-Authenticate").chain(message.all("Proxy-Authenticate")) {
        let stale = challenge.to_ascii_lowercase().contains("stale=true");
        let algorithm = challenge.split("algorithm=").nth(1).and_then(|rest| rest.split([',', ' ']).next());
        let _ = write!(notes, " challenge={}{}", algorithm.unwrap_or("MD5"), if stale { " stale" } else { "" });
    }
    if message.get("Content-Type") == Some("application/sdp") {
        let _ = write!(notes, "  sdp {}", sdp_summary(&message.body));
    }
    notes
}

/// `c=10.0.0.5 m=audio 4000`, and the direction where it is not both ways.
fn sdp_summary(sdp: &str) -> String {
    let value = |start: &str| sdp.lines().find_map(|line| line.strip_prefix(start)).unwrap_or("?");
    let media: Vec<&str> = value("m=").split(' ').take(2).collect();
    let direction = ["sendonly", "recvonly", "inactive"].into_iter().find(|d| sdp.contains(&format!("a={d}")));
    let direction = direction.map(|d| format!(" {d}")).unwrap_or_default();
    format!("c={} m={}{direction}", value("c=").rsplit(' ').next().unwrap_or("?"), media.join(" "))
}

/// Text that others wrote, made safe to print: no control characters, nothing that turns the direction of writing or
/// hides; cut behind so many characters.
pub(super) fn clean(text: &str, chars: usize) -> String {
    let is_shown = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
    };
    let mut out: String = text.chars().take(chars).map(|c| if is_shown(c) { c } else { '\u{fffd}' }).collect();
    if text.chars().nth(chars).is_some() {
        out.push_str("...");
    }
    out
}

/// Short names for random values, in order of first sight.
#[derive(Default)]
pub(super) struct Aliases {
    seen: BTreeMap<&'static str, BTreeMap<String, usize>>,
}

impl Aliases {
    fn name(&mut self, kind: &'static str, value: &str) -> String {
        if value.is_empty() {
            return format!("{kind}?");
        }
        let of_kind = self.seen.entry(kind).or_default();
        let number = match of_kind.get(value) {
            Some(number) => *number,
            None => {
                let number = of_kind.len() + 1;
                of_kind.insert(value.to_owned(), number);
                number
            }
        };
        format!("{kind}{number}")
    }
}
