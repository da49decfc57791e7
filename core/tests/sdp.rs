//! Session descriptions printed in RFCs, seeds of other people's fuzzers, and the kinds of body that other parsers lose.

mod shared;

use crosspoint_core::sdp::{self, Direction, PayloadMap, Relay, RelayedStream, Rewrite, RtcpPort};
use std::net::{IpAddr, Ipv4Addr};

const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77));

fn rewritten(body: &[u8], how: &Rewrite<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    sdp::rewrite(body, how, &mut out);
    out
}

fn lines_of(body: &[u8], kind: u8) -> Vec<&[u8]> {
    sdp::lines(body).filter(|line| line.kind == kind).map(|line| line.whole).collect()
}

#[test]
fn every_printed_description_parses_and_comes_back() {
    for (name, body) in shared::files("sdp", &[".sdp"]) {
        let session = sdp::scan(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(session.media.len(), lines_of(&body, b'm').len(), "{name}");
        assert_eq!(rewritten(&body, &Rewrite::default()), body, "{name}");
    }
}

#[test]
fn hiding_changes_the_origin_of_every_printed_description_and_nothing_else() {
    for (name, body) in shared::files("sdp", &[".sdp"]) {
        let hidden = rewritten(&body, &Rewrite::hiding(OURS));
        let pairs = sdp::lines(&body).zip(sdp::lines(&hidden));
        for (before, after) in pairs.filter(|(before, _)| before.kind != b'o') {
            assert_eq!(before, after, "{name}");
        }
        assert_eq!(sdp::lines(&body).count(), sdp::lines(&hidden).count(), "{name}");
        let (before, after) = (sdp::scan(&body).unwrap().origin, sdp::scan(&hidden).unwrap().origin);
        if let (Some(before), Some(after)) = (before, after) {
            assert_eq!((before.id, before.version), (after.id, after.version), "{name}");
            assert_eq!((after.user, after.address), (&b"-"[..], &b"192.0.2.77"[..]), "{name}");
        }
    }
}

/// One relayed stream after the other, each with a pair of ports.
fn relayed_streams() -> Vec<Option<RelayedStream>> {
    let stream = |port| RelayedStream { port, rtcp: RtcpPort::Next, payloads: PayloadMap::default() };
    (0..64).map(|index| Some(stream(30_000 + 2 * index))).collect()
}

/// RFC 3264 §6: the answerer's `m=` lines match the offer's, so a switch between them must keep number and order.
#[test]
fn relaying_keeps_every_media_line_in_order_with_its_formats() {
    let streams = relayed_streams();
    let how = Rewrite { relay: Some(Relay { address: OURS, streams: &streams }), ..Rewrite::hiding(OURS) };
    for (name, body) in shared::files("sdp", &[".sdp"]) {
        let relayed = rewritten(&body, &how);
        let (before, after) = (sdp::scan(&body).unwrap().media, sdp::scan(&relayed).unwrap().media);
        assert_eq!(before.len(), after.len(), "{name}");
        for (index, (before, after)) in before.iter().zip(&after).enumerate() {
            let kept = |media: &sdp::Media<'_>| format!("{:?} {:?} {:?}", media.kind, media.proto, media.formats);
            assert_eq!(kept(before), kept(after), "{name}");
            assert_eq!(before.direction, after.direction, "{name}");
            let expected = if before.port == 0 { 0 } else { streams[index].unwrap().port };
            assert_eq!((after.port, after.port_count), (expected, 1), "{name}");
            let was_held = before.connection.is_some_and(|connection| connection.is_hold());
            let is_at = after.connection.and_then(|connection| connection.ip());
            let expected = if was_held { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { OURS };
            assert!(is_at == Some(expected) || after.port == 0, "{name}");
        }
    }
}

/// The same for both families, line by line: in the bodies that RFCs print nothing is put in or taken out but ICE.
#[test]
fn relaying_changes_no_line_but_those_named() {
    let streams = relayed_streams();
    let v6: IpAddr = "2001:db8::77".parse().unwrap();
    let is_ice = |value: &[u8]| value.starts_with(b"ice-") || value.starts_with(b"candidate:");
    for (name, body) in shared::files("sdp", &[".sdp"]) {
        for address in [OURS, v6] {
            let how = Rewrite { relay: Some(Relay { address, streams: &streams }), ..Rewrite::hiding(address) };
            let relayed = rewritten(&body, &how);
            assert_eq!(rewritten(&relayed, &how), relayed, "{name}: once more");
            let kept = sdp::lines(&body).filter(|line| !(line.kind == b'a' && is_ice(line.value)));
            let (kept, relayed): (Vec<_>, Vec<_>) = (kept.collect(), sdp::lines(&relayed).collect());
            assert_eq!(kept.len(), relayed.len(), "{name}");
            for (before, after) in kept.iter().zip(&relayed) {
                let is_named = matches!(before.kind, b'o' | b'c' | b'm') || before.value.starts_with(b"rtcp:");
                assert_eq!((before.kind, before.end), (after.kind, after.end), "{name}");
                assert!(is_named || before.whole == after.whole, "{name}: {}", text(before.whole));
            }
        }
    }
}

/// Every stream that RFCs print is read, with the same port and direction as by [`sdp::scan`].
#[test]
fn every_printed_stream_is_read() {
    for (name, body) in shared::files("sdp", &[".sdp"]) {
        let (streams, session) = (sdp::streams(&body).unwrap(), sdp::scan(&body).unwrap());
        for (stream, media) in streams.iter().zip(&session.media) {
            assert_eq!((stream.port, stream.direction), (media.port, media.direction), "{name}");
            let expected = if stream.profile.is_rtp() { media.formats().count() } else { 0 };
            assert_eq!(stream.formats.len(), expected, "{name}");
            let nameless = stream.formats.iter().filter(|format| format.name.is_empty() || format.clock_rate_hz == 0);
            let nameless: Vec<u8> = nameless.map(|format| format.payload_type).collect();
            let maps: Vec<u8> = media.rtpmaps().map(|(payload_type, _)| payload_type).collect();
            assert!(nameless.iter().all(|payload_type| !maps.contains(payload_type)), "{name}: {nameless:?}");
        }
        assert_eq!(streams.len(), session.media.len(), "{name}");
    }
}

#[test]
fn other_peoples_seeds_come_back_whether_they_parse_or_not() {
    let seeds = shared::files("fuzz-seeds/pjproject/sdp", &[""]);
    for (name, body) in shared::files("torture", &[".dat", ".sip"]).iter().chain(&seeds) {
        let _ = sdp::scan(body);
        let _ = sdp::first_codec(body);
        assert_eq!(rewritten(body, &Rewrite::default()), *body, "{name}");
    }
}

/// sdp-types, written by others, sees the same media in what it can read.
#[test]
fn an_independent_reader_sees_the_same_sections() {
    let mut compared = 0;
    for (name, body) in shared::files("sdp", &[".sdp"]) {
        let Ok(theirs) = sdp_types::Session::parse(&body) else { continue };
        let ours = sdp::scan(&body).unwrap();
        compared += 1;
        assert_eq!(ours.media.len(), theirs.medias.len(), "{name}");
        if let Some(origin) = ours.origin {
            assert_eq!(text(origin.user), theirs.origin.username.as_deref().unwrap_or("-"), "{name}");
            assert_eq!(text(origin.id), theirs.origin.sess_id, "{name}");
            assert_eq!(text(origin.version), theirs.origin.sess_version.to_string(), "{name}");
            assert_eq!(text(origin.address), theirs.origin.unicast_address, "{name}");
        }
        for (ours, theirs) in ours.media.iter().zip(&theirs.medias) {
            assert_eq!(text(ours.kind), theirs.media, "{name}");
            assert_eq!((ours.port, text(ours.proto)), (theirs.port, &*theirs.proto), "{name}");
            assert_eq!(text(ours.formats), theirs.fmt, "{name}");
            let maps: Vec<String> = ours.rtpmaps().map(|(number, name)| format!("{number} {}", text(name))).collect();
            let their_maps = theirs.attributes.iter().filter(|attribute| attribute.attribute == "rtpmap");
            let their_maps: Vec<String> = their_maps.map(|map| before_rate(map.value.as_deref().unwrap())).collect();
            assert_eq!(maps, their_maps, "{name}");
        }
    }
    assert!(compared > 50 || shared::root().is_none(), "the oracle read only {compared} bodies");
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("descriptions in RFCs are ASCII")
}

fn before_rate(map: &str) -> String {
    map.split('/').next().unwrap().to_owned()
}

/// Bodies that at least one parser named in the dependency notes rejects or prints differently.
const AWKWARD: [(&str, &[u8]); 7] = [
    (
        "T.38 over udptl",
        b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\nm=image 4000 udptl t38\r\n\
        a=T38FaxVersion:0\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n",
    ),
    (
        "BFCP over TCP",
        b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nt=0 0\r\nm=application 4002 TCP/BFCP *\r\na=floorctrl:c-s\r\n",
    ),
    (
        "GB 28181 line types",
        b"v=0\r\no=34020000 0 0 IN IP4 10.0.0.5\r\ns=Play\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\n\
        m=video 6000 RTP/AVP 96\r\na=recvonly\r\na=rtpmap:96 PS/90000\r\ny=0100000001\r\nf=v/2/5/25/1/4000a///\r\n",
    ),
    ("Latin-1 session name", b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=B\xfcro\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"),
    (
        "b= before c=, no t=",
        b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nb=AS:64\r\nc=IN IP4 10.0.0.5\r\nm=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "host name, no last line end",
        b"v=0\no=- 1 1 IN IP4 pc.example\ns=-\nc=IN IP4 pc.example\nt=0 0\nm=audio 4000 RTP/AVP 0",
    ),
    (
        "attribute with trailing spaces and a colon",
        b"o=- 1 1 IN IP4 10.0.0.5\r\nm=audio 4000 RTP/AVP 0 \r\na=X-nat:0 Unknown \r\na= \r\na=\r\n",
    ),
];

#[test]
fn awkward_bodies_are_read_and_lose_nothing() {
    for (name, body) in AWKWARD {
        let session = sdp::scan(body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(session.media.len(), 1, "{name}");
        assert_eq!(rewritten(body, &Rewrite::default()), body, "{name}");
        let hidden = rewritten(body, &Rewrite::hiding(OURS));
        let others = |body: &[u8]| {
            sdp::lines(body).filter(|l| l.kind != b'o').flat_map(|l| l.whole.to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(others(&hidden), others(body), "{name}");
        assert_eq!(sdp::scan(&hidden).unwrap().origin.unwrap().address, b"192.0.2.77", "{name}");
    }
}

#[test]
fn what_the_awkward_bodies_say_is_seen() {
    let media = |index: usize| sdp::scan(AWKWARD[index].1).unwrap().media[0];
    assert_eq!((media(0).kind, media(0).proto, media(0).formats), (&b"image"[..], &b"udptl"[..], &b"t38"[..]));
    assert_eq!((media(1).proto, media(1).formats), (&b"TCP/BFCP"[..], &b"*"[..]));
    assert_eq!(media(2).direction, Direction::RecvOnly);
    assert_eq!(media(2).rtpmaps().collect::<Vec<_>>(), [(96, &b"PS"[..])]);
    assert_eq!(media(5).connection.map(|c| (c.address, c.ip())), Some((&b"pc.example"[..], None)));
    assert_eq!(sdp::first_codec(AWKWARD[6].1).as_deref(), Some("PCMU"));
    assert_eq!(sdp::first_codec(AWKWARD[0].1), None);
}
