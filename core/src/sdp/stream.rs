//! What a relay has to know of each stream.

use super::codec::{PAYLOAD_TYPES, static_format};
use super::scan::{Direction, Media, SdpError, lines, number, rtpmap, scan, words};
use crate::nat::Evidence;
use std::net::{IpAddr, SocketAddr};

/// What a stream's packets are (the protocol of its `m=` line).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// RTP in the clear: `RTP/AVP` (RFC 3551), `RTP/AVPF` (RFC 4585).
    Rtp,
    /// SRTP: `RTP/SAVP` (RFC 3711), `RTP/SAVPF` (RFC 5124), keyed by DTLS where `UDP/TLS/` stands before (RFC 5764 §8).
    Srtp,
    /// T.38 without RTP.
    Udptl,
    /// A protocol over TCP (RFC 4145), which no relay of datagrams takes.
    Tcp,
    /// Datagrams of whatever kind.
    Other,
}

impl Profile {
    /// That of a protocol such as `RTP/AVP`, in any case of letters.
    pub fn of(proto: &[u8]) -> Profile {
        const NAMES: [(&[u8], Profile); 8] = [
            (b"RTP/AVP", Profile::Rtp),
            (b"RTP/AVPF", Profile::Rtp),
            (b"RTP/SAVP", Profile::Srtp),
            (b"RTP/SAVPF", Profile::Srtp),
            (b"UDP/TLS/RTP/SAVP", Profile::Srtp),
            (b"UDP/TLS/RTP/SAVPF", Profile::Srtp),
            (b"udptl", Profile::Udptl),
            (b"TCP", Profile::Tcp),
        ];
        if proto.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"TCP/")) {
            return Profile::Tcp;
        }
        let known = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(proto));
        known.map_or(Profile::Other, |(_, profile)| *profile)
    }

    /// Whether its packets have payload types, and RTCP beside them.
    pub fn is_rtp(self) -> bool {
        matches!(self, Profile::Rtp | Profile::Srtp)
    }
}

/// Whether the writer takes RTCP at its RTP port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mux {
    /// No.
    #[default]
    No,
    /// `a=rtcp-mux`: an offer means that it can, and falls back to a port of its own; an answer means that it does (RFC
    /// 5761 §5.1.1).
    Yes,
    /// `a=rtcp-mux-only`: it has no other port (RFC 8858 §3).
    Only,
}

/// A payload type of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format<'b> {
    /// The number, 0 to 127.
    pub payload_type: u8,
    /// The encoding name from `a=rtpmap`, else from RFC 3551; empty where neither tells.
    pub name: &'b [u8],
    /// What its timestamps count in, in Hz; 0 where nothing tells.
    pub clock_rate_hz: u32,
}

impl Format<'_> {
    /// Whether it carries digits (RFC 4733).
    pub fn is_telephone_event(&self) -> bool {
        self.name.eq_ignore_ascii_case(b"telephone-event")
    }
}

/// A stream of a description, as its writer offers to take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream<'b> {
    /// What its packets are.
    pub profile: Profile,
    /// Where the writer takes them; None for a host name or where nothing stands. The unspecified one is a hold.
    pub address: Option<IpAddr>,
    /// The port for them; 0 is a stream refused or ended (RFC 3264 §6).
    pub port: u16,
    /// How many ports it has: 1 but for layered encodings (RFC 8866 §5.14). A relay has one of them.
    pub port_count: u16,
    /// The port for RTCP where it is not muxed: that of `a=rtcp` (RFC 3605), else the next one (RFC 3550 §11). None where
    /// there is no RTP, or no port.
    pub rtcp_port: Option<u16>,
    /// The address for RTCP: that of `a=rtcp`, else that of the stream.
    pub rtcp_address: Option<IpAddr>,
    /// Whether RTCP may come to the RTP port instead.
    pub mux: Mux,
    /// Which way it flows.
    pub direction: Direction,
    /// The payload types, by the writer's preference; empty without RTP.
    pub formats: Vec<Format<'b>>,
    /// How much a packet holds, in ms (RFC 8866 §6.4); None where nothing is said.
    pub ptime_ms: Option<u16>,
}

