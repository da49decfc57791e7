//! The answer that takes one stream of G.711, where the switch itself is heard.

use super::scan::{Direction, lines, scan, words};
use super::stream::{Mux, Profile, streams};
use std::io::Write;
use std::net::SocketAddr;

/// What the switch takes of an offer: one payload type of G.711 of its first audio stream that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which `m=` line.
    pub index: usize,
    /// 0 (PCMU) or 8 (PCMA), by the offer's own order.
    pub payload_type: u8,
    /// The payload type of telephone-event at 8000 Hz, where it offers one.
    pub event: Option<u8>,
    /// How the stream flows, as the answer says it (RFC 3264 §6.1).
    pub direction: Direction,
    /// RTCP comes with the RTP, as the offer has no other port for it.
    pub is_muxed: bool,
}

impl Taken {
    /// What it is called in `a=rtpmap`.
    pub fn name(&self) -> &'static str {
        if self.payload_type == 0 { "PCMU" } else { "PCMA" }
    }
}

/// What the switch can take of this offer; `None` where nothing is G.711 over RTP in the clear.
pub fn take(offer: &[u8]) -> Option<Taken> {
    let session = scan(offer).ok()?;
    let streams = streams(offer).ok()?;
    session.media.iter().zip(&streams).enumerate().find_map(|(index, (media, stream))| {
        if media.kind != b"audio" || stream.profile != Profile::Rtp || stream.is_rejected() {
            return None;
        }
        let is_law = |name: &[u8]| name.eq_ignore_ascii_case(b"PCMU") || name.eq_ignore_ascii_case(b"PCMA");
        let law = stream.formats.iter().find(|format| matches!(format.payload_type, 0 | 8) && is_law(format.name))?;
        let event = stream.telephone_events().find(|event| event.clock_rate_hz == law.clock_rate_hz);
        Some(Taken {
            index,
            payload_type: law.payload_type,
            event: event.map(|event| event.payload_type),
            direction: stream.direction.answered(),
            is_muxed: stream.mux == Mux::Only,
        })
    })
}

