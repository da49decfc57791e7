//! The configuration of a scenario's switch, and where everybody is.

use super::Scenario;
use crate::world::{DOMAIN, PASSWORD, PORTS, SWITCH};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

/// The numbers that the switch answers itself.
pub(super) const ECHO_NUMBER: &str = "9000";
pub(super) const TONE_NUMBER: &str = "9001";

/// The configuration as an operator would write it. `generation` 0 is the first; each reload has another
/// wait for a callee that says nothing after 100.
pub(super) fn text(scenario: &Scenario, generation: u64) -> String {
    let mut text = format!(
        "[switch]\ndomain = \"{DOMAIN}\"\nmedia_shards = 2\ndigest_algorithms = [\"SHA-256\", \"MD5\"]\n[[listen]]\ntransport = \"udp\"\n\
         bind = \"{SWITCH}\"\n[parameters]\n{PORTS}SS_SIP_TIMEOUT_TRYING = {}\n",
        20 - generation % 4
    );
    let _ = write!(text, "[tones]\necho_number = \"{ECHO_NUMBER}\"\ntone_number = \"{TONE_NUMBER}\"\n");
    for gateway in &scenario.gateways {
        let prefixes: Vec<String> = gateway.prefixes.iter().map(|prefix| format!("\"{prefix}\"")).collect();
        // one that is known by its credentials would have to send them too, so calls only go to it
        let (direction, auth) = match gateway.challenges {
            true => ("routing", "auth = { user = \"trunk\", password = \"trunk-secret\" }\n"),
            false => ("both", ""),
        };
        let _ = write!(
            text,
            "[[gateway]]\nname = \"{}\"\ndirection = \"{direction}\"\npeers = [\"{}\"]\nprefixes = [{}]\npriority = {}\n{auth}",
            gateway.name,
            gateway_address(&gateway.name),
            prefixes.join(", "),
            number_in(&gateway.name),
        );
    }
    for phone in &scenario.phones {
        let _ = write!(text, "[[phone]]\nuser = \"{}\"\npassword = \"{PASSWORD}\"\n", phone.name);
        if phone.local_ring {
            text.push_str("local_ring = true\n");
        }
    }
    text
}

/// The number in a name: 3 of `u3`; 0 where there is none.
pub(super) fn number_in(name: &str) -> u8 {
    name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or_default()
}

/// Where a gateway is: three digits at the end, so that none is the beginning of another.
pub(super) fn gateway_address(name: &str) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(10, 0, 2, 100 + number_in(name) % 100), 5060))
}

/// Where a phone is, by its own idea: behind a translator in the private network of every household.
pub(super) fn phone_address(name: &str, is_behind: bool) -> SocketAddr {
    let last = 100 + number_in(name) % 100;
    let ip = if is_behind { Ipv4Addr::new(192, 168, 1, last) } else { Ipv4Addr::new(10, 0, 1, last) };
    SocketAddr::from((ip, 5060))
}
