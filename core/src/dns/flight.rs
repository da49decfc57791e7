//! One question on its way: which nameserver is asked, how, how often.
//!
//! Each try has a random id of its own, and the driver gives it a port of its own, so that nobody off the path can answer
//! in the nameserver's place (RFC 5452 §9.2).

use super::message;
use super::records::Question;
use super::resolver::LookupId;
use super::{DnsFailure, message::Reading};
use crate::command::{Carrier, Query};
use crate::cx::Cx;
use crate::input::QueryId;
use crate::limits;
use crate::timers::{DnsTimer, TimerId, TimerKey};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A question on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Flight {
    pub(super) question: Question,
    /// The lookups that miss the answer.
    pub(super) waiting: Vec<LookupId>,
    /// The try under way.
    pub(super) query: QueryId,
    pub(super) timer: Option<TimerId>,
    id: u16,
    carrier: Carrier,
    with_edns: bool,
    /// Servers tried before this one, those tried again included.
    servers_before: usize,
    tries: u8,
}

/// How a question goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Onward {
    /// It waits for the try under way.
    Waits,
    /// It was sent out again, as this query.
    Asks(QueryId),
    /// There will be no answer.
    Ends(DnsFailure),
}

impl Flight {
    pub(super) fn new(question: Question, waiting: LookupId) -> Flight {
        Flight {
            question,
            waiting: vec![waiting],
            query: QueryId(0),
            timer: None,
            id: 0,
            carrier: Carrier::Udp,
            with_edns: true,
            servers_before: 0,
            tries: 0,
        }
    }

    /// Sends the question out. `bits` is the flight's handle, `query` a number never used before.
    pub(super) fn ask(&mut self, cx: &mut Cx, bits: u64, query: QueryId) -> Result<(), DnsFailure> {
        let servers = &cx.config.nameservers;
        let server = servers.get(self.servers_before % servers.len().max(1)).ok_or(DnsFailure::NoNameserver)?;
        let server = *server;
        self.id = cx.rng.dns.next_u64() as u16;
        let bytes = message::query(self.id, &self.question, self.with_edns).ok_or(DnsFailure::BadName)?;
        self.query = query;
        self.tries += 1;
        let until = cx.now.mono + Duration::from_secs(limits::DNS_ANSWER_S.into());
        cx.timers.cancel(&mut self.timer);
        self.timer = Some(cx.timers.arm(until, TimerKey::Dns(bits, DnsTimer::Answer)));
        cx.lookup(Query { id: query, server, carrier: self.carrier, until, bytes });
        Ok(())
    }

    /// Reads what came for the try under way.
    pub(super) fn read(&self, bytes: &[u8]) -> Reading {
        message::read(bytes, self.id, &self.question)
    }

    /// Over TCP to the same server: the answer is too long for UDP (RFC 7766 §5).
    pub(super) fn try_tcp(&mut self, cx: &mut Cx, bits: u64, query: QueryId) -> Onward {
        if self.carrier == Carrier::Tcp {
            return self.try_next(cx, bits, query, DnsFailure::Malformed);
        }
        self.carrier = Carrier::Tcp;
        self.again(cx, bits, query, DnsFailure::Malformed)
    }

    /// Without EDNS to the same server (RFC 6891 §7).
    pub(super) fn try_plain(&mut self, cx: &mut Cx, bits: u64, query: QueryId) -> Onward {
        if !self.with_edns {
            return self.try_next(cx, bits, query, DnsFailure::ServerFailure);
        }
        self.with_edns = false;
        self.again(cx, bits, query, DnsFailure::ServerFailure)
    }

    /// The next server's turn. A silent one gets a second chance where it is the only one: its answer may have been lost.
    pub(super) fn try_next(&mut self, cx: &mut Cx, bits: u64, query: QueryId, failure: DnsFailure) -> Onward {
        let servers = cx.config.nameservers.len();
        let turns = if failure == DnsFailure::Timeout { servers.max(2) } else { servers };
        self.servers_before += 1;
        if self.servers_before >= turns {
            return Onward::Ends(failure);
        }
        self.carrier = Carrier::Udp;
        self.with_edns = true;
        self.again(cx, bits, query, failure)
    }

    fn again(&mut self, cx: &mut Cx, bits: u64, query: QueryId, failure: DnsFailure) -> Onward {
        if self.tries >= limits::DNS_TRIES {
            return Onward::Ends(failure);
        }
        match self.ask(cx, bits, query) {
            Ok(()) => Onward::Asks(query),
            Err(failure) => Onward::Ends(failure),
        }
    }
}
