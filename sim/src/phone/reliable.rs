//! Provisional answers that may not get lost (RFC 3262): RSeq and PRACK, from both sides.

use super::callee::Provisional;
use super::dialog::Spot;
use super::exchange::{Due, GIVE_UP, Purpose, Resends};
use super::message::Message;
use super::misbehave::Misbehaviour;
use super::offer::Carrier;
use super::sdp::{Session, of_message};
use super::{Notice, Phone, State, Todo};
use bytes::Bytes;
use crosspoint_core::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::net::SocketAddr;

/// The option tag.
pub(super) const OPTION: &str = "100rel";

/// Whether a phone does RFC 3262.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reliability {
    /// It does not know of it: an INVITE that requires it gets a 420.
    Unsupported,
    /// It does where the other side does.
    Supported,
    /// As a caller it requires it; as a callee as [`Reliability::Supported`].
    Required,
}

/// What the caller has heard reliably in a dialog.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// The RSeq of the latest in order.
    last: Option<u32>,
    /// The PRACK that is still to be sent: RSeq, and its body.
    owed: Option<(u32, Option<String>)>,
    /// Whether what is owed acknowledges a description.
    owes_for_sdp: bool,
    /// Whether the PRACK under way makes an offer.
    has_offered: bool,
}

impl Heard {
    /// Whether no PRACK is still to be sent.
    pub(super) fn is_idle(&self) -> bool {
        self.owed.is_none()
    }
}

/// What the callee has said reliably in a dialog.
#[derive(Clone, Debug, Default)]
pub(super) struct Unacknowledged {
    last_rseq: Option<u32>,
    waiting: Option<Waiting>,
    /// What is said when the PRACK has come.
    queued: VecDeque<Provisional>,
}

/// A provisional answer that waits for its PRACK.
#[derive(Clone, Debug)]
struct Waiting {
    rseq: u32,
    cseq: u32,
    to: SocketAddr,
    bytes: Bytes,
    has_sdp: bool,
    resends: Option<Resends>,
    give_up: Option<Instant>,
}

impl Unacknowledged {
    pub(super) fn next_at(&self) -> Option<Instant> {
        let waiting = self.waiting.as_ref()?;
        [waiting.resends.as_ref().map(Resends::at), waiting.give_up].into_iter().flatten().min()
    }

    /// Whether no PRACK is awaited.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_none() && self.queued.is_empty()
    }

    /// Whether a 2xx must wait (RFC 3262 §3): a description is out that nobody has acknowledged.
    pub(super) fn holds_2xx_back(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.has_sdp) || self.queued.iter().any(|p| p.has_sdp)
    }

    /// The final answer is out: nothing is sent again, and a PRACK may still come.
    pub(super) fn stop(&mut self) {
        self.queued.clear();
        if let Some(waiting) = &mut self.waiting {
            (waiting.resends, waiting.give_up) = (None, None);
        }
    }

    fn look(&mut self, now: Instant) -> Due {
        let Some(waiting) = &mut self.waiting else { return Due::Nothing };
        if waiting.give_up.is_some_and(|at| at <= now) {
            self.stop();
            return Due::GiveUp;
        }
        match waiting.resends.as_mut().is_some_and(|resends| resends.is_due(now)) {
            true => Due::Resend(waiting.to, waiting.bytes.clone()),
            false => Due::Nothing,
        }
    }
}

/// Whether a header of this name lists the option.
pub(super) fn lists(message: &Message, name: &str) -> bool {
    message.list(name).contains(&OPTION)
}

/// The callee.
impl Phone {
    /// Whether provisional answers to this INVITE go out reliably.
    pub(super) fn is_reliable_to(&mut self, number: u32, invite: &Message) -> bool {
        let is_known = self.reliability_in(number) != Reliability::Unsupported;
        is_known && (lists(invite, "Supported") || lists(invite, "Require"))
    }

    /// Says it reliably, or queues it behind what waits for its PRACK.
    pub(super) fn say_reliably(&mut self, spot: Spot, index: usize, what: Provisional) {
        if self.dialog(spot).unacknowledged.waiting.is_some() {
            return self.dialog(spot).unacknowledged.queued.push_back(what);
        }
        // RFC 3262 §3: the first of a transaction is chosen from 1 to 2^31 - 1
        let fresh = 1 + self.stream.below(1 << 30) as u32;
        let rseq = self.dialog(spot).unacknowledged.last_rseq.map_or(fresh, |last| last + 1);
        let sdp = what.has_sdp.then(|| self.description_for_invite(spot, Carrier::Reliable)).flatten();
        let has_sdp = sdp.is_some();
        let response = self.provisional(spot, index, what.status, sdp);
        let response = response.with("Require", OPTION).with("RSeq", rseq.to_string());
        self.send_response(index, what.status, &response);
        let (to, bytes) = self.out.back().cloned().expect("it was just sent");
        let cseq = response.cseq().map_or(0, |(number, _)| number);
        let (resends, give_up) = (Some(Resends::new(self.now, true)), Some(self.now + GIVE_UP));
        let unacknowledged = &mut self.dialog(spot).unacknowledged;
        unacknowledged.last_rseq = Some(rseq);
        unacknowledged.waiting = Some(Waiting { rseq, cseq, to, bytes, has_sdp, resends, give_up });
    }

