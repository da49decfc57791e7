//! The client transactions of the switch, seen from outside: what it asks, and what it hears (RFC 3261 §17.1, §9.1).

use super::ids::{Id, Ids, KEPT, id, join};
use super::scan::{Method, Seen};
use super::schedule::{Resends, Schedule};
use super::{At, Found, Violation};
use crosspoint_core::time::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A request that the switch sent.
#[derive(Debug)]
pub(super) struct Sent {
    method: Method,
    name: Id,
    cseq: u32,
    call_id: Box<str>,
    to_peer: SocketAddr,
    since: Instant,
    bytes: Id,
    uri: Id,
    from: Id,
    to: Id,
    resends: Resends,
    provisional: Option<Instant>,
    cancelled: Option<Instant>,
    answer: Option<(u16, Instant)>,
    /// Answers 3xx to 6xx of an INVITE, and their ACKs (RFC 3261 §17.1.1.3).
    failures: u32,
    acks: u32,
    refusal: Id,
}

/// A 2xx to an INVITE of the switch, by its tag.
#[derive(Debug)]
struct Accepted {
    call_id: Box<str>,
    since: Instant,
    /// When it came last.
    last: Instant,
    /// The ACK that went.
    ack: Option<Id>,
    /// How often it came since without getting that ACK again.
    unacknowledged: u32,
}

/// The requests that the switch sent.
#[derive(Debug, Default)]
pub(super) struct Client {
    sent: Ids<Sent>,
    accepted: Ids<Accepted>,
    /// Branches in use, which no new request may have.
    branches: Ids<()>,
    /// How many requests got no final answer, by the name of the method.
    given_up: BTreeMap<Id, usize>,
    /// When the network last said that an address cannot be reached.
    unreachable: BTreeMap<SocketAddr, Instant>,
}

fn key(branch: &[u8], name: &[u8]) -> Id {
    join(&[id(branch), id(name)])
}

fn accepted_key(seen: &Seen<'_>) -> Id {
    join(&[seen.call(), id(seen.tag_of_to()), u64::from(seen.cseq)])
}

impl Client {
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn clear(&mut self) {
        self.sent.clear();
        self.accepted.clear();
    }

    /// How many requests of this name got no final answer.
    pub(super) fn given_up(&self, name: Id) -> usize {
        let unanswered = self.sent.iter().filter(|sent| sent.name == name && sent.answer.is_none()).count();
        self.given_up.get(&name).copied().unwrap_or_default() + unanswered
    }

    /// The network said that nothing listens there (RFC 3261 §8.1.3.1).
    pub(super) fn undelivered(&mut self, now: Instant, to: SocketAddr) {
        self.unreachable.insert(to, now);
    }

    /// A request leaves; whether it is a new one.
    pub(super) fn went(
        &mut self,
        at: At,
        seen: &Seen<'_>,
        name: &[u8],
        bytes: Id,
        rules: &Schedule,
        found: &mut Found,
    ) -> bool {
        if seen.method == Method::Ack {
            self.acknowledge(at, seen, bytes, found);
            return false;
        }
        if let Some(sent) = self.sent.get_mut(key(seen.branch(), name)) {
            if sent.bytes != bytes || sent.to_peer != at.peer {
                found.add(sent.violation("branch", "another request has its branch"));
            } else if let Some(wrong) = sent.sent_again(at.now, rules) {
                found.add(sent.violation("resend-schedule", &wrong));
            }
            return false;
        }
        if seen.method == Method::Cancel {
            self.check_cancel(at, seen, found);
            if let Some(invite) = self.sent.get_mut(key(seen.branch(), b"INVITE")) {
                invite.cancelled = Some(at.now);
            }
        } else if self.branches.get(id(seen.branch())).is_some() {
            let text = format!("{}: its branch is that of an earlier request", seen.name());
            found.add(Violation::new("branch", text).of_call(&seen.call_id_text()));
        }
        self.branches.insert(at.now, id(seen.branch()), ());
        let sent = Sent {
            method: seen.method,
            name: id(name),
            cseq: seen.cseq,
            call_id: String::from_utf8_lossy(seen.call_id).into(),
            to_peer: at.peer,
            since: at.now,
            bytes,
            uri: id(seen.uri()),
            from: id(seen.from),
            to: id(seen.to),
            resends: Resends::new(at.now, seen.method == Method::Invite),
            provisional: None,
            cancelled: None,
            answer: None,
            failures: 0,
            acks: 0,
            refusal: 0,
        };
        self.sent.insert(at.now, key(seen.branch(), name), sent);
        true
    }

