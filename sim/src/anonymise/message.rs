//! A SIP message, whole: start line, headers, body, digest answers.

use super::credentials::Secrets;
use super::mapping::Mapping;
use super::page::{Page, Span};
use super::symbols;
use crosspoint_core::sip::{Name, reason_phrase};

/// Parts within parts that are looked into.
const DEPTH: usize = 4;

impl<'m> Page<'m> {
    /// A datagram with everything replaced that is to be. `secrets` makes answers to digest challenges right again that
    /// were right; without it they are only replaced.
    pub(super) fn of(map: &'m Mapping, datagram: &[u8], secrets: Option<&Secrets<'_>>) -> Page<'m> {
        let mut page = Page::new(map, datagram);
        let whole = 0..datagram.len();
        if page.starts_like_sip(&whole) {
            page.message(whole, DEPTH);
            if let Some(secrets) = secrets {
                secrets.answer(datagram, &mut page);
            }
        } else if std::str::from_utf8(datagram).is_ok() {
            page.text(whole);
        } else {
            page.other(whole);
        }
        page
    }

    /// Whether the first line names SIP, or one behind it is a Via: then it may be answered, however faulty it is.
    fn starts_like_sip(&self, at: &Span) -> bool {
        let mut lines = self.get(at.clone()).split(|&byte| byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let is_via = |line: &[u8]| {
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
            Name::of(name.trim_ascii()) == Name::Via
        };
        first.windows(4).any(|word| word.eq_ignore_ascii_case(b"SIP/")) || lines.any(is_via)
    }

    /// Where the line end of the first line stands.
    fn line_end(&self, at: Span) -> usize {
        self.find(at.clone(), b'\n').unwrap_or(at.end)
    }

    /// A message, or a part of one (`message/sipfrag`).
    fn message(&mut self, at: Span, depth: usize) {
        // line ends before the start line do not count (§7.5)
        let blank = self.get(at.clone()).iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let at = at.start + blank..at.end;
        let end = self.line_end(at.clone());
        self.start_line(at.start..end);
        self.headers_and_body((end + 1).min(at.end)..at.end, depth);
    }

    fn start_line(&mut self, line: Span) {
        let line = self.trim(line);
        let words = self.words(line.clone());
        if let [version, status, phrase, ..] = &words[..]
            && self.get(version.clone()).get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
        {
            let status = std::str::from_utf8(self.get(status.clone())).ok().and_then(|status| status.parse().ok());
            let phrase = phrase.start..line.end;
            if !status.is_some_and(|status| self.is(&phrase, reason_phrase(status))) {
                self.text(phrase);
            }
            return;
        }
        // the method stays, and the version; a faulty line may have more words
        for word in words.into_iter().skip(1) {
            if self.find(word.clone(), b':').is_some() {
                self.uri(word);
            } else if !self.get(word.clone()).contains(&b'/') {
                self.text(word);
            }
        }
    }

    fn headers_and_body(&mut self, at: Span, depth: usize) {
        let mut from = at.start;
        let mut content_type = 0..0;
        while from < at.end {
            let mut end = self.line_end(from..at.end);
            if self.trim(from..end).is_empty() {
                let body = (end + 1).min(at.end)..at.end;
                return self.body(body, content_type, depth);
            }
            // a line that begins with white space continues the one before (§7.3.1)
            while end + 1 < at.end && matches!(self.bytes[end + 1], b' ' | b'\t') {
                end = self.line_end(end + 1..at.end);
            }
            match self.find(from..end, b':') {
                Some(colon) => {
                    let name = Name::of(self.get(self.trim(from..colon)));
                    let value = self.trim(colon + 1..end);
                    if name == Name::ContentType {
                        content_type = value.clone();
                    }
                    self.header(name, value);
                }
                None => self.text(from..end),
            }
            from = end + 1;
        }
    }

    fn body(&mut self, at: Span, content_type: Span, depth: usize) {
        let media_type = self.split(content_type.clone(), b';')[0].clone();
        let media_type = String::from_utf8_lossy(self.get(self.trim(media_type))).to_ascii_lowercase();
        match media_type.as_str() {
            _ if at.is_empty() => {}
            "application/sdp" => self.sdp(at),
            "message/sipfrag" | "message/sip" if depth > 0 && self.starts_like_sip(&at) => self.message(at, depth - 1),
            "message/sipfrag" if depth > 0 => self.headers_and_body(at, depth - 1),
            multipart if multipart.starts_with("multipart/") && depth > 0 => self.parts(at, content_type, depth - 1),
            _ if std::str::from_utf8(self.get(at.clone())).is_ok() => self.text(at),
            _ => symbols::scramble_binary(&self.map.key, &mut self.bytes[at]),
        }
    }

    /// The parts between the boundary lines (RFC 2046 §5.1.1); the lines stay.
    fn parts(&mut self, at: Span, content_type: Span, depth: usize) {
        let boundary = self.split(content_type, b';').into_iter().skip(1).map(|part| self.pair(part));
        let Some((_, boundary)) = boundary.into_iter().find(|(name, _)| self.is(name, "boundary")) else {
            return self.text(at);
        };
        let line = [b"--", self.get(boundary)].concat();
        let mut inner: Option<usize> = None;
        let mut from = at.start;
        while from < at.end {
            let end = (self.line_end(from..at.end) + 1).min(at.end);
            if self.get(from..end).starts_with(&line) {
                match inner {
                    Some(begin) => self.headers_and_body(begin..from, depth),
                    None => self.text(at.start..from),
                }
                inner = Some(end);
            }
            from = end;
        }
        self.text(inner.unwrap_or(at.start)..at.end);
    }

    /// What is neither SIP nor text: letters and digits behind the first four octets, which say what it is.
    fn other(&mut self, at: Span) {
        let from = (at.start + 4).min(at.end);
        for word in self.bytes[from..at.end].split_mut(|byte| !byte.is_ascii_alphanumeric()) {
            self.map.text(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Page;
    use crate::anonymise::key::Key;
    use crate::anonymise::mapping::Mapping;
    use crosspoint_core::config::Config;
    use crosspoint_core::rng::Seed;

    /// Everything that is hard about messages, at once.
    const MESSAGE: &str = "REFER sip:+49%2D30-555;phone-context=acme.example@[2001:db8:0:1::a0b]:5070;transport=udp;x-line=Ada SIP/2.0
v: SIP/2.0/UDP pc33.atlanta.example:5066;branch=z9hG4bK776asdhds;received=192.0.2.33;rport=5099
Via: SIP / 2.0 / UDP first.example.com : 4000;ttl=16
 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1, SIP/2.0/UDP 10.0.0.7
f: \"Ada \\\"The Countess\\\" Lovelace, 1st\" <sip:ada:pass%20word@acme.example;user=phone>;tag=88sja8x
To: Gr\u{fc}\u{df}e \u{5f20}\u{4f1f} <tel:+1-(212)-555.0199;phone-context=+1>
Call-ID: f81d4fae-7dec-11d0@10.0.0.7
CSeq: 4711 REFER
Contact: ada@acme.example;q=0.7;expires=60, <sips:192.0.2.33;maddr=[::ffff:203.0.113.9]>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1
Refer-To: <sip:bob@192.0.2.4?Replaces=f81d4fae-7dec-11d0%4010.0.0.7%3Bto-tag%3D88sja8x%3Bfrom-tag%3Dz9x&Subject=Hi%20Ada>
Replaces: f81d4fae-7dec-11d0@10.0.0.7;to-tag=88sja8x;from-tag=z9x;early-only
Authorization: Digest username=\"ada\", realm=\"acme.example\", nonce=\"dcd98b71\", uri=\"sip:acme.example\", qop=auth, nc=00000001, cnonce=\"0a4f\", response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc\"
Reason: Q.850;cause=16;text=\"Ada hung up\", SIP ;cause=600
Warning: 370 acme.example:5060 \"Choose a bigger pipe, Ada\"
Retry-After: 18000 (Ada is at lunch);duration=3600
User-Agent: AcmePhone/1.2 (00:0B:82:AA:BB:CC) at 10.0.0.7
Content-Type: multipart/mixed;boundary=\"cut-here\"
P-Asserted-Identity: \"1001\" <sip:1001@acme.example>
Event: refer;id=93809824
Anonymous: From anonymous@anonymous.invalid
Content-Length: 999

written by Ada
--cut-here
Content-Type: application/sdp

v=0
o=ada 2890844526 2890842807 IN IP4 host.acme.example
s=Ada's call
c=IN IP4 224.2.36.42/127
t=2873397496 2873404696
m=audio 49170 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtcp:53020 IN IP6 2001:db8:0:1::a0b
a=candidate:1 1 UDP 2130706431 10.0.0.7 8998 typ srflx raddr 192.0.2.33 rport 8998
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20
a=fingerprint:SHA-1 4A:AD:B9:B1
a=x-owner:Ada
a=sendrecv
--cut-here
Content-Type: message/sipfrag

SIP/2.0 200 OK
To: <sip:1001@acme.example>
--cut-here
Content-Type: text/plain

call 1001 or Ada
--cut-here--
by Ada
";

    #[test]
    fn every_part_of_a_message_is_replaced_in_its_place() {
        let config = Config::embedded("secret");
        let map = Mapping::new(Key::new(Seed::from_number(1), 0), &[&config]);
        let page = Page::of(&map, MESSAGE.replace('\n', "\r\n").as_bytes(), None);
        let new = String::from_utf8(page.bytes).unwrap().replace("\r\n", "\n");
        assert_eq!(new.len(), MESSAGE.len());
        for told in [
            "ada", "lovelace", "countess", "acme", "atlanta", "first", "1001", "555", "word", "10.0.0.7", "db8",
            "lunch",
        ] {
            assert!(MESSAGE.to_lowercase().contains(told), "{told} is not there");
            assert!(!new.to_lowercase().contains(told), "{told} can still be read");
        }
        insta::assert_snapshot!(new);
    }

    #[test]
    fn what_is_no_message_keeps_its_length_and_its_line_ends() {
        let config = Config::embedded("secret");
        let map = Mapping::new(Key::new(Seed::from_number(1), 0), &[&config]);
        let image = |bytes: &[u8]| Page::of(&map, bytes, None).bytes;
        for same in [b"\r\n\r\n".as_slice(), b"", b"\0\0\0\0", b"\r\n"] {
            assert_eq!(image(same), same);
        }
        for other in [b"HELLO".as_slice(), b"INVITE", b"\x00\x01\x00\x08stun\xffuser", b"INVITE sip:a@b\r\n\r\n"] {
            let new = image(other);
            assert_eq!(new.len(), other.len());
            assert_ne!(new, other);
        }
    }
}
