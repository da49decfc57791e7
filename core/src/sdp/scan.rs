//! The line scanner: what stands in a description, without a copy.

use crate::limits;
use std::net::IpAddr;
use thiserror::Error;

/// Why a body cannot be read as a session description. It may still be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SdpError {
    /// No line has the form `x=...`.
    #[error("no line has the form x=...")]
    NotSdp,
    /// More lines than [`limits::SDP_LINES`].
    #[error("more than {} lines", limits::SDP_LINES)]
    TooManyLines,
    /// More `m=` lines than [`limits::SDP_MEDIA`].
    #[error("more than {} m= lines", limits::SDP_MEDIA)]
    TooManyMedia,
    /// An `m=` line without kind, port from 0 to 65535 and protocol.
    #[error("line {line}: m= needs a kind, a port and a protocol")]
    BadMedia {
        /// Which line of the body, from 1.
        line: usize,
    },
}

/// One line of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'b> {
    /// The type letter; 0 where the line has not the form `x=...`.
    pub kind: u8,
    /// What stands after the `=`, without the line end; the whole line where `kind` is 0.
    pub value: &'b [u8],
    /// CRLF, LF, or nothing at the end of the body (RFC 8866 §5 asks parsers to take a bare LF too).
    pub end: &'b [u8],
    /// All of it, line end included.
    pub whole: &'b [u8],
}

/// The lines of a description, in order; their `whole` parts joined are the body. One pass.
pub fn lines(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (whole, after) = rest.split_at(length);
        rest = after;
        Some(line(whole))
    })
}

fn line(whole: &[u8]) -> Line<'_> {
    let text = match whole {
        [text @ .., b'\r', b'\n'] | [text @ .., b'\n'] => text,
        text => text,
    };
    let (kind, value) = match text {
        [kind, b'=', value @ ..] if kind.is_ascii_alphabetic() => (*kind, value),
        other => (0, other),
    };
    Line { kind, value, end: &whole[text.len()..], whole }
}

/// What stands before the first `m=` line, which may be nothing; then each `m=` line with what follows it, up to the next.
/// Joined they are the body. Two passes.
pub(super) fn parts(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    let mut first_line = 0;
    std::iter::from_fn(move || {
        let here = rest?;
        let is_next_part = |(index, line): &(usize, Line<'_>)| *index >= first_line && line.kind == b'm';
        let end =
            lines(here).enumerate().find(is_next_part).map_or(here.len(), |(_, line)| offset_in(line.whole, here));
        first_line = 1;
        let (part, after) = here.split_at(end);
        rest = (!after.is_empty()).then_some(after);
        Some(part)
    })
}

/// The words of a value; several spaces count as one.
pub(super) fn words(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// Where `part`, a subslice of `whole`, begins in it.
pub(crate) fn offset_in(part: &[u8], whole: &[u8]) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}

/// A decimal number and nothing else.
pub(super) fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    let digits = word.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(word).ok()?.parse().ok()).flatten()
}

/// The `o=` line (RFC 8866 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'b> {
    /// The user name; may hold spaces, since some phones write a display name.
    pub user: &'b [u8],
    /// The session's number: digits, of any length.
    pub id: &'b [u8],
    /// Rises with every change of the session (RFC 3264 §8).
    pub version: &'b [u8],
    /// The address, as written.
    pub address: &'b [u8],
}

impl<'b> Origin<'b> {
    /// Reads an `o=` value from its end, where the words are sure.
    pub fn parse(value: &'b [u8]) -> Option<Origin<'b>> {
        let mut from_end = words(value).rev();
        let address = from_end.next()?;
        let (_family, _network) = (from_end.next()?, from_end.next()?);
        let (version, id) = (from_end.next()?, from_end.next()?);
        let before_id = offset_in(id, value);
        Some(Origin { user: value[..before_id].trim_ascii(), id, version, address })
    }
}

/// The `c=` line (RFC 8866 §5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection<'b> {
    /// Address or host name as written, without TTL or count.
    pub address: &'b [u8],
}

