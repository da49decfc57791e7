//! Each kind of line by hand, then what holds of every body.

use super::*;
use quickcheck::quickcheck;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

fn rewritten(body: &str, how: &Rewrite<'_>) -> String {
    let mut out = Vec::new();
    rewrite(body.as_bytes(), how, &mut out);
    String::from_utf8(out).unwrap()
}

/// A stream at this port, with RTCP at the next.
fn at(port: u16) -> Option<RelayedStream> {
    Some(RelayedStream { port, rtcp: RtcpPort::Next, payloads: PayloadMap::default() })
}

fn muxed(port: u16) -> Option<RelayedStream> {
    Some(RelayedStream { rtcp: RtcpPort::Same, ..at(port).unwrap() })
}

fn mapped(port: u16, pairs: &[(u8, u8)]) -> Option<RelayedStream> {
    let payloads = pairs.iter().fold(PayloadMap::default(), |map, (old, new)| map.with(*old, *new).unwrap());
    Some(RelayedStream { payloads, ..at(port).unwrap() })
}

fn relayed(body: &str, address: IpAddr, streams: &[Option<RelayedStream>]) -> String {
    rewritten(body, &Rewrite { origin: None, relay: Some(Relay { address, streams }) })
}

/// That `before`, relayed at V4, is `after`, and stays so when relayed again.
#[track_caller]
fn expect(streams: &[Option<RelayedStream>], before: &str, after: &str) {
    assert_eq!(relayed(before, V4, streams), after);
    assert_eq!(relayed(after, V4, streams), after, "once more");
}

#[test]
fn hiding_keeps_id_and_version_and_nothing_else_of_the_origin() {
    let body = "v=0\r\no=Alice Smith 18446744073709551616 02 IN IP6 fe80::1\r\nm=audio 4 RTP/AVP 0\r\n";
    let expected = "v=0\r\no=- 18446744073709551616 02 IN IP4 192.0.2.1\r\nm=audio 4 RTP/AVP 0\r\n";
    assert_eq!(rewritten(body, &Rewrite::hiding(V4)), expected);
    assert_eq!(rewritten("o=a 1 2 IN IP4 10.0.0.1\n", &Rewrite::hiding(V6)), "o=- 1 2 IN IP6 2001:db8::1\n");
    let counted = Rewrite { origin: Some(NewOrigin { address: V4, session: Some((7, 3)) }), ..Rewrite::default() };
    assert_eq!(rewritten("o=a 1 2 IN IP4 10.0.0.1", &counted), "o=- 7 3 IN IP4 192.0.2.1");
}

#[test]
fn an_origin_that_cannot_be_read_leaks_nothing() {
    for broken in ["o=10.0.0.5", "o=", "o=- secret.lan 1 IN IP4 10.0.0.5", "o=- 1 10.0.0.5 IN IP4 10.0.0.5"] {
        assert_eq!(rewritten(broken, &Rewrite::hiding(V4)), "o=- 0 0 IN IP4 192.0.2.1", "{broken}");
    }
}

#[test]
fn several_streams_move_each_to_its_own_port() {
    expect(
        &[at(30_000), at(30_002), at(30_004)],
        "c=IN IP4 10.0.0.5\r\nm=audio  4000 RTP/AVP 8 0 \r\na=rtcp:4001\r\nm=video 5000 RTP/AVP 31\r\nb=AS:9\r\nm=audio 6000 RTP/SAVP 0\n",
        "c=IN IP4 192.0.2.1\r\nm=audio  30000 RTP/AVP 8 0 \r\na=rtcp:30001\r\nm=video 30002 RTP/AVP 31\r\nb=AS:9\r\nm=audio 30004 RTP/SAVP 0\n",
    );
}

#[test]
fn the_family_follows_the_relays_address() {
    let body = "c=IN IP6 fe80::5\nm=audio 4 RTP/AVP 0\nc=IN IP6 fe80::6\na=rtcp:5 IN IP6 fe80::7\n";
    let v4 = "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 0\nc=IN IP4 192.0.2.1\na=rtcp:31 IN IP4 192.0.2.1\n";
    let v6 = "c=IN IP6 2001:db8::1\nm=audio 30 RTP/AVP 0\nc=IN IP6 2001:db8::1\na=rtcp:31 IN IP6 2001:db8::1\n";
    assert_eq!(relayed(body, V4, &[at(30)]), v4);
    assert_eq!(relayed(body, V6, &[at(30)]), v6);
    assert_eq!(relayed(v4, V6, &[at(30)]), v6);
}

