//! The nameservers of a world: a scripted zone that answers every question of the switch after a while.

use crosspoint_core::command::Carrier;
use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, NAPTR, SOA, SRV};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::time::Duration;

/// What the zone does with questions of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It answers.
    Answers,
    /// It says nothing.
    Silent,
    /// It says that it failed (SERVFAIL).
    Fails,
    /// It cannot be reached.
    Unreachable,
    /// Over UDP the answer is cut off.
    Truncates,
}

/// The records of a world's names; see [`super::World::zone`].
#[derive(Debug)]
pub struct Zone {
    /// How long an answer takes.
    pub delay: Duration,
    /// How long records may be kept, in seconds.
    pub ttl_s: u32,
    /// How long it may be kept that there is nothing, in seconds (RFC 2308).
    pub negative_ttl_s: u32,
    records: Vec<Record>,
    manners: Vec<(Name, Manner)>,
    asked: Vec<String>,
}

impl Default for Zone {
    fn default() -> Self {
        let (records, manners, asked) = Default::default();
        Zone { delay: Duration::from_millis(20), ttl_s: 60, negative_ttl_s: 30, records, manners, asked }
    }
}

impl Zone {
    /// Sets the records of this name, one a text: `A 192.0.2.1`, `AAAA 2001:db8::1`, `CNAME other.example`,
    /// `SRV priority weight port target`, `NAPTR order preference flags service replacement`. Those it had are gone.
    ///
    /// # Panics
    /// Where a text is no record.
    pub fn set(&mut self, name: &str, records: &[&str]) {
        let name = absolute(name);
        self.records.retain(|record| record.name != name);
        for text in records {
            let data = data(text).unwrap_or_else(|| panic!("no record: {text}"));
            self.records.push(Record::from_rdata(name.clone(), self.ttl_s, data));
        }
    }

    /// Sets what happens to questions of this name.
    pub fn behave(&mut self, name: &str, manner: Manner) {
        let name = absolute(name);
        self.manners.retain(|(other, _)| *other != name);
        self.manners.push((name, manner));
    }

    /// What was asked since the last call, such as `NAPTR example.net`.
    pub fn take_asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }

    /// What comes of a query: nothing, that the server is out of reach, or a message.
    ///
    /// # Panics
    /// Where the query is not in proper form.
    pub fn answer(&mut self, query: &[u8], carrier: Carrier) -> Option<Option<Vec<u8>>> {
        let asked = Message::from_vec(query).expect("the switch asks in proper form");
        let question = asked.queries.first().expect("the switch asks one question").clone();
        let (name, kind) = (question.name().clone(), question.query_type());
        self.asked.push(format!("{kind} {}", name.to_ascii().trim_end_matches('.')));
        let mut answer = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
        answer.add_query(question);
        let manner =
            self.manners.iter().find(|(other, _)| *other == name).map_or(Manner::Answers, |(_, manner)| *manner);
        match manner {
            Manner::Silent => return None,
            Manner::Unreachable => return Some(None),
            Manner::Fails => answer.metadata.response_code = ResponseCode::ServFail,
            Manner::Truncates if carrier == Carrier::Udp => answer.metadata.truncation = true,
            Manner::Truncates | Manner::Answers => self.look_up(&mut answer, name, kind),
        }
        Some(Some(answer.to_vec().expect("an answer of a few records can be written")))
    }

    fn look_up(&self, answer: &mut Message, mut name: Name, kind: RecordType) {
        // a chain of CNAMEs, as a recursive server follows it; one that turns round ends here
        for _ in 0..16 {
            let of_name: Vec<&Record> = self.records.iter().filter(|record| record.name == name).collect();
            if of_name.is_empty() {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            let wanted = of_name.iter().filter(|record| [kind, RecordType::CNAME].contains(&record.record_type()));
            answer.add_answers(wanted.map(|record| (*record).clone()));
            match of_name
                .iter()
                .find_map(|record| if let RData::CNAME(other) = &record.data { Some(other) } else { None })
            {
                Some(other) => name = other.0.clone(),
                None => return self.say_nothing(answer, kind),
            }
        }
    }

    /// Says for how long there is nothing, where there is (RFC 2308).
    fn say_nothing(&self, answer: &mut Message, kind: RecordType) {
        if answer.answers.iter().all(|record| record.record_type() != kind) {
            let names = (Name::root(), Name::root());
            let soa = SOA::new(names.0, names.1, 1, 3600, 600, 86_400, self.negative_ttl_s);
            answer.add_authority(Record::from_rdata(Name::root(), self.negative_ttl_s, RData::SOA(soa)));
        }
    }
}

fn absolute(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    name.set_fqdn(true);
    name
}

fn data(text: &str) -> Option<RData> {
    let target = |name: &str| if name == "." { Name::root() } else { absolute(name) };
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(match words[..] {
        ["A", address] => RData::A(A(address.parse().ok()?)),
        ["AAAA", address] => RData::AAAA(AAAA(address.parse().ok()?)),
        ["CNAME", name] => RData::CNAME(CNAME(absolute(name))),
        ["SRV", priority, weight, port, name] => {
            RData::SRV(SRV::new(priority.parse().ok()?, weight.parse().ok()?, port.parse().ok()?, target(name)))
        }
        ["NAPTR", order, preference, flags, service, name] => RData::NAPTR(NAPTR::new(
            order.parse().ok()?,
            preference.parse().ok()?,
            flags.as_bytes().into(),
            service.as_bytes().into(),
            Box::default(),
            target(name),
        )),
        _ => return None,
    })
}
