//! What stands in header values: lists, parameters, URIs.

use std::borrow::Cow;

/// The names that phones here write and read, for which no copy is made.
const NAMES: [&str; 36] = [
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Content-Length",
    "Content-Type",
    "Max-Forwards",
    "Allow",
    "Supported",
    "Require",
    "Record-Route",
    "Route",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Expires",
    "Reason",
    "Retry-After",
    "RSeq",
    "RAck",
    "Event",
    "Subscription-State",
    "Refer-To",
    "Referred-By",
    "Replaces",
    "Unsupported",
    "Warning",
    "Min-Expires",
    "User-Agent",
    "Server",
    "Date",
    "Accept",
    "X-Op",
];

/// The name written out, where it is a compact one (RFC 3261 §7.3.3).
pub(super) fn long_name(name: &str) -> Cow<'static, str> {
    let known = match name {
        "v" => Some("Via"),
        "f" => Some("From"),
        "t" => Some("To"),
        "i" => Some("Call-ID"),
        "m" => Some("Contact"),
        "l" => Some("Content-Length"),
        "c" => Some("Content-Type"),
        "k" => Some("Supported"),
        "o" => Some("Event"),
        "r" => Some("Refer-To"),
        "b" => Some("Referred-By"),
        _ => NAMES.into_iter().find(|known| *known == name),
    };
    known.map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed)
}

/// Comma-separated values; commas inside quotes and angle brackets do not count.
pub(super) fn split_list(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut depth) = (false, 0);
        let comma = text.bytes().position(|byte| {
            match byte {
                b'"' => quoted = !quoted,
                b'<' if !quoted => depth += 1,
                b'>' if !quoted => depth -= 1,
                b',' if !quoted && depth == 0 => return true,
                _ => {}
            }
            false
        });
        rest = comma.map(|at| &text[at + 1..]);
        Some(text[..comma.unwrap_or(text.len())].trim_ascii())
    })
}

/// A parameter of a header value, looked for behind the `>` where there is one; empty for a flag.
pub fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let bytes = value.as_bytes();
    let mut at = bytes.iter().rposition(|byte| *byte == b'>').unwrap_or(0);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b';') {
        let from = at + found + 1;
        let length = bytes[from..].iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(bytes.len() - from);
        at = from + length;
        if !value[from..at].trim_ascii().eq_ignore_ascii_case(name) {
            continue;
        }
        if bytes.get(at) != Some(&b'=') {
            return Some("");
        }
        let value = &value[at + 1..];
        let end = value.bytes().position(|byte| byte == b';').unwrap_or(value.len());
        return Some(value[..end].trim_ascii());
    }
    None
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

pub(super) fn reason_phrase(status: u16) -> &'static str {
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
