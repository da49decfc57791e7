//! A SIP ALG: the part of a NAT that reads SIP as text and rewrites what it takes for addresses.
//!
//! It is written as those in cheap routers are, line by line, and knows no grammar: what the ALG breaks, the switch and
//! the phones have to live with. RFC 3261 does not know such a thing; RFC 4787 §7 wants it switched off.

mod sdp;

use super::passage::Loss;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// What an ALG writes header names in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// As they come.
    #[default]
    AsSent,
    /// `call-id`; names mean the same in any case (RFC 3261 §7.3.1).
    Lower,
    /// `CALL-ID`.
    Upper,
}

/// How an ALG behaves. What is left out in TOML is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The port of the far end at which it takes datagrams for SIP; 5060 where left out.
    #[serde(default = "sip_port")]
    pub port: u16,
    /// Contact going out, and the Request-URI and Contact that come back.
    #[serde(default)]
    pub rewrites_contact: bool,
    /// The sent-by of Via going out, and that of what comes back.
    #[serde(default)]
    pub rewrites_via: bool,
    /// The addresses and ports of `c=` and `m=` going out, which it opens to everybody outside.
    #[serde(default)]
    pub rewrites_sdp: bool,
    /// Whether Content-Length says the new length of a body that it has rewritten.
    #[serde(default)]
    pub fixes_content_length: bool,
    /// The largest message that its buffer takes; larger ones are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
    /// What becomes of header names.
    #[serde(default)]
    pub header_names: Case,
}

const fn sip_port() -> u16 {
    5060
}

impl Settings {
    /// One that does nothing yet.
    pub const fn none() -> Settings {
        Settings {
            port: sip_port(),
            rewrites_contact: false,
            rewrites_via: false,
            rewrites_sdp: false,
            fixes_content_length: false,
            limit_bytes: None,
            header_names: Case::AsSent,
        }
    }

    /// One that rewrites everything and gets it right.
    pub const fn careful() -> Settings {
        Settings { fixes_content_length: true, ..Settings::careless() }
    }

    /// One that rewrites everything and leaves the Content-Length as it was.
    pub const fn careless() -> Settings {
        Settings { rewrites_contact: true, rewrites_via: true, rewrites_sdp: true, ..Settings::none() }
    }
}

/// Which way a message goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Out,
    In,
}

/// What an ALG knows when it gets a message.
pub(super) struct Passing<'a> {
    pub(super) settings: &'a Settings,
    pub(super) way: Way,
    /// The address that it replaces: the sender's inside, going out; the NAT's outside, coming in.
    pub(super) replaced: IpAddr,
    /// What it writes for an address of that; nothing where it leaves it alone.
    pub(super) instead: &'a mut dyn FnMut(SocketAddr) -> Option<SocketAddr>,
}

impl Passing<'_> {
    /// The message as it leaves the ALG.
    pub(super) fn pass(&mut self, datagram: &Bytes) -> Result<Bytes, Loss> {
        if self.settings.limit_bytes.is_some_and(|limit| datagram.len() as u64 > limit) {
            return Err(Loss::AlgDropped);
        }
        let end = find(datagram, b"\r\n\r\n");
        let Some(end) = end.filter(|_| is_sip(datagram)) else { return Ok(datagram.clone()) };
        let (head, body) = (&datagram[..end], &datagram[end + 4..]);
        let rewrites_body = self.settings.rewrites_sdp && self.way == Way::Out && body.starts_with(b"v=0");
        let new_body = if rewrites_body { sdp::rewrite(body, self.replaced, self.instead) } else { body.to_vec() };
        let changed_length =
            (new_body != body).then_some(new_body.len()).filter(|_| self.settings.fixes_content_length);
        let mut out = Vec::with_capacity(datagram.len() + 64);
        for (i, line) in lines(head).enumerate() {
            match name_of(line) {
                Some(name) if i > 0 => self.header(line, name, changed_length, &mut out),
                _ => self.first(line, i, &mut out),
            }
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&new_body);
        Ok(Bytes::from(out))
    }

    /// The first line, or one that continues the header before it.
    fn first(&mut self, line: &[u8], index: usize, out: &mut Vec<u8>) {
        let is_target = index == 0 && self.way == Way::In && self.settings.rewrites_contact;
        match is_target {
            true => self.replace(line, out),
            false => out.extend_from_slice(line),
        }
    }

    fn header(&mut self, line: &[u8], name: &[u8], changed_length: Option<usize>, out: &mut Vec<u8>) {
        match self.settings.header_names {
            Case::AsSent => out.extend_from_slice(name),
            Case::Lower => out.extend(name.to_ascii_lowercase()),
            Case::Upper => out.extend(name.to_ascii_uppercase()),
        }
        let value = &line[name.len()..];
        // long and compact names (RFC 3261 §7.3.3)
        let is = |names: [&str; 2]| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        let rewrites = (self.settings.rewrites_contact && is(["Contact", "m"]))
            || (self.settings.rewrites_via && is(["Via", "v"]));
        match changed_length.filter(|_| is(["Content-Length", "l"])) {
            Some(length) => out.extend_from_slice(format!(": {length}").as_bytes()),
            None if rewrites => self.replace(value, out),
            None => out.extend_from_slice(value),
        }
    }

    /// Copies text with new addresses for those of [`Passing::replaced`], with or without a port.
    fn replace(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let host = host_text(self.replaced);
        let mut rest = text;
        while let Some(start) = find(rest, host.as_bytes()) {
            let (before, after) = (&rest[..start], &rest[start + host.len()..]);
            let port_digits =
                after.strip_prefix(b":").map_or(0, |port| port.iter().take_while(|c| c.is_ascii_digit()).count());
            let port = std::str::from_utf8(&after[usize::from(port_digits > 0)..][..port_digits]).unwrap_or_default();
            let taken = if port_digits > 0 { 1 + port_digits } else { 0 };
            // after the user's @, the scheme's colon or the transport's space; else it is a parameter or a longer number
            let is_whole = before.last().is_some_and(|c| b"@: ".contains(c)) && !is_inside(after);
            let address = SocketAddr::new(self.replaced, port.parse().unwrap_or(sip_port()));
            out.extend_from_slice(before);
            match is_whole.then(|| (self.instead)(address)).flatten() {
                Some(new) => out.extend_from_slice(format!("{}:{}", host_text(new.ip()), new.port()).as_bytes()),
                None => out.extend_from_slice(&rest[start..start + host.len() + taken]),
            }
            rest = &after[taken..];
        }
        out.extend_from_slice(rest);
    }
}

/// An address as a SIP URI has it (RFC 3261 §25.1, `host`).
fn host_text(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Whether a number goes on after what looked like its end.
fn is_inside(after: &[u8]) -> bool {
    after.first().is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'.')
}

/// The name of a header line; nothing where it continues another.
fn name_of(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|c| *c == b':')?;
    let name = line[..colon].trim_ascii_end();
    name.iter().all(|c| c.is_ascii_graphic()).then_some(name).filter(|name| !name.is_empty())
}

/// Whether the first line is that of a request or a response (RFC 3261 §7).
fn is_sip(datagram: &[u8]) -> bool {
    let first = lines(datagram).next().unwrap_or_default();
    first.starts_with(b"SIP/2.0 ") || first.ends_with(b" SIP/2.0")
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = find(text, b"\r\n");
        rest = end.map(|end| &text[end + 2..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests;
