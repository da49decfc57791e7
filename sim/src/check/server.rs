//! The server transactions of the switch, seen from outside: what it is asked, and what it answers (RFC 3261 §17.2).

use super::dialog::Legs;
use super::ids::{Id, Ids, id, join};
use super::scan::{Method, Seen};
use super::schedule::{Resends, Schedule};
use super::{At, Found, Violation};
use crosspoint_core::time::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The longest that an INVITE may be without its final answer: SS_SIP_TIMEOUT_RINGING, and as long again for every way
/// that is tried.
const LONGEST_INVITE: Duration = Duration::from_secs(16 * 120);

/// What is wrong with an answer that was to come again.
const UNSENT: &str = "its answer is not sent again though no ACK came";

/// A request that the switch took in.
#[derive(Debug)]
pub(super) struct Asked {
    method: Method,
    name: Id,
    call_id: Box<str>,
    cseq: u32,
    sources: [SocketAddr; 2],
    since: Instant,
    /// When it, or a copy of it, came last.
    came: Instant,
    from: Id,
    to: (usize, Id),
    to_tag: Option<Id>,
    vias: u32,
    has_credentials: bool,
    /// The final answer: its status, when it was sent, its bytes; and its To.
    answer: Option<(u16, Instant, Id)>,
    answer_to: Id,
    resends: Option<Resends>,
    acknowledged: Option<Instant>,
}

/// The requests that the switch took in.
#[derive(Debug, Default)]
pub(super) struct Server {
    asked: Ids<Asked>,
    /// The INVITEs with a 2xx, by what an ACK for it names (RFC 3261 §13.2.2.4).
    accepted: Ids<Id>,
    /// Requests that were left without an answer, by the name of the method.
    silent: BTreeMap<Id, Vec<(String, Box<str>)>>,
}

/// RFC 3261 §17.2.3: what makes two requests one transaction; without the cookie, what RFC 2543 went by.
fn key(seen: &Seen<'_>, name: &[u8]) -> Id {
    let branch = seen.branch();
    let sent_by = id(seen.sent_by());
    match branch.starts_with(b"z9hG4bK") {
        true => join(&[id(branch), sent_by, id(name)]),
        false => join(&[seen.call(), id(seen.from), sent_by, u64::from(seen.cseq), id(name)]),
    }
}

/// What the ACK of a 2xx has in common with its INVITE.
fn accepted_key(seen: &Seen<'_>) -> Id {
    join(&[seen.call(), id(seen.tag_of_from()), u64::from(seen.cseq)])
}

impl Server {
    pub(super) fn len(&self) -> usize {
        self.asked.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Server::default();
    }

    /// A request other than ACK came; whether it is a new one. A copy that was under way until the transaction was over is
    /// none, but the switch knows that no more than the RFC does, and answers it anew.
    pub(super) fn came(&mut self, at: At, seen: &Seen<'_>, name: &[u8], schedule: &Schedule) -> bool {
        // by its CSeq, as the answer will be: where the two differ it is answered all the same
        let key = key(seen, if seen.cseq_method.is_empty() { name } else { seen.cseq_method });
        let known = self.asked.get_mut(key);
        let is_new = known.is_none();
        if let Some(asked) = known.filter(|asked| !asked.is_over(at.now, schedule)) {
            asked.came = at.now;
            asked.sources[1] = at.peer;
            return false;
        }
        let to_tag = seen.tag_of_to();
        let asked = Asked {
            method: seen.method,
            name: id(name),
            call_id: String::from_utf8_lossy(seen.call_id).into(),
            cseq: seen.cseq,
            sources: [at.peer; 2],
            since: at.now,
            came: at.now,
            from: id(seen.from),
            to: (seen.to.len(), id(seen.to)),
            to_tag: (!to_tag.is_empty()).then(|| id(to_tag)),
            vias: seen.vias,
            has_credentials: seen.has_credentials,
            answer: None,
            answer_to: 0,
            resends: None,
            acknowledged: None,
        };
        self.asked.insert(at.now, key, asked);
        is_new
    }

    /// Somebody sends again what he has heard: who sent it first is answered again.
    pub(super) fn echoed(&mut self, at: At, seen: &Seen<'_>) {
        if let Some(asked) = self.asked.get_mut(key(seen, seen.cseq_method)) {
            asked.came = at.now;
        }
    }

