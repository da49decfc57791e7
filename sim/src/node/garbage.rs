//! What is no SIP, or nearly.

use crosspoint_core::rng::Stream;

/// Written by hand: each breaks one thing that readers stumble over.
const BY_HAND: [&str; 14] = [
    "\0\0\0\0",
    "\r\n\r\nINVITE",
    "INVITE",
    "SIP/2.0",
    "SIP/2.0 99999999999999999999 OK\r\n\r\n",
    "INVITE  SIP/2.0\r\n\r\n",
    "INVITE sip:a@b SIP/2.0\r\nVia: \r\nFrom: \r\nTo: \r\nCall-ID: \r\nCSeq: \r\n\r\n",
    "INVITE sip:a@b SIP/2.0\r\n: : :\r\n\t\r\n \r\n\r\n",
    "INVITE sip:%00%ff@[::::]:99999999 SIP/2.0\r\nVia: SIP/2.0/UDP [::1;branch=z9hG4bK\r\nCSeq: 4294967296 INVITE\r\n\r\n",
    "REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx;rport=70000;received=999.1.1.1\r\n\
     From: \"<sip:a@b>;tag=1\r\nTo: <sip:a@b\r\nCall-ID: x\r\nCSeq: -1 REGISTER\r\nContent-Length: -5\r\n\r\n",
    "BYE sip:a@b SIP/2.0\r\nContent-Length: 99999999999\r\nContent-Length: 0\r\n\r\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
    "OPTIONS sip:a@b;;;;?&&&= SIP/2.0\r\nVia: SIP/2.0/UDP h;;;branch==\"\";\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: example.net\r\n\r\n",
];

/// The next piece: by hand, or this message, changed in some places.
pub(super) fn next(message: &[u8], stream: &mut Stream) -> Vec<u8> {
    if message.is_empty() || stream.below(3) == 0 {
        let at = stream.below(BY_HAND.len() as u64);
        return BY_HAND[at as usize].as_bytes().to_vec();
    }
    let mut bytes = message.to_vec();
    for _ in 0..=stream.below(4) {
        mutate(&mut bytes, stream);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, stream: &mut Stream) {
    let length = bytes.len() as u64;
    if length < 2 {
        return;
    }
    let at = stream.below(length) as usize;
    match stream.below(7) {
        0 => bytes[at] ^= 1 << stream.below(8),
        1 => bytes[at] = stream.below(256) as u8,
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..(at + stream.below(40) as usize).min(bytes.len()))),
        4 => {
            let piece = bytes[at..(at + 100).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        5 => drop(bytes.splice(at..at, vec![b'9'; 30])),
        _ => drop(bytes.splice(at..at, *b"\r\n")),
    }
}