    pub(super) fn look_at_unacknowledged(&mut self) {
        let now = self.now;
        let mut given_up = Vec::new();
        for call in self.calls.live_mut().filter(|call| call.state == State::Incoming) {
            for (at, dialog) in call.dialogs.iter_mut().enumerate() {
                match dialog.unacknowledged.look(now) {
                    Due::Nothing => {}
                    Due::Resend(to, bytes) => self.out.push_back((to, bytes)),
                    Due::GiveUp => given_up.push(Spot { call: call.number, dialog: at }),
                }
            }
        }
        for spot in given_up {
            let doubts = self.settings.doubts;
            if !(doubts.restarts || doubts.cuts_off) {
                self.violation_in(spot.call, "a reliable provisional answer got no PRACK".to_owned());
            }
            self.reject_call(spot.call, 504); // RFC 3262 §3: a 5xx
        }
    }

    pub(super) fn on_prack(&mut self, index: usize, request: &Message) {
        let Some(spot) = self.spot_of(request) else { return self.respond(index, 481, "") };
        self.note_cseq(spot, request);
        let rack: Vec<u32> = request.get("RAck").into_iter().flat_map(|v| v.split(' ')).flat_map(str::parse).collect();
        let is_for_invite = request.get("RAck").is_some_and(|rack| rack.ends_with(" INVITE"));
        let is_live = !self.find_call(spot.call).is_over();
        let is_it = |waiting: &Waiting| is_for_invite && rack == [waiting.rseq, waiting.cseq];
        if !self.dialog(spot).unacknowledged.waiting.as_ref().is_some_and(is_it) {
            if is_live {
                self.violation(format!("RAck {:?} is for nothing that waits", request.get("RAck")));
            }
            return self.respond(index, 481, "");
        }
        self.dialog(spot).unacknowledged.waiting = None;
        let sdp = of_message(request);
        let response = self.response(index, 200, "");
        match (self.dialog(spot).talk.has_sent_in_response(), sdp) {
            (true, Some(answer)) => {
                let wrong = self.dialog(spot).talk.on_answer(answer);
                self.complain("PRACK", wrong);
            }
            (true, None) => self.violation("PRACK: the answer to the offer of the 1xx is missing".to_owned()),
            (false, _) => {}
        }
        let has_offer = sdp.is_some() && !self.dialog(spot).talk.has_sent() && self.is_offer(spot, request);
        let response = match has_offer {
            true => self.take_offer(spot, request).map_or(response.clone(), |answer| response.with_sdp(answer)),
            false => response,
        };
        self.send_response(index, 200, &response);
        self.sync_media(spot);
        if let Some(next) = self.dialog(spot).unacknowledged.queued.pop_front()
            && let Some(invite) = self.invite_of(spot.call)
        {
            self.say_reliably(spot, invite, next);
        }
        if self.find_call(spot.call).wants_answer {
            self.answer_branch(spot);
        }
    }

    /// Whether the description of a PRACK is a new offer and not the answer that was just taken.
    fn is_offer(&mut self, spot: Spot, request: &Message) -> bool {
        let read = of_message(request).and_then(|sdp| Session::read(sdp).ok());
        let agreed = self.dialog(spot).talk.agreed().map(|agreed| agreed.theirs.clone());
        agreed.is_some() && read != agreed
    }
}

/// The caller.
impl Phone {
    /// A reliable provisional answer: what it says counts once, in order (RFC 3262 §4). Whether it is to be looked at.
    pub(super) fn on_reliable(&mut self, spot: Spot, invite_had_offer: bool, response: &Message) -> bool {
        let Some(rseq) = response.get("RSeq").and_then(|v| v.parse::<u32>().ok()).filter(|rseq| *rseq > 0) else {
            self.violation(format!("a reliable provisional answer with RSeq {:?}", response.get("RSeq")));
            return false;
        };
        if self.reliability_in(spot.call) == Reliability::Unsupported {
            self.violation("a reliable provisional answer to an INVITE that does not support it".to_owned());
        }
        let heard = &self.dialog(spot).heard;
        let (last, has_debt, owes_for_sdp) = (heard.last, heard.owed.is_some(), heard.owes_for_sdp);
        match last {
            Some(last) if rseq != last.wrapping_add(1) => return false,
            // a 2xx may overtake what it follows, and another 18x too, but not before it was acknowledged
            Some(last) if has_debt => {
                self.violation(format!("RSeq {rseq} before the PRACK of {last} (about SDP: {owes_for_sdp})"));
            }
            _ => {}
        }
        let is_first = self.dialog(spot).heard.last.is_none();
        self.dialog(spot).heard.last = Some(rseq);
        let body = self.prack_body(spot, is_first && !invite_had_offer, response);
        let heard = &mut self.dialog(spot).heard;
        (heard.owed, heard.owes_for_sdp) = (Some((rseq, body)), of_message(response).is_some());
        match self.prack_after_in(spot.call) {
            after if after.is_zero() => self.send_prack(spot),
            after => self.later(after, Todo::Prack(spot)),
        }
        true
    }

