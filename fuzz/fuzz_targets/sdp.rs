//! Any bytes as a session description: read, and rewritten without loss.

#![no_main]

use crosspoint_core::sdp::{self, PayloadMap, Relay, RelayedStream, Rewrite, RtcpPort};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};

const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fuzz_target!(|body: &[u8]| {
    if let Ok(session) = sdp::scan(body) {
        for media in &session.media {
            let _ = (media.formats().count(), media.rtpmaps().count(), media.connection.map(|c| c.ip()));
        }
    }
    let _ = sdp::first_codec(body);
    if let Some(line_end) = body.iter().position(|byte| *byte == b'\n') {
        let (content_type, rest) = body.split_at(line_end);
        let _ = sdp::find_sdp(content_type, rest);
    }

    let mut same = Vec::new();
    sdp::rewrite(body, &Rewrite::default(), &mut same);
    assert_eq!(same, body, "the default rewrite changes nothing");

    if let Ok(streams) = sdp::streams(body) {
        assert!(streams.iter().all(|stream| stream.target().is_some() || stream.rtcp_target().is_none()));
    }
    let stream = |port, rtcp| Some(RelayedStream { port, rtcp, payloads: PayloadMap::default() });
    let streams = [stream(30_000, RtcpPort::Next), None, stream(30_002, RtcpPort::Same)];
    let relaying = Rewrite { relay: Some(Relay { address: OURS, streams: &streams }), ..Rewrite::hiding(OURS) };
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    sdp::rewrite(body, &relaying, &mut once);
    sdp::rewrite(&once, &relaying, &mut twice);
    assert_eq!(once, twice, "a rewrite is stable");
    let media = |body: &[u8]| sdp::lines(body).filter(|line| line.kind == b'm').count();
    assert_eq!(media(body), media(&once), "no media section is lost or added");
});
