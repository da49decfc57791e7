//! Changes of a session that is there: re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311), and what happens when both sides
//! change it at once. Who may do what when is read as RFC 6337 §4.3 reads it.

use super::dialog::{Spot, Stage};
use super::exchange::{Client, Purpose};
use super::message::Message;
use super::offer::Carrier;
use super::sdp::{Codec, Direction, Session, of_message};
use super::{Notice, Phone, State, Todo};
use crosspoint_core::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// Two datagrams that a switch sends at one moment over a wire that keeps their order arrive within this.
const AT_ONCE: Duration = Duration::from_millis(1);

/// How a hold is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// `a=sendonly`: music may be played (RFC 3264 §8.4).
    SendOnly,
    /// `a=inactive`.
    Inactive,
    /// `c=0.0.0.0`, the way of RFC 2543.
    Zero,
    /// No hold, or its end.
    Off,
}

/// A change that the phone wants of a session. It is tried until it works, is refused for good, or the call ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// Hold or its end; none leaves it.
    pub hold: Option<Hold>,
    /// Other codecs; none leaves them.
    pub codecs: Option<Vec<Codec>>,
    /// By UPDATE, else by re-INVITE.
    pub by_update: bool,
    /// The re-INVITE has no offer: the other side makes it.
    pub without_offer: bool,
}

impl Change {
    /// Nothing but the question: a re-INVITE that says what was said.
    pub const REFRESH: Change = Change { hold: None, codecs: None, by_update: false, without_offer: false };

    /// A hold, or its end.
    pub fn hold(hold: Hold) -> Change {
        Change { hold: Some(hold), ..Change::REFRESH }
    }

    /// Other codecs.
    pub fn codecs(codecs: &[Codec]) -> Change {
        Change { codecs: Some(codecs.to_vec()), ..Change::REFRESH }
    }

    /// The same by UPDATE.
    pub fn by_update(self) -> Change {
        Change { by_update: true, ..self }
    }

    /// A re-INVITE without an offer.
    pub fn without_offer(self) -> Change {
        Change { without_offer: true, ..self }
    }

    fn apply(&self, wanted: &mut Session) {
        if let Some(hold) = self.hold {
            wanted.is_zero = hold == Hold::Zero;
            wanted.direction = match hold {
                Hold::SendOnly => Direction::SendOnly,
                Hold::Inactive => Direction::Inactive,
                Hold::Zero | Hold::Off => Direction::SendRecv,
            };
        }
        if let Some(codecs) = &self.codecs {
            wanted.codecs.clone_from(codecs);
        }
    }
}

/// The changes of one dialog: those wanted, the one under way, and what is known of the far side's.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    queue: VecDeque<Change>,
    in_flight: Option<Change>,
    /// When the next may go out: a glare was met, or a Retry-After.
    not_before: Option<Instant>,
    /// When the one under way went out, and whether an INVITE of theirs was open then.
    sent_at: Instant,
    was_open: bool,
    /// When our latest ACK of a 2xx went out: the change may have overtaken it.
    pub(super) acked_at: Option<Instant>,
    /// When an offer of theirs, or an INVITE, came last.
    theirs_at: Option<Instant>,
    /// A 491 of theirs without a crossing: what to say if none shows up by then.
    suspect: Option<(Instant, String)>,
    /// When we said 491.
    refused_at: Option<Instant>,
}

impl Changes {
    pub(super) fn is_waiting(&self) -> bool {
        !self.queue.is_empty() || self.in_flight.is_some()
    }

    pub(super) fn next_at(&self, now: Instant) -> Option<Instant> {
        let wish = self.not_before.filter(|at| !self.queue.is_empty() && *at > now);
        [wish, self.suspect.as_ref().map(|(at, _)| *at)].into_iter().flatten().min()
    }

    /// The dialog has ended.
    pub(super) fn drop_all(&mut self) {
        *self = Changes::default();
    }
}

/// Asking for changes.
impl Phone {
    /// Puts the far side on hold, with a re-INVITE. A no-op unless a call is up.
    pub fn hold(&mut self, now: Instant) {
        self.change(now, Change::hold(Hold::SendOnly));
    }

    /// Takes the far side off hold. A no-op unless a call is up.
    pub fn resume(&mut self, now: Instant) {
        self.change(now, Change::hold(Hold::Off));
    }

