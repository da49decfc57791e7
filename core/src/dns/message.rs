//! The wire format (RFC 1035 §4), through hickory-proto.

use super::DnsFailure;
use super::records::{Found, Kind, Naptr, Question, Srv};
use crate::limits;
use crate::sip::host_name;
use bytes::Bytes;
use hickory_proto::op::{Edns, Header, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Octets of an answer over UDP that we take: what passes every usual link in one piece (DNS flag day 2020).
const UDP_BYTES: u16 = 1232;

/// What a datagram says about a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is not the answer to it.
    Foreign,
    /// The answer is too long for UDP.
    Truncated,
    /// The server does not understand the question: perhaps because of EDNS (RFC 6891 §7).
    NotUnderstood,
    /// The server failed, or what it says cannot be read.
    Failed(DnsFailure),
    /// The answer, and what else the server gave along with it.
    Answer { found: Found, ttl_s: u32, extra: Vec<(Question, Found, u32)> },
}

/// The query. `None` where the name cannot be asked for.
pub(super) fn query(id: u16, question: &Question, with_edns: bool) -> Option<Bytes> {
    let name = Name::from_ascii(format!("{}.", question.name)).ok()?;
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, record_type(question.kind)));
    if with_edns {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_BYTES);
        message.set_edns(edns);
    }
    message.to_vec().ok().map(Bytes::from)
}

/// Reads what came for this query.
pub(super) fn read(bytes: &[u8], id: u16, question: &Question) -> Reading {
    let mut decoder = BinDecoder::new(bytes);
    let Ok(header) = Header::read(&mut decoder) else { return Reading::Foreign };
    let head = header.metadata;
    if head.id != id || head.message_type != MessageType::Response || head.op_code != OpCode::Query {
        return Reading::Foreign;
    }
    match header.counts.queries {
        // a server that refuses need not repeat what it did not read
        0 if head.response_code != ResponseCode::NoError && head.response_code != ResponseCode::NXDomain => {}
        1 => match Message::read_queries(&mut decoder, 1).as_deref() {
            Ok([asked]) if is_same(asked, question) => {}
            _ => return Reading::Foreign,
        },
        _ => return Reading::Foreign,
    }
    match head.response_code {
        ResponseCode::FormErr | ResponseCode::NotImp => return Reading::NotUnderstood,
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        _ => return Reading::Failed(DnsFailure::ServerFailure),
    }
    if head.truncation {
        return Reading::Truncated;
    }
    match Message::from_vec(bytes) {
        Ok(message) => answer(&message, question),
        Err(_) => Reading::Failed(DnsFailure::Malformed),
    }
}

fn is_same(asked: &Query, question: &Question) -> bool {
    asked.query_class() == DNSClass::IN
        && asked.query_type() == record_type(question.kind)
        && text(asked.name()).is_some_and(|name| name == question.name)
}

fn answer(message: &Message, question: &Question) -> Reading {
    let records: Vec<Entry> = entries(&message.answers).collect();
    let mut name = question.name.clone();
    let mut ttl_s = u32::MAX;
    let mut aliases = 0;
    loop {
        if let Some((found, set_ttl_s)) = set(&records, &name, question.kind) {
            let ttl_s = ttl_s.min(set_ttl_s);
            let extra = extra(&message.additionals, &found);
            return Reading::Answer { found, ttl_s, extra };
        }
        let alias = records.iter().find_map(|entry| match &entry.data {
            Data::Alias(other) if entry.name == name => Some((other, entry.ttl_s)),
            _ => None,
        });
        let Some((other, alias_ttl_s)) = alias else { break };
        aliases += 1;
        if aliases > limits::DNS_ALIASES {
            return Reading::Answer { found: Found::Nothing(DnsFailure::TooDeep), ttl_s, extra: Vec::new() };
        }
        (name, ttl_s) = (other.clone(), ttl_s.min(alias_ttl_s));
    }
    // RFC 2308 §5: how long there is nothing, the zone says in its SOA record
    let nothing_ttl_s = message.authorities.iter().take(limits::DNS_RECORDS).find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.minimum.min(record.ttl)),
        _ => None,
    });
    let found = match (message.metadata.response_code, nothing_ttl_s) {
        (ResponseCode::NXDomain, _) => Found::Nothing(DnsFailure::NxDomain),
        (_, None) if name != question.name => Found::Alias(name),
        _ => Found::Nothing(DnsFailure::NoRecords),
    };
    let ttl_s = match &found {
        Found::Alias(_) => ttl_s,
        // without a SOA record it should not be kept that there is nothing: so for the shortest time we have
        _ => nothing_ttl_s.unwrap_or(0).min(ttl_s),
    };
    Reading::Answer { found, ttl_s, extra: Vec::new() }
}

/// One record that we can use.
struct Entry {
    name: Box<str>,
    ttl_s: u32,
    data: Data,
}

enum Data {
    Address(IpAddr),
    Srv(Srv),
    Naptr(Naptr),
    Alias(Box<str>),
}

