//! The nameserver of a world: it knows addresses and SRV records.

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, SRV};
use hickory_proto::rr::{Name, RData, Record};
use std::collections::BTreeMap;

/// The records of names, each as `A 192.0.2.1` or `SRV priority weight port target`. Names without any do not exist.
#[derive(Default)]
pub(crate) struct Zone {
    pub(crate) records: BTreeMap<&'static str, Vec<&'static str>>,
    /// It answers nothing.
    pub(crate) is_silent: bool,
    /// What it was asked.
    pub(crate) asked: Vec<String>,
}

impl Zone {
    /// Its answer to this query.
    pub(crate) fn answer(&mut self, query: &[u8]) -> Option<Vec<u8>> {
        let asked = Message::from_vec(query).expect("the switch asks in proper form");
        let question = asked.queries.first().expect("the switch asks one question").clone();
        let name = question.name().to_ascii().trim_end_matches('.').to_owned();
        self.asked.push(format!("{} {name}", question.query_type()));
        let mut answer = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
        match self.records.get(name.as_str()) {
            None => answer.metadata.response_code = ResponseCode::NXDomain,
            Some(records) => {
                let records = records.iter().map(|text| Record::from_rdata(question.name().clone(), 60, data(text)));
                answer.add_answers(records.filter(|record| record.record_type() == question.query_type()));
            }
        }
        answer.add_query(question);
        (!self.is_silent).then(|| answer.to_vec().expect("a few records can be written"))
    }
}

fn data(text: &str) -> RData {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |at: usize| words[at].parse().expect("a number");
    match words[0] {
        "A" => RData::A(A(words[1].parse().expect("an address"))),
        _ => RData::SRV(SRV::new(number(1), number(2), number(3), Name::from_ascii(words[4]).expect("a name"))),
    }
}