    /// An ACK: of a failure in the INVITE's own transaction, of a 2xx by its dialog.
    pub(super) fn acknowledged(
        &mut self,
        at: At,
        seen: &Seen<'_>,
        legs: &Legs,
        schedule: &Schedule,
        found: &mut Found,
    ) {
        let own = key(seen, b"INVITE");
        let is_failed = |asked: &Asked| asked.answer.is_some_and(|(status, ..)| status >= 300);
        let key = match self.asked.get(own).is_some_and(is_failed) {
            true => own,
            false => match self.accepted.get(accepted_key(seen)) {
                Some(key) => *key,
                None => return,
            },
        };
        let Some(asked) = self.asked.get_mut(key) else { return };
        if asked.is_overdue(at.now, legs, schedule) {
            found.add(asked.violation("resend-schedule", UNSENT));
        }
        asked.acknowledged = asked.acknowledged.or(Some(at.now));
    }

    /// A response leaves.
    pub(super) fn went(&mut self, at: At, seen: &Seen<'_>, bytes: Id, schedule: &Schedule, found: &mut Found) {
        let status = seen.status().unwrap_or_default();
        let key = key(seen, seen.cseq_method);
        let Some(asked) = self.asked.get_mut(key) else {
            let text = format!("{} answers nothing that came: {}", at.peer, seen.name());
            return found.add(Violation::new("response-matches", text).of_call(&seen.call_id_text()));
        };
        if let Some(wrong) = asked.mismatch(at.peer, seen) {
            found.add(asked.violation("response-matches", &format!("{}: {wrong}", seen.name())));
        }
        match asked.answer {
            Some((before, ..)) if status < 200 => {
                let text = format!("{status} after its final answer {before}");
                found.add(asked.violation("no-provisional-after-final", &text));
            }
            Some((before, since, before_bytes)) => {
                // behind a translator that forgets, a copy comes from elsewhere, and the answer's Via says so (RFC 3581 §4)
                let has_moved = asked.sources[0] != asked.sources[1] && asked.answer_to == id(seen.to);
                // a CANCEL is answered each time anew, from what has become of its INVITE
                let is_derived = asked.method == Method::Cancel;
                let is_same = before_bytes == bytes || has_moved || is_derived || asked.is_stateless(before);
                let is_same = is_same && before == status || asked.may_become(before, status);
                if !is_same {
                    let text = format!("a second final answer, {status} after {before}");
                    found.add(asked.violation("one-final-answer", &text));
                }
                if let Some(wrong) = asked.sent_again(at.now, since, schedule) {
                    found.add(asked.violation("resend-schedule", &format!("{status}: {wrong}")));
                }
            }
            None if status >= 200 => {
                asked.answer = Some((status, at.now, bytes));
                asked.answer_to = id(seen.to);
                // one of these may also be the refusal of somebody who is known
                let may_come_again = matches!(status, 403 | 416 | 420 | 481 | 483 | 503);
                if asked.method == Method::Invite && (may_come_again || !asked.is_stateless(status)) {
                    asked.resends = Some(Resends::new(at.now, false));
                }
                if asked.method == Method::Invite && status < 300 {
                    self.accepted.insert(at.now, accepted_key(seen), key);
                }
            }
            None => {}
        }
    }

    /// Forgets what has ended, and tells what was never answered.
    pub(super) fn forget(&mut self, now: Instant, legs: &Legs, schedule: &Schedule, found: &mut Found) {
        let Server { asked, accepted, silent } = self;
        asked.forget(now, |asked| match asked.answer {
            Some((_, since, _)) => {
                if asked.is_overdue(now, legs, schedule) {
                    found.add(asked.violation("resend-schedule", UNSENT));
                    asked.resends = None;
                }
                // until neither its answer nor a copy of it may come
                now.since(since.max(asked.came)) >= super::ids::KEPT
            }
            None if asked.method != Method::Invite => {
                silent.entry(asked.name).or_default().push((asked.title(), asked.call_id.clone()));
                true
            }
            None if now.since(asked.since) > LONGEST_INVITE => {
                found.add(asked.violation("request-answered", "no final answer"));
                true
            }
            None => false,
        });
        accepted.forget(now, |key| asked.get(*key).is_none());
    }

    /// What was never answered, at the end. `given_up` says how many requests of this name the switch itself got no
    /// answer to: one that is passed on has none then (RFC 4320 §4.2).
    pub(super) fn finish(
        &self,
        now: Instant,
        legs: &Legs,
        schedule: &Schedule,
        given_up: impl Fn(Id) -> usize,
        found: &mut Found,
    ) {
        let mut silent = self.silent.clone();
        for asked in self.asked.iter() {
            match asked.answer {
                Some(_) if asked.is_overdue(now, legs, schedule) => {
                    found.add(asked.violation("resend-schedule", UNSENT))
                }
                Some(_) => {}
                None if asked.method == Method::Invite => {
                    found.add(asked.violation("request-answered", "no final answer"));
                }
                None => silent.entry(asked.name).or_default().push((asked.title(), asked.call_id.clone())),
            }
        }
        for (name, unanswered) in silent {
            for (title, call_id) in unanswered.iter().skip(given_up(name)) {
                found.add(Violation::new("request-answered", format!("{title}: no final answer")).of_call(call_id));
            }
        }
    }
}