impl<'b> Connection<'b> {
    /// Reads a `c=` value such as `IN IP4 224.2.36.42/127`.
    pub fn parse(value: &'b [u8]) -> Option<Connection<'b>> {
        let address = words(value).nth(2)?.split(|byte| *byte == b'/').next()?;
        Some(Connection { address })
    }

    /// The address, unless a host name stands there.
    pub fn ip(&self) -> Option<IpAddr> {
        std::str::from_utf8(self.address).ok()?.parse().ok()
    }

    /// Whether this is the hold of RFC 2543 (RFC 3264 §8.4): the unspecified address, to which nothing is to be sent.
    pub fn is_hold(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_unspecified())
    }
}

/// Which way a stream flows, as its writer sees it (RFC 3264 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways; what holds where nothing is said.
    #[default]
    SendRecv,
    /// The writer only sends.
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    fn of(attribute: &[u8]) -> Option<Direction> {
        match attribute.trim_ascii() {
            b"sendrecv" => Some(Direction::SendRecv),
            b"sendonly" => Some(Direction::SendOnly),
            b"recvonly" => Some(Direction::RecvOnly),
            b"inactive" => Some(Direction::Inactive),
            _ => None,
        }
    }

    /// As an attribute.
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// That of the answer which takes all that an offer of this direction lets it (RFC 3264 §6.1).
    #[must_use]
    pub fn answered(self) -> Direction {
        match self {
            Direction::SendOnly => Direction::RecvOnly,
            Direction::RecvOnly => Direction::SendOnly,
            both_or_none => both_or_none,
        }
    }
}

/// An `m=` line and the lines that follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media<'b> {
    /// `audio`, `video`, `image`, ...
    pub kind: &'b [u8],
    /// The port; 0 is a stream refused or ended (RFC 3264 §6).
    pub port: u16,
    /// How many ports from there on: 1 where no count stands after the `/` (RFC 8866 §5.14).
    pub port_count: u16,
    /// `RTP/AVP`, `udptl`, `TCP/BFCP`, ...
    pub proto: &'b [u8],
    /// The formats as written, spaces between them; may be empty.
    pub formats: &'b [u8],
    /// Its own `c=`, else the session's.
    pub connection: Option<Connection<'b>>,
    /// Its own direction, else the session's.
    pub direction: Direction,
    /// The bytes of the lines after the `m=` line, up to the next one.
    pub attributes: &'b [u8],
}

impl<'b> Media<'b> {
    /// The formats in order of preference: payload types for RTP, words such as `t38` or `*` otherwise.
    pub fn formats(&self) -> impl Iterator<Item = &'b [u8]> {
        words(self.formats)
    }

    /// The `a=rtpmap` lines: payload type and encoding name (RFC 8866 §6.6), without clock rate.
    pub fn rtpmaps(&self) -> impl Iterator<Item = (u8, &'b [u8])> {
        let attributes = lines(self.attributes).filter(|line| line.kind == b'a');
        attributes.filter_map(|line| rtpmap(line.value)).map(|(payload_type, name, _)| (payload_type, name))
    }

    /// Reads an `m=` value; what the lines after it say is still to be put in.
    pub(super) fn parse(value: &'b [u8]) -> Option<Media<'b>> {
        let mut parts = words(value);
        let (kind, port, proto) = (parts.next()?, parts.next()?, parts.next()?);
        let mut numbers = port.split(|byte| *byte == b'/');
        let port = number(numbers.next()?)?;
        let port_count = numbers.next().and_then(number).unwrap_or(1);
        let after_proto = offset_in(proto, value) + proto.len();
        let formats = value[after_proto..].trim_ascii();
        let (connection, direction) = (None, Direction::default());
        Some(Media { kind, port, port_count, proto, formats, connection, direction, attributes: b"" })
    }
}

/// Payload type, encoding name and clock rate in Hz of an `a=rtpmap` value such as `rtpmap:96 opus/48000/2` (RFC 8866
/// §6.6); 0 Hz where the rate cannot be read; none of any other attribute.
pub(super) fn rtpmap(value: &[u8]) -> Option<(u8, &[u8], u32)> {
    let mut words = words(value.strip_prefix(b"rtpmap:")?);
    let payload_type = number(words.next()?)?;
    let mut parts = words.next()?.split(|byte| *byte == b'/');
    Some((payload_type, parts.next()?, parts.next().and_then(number).unwrap_or(0)))
}

