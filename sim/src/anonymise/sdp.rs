//! A session description (RFC 8866).

use super::page::{Page, Span};
use super::symbols;

/// Attributes whose value is protocol.
const KEPT: [&str; 24] = [
    "rtpmap",
    "fmtp",
    "ptime",
    "maxptime",
    "setup",
    "mid",
    "group",
    "rtcp-fb",
    "rtcp-mux",
    "extmap",
    "conf",
    "curr",
    "des",
    "framerate",
    "ice-options",
    "connection",
    "accept-types",
    "silencesupp",
    "content",
    "sendrecv",
    "sendonly",
    "recvonly",
    "inactive",
    "crypto-suite",
];

impl Page<'_> {
    pub(super) fn sdp(&mut self, at: Span) {
        let mut from = at.start;
        while from < at.end {
            let end = self.find(from..at.end, b'\n').unwrap_or(at.end);
            let line = self.trim(from..end);
            if self.bytes.get(line.start + 1) == Some(&b'=') && line.len() > 2 {
                self.sdp_line(self.bytes[line.start], line.start + 2..line.end);
            } else {
                self.text(line);
            }
            from = end + 1;
        }
    }

    fn sdp_line(&mut self, kind: u8, value: Span) {
        match kind {
            b'v' | b'b' | b't' | b'r' | b'z' | b'm' => {}
            // user, session id, version, network, address family, address
            b'o' => {
                let words = self.words(value);
                if let Some(user) = words.first() {
                    self.text(user.clone());
                }
                self.made.extend(words.get(1).cloned());
                self.sdp_address(words.get(5));
            }
            b'c' => {
                let words = self.words(value);
                self.sdp_address(words.get(2));
            }
            b'a' => self.attribute(value),
            _ => self.text(value),
        }
    }

    /// An address, perhaps with a TTL behind it.
    fn sdp_address(&mut self, word: Option<&Span>) {
        if let Some(word) = word {
            let end = self.find(word.clone(), b'/').unwrap_or(word.end);
            self.host(word.start..end);
        }
    }

    fn attribute(&mut self, at: Span) {
        let Some(colon) = self.find(at.clone(), b':') else { return };
        let (name, value) = (at.start..colon, colon + 1..at.end);
        let is = |page: &Self, known: &str| page.is(&name, known);
        if KEPT.iter().any(|known| is(self, known)) {
        } else if is(self, "rtcp") {
            let words = self.words(value);
            self.sdp_address(words.get(3));
        } else if is(self, "candidate") || is(self, "remote-candidates") {
            // foundation, component, transport, priority, address, port, typ ... (RFC 8839 §5.1)
            for word in self.words(value) {
                if crosspoint_core::sip::host_ip(self.get(word.clone())).is_some() {
                    self.host(word);
                } else if self.get(word.clone()).ends_with(b".local") {
                    self.text(word.start..word.end - 6);
                }
            }
        } else if is(self, "crypto") {
            // tag, suite, `inline:` and the key (RFC 4568 §9.1)
            let keys = self.bytes[value.clone()].windows(7).position(|text| text.eq_ignore_ascii_case(b"inline:"));
            let from = keys.map_or(value.start, |at| value.start + at + 7);
            self.map.password(&mut self.bytes[from..value.end]);
        } else if is(self, "fingerprint") {
            let hash = self.find(value.clone(), b' ').unwrap_or(value.start);
            symbols::scramble_hex(&self.map.key, &mut self.bytes[hash..value.end]);
        } else {
            self.text(value);
        }
    }
}
