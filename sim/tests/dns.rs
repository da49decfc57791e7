//! The resolver against the zone of the simulator, in virtual time: RFC 3263 branch by branch, what is kept and for how
//! long, and nameservers that misbehave.

use crosspoint_core::command::{Carrier, Command, Query};
use crosspoint_core::config::Config;
use crosspoint_core::dns::{Answer, DnsFailure, Name, Resolved, Resolver, TargetSet};
use crosspoint_core::input::{LookupReply, QueryId, Transport};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::timers::TimerKey;
use crosspoint_core::transaction::{Owner, Party};
use crosspoint_core::{Cx, Seed, limits};
use crosspoint_sim::world::{Manner, Zone};
use quickcheck::{QuickCheck, TestResult};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What comes of a query.
type Reply = (QueryId, Option<Vec<u8>>);

/// A resolver, its ground, and the zone that answers it.
struct Desk {
    cx: Cx,
    resolver: Resolver,
    zone: Zone,
    coming: BTreeMap<(Instant, u64), Reply>,
    queries: Vec<Query>,
    done: Vec<Resolved>,
    /// Nameservers that say nothing.
    silent: Vec<SocketAddr>,
    /// What happens to every message on its way back.
    mangle: Box<dyn FnMut(Vec<u8>) -> Vec<u8>>,
    asked_for: u64,
}

impl Desk {
    fn new(listen: &[&str], nameservers: &[&str]) -> Desk {
        let mut text = String::from("[switch]\n");
        if !nameservers.is_empty() {
            text.push_str(&format!("nameservers = {nameservers:?}\n"));
        }
        listen.iter().for_each(|bind| text.push_str(&format!("[[listen]]\nbind = \"{bind}\"\n")));
        let config: Config = crosspoint_core::config::parse(&text).unwrap_or_else(|faults| panic!("{faults}")).config;
        let now = Now { mono: Instant::EPOCH, wall: UnixMicros(1_800_000_000_000_000) };
        Desk {
            cx: Cx::new(Arc::new(config), Seed::from_number(1), now),
            resolver: Resolver::new((1, 2)),
            zone: Zone::default(),
            coming: BTreeMap::new(),
            queries: Vec::new(),
            done: Vec::new(),
            silent: Vec::new(),
            mangle: Box::new(|message| message),
            asked_for: 0,
        }
    }

    /// One IPv4 socket, one nameserver.
    fn v4() -> Desk {
        Desk::new(&["192.0.2.10:5060"], &["192.0.2.53"])
    }

    /// Asks on behalf of a new owner.
    fn ask(&mut self, name: &Name) -> Option<Answer> {
        self.asked_for += 1;
        let owner = Owner { party: Party::Call, id: self.asked_for, role: 0 };
        let answer = self.resolver.resolve(&mut self.cx, name, owner);
        self.drain();
        answer
    }

    /// Asks, and waits for the answer.
    fn find(&mut self, name: &Name) -> Answer {
        if let Some(answer) = self.ask(name) {
            return answer;
        }
        let before = self.done.len();
        let end = self.cx.now.mono + Duration::from_secs(limits::DNS_LOOKUP_S.into());
        while self.done.len() == before && self.step(end) {}
        assert_eq!(self.done.len(), before + 1, "one answer in time");
        assert_eq!(self.done[before].owner.id, self.asked_for);
        self.done[before].answer.clone()
    }

    /// The targets, in words.
    fn targets(&mut self, host: &str) -> Vec<String> {
        texts(&self.find(&Name::host(host)).unwrap_or_else(|failure| panic!("{host}: {failure:?}")))
    }

    fn failure(&mut self, host: &str) -> DnsFailure {
        self.find(&Name::host(host)).expect_err(host)
    }

    /// Lets so much time go by.
    fn pass(&mut self, seconds: u64) {
        let end = self.cx.now.mono + Duration::from_secs(seconds);
        while self.step(end) {}
        self.cx.now.mono = end;
    }