/// A description, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session<'b> {
    /// The `o=` line, where one can be read.
    pub origin: Option<Origin<'b>>,
    /// The session's `c=` line.
    pub connection: Option<Connection<'b>>,
    /// The session's direction.
    pub direction: Direction,
    /// The media sections, in order; at most [`limits::SDP_MEDIA`].
    pub media: Vec<Media<'b>>,
}

/// Reads a description. Takes lines of any type in any order and any bytes in them; what it does not know it passes
/// over. Work is one pass over at most [`limits::SDP_LINES`] lines.
///
/// # Errors
///
/// When the body is not SDP at all, is over a limit, or has an `m=` line that cannot be read.
pub fn scan(body: &[u8]) -> Result<Session<'_>, SdpError> {
    let mut session = Session::default();
    let mut offset = 0;
    let mut section_start = 0;
    let mut any_typed = false;
    for (index, line) in lines(body).enumerate() {
        if index == limits::SDP_LINES {
            return Err(SdpError::TooManyLines);
        }
        if line.kind == b'm' {
            close_section(&mut session, &body[section_start..offset]);
            if session.media.len() == limits::SDP_MEDIA {
                return Err(SdpError::TooManyMedia);
            }
            let media = Media::parse(line.value).ok_or(SdpError::BadMedia { line: index + 1 })?;
            session.media.push(Media { connection: session.connection, direction: session.direction, ..media });
            section_start = offset + line.whole.len();
        } else {
            read_line(&mut session, line);
        }
        any_typed |= line.kind != 0;
        offset += line.whole.len();
    }
    close_section(&mut session, &body[section_start..]);
    if any_typed { Ok(session) } else { Err(SdpError::NotSdp) }
}

fn close_section<'b>(session: &mut Session<'b>, lines_after_m: &'b [u8]) {
    if let Some(media) = session.media.last_mut() {
        media.attributes = lines_after_m;
    }
}

