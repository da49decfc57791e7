//! The host's nameservers: what resolv.conf(5) says.

use crosspoint_core::limits;
use std::fs;
use std::net::{IpAddr, SocketAddr};

const PATH: &str = "/etc/resolv.conf";

/// The port of nameservers (RFC 1035 §4.2).
const PORT: u16 = 53;

/// The nameservers of this host; none where it has no such file.
pub fn nameservers() -> Vec<SocketAddr> {
    parse(&fs::read_to_string(PATH).unwrap_or_default())
}

/// The addresses of the `nameserver` lines, the first three. One with a zone (`fe80::1%eth0`) is left out.
fn parse(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let ip: IpAddr = words.next().filter(|word| *word == "nameserver").and_then(|_| words.next())?.parse().ok()?;
        Some(SocketAddr::new(ip, PORT))
    };
    text.lines().filter_map(address).take(limits::NAMESERVERS).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn nameserver_lines_are_read() {
        let text = "# nameserver 192.0.2.1\nsearch example.net\nnameserver 192.0.2.2\n nameserver\t2001:db8::53 \n\
                    nameserver fe80::1%eth0\nnameserver\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n";
        let found: Vec<String> = parse(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.2:53", "[2001:db8::53]:53", "192.0.2.3:53"]);
        assert_eq!(parse(""), []);
    }
}
