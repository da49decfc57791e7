//! A switch with phones and a capture of everything between them, and what holds for every call through it.

use crate::phone::{Answer, Make, Phone};
use crosspoint_tests::capture::{Capture, Trace};
use crosspoint_tests::switch::Switch;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// How long speech may take to flow.
const PATIENCE: Duration = Duration::from_secs(10);

/// RTP packets in each direction that count as talking: a fifth of a second.
const TALKING: usize = 10;

/// Challenges, and the phones' own ways to end an unanswered call. Others mean that a side was told what it did not take.
const EXPECTED_REFUSALS: [&str; 4] = ["401", "486", "487", "603"];

/// A phone to start.
pub(crate) struct Line {
    pub(crate) user: &'static str,
    pub(crate) make: &'static Make,
    pub(crate) answer: Answer,
}

/// What a call detail record must say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) caller: &'static str,
    pub(crate) callee: &'static str,
    /// `caller`, `callee` or `server`.
    pub(crate) ended_by: &'static str,
    pub(crate) status: &'static str,
    pub(crate) is_answered: bool,
}

/// The switch, the capture, and the bill to come.
pub(crate) struct Exchange {
    pub(crate) switch: Switch,
    capture: Capture,
    ledger: Vec<Expected>,
}

impl Exchange {
    /// Starts a switch with these lines of configuration, and phones that register; checks how they do.
    pub(crate) fn start<const N: usize>(folder: &Path, also: &str, lines: &[Line; N]) -> (Exchange, [Phone; N]) {
        let switch = Switch::start_with(folder, also);
        let mut hz = 300.0;
        let mut phones = lines.each_ref().map(|line| {
            hz += 100.0;
            Phone::prepare(line.make, folder, line.user, hz, line.answer)
        });
        let mut ports = vec![switch.port..=switch.port];
        ports.extend(phones.iter().map(|phone| phone.media.clone()));
        let capture = Capture::start(folder, &ports);
        let mut exchange = Exchange { switch, capture, ledger: Vec::new() };
        for phone in &mut phones {
            phone.start(exchange.switch.address());
        }
        for phone in &mut phones {
            phone.wait_for(phone.make.registered);
        }
        let trace = exchange.cut();
        for phone in &phones {
            assert_eq!(trace.registration(phone.port), "REGISTER> <401 REGISTER> <200", "{}", phone.user);
        }
        (exchange, phones)
    }

    /// The caller dials, the callee answers, they talk.
    pub(crate) fn connect(&mut self, caller: &mut Phone, callee: &mut Phone) {
        caller.dial(callee.user);
        callee.wait_for(callee.make.is_called);
        caller.wait_for(caller.make.rings_back);
        callee.answer();
        caller.wait_for(caller.make.talks);
        callee.wait_for(callee.make.talks);
        self.talk(caller, callee);
    }

    /// Waits until speech flows in both directions between these phones, from now on.
    pub(crate) fn talk(&mut self, one: &Phone, other: &Phone) {
        self.hear(one, other, |there, back| there >= TALKING && back >= TALKING);
    }

    /// Waits until as many RTP packets as wanted have gone from one to the other, and from the other to the one.
    pub(crate) fn hear(&mut self, one: &Phone, other: &Phone, enough: impl Fn(usize, usize) -> bool) {
        let speech = |trace: &Trace| (trace.speech(&one.media, &other.media), trace.speech(&other.media, &one.media));
        let (there, back) = speech(&self.capture.so_far());
        let heard = self.capture.wait_for(PATIENCE, |trace| {
            let (there_now, back_now) = speech(trace);
            enough(there_now - there, back_now - back)
        });
        let (there, back) = (speech(&self.capture.so_far()).0 - there, speech(&self.capture.so_far()).1 - back);
        assert!(heard, "{} sent {there} RTP packets to {}, and got {back}", one.user, other.user);
    }

    /// What went over the wire since the last cut, checked for what holds for every call.
    pub(crate) fn cut(&mut self) -> Trace {
        let trace = self.capture.cut();
        let mut legs: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
        // ports for speech may be others' in the meantime
        let own = |port| port == self.switch.port;
        for (packet, sip) in trace.messages().filter(|(packet, _)| own(packet.from) || own(packet.to)) {
            let is_from_switch = own(packet.from);
            let peer = if is_from_switch { packet.to } else { packet.from };
            legs.entry(sip.header("Call-ID").unwrap_or_default()).or_default().insert(peer);
            let is_refused = sip.start.starts_with(['4', '5', '6']) && !EXPECTED_REFUSALS.contains(&sip.start.as_str());
            assert!(!is_refused, "refused: {sip:?}");
            assert!(!sip.is_resent, "sent again: {sip:?}");
            assert!(!is_from_switch || sip.count("Via") == 1, "not one Via: {sip:?}");
        }
        assert!(legs.values().all(|peers| peers.len() == 1), "a Call-ID on two legs: {legs:?}");
        trace
    }

    /// Notes what the record of a call must say.
    pub(crate) fn bill(&mut self, expected: Expected) {
        self.ledger.push(expected);
    }

    /// Waits until the switch holds nothing, stops it, and compares the records with the bill.
    pub(crate) fn close(mut self) {
        // a call's transactions and timers outlive it by at most 64*T1 = 32 s (RFC 3261 §17)
        self.switch.wait_for_zero(&["calls", "transactions", "timers"], Duration::from_secs(45));
        self.switch.stop();
        let records = self.switch.records();
        let found: Vec<_> = records.iter().map(summary).collect();
        let wanted: Vec<_> = self.ledger.iter().map(Expected::summary).collect();
        assert_eq!(found, wanted, "records: {records:#?}");
    }
}

impl Expected {
    fn summary(&self) -> String {
        let answered = if self.is_answered { "answered" } else { "unanswered" };
        format!("{} to {}: {answered}, {} by {}", self.caller, self.callee, self.status, self.ended_by)
    }
}

fn summary(record: &BTreeMap<String, String>) -> String {
    let column = |name: &str| record.get(name).map_or("", String::as_str);
    let answered = if column("answer_ms").is_empty() { "unanswered" } else { "answered" };
    let (status, end) = (column("sip_status"), column("end_direction"));
    format!("{} to {}: {answered}, {status} by {end}", column("caller"), column("callee"))
}
