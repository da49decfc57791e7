//! What is read of each kind of stream.

use super::*;
use quickcheck::quickcheck;

fn only(body: &str) -> Stream<'_> {
    let streams = streams(body.as_bytes()).unwrap();
    let [stream] = &streams[..] else { panic!("one stream: {streams:?}") };
    stream.clone()
}

#[test]
fn profiles_are_known_by_protocol() {
    let cases = [
        ("RTP/AVP", Profile::Rtp),
        ("rtp/avpf", Profile::Rtp),
        ("RTP/SAVP", Profile::Srtp),
        ("UDP/TLS/RTP/SAVPF", Profile::Srtp),
        ("udptl", Profile::Udptl),
        ("UDPTL", Profile::Udptl),
        ("TCP", Profile::Tcp),
        ("TCP/MSRP", Profile::Tcp),
        ("tcp/tls/bfcp", Profile::Tcp),
        ("UDP/DTLS/SCTP", Profile::Other),
        ("udp", Profile::Other),
        ("", Profile::Other),
    ];
    for (proto, profile) in cases {
        assert_eq!(Profile::of(proto.as_bytes()), profile, "{proto}");
    }
}

#[test]
fn a_stream_tells_the_relay_all_it_needs() {
    let stream = only(
        "c=IN IP4 192.0.2.5\r\nm=audio 4000/2 RTP/AVP 8 96 101 18 77 128 x\r\na=rtpmap:96 opus/48000/2\r\n\
        a=rtpmap:101 Telephone-Event/8000\r\na=ptime:30\r\na=recvonly\r\n",
    );
    assert_eq!((stream.profile, stream.port, stream.port_count), (Profile::Rtp, 4000, 2));
    assert_eq!((stream.direction, stream.ptime_ms, stream.mux), (Direction::RecvOnly, Some(30), Mux::No));
    assert_eq!(stream.target(), Some("192.0.2.5:4000".parse().unwrap()));
    assert_eq!(stream.rtcp_target(), Some("192.0.2.5:4001".parse().unwrap()));
    let formats: Vec<(u8, &str, u32)> = stream
        .formats
        .iter()
        .map(|format| (format.payload_type, std::str::from_utf8(format.name).unwrap(), format.clock_rate_hz))
        .collect();
    let expected =
        [(8, "PCMA", 8000), (96, "opus", 48_000), (101, "Telephone-Event", 8000), (18, "G729", 8000), (77, "", 0)];
    assert_eq!(formats, expected);
    let events: Vec<u8> = stream.telephone_events().map(|event| event.payload_type).collect();
    assert_eq!(events, [101]);
    assert!(!stream.is_held() && !stream.is_rejected());
}

#[test]
fn static_types_have_the_clock_rates_of_the_profile() {
    let stream = only("m=audio 4 RTP/AVP 0 6 9 10 14 17 31 26 2\na=rtpmap:0 PCMU/x\n");
    let rates: Vec<u32> = stream.formats.iter().map(|format| format.clock_rate_hz).collect();
    assert_eq!(rates, [0, 16_000, 8000, 44_100, 90_000, 22_050, 90_000, 90_000, 0]);
}