    /// Changes the session of the current call, as soon as the protocol allows it. A no-op without a call.
    pub fn change(&mut self, now: Instant, change: Change) {
        self.tick(now);
        if let Some(number) = self.current_call().map(|call| call.number) {
            self.change_call(number, change);
        }
    }

    /// The same for this call. A no-op where it ends.
    pub(super) fn change_call(&mut self, number: u32, change: Change) {
        let call = self.find_call(number);
        if matches!(call.state, State::Ending | State::Over(_)) {
            return;
        }
        let spot = Spot { call: number, dialog: call.current };
        self.dialog(spot).changes.queue.push_back(change);
        self.send_changes();
    }

    /// Cancels the re-INVITE that is under way (RFC 3261 §9.1). A no-op without one.
    pub fn cancel_change(&mut self, now: Instant) {
        self.tick(now);
        self.cancel_change_of(|_| true);
    }

    /// The same in the calls that `is_meant` says.
    pub(super) fn cancel_change_of(&mut self, is_meant: impl Fn(u32) -> bool) {
        let is_it = |p: &Purpose| matches!(p, Purpose::Reinvite(spot) if is_meant(spot.call));
        let is_cancelled = |c: &Client| {
            self.clients.iter().any(|one| one.purpose == Purpose::Cancel && one.request.branch() == c.request.branch())
        };
        let is_open = |c: &Client| is_it(&c.purpose) && c.is_proceeding() && !is_cancelled(c);
        if let Some(index) = self.clients.iter().position(is_open) {
            self.send_cancel(index);
        }
    }

    /// Sends what may go out now.
    pub(super) fn send_changes(&mut self) {
        let is_ready = |c: &Changes, now| !c.queue.is_empty() && c.not_before.is_none_or(|at| at <= now);
        let mut ready = Vec::new();
        for call in self.calls.live() {
            if is_ready(&call.dialog().changes, self.now) {
                ready.push(Spot { call: call.number, dialog: call.current });
            }
        }
        for spot in ready {
            let first = self.dialog(spot).changes.queue.front().cloned().expect("it is not empty");
            if self.may_offer(spot, first.by_update) {
                self.dialog(spot).changes.queue.pop_front();
                self.send_change(spot, first);
            }
        }
    }

    /// RFC 6337 §4.3, UAC-II, UAC-UU, UAC-UI, UAC-IU; RFC 3311 §5.1 for early dialogs.
    fn may_offer(&mut self, spot: Spot, by_update: bool) -> bool {
        let before_ack = self.offers_before_ack_in(spot.call);
        let (state, has_open) = (self.find_call(spot.call).state, self.has_open_invite(spot));
        let dialog = self.dialog(spot);
        let is_in_state = match state {
            State::Up => true,
            State::Answered => before_ack,
            State::Proceeding | State::Incoming => {
                let is_acknowledged = dialog.unacknowledged.is_idle() && dialog.heard.is_idle();
                by_update && dialog.talk.agreed().is_some() && is_acknowledged
            }
            _ => false,
        };
        let is_free = dialog.stage != Stage::Gone && dialog.talk.is_idle() && dialog.changes.in_flight.is_none();
        is_in_state && is_free && !has_open && !self.has_client(spot, |purpose| matches!(purpose, Purpose::Prack(_)))
    }

    /// Whether a re-INVITE of theirs waits for our final answer.
    fn has_open_invite(&self, spot: Spot) -> bool {
        self.servers.iter().any(|server| server.is_open_reinvite() && server.spot == Some(spot))
    }

    fn has_client(&self, spot: Spot, is_it: impl Fn(&Purpose) -> bool) -> bool {
        let is_here = |p: &Purpose| p.spot() == Some(spot) && is_it(p);
        self.clients.iter().any(|client| client.finished.is_none() && is_here(&client.purpose))
    }

    fn send_change(&mut self, spot: Spot, change: Change) {
        let contact = self.contact();
        let (now, was_open) = (self.now, self.awaits_ack_in(spot));
        let call = self.find_call(spot.call);
        change.apply(&mut call.wanted);
        let wanted = call.wanted.clone();
        let method = if change.by_update { "UPDATE" } else { "INVITE" };
        let mut request = self.next_request(spot, method).with("Contact", contact);
        if change.by_update || !change.without_offer {
            request = request.with_sdp(self.dialog(spot).talk.offer(wanted, false));
        }
        let purpose = if change.by_update { Purpose::Update(spot) } else { Purpose::Reinvite(spot) };
        let changes = &mut self.dialog(spot).changes;
        (changes.in_flight, changes.sent_at, changes.was_open) = (Some(change), now, was_open);
        self.send_within_call(spot, request, purpose);
    }

