//! IP addresses: a substitution that keeps networks together.
//!
//! An IPv4 address is replaced octet by octet, an IPv6 address by hexadecimal digits; what one becomes depends on those
//! before it, so two addresses have as many of them in common afterwards as before. An octet keeps its number of digits,
//! a group of an IPv6 address its leading zeros, and so the text its length. Ranges that mean something keep their
//! addresses; a block of the configuration remains one.

use super::key::{Context, Key, Kind};
use crosspoint_core::config::{Cidr, Config};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ranges of IPv4 that keep their addresses: this network, private use, shared space, loopback, link-local, multicast,
/// reserved (the registry of RFC 6890).
const SPECIAL_V4: [(Ipv4Addr, u8); 9] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The same of IPv6: loopback and unspecified, IPv4 in IPv6, NAT64, unique local, link-local, multicast.
const SPECIAL_V6: [(Ipv6Addr, u8); 5] = [
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 96),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// The digits of an address, `bits` each, and a block of such addresses.
struct Block {
    digits: Vec<u8>,
    prefix_bits: usize,
}

/// The substitution.
pub(super) struct Addresses {
    key: Key,
    blocks: Vec<Cidr>,
}

impl Addresses {
    /// The substitution under which the blocks of these configurations remain blocks.
    pub(super) fn new<'c>(key: Key, configs: impl IntoIterator<Item = &'c Config>) -> Addresses {
        let networks = configs.into_iter().flat_map(|config| &config.networks);
        Addresses { key, blocks: networks.flat_map(|network| network.cidrs.iter().copied()).collect() }
    }

    /// What an address becomes.
    pub(super) fn image(&self, ip: IpAddr) -> IpAddr {
        match ip {
            IpAddr::V4(v4) => IpAddr::V4(self.v4(v4)),
            IpAddr::V6(v6) => IpAddr::V6(match v6.to_ipv4_mapped() {
                Some(v4) => self.v4(v4).to_ipv6_mapped(),
                None => self.v6(v6),
            }),
        }
    }

    /// What a block becomes.
    pub(super) fn block(&self, cidr: Cidr) -> Cidr {
        let digit_bits = if cidr.address.is_ipv4() { 8 } else { 4 };
        let image = match cidr.address {
            IpAddr::V6(v6) => IpAddr::V6(self.v6(v6)),
            address => self.image(address),
        };
        // the digits that the prefix fixes, and of the one it ends in what it was: that one moves within the block
        let bits = cidr.prefix_bits;
        let whole = bits / digit_bits * digit_bits;
        let address = match (image, cidr.address) {
            (IpAddr::V4(new), IpAddr::V4(old)) => {
                let mask = |bits: u8| u32::MAX.checked_shl(u32::from(32 - bits)).unwrap_or(0);
                let within = mask(bits) & !mask(whole);
                IpAddr::V4(Ipv4Addr::from_bits(new.to_bits() & mask(whole) | old.to_bits() & within))
            }
            (IpAddr::V6(new), IpAddr::V6(old)) => {
                let mask = |bits: u8| u128::MAX.checked_shl(u32::from(128 - bits)).unwrap_or(0);
                let within = mask(bits) & !mask(whole);
                IpAddr::V6(Ipv6Addr::from_bits(new.to_bits() & mask(whole) | old.to_bits() & within))
            }
            _ => cidr.address,
        };
        Cidr { address, prefix_bits: bits }
    }

    fn v4(&self, ip: Ipv4Addr) -> Ipv4Addr {
        if ip.is_loopback() || ip.is_unspecified() || ip.is_broadcast() {
            return ip;
        }
        let special = SPECIAL_V4.iter().map(|(ip, bits)| (ip.octets().to_vec(), *bits));
        let ours = self.blocks.iter().filter_map(|cidr| match cidr.address {
            IpAddr::V4(ip) => Some((ip.octets().to_vec(), cidr.prefix_bits)),
            IpAddr::V6(_) => None,
        });
        let length = |octet: u8| match octet {
            0..=9 => 1,
            10..=99 => 2,
            _ => 3,
        };
        let octets = self.exchange(Kind::V4, 8, &ip.octets(), blocks(special), blocks(ours), |_, octet| length(octet));
        Ipv4Addr::from(<[u8; 4]>::try_from(octets).expect("as many octets as before"))
    }

    fn v6(&self, ip: Ipv6Addr) -> Ipv6Addr {
        if ip.is_loopback() || ip.is_unspecified() {
            return ip;
        }
        let special = SPECIAL_V6.iter().map(|(ip, bits)| (digits(*ip), *bits));
        let ours = self.blocks.iter().filter_map(|cidr| match cidr.address {
            IpAddr::V6(ip) => Some((digits(ip), cidr.prefix_bits)),
            IpAddr::V4(_) => None,
        });
        // a zero that leads a group stays, and nothing else becomes one
        let leads = |before: &[u8], digit: u8| {
            let group = &before[before.len() / 4 * 4..];
            u8::from(digit == 0 && group.iter().all(|&digit| digit == 0))
                + if group.iter().all(|&digit| digit == 0) { 2 } else { 0 }
        };
        let new = self.exchange(Kind::V6, 4, &digits(ip), blocks(special), blocks(ours), leads);
        Ipv6Addr::from_bits(new.iter().fold(0, |bits, &digit| bits << 4 | u128::from(digit)))
    }

    /// Replaces the digits of an address, each among those that `class` and the blocks see alike.
    fn exchange(
        &self,
        kind: Kind,
        bits: usize,
        digits: &[u8],
        special: Vec<Block>,
        ours: Vec<Block>,
        class: impl Fn(&[u8], u8) -> u8,
    ) -> Vec<u8> {
        let mut context: Context = self.key.context(kind, 0);
        let mut new = Vec::with_capacity(digits.len());
        for (place, &digit) in digits.iter().enumerate() {
            let before = &digits[..place];
            let special: Vec<&Block> = special.iter().filter(|block| block.goes_through(before, bits)).collect();
            let ours: Vec<&Block> =
                ours.iter().filter(|block| block.goes_through(before, bits) && block.ends_in(place, bits)).collect();
            let is_split = |digit: u8| special.iter().any(|block| block.share(before, digit, bits) == Share::Some);
            let marks = |digit: u8| {
                let of = |blocks: &[&Block]| {
                    blocks.iter().map(|block| block.share(before, digit, bits) as u8).collect::<Vec<u8>>()
                };
                (class(before, digit), of(&special), of(&ours))
            };
            if is_split(digit) {
                new.push(digit);
            } else {
                let wanted = marks(digit);
                let highest = ((1_u16 << bits) - 1) as u8;
                let alike: Vec<u8> =
                    (0..=highest).filter(|&other| !is_split(other) && marks(other) == wanted).collect();
                let rank = alike.iter().position(|&other| other == digit).expect("a digit is like itself");
                new.push(alike[context.exchange(alike[0], alike.len(), rank)]);
            }
            context.push(digit);
        }
        new
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    None,
    Some,
    All,
}

