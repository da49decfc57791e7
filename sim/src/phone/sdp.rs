//! The phone's session descriptions (RFC 8866, RFC 3264): one audio stream that it takes, and lines that it refuses.

use super::message::Message;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A named port of RTCP is so much above that of RTP.
pub(super) const NAMED_RTCP: u16 = 3;

/// Which way the audio goes, from the describing side's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// The other side is on hold.
    SendOnly,
    /// The describing side is on hold.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    fn attribute(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// The same stream as the other side sees it; what an answer to this offer says at most (RFC 3264 §6.1).
    pub fn answered(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// What is left of it where the other side allows no more than `other`, told from that side's view.
    pub fn within(self, other: Direction) -> Direction {
        Direction::of(self.sends() && other.receives(), self.receives() && other.sends())
    }

    /// Whether the describing side sends.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the describing side receives.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }
}

/// What a phone can speak: payload types that need no `a=rtpmap` to be known (RFC 3551 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the codecs' own")]
pub enum Codec {
    Pcmu,
    Gsm,
    Pcma,
    G722,
    G729,
}

impl Codec {
    const ALL: [Codec; 5] = [Codec::Pcmu, Codec::Gsm, Codec::Pcma, Codec::G722, Codec::G729];

    /// The payload type and the encoding name with its clock rate.
    fn encoding(self) -> (&'static str, &'static str) {
        match self {
            Codec::Pcmu => ("0", "PCMU/8000"),
            Codec::Gsm => ("3", "GSM/8000"),
            Codec::Pcma => ("8", "PCMA/8000"),
            Codec::G722 => ("9", "G722/8000"),
            Codec::G729 => ("18", "G729/8000"),
        }
    }

    fn of_payload(payload: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.encoding().0 == payload)
    }
}

/// What the phone needs of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Where audio is received.
    pub audio: SocketAddr,
    /// Which way, as `a=` says.
    pub direction: Direction,
    /// The version of `o=`: rises by one with every change, and else not (RFC 3264 §8).
    pub version: u64,
    /// The rest of `o=`, which never changes.
    pub origin: String,
    /// The codecs, in the order of preference.
    pub codecs: Vec<Codec>,
    /// Held the way of RFC 2543: `c=0.0.0.0` (RFC 3264 §8.4).
    pub is_zero: bool,
    /// `m=` lines other than the first audio one, as written. The phone offers them and refuses them.
    pub other_lines: Vec<String>,
    /// Where RTCP is received, where that is said (RFC 3605).
    pub rtcp_port: Option<u16>,
    /// RTCP comes with RTP (RFC 5761).
    pub has_mux: bool,
    /// The source of its media, where that is said (RFC 5576).
    pub source: Option<u32>,
    /// A word of the writer in a line of its own, `a=x-mark:`, by which a test knows whose description this is.
    pub mark: Option<String>,
}

impl Session {
    /// A description of audio there, both ways.
    pub fn new(audio: SocketAddr, codecs: &[Codec]) -> Session {
        Session {
            audio,
            direction: Direction::SendRecv,
            version: 1,
            origin: format!("- 1 IN {} {}", family(audio.ip()), audio.ip()),
            codecs: codecs.to_vec(),
            is_zero: false,
            other_lines: Vec::new(),
            rtcp_port: None,
            has_mux: false,
            source: None,
            mark: None,
        }
    }

