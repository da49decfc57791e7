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

    /// Whether the first line has three words of which the first or the last is a SIP version, or nearly.
    fn starts_like_sip(&self, at: &Span) -> bool {
        let line = self.get(at.start..self.line_end(at.clone()));
        line.split(|&byte| byte == b' ')
            .any(|word| word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")))
    }

    /// Where the line end of the first line stands.
    fn line_end(&self, at: Span) -> usize {
        self.find(at.clone(), b'\n').unwrap_or(at.end)
    }

    /// A message, or a part of one (`message/sipfrag`).
    fn message(&mut self, at: Span, depth: usize) {
        let end = self.line_end(at.clone());
        self.start_line(at.start..end);
        self.headers_and_body((end + 1).min(at.end)..at.end, depth);
    }

    fn start_line(&mut self, line: Span) {
        let line = self.trim(line);
        let Some(space) = self.find(line.clone(), b' ') else { return };
        let rest = space + 1..line.end;
        let is_response = self.get(line.start..space).get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
        let end = match is_response {
            true => self.find(rest.clone(), b' ').unwrap_or(rest.end),
            false => rest.clone().rev().find(|&i| self.bytes[i] == b' ').unwrap_or(rest.end),
        };
        if !is_response {
            return self.uri(rest.start..end);
        }
        let status = std::str::from_utf8(self.get(rest.start..end)).ok().and_then(|status| status.parse().ok());
        let phrase = self.trim(end..line.end);
        if !status.is_some_and(|status| self.is(&phrase, reason_phrase(status))) {
            self.text(phrase);
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
