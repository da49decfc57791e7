//! `[[network]]`: the named networks of rule S6.

use super::model::{Cidr, Network};
use super::reader::{At, Reader, Section};
use crate::nearest::nearest;
use crate::params::did_you_mean;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const KEYS: &[&str] = &["name", "cidrs"];

pub(super) fn read(reader: &mut Reader<'_>, root: &Section<'_>) -> Vec<Network> {
    let mut networks: Vec<Network> = Vec::new();
    for table in reader.tables(root, "network", "[[network]]") {
        reader.known_keys(&table, KEYS);
        if table.get("cidrs").is_none() {
            reader.missing(&table, "cidrs");
        }
        let cidrs = reader.texts(&table, "cidrs").map(|cidrs| cidrs.value).unwrap_or_default();
        let cidrs = cidrs.iter().filter_map(|text| cidr(reader, text)).collect();
        let Some(name) = reader.required(&table, "name") else { continue };
        if name.value.is_empty() {
            reader.error(&name.span, "value", "`name` must not be empty");
        } else if networks.iter().any(|network| network.name == name.value) {
            reader.error(&name.span, "duplicate", format!("there is a network `{}` already", name.value));
        }
        networks.push(Network { name: name.value.to_owned(), cidrs });
    }
    networks
}

/// The network of a socket: a name that need not have a `[[network]]` of its own, but may be meant to.
pub(super) fn tag(reader: &mut Reader<'_>, name: &At<&str>, networks: &[Network]) -> String {
    let names = || networks.iter().map(|network| network.name.as_str());
    if name.value.is_empty() {
        reader.error(&name.span, "value", "`network` must not be empty");
    } else if !names().any(|known| known == name.value)
        && let Some(near) = nearest(name.value, names())
    {
        let text = format!("there is no [[network]] `{}`{}", name.value, did_you_mean(Some(near)));
        reader.warn(&name.span, "unknown-network", text);
    }
    name.value.to_owned()
}

fn cidr(reader: &mut Reader<'_>, text: &At<&str>) -> Option<Cidr> {
    let cidr = parse_cidr(text.value);
    if let Err(reason) = &cidr {
        reader.error(&text.span, "value", reason.as_str());
    }
    cidr.ok()
}

/// `address/bits`, or an address alone.
fn parse_cidr(text: &str) -> Result<Cidr, String> {
    let form = || "must be an address block, such as 10.0.0.0/8 or fd00::/8".to_owned();
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| form())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix_bits = bits.map_or(Ok(most), str::parse).map_err(|_| form())?;
    if prefix_bits > most {
        return Err(format!("has a prefix of {prefix_bits} bits; an address has {most}"));
    }
    let network = masked(address, prefix_bits);
    if network != address {
        return Err(format!("has bits set beyond its prefix, did you mean `{network}/{prefix_bits}`?"));
    }
    Ok(Cidr { address, prefix_bits })
}

/// The address with everything beyond its first `bits` bits cleared.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let host_bits = 32_u32.saturating_sub(u32::from(bits));
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let host_bits = 128_u32.saturating_sub(u32::from(bits));
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_cidr;

    #[test]
    fn address_blocks() {
        for (written, bits) in [
            ("10.0.0.0/8", 8),
            ("0.0.0.0/0", 0),
            ("::/0", 0),
            ("fd00::/8", 8),
            ("192.0.2.1", 32),
            ("2001:db8::1/128", 128),
        ] {
            assert_eq!(parse_cidr(written).map(|cidr| cidr.prefix_bits), Ok(bits), "{written}");
        }
        for (written, why) in [
            ("10.0.0.1/8", "did you mean `10.0.0.0/8`?"),
            ("10.0.0.0/33", "an address has 32"),
            ("fe80::1/10", "did you mean `fe80::/10`?"),
            ("office", "must be an address block"),
            ("10.0.0.0/", "must be an address block"),
            ("10.0.0.0/-1", "must be an address block"),
        ] {
            let reason = parse_cidr(written).expect_err(written);
            assert!(reason.contains(why), "{written}: {reason}");
        }
    }
}