/// Takes what a `c=`, `a=` or `o=` line says into the section it stands in.
fn read_line<'b>(session: &mut Session<'b>, line: Line<'b>) {
    let (connection, direction) = match session.media.last_mut() {
        Some(media) => (&mut media.connection, &mut media.direction),
        None => (&mut session.connection, &mut session.direction),
    };
    match line.kind {
        b'c' => *connection = Connection::parse(line.value).or(*connection),
        b'a' => *direction = Direction::of(line.value).unwrap_or(*direction),
        b'o' => session.origin = session.origin.or(Origin::parse(line.value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    const OFFER: &[u8] = b"v=0\r\no=Alice Smith 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=-\r\n\
        c=IN IP4 224.2.17.12/127\r\nt=0 0\r\na=recvonly\r\nm=audio 49170/2 RTP/AVP 0 97\r\na=rtpmap:97 iLBC/8000\r\n\
        m=video 0  RTP/SAVPF 31\r\nc=IN IP6 2001:db8::1\r\na=sendrecv\r\n";

    #[test]
    fn sections_inherit_from_the_session_what_they_do_not_say() {
        let session = scan(OFFER).unwrap();
        assert_eq!(session.connection, Some(Connection { address: b"224.2.17.12" }));
        let [audio, video] = session.media[..] else { panic!("two sections: {session:?}") };
        assert_eq!((audio.kind, audio.port, audio.proto), (&b"audio"[..], 49170, &b"RTP/AVP"[..]));
        assert_eq!((audio.port_count, video.port_count), (2, 1));
        assert_eq!((audio.connection, audio.direction), (session.connection, Direction::RecvOnly));
        assert_eq!(audio.formats().collect::<Vec<_>>(), [b"0", &b"97"[..]]);
        assert_eq!(audio.rtpmaps().collect::<Vec<_>>(), [(97, &b"iLBC"[..])]);
        assert_eq!((video.port, video.formats, video.direction), (0, &b"31"[..], Direction::SendRecv));
        assert_eq!(video.connection.unwrap().ip(), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(video.attributes, b"c=IN IP6 2001:db8::1\r\na=sendrecv\r\n");
    }

    #[test]
    fn an_origin_is_read_from_its_end() {
        let origin = scan(OFFER).unwrap().origin.unwrap();
        assert_eq!((origin.user, origin.id), (&b"Alice Smith"[..], &b"2890844526"[..]));
        assert_eq!((origin.version, origin.address), (&b"2890842807"[..], &b"10.47.16.5"[..]));
        assert_eq!(Origin::parse(b"1 2 IN IP4 h").unwrap().user, b"");
        assert_eq!(Origin::parse(b"2 IN IP4 h"), None);
    }

    #[test]
    fn bare_line_feeds_unknown_lines_and_a_missing_last_line_end_are_taken() {
        let body = b"y=0100000001\nnot a line\nm=image 5000 udptl t38\nf=v/2/5\na=T38FaxVersion:0\na=inactive";
        let session = scan(body).unwrap();
        assert_eq!(session.media[0].direction, Direction::Inactive);
        assert_eq!(session.media[0].formats, b"t38");
        let kinds: Vec<u8> = lines(body).map(|line| line.kind).collect();
        assert_eq!(kinds, [b'y', 0, b'm', b'f', b'a', b'a']);
    }

    #[test]
    fn each_fault_has_its_error() {
        assert_eq!(scan(b""), Err(SdpError::NotSdp));
        assert_eq!(scan(b"hello\r\n"), Err(SdpError::NotSdp));
        assert_eq!(scan(b"v=0\nm=audio 65536 RTP/AVP 0\n"), Err(SdpError::BadMedia { line: 2 }));
        assert_eq!(scan(b"m=audio +1 RTP/AVP 0\n"), Err(SdpError::BadMedia { line: 1 }));
        assert_eq!(scan(b"m=audio 1\n"), Err(SdpError::BadMedia { line: 1 }));
        assert!(scan(&b"m=a 1 b c\n".repeat(limits::SDP_MEDIA)).is_ok());
        assert_eq!(scan(&b"m=a 1 b c\n".repeat(limits::SDP_MEDIA + 1)), Err(SdpError::TooManyMedia));
        assert!(scan(&b"a=x\n".repeat(limits::SDP_LINES)).is_ok());
        assert_eq!(scan(&b"a=x\n".repeat(limits::SDP_LINES + 1)), Err(SdpError::TooManyLines));
    }

    #[test]
    fn the_unspecified_address_is_hold() {
        assert!(Connection::parse(b"IN IP4 0.0.0.0").unwrap().is_hold());
        assert!(Connection::parse(b"IN IP6 ::").unwrap().is_hold());
        assert!(!Connection::parse(b"IN IP4 host.invalid").unwrap().is_hold());
        assert_eq!(Connection::parse(b"IN IP4"), None);
    }

    quickcheck! {
        fn any_bytes_scan_and_their_lines_join_to_the_body(body: Vec<u8>) -> bool {
            let _ = scan(&body);
            lines(&body).flat_map(|line| line.whole).eq(&body)
        }

        fn parts_join_to_the_body_and_begin_with_their_media_lines(pieces: Vec<u8>) -> bool {
            let body: Vec<u8> = pieces.iter().flat_map(|piece| [&b"m=x\n"[..], b"c=", b"m", b"\n"][usize::from(*piece % 4)]).copied().collect();
            let counts: Vec<usize> = parts(&body).map(|part| lines(part).filter(|line| line.kind == b'm').count()).collect();
            parts(&body).flatten().eq(&body) && counts[0] == 0 && counts[1..].iter().all(|count| *count == 1)
        }

        fn a_line_is_its_parts(body: Vec<u8>) -> bool {
            lines(&body).all(|line| {
                let head = if line.kind == 0 { vec![] } else { vec![line.kind, b'='] };
                [&head, line.value, line.end].concat() == line.whole
            })
        }
    }
}
