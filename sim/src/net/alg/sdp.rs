//! What an ALG does to a session description (RFC 8866): its connection addresses and its media ports.

use super::find;
use std::net::{IpAddr, SocketAddr};

/// A description with what the NAT shows for the addresses inside.
pub(super) fn rewrite(
    body: &[u8],
    replaced: IpAddr,
    instead: &mut dyn FnMut(SocketAddr) -> Option<SocketAddr>,
) -> Vec<u8> {
    let sections = sections(body);
    let of_session = connection(sections[0]);
    let mut out = Vec::with_capacity(body.len() + 16);
    for section in sections {
        let effective = connection(section).or(of_session);
        let is_ours = effective == Some(replaced);
        for (line, end) in ended(section) {
            match line {
                [b'c', b'=', ..] if connection(line) == Some(replaced) => {
                    out.extend(connected(line, replaced, instead))
                }
                [b'm', b'=', ..] if is_ours => out.extend(media(line, replaced, instead)),
                _ => out.extend_from_slice(line),
            }
            out.extend_from_slice(end);
        }
    }
    out
}

/// The session's own lines, then those of each media description (RFC 8866 §5).
fn sections(body: &[u8]) -> Vec<&[u8]> {
    let mut sections = Vec::new();
    let mut rest = body;
    while let Some(at) = find(&rest[1.min(rest.len())..], b"\nm=").map(|at| at + 2) {
        sections.push(&rest[..at]);
        rest = &rest[at..];
    }
    sections.push(rest);
    sections
}

/// The address of the first `c=` line (RFC 8866 §5.7).
fn connection(text: &[u8]) -> Option<IpAddr> {
    let line = ended(text).find_map(|(line, _)| line.strip_prefix(b"c="))?;
    std::str::from_utf8(line).ok()?.split(' ').nth(2)?.parse().ok()
}

/// The `c=` line of the address outside: that of any port will do, a NAT has one.
fn connected(line: &[u8], replaced: IpAddr, instead: &mut dyn FnMut(SocketAddr) -> Option<SocketAddr>) -> Vec<u8> {
    match instead(SocketAddr::new(replaced, 0)) {
        Some(outside) => {
            let family = if outside.is_ipv4() { "IP4" } else { "IP6" };
            format!("c=IN {family} {}", outside.ip()).into_bytes()
        }
        None => line.to_vec(),
    }
}

/// The `m=` line with the port outside (RFC 8866 §5.14).
fn media(line: &[u8], replaced: IpAddr, instead: &mut dyn FnMut(SocketAddr) -> Option<SocketAddr>) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let mut words: Vec<&str> = text.split(' ').collect();
    let port = words.get(1).and_then(|port| port.parse::<u16>().ok());
    let outside =
        port.and_then(|port| instead(SocketAddr::new(replaced, port))).map(|outside| outside.port().to_string());
    match &outside {
        Some(outside) => words[1] = outside,
        None => return line.to_vec(),
    }
    words.join(" ").into_bytes()
}

/// The lines of a text, each with what ends it.
fn ended(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split_inclusive(|c| *c == b'\n').map(|line| {
        let end = line.iter().rposition(|c| !b"\r\n".contains(c)).map_or(0, |last| last + 1);
        line.split_at(end)
    })
}