impl Stream<'_> {
    /// Whether it is refused or ended.
    pub fn is_rejected(&self) -> bool {
        self.port == 0
    }

    /// Whether the writer takes no media now: by direction, or in the old spelling by address (RFC 3264 §8.4).
    pub fn is_held(&self) -> bool {
        let takes_none = matches!(self.direction, Direction::SendOnly | Direction::Inactive);
        takes_none || self.address.is_some_and(|address| address.is_unspecified())
    }

    /// Where to send to. None for a refused stream, a host name, or the old spelling of a hold, where not even RTCP is to be
    /// sent. A stream on hold by direction has one still.
    pub fn target(&self) -> Option<SocketAddr> {
        target(self.address, self.port)
    }

    /// Where to send RTCP to while it is not muxed.
    pub fn rtcp_target(&self) -> Option<SocketAddr> {
        self.target()?;
        target(self.rtcp_address, self.rtcp_port?)
    }

    /// Whether it shows an address translator before its writer, who was seen at `source` ([`Evidence::of`]). A refused
    /// stream and a hold by address show nothing.
    pub fn shows_nat(&self, source: IpAddr) -> bool {
        Evidence::of(false, None, self.target().map(|target| target.ip()), source).sdp
    }

    /// The formats that carry digits.
    pub fn telephone_events(&self) -> impl Iterator<Item = &Format<'_>> {
        self.formats.iter().filter(|format| format.is_telephone_event())
    }
}

fn target(address: Option<IpAddr>, port: u16) -> Option<SocketAddr> {
    let address = address.filter(|address| !address.is_unspecified())?;
    (port != 0).then(|| SocketAddr::new(address, port))
}

/// The streams of a description, in the order of its `m=` lines. Two passes.
///
/// # Errors
///
/// Those of [`scan()`].
pub fn streams(body: &[u8]) -> Result<Vec<Stream<'_>>, SdpError> {
    Ok(scan(body)?.media.iter().map(stream).collect())
}

fn stream<'b>(media: &Media<'b>) -> Stream<'b> {
    let profile = Profile::of(media.proto);
    let address = media.connection.and_then(|connection| connection.ip());
    let next_port = (profile.is_rtp() && media.port != 0).then(|| media.port.checked_add(1)).flatten();
    let mut stream = Stream {
        profile,
        address,
        port: media.port,
        port_count: media.port_count,
        rtcp_port: next_port,
        rtcp_address: address,
        mux: Mux::No,
        direction: media.direction,
        formats: Vec::new(),
        ptime_ms: None,
    };
    let mut names = [None; PAYLOAD_TYPES];
    for line in lines(media.attributes).filter(|line| line.kind == b'a') {
        read_attribute(line.value, &mut stream, &mut names);
    }
    if profile.is_rtp() {
        let numbers = media.formats().filter_map(number::<u8>).take(PAYLOAD_TYPES);
        stream.formats.extend(numbers.filter(|number| usize::from(*number) < PAYLOAD_TYPES).map(|payload_type| {
            let named = names[usize::from(payload_type)].or(static_format(payload_type));
            let (name, clock_rate_hz) = named.unwrap_or((b"", 0));
            Format { payload_type, name, clock_rate_hz }
        }));
    }
    stream
}

type Names<'b> = [Option<(&'b [u8], u32)>; PAYLOAD_TYPES];

fn read_attribute<'b>(attribute: &'b [u8], stream: &mut Stream<'b>, names: &mut Names<'b>) {
    let colon = attribute.iter().position(|byte| *byte == b':').unwrap_or(attribute.len());
    let value = attribute.get(colon + 1..).unwrap_or_default();
    match attribute[..colon].trim_ascii() {
        b"rtcp" if stream.profile.is_rtp() && stream.port != 0 => read_rtcp(value, stream),
        b"rtcp-mux" if stream.mux == Mux::No => stream.mux = Mux::Yes,
        b"rtcp-mux-only" => stream.mux = Mux::Only,
        b"ptime" => stream.ptime_ms = number(value.trim_ascii()).or(stream.ptime_ms),
        b"rtpmap" => {
            let Some((payload_type, name, rate)) = rtpmap(attribute) else { return };
            if let Some(place) = names.get_mut(usize::from(payload_type)) {
                *place = Some((name, rate));
            }
        }
        _ => {}
    }
}

/// `53020` or `53020 IN IP6 2001:db8::1` (RFC 3605 §2.1).
fn read_rtcp(value: &[u8], stream: &mut Stream<'_>) {
    let mut words = words(value);
    let Some(port) = words.next().and_then(number).filter(|port| *port != 0) else { return };
    stream.rtcp_port = Some(port);
    let address = words.nth(2).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
    stream.rtcp_address = address.or(stream.rtcp_address);
}

#[cfg(test)]
mod tests;