#[test]
fn multicast_and_host_names_are_replaced() {
    expect(&[at(30)], "c=IN IP4 224.2.1.1/127/3\nm=audio 4 RTP/AVP 0\n", "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 0\n");
    expect(&[at(30)], "c=IN IP4 pc.example\nm=audio 4 RTP/AVP 0\n", "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 0\n");
}

#[test]
fn a_hold_by_address_stays_one_in_the_family_of_the_leg() {
    let held = "c=IN IP4 0.0.0.0\r\nm=audio 4 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=sendonly\r\n";
    let still = "c=IN IP4 0.0.0.0\r\nm=audio 30 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=sendonly\r\n";
    expect(&[at(30)], held, still);
    expect(&[at(30)], "c=IN IP6 ::\nm=audio 4 RTP/AVP 0\n", "c=IN IP4 0.0.0.0\nm=audio 30 RTP/AVP 0\n");
    assert_eq!(
        relayed("c=IN IP4 0.0.0.0\nm=audio 4 RTP/AVP 0\n", V6, &[at(30)]),
        "c=IN IP6 ::\nm=audio 30 RTP/AVP 0\n"
    );
}

#[test]
fn a_refused_stream_keeps_port_0_and_tells_no_address() {
    expect(
        &[at(30), at(32)],
        "c=IN IP4 10.0.0.5\nm=audio 4 RTP/AVP 0\nm=video 0 RTP/AVP 31\nc=IN IP4 10.0.0.6\na=rtcp:9 IN IP4 10.0.0.6\na=mid:2\n",
        "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 0\nm=video 0 RTP/AVP 31\nc=IN IP4 192.0.2.1\na=mid:2\n",
    );
    expect(&[], "c=IN IP4 10.0.0.5\nm=audio 0 RTP/AVP 0\n", "c=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0\n");
}

#[test]
fn of_a_range_of_ports_one_is_left() {
    expect(&[at(30)], "c=IN IP4 10.0.0.5\nm=audio 4000/2 RTP/AVP 0\n", "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 0\n");
}

#[test]
fn beside_a_direct_stream_a_relayed_one_has_its_own_connection() {
    expect(
        &[at(30)],
        "c=IN IP4 10.0.0.5\r\na=ice-lite\r\nm=audio 4 RTP/AVP 0\r\ni=talk\r\nb=AS:64\r\nm=video 6 RTP/AVP 31\r\na=candidate:1\r\n",
        "c=IN IP4 10.0.0.5\r\na=ice-lite\r\nm=audio 30 RTP/AVP 0\r\ni=talk\r\nc=IN IP4 192.0.2.1\r\nb=AS:64\r\nm=video 6 RTP/AVP 31\r\na=candidate:1\r\n",
    );
    let own = "c=IN IP4 10.0.0.5\nm=video 6 RTP/AVP 31\nm=audio 4 RTP/AVP 0\nc=IN IP4 10.0.0.6\n";
    expect(&[None, at(30)], own, "c=IN IP4 10.0.0.5\nm=video 6 RTP/AVP 31\nm=audio 30 RTP/AVP 0\nc=IN IP4 192.0.2.1\n");
    let held = "c=IN IP4 0.0.0.0\nm=audio 4 RTP/AVP 0\nm=video 6 RTP/AVP 31\nc=IN IP4 10.0.0.5\n";
    expect(&[at(30)], held, &held.replace("m=audio 4 RTP/AVP 0\n", "m=audio 30 RTP/AVP 0\nc=IN IP4 0.0.0.0\n"));
}

#[test]
fn a_relayed_stream_without_any_connection_gets_one() {
    expect(&[at(30)], "m=audio 4 RTP/AVP 0", "m=audio 30 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n");
    expect(&[at(30)], "m=audio 4 RTP/AVP 0\n", "m=audio 30 RTP/AVP 0\nc=IN IP4 192.0.2.1\n");
    expect(
        &[at(30), None, at(34)],
        "m=audio 4 RTP/AVP 0\nm=video 6 RTP/AVP 31\nm=audio 8 RTP/AVP 0\na=x\n",
        "m=audio 30 RTP/AVP 0\nc=IN IP4 192.0.2.1\nm=video 6 RTP/AVP 31\nm=audio 34 RTP/AVP 0\nc=IN IP4 192.0.2.1\na=x\n",
    );
}

