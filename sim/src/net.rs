//! The network between two nodes: latency, loss, duplication, reordering, and what a test scripts.
//!
//! A [`Link`] goes one way and draws from a random stream of its own, so that one more message on one link changes
//! nothing on another.

use crosspoint_core::rng::Stream;

/// How bad a link is. Chances are in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Shortest way, in microseconds.
    pub latency_min_us: u64,
    /// Longest way, in microseconds; every datagram draws evenly between the two.
    pub latency_max_us: u64,
    /// Datagrams that get lost.
    pub loss_permille: u64,
    /// Datagrams that arrive twice.
    pub duplicate_permille: u64,
    /// Datagrams that are held back for [`Plan::reorder_us`], so that later ones overtake them.
    pub reorder_permille: u64,
    /// How long those are held back, in microseconds.
    pub reorder_us: u64,
}

impl Plan {
    /// A good wire: always 1 ms, nothing lost.
    pub const GOOD: Plan = Plan {
        latency_min_us: 1000,
        latency_max_us: 1000,
        loss_permille: 0,
        duplicate_permille: 0,
        reorder_permille: 0,
        reorder_us: 0,
    };

    /// A bad mobile link: 5 to 80 ms, 5 % lost, 2 % doubled, 5 % overtaken.
    pub const BAD: Plan = Plan {
        latency_min_us: 5000,
        latency_max_us: 80_000,
        loss_permille: 50,
        duplicate_permille: 20,
        reorder_permille: 50,
        reorder_us: 150_000,
    };

    /// Whether what is sent first arrives first, once.
    pub fn is_in_order(&self) -> bool {
        self.latency_min_us == self.latency_max_us && self.loss_permille + self.reorder_permille == 0
    }

    /// Everything arrives twice.
    pub const DOUBLED: Plan = Plan { duplicate_permille: 1000, ..Plan::GOOD };
}

/// What a scripted fault does to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is lost.
    Lose,
    /// It arrives so many microseconds later than it would.
    Delay(u64),
    /// It arrives twice.
    Double,
}

/// A scripted fault: what happens to the n-th message of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: String,
    nth: u32,
    seen: u32,
    fate: Fate,
}

impl Fault {
    /// `kind` is a method (`INVITE`) or a status and the method it answers (`200 INVITE`); `nth` counts from 1, resends
    /// included.
    pub fn new(kind: &str, nth: u32, fate: Fate) -> Fault {
        Fault { kind: kind.to_owned(), nth, seen: 0, fate }
    }

    fn strikes(&mut self, kind: &str) -> bool {
        if self.kind == kind {
            self.seen += 1;
        }
        self.kind == kind && self.seen == self.nth
    }
}

/// One direction between two nodes.
#[derive(Debug)]
pub struct Link {
    /// How bad it is; may change at any time.
    pub plan: Plan,
    /// What is scripted.
    pub faults: Vec<Fault>,
    stream: Stream,
}

impl Link {
    /// A link that draws from `stream`.
    pub fn new(plan: Plan, stream: Stream) -> Link {
        Link { plan, faults: Vec::new(), stream }
    }

    /// When the copies of this datagram arrive, in microseconds from now: none where it is lost, two where it is doubled.
    pub fn carry(&mut self, datagram: &[u8]) -> Vec<u64> {
        let kind = kind_of(datagram);
        let fates: Vec<Fate> = self.faults.iter_mut().filter_map(|f| f.strikes(&kind).then_some(f.fate)).collect();
        // every draw is made for every datagram, so that one fault does not shift the next datagram's chances
        let latency = self.latency();
        let (is_lost, is_doubled) = (self.chance(self.plan.loss_permille), self.chance(self.plan.duplicate_permille));
        let held_us = if self.chance(self.plan.reorder_permille) { self.plan.reorder_us } else { 0 };
        let second = self.latency();
        if is_lost || fates.contains(&Fate::Lose) {
            return Vec::new();
        }
        let delay: u64 = fates.iter().map(|fate| if let Fate::Delay(us) = fate { *us } else { 0 }).sum();
        let mut arrivals = vec![latency + held_us + delay];
        if is_doubled || fates.contains(&Fate::Double) {
            arrivals.push(second + delay);
        }
        arrivals
    }

    fn latency(&mut self) -> u64 {
        let Plan { latency_min_us, latency_max_us, .. } = self.plan;
        latency_min_us + self.stream.below(latency_max_us.saturating_sub(latency_min_us) + 1)
    }

    fn chance(&mut self, permille: u64) -> bool {
        self.stream.below(1000) < permille
    }
}

/// What a [`Fault`] calls this datagram: its method, or its status and CSeq method; empty where it is no SIP.
pub fn kind_of(datagram: &[u8]) -> String {
    let text = String::from_utf8_lossy(datagram);
    let first = text.lines().next().unwrap_or_default();
    let words: Vec<&str> = first.split(' ').collect();
    match words[..] {
        ["SIP/2.0", status, ..] => {
            let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq:"));
            let method = cseq.and_then(|value| value.split_whitespace().nth(1)).unwrap_or_default();
            format!("{status} {method}")
        }
        [method, _, "SIP/2.0"] => method.to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosspoint_core::rng::Seed;

    fn link(plan: Plan) -> Link {
        Link::new(plan, Stream::new(Seed::from_number(7), 1))
    }

    #[test]
    fn a_bad_link_loses_doubles_and_reorders_about_as_often_as_planned() {
        let mut link = link(Plan::BAD);
        let arrivals: Vec<Vec<u64>> = (0..10_000).map(|_| link.carry(b"x")).collect();
        let count = |of: fn(&Vec<u64>) -> bool| arrivals.iter().filter(|a| of(a)).count();
        assert!((400..600).contains(&count(|a| a.is_empty())));
        assert!((120..260).contains(&count(|a| a.len() == 2)));
        assert!((400..600).contains(&count(|a| a.first().is_some_and(|us| *us > 150_000))));
    }

    #[test]
    fn a_scripted_fault_strikes_once_and_nothing_else() {
        let mut link = link(Plan::GOOD);
        link.faults.push(Fault::new("200 INVITE", 2, Fate::Lose));
        let ok = b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n";
        let bye = b"SIP/2.0 200 OK\r\nCSeq: 2 BYE\r\n\r\n";
        let mut arrives = |datagram: &[u8]| link.carry(datagram).len();
        assert_eq!([arrives(ok), arrives(bye), arrives(ok), arrives(ok), arrives(bye)], [1, 1, 0, 1, 1]);
    }

    #[test]
    fn a_fault_leaves_the_chances_of_the_rest_as_they_were() {
        let (mut with, mut without) = (link(Plan::BAD), link(Plan::BAD));
        with.faults.push(Fault::new("ACK", 1, Fate::Lose));
        let ack = b"ACK sip:a SIP/2.0\r\n\r\n";
        with.carry(ack);
        without.carry(ack);
        for _ in 0..100 {
            assert_eq!(with.carry(b"x"), without.carry(b"x"));
        }
    }
}