    /// The next thing that happens, if it does before `end`.
    fn step(&mut self, end: Instant) -> bool {
        let reply = self.coming.keys().next().map(|(at, _)| *at);
        let timer = self.cx.timers.next().map(|deadline| deadline.at);
        let Some(next) = reply.into_iter().chain(timer).min().filter(|next| *next <= end) else { return false };
        self.cx.now.mono = self.cx.now.mono.max(next);
        let done = match self.cx.timers.pop_due(next) {
            Some((_, TimerKey::Dns(bits, timer))) => self.resolver.fire(&mut self.cx, bits, timer),
            Some((_, key)) => panic!("{key:?} is no timer of the resolver"),
            None => {
                let (_, (query, message)) = self.coming.pop_first().expect("it is due");
                self.resolver.on_reply(&mut self.cx, LookupReply { query, message: message.as_deref() })
            }
        };
        assert!(done.len() <= limits::DNS_STEPS, "bounded work");
        self.done.extend(done);
        self.drain();
        assert_eq!(self.resolver.timers(), self.cx.timers.len(), "every timer has an owner");
        true
    }

    fn drain(&mut self) {
        while let Some(command) = self.cx.next_command() {
            let Command::Lookup(query) = command else { panic!("{command:?}") };
            if !self.silent.contains(&query.server)
                && let Some(message) = self.zone.answer(&query.bytes, query.carrier)
            {
                let message = message.map(&mut self.mangle);
                let at = self.cx.now.mono + self.zone.delay;
                self.coming.insert((at, query.id.0), (query.id, message));
            }
            self.queries.push(query);
        }
    }

    /// What was asked since the last time.
    fn asked(&mut self) -> Vec<String> {
        self.queries.clear();
        self.zone.take_asked()
    }
}

fn texts(set: &TargetSet) -> Vec<String> {
    set.targets.iter().map(|target| target.remote.to_string()).collect()
}

#[test]
fn a_literal_address_never_asks() {
    let mut desk = Desk::v4();
    for (host, port, target) in [
        ("192.0.2.7", None, "192.0.2.7:5060"),
        ("192.0.2.7", Some(5070), "192.0.2.7:5070"),
        ("::ffff:192.0.2.7", None, "192.0.2.7:5060"),
    ] {
        let answer = desk.ask(&Name { port, ..Name::host(host) }).expect("at once");
        assert_eq!(texts(&answer.expect("it leads there")), [target]);
    }
    assert_eq!(desk.ask(&Name::host("[2001:db8::7]")), Some(Err(DnsFailure::NoSocket)));
    assert_eq!((desk.queries.len(), desk.cx.timers.len()), (0, 0));
}

#[test]
fn a_port_means_address_records_alone() {
    let mut desk = Desk::v4();
    desk.zone.set("gw.example", &["A 192.0.2.7", "A 192.0.2.8"]);
    desk.zone.set("_sip._udp.gw.example", &["SRV 0 0 5099 other.example"]);
    let name = Name { port: Some(5070), ..Name::host("GW.example.") };
    assert_eq!(texts(&desk.find(&name).unwrap()), ["192.0.2.7:5070", "192.0.2.8:5070"]);
    assert_eq!(desk.asked(), ["A gw.example"]);
}

#[test]
fn naptr_leads_to_srv_leads_to_addresses() {
    let mut desk = Desk::v4();
    desk.zone.set(
        "example.net",
        &[
            "NAPTR 10 50 s SIPS+D2T _sips._tcp.example.net",
            "NAPTR 20 60 s SIP+D2U second.example.net",
            "NAPTR 20 50 S sip+d2u first.example.net",
            "NAPTR 30 50 s SIP+D2U never.example.net",
            "NAPTR 20 10 u SIP+D2U no.example.net",
        ],
    );
    desk.zone.set("first.example.net", &["SRV 2 0 5072 b.example.net", "SRV 1 0 5071 a.example.net"]);
    desk.zone.set("second.example.net", &["SRV 0 0 5073 c.example.net"]);
    for (host, address) in [("a", "A 192.0.2.1"), ("b", "A 192.0.2.2"), ("c", "A 192.0.2.3")] {
        desk.zone.set(&format!("{host}.example.net"), &[address]);
    }
    assert_eq!(desk.targets("example.net"), ["192.0.2.1:5071", "192.0.2.2:5072", "192.0.2.3:5073"]);
    assert_eq!(
        desk.asked(),
        [
            "NAPTR example.net",
            "SRV first.example.net",
            "SRV second.example.net",
            "A a.example.net",
            "A b.example.net",
            "A c.example.net"
        ]
    );
}