#[test]
fn rtcp_goes_to_the_next_port_or_to_the_same() {
    let body =
        "c=IN IP4 10.0.0.5\nm=audio 4 RTP/AVP 0\na=rtcp:9 IN IP4 10.0.0.6\na=rtcp-mux\na=rtcp-mux-only\na=rtcp-xr:x\n";
    let after = "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 0\na=rtcp:31 IN IP4 192.0.2.1\na=rtcp-mux\na=rtcp-mux-only\na=rtcp-xr:x\n";
    expect(&[at(30)], body, after);
    expect(&[muxed(30)], body, &after.replace("31", "30"));
    expect(
        &[muxed(30)],
        "c=IN IP4 1.1.1.1\nm=audio 4 RTP/AVP 0\na=rtcp:4\n",
        "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 0\na=rtcp:30\n",
    );
}

const ICE_BODY: &str = "v=0\r\nc=IN IP4 10.0.0.5\r\na=ice-lite\r\na=ice-options:trickle ice2\r\na=ice-pacing:50\r\na=ice-ufrag:s\r\n\
    m=audio 4 RTP/AVP 0\r\na=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=ice-mismatch\r\na=mid:1\r\n\
    a=candidate:1 1 UDP 2130706431 10.0.0.5 8998 typ host\r\na=remote-candidates:1 192.0.2.3 45664\r\n\
    a=end-of-candidates\r\na=icecream:1\r\na=candidates\r\n";

#[test]
fn no_ice_line_is_left_where_media_is_relayed() {
    expect(
        &[at(30)],
        ICE_BODY,
        "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 30 RTP/AVP 0\r\na=mid:1\r\na=icecream:1\r\na=candidates\r\n",
    );
    assert_eq!(rewritten(ICE_BODY, &Rewrite::default()), ICE_BODY);
    assert_eq!(rewritten(ICE_BODY, &Rewrite::hiding(V4)), ICE_BODY);
}

#[test]
fn bundled_streams_are_told_apart_where_media_is_relayed() {
    let body = "c=IN IP4 10.0.0.5\na=group:BUNDLE 1 2\na=group:LS 1 2\nm=audio 4 UDP/TLS/RTP/SAVPF 0\na=mid:1\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96\na=mid:2\na=bundle-only\n";
    expect(
        &[at(30), at(32)],
        body,
        "c=IN IP4 192.0.2.1\na=group:LS 1 2\nm=audio 30 UDP/TLS/RTP/SAVPF 0\na=mid:1\nm=video 0 UDP/TLS/RTP/SAVPF 96\na=mid:2\n",
    );
    assert_eq!(rewritten(body, &Rewrite::hiding(V4)), body);
}

#[test]
fn opaque_datagrams_move_like_any_stream() {
    expect(
        &[muxed(30), mapped(32, &[(101, 97)])],
        "c=IN IP4 10.0.0.5\nm=image 4 udptl t38\na=T38FaxVersion:0\nm=x 6 foo/bar 101 *\na=fmtp:101 y\n",
        "c=IN IP4 192.0.2.1\nm=image 30 udptl t38\na=T38FaxVersion:0\nm=x 32 foo/bar 101 *\na=fmtp:101 y\n",
    );
}

#[test]
fn payload_types_are_called_as_the_leg_calls_them() {
    let body = "c=IN IP4 10.0.0.5\nm=audio 4 RTP/AVP 8  101 97 0\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15,66\n\
        a=rtpmap:97 iLBC/8000\na=rtcp-fb:97 nack\na=rtcp-fb:* nack\na=ptime:101\na=rtpmap:x y\na=fmtp:\n\
        m=video 6 RTP/AVP 101\na=rtpmap:101 H264/90000\n";
    let after = "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 8  97 101 0\na=rtpmap:97 telephone-event/8000\na=fmtp:97 0-15,66\n\
        a=rtpmap:101 iLBC/8000\na=rtcp-fb:101 nack\na=rtcp-fb:* nack\na=ptime:101\na=rtpmap:x y\na=fmtp:\n\
        m=video 32 RTP/AVP 101\na=rtpmap:101 H264/90000\n";
    assert_eq!(relayed(body, V4, &[mapped(30, &[(101, 97)]), at(32)]), after);
}

#[test]
fn payload_types_within_parameters_follow() {
    let body = "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 121 101\na=fmtp:121 0/101/101\na=fmtp:99 apt=101;rtx-time=101\n\
        a=fmtp:98 x=1; APT=101; y=101\na=fmtp:96 101\n";
    let after = "c=IN IP4 192.0.2.1\nm=audio 30 RTP/AVP 121 97\na=fmtp:121 0/97/97\na=fmtp:99 apt=97;rtx-time=101\n\
        a=fmtp:98 x=1; APT=97; y=101\na=fmtp:96 101\n";
    expect(&[at(30)], body, body);
    assert_eq!(relayed(body, V4, &[mapped(30, &[(101, 97)])]), after);
}

