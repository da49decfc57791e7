//! The rules that let in what a configuration listens to, as commands for nftables or iptables.

use crate::config::{Config, Listen};
use crate::input::Transport;
use std::fmt::Write;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Whose rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirewallFormat {
    /// `nft` commands for chain `input` of table `inet filter`, as Debian's nftables.conf has them.
    Nft,
    /// `iptables` and `ip6tables` commands for chain `INPUT`.
    Iptables,
}

/// Ports that packets come in at.
struct Opening {
    protocol: &'static str,
    /// Where to; its family alone counts where it is unspecified.
    address: IpAddr,
    ports: RangeInclusive<u16>,
    what: &'static str,
}

/// Shell commands that open the firewall for this configuration: its signalling sockets and, for the families of these, the
/// media ports. Loopback is left out, and so are sockets whose port the system chooses.
pub fn firewall(config: &Config, format: FirewallFormat) -> String {
    let mut text = String::from(
        "# Lets in what this configuration listens to.\n\
         # Each rule is put first in its chain: behind a last drop or reject it would never be reached.\n",
    );
    let openings = openings(config);
    if openings.is_empty() {
        text.push_str("# Nothing to open: every socket is on loopback.\n");
    }
    for opening in openings {
        let line = match format {
            FirewallFormat::Nft => nft(&opening),
            FirewallFormat::Iptables => iptables(&opening),
        };
        text.push_str(&line);
    }
    text
}

fn openings(config: &Config) -> Vec<Opening> {
    let is_open = |listen: &&Listen| !listen.bind.ip().is_loopback() && listen.bind.port() != 0;
    let signalling = config.listen.iter().filter(is_open).map(|listen| Opening {
        protocol: match listen.transport {
            Transport::Udp => "udp",
        },
        address: listen.bind.ip(),
        ports: listen.bind.port()..=listen.bind.port(),
        what: "SIP",
    });
    let ranges =
        [(config.parameters.rtp_ports(), "SS_RTP_PORT_RANGE"), (config.parameters.ivr_ports(), "IVR_RTP_PORT")];
    let mut openings: Vec<Opening> = signalling.collect();
    for any in [IpAddr::from([0; 4]), IpAddr::from([0_u16; 8])] {
        if openings.iter().any(|opening| opening.address.is_ipv4() == any.is_ipv4()) {
            let media = ranges.clone().map(|(ports, what)| Opening { protocol: "udp", address: any, ports, what });
            openings.extend(media);
        }
    }
    openings
}

fn nft(opening: &Opening) -> String {
    let Opening { protocol, address, ports, what } = opening;
    let family = if address.is_ipv4() { ("ip", "ipv4") } else { ("ip6", "ipv6") };
    let to = match address.is_unspecified() {
        true => format!("meta nfproto {}", family.1),
        false => format!("{} daddr {address}", family.0),
    };
    let ports = span(ports, '-');
    format!("nft insert rule inet filter input {to} {protocol} dport {ports} accept comment '\"{what}\"'\n")
}

fn iptables(opening: &Opening) -> String {
    let Opening { protocol, address, ports, what } = opening;
    let mut line = String::from(if address.is_ipv4() { "iptables" } else { "ip6tables" });
    line.push_str(" -I INPUT");
    if !address.is_unspecified() {
        write!(line, " -d {address}").expect("writing to a String cannot fail");
    }
    let ports = span(ports, ':');
    line + &format!(" -p {protocol} --dport {ports} -m comment --comment {what} -j ACCEPT\n")
}

fn span(ports: &RangeInclusive<u16>, between: char) -> String {
    match (ports.start(), ports.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}{between}{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{FirewallFormat, firewall};
    use crate::config::{Config, Listen};

    fn both(listens: &[&str]) -> String {
        let mut config = Config::embedded("secret");
        config.listen = listens.iter().map(|listen| Listen::udp(listen.parse().expect("an address"))).collect();
        firewall(&config, FirewallFormat::Nft) + "\n" + &firewall(&config, FirewallFormat::Iptables)
    }

    #[test]
    fn rules_of_both_families() {
        let listens = ["192.0.2.1:5060", "[2001:db8::1]:5060", "127.0.0.1:5060", "192.0.2.1:0"];
        insta::assert_snapshot!(both(&listens));
    }

    #[test]
    fn rules_of_all_addresses_of_one_family() {
        insta::assert_snapshot!(both(&["0.0.0.0:5080"]));
    }

    #[test]
    fn loopback_needs_no_rules() {
        assert!(both(&["127.0.0.1:5060", "[::1]:5060"]).lines().all(|line| line.is_empty() || line.starts_with('#')));
    }
}