#[test]
fn without_naptr_srv_is_asked_and_without_srv_the_host() {
    let mut desk = Desk::v4();
    desk.zone.set("_sip._udp.example.net", &["SRV 0 0 5070 a.example.net"]);
    desk.zone.set("a.example.net", &["A 192.0.2.1"]);
    assert_eq!(desk.targets("example.net"), ["192.0.2.1:5070"]);
    assert_eq!(desk.asked(), ["NAPTR example.net", "SRV _sip._udp.example.net", "A a.example.net"]);
    assert_eq!(desk.targets("a.example.net"), ["192.0.2.1:5060"]);
    assert_eq!(desk.asked(), ["NAPTR a.example.net", "SRV _sip._udp.a.example.net"], "the address is known");
}

#[test]
fn naptr_for_transports_that_we_lack_counts_as_none() {
    let mut desk = Desk::v4();
    desk.zone.set("example.net", &["NAPTR 10 50 s SIP+D2T _sip._tcp.example.net", "A 192.0.2.1"]);
    assert_eq!(desk.targets("example.net"), ["192.0.2.1:5060"]);
    assert_eq!(desk.asked(), ["NAPTR example.net", "SRV _sip._udp.example.net", "A example.net"]);
}

#[test]
fn a_transport_means_no_naptr() {
    let mut desk = Desk::v4();
    desk.zone.set("_sip._udp.example.net", &["SRV 0 0 5070 a.example.net"]);
    desk.zone.set("a.example.net", &["A 192.0.2.1"]);
    let name = Name { transport: Some(Transport::Udp), ..Name::host("example.net") };
    assert_eq!(texts(&desk.find(&name).unwrap()), ["192.0.2.1:5070"]);
    assert_eq!(desk.asked(), ["SRV _sip._udp.example.net", "A a.example.net"]);
}

#[test]
fn a_service_that_is_not_offered_is_not_looked_for_at_the_host() {
    let mut desk = Desk::v4();
    desk.zone.set("_sip._udp.example.net", &["SRV 0 0 0 ."]);
    desk.zone.set("example.net", &["A 192.0.2.1"]);
    assert_eq!(desk.failure("example.net"), DnsFailure::NotOffered);
    assert_eq!(desk.asked(), ["NAPTR example.net", "SRV _sip._udp.example.net"]);
}

#[test]
fn the_families_of_our_sockets_are_asked_in_their_order() {
    let records = ["A 192.0.2.1", "AAAA 2001:db8::1"];
    for (listen, targets) in [
        (&["[2001:db8::10]:5060", "192.0.2.10:5060"][..], &["[2001:db8::1]:5060", "192.0.2.1:5060"][..]),
        (&["192.0.2.10:5060", "[2001:db8::10]:5060", "192.0.2.11:5060"], &["192.0.2.1:5060", "[2001:db8::1]:5060"]),
        (&["[2001:db8::10]:5060"], &["[2001:db8::1]:5060"]),
    ] {
        let mut desk = Desk::new(listen, &["192.0.2.53"]);
        desk.zone.set("example.net", &records);
        assert_eq!(desk.targets("example.net"), targets);
    }
    let mut desk = Desk::v4();
    desk.zone.set("example.net", &["AAAA 2001:db8::1"]);
    assert_eq!(desk.failure("example.net"), DnsFailure::NoRecords);
}

#[test]
fn aliases_are_followed_but_not_for_ever() {
    let mut desk = Desk::v4();
    desk.zone.set("a.example", &["CNAME b.example"]);
    desk.zone.set("b.example", &["CNAME c.example"]);
    desk.zone.set("c.example", &["A 192.0.2.1"]);
    assert_eq!(desk.targets("a.example"), ["192.0.2.1:5060"]);
    desk.zone.set("x.example", &["CNAME y.example"]);
    desk.zone.set("y.example", &["CNAME x.example"]);
    assert_eq!(desk.failure("x.example"), DnsFailure::TooDeep);
}