#[test]
fn what_cannot_be_read_is_copied_or_replaced_where_it_may_tell() {
    expect(
        &[at(30), at(32), at(34), at(36)],
        "c=IN\nm=audio x RTP/AVP 0\nm=\na=x\nM=1\n=\n\n\r\nm=audio 70000 RTP/AVP 0\nm=audio 4 RTP/AVP 0\na=rtcp:\nc=10.0.0.5\na=rtcp\n",
        "c=IN IP4 192.0.2.1\nm=audio x RTP/AVP 0\nm=\na=x\nM=1\n=\n\n\r\nm=audio 70000 RTP/AVP 0\nm=audio 36 RTP/AVP 0\na=rtcp:37\n\
         c=IN IP4 192.0.2.1\na=rtcp:37\n",
    );
}

/// Bodies out of pieces of real ones, so that the rare branches are reached.
fn body_of(picks: &[(u8, bool)]) -> Vec<u8> {
    const PIECES: [&str; 24] = [
        "o=a b 1 2 IN IP4 10.0.0.1",
        "o=x",
        "c=IN IP4 10.0.0.1",
        "c=IN IP6 ::",
        "c=10.0.0.1",
        "i=talk",
        "junk",
        "",
        "m=audio 10 RTP/AVP 0 101",
        "m=audio 0 RTP/AVP 0",
        "m=audio 10/2 RTP/AVP 0 97",
        "m=x",
        "m=image 12 udptl t38",
        "m=audio 14 RTP/AVP 97",
        "a=rtcp:10",
        "a=rtcp:11 IN IP4 10.0.0.1",
        "a=rtcp-mux",
        "a=rtpmap:101 x/8000",
        "a=candidate:1 1 UDP 1 10.0.0.1 9 typ host",
        "a=ice-lite",
        "a=group:BUNDLE 1",
        "a=fmtp:97 0/101",
        "a=mid:1",
        "a=bundle-only",
    ];
    let mut body = Vec::new();
    for (pick, bare) in picks {
        body.extend_from_slice(PIECES[usize::from(*pick) % PIECES.len()].as_bytes());
        body.extend_from_slice(if *bare { b"\n" } else { b"\r\n" });
    }
    body
}

fn twice(body: &[u8], one: &Rewrite<'_>, other: &Rewrite<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    rewrite(body, one, &mut once);
    rewrite(&once, other, &mut twice);
    (once, twice)
}

quickcheck! {
    fn the_default_changes_nothing(body: Vec<u8>) -> bool {
        let mut out = Vec::new();
        rewrite(&body, &Rewrite::default(), &mut out);
        out == body
    }

    fn any_bytes_are_rewritten_once_for_all(body: Vec<u8>) -> bool {
        let how = Rewrite { relay: Some(Relay { address: V6, streams: &[at(20), None, muxed(65_535)] }), ..Rewrite::hiding(V4) };
        let body = [b"m=audio 1 RTP/AVP 0\n", &body[..]].concat();
        let (once, twice) = twice(&body, &how, &how);
        once == twice
    }

    fn a_rewrite_is_stable_and_where_all_is_relayed_no_address_is_left(picks: Vec<(u8, bool)>, direct: Option<u8>) -> bool {
        let body = body_of(&picks);
        let mut streams = vec![at(20); picks.len()];
        if let Some(place) = direct.and_then(|direct| streams.get_mut(usize::from(direct))) {
            *place = None;
        }
        let how = Rewrite { relay: Some(Relay { address: V4, streams: &streams }), ..Rewrite::hiding(V4) };
        let (once, twice) = twice(&body, &how, &how);
        let leaks = once.windows(8).any(|at| at == b"10.0.0.1");
        let media = |body: &[u8]| lines(body).filter(|line| line.kind == b'm').count();
        once == twice && media(&body) == media(&once) && (!leaks || direct.is_some())
    }

    fn payload_types_lead_back(picks: Vec<(u8, bool)>) -> bool {
        let there = mapped(20, &[(101, 97), (0, 96)]);
        let back = there.map(|stream| RelayedStream { payloads: stream.payloads.inverse(), ..stream });
        let plain = vec![at(20); picks.len()];
        let of = |streams| Rewrite { origin: None, relay: Some(Relay { address: V4, streams }) };
        let (there, back) = (vec![there; picks.len()], vec![back; picks.len()]);
        let (mapped, returned) = twice(&body_of(&picks), &of(&there), &of(&back));
        let (unmapped, _) = twice(&body_of(&picks), &of(&plain), &of(&plain));
        returned == unmapped && (mapped != unmapped || !unmapped.windows(12).any(|at| at == b"20 RTP/AVP 0"))
    }
}