impl Block {
    /// Whether there are addresses with this beginning both inside and outside, or all are inside.
    fn goes_through(&self, before: &[u8], bits: usize) -> bool {
        let whole = (self.prefix_bits / bits).min(before.len());
        self.digits[..whole] == before[..whole] && before.len() * bits < self.prefix_bits
    }

    /// Whether its prefix ends within this digit.
    fn ends_in(&self, place: usize, bits: usize) -> bool {
        self.prefix_bits / bits == place && !self.prefix_bits.is_multiple_of(bits)
    }

    /// How many of the addresses that begin so and go on with this digit are inside.
    fn share(&self, before: &[u8], digit: u8, bits: usize) -> Share {
        let place = before.len();
        let left = (self.prefix_bits - place * bits).min(bits);
        let shift = (bits - left) as u32;
        let is_same = u16::from(self.digits[place]) >> shift == u16::from(digit) >> shift;
        match (is_same, self.prefix_bits <= (place + 1) * bits) {
            (false, _) => Share::None,
            (true, true) => Share::All,
            (true, false) => Share::Some,
        }
    }
}

fn blocks(of: impl Iterator<Item = (Vec<u8>, u8)>) -> Vec<Block> {
    of.map(|(digits, bits)| Block { digits, prefix_bits: bits.into() }).collect()
}

fn digits(ip: Ipv6Addr) -> Vec<u8> {
    ip.octets().iter().flat_map(|octet| [octet >> 4, octet & 15]).collect()
}

/// An address in its place in a text: the same spelling of another one. False where the text is none.
pub(super) fn replace(text: &mut [u8], image: impl Fn(IpAddr) -> IpAddr) -> bool {
    let Some(ip) = crosspoint_core::sip::host_ip(text) else { return false };
    let new = match (ip, image(ip)) {
        (IpAddr::V4(_), new) => new.to_string(),
        (IpAddr::V6(_), IpAddr::V6(new)) => respell(text, new),
        _ => return false,
    };
    let is_same_length = new.len() == text.len();
    if is_same_length {
        text.copy_from_slice(new.as_bytes());
    }
    is_same_length
}