fn entries(records: &[Record]) -> impl Iterator<Item = Entry> {
    let internet = records.iter().take(limits::DNS_RECORDS).filter(|record| record.dns_class == DNSClass::IN);
    internet
        .filter_map(|record| Some(Entry { name: text(&record.name)?, ttl_s: record.ttl, data: data(&record.data)? }))
}

fn data(data: &RData) -> Option<Data> {
    match data {
        RData::A(address) => callable(IpAddr::V4(address.0)),
        RData::AAAA(address) => callable(IpAddr::V6(address.0)),
        RData::CNAME(other) => Some(Data::Alias(text(&other.0).filter(|name| !name.is_empty())?)),
        RData::SRV(srv) => Some(Data::Srv(Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: text(&srv.target)?,
        })),
        RData::NAPTR(naptr) => Some(Data::Naptr(Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: naptr.flags.clone(),
            service: naptr.services.clone(),
            replacement: text(&naptr.replacement)?,
        })),
        _ => None,
    }
}

/// The address, unless no call can go there.
fn callable(ip: IpAddr) -> Option<Data> {
    (!ip.is_unspecified() && !ip.is_multicast()).then_some(Data::Address(ip))
}

/// The records of one name and kind, and the shortest of their TTLs; `None` where there is none.
fn set(records: &[Entry], name: &str, kind: Kind) -> Option<(Found, u32)> {
    let (mut addresses, mut srvs, mut naptrs) = (Vec::new(), Vec::new(), Vec::new());
    let mut ttl_s = u32::MAX;
    for entry in records.iter().filter(|entry| *entry.name == *name) {
        match (&entry.data, kind) {
            (Data::Address(ip @ IpAddr::V4(_)), Kind::A) => addresses.push(*ip),
            (Data::Address(ip @ IpAddr::V6(_)), Kind::Aaaa) => addresses.push(*ip),
            (Data::Srv(srv), Kind::Srv) => srvs.push(srv.clone()),
            (Data::Naptr(naptr), Kind::Naptr) => naptrs.push(naptr.clone()),
            _ => continue,
        }
        ttl_s = ttl_s.min(entry.ttl_s);
    }
    // of a longer set those that would be tried first
    srvs.sort_by_key(|srv| srv.priority);
    naptrs.sort_by_key(|naptr| (naptr.order, naptr.preference));
    addresses.truncate(limits::DNS_SET);
    srvs.truncate(limits::DNS_SET);
    naptrs.truncate(limits::DNS_SET);
    let found = match kind {
        Kind::A | Kind::Aaaa if !addresses.is_empty() => Found::Addresses(addresses),
        Kind::Srv if !srvs.is_empty() => Found::Srv(srvs),
        Kind::Naptr if !naptrs.is_empty() => Found::Naptr(naptrs),
        _ => return None,
    };
    Some((found, ttl_s))
}

/// What the server gave along with the answer (RFC 3263 §4.1, RFC 2782): records of the names that the answer leads to, and
/// of no other.
fn extra(additionals: &[Record], found: &Found) -> Vec<(Question, Found, u32)> {
    let records: Vec<Entry> = entries(additionals).collect();
    let mut led_to: BTreeSet<Box<str>> = match found {
        Found::Srv(srvs) => srvs.iter().map(|srv| srv.target.clone()).collect(),
        Found::Naptr(naptrs) => naptrs.iter().map(|naptr| naptr.replacement.clone()).collect(),
        _ => return Vec::new(),
    };
    for entry in &records {
        if let Data::Srv(srv) = &entry.data
            && led_to.contains(&entry.name)
        {
            led_to.insert(srv.target.clone());
        }
    }
    let mut sets = BTreeMap::new();
    for entry in records.iter().filter(|entry| led_to.contains(&entry.name)) {
        let kind = match &entry.data {
            Data::Address(IpAddr::V4(_)) => Kind::A,
            Data::Address(IpAddr::V6(_)) => Kind::Aaaa,
            Data::Srv(_) => Kind::Srv,
            Data::Naptr(_) | Data::Alias(_) => continue,
        };
        if let Some((found, ttl_s)) = set(&records, &entry.name, kind) {
            sets.insert(Question { name: entry.name.clone(), kind }, (found, ttl_s));
        }
    }
    sets.into_iter().map(|(question, (found, ttl_s))| (question, found, ttl_s)).collect()
}

