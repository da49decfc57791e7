//! Random registrations, ends and waits, beside a model that keeps a plain map: it has no chains, no expiry set, no
//! packed text and no plan, only the rules.

use super::*;
use quickcheck::{Arbitrary, Gen, quickcheck};
use std::collections::BTreeMap;

const PHONES: [&str; 2] = ["1001", "1002"];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Op {
    /// A REGISTER of this phone, under this Call-ID and CSeq, for these contacts with their expiry and q.
    Register { phone: usize, call_id: u8, cseq: u32, contacts: Vec<(u8, u32, u16)> },
    /// `Contact: *`.
    RemoveAll { phone: usize, call_id: u8, cseq: u32 },
    /// Seconds pass; the timer fires.
    Wait(u64),
    /// Seconds pass; the timer is late.
    Pass(u64),
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Op {
        let mut below = |bound: u32| u32::arbitrary(g) % bound;
        let (phone, call_id, cseq) = (below(2) as usize, below(2) as u8, below(8));
        match below(8) {
            0 => Op::RemoveAll { phone, call_id, cseq },
            1 => Op::Wait(below(200).into()),
            2 => Op::Pass(below(200).into()),
            _ => {
                let count = below(4);
                let mut contact =
                    || (below(13) as u8, [0, 0, 30, 60, 61, 100, 3600, 9999][below(8) as usize], below(3) as u16);
                Op::Register { phone, call_id, cseq, contacts: (0..count).map(|_| contact()).collect() }
            }
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Op>> {
        let Op::Register { phone, call_id, cseq, contacts } = self.clone() else { return quickcheck::empty_shrinker() };
        Box::new(contacts.shrink().map(move |contacts| Op::Register { phone, call_id, cseq, contacts }))
    }
}

#[derive(Clone, Debug)]
struct Entry {
    call_id: u8,
    cseq: u32,
    q: u16,
    end: Instant,
    refreshed: u64,
}

/// By phone and contact.
#[derive(Default)]
struct Model {
    entries: BTreeMap<(usize, u8), Entry>,
    /// When, in the order of requests.
    clock: u64,
}

impl Model {
    /// The status that is due, after the change that goes with it.
    fn apply(&mut self, op: &Op, now: Now) -> u16 {
        self.entries.retain(|_, entry| entry.end > now.mono);
        self.clock += 1;
        match op {
            Op::Wait(_) | Op::Pass(_) => 0,
            Op::RemoveAll { phone, call_id, cseq } => {
                let own = |(of, _): &(usize, u8)| of == phone;
                if self.entries.iter().any(|(key, e)| own(key) && e.call_id == *call_id && *cseq <= e.cseq) {
                    return 500;
                }
                self.entries.retain(|key, _| !own(key));
                200
            }
            Op::Register { phone, call_id, cseq, contacts } => {
                if contacts.iter().any(|(_, expires, _)| (1..60).contains(expires)) {
                    return 423;
                }
                let mut next = self.entries.clone();
                let last: BTreeMap<u8, (u32, u16)> = contacts.iter().map(|(c, e, q)| (*c, (*e, *q))).collect();
                for (contact, (expires, q)) in last {
                    let key = (*phone, contact);
                    if self.entries.get(&key).is_some_and(|e| e.call_id == *call_id && *cseq <= e.cseq) {
                        return 500;
                    }
                    if expires == 0 {
                        next.remove(&key);
                    } else {
                        let end = now.mono + Duration::from_secs(expires.min(3600).into());
                        let entry = Entry { call_id: *call_id, cseq: *cseq, q, end, refreshed: self.clock };
                        next.insert(key, entry);
                    }
                }
                let is_added = next.keys().any(|key| !self.entries.contains_key(key));
                if is_added && next.keys().filter(|(of, _)| of == phone).count() > 10 {
                    return 503;
                }
                self.entries = next;
                200
            }
        }
    }

    /// Contacts, best first; those of one request in the order of their text.
    fn targets(&self, phone: usize, now: Now) -> Vec<String> {
        let own = self.entries.iter().filter(|((of, _), entry)| *of == phone && entry.end > now.mono);
        let mut own: Vec<_> = own.map(|((_, contact), entry)| (entry, uri(*contact))).collect();
        own.sort_by_key(|(entry, uri)| (Reverse(entry.q), Reverse(entry.refreshed), uri.clone()));
        own.into_iter().map(|(_, uri)| uri).collect()
    }
}

fn uri(contact: u8) -> String {
    format!("sip:c{contact}@h")
}

impl Rig {
    /// The status and everything told.
    fn apply(&mut self, op: &Op) -> (u16, Vec<(BindingRecord, &'static str)>) {
        // Requests do not come in the same microsecond: recency then is the order of requests, as the model has it.
        let next = Duration::from_micros(1);
        self.cx.now = Now { mono: self.cx.now.mono + next, wall: self.cx.now.wall.plus(next) };
        let status = match op {
            Op::Wait(seconds) => {
                self.wait(*seconds);
                0
            }
            Op::Pass(seconds) => {
                self.pass(*seconds);
                0
            }
            Op::RemoveAll { phone, call_id, cseq } => {
                let headers = format!("Call-ID: {call_id}\nCSeq: {cseq} REGISTER\nContact: *\nExpires: 0");
                self.answer(PHONES[*phone], headers.as_bytes()).status
            }
            Op::Register { phone, call_id, cseq, contacts } => {
                let mut headers = format!("Via: SIP/2.0/UDP h\nCall-ID: {call_id}\nCSeq: {cseq} REGISTER\n");
                for (contact, expires, q) in contacts {
                    writeln!(headers, "Contact: <{}>;expires={expires};q=0.{q}", uri(*contact)).unwrap();
                }
                self.answer(PHONES[*phone], headers.as_bytes()).status
            }
        };
        (status, self.events())
    }

    fn found(&self, phone: usize) -> Vec<String> {
        let found = self.registrar.lookup(PHONES[phone].as_bytes(), self.cx.now);
        found.map(|target| String::from_utf8(target.contact.to_vec()).unwrap()).collect()
    }

    /// The state as a snapshot has it.
    fn bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(&(&self.registrar, &self.cx)).unwrap()
    }

    fn reloaded(&self) -> Rig {
        let (registrar, cx) = postcard::from_bytes(&self.bytes()).unwrap();
        Rig { registrar, cx }
    }

    /// Another process, begun now, that has read these records.
    fn restarted(&self, records: impl Iterator<Item = BindingRecord>) -> Rig {
        let now = Now { mono: Instant::from_micros(77), wall: self.cx.now.wall };
        let mut rig = Rig::new();
        rig.cx.now = now;
        for record in records {
            rig.registrar.restore(&mut rig.cx, record);
            rig.check();
        }
        rig
    }

    /// Every current binding, in an order of no meaning.
    fn records(&self) -> Vec<BindingRecord> {
        let (mut records, _) = self.registrar.page(self.cx.now, None, usize::MAX);
        records.retain(|record| record.expires_at > self.cx.now.wall);
        records.sort_by(|a, b| (&a.aor, &a.contact).cmp(&(&b.aor, &b.contact)));
        records
    }
}

/// Ten are there; one REGISTER binds another and ends one. A journal that told of the eleventh first would lose it.
#[test]
fn a_restart_finds_a_contact_that_took_the_place_of_another() {
    let mut rig = Rig::new();
    let register = |cseq, contacts| Op::Register { phone: 1, call_id: 1, cseq, contacts };
    let ten = register(1, (0..10).map(|contact| (contact, 60, 0)).collect());
    let swap = register(2, vec![(10, 60, 0), (0, 0, 0)]);
    let journal: Vec<_> = [ten, swap].iter().flat_map(|op| rig.apply(op).1).map(|(record, _)| record).collect();
    assert_eq!(rig.found(1).len(), 10);
    assert_eq!(rig.restarted(journal.into_iter()).records(), rig.records());
}

quickcheck! {
    fn the_registrar_does_what_the_rules_say(ops: Vec<Op>) -> bool {
        let mut rig = Rig::new();
        let mut model = Model::default();
        for op in &ops {
            let (status, _) = rig.apply(op);
            assert_eq!(status, model.apply(op, rig.cx.now), "{op:?}");
            for phone in 0..PHONES.len() {
                assert_eq!(rig.found(phone), model.targets(phone, rig.cx.now), "{op:?}");
            }
        }
        true
    }

    fn a_snapshot_at_any_step_goes_on_the_same(ops: Vec<Op>) -> bool {
        let mut rig = Rig::new();
        let mut other = Rig::new();
        for op in &ops {
            other = other.reloaded();
            assert_eq!(rig.apply(op), other.apply(op));
            assert_eq!(rig.bytes(), other.bytes());
        }
        true
    }

    fn a_restart_finds_what_there_was(ops: Vec<Op>) -> bool {
        let mut rig = Rig::new();
        let mut journal: Vec<BindingRecord> = Vec::new();
        for op in &ops {
            journal.extend(rig.apply(op).1.into_iter().map(|(record, _)| record));
            let restarted = rig.restarted(journal.iter().cloned());
            assert_eq!(restarted.records(), rig.records());
            assert!((0..PHONES.len()).all(|phone| restarted.found(phone) == rig.found(phone)));
        }
        // What is alive comes back from any order, read any number of times.
        let alive = rig.records();
        let name = |record: &BindingRecord| (record.aor.clone(), record.contact.clone());
        let of_alive = |record: &&BindingRecord| alive.iter().any(|live| name(live) == name(record));
        let backwards = journal.iter().rev().filter(of_alive);
        let again = rig.restarted(backwards.clone().chain(backwards).cloned());
        assert_eq!(again.records(), alive);
        true
    }
}