    /// Whether a 2xx of ours waits for its ACK: what goes out now crosses that (RFC 6337 §4.1, figure 8).
    fn awaits_ack_in(&self, spot: Spot) -> bool {
        self.servers.iter().any(|server| server.call == Some(spot.call) && server.awaits_ack())
    }
}

/// Answers to our changes.
impl Phone {
    pub(super) fn on_change_answer(&mut self, spot: Spot, index: usize, response: &Message) {
        let is_invite = self.clients[index].is_invite();
        let what = if is_invite { "200 to re-INVITE" } else { "200 to UPDATE" };
        self.dialog(spot).learn_target(response);
        self.dialog(spot).changes.in_flight = None;
        let mut body = None;
        match (self.dialog(spot).talk.has_sent(), of_message(response)) {
            (true, Some(answer)) => {
                let wrong = self.dialog(spot).talk.on_answer(answer);
                self.complain(what, wrong);
            }
            (false, Some(_)) if is_invite => body = self.take_offer(spot, response),
            (false, None) if !is_invite => {}
            _ => {
                self.dialog(spot).talk.roll_back();
                self.violation(format!("{what}: its description is missing, or one too many"));
            }
        }
        if is_invite {
            self.acknowledge_2xx(spot, index, response, body);
        }
        self.sync_media(spot);
        let method = if is_invite { "INVITE" } else { "UPDATE" };
        self.tell(Notice::Replied { method: method.to_owned(), status: response.status() });
    }

    /// RFC 3261 §14.1 and RFC 3311 §5.3: the session stays as it was; after 491 another try, after 500 with Retry-After
    /// too.
    pub(super) fn on_change_failure(&mut self, spot: Spot, index: usize, response: Option<&Message>) {
        let status = response.and_then(Message::status);
        let method = self.clients[index].request.method().unwrap_or_default().to_owned();
        let Some(change) = self.dialog(spot).changes.in_flight.take() else { return };
        self.dialog(spot).talk.roll_back();
        if self.find_call(spot.call).is_over() {
            return;
        }
        let retry_after = response.and_then(|r| r.get("Retry-After")).and_then(|v| v.parse::<u64>().ok());
        let wait = match (status, retry_after) {
            (Some(491), _) => {
                self.check_crossing(spot, index, response.expect("a status comes in a response"));
                Some(self.glare_time(spot))
            }
            (Some(500), Some(seconds)) => Some(Duration::from_secs(seconds)),
            _ => None,
        };
        let now = self.now;
        if let Some(wait) = wait {
            let changes = &mut self.dialog(spot).changes;
            changes.queue.push_front(change);
            changes.not_before = Some(now + wait);
            return;
        }
        self.tell(Notice::Replied { method, status });
        // RFC 3261 §12.2.1.2: these two, and no answer at all, end the dialog
        if matches!(status, None | Some(408 | 481)) {
            self.end_call(spot.call);
        }
    }

    /// RFC 3261 §14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in steps of 10 ms.
    fn glare_time(&mut self, spot: Spot) -> Duration {
        let steps = match self.find_call(spot.call).outgoing {
            true => 210 + self.stream.below(191),
            false => self.stream.below(201),
        };
        Duration::from_millis(10 * steps)
    }

    /// 491 is only for what really crosses on this wire: an offer of theirs is open, or comes yet.
    fn check_crossing(&mut self, spot: Spot, index: usize, response: &Message) {
        let (now, grace) = (self.now, self.settings.crossing_grace);
        let dialog = self.dialog(spot);
        let changes = &dialog.changes;
        let is_near = |at: Instant| at + grace >= changes.sent_at;
        let may_have_overtaken = !grace.is_zero() && changes.acked_at.is_some_and(is_near);
        let has_met = changes.theirs_at.is_some_and(is_near) || may_have_overtaken;
        if has_met || changes.was_open || dialog.talk.has_received() {
            return;
        }
        let sent_at = changes.sent_at.as_millis();
        let request = &self.clients[index].request;
        let text = format!(
            "491 where nothing crossed: {} {} CSeq {:?} sent at {sent_at} ms, answered 491 CSeq {:?} at {} ms",
            request.method().unwrap_or_default(),
            request.uri().unwrap_or_default(),
            request.get("CSeq"),
            response.get("CSeq"),
            now.as_millis()
        );
        // a switch whose other side has won says so with a 491 and that side's offer, which arrive together
        self.dialog(spot).changes.suspect = Some((now + grace.max(AT_ONCE), text));
    }

