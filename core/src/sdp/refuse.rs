//! The answer that takes nothing of an offer.

use super::scan::{lines, words};
use std::io::Write;
use std::net::IpAddr;

/// An answer to this offer that refuses every stream: port 0 for each `m=` line (RFC 3264 §6), in the offer's own order.
/// It says inactive too, which answers every offer (§6.1): not every reader stops at the port. For a call that is over
/// before its offer could be answered (RFC 3261 §13.2.2.4). `address` is the switch's own.
pub fn refuse(offer: &[u8], address: IpAddr) -> Vec<u8> {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let mut out = Vec::with_capacity(offer.len().min(512));
    write!(out, "v=0\r\no=- 1 1 IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\na=inactive\r\n")
        .expect("writing to a Vec cannot fail");
    for line in lines(offer).filter(|line| line.kind == b'm') {
        let mut words = words(line.value);
        let (Some(kind), Some(_port)) = (words.next(), words.next()) else { continue };
        out.extend_from_slice(b"m=");
        out.extend_from_slice(kind);
        out.extend_from_slice(b" 0");
        for word in words {
            out.push(b' ');
            out.extend_from_slice(word);
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_stream_is_refused_in_its_order() {
        let offer = b"v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000/2 RTP/AVP 8 0\r\na=x\r\nm=image 6 udptl t38\r\n";
        let answer = super::refuse(offer, "2001:db8::1".parse().unwrap());
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            "v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\na=inactive\r\n\
             m=audio 0 RTP/AVP 8 0\r\nm=image 0 udptl t38\r\n"
        );
    }
}
