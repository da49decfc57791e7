//! The phone's session descriptions: one audio stream of PCMU and PCMA (RFC 8866, RFC 3264).

use std::net::{IpAddr, SocketAddr};

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

    /// What an answer to this offer says (RFC 3264 §6.1).
    pub fn answered(self) -> Direction {
        match self {
            Direction::SendOnly => Direction::RecvOnly,
            Direction::RecvOnly => Direction::SendOnly,
            same => same,
        }
    }

    /// Whether the describing side sends.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }
}

/// What the phone needs of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Where audio is received.
    pub audio: SocketAddr,
    /// Which way.
    pub direction: Direction,
    /// The version of `o=`: rises with every change (RFC 3264 §8).
    pub version: u64,
}

impl Session {
    /// The description as text.
    pub fn write(&self) -> String {
        let (ip, port) = (self.audio.ip(), self.audio.port());
        let family = if ip.is_ipv6() { "IP6" } else { "IP4" };
        format!(
            "v=0\r\no=- 1 {} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 8 101\r\n\
             a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
             a={}\r\n",
            self.version,
            self.direction.attribute()
        )
    }

    /// Reads what the far side wrote; `c=` of the stream goes before `c=` of the session.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Session, String> {
        let (mut address, mut port, mut version, mut direction) = (None, None, None, Direction::SendRecv);
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            let (kind, value) = line.split_once('=').ok_or_else(|| format!("SDP line without '=': {line:?}"))?;
            let words: Vec<&str> = value.split(' ').collect();
            match (kind, &words[..]) {
                ("o", [_, _, number, ..]) => version = number.parse().ok(),
                ("c", [_, _, host]) => address = host.parse::<IpAddr>().ok(),
                ("m", ["audio", number, _, payloads @ ..]) => {
                    port = number.parse().ok();
                    if !payloads.contains(&"0") && !payloads.contains(&"8") {
                        return Err("neither PCMU nor PCMA in the SDP".to_owned());
                    }
                }
                ("a", ["sendrecv"]) => direction = Direction::SendRecv,
                ("a", ["sendonly"]) => direction = Direction::SendOnly,
                ("a", ["recvonly"]) => direction = Direction::RecvOnly,
                ("a", ["inactive"]) => direction = Direction::Inactive,
                _ => {}
            }
        }
        match (address, port, version) {
            (Some(ip), Some(port), Some(version)) => {
                Ok(Session { audio: SocketAddr::new(ip, port), direction, version })
            }
            _ => Err(format!("SDP lacks c= with an address, m=audio with a port, or o= with a version: {text:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let session = Session { audio: "192.0.2.1:4000".parse().unwrap(), direction: Direction::SendOnly, version: 3 };
        assert_eq!(Session::read(&session.write()).unwrap(), session);
        assert!(Session::read("v=0\r\n").is_err());
    }
}