    /// RFC 3261 §9.1: a CANCEL is in its INVITE's transaction, which has a provisional answer and no final one.
    fn check_cancel(&self, at: At, seen: &Seen<'_>, found: &mut Found) {
        let wrong = match self.sent.get(key(seen.branch(), b"INVITE")) {
            None => "it cancels nothing that was sent",
            Some(invite) if !invite.is_same_request(seen) || invite.to != id(seen.to) || invite.to_peer != at.peer => {
                "it differs from its INVITE"
            }
            Some(invite) if invite.provisional.is_none() => "no provisional answer has come",
            Some(invite) if invite.answer.is_some() => "the final answer has come",
            Some(_) => return,
        };
        let text = format!("CANCEL {} to {}: {wrong}", seen.cseq, at.peer);
        found.add(Violation::new("cancel", text).of_call(&seen.call_id_text()));
    }

    /// An ACK leaves: in the INVITE's transaction for a failure, in one of its own for a 2xx.
    fn acknowledge(&mut self, at: At, seen: &Seen<'_>, bytes: Id, found: &mut Found) {
        let tell = |found: &mut Found, wrong: &str| {
            let text = format!("ACK {} to {}: {wrong}", seen.cseq, at.peer);
            found.add(Violation::new("ack", text).of_call(&seen.call_id_text()));
        };
        if let Some(invite) = self.sent.get_mut(key(seen.branch(), b"INVITE")) {
            invite.acks += 1;
            let wrong = match invite.answer {
                Some((300.., _)) if !invite.is_same_request(seen) || invite.to_peer != at.peer => {
                    "it differs from its INVITE"
                }
                Some((300.., _)) if invite.refusal != id(seen.to) => "its To is not that of the answer",
                Some((300.., _)) => return,
                _ => "no failure came to the INVITE whose branch it has",
            };
            return tell(found, wrong);
        }
        match self.accepted.get_mut(accepted_key(seen)) {
            None => tell(found, "no 2xx came that it is for"),
            Some(accepted) => {
                match accepted.ack {
                    Some(before) if before != bytes => tell(found, "it differs from the one before"),
                    None if self.branches.get(id(seen.branch())).is_some() => {
                        tell(found, "its branch is that of an earlier request");
                    }
                    _ => {}
                }
                accepted.ack = Some(bytes);
                accepted.unacknowledged = accepted.unacknowledged.saturating_sub(1);
                self.branches.insert(at.now, id(seen.branch()), ());
            }
        }
    }

    /// A response came; whether it is to a request of which the switch still knows. Where its call `is_over`, a 2xx need
    /// not get its ACK again.
    pub(super) fn came(&mut self, at: At, seen: &Seen<'_>, is_over: bool, rules: &Schedule, found: &mut Found) -> bool {
        let Some(sent) = self.sent.get_mut(key(seen.branch(), seen.cseq_method)) else { return false };
        if sent.is_given_up(at.now, rules) {
            return false;
        }
        let status = seen.status().unwrap_or_default();
        if sent.provisional.is_none() && sent.answer.is_none() {
            let is_known_lost = self.unreachable.get(&sent.to_peer).is_some_and(|told| *told >= sent.since);
            if sent.resends.is_overdue(at.now, rules) && !is_known_lost {
                found.add(sent.violation("resend-schedule", "it was not sent again in time"));
            }
        }
        if status < 200 {
            sent.provisional = sent.provisional.or(Some(at.now));
            sent.resends.slow_down(at.now);
            return true;
        }
        sent.answer = sent.answer.or(Some((status, at.now)));
        if sent.method != Method::Invite {
            return true;
        }
        // what contradicts the first final answer is for nobody (RFC 3261 §17.1.1.2)
        let is_failed = sent.answer.is_some_and(|(first, _)| first >= 300);
        if status >= 300 && is_failed {
            if sent.failures == 0 {
                sent.refusal = id(seen.to);
            }
            // the switch need not know the INVITE any longer than timer D
            if sent.answer.is_some_and(|(_, first)| at.now.since(first) < rules.give_up()) {
                sent.failures += 1;
            }
        } else if status < 300 && !is_failed {
            let call_id = String::from_utf8_lossy(seen.call_id);
            let new =
                || Accepted { call_id: call_id.into(), since: at.now, last: at.now, ack: None, unacknowledged: 0 };
            let accepted = self.accepted.entry(at.now, accepted_key(seen), new);
            // the switch need not know the INVITE any longer than timer M (RFC 6026 §7.2)
            let is_due = accepted.ack.is_some() && at.now.since(accepted.since) < rules.give_up();
            accepted.unacknowledged += u32::from(is_due && !is_over);
            accepted.last = at.now;
        }
        true
    }