#[test]
fn rtcp_has_its_own_place_or_that_of_rtp() {
    let cases = [
        ("", Some("192.0.2.5:4001"), Mux::No),
        ("a=rtcp:9000\n", Some("192.0.2.5:9000"), Mux::No),
        ("a=rtcp:9000 IN IP6 2001:db8::5\n", Some("[2001:db8::5]:9000"), Mux::No),
        ("a=rtcp:9000 IN IP4 pc.example\n", Some("192.0.2.5:9000"), Mux::No),
        ("a=rtcp:0\na=rtcp:x\na=rtcp:\na=rtcp\n", Some("192.0.2.5:4001"), Mux::No),
        ("a=rtcp-mux\na=rtcp:4000\n", Some("192.0.2.5:4000"), Mux::Yes),
        ("a=rtcp-mux-only\na=rtcp-mux\n", Some("192.0.2.5:4001"), Mux::Only),
    ];
    for (attributes, target, mux) in cases {
        let body = format!("c=IN IP4 192.0.2.5\nm=audio 4000 RTP/AVP 0\n{attributes}");
        let stream = only(&body);
        assert_eq!(stream.rtcp_target(), target.map(|target| target.parse().unwrap()), "{attributes}");
        assert_eq!(stream.mux, mux, "{attributes}");
    }
    assert_eq!(only("c=IN IP4 192.0.2.5\nm=image 4000 udptl t38\na=rtcp:9\n").rtcp_target(), None);
    assert_eq!(only("c=IN IP4 192.0.2.5\nm=audio 65535 RTP/AVP 0\n").rtcp_port, None);
    assert_eq!(only("c=IN IP4 192.0.2.5\nm=audio 65535 RTP/AVP 0\na=rtcp:9\n").rtcp_port, Some(9));
}

#[test]
fn held_and_refused_streams_are_seen() {
    let cases = [
        ("c=IN IP4 192.0.2.5\nm=audio 4 RTP/AVP 0\n", false, false, true),
        ("c=IN IP4 192.0.2.5\nm=audio 4 RTP/AVP 0\na=recvonly\n", false, false, true),
        ("c=IN IP4 192.0.2.5\nm=audio 4 RTP/AVP 0\na=sendonly\n", true, false, true),
        ("c=IN IP4 192.0.2.5\na=inactive\nm=audio 4 RTP/AVP 0\n", true, false, true),
        ("c=IN IP4 0.0.0.0\nm=audio 4 RTP/AVP 0\n", true, false, false),
        ("c=IN IP4 192.0.2.5\nm=audio 4 RTP/AVP 0\nc=IN IP6 ::\n", true, false, false),
        ("c=IN IP4 0.0.0.0\nm=audio 4 RTP/AVP 0\na=rtcp:9 IN IP4 192.0.2.5\n", true, false, false),
        ("c=IN IP4 192.0.2.5\nm=audio 0 RTP/AVP 0\n", false, true, false),
        ("c=IN IP4 pc.example\nm=audio 4 RTP/AVP 0\n", false, false, false),
        ("m=audio 4 RTP/AVP 0\n", false, false, false),
    ];
    for (body, is_held, is_rejected, has_target) in cases {
        let stream = only(body);
        let seen = (stream.is_held(), stream.is_rejected(), stream.target().is_some());
        assert_eq!(seen, (is_held, is_rejected, has_target), "{body}");
        assert!(has_target || stream.rtcp_target().is_none(), "{body}");
    }
}

#[test]
fn an_address_that_is_not_global_and_not_the_source_shows_a_translator() {
    let cases = [
        ("10.0.0.5", "192.0.2.9", true),
        ("100.64.0.5", "192.0.2.9", true),
        ("10.0.0.5", "10.0.0.5", false),
        ("10.0.0.5", "::ffff:10.0.0.5", false),
        ("192.0.2.5", "192.0.2.9", false),
        ("0.0.0.0", "192.0.2.9", false),
        ("fd00::5", "2001:db8::9", true),
        ("pc.example", "192.0.2.9", false),
    ];
    for (address, source, shows) in cases {
        let body = format!("c=IN IP4 {address}\nm=audio 4 RTP/AVP 0\n");
        assert_eq!(only(&body).shows_nat(source.parse().unwrap()), shows, "{address} from {source}");
    }
    assert!(!only("c=IN IP4 10.0.0.5\nm=audio 0 RTP/AVP 0\n").shows_nat("192.0.2.9".parse().unwrap()));
}

quickcheck! {
    fn any_bytes_are_read(body: Vec<u8>) -> bool {
        let body = [b"m=audio 1 RTP/AVP 0 101\na=", &body[..]].concat();
        streams(&body).is_ok_and(|streams| streams.iter().all(|stream| stream.formats.len() <= 128)) || scan(&body).is_err()
    }
}