#[test]
fn answers_are_kept_for_their_time_and_within_bounds() {
    let mut desk = Desk::v4();
    let port = |host: &str| Name { port: Some(5060), ..Name::host(host) };
    for (host, ttl_s, kept_s) in
        [("minute.example", 60, 60), ("never.example", 0, limits::DNS_TTL_MIN_S), ("ever.example", u32::MAX >> 1, 3600)]
    {
        desk.zone.ttl_s = ttl_s;
        desk.zone.set(host, &["A 192.0.2.1"]);
        let set = desk.find(&port(host)).unwrap();
        assert_eq!(set.until, desk.cx.now.mono + Duration::from_secs(kept_s.into()), "{host}");
        desk.asked();
        desk.pass(u64::from(kept_s) - 1);
        assert!(desk.ask(&port(host)).is_some(), "{host} is known");
        desk.pass(1);
        assert!(desk.ask(&port(host)).is_none(), "{host} is asked again");
        desk.pass(1);
        assert_eq!(desk.asked().len(), 1);
    }
}

#[test]
fn that_there_is_nothing_is_kept_as_long_as_the_zone_says() {
    let mut desk = Desk::v4();
    desk.zone.set("here.example", &["AAAA 2001:db8::1"]);
    for (host, failure) in [("gone.example", DnsFailure::NxDomain), ("here.example", DnsFailure::NoRecords)] {
        for (ttl_s, kept_s) in [(30, 30), (86_400, 300), (1, 10)] {
            desk.zone.negative_ttl_s = ttl_s;
            let name = Name { port: Some(5060), ..Name::host(host) };
            assert_eq!(desk.find(&name), Err(failure));
            desk.pass(kept_s - 1);
            assert_eq!(desk.ask(&name), Some(Err(failure)), "{host} with {ttl_s} s is known");
            desk.pass(1);
            assert_eq!(desk.ask(&name), None, "{host} with {ttl_s} s is asked again");
            desk.pass(400);
        }
    }
}

#[test]
fn askers_of_one_name_share_its_questions() {
    let mut desk = Desk::v4();
    desk.zone.set("_sip._udp.example.net", &["SRV 0 0 5070 a.example.net"]);
    desk.zone.set("a.example.net", &["A 192.0.2.1"]);
    let asked = (0..100).filter(|_| desk.ask(&Name::host("example.net")).is_none()).count();
    assert_eq!((asked, desk.resolver.pending()), (100, 100));
    desk.pass(1);
    assert_eq!(desk.asked().len(), 3);
    let mut owners: Vec<u64> = desk.done.iter().map(|resolved| resolved.owner.id).collect();
    owners.sort_unstable();
    assert_eq!(owners, (1..=100).collect::<Vec<_>>(), "each one, once");
    assert!(desk.done.iter().all(|resolved| resolved.answer.is_ok()));
    assert_eq!((desk.resolver.pending(), desk.cx.timers.len()), (0, 0));
}

#[test]
fn a_silent_nameserver_is_asked_twice_and_ends_the_lookup() {
    let mut desk = Desk::v4();
    desk.zone.behave("example.net", Manner::Silent);
    assert_eq!(desk.failure("example.net"), DnsFailure::Timeout);
    assert_eq!(desk.cx.now.mono, Instant::from_micros(4_000_000));
    assert_eq!(desk.asked(), ["NAPTR example.net", "NAPTR example.net"]);
    assert_eq!(desk.ask(&Name::host("example.net")), Some(Err(DnsFailure::Timeout)), "the next caller need not wait");
    desk.pass(10);
    assert_eq!(desk.ask(&Name::host("example.net")), None, "but not for ever");
}

#[test]
fn one_silent_host_of_a_set_does_not_cost_the_others() {
    let mut desk = Desk::v4();
    desk.zone.set("_sip._udp.example.net", &["SRV 1 0 5070 a.example.net", "SRV 2 0 5070 b.example.net"]);
    desk.zone.behave("a.example.net", Manner::Silent);
    desk.zone.set("b.example.net", &["A 192.0.2.2"]);
    assert_eq!(desk.targets("example.net"), ["192.0.2.2:5070"]);
}