/// A name as we write it; the root is empty. `None` for one that is no host name.
fn text(name: &Name) -> Option<Box<str>> {
    let labels: Option<Vec<&str>> = name.iter().map(|label| std::str::from_utf8(label).ok()).collect();
    let labels = labels?;
    if labels.is_empty() {
        return Some("".into());
    }
    // a dot inside a label would make two of one
    if labels.iter().any(|label| label.contains('.')) {
        return None;
    }
    host_name(&labels.join("."))
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Srv => RecordType::SRV,
        Kind::Naptr => RecordType::NAPTR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::{A, CNAME, SOA, SRV};

    fn name(text: &str) -> Name {
        Name::from_ascii(text).expect("a name")
    }

    fn record(owner: &str, ttl_s: u32, data: RData) -> Record {
        Record::from_rdata(name(owner), ttl_s, data)
    }

    fn address(last: u8) -> RData {
        RData::A(A::new(192, 0, 2, last))
    }

    fn srv(target: &str) -> RData {
        RData::SRV(SRV::new(1, 2, 5060, name(target)))
    }

    fn question(of: &str, kind: Kind) -> Question {
        Question { name: of.into(), kind }
    }

    /// What is read from the answer to this question that `fill` completes.
    fn reading(asked: &Question, fill: impl FnOnce(&mut Message)) -> Reading {
        let mut message = Message::new(7, MessageType::Response, OpCode::Query);
        message.add_query(Query::query(name(&format!("{}.", asked.name)), record_type(asked.kind)));
        fill(&mut message);
        read(&message.to_vec().expect("it can be written"), 7, asked)
    }

    fn only(found: Found, ttl_s: u32) -> Reading {
        Reading::Answer { found, ttl_s, extra: Vec::new() }
    }

    #[test]
    fn the_shortest_ttl_on_the_way_counts() {
        let asked = question("a.example", Kind::A);
        let whole = reading(&asked, |message| {
            message.add_answer(record("A.Example.", 50, RData::CNAME(CNAME(name("b.example.")))));
            message.add_answer(record("b.example.", 100, address(1)));
            message.add_answer(record("b.example.", 90, address(2)));
            message.add_answer(record("c.example.", 1, address(3)));
            message.add_answer(record("b.example.", 1, RData::A(A::new(0, 0, 0, 0))));
        });
        let addresses = Found::Addresses(vec!["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()]);
        assert_eq!(whole, only(addresses, 50));
        let half = reading(&asked, |message| {
            message.add_answer(record("a.example.", 50, RData::CNAME(CNAME(name("b.example.")))));
        });
        assert_eq!(half, only(Found::Alias("b.example".into()), 50), "the rest is to be asked for");
    }

    #[test]
    fn the_soa_record_says_for_how_long_there_is_nothing() {
        let asked = question("a.example", Kind::A);
        let soa = |ttl_s, minimum| {
            let data = RData::SOA(SOA::new(name("."), name("."), 1, 2, 3, 4, minimum));
            move |message: &mut Message| message.authorities.push(record("example.", ttl_s, data))
        };
        assert_eq!(reading(&asked, soa(60, 30)), only(Found::Nothing(DnsFailure::NoRecords), 30));
        assert_eq!(reading(&asked, soa(20, 30)), only(Found::Nothing(DnsFailure::NoRecords), 20));
        let nobody = reading(&asked, |message| message.metadata.response_code = ResponseCode::NXDomain);
        assert_eq!(nobody, only(Found::Nothing(DnsFailure::NxDomain), 0));
        let alias_of_nobody = reading(&asked, |message| {
            message.metadata.response_code = ResponseCode::NXDomain;
            message.add_answer(record("a.example.", 50, RData::CNAME(CNAME(name("b.example.")))));
        });
        assert_eq!(alias_of_nobody, only(Found::Nothing(DnsFailure::NxDomain), 0), "RFC 6604 §3");
    }

    #[test]
    fn what_comes_along_is_taken_for_the_names_led_to_alone() {
        let asked = question("_sip._udp.example", Kind::Srv);
        let Reading::Answer { extra, .. } = reading(&asked, |message| {
            message.add_answer(record("_sip._udp.example.", 60, srv("a.example.")));
            message.add_additional(record("a.example.", 40, address(1)));
            message.add_additional(record("bank.example.", 40, address(66)));
        }) else {
            panic!("no answer");
        };
        let addresses = Found::Addresses(vec!["192.0.2.1".parse().unwrap()]);
        assert_eq!(extra, [(question("a.example", Kind::A), addresses, 40)]);
    }

    #[test]
    fn a_target_that_is_no_host_name_is_left_out() {
        let asked = question("_sip._udp.example", Kind::Srv);
        let Reading::Answer { found: Found::Srv(found), .. } = reading(&asked, |message| {
            let odd = [&b"a b"[..], b"a.b", b"\xff", b"ok"].map(|label| Name::from_labels([label, b"example"]));
            for target in odd.into_iter().map(|name| name.expect("on the wire any octet goes")).chain([Name::root()]) {
                message.add_answer(record("_sip._udp.example.", 60, RData::SRV(SRV::new(1, 2, 5060, target))));
            }
        }) else {
            panic!("no records");
        };
        assert_eq!(found.iter().map(|srv| &*srv.target).collect::<Vec<_>>(), ["ok.example", ""]);
    }

    #[test]
    fn a_refusal_need_not_repeat_the_question() {
        let asked = question("a.example", Kind::A);
        for (code, wanted) in [
            (ResponseCode::Refused, Reading::Failed(DnsFailure::ServerFailure)),
            (ResponseCode::ServFail, Reading::Failed(DnsFailure::ServerFailure)),
            (ResponseCode::FormErr, Reading::NotUnderstood),
            (ResponseCode::NXDomain, Reading::Foreign),
            (ResponseCode::NoError, Reading::Foreign),
        ] {
            let read = reading(&asked, |message| {
                message.queries.clear();
                message.metadata.response_code = code;
            });
            assert_eq!(read, wanted, "{code}");
        }
    }
}