    pub(super) fn look_at_suspects(&mut self) {
        let now = self.now;
        let mut found = Vec::new();
        let live = self.calls.live_mut().filter(|call| !call.is_rogue());
        for dialog in live.flat_map(|call| &mut call.dialogs) {
            if dialog.changes.suspect.as_ref().is_some_and(|(at, _)| *at <= now) {
                found.extend(dialog.changes.suspect.take());
            }
        }
        found.into_iter().for_each(|(_, text)| self.violation(text));
    }
}

/// Changes that the far side wants.
impl Phone {
    /// Takes an offer and gives the answer; none where there is none to give, and then the offer is refused.
    pub(super) fn take_offer(&mut self, spot: Spot, message: &Message) -> Option<String> {
        let what = message.method().unwrap_or("a response").to_owned();
        if let Err(wrong) = self.dialog(spot).talk.on_offer(of_message(message)?) {
            self.complain(&what, wrong);
        }
        let wanted = self.find_call(spot.call).wanted.clone();
        let answer = self.dialog(spot).talk.answer(wanted, Carrier::Reliable);
        match &answer {
            Some(_) => self.sync_media(spot),
            None => self.dialog(spot).talk.roll_back(),
        }
        answer
    }

    /// An offer of theirs, or an INVITE, has come: what it means for the glare of both sides.
    fn meet(&mut self, spot: Spot) {
        let now = self.now;
        let (far_side_cancels, is_late) = (self.settings.far_side_cancels, self.settings.doubts.is_late);
        let comes_back_late = !self.find_call(spot.call).outgoing && !far_side_cancels && !is_late;
        let changes = &mut self.dialog(spot).changes;
        changes.theirs_at = Some(now);
        changes.suspect = None;
        let waited = changes.refused_at.take().map(|at| now.since(at));
        // RFC 3261 §14.1: the owner of the Call-ID comes back after 2.1 s at the earliest
        if let Some(waited) = waited.filter(|waited| comes_back_late && *waited < Duration::from_millis(2100)) {
            self.violation(format!(
                "an offer again {} ms after a 491, from the owner of the Call-ID",
                waited.as_millis()
            ));
        }
    }

    /// Why an offer, or an INVITE, cannot be taken now (RFC 3261 §14.2, RFC 3311 §5.2, RFC 6337 §4.3).
    fn conflict(&mut self, spot: Spot) -> Option<u16> {
        let is_ours = |p: &Purpose| matches!(p, Purpose::Reinvite(_) | Purpose::Update(_));
        let (has_client, has_open) = (self.has_client(spot, is_ours), self.has_open_invite(spot));
        let talk = &self.dialog(spot).talk;
        if (talk.has_sent() && !talk.has_sent_in_response()) || has_client {
            return Some(491);
        }
        (talk.has_sent_in_response() || talk.has_received() || has_open).then_some(500)
    }

    fn refuse_change(&mut self, spot: Spot, index: usize, status: u16) {
        let ack_may_be_lost = !self.settings.crossing_grace.is_zero() && self.dialog(spot).talk.has_sent_in_response();
        if status == 500 && self.refuses_changes_in(spot.call).is_none() && !ack_may_be_lost {
            // the far side waits for an answer of ours, and knows it (RFC 3264 §4, RFC 6337 §4.3 UAC-II, UAC-IU)
            let method = self.servers[index].request.method().unwrap_or_default().to_owned();
            self.violation(format!("{method}: an offer or INVITE while one is outstanding"));
        }
        let request = self.servers[index].request.clone();
        if let Some(offer) = of_message(&request) {
            let wrong = self.dialog(spot).talk.on_refused_offer(offer);
            self.complain("a refused offer", wrong);
        }
        let mut response = self.response(index, status, "");
        if status == 491 {
            let now = self.now;
            self.dialog(spot).changes.refused_at = Some(now);
            self.glares += 1;
        }
        if status == 500 {
            response = response.with("Retry-After", self.stream.below(11).to_string());
        }
        self.send_response(index, status, &response);
    }