    /// The description as text.
    pub fn write(&self) -> String {
        let (ip, port) = (self.audio.ip(), self.audio.port());
        let connection = if self.is_zero { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { ip };
        let (user_and_id, place) = self.origin.split_at(self.origin.find(" IN").unwrap_or(self.origin.len()));
        let mut text = String::with_capacity(400);
        let written = write!(
            text,
            "v=0\r\no={user_and_id} {}{place}\r\ns=-\r\nc=IN {} {connection}\r\nt=0 0\r\nm=audio {port} RTP/AVP ",
            self.version,
            family(connection),
        );
        written.expect("a string takes everything");
        let mut put = |parts: &[&str]| parts.iter().for_each(|part| text.push_str(part));
        self.codecs.iter().for_each(|codec| put(&[codec.encoding().0, " "]));
        put(&["101\r\n"]);
        for (payload, name) in self.codecs.iter().map(|codec| codec.encoding()) {
            put(&["a=rtpmap:", payload, " ", name, "\r\n"]);
        }
        put(&["a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"]);
        if let Some(port) = self.rtcp_port {
            put(&["a=rtcp:", &port.to_string(), "\r\n"]);
        }
        if self.has_mux {
            put(&["a=rtcp-mux\r\n"]);
        }
        if let Some(source) = self.source {
            put(&["a=ssrc:", &source.to_string(), " cname:", &source.to_string(), "\r\n"]);
        }
        if let Some(mark) = &self.mark {
            put(&["a=x-mark:", mark, "\r\n"]);
        }
        put(&["a=", self.direction.attribute(), "\r\n"]);
        self.other_lines.iter().for_each(|line| put(&["m=", line, "\r\n"]));
        text
    }

    /// Reads what the far side wrote; `c=` of the stream goes before `c=` of the session.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Session, String> {
        let (mut address, mut port, mut origin) = (None, None, None);
        let mut words: Vec<&str> = Vec::with_capacity(10);
        let mut found = Session {
            audio: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            direction: Direction::SendRecv,
            version: 1,
            origin: String::new(),
            codecs: Vec::new(),
            is_zero: false,
            other_lines: Vec::new(),
            rtcp_port: None,
            has_mux: false,
            source: None,
            mark: None,
        };
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            let (kind, value) = line.split_once('=').ok_or_else(|| format!("SDP line without '=': {line:?}"))?;
            words.clear();
            words.extend(value.split(' '));
            // what follows another m= line is not about the audio
            let is_ours = found.other_lines.is_empty();
            match (kind, &words[..]) {
                ("o", [user, id, version, place @ ..]) => {
                    origin = version.parse().ok().map(|v: u64| (format!("{user} {id} {}", place.join(" ")), v));
                }
                ("c", [_, _, host]) if is_ours => address = host.parse::<IpAddr>().ok(),
                ("m", ["audio", number, _, payloads @ ..]) if port.is_none() => {
                    port = number.parse().ok();
                    found.codecs = payloads.iter().filter_map(|payload| Codec::of_payload(payload)).collect();
                }
                ("m", _) => found.other_lines.push(value.to_owned()),
                ("a", [name]) if is_ours => match *name {
                    "sendrecv" => found.direction = Direction::SendRecv,
                    "sendonly" => found.direction = Direction::SendOnly,
                    "recvonly" => found.direction = Direction::RecvOnly,
                    "inactive" => found.direction = Direction::Inactive,
                    "rtcp-mux" => found.has_mux = true,
                    other if other.starts_with("rtcp:") => found.rtcp_port = other[5..].parse().ok(),
                    other => found.mark = other.strip_prefix("x-mark:").map(str::to_owned).or(found.mark),
                },
                ("a", [name, ..]) if is_ours && found.source.is_none() => {
                    found.source = name.strip_prefix("ssrc:").and_then(|source| source.parse().ok());
                }
                _ => {}
            }
        }
        let (Some(ip), Some(port), Some((origin, version))) = (address, port, origin) else {
            return Err(format!("SDP lacks c= with an address, m=audio with a port, or o= with a version: {text:?}"));
        };
        let is_zero = ip.is_unspecified();
        Ok(Session { audio: SocketAddr::new(ip, port), origin, version, is_zero, ..found })
    }

    /// Which way the audio really goes: at `c=0.0.0.0` nothing is received (RFC 3264 §8.4).
    pub fn effective(&self) -> Direction {
        let receives = self.direction.receives() && !self.is_zero;
        Direction::of(self.direction.sends(), receives)
    }

    /// Whether both say the same, but for the version.
    pub fn says_what(&self, other: &Session) -> bool {
        Session { version: 0, ..self.clone() } == Session { version: 0, ..other.clone() }
    }

    /// Where RTCP is received by who wrote this, and is muxed or not.
    pub fn control(&self, is_muxed: bool) -> SocketAddr {
        let next = self.audio.port().saturating_add(1);
        let port = if is_muxed { self.audio.port() } else { self.rtcp_port.unwrap_or(next) };
        SocketAddr::new(self.audio.ip(), port)
    }

    /// How many `m=` lines it has.
    pub fn lines(&self) -> usize {
        1 + self.other_lines.len()
    }
}

fn family(ip: IpAddr) -> &'static str {
    if ip.is_ipv6() { "IP6" } else { "IP4" }
}

/// The description that a message carries, alone or as a part of a multipart body (RFC 2046 §5.1).
pub fn of_message(message: &Message) -> Option<&str> {
    let kind = message.get("Content-Type")?;
    let is = |kind: &str, name: &str| {
        kind.trim_ascii().get(..name.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(name))
    };
    if is(kind, "application/sdp") {
        return Some(&message.body);
    }
    if !is(kind, "multipart/") {
        return None;
    }
    let boundary = kind.split_once("boundary=")?.1.trim_matches('"');
    let mut parts = message.body.split(boundary).filter_map(|part| part.split_once("\r\n\r\n"));
    let (_, part) = parts.find(|(head, _)| head.to_ascii_lowercase().contains("application/sdp"))?;
    Some(part.strip_suffix("--").unwrap_or(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut session = Session::new("192.0.2.1:4000".parse().unwrap(), &[Codec::Pcma, Codec::G722]);
        (session.direction, session.version, session.mark) = (Direction::SendOnly, 3, Some("alice.3".to_owned()));
        assert_eq!(Session::read(&session.write()).unwrap(), session);
        (session.rtcp_port, session.has_mux, session.source) = (Some(4003), true, Some(0x7fff_fff0));
        session.other_lines.push("video 0 RTP/AVP 96".to_owned());
        assert_eq!(Session::read(&session.write()).unwrap(), session);
        assert!(Session::read("v=0\r\n").is_err());
    }

    #[test]
    fn a_hold_has_many_spellings() {
        let mut session = Session::new("192.0.2.1:4000".parse().unwrap(), &[Codec::Pcmu]);
        session.is_zero = true;
        let read = Session::read(&session.write()).unwrap();
        assert!(read.is_zero && read.direction == Direction::SendRecv);
        assert_eq!(read.effective(), Direction::SendOnly);
        assert_eq!(Direction::SendOnly.answered(), Direction::RecvOnly);
        assert_eq!(Direction::SendRecv.within(Direction::SendOnly), Direction::RecvOnly);
    }

    #[test]
    fn a_description_is_found_among_other_parts() {
        let mut message =
            Message::request("INVITE", "sip:a@192.0.2.1").with("Content-Type", "multipart/mixed;boundary=\"x1\"");
        message.body = "--x1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x1\r\nContent-Type: application/sdp\r\n\r\n\
                        v=0\r\n--x1--\r\n"
            .to_owned();
        assert_eq!(of_message(&message), Some("v=0\r\n"));
    }
}