/// An IPv6 address in the spelling of another one: each group as wide, `::` in the same place, the same brackets.
fn respell(old: &[u8], new: Ipv6Addr) -> String {
    let is_upper = old.iter().any(u8::is_ascii_uppercase);
    let text = String::from_utf8_lossy(old).into_owned();
    let inside = text.trim_start_matches('[').trim_end_matches(']');
    let (head, tail) = inside.split_once("::").map_or((inside, None), |(head, tail)| (head, Some(tail)));
    let groups = |part: &str| part.split(':').filter(|group| !group.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let width = |part: &[String]| part.iter().map(|group| if group.contains('.') { 2 } else { 1 }).sum::<usize>();
    let spell = |part: &[String], mut at: usize| {
        let mut out = Vec::new();
        for group in part {
            let segments = new.segments();
            if group.contains('.') {
                let [a, b] = [segments[at], segments[at + 1]].map(u32::from);
                out.push(Ipv4Addr::from_bits(a << 16 | b).to_string());
                at += 2;
            } else {
                let length = group.len();
                let segment = segments[at];
                out.push(if is_upper { format!("{segment:0length$X}") } else { format!("{segment:0length$x}") });
                at += 1;
            }
        }
        out.join(":")
    };
    let head = groups(head);
    let spelt = match tail {
        None => spell(&head, 0),
        Some(tail) => {
            // `:::` is read as `::`
            let colons = if tail.starts_with(':') { ":::" } else { "::" };
            let tail = groups(tail);
            format!("{}{colons}{}", spell(&head, 0), spell(&tail, 8_usize.saturating_sub(width(&tail))))
        }
    };
    if text.starts_with('[') { format!("[{spelt}]") } else { spelt }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, Key, replace};
    use crosspoint_core::config::parse;
    use crosspoint_core::rng::Seed;
    use std::net::IpAddr;

    fn addresses(seed: u64) -> Addresses {
        let text = "[[network]]\nname = \"a\"\ncidrs = [\"203.0.112.0/20\", \"2001:db8:4000::/35\", \"10.9.0.0/16\"]\n";
        Addresses::new(Key::new(Seed::from_number(seed), 0), [&parse(text).unwrap().config])
    }

    fn common_bits(a: IpAddr, b: IpAddr, digit: u32) -> u32 {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => u128::from(ip.to_bits()) << 96,
            IpAddr::V6(ip) => ip.to_bits(),
        };
        (bits(a) ^ bits(b)).leading_zeros() / digit
    }

    #[test]
    fn an_address_keeps_its_spelling_its_range_and_its_neighbours() {
        let texts = [
            "10.0.0.1",
            "10.0.1.100",
            "10.9.1.7",
            "192.168.1.20",
            "172.16.254.3",
            "172.31.0.9",
            "172.32.0.9",
            "100.64.3.9",
            "203.0.113.77",
            "203.0.127.1",
            "203.0.128.1",
            "8.8.8.8",
            "2001:db8:4000::1",
            "2001:db8:6000::1",
            "2001:db8::5060",
            "2001:0DB8:0000::00aF",
            "[fd00::1:2]",
            "fe80::1",
            "::ffff:203.0.113.77",
            "64:ff9b::102:304",
        ];
        for seed in 0..100 {
            let addresses = addresses(seed);
            for text in texts {
                let mut new = text.as_bytes().to_vec();
                assert!(replace(&mut new, |ip| addresses.image(ip)), "{text}");
                let ip = crosspoint_core::sip::host_ip(text.as_bytes()).unwrap();
                let image = crosspoint_core::sip::host_ip(&new).unwrap();
                assert_eq!(image, addresses.image(ip), "{text} became {}", String::from_utf8_lossy(&new));
                assert_ne!(image, ip, "{text}");
                assert_eq!(ip.to_string().len(), image.to_string().len(), "{text}");
                assert_eq!(range(ip), range(image), "{ip} {image}");
                for other in texts.iter().filter_map(|text| crosspoint_core::sip::host_ip(text.as_bytes())) {
                    if ip.is_ipv4() == other.is_ipv4() {
                        let digit = if ip.is_ipv4() { 8 } else { 4 };
                        assert_eq!(
                            common_bits(ip, other, digit),
                            common_bits(image, addresses.image(other), digit),
                            "{ip} {other}"
                        );
                    }
                }
            }
        }
    }

    /// Which of the ranges that matter it is in.
    fn range(ip: IpAddr) -> [bool; 7] {
        match ip {
            IpAddr::V4(ip) => {
                let [a, b, ..] = ip.octets();
                [
                    ip.is_private(),
                    ip.is_link_local(),
                    a == 100 && b & 0xc0 == 64,
                    ip.is_multicast(),
                    a >= 240,
                    a == 10,
                    a == 0,
                ]
            }
            IpAddr::V6(ip) => [
                ip.is_unique_local(),
                ip.is_unicast_link_local(),
                ip.is_multicast(),
                ip.to_ipv4_mapped().is_some(),
                ip.segments()[0] == 0x64,
                false,
                false,
            ],
        }
    }

    #[test]
    fn blocks_remain_blocks() {
        for seed in 0..100 {
            let addresses = addresses(seed);
            for cidr in addresses.blocks.clone() {
                let image = addresses.block(cidr);
                for text in [
                    "203.0.113.77",
                    "203.0.127.1",
                    "203.0.128.1",
                    "203.1.113.7",
                    "10.9.9.9",
                    "10.8.9.9",
                    "2001:db8:4001::1",
                    "2001:db8:5fff::9",
                    "2001:db8:6000::1",
                    "2001:db8:3000::1",
                ] {
                    let ip: IpAddr = text.parse().unwrap();
                    assert_eq!(has(cidr, ip), has(image, addresses.image(ip)), "seed {seed} {cidr:?} {image:?} {ip}");
                }
            }
        }
    }

    fn has(cidr: super::Cidr, ip: IpAddr) -> bool {
        cidr.address.is_ipv4() == ip.is_ipv4() && common_bits(cidr.address, ip, 1) >= u32::from(cidr.prefix_bits)
    }
}
