//! The session description inside a message body (RFC 5621, RFC 2046 §5.1).

use crate::limits;
use memchr::memmem;

/// The session description in a body of this Content-Type: the whole body for `application/sdp`, its first
/// `application/sdp` part for a `multipart/*`. None where there is none, or a part before it lies beyond
/// [`limits::BODY_PARTS`]. Parts within parts are not looked into.
pub fn find_sdp<'b>(content_type: &[u8], body: &'b [u8]) -> Option<&'b [u8]> {
    if is_sdp(content_type) {
        return Some(body);
    }
    let media_type = media_type(content_type);
    if !media_type.get(..10).is_some_and(|start| start.eq_ignore_ascii_case(b"multipart/")) {
        return None;
    }
    parts(body, boundary(content_type)?).find_map(|part| {
        let (head, content) = split_part(part);
        is_sdp(field(head, b"content-type")?).then_some(content)
    })
}

fn is_sdp(content_type: &[u8]) -> bool {
    media_type(content_type).eq_ignore_ascii_case(b"application/sdp")
}

/// What stands before the parameters.
fn media_type(content_type: &[u8]) -> &[u8] {
    content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
}

/// The boundary parameter, unquoted; at most 70 bytes (RFC 2046 §5.1.1).
fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let value = content_type.split(|byte| *byte == b';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_at_checked(parameter.iter().position(|byte| *byte == b'=')?)?;
        name.trim_ascii().eq_ignore_ascii_case(b"boundary").then_some(value[1..].trim_ascii())
    })?;
    let value = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    (1..=70).contains(&value.len()).then_some(value)
}

/// The parts between the boundary lines, without the line end before the next boundary, which belongs to that.
fn parts<'b>(body: &'b [u8], boundary: &[u8]) -> impl Iterator<Item = &'b [u8]> {
    let delimiter = [b"--", boundary].concat();
    let mut rest = after_delimiter(body, &delimiter).map(|(_, rest)| rest);
    let next = move || {
        let (part, after) = after_delimiter(rest?, &delimiter)?;
        rest = Some(after);
        Some(part)
    };
    std::iter::from_fn(next).take(limits::BODY_PARTS)
}

/// Splits at the next boundary line: what is before it, without its line end, and what is after that line.
fn after_delimiter<'b>(bytes: &'b [u8], delimiter: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let is_line_start = |at: &usize| *at == 0 || bytes[at - 1] == b'\n';
    let at = memmem::find_iter(bytes, delimiter).find(is_line_start)?;
    let before = bytes[..at].strip_suffix(b"\n").unwrap_or_default();
    let after = &bytes[at + delimiter.len()..];
    let line_length = memchr::memchr(b'\n', after).map_or(after.len(), |end| end + 1);
    Some((before.strip_suffix(b"\r").unwrap_or(before), &after[line_length..]))
}

/// The header fields of a part, and what it holds.
fn split_part(part: &[u8]) -> (&[u8], &[u8]) {
    let mut head_length = 0;
    for line in part.split_inclusive(|byte| *byte == b'\n') {
        head_length += line.len();
        if line.trim_ascii().is_empty() {
            break;
        }
    }
    part.split_at(head_length)
}

/// The value of the first field of this name (lower case).
fn field<'h>(head: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        line[..colon].trim_ascii().eq_ignore_ascii_case(name).then(|| line[colon + 1..].trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    const MIXED: &[u8] = b"preamble --b1 is no boundary\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
        --b1\r\nContent-Disposition: session\r\ncontent-type : Application/SDP;x=y\r\n\r\nv=0\r\nm=audio 4 RTP/AVP 0\r\n\r\n\
        --b1--\r\n";

    #[test]
    fn a_description_is_found_alone_and_in_parts() {
        assert_eq!(find_sdp(b"application/SDP ; charset=utf-8", b"v=0"), Some(&b"v=0"[..]));
        let expected = Some(&b"v=0\r\nm=audio 4 RTP/AVP 0\r\n"[..]);
        assert_eq!(find_sdp(b"multipart/mixed;boundary=b1", MIXED), expected);
        assert_eq!(find_sdp(b"Multipart/Related; type=x; Boundary=\"b1\"", MIXED), expected);
    }

    #[test]
    fn where_there_is_none_none_is_found() {
        assert_eq!(find_sdp(b"text/plain", b"v=0"), None);
        assert_eq!(find_sdp(b"multipart/mixed", MIXED), None);
        assert_eq!(find_sdp(b"multipart/mixed;boundary=", MIXED), None);
        assert_eq!(find_sdp(b"multipart/mixed;boundary=b2", MIXED), None);
        assert_eq!(find_sdp(b"multipart/mixed;boundary=b", b"--b\r\n\r\nv=0\r\n--b--"), None);
        assert_eq!(find_sdp(b"multipart/mixed;boundary=b", b"--b\nContent-Type: application/sdp\n\nv=0\n"), None);
    }

    #[test]
    fn parts_beyond_the_limit_are_not_looked_at() {
        let body = |before| {
            let others = "--b\n\nx\n".repeat(before);
            format!("{others}--b\nContent-Type: application/sdp\n\nv=0\n--b--").into_bytes()
        };
        assert_eq!(find_sdp(b"multipart/mixed;boundary=b", &body(limits::BODY_PARTS - 1)), Some(&b"v=0"[..]));
        assert_eq!(find_sdp(b"multipart/mixed;boundary=b", &body(limits::BODY_PARTS)), None);
    }

    quickcheck! {
        fn any_bytes_are_searched(content_type: Vec<u8>, body: Vec<u8>) -> bool {
            let content_type = [b"multipart/x;boundary=a;", &content_type[..]].concat();
            let body = [b"--a\n", &body[..]].concat();
            find_sdp(&content_type, &body).is_none_or(|part| part.len() <= body.len())
        }
    }
}