impl Asked {
    fn title(&self) -> String {
        format!("{} {} of {}", self.method.name(), self.cseq, self.sources[0])
    }

    /// Whether the switch has forgotten its answer: timers H, J (RFC 3261 §17.2) and L (RFC 6026 §7.1).
    fn is_over(&self, now: Instant, schedule: &Schedule) -> bool {
        self.answer.is_some_and(|(_, since, _)| now.since(since) >= schedule.give_up())
    }

    fn violation(&self, check: &'static str, text: &str) -> Violation {
        Violation::new(check, format!("{}: {text}", self.title())).of_call(&self.call_id)
    }

    /// A server that keeps no state answers what it will not take each time anew, in the same way (RFC 3261 §8.2.7):
    /// a challenge to one who showed no credentials, what is refused at sight, and any INVITE of one who has not shown
    /// who he is.
    fn is_stateless(&self, status: u16) -> bool {
        let is_strangers = self.method == Method::Invite && matches!(status, 401 | 403 | 407 | 416 | 420 | 481 | 483);
        matches!(status, 400 | 503) || is_strangers || (matches!(status, 401 | 407) && !self.has_credentials)
    }

    /// What a server that keeps no state says of a copy when time has passed: a challenge too many is a refusal
    /// (behaviour 1(d)), and an INVITE that is over, or has not come yet, cannot be cancelled (RFC 3261 §9.2).
    fn may_become(&self, before: u16, status: u16) -> bool {
        match (before, status) {
            (401 | 407, 403) => !self.has_credentials,
            (200, 481) | (481, 200) => self.method == Method::Cancel,
            _ => false,
        }
    }

    /// RFC 3261 §8.2.6.2, §17.1.3, §18.2.2.
    fn mismatch(&self, to: SocketAddr, seen: &Seen<'_>) -> Option<String> {
        if self.sources.iter().all(|source| source.ip() != to.ip()) {
            return Some(format!("sent to {to}, whence nothing came"));
        }
        if self.from != id(seen.from) || self.call_id.as_bytes() != seen.call_id {
            return Some("From or Call-ID is not the request's".to_owned());
        }
        if self.vias != seen.vias {
            return Some(format!("{} Via values for {}", seen.vias, self.vias));
        }
        let (length, to) = self.to;
        if seen.to.len() < length || id(&seen.to[..length]) != to {
            return Some("To is not the request's".to_owned());
        }
        let tag = seen.tag_of_to();
        match self.to_tag {
            Some(_) if seen.to.len() != length => Some("a second tag in To".to_owned()),
            None if tag.is_empty() && seen.status() > Some(100) => Some("no tag in To".to_owned()),
            _ => None,
        }
    }

    /// The final answer is sent again. What is wrong with that.
    fn sent_again(&mut self, now: Instant, since: Instant, schedule: &Schedule) -> Option<String> {
        let is_stateless = self.answer.is_some_and(|(status, ..)| self.is_stateless(status));
        if !is_stateless && self.acknowledged.is_some_and(|at| at < now) {
            return Some("sent again after its ACK".to_owned());
        }
        if let Some(resends) = self.resends.as_mut().filter(|resends| resends.is_due(now, schedule)) {
            return resends.sent(now, schedule);
        }
        // asked again, answered again
        if self.came == now {
            return None;
        }
        let is_asked = now.since(self.came) <= schedule.slack && self.came > since;
        let Some(resends) = &mut self.resends else {
            return (!is_asked).then(|| "sent again unasked".to_owned());
        };
        let mut counted = *resends;
        let wrong = counted.sent(now, schedule);
        // what is out of time may be a late answer to its being asked again
        if wrong.is_some() && is_asked {
            return None;
        }
        *resends = counted;
        wrong
    }

    /// Whether its final answer was to come again and did not. A caller that hangs up has its 2xx, with or without ACK.
    fn is_overdue(&self, now: Instant, legs: &Legs, schedule: &Schedule) -> bool {
        let is_2xx = self.answer.is_some_and(|(status, ..)| status < 300);
        let now = match legs.get(&self.call_id) {
            Some(leg) if is_2xx => leg.ended.map_or(now, |(at, _)| at.min(now)),
            // its leg has ended so long ago that it is forgotten
            None if is_2xx => return false,
            _ => now,
        };
        // who has no room for more keeps no state of what it refuses, nor of a stranger
        let is_kept = self.answer.is_some_and(|(status, ..)| !self.is_stateless(status));
        is_kept && self.acknowledged.is_none() && self.resends.is_some_and(|resends| resends.is_overdue(now, schedule))
    }
}