#[test]
fn the_next_nameserver_is_asked_where_one_is_silent_fails_or_is_unreachable() {
    let servers = ["192.0.2.53", "192.0.2.54:5353", "2001:db8::53"];
    let mut desk = Desk::new(&["192.0.2.10:5060"], &servers);
    desk.zone.set("example.net", &["A 192.0.2.1"]);
    desk.silent = vec!["192.0.2.53:53".parse().unwrap()];
    let name = Name { port: Some(5060), ..Name::host("example.net") };
    assert!(desk.find(&name).is_ok());
    let asked: Vec<String> = desk.queries.iter().map(|query| query.server.to_string()).collect();
    assert_eq!(asked, ["192.0.2.53:53", "192.0.2.54:5353"]);
    for (manner, within_ms) in [(Manner::Fails, 100), (Manner::Unreachable, 100), (Manner::Silent, 6001)] {
        let mut desk = Desk::new(&["192.0.2.10:5060"], &servers);
        desk.zone.behave("example.net", manner);
        let failure = if manner == Manner::Silent { DnsFailure::Timeout } else { DnsFailure::ServerFailure };
        assert_eq!(desk.find(&name), Err(failure));
        assert_eq!(desk.asked().len(), 3, "{manner:?}: each server once");
        assert!(desk.cx.now.mono < Instant::from_micros(within_ms * 1000), "{manner:?}");
    }
}