/// The answer that takes this of the offer and refuses every other stream (RFC 3264 §6), in the offer's own order. `at` is
/// where the switch takes the stream, `session` the number of its own in `o=`.
///
/// ```
/// use crosspoint_core::sdp;
///
/// let offer = b"v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18 8\r\n";
/// let taken = sdp::take(offer).unwrap();
/// let answer = sdp::answer(offer, &taken, "203.0.113.9:30000".parse().unwrap(), 7);
/// assert!(answer.ends_with(b"m=audio 30000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"));
/// ```
pub fn answer(offer: &[u8], taken: &Taken, at: SocketAddr, session: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(offer.len().min(512));
    // RFC 3264 §6: the answer's t= is the offer's
    let time = lines(offer).find(|line| line.kind == b't').map_or(&b"0 0"[..], |line| line.value);
    head(&mut out, at, session, time);
    for (index, line) in lines(offer).filter(|line| line.kind == b'm').enumerate() {
        let mut words = words(line.value);
        let (Some(kind), Some(_port), Some(proto)) = (words.next(), words.next(), words.next()) else { continue };
        if index == taken.index {
            stream(&mut out, proto, taken, at.port());
            continue;
        }
        out.extend_from_slice(b"m=");
        out.extend_from_slice(kind);
        out.extend_from_slice(b" 0 ");
        out.extend_from_slice(proto);
        for word in words {
            out.push(b' ');
            out.extend_from_slice(word);
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// An offer of the switch's own: one stream of either law, to be taken here.
pub fn offer(at: SocketAddr, session: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    head(&mut out, at, session, b"0 0");
    let port = at.port();
    write!(
        out,
        "m=audio {port} RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )
    .expect("writing to a Vec cannot fail");
    out
}

fn head(out: &mut Vec<u8>, at: SocketAddr, session: u64, time: &[u8]) {
    let (family, address) = (if at.is_ipv4() { "IP4" } else { "IP6" }, at.ip());
    write!(out, "v=0\r\no=- {session} 1 IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=")
        .expect("writing to a Vec cannot fail");
    out.extend_from_slice(time);
    out.extend_from_slice(b"\r\n");
}

fn stream(out: &mut Vec<u8>, proto: &[u8], taken: &Taken, port: u16) {
    let Taken { payload_type, event, direction, is_muxed, .. } = *taken;
    let mut text = format!(" {payload_type}");
    if let Some(event) = event {
        text.push_str(&format!(" {event}"));
    }
    let law = taken.name();
    text.push_str(&format!("\r\na=rtpmap:{payload_type} {law}/8000\r\n"));
    if let Some(event) = event {
        // RFC 4733 §2.4.1: the sixteen events of DTMF, which every reader of them takes
        text.push_str(&format!("a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n"));
    }
    if is_muxed {
        text.push_str("a=rtcp-mux\r\n");
    }
    out.extend_from_slice(format!("m=audio {port} ").as_bytes());
    out.extend_from_slice(proto);
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(format!("a=ptime:20\r\na={}\r\n", direction.name()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=3 4\r\n";

    /// What the switch answers to these lines, behind its `t=`.
    fn answered(streams: &str) -> String {
        let offer = format!("{HEAD}{}\r\n", streams.replace(", ", "\r\n"));
        let Some(taken) = take(offer.as_bytes()) else { return "nothing".to_owned() };
        let answer = answer(offer.as_bytes(), &taken, "203.0.113.9:30000".parse().unwrap(), 7);
        let text = String::from_utf8(answer).unwrap();
        assert!(crate::sdp::scan(text.as_bytes()).is_ok());
        let own = "v=0\r\no=- 7 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=3 4\r\n";
        text.strip_prefix(own).unwrap_or_else(|| panic!("{text}")).trim_end().replace("\r\n", ", ")
    }

    #[test]
    fn one_payload_type_of_the_first_stream_that_has_g711_is_taken_and_all_else_refused() {
        let cases = [
            ("m=audio 4 RTP/AVP 0 8", "m=audio 30000 RTP/AVP 0, a=rtpmap:0 PCMU/8000, a=ptime:20, a=sendrecv"),
            (
                "m=audio 4 RTP/AVPF 18 8 0 96 101, a=rtpmap:96 telephone-event/48000, a=rtpmap:101 telephone-event/8000",
                "m=audio 30000 RTP/AVPF 8 101, a=rtpmap:8 PCMA/8000, a=rtpmap:101 telephone-event/8000, \
                 a=fmtp:101 0-15, a=ptime:20, a=sendrecv",
            ),
            (
                "m=video 6 RTP/AVP 96, m=audio 0 RTP/AVP 8, m=audio 4 RTP/SAVP 8, m=audio 8 RTP/AVP 8, a=rtcp-mux-only",
                "m=video 0 RTP/AVP 96, m=audio 0 RTP/AVP 8, m=audio 0 RTP/SAVP 8, m=audio 30000 RTP/AVP 8, \
                 a=rtpmap:8 PCMA/8000, a=rtcp-mux, a=ptime:20, a=sendrecv",
            ),
            (
                "m=audio 4 RTP/AVP 8, a=sendonly",
                "m=audio 30000 RTP/AVP 8, a=rtpmap:8 PCMA/8000, a=ptime:20, a=recvonly",
            ),
            (
                "m=audio 4 RTP/AVP 8, a=inactive",
                "m=audio 30000 RTP/AVP 8, a=rtpmap:8 PCMA/8000, a=ptime:20, a=inactive",
            ),
            ("m=audio 4 RTP/AVP 18 96, a=rtpmap:96 opus/48000/2", "nothing"),
            ("m=video 4 RTP/AVP 8", "nothing"),
            ("m=audio 4 RTP/AVP 8, a=rtpmap:8 other/8000", "nothing"),
        ];
        for (offer, answer) in cases {
            assert_eq!(answered(offer), answer, "{offer}");
        }
    }

    #[test]
    fn an_offer_of_the_switchs_own_is_one_that_it_would_take() {
        let offer = offer("[2001:db8::1]:30000".parse().unwrap(), 7);
        let taken = take(&offer).unwrap();
        assert_eq!((taken.index, taken.payload_type, taken.direction), (0, 8, Direction::SendRecv));
        assert!(offer.starts_with(b"v=0\r\no=- 7 1 IN IP6 2001:db8::1\r\n"));
    }

    quickcheck::quickcheck! {
        /// RFC 3264 §6: as many streams as the offer, of which one is not refused.
        fn an_answer_has_the_offers_streams(kinds: Vec<u8>) -> bool {
            const STREAMS: [&str; 6] = [
                "m=audio 4 RTP/AVP 8\r\n", "m=audio 0 RTP/AVP 8\r\n", "m=image 6 udptl t38\r\n", "m=video 8 RTP/SAVP 96\r\n",
                "m=audio 4/2 RTP/AVPF 18 0\r\na=inactive\r\n", "m=text 4 TCP/x\r\n",
            ];
            let streams: String = kinds.iter().take(12).map(|kind| STREAMS[usize::from(*kind) % 6]).collect();
            let offer = format!("{HEAD}{streams}");
            let Some(taken) = take(offer.as_bytes()) else { return true };
            let answer = answer(offer.as_bytes(), &taken, "203.0.113.9:30000".parse().unwrap(), 7);
            let (asked, given) = (scan(offer.as_bytes()).unwrap(), scan(&answer).unwrap());
            let kinds = asked.media.iter().zip(&given.media).all(|(one, other)| one.kind == other.kind && one.proto == other.proto);
            let live = given.media.iter().filter(|media| media.port != 0).count();
            kinds && asked.media.len() == given.media.len() && live == 1
        }
    }
}
