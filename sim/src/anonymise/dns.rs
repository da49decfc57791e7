//! A DNS message (RFC 1035 §4): labels and addresses are replaced where they stand, so that every pointer leads where it
//! did.

use super::mapping::Mapping;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const HEADER_BYTES: usize = 12;
/// Record types (RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 3403).
const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const PTR: u16 = 12;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const NAPTR: u16 = 35;
/// The pseudo-record of EDNS (RFC 6891).
const OPT: u16 = 41;

/// The message with other names and addresses. One that breaks off is replaced as far as it goes.
pub(super) fn replace(map: &Mapping, message: &[u8]) -> Vec<u8> {
    let mut walk = Walk { map, bytes: message.to_vec(), at: HEADER_BYTES, labels: BTreeSet::new() };
    let _ = walk.message();
    walk.bytes
}

struct Walk<'m> {
    map: &'m Mapping,
    bytes: Vec<u8>,
    at: usize,
    /// Labels that have been replaced: pointers lead to them again.
    labels: BTreeSet<usize>,
}

impl Walk<'_> {
    fn message(&mut self) -> Option<()> {
        let counts: Vec<u16> = (0..4).map_while(|i| self.u16(4 + 2 * i)).collect();
        let [questions, records @ ..] = <[u16; 4]>::try_from(counts).ok()?;
        for _ in 0..questions {
            self.name()?;
            self.at += 4;
        }
        for _ in 0..records.iter().map(|&count| u32::from(count)).sum() {
            self.record()?;
        }
        Some(())
    }

    fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes([*self.bytes.get(at)?, *self.bytes.get(at + 1)?]))
    }

    /// A name; `at` is behind it afterwards. What a pointer leads to is replaced where it stands.
    fn name(&mut self) -> Option<()> {
        let (mut at, mut behind) = (self.at, None);
        // a name has at most 127 labels, and each may be reached by a pointer of its own
        for _ in 0..256 {
            let length = usize::from(*self.bytes.get(at)?);
            match length {
                0 => {
                    self.at = behind.unwrap_or(at + 1);
                    return Some(());
                }
                1..=63 => {
                    let label = self.bytes.get_mut(at + 1..at + 1 + length)?;
                    if self.labels.insert(at) {
                        self.map.label(label);
                    }
                    at += 1 + length;
                }
                _ => {
                    behind = behind.or(Some(at + 2));
                    at = usize::from(self.u16(at)? & 0x3fff);
                }
            }
        }
        None
    }

    fn record(&mut self) -> Option<()> {
        self.name()?;
        let kind = self.u16(self.at)?;
        let length = usize::from(self.u16(self.at + 8)?);
        let data = self.at + 10;
        let end = data + length;
        self.bytes.get(data..end)?;
        self.at = data;
        match kind {
            A => self.address::<4>(data, |octets| IpAddr::V4(Ipv4Addr::from(octets))),
            AAAA => self.address::<16>(data, |octets| IpAddr::V6(Ipv6Addr::from(octets))),
            NS | CNAME | PTR => self.name()?,
            SRV => {
                self.at = data + 6;
                self.name()?;
            }
            SOA => {
                self.name()?;
                self.name()?;
            }
            NAPTR => {
                // order, preference, then flags, service and regexp
                self.at = data + 4;
                for i in 0..3 {
                    let length = usize::from(*self.bytes.get(self.at)?);
                    let text = self.at + 1..self.at + 1 + length;
                    self.at = text.end;
                    if i == 2 {
                        self.map.text(self.bytes.get_mut(text)?);
                    }
                }
                self.name()?;
            }
            TXT => self.map.text(&mut self.bytes[data..end]),
            OPT => {}
            _ => super::symbols::scramble_binary(&self.map.key, &mut self.bytes[data..end]),
        }
        self.at = end;
        Some(())
    }

    fn address<const N: usize>(&mut self, at: usize, ip: impl Fn([u8; N]) -> IpAddr) {
        let Some(octets) = self.bytes.get_mut(at..at + N) else { return };
        let old: [u8; N] = (&*octets).try_into().expect("as many as were taken");
        match self.map.ip(ip(old)) {
            IpAddr::V4(new) => octets.copy_from_slice(&new.octets()),
            IpAddr::V6(new) => octets.copy_from_slice(&new.octets()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::replace;
    use crate::anonymise::key::Key;
    use crate::anonymise::mapping::Mapping;
    use crate::world::Zone;
    use crosspoint_core::command::Carrier;
    use crosspoint_core::config::Config;
    use crosspoint_core::rng::Seed;
    use hickory_proto::op::{Message, MessageType, OpCode, Query};
    use hickory_proto::rr::{Name, RecordType};

    /// What a zone of this owner answers, question by question.
    fn answers(owner: impl Fn(&str) -> String, addresses: [&str; 2]) -> Vec<Vec<u8>> {
        let mut zone = Zone::default();
        let target = owner("sip.acme");
        zone.set(
            &owner("_sip._udp.acme"),
            &[&format!("SRV 1 2 5060 {target}"), &format!("SRV 2 2 5060 {}", owner("b.acme"))],
        );
        zone.set(&owner("acme"), &[&format!("NAPTR 1 2 s SIP+D2U {}", owner("_sip._udp.acme"))]);
        zone.set(&owner("www.acme"), &[&format!("CNAME {target}")]);
        zone.set(&target, &[&format!("A {}", addresses[0]), &format!("AAAA {}", addresses[1])]);
        let questions = [
            ("_sip._udp.acme", RecordType::SRV),
            ("acme", RecordType::NAPTR),
            ("www.acme", RecordType::A),
            ("www.acme", RecordType::AAAA),
            ("nobody.acme", RecordType::A),
        ];
        let answer = |(name, kind): (&str, RecordType)| {
            let mut query = Message::new(7, MessageType::Query, OpCode::Query);
            query.add_query(Query::query(Name::from_ascii(owner(name)).unwrap(), kind));
            zone.answer(&query.to_vec().unwrap(), Carrier::Udp).flatten().unwrap()
        };
        questions.into_iter().map(answer).collect()
    }

    #[test]
    fn an_answer_becomes_what_a_zone_of_other_names_would_answer() {
        let map = Mapping::new(Key::new(Seed::from_number(4), 0), &[&Config::embedded("secret")]);
        let plain = |name: &str| format!("{name}.example.net.");
        let other = |name: &str| {
            let mut name = plain(name).into_bytes();
            map.host(&mut name);
            String::from_utf8(name).unwrap()
        };
        let addresses = ["198.51.100.7", "2001:db8::17"];
        let others = addresses.map(|ip| map.ip(ip.parse().unwrap()).to_string());
        let expected = answers(other, [&others[0], &others[1]]);
        for (old, expected) in answers(plain, addresses).into_iter().zip(expected) {
            assert_eq!(Message::from_vec(&replace(&map, &old)).unwrap(), Message::from_vec(&expected).unwrap());
            // what breaks off is replaced as far as it goes
            for length in 0..old.len() {
                assert_eq!(replace(&map, &old[..length]).len(), length);
            }
        }
    }
}
