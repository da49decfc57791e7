//! The lookups under way, and the questions that they wait for.

use super::answer::{Answer, DnsFailure, Resolved, TargetSet};
use super::cache::Cache;
use super::flight::{Flight, Onward};
use super::locate::{Step, families, locate};
use super::message::Reading;
use super::name::Name;
use super::order::{Target, order};
use super::records::{Found, Question};
use crate::cx::Cx;
use crate::handle::{Handle, Slab, Table};
use crate::input::{LookupReply, QueryId};
use crate::limits;
use crate::time::Instant;
use crate::timers::{DnsTimer, TimerId, TimerKey};
use crate::transaction::Owner;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

pub(super) type LookupId = Handle<Lookup>;
type FlightId = Handle<Flight>;

/// A name that somebody waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lookup {
    name: Name,
    owner: Owner,
    timer: Option<TimerId>,
}

/// Finds the servers behind names. Each asker gets exactly one answer, within [`limits::DNS_LOOKUP_S`] seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resolver {
    cache: Cache,
    lookups: Slab<Lookup>,
    flights: Slab<Flight>,
    by_question: Table<Question, FlightId>,
    by_query: Table<u64, FlightId>,
    next_query: u64,
    /// Lookups that can go on: an answer that they waited for is there.
    ready: VecDeque<LookupId>,
    /// Armed while some are ready.
    ready_timer: Option<TimerId>,
}

impl Resolver {
    /// A resolver that knows nothing yet. `key` is [`crate::rng::table_key`] of the seed.
    pub fn new(key: (u64, u64)) -> Resolver {
        Resolver {
            cache: Cache::new(key),
            lookups: Slab::default(),
            flights: Slab::default(),
            by_question: Table::new(key),
            by_query: Table::new(key),
            next_query: 1,
            ready: VecDeque::new(),
            ready_timer: None,
        }
    }

    /// How many lookups are under way.
    pub fn pending(&self) -> usize {
        self.lookups.len()
    }

    /// How many answers of nameservers are kept.
    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    /// Timers that lookups and questions have armed; an oracle compares the sum of all owners with what is armed.
    pub fn timers(&self) -> usize {
        let lookups = self.lookups.iter().filter(|(_, lookup)| lookup.timer.is_some()).count();
        let flights = self.flights.iter().filter(|(_, flight)| flight.timer.is_some()).count();
        lookups + flights + usize::from(self.ready_timer.is_some())
    }

    /// Where this name leads. `None` where nameservers have to be asked: then the answer comes once, as a [`Resolved`] of
    /// this owner, from [`Resolver::on_reply`] or [`Resolver::fire`]. An owner that has gone meanwhile ignores it.
    pub fn resolve(&mut self, cx: &mut Cx, name: &Name, owner: Owner) -> Option<Answer> {
        if let Some(remote) = name.literal() {
            let flow = cx.config.flow_to(remote).ok_or(DnsFailure::NoSocket);
            return Some(flow.map(|flow| TargetSet { targets: vec![flow], until: Instant::FAR_FUTURE }));
        }
        let questions = match self.step(cx, name) {
            Ok(answer) => return Some(answer),
            Err(questions) => questions,
        };
        if self.lookups.len() >= limits::DNS_LOOKUPS {
            return Some(Err(DnsFailure::Overload));
        }
        let id = self.lookups.insert(Lookup { name: name.clone(), owner, timer: None });
        if let Err(failure) = self.ask(cx, id, questions) {
            self.lookups.remove(id);
            return Some(Err(failure));
        }
        let at = cx.now.mono + Duration::from_secs(limits::DNS_LOOKUP_S.into());
        let timer = cx.timers.arm(at, TimerKey::Dns(id.to_bits(), DnsTimer::Lookup));
        self.lookups.get_mut(id).expect("inserted above").timer = Some(timer);
        None
    }

    /// A nameserver's answer has come, or word that there will be none. At most [`limits::DNS_STEPS`] lookups go on at once.
    pub fn on_reply(&mut self, cx: &mut Cx, reply: LookupReply<'_>) -> Vec<Resolved> {
        let Some(&flight_id) = self.by_query.get(&reply.query.0) else { return Vec::new() };
        let query = self.next_query();
        let flight = self.flights.get_mut(flight_id).expect("a query that is kept is of a flight that is kept");
        let bits = flight_id.to_bits();
        let reading = reply.message.map_or(Reading::Failed(DnsFailure::ServerFailure), |bytes| flight.read(bytes));
        let onward = match reading {
            Reading::Foreign => {
                cx.counters.dns_foreign += 1;
                Onward::Waits
            }
            Reading::Truncated => flight.try_tcp(cx, bits, query),
            Reading::NotUnderstood => flight.try_plain(cx, bits, query),
            Reading::Failed(failure) => flight.try_next(cx, bits, query, failure),
            Reading::Answer { found, ttl_s, extra } => {
                for (question, found, ttl_s) in extra {
                    if self.cache.get(cx.now.mono, &question).is_none() {
                        self.cache.insert(cx.now.mono, question, found, ttl_s);
                    }
                }
                self.settle(cx, flight_id, found, ttl_s);
                return self.go_on(cx);
            }
        };
        self.onward(cx, flight_id, reply.query, onward);
        self.go_on(cx)
    }