    /// Forgets what has ended, and tells what was not acknowledged.
    pub(super) fn forget(&mut self, now: Instant, rules: &Schedule, found: &mut Found) {
        let Client { sent, accepted, given_up, unreachable, branches } = self;
        sent.forget(now, |sent| {
            let is_over = match sent.answer {
                Some((_, at)) => now.since(at) >= KEPT,
                None if sent.method == Method::Invite && sent.provisional.is_some() => false,
                None => now.since(sent.since) >= KEPT,
            };
            if !is_over {
                return false;
            }
            if sent.answer.is_none() {
                *given_up.entry(sent.name).or_default() += 1;
            }
            let is_known_lost = unreachable.get(&sent.to_peer).is_some_and(|told| *told >= sent.since);
            sent.tell(now, rules, is_known_lost, found);
            true
        });
        accepted.forget(now, |accepted| {
            let is_over = now.since(accepted.last) >= KEPT;
            if is_over {
                accepted.tell(found);
            }
            is_over
        });
        branches.forget(now, |()| true);
    }

    /// What was not sent again or not acknowledged, at the end.
    pub(super) fn finish(&self, now: Instant, rules: &Schedule, found: &mut Found) {
        for sent in self.sent.iter() {
            let is_known_lost = self.unreachable.get(&sent.to_peer).is_some_and(|told| *told >= sent.since);
            sent.tell(now, rules, is_known_lost, found);
        }
        self.accepted.iter().for_each(|accepted| accepted.tell(found));
    }
}

impl Accepted {
    /// RFC 3261 §13.2.2.4: the ACK goes again with every 2xx that comes again.
    fn tell(&self, found: &mut Found) {
        if self.unacknowledged > 0 {
            let text = format!("a 2xx came {} times more without getting its ACK again", self.unacknowledged);
            found.add(Violation::new("ack", text).of_call(&self.call_id));
        }
    }
}

impl Sent {
    fn violation(&self, check: &'static str, text: &str) -> Violation {
        let text = format!("{} {} to {}: {text}", self.method.name(), self.cseq, self.to_peer);
        Violation::new(check, text).of_call(&self.call_id)
    }

    /// What a CANCEL and the ACK of a failure have in common with their INVITE.
    fn is_same_request(&self, seen: &Seen<'_>) -> bool {
        let is_leg = self.call_id.as_bytes() == seen.call_id && self.from == id(seen.from);
        is_leg && self.uri == id(seen.uri()) && self.cseq == seen.cseq
    }

    /// Whether the switch waits no longer: timers B and F, and after a CANCEL as long again (RFC 3261 §9.1).
    fn is_given_up(&self, now: Instant, rules: &Schedule) -> bool {
        let waits_since = match (self.method, self.provisional) {
            (Method::Invite, Some(_)) => self.cancelled,
            _ => Some(self.since),
        };
        self.answer.is_none() && waits_since.is_some_and(|since| now >= since + rules.give_up())
    }

    fn sent_again(&mut self, now: Instant, rules: &Schedule) -> Option<String> {
        let is_over = |since: Option<Instant>| since.is_some_and(|since| since < now);
        if is_over(self.answer.map(|(_, since)| since)) {
            return Some("sent again after its final answer".to_owned());
        }
        if self.method == Method::Invite && is_over(self.provisional) {
            return Some("sent again after a provisional answer".to_owned());
        }
        self.resends.sent(now, rules)
    }

    /// What was not done for it in the end.
    fn tell(&self, now: Instant, rules: &Schedule, is_known_lost: bool, found: &mut Found) {
        let is_waiting = match self.method {
            Method::Invite => self.provisional.is_none() && self.answer.is_none(),
            _ => self.answer.is_none(),
        };
        if is_waiting && !is_known_lost && self.resends.is_overdue(now, rules) {
            found.add(self.violation("resend-schedule", "it was not sent again in time"));
        }
        // one that comes when a late switch has given up finds nobody
        if self.acks < self.failures && rules.slack.is_zero() {
            let text = format!("{} failures came, {} ACKs went", self.failures, self.acks);
            found.add(self.violation("ack", &text));
        }
    }
}