    /// What the PRACK says: the answer to an offer of the 1xx, or a further offer where the phone makes one.
    fn prack_body(&mut self, spot: Spot, wants_offer: bool, response: &Message) -> Option<String> {
        let Some(sdp) = of_message(response) else {
            if wants_offer {
                // RFC 3262 §5
                self.violation("the first reliable provisional answer to an INVITE without offer has none".to_owned());
            }
            return None;
        };
        if self.dialog(spot).talk.has_sent() {
            let wrong = self.dialog(spot).talk.on_answer(sdp);
            self.complain("reliable 1xx", wrong);
            self.sync_media(spot);
            if !self.offers_in_prack_in(spot.call) {
                return None;
            }
            let mut wanted = self.find_call(spot.call).wanted.clone();
            wanted.codecs.reverse();
            self.find_call(spot.call).wanted = wanted.clone();
            return Some(self.dialog(spot).talk.offer(wanted, false));
        }
        if self.dialog(spot).talk.agreed().is_some() {
            let wrong = self.dialog(spot).talk.on_answer(sdp);
            self.complain("a further reliable 1xx", wrong);
            return None;
        }
        self.take_offer(spot, response)
    }

    /// Sends the PRACK that is owed. A no-op where none is.
    pub(super) fn send_prack(&mut self, spot: Spot) {
        let is_early = matches!(self.find_call(spot.call).state, State::Calling | State::Proceeding);
        if self.plays(spot.call, Misbehaviour::NoPrack) {
            return;
        }
        let Some((rseq, body)) = self.dialog(spot).heard.owed.take().filter(|_| is_early) else { return };
        let invite_cseq = self.invite_cseq(spot.call);
        let rack = format!("{rseq} {invite_cseq} INVITE");
        let mut prack = self.next_request(spot, "PRACK").with("RAck", rack);
        if let Some(body) = body {
            prack = prack.with_sdp(body);
            let dialog = self.dialog(spot);
            dialog.heard.has_offered = dialog.talk.has_sent();
        }
        self.send_within_call(spot, prack, Purpose::Prack(spot));
    }

    /// A 2xx has come: it must not have overtaken the PRACK of a description (RFC 3262 §3).
    pub(super) fn check_debts(&mut self, spot: Spot) {
        let heard = &mut self.dialog(spot).heard;
        let is_wrong = heard.owed.take().is_some() && heard.owes_for_sdp;
        if is_wrong {
            self.violation("a 2xx before the PRACK of a 1xx with a description".to_owned());
        }
    }

    pub(super) fn on_prack_answer(&mut self, spot: Spot, response: &Message) {
        let has_offered = std::mem::take(&mut self.dialog(spot).heard.has_offered);
        match (has_offered && !self.find_call(spot.call).is_over(), of_message(response)) {
            (true, Some(answer)) => {
                let wrong = self.dialog(spot).talk.on_answer(answer);
                self.complain("200 to PRACK", wrong);
                self.sync_media(spot);
            }
            (true, None) => {
                self.dialog(spot).talk.roll_back();
                self.violation("200 to PRACK: the answer is missing".to_owned());
            }
            (false, _) => {}
        }
        self.tell(Notice::Replied { method: "PRACK".to_owned(), status: response.status() });
    }

    pub(super) fn on_prack_failure(&mut self, spot: Spot, status: Option<u16>) {
        let is_early = matches!(self.find_call(spot.call).state, State::Calling | State::Proceeding);
        // where messages get lost, the INVITE's final answer may have been one of them
        let may_be_lost = !self.settings.crossing_grace.is_zero();
        if is_early && !may_be_lost && !self.find_call(spot.call).wants_end {
            self.violation(format!("PRACK was answered {status:?} while the INVITE waits"));
        }
        if std::mem::take(&mut self.dialog(spot).heard.has_offered) {
            self.dialog(spot).talk.roll_back();
        }
        self.tell(Notice::Replied { method: "PRACK".to_owned(), status });
    }
}