    /// A timer is due.
    ///
    /// # Panics
    /// On [`DnsTimer::Peers`], which is not the resolver's.
    pub fn fire(&mut self, cx: &mut Cx, bits: u64, timer: DnsTimer) -> Vec<Resolved> {
        match timer {
            DnsTimer::Answer => self.on_silence(cx, Handle::from_bits(bits)),
            DnsTimer::Lookup => {
                let lookup = self.lookups.remove(Handle::from_bits(bits));
                return lookup.map(|lookup| resolved(&lookup, Err(DnsFailure::Timeout))).into_iter().collect();
            }
            DnsTimer::Ready => self.ready_timer = None,
            DnsTimer::Peers => panic!("the timer of the peers is theirs"),
        }
        self.go_on(cx)
    }

    fn on_silence(&mut self, cx: &mut Cx, id: FlightId) {
        let query = self.next_query();
        let Some(flight) = self.flights.get_mut(id) else { return };
        flight.timer = None;
        let silent = flight.query;
        let onward = flight.try_next(cx, id.to_bits(), query, DnsFailure::Timeout);
        self.onward(cx, id, silent, onward);
    }

    /// Where the name leads by what is known, or what is to be asked.
    fn step(&self, cx: &mut Cx, name: &Name) -> Result<Answer, Vec<Question>> {
        match locate(&self.cache, cx.now.mono, &families(&cx.config), name) {
            Step::Ask(questions) => Err(questions),
            Step::Failed(failure) => Ok(Err(failure)),
            Step::Found(sets, until) => {
                let mut targets = Vec::new();
                for choice in sets.into_iter().flat_map(|set| order(set, &mut cx.rng.dns)) {
                    for Target { remote, transport } in choice.targets {
                        let flow = cx.config.flow_to(remote).filter(|flow| flow.transport == transport);
                        let flow = flow.filter(|flow| targets.len() < limits::DNS_TARGETS && !targets.contains(flow));
                        targets.extend(flow);
                    }
                }
                Ok(if targets.is_empty() { Err(DnsFailure::NoSocket) } else { Ok(TargetSet { targets, until }) })
            }
        }
    }

    /// Has this lookup wait for these questions: one flight for each, whoever else waits for it.
    fn ask(&mut self, cx: &mut Cx, lookup: LookupId, questions: Vec<Question>) -> Result<(), DnsFailure> {
        for question in questions {
            if let Some(&id) = self.by_question.get(&question) {
                self.flights
                    .get_mut(id)
                    .expect("a question that is kept is of a flight that is kept")
                    .waiting
                    .push(lookup);
                continue;
            }
            if self.flights.len() >= limits::DNS_QUESTIONS {
                return Err(DnsFailure::Overload);
            }
            let query = self.next_query();
            let id = self.flights.insert(Flight::new(question.clone(), lookup));
            let flight = self.flights.get_mut(id).expect("inserted above");
            if let Err(failure) = flight.ask(cx, id.to_bits(), query) {
                self.flights.remove(id);
                return Err(failure);
            }
            self.by_query.insert(query.0, id);
            self.by_question.insert(question, id);
        }
        Ok(())
    }

    /// Follows what a flight decided after the query `done`.
    fn onward(&mut self, cx: &mut Cx, id: FlightId, done: QueryId, onward: Onward) {
        match onward {
            Onward::Waits => {}
            Onward::Asks(query) => {
                self.by_query.remove(&done.0);
                self.by_query.insert(query.0, id);
            }
            // for the shortest time, so that a dead nameserver holds up one call and not each
            Onward::Ends(failure) => self.settle(cx, id, Found::Nothing(failure), 0),
        }
    }

    /// The question is answered: who waited for it can go on.
    fn settle(&mut self, cx: &mut Cx, id: FlightId, found: Found, ttl_s: u32) {
        let mut flight = self.flights.remove(id).expect("looked up by the caller");
        cx.timers.cancel(&mut flight.timer);
        self.by_query.remove(&flight.query.0);
        self.by_question.remove(&flight.question);
        self.cache.insert(cx.now.mono, flight.question, found, ttl_s);
        self.ready.extend(flight.waiting);
    }

    /// Takes the next lookups that can go on a step further.
    fn go_on(&mut self, cx: &mut Cx) -> Vec<Resolved> {
        let mut done = Vec::new();
        for _ in 0..limits::DNS_STEPS {
            let Some(id) = self.ready.pop_front() else { break };
            // it may have waited for two answers and been done after the first, or have run out of time
            let Some(lookup) = self.lookups.get(id) else { continue };
            let name = lookup.name.clone();
            let asked = match self.step(cx, &name) {
                Ok(answer) => Err(answer),
                Err(questions) => self.ask(cx, id, questions).map_err(Err),
            };
            if let Err(answer) = asked {
                let mut lookup = self.lookups.remove(id).expect("looked up above");
                cx.timers.cancel(&mut lookup.timer);
                done.push(resolved(&lookup, answer));
            }
        }
        if !self.ready.is_empty() && self.ready_timer.is_none() {
            self.ready_timer = Some(cx.timers.arm(cx.now.mono, TimerKey::Dns(0, DnsTimer::Ready)));
        }
        done
    }

    fn next_query(&mut self) -> QueryId {
        self.next_query += 1;
        QueryId(self.next_query)
    }
}

fn resolved(lookup: &Lookup, answer: Answer) -> Resolved {
    Resolved { owner: lookup.owner, answer }
}