    pub(super) fn on_reinvite(&mut self, index: usize, request: &Message) {
        let Some(spot) = self.spot_of(request) else { return self.respond(index, 481, "") };
        self.servers[index].spot = Some(spot);
        self.servers[index].call = Some(spot.call);
        match self.find_call(spot.call).state {
            State::Over(_) | State::Ending => return self.respond(index, 481, ""),
            _ => {}
        }
        if !self.note_cseq(spot, request) {
            // RFC 3261 §12.2.2: a lower CSeq than the dialog's is answered 500
            return self.respond(index, 500, "");
        }
        self.meet(spot);
        let early = match self.find_call(spot.call).state {
            State::Up | State::Answered => None,
            State::Incoming => Some(500),
            _ => Some(491),
        };
        if let Some(status) = early.or_else(|| self.conflict_besides(spot, index)) {
            return self.refuse_change(spot, index, status);
        }
        if let Some(status) = self.refuses_changes_in(spot.call) {
            return self.refuse_change(spot, index, status);
        }
        self.dialog(spot).learn_target(request);
        if let Some(offer) = of_message(request)
            && let Err(wrong) = self.dialog(spot).talk.on_offer(offer)
        {
            self.complain("re-INVITE", wrong);
        }
        match self.answers_changes_after_in(spot.call) {
            after if after.is_zero() => self.answer_change(spot),
            after => {
                self.respond(index, 100, ""); // RFC 3261 §17.2.1: who takes his time says so
                self.later(after, Todo::AnswerChange(spot));
            }
        }
    }

    /// As [`Phone::conflict`], but for the INVITE that has just come.
    fn conflict_besides(&mut self, spot: Spot, index: usize) -> Option<u16> {
        self.servers[index].spot = None;
        let found = self.conflict(spot);
        self.servers[index].spot = Some(spot);
        found
    }

    /// Says 200 to the re-INVITE that waits, with an answer or an offer. A no-op where none waits.
    pub(super) fn answer_change(&mut self, spot: Spot) {
        let is_it = |s: &super::Server| s.is_open_reinvite() && s.spot == Some(spot);
        let Some(index) = self.servers.iter().position(is_it) else { return };
        let wanted = self.find_call(spot.call).wanted.clone();
        let talk = &mut self.dialog(spot).talk;
        let sdp = match talk.has_received() {
            true => talk.answer(wanted, Carrier::Reliable),
            false => Some(talk.offer(wanted, true)),
        };
        let Some(sdp) = sdp else {
            self.dialog(spot).talk.roll_back();
            return self.respond(index, 488, "");
        };
        self.send_2xx(spot, index, Some(sdp));
        self.sync_media(spot);
    }

    /// Answers what waits of theirs when the dialog ends (RFC 3261 §15.1.2).
    pub(super) fn drop_changes(&mut self, spot: Spot) {
        let is_it = |s: &super::Server| s.is_open_reinvite() && s.spot == Some(spot);
        if let Some(index) = self.servers.iter().position(is_it) {
            self.respond(index, 487, "");
        }
        self.dialog(spot).changes.drop_all();
    }

    pub(super) fn on_update(&mut self, index: usize, request: &Message) {
        let Some(spot) = self.spot_of(request) else { return self.respond(index, 481, "") };
        match self.find_call(spot.call).state {
            State::Over(_) | State::Ending => return self.respond(index, 481, ""),
            _ => {}
        }
        if !self.note_cseq(spot, request) {
            return self.respond(index, 500, "");
        }
        let contact = self.contact();
        if of_message(request).is_none() {
            self.dialog(spot).learn_target(request);
            let response = self.response(index, 200, "").with("Contact", contact);
            return self.send_response(index, 200, &response);
        }
        self.meet(spot);
        let is_open = self.dialog(spot).talk.agreed().is_none().then_some(500);
        if let Some(status) = self.conflict(spot).or(is_open) {
            return self.refuse_change(spot, index, status);
        }
        if let Some(status) = self.refuses_changes_in(spot.call) {
            return self.refuse_change(spot, index, status);
        }
        self.dialog(spot).learn_target(request);
        match self.take_offer(spot, request) {
            Some(answer) => {
                let response = self.response(index, 200, "").with("Contact", contact).with_sdp(answer);
                self.send_response(index, 200, &response);
            }
            None => self.respond(index, 488, ""),
        }
        self.tell(Notice::Received { method: "UPDATE".to_owned(), body: request.body.clone() });
    }
}