#[test]
fn a_nameserver_that_cannot_naptr_does_not_end_the_lookup() {
    let mut desk = Desk::v4();
    desk.zone.behave("example.net", Manner::Fails);
    desk.zone.set("_sip._udp.example.net", &["SRV 0 0 5070 a.example.net"]);
    desk.zone.set("a.example.net", &["A 192.0.2.1"]);
    assert_eq!(desk.targets("example.net"), ["192.0.2.1:5070"]);
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp() {
    let mut desk = Desk::v4();
    desk.zone.set("example.net", &["A 192.0.2.1"]);
    desk.zone.behave("example.net", Manner::Truncates);
    let name = Name { port: Some(5060), ..Name::host("example.net") };
    assert!(desk.find(&name).is_ok());
    let carriers: Vec<Carrier> = desk.queries.iter().map(|query| query.carrier).collect();
    assert_eq!(carriers, [Carrier::Udp, Carrier::Tcp]);
    assert_ne!(desk.queries[0].bytes[..2], desk.queries[1].bytes[..2], "each try has an id of its own");
}

#[test]
fn an_answer_to_something_else_is_none() {
    let mut desk = Desk::v4();
    desk.zone.set("example.net", &["A 192.0.2.1"]);
    let name = Name { port: Some(5060), ..Name::host("example.net") };
    // RFC 5452 §9.1: the id, then the question
    for octet in [0, 1, 13] {
        desk.mangle = Box::new(move |mut message| {
            message[octet] ^= 1;
            message
        });
        assert_eq!(desk.find(&name), Err(DnsFailure::Timeout));
        desk.pass(20);
    }
    assert_eq!(desk.cx.counters.dns_foreign, 6);
}

#[test]
fn an_answer_that_cannot_be_read_is_a_failure() {
    let mut desk = Desk::v4();
    desk.zone.set("example.net", &["A 192.0.2.1"]);
    desk.mangle = Box::new(|mut message| {
        message.truncate(message.len() - 3);
        message
    });
    let name = Name { port: Some(5060), ..Name::host("example.net") };
    assert_eq!(desk.find(&name), Err(DnsFailure::Malformed));
}

#[test]
fn a_server_that_knows_no_edns_is_asked_without() {
    let mut desk = Desk::v4();
    desk.zone.set("example.net", &["A 192.0.2.1"]);
    let mut answers = 0;
    desk.mangle = Box::new(move |mut message| {
        answers += 1;
        if answers == 1 {
            message[3] |= 1; // FORMERR
        }
        message
    });
    let name = Name { port: Some(5060), ..Name::host("example.net") };
    assert!(desk.find(&name).is_ok());
    let additional: Vec<u8> = desk.queries.iter().map(|query| query.bytes[11]).collect();
    assert_eq!(additional, [1, 0], "one OPT record, then none");
}

#[test]
fn no_lookup_lasts_longer_than_the_limit() {
    let mut desk = Desk::new(&["192.0.2.10:5060"], &["192.0.2.53", "192.0.2.54", "192.0.2.55"]);
    desk.zone.delay = Duration::from_millis(1900);
    desk.zone.set("_sip._udp.example.net", &["SRV 0 0 5060 a.example.net"]);
    desk.zone.behave("a.example.net", Manner::Silent);
    assert_eq!(desk.find(&Name::host("example.net")), Err(DnsFailure::Timeout));
    assert_eq!(
        desk.cx.now.mono,
        Instant::from_micros(8_000_000),
        "two slow answers, and three servers' silence cut short"
    );
    desk.pass(2);
    assert_eq!((desk.done.len(), desk.cx.timers.len()), (1, 0), "the question ends by itself");
}

#[test]
fn without_a_nameserver_or_a_name_there_is_no_waiting() {
    let mut desk = Desk::new(&["192.0.2.10:5060"], &[]);
    assert_eq!(desk.ask(&Name::host("example.net")), Some(Err(DnsFailure::NoNameserver)));
    for host in ["", "a b", "..", "192.0.2.256", &"a.".repeat(128)] {
        assert_eq!(Desk::v4().ask(&Name::host(host)), Some(Err(DnsFailure::BadName)), "{host}");
    }
    let too_long_for_srv = "a.".repeat(124);
    assert_eq!(Desk::v4().find(&Name::host(&too_long_for_srv)), Err(DnsFailure::BadName));
}

#[test]
fn more_questions_than_fit_are_refused_with_a_reason() {
    let mut desk = Desk::v4();
    desk.zone.delay = Duration::from_secs(1);
    let name = |i: usize| Name { port: Some(5060), ..Name::host(&format!("h{i}.example")) };
    for i in 0..limits::DNS_QUESTIONS {
        assert_eq!(desk.ask(&name(i)), None);
    }
    assert_eq!(desk.ask(&name(limits::DNS_QUESTIONS)), Some(Err(DnsFailure::Overload)));
    assert_eq!(desk.ask(&name(0)), None, "what is asked already has room");
    desk.pass(2);
    assert_eq!(desk.done.len(), limits::DNS_QUESTIONS + 1);
    assert_eq!((desk.resolver.pending(), desk.cx.timers.len()), (0, 0));
}

#[test]
fn weights_share_the_askers() {
    let mut desk = Desk::v4();
    desk.zone.set("_sip._udp.example.net", &["SRV 1 75 5060 a.example.net", "SRV 1 25 5060 b.example.net"]);
    desk.zone.set("a.example.net", &["A 192.0.2.1"]);
    desk.zone.set("b.example.net", &["A 192.0.2.2"]);
    let first = (0..1000).filter(|_| desk.targets("example.net")[0] == "192.0.2.1:5060").count();
    assert!((700..800).contains(&first), "{first}");
}

/// Whatever nameservers send: no panic, one answer to each asker in time, and nothing left.
#[test]
fn nameservers_may_say_anything() {
    fn holds(junk: Vec<Vec<u8>>, flips: Vec<(u16, u8)>) -> TestResult {
        let mut desk = Desk::v4();
        desk.zone.set("example.net", &["NAPTR 1 1 s SIP+D2U first.example.net", "CNAME first.example.net"]);
        desk.zone.set("first.example.net", &["SRV 1 2 5060 a.example.net", "SRV 0 0 0 .", "A 192.0.2.1"]);
        desk.zone.set("a.example.net", &["A 192.0.2.1", "AAAA 2001:db8::1"]);
        let mut turn = 0;
        desk.mangle = Box::new(move |mut message| {
            turn += 1;
            for (at, xor) in flips.iter().skip(turn % 3).step_by(3) {
                let at = usize::from(*at) % message.len();
                // the id stays, so that what follows is read
                if at >= 2 {
                    message[at] ^= xor;
                }
            }
            match junk.get(turn) {
                Some(junk) => [&message[..message.len().min(2 + junk.len())], junk].concat(),
                None => message,
            }
        });
        let hosts = ["example.net", "a.example.net", "gone.example.net"];
        let waiting = hosts.iter().filter(|host| desk.ask(&Name::host(host)).is_none()).count();
        desk.pass(limits::DNS_LOOKUP_S.into());
        if desk.done.len() != waiting || desk.resolver.pending() != 0 {
            return TestResult::error(format!("{waiting} waited, {:?}", desk.done));
        }
        desk.pass(limits::DNS_LOOKUP_S.into());
        TestResult::from_bool(desk.cx.timers.is_empty())
    }
    QuickCheck::new().tests(500).quickcheck(holds as fn(Vec<Vec<u8>>, Vec<(u16, u8)>) -> TestResult);
}
