//! The called side.

use super::call::{Call, State};
use super::caller::ALLOW;
use super::dialog::{Dialog, Spot, Stage};
use super::exchange::BranchKey;
use super::message::{Message, Text};
use super::misbehave::{Misbehaviour, Moment};
use super::offer::Carrier;
use super::reliable::{OPTION, Reliability, lists};
use super::script::{self, Script};
use super::sdp::of_message;
use super::{Answering, End, Notice, Phone, Todo};
use crosspoint_core::time::Instant;
use std::time::Duration;

/// A provisional answer to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Provisional {
    pub(super) status: u16,
    pub(super) has_sdp: bool,
}

/// What the callee does.
impl Phone {
    /// Sends 180 for the call that is coming in, or what the settings say instead. A no-op without one.
    pub fn ring(&mut self, now: Instant) {
        self.tick(now);
        if let Some(number) = self.call_coming_in() {
            self.ring_call(number);
        }
    }

    /// Answers the call that is coming in. A no-op without one.
    pub fn answer(&mut self, now: Instant) {
        self.tick(now);
        if let Some(number) = self.call_coming_in() {
            self.answer_call(number);
        }
    }

    /// Refuses the call that is coming in, with a status of 300 to 699. A no-op without one.
    pub fn reject(&mut self, now: Instant, status: u16) {
        self.tick(now);
        if let Some(number) = self.call_coming_in() {
            self.reject_call(number, status);
        }
    }

    fn call_coming_in(&self) -> Option<u32> {
        self.calls.live().rev().find(|call| call.state == State::Incoming).map(|call| call.number)
    }

    /// The INVITE that began the call.
    pub(super) fn invite_of(&self, number: u32) -> Option<usize> {
        self.servers.iter().position(|server| server.call == Some(number) && server.request.to_tag().is_none())
    }

    pub(super) fn on_invite(&mut self, index: usize, request: &Message) {
        if request.to_tag().is_some() {
            return self.on_reinvite(index, request);
        }
        let op = script::op_of(request);
        let script = self.script_for(op);
        if let Some(options) = self.unknown_options(request, &script) {
            let refusal = self.response(index, 420, "").with("Unsupported", options);
            return self.send_response(index, 420, &refusal);
        }
        let replaced = match self.replaced_by(request) {
            Ok(replaced) => replaced,
            Err(status) => return self.respond(index, status, ""),
        };
        let busy = self.calls.live().count() >= self.settings.lines;
        if busy && replaced.is_none() {
            return self.respond(index, 486, "");
        }
        if script.answering == Some(Answering::Silent) || self.play_outcome(index, &script) {
            return;
        }
        let number = self.next_call_number();
        let tag = self.token();
        let mut call = Call::incoming(number, request, tag, self.first_description(number));
        call.replaces = replaced;
        call.ends_at = self.longest_call();
        (call.op, call.script) = (op, script);
        call.dialog_mut().talk.may_be_overtaken = !self.settings.crossing_grace.is_zero();
        self.calls.push(call);
        self.servers[index].call = Some(number);
        self.tell(Notice::Incoming { call: number, from: Phone::caller_of(request) });
        if !self.take_first_offer(number, request) {
            return self.refuse(number, index, 488, End::Refused(488));
        }
        if replaced.is_some() {
            return self.answer_call(number);
        }
        if self.tries_for_ever(number) {
            return;
        }
        let branches = self.branches_in(number);
        if !branches.is_empty() {
            return self.play_branches(number, branches);
        }
        match self.answering_in(number) {
            Answering::Answer { ring_after, after } => {
                if ring_after < after {
                    self.soon(ring_after, Todo::Ring(number));
                }
                self.soon(after, Todo::Answer(number));
            }
            Answering::Reject { status, after } => self.soon(after, Todo::Reject(number, status)),
            Answering::RingOnly => self.ring_call(number),
            Answering::Silent | Answering::Manual => {}
        }
    }

    /// The options that the request requires and the phone does not know, as a list (RFC 3261 §8.2.2.3).
    fn unknown_options(&self, request: &Message, script: &Script) -> Option<String> {
        let reliability = script.reliability.unwrap_or(self.settings.reliability);
        let is_known = |option: &str| match option {
            OPTION => reliability != Reliability::Unsupported,
            "replaces" => true,
            _ => false,
        };
        let unknown: Vec<&str> = request.list("Require").into_iter().filter(|option| !is_known(option)).collect();
        (!unknown.is_empty()).then(|| unknown.join(", "))
    }

    /// Whether the offer of the INVITE, where it has one, can be answered.
    fn take_first_offer(&mut self, number: u32, request: &Message) -> bool {
        let spot = Spot { call: number, dialog: 0 };
        let Some(offer) = of_message(request) else { return true };
        if let Err(wrong) = self.dialog(spot).talk.on_offer(offer) {
            self.complain("INVITE", wrong);
        }
        let codecs = self.settings.codecs.clone();
        // one that cannot be read has not been received
        self.dialog(spot).talk.has_received() && self.dialog(spot).talk.can_answer(&codecs)
    }

    /// At once where the delay is nothing, so that no extra turn is needed.
    fn soon(&mut self, after: Duration, todo: Todo) {
        match (after.is_zero(), todo) {
            (true, Todo::Ring(number)) => self.ring_call(number),
            (true, Todo::Answer(number)) => self.answer_call(number),
            (true, Todo::Reject(number, status)) => self.reject_call(number, status),
            (_, todo) => self.later(after, todo),
        }
    }

    pub(super) fn ring_call(&mut self, number: u32) {
        let what = self.ringing_in(number);
        let dialog = self.find_call(number).current;
        self.say(Spot { call: number, dialog }, what, true);
    }

    /// Gives a provisional answer; reliably, where that is wanted and the other side does it, or demands it.
    pub(super) fn say(&mut self, spot: Spot, what: Provisional, reliably: bool) {
        if self.find_call(spot.call).state != State::Incoming {
            return;
        }
        let Some(index) = self.invite_of(spot.call) else { return };
        let invite = self.servers[index].request.clone();
        if self.is_reliable_to(spot.call, &invite) && (reliably || lists(&invite, "Require")) {
            // RFC 3262 §5: the first one to an INVITE without an offer has one
            let owes_offer = of_message(&invite).is_none() && self.dialog(spot).talk.agreed().is_none();
            return self.say_reliably(spot, index, Provisional { has_sdp: what.has_sdp || owes_offer, ..what });
        }
        let sdp = what.has_sdp.then(|| self.description_for_invite(spot, Carrier::Unreliable)).flatten();
        let response = self.provisional(spot, index, what.status, sdp);
        self.send_response(index, what.status, &response);
        self.sync_media(spot);
    }

    /// A provisional answer in this dialog.
    pub(super) fn provisional(&mut self, spot: Spot, index: usize, status: u16, sdp: Option<String>) -> Message {
        let tag = self.dialog(spot).local_tag.clone();
        let response = self.response(index, status, &tag).with("Contact", self.contact());
        match sdp {
            Some(sdp) => response.with_sdp(sdp),
            None => response,
        }
    }

    /// What an answer to the INVITE describes: the answer to its offer, or the offer where it had none. None where all
    /// has been said, or must not be said unreliably.
    pub(super) fn description_for_invite(&mut self, spot: Spot, carrier: Carrier) -> Option<String> {
        let call = self.find_call(spot.call);
        let wanted = call.dialogs[spot.dialog].wanted.clone().unwrap_or_else(|| call.wanted.clone());
        let talk = &mut self.dialog(spot).talk;
        let is_ours_to_offer = talk.is_idle() && talk.agreed().is_none() && carrier == Carrier::Reliable;
        match talk.has_received() && talk.agreed().is_none() {
            true => talk.answer(wanted, carrier),
            false => is_ours_to_offer.then(|| talk.offer(wanted, true)),
        }
    }

    pub(super) fn answer_call(&mut self, number: u32) {
        let dialog = self.find_call(number).current;
        if self.find_call(number).state == State::Incoming {
            self.answer_branch(Spot { call: number, dialog });
        }
    }

    /// Says 200 in this dialog, or waits with it for a PRACK (RFC 3262 §3).
    pub(super) fn answer_branch(&mut self, spot: Spot) {
        let Some(index) = self.invite_of(spot.call) else { return };
        let call = self.find_call(spot.call);
        let is_first = call.state == State::Incoming;
        if call.is_over() {
            return;
        }
        if is_first {
            call.current = spot.dialog;
        }
        call.wants_answer = call.dialogs[spot.dialog].unacknowledged.holds_2xx_back();
        if call.wants_answer {
            return;
        }
        let sdp = self.description_for_invite(spot, Carrier::Reliable);
        let now = self.now;
        let call = self.find_call(spot.call);
        let dialog = &mut call.dialogs[spot.dialog];
        dialog.stage = Stage::Confirmed;
        dialog.unacknowledged.stop();
        let replaced = call.replaces.take();
        if is_first {
            (call.state, call.final_status) = (State::Answered, Some(200));
            call.answered_at.get_or_insert(now);
            if let Some(wanted) = call.dialogs[spot.dialog].wanted.clone() {
                call.wanted = wanted;
            }
            self.sync_media(spot);
        }
        self.send_2xx(spot, index, sdp);
        if let Some(replaced) = replaced {
            self.end_call(replaced.call);
        }
    }

    pub(super) fn send_2xx(&mut self, spot: Spot, index: usize, sdp: Option<String>) {
        let tag = self.dialog(spot).local_tag.clone();
        let mut answer =
            self.response(index, 200, &tag).with("Contact", self.contact()).with("Allow", Text::Fixed(ALLOW));
        if let Some(sdp) = sdp {
            answer = answer.with_sdp(sdp);
        }
        let is_first = self.servers[index].request.to_tag().is_none();
        if is_first {
            self.spoil(spot.call, &mut answer);
        }
        self.send_response(index, 200, &answer);
        if is_first {
            self.misbehave(Moment::Answering, spot);
        }
    }

    pub(super) fn reject_call(&mut self, number: u32, status: u16) {
        if let (State::Incoming, Some(index)) = (self.find_call(number).state, self.invite_of(number)) {
            self.refuse(number, index, status, End::Refused(status));
        }
    }

    pub(super) fn refuse(&mut self, number: u32, index: usize, status: u16, how: End) {
        let call = self.find_call(number);
        call.final_status = Some(status);
        let tag = call.dialog().local_tag.clone();
        call.dialogs.iter_mut().for_each(|dialog: &mut Dialog| dialog.unacknowledged.stop());
        let spot = Spot { call: number, dialog: call.current };
        self.respond(index, status, &tag);
        self.over(number, how);
        self.misbehave(Moment::Refusing, spot);
    }
}

/// What comes for the callee.
impl Phone {
    pub(super) fn on_ack(&mut self, ack: &Message) {
        let tag = ack.to_tag().unwrap_or_default();
        let key = BranchKey::of(ack);
        let refused = |s: &&mut super::Server| s.has_key_of(ack, key, "INVITE") && s.status >= 300;
        if let Some(server) = self.servers.iter_mut().find(refused) {
            return server.confirm_all();
        }
        let Some(server) = self.servers.iter_mut().find(|server| server.has_2xx_for(ack)) else {
            return self.stray(format!("ACK to nothing: CSeq {:?}", ack.get("CSeq")));
        };
        let (is_initial, number, inside) = (server.request.to_tag().is_none(), server.call, server.spot);
        let has_offered = server.has_offered;
        match server.confirm(tag) {
            None => return self.violation("ACK: the To tag is not the dialog's".to_owned()),
            Some(false) => return,
            Some(true) => {}
        }
        let Some(number) = number else { return };
        let by_tag = |call: &Call| call.dialogs.iter().position(|dialog| dialog.local_tag == tag);
        let dialog = by_tag(self.find_call(number)).map(|dialog| Spot { call: number, dialog });
        let Some(spot) = inside.or(dialog) else { return };
        self.take_answer_of_ack(spot, has_offered, ack);
        let call = self.find_call(number);
        if !is_initial || call.state != State::Answered || spot.dialog != call.current {
            return;
        }
        (call.state, call.was_answered) = (State::Up, true);
        let wants_end = call.wants_end;
        self.tell(Notice::Answered { call: number });
        self.misbehave(Moment::Confirmed, spot);
        match (wants_end, self.hang_up_after_in(number)) {
            (true, _) => self.send_bye(spot),
            (false, Some(after)) => self.later(after, Todo::HangUp(number)),
            (false, None) => {}
        }
    }

    fn take_answer_of_ack(&mut self, spot: Spot, has_offered: bool, ack: &Message) {
        if self.find_call(spot.call).is_over() {
            return;
        }
        match (has_offered, of_message(ack)) {
            (true, Some(answer)) => {
                let wrong = self.dialog(spot).talk.on_answer(answer);
                self.complain("ACK", wrong);
                self.sync_media(spot);
            }
            (true, None) => {
                self.dialog(spot).talk.roll_back();
                self.violation("ACK: the answer to the offer of the 2xx is missing".to_owned());
            }
            (false, Some(_)) => self.violation("ACK: a description that nobody asked for".to_owned()),
            (false, None) => {}
        }
    }

    /// 64*T1 went by without an ACK (RFC 3261 §13.3.1.4, §14.2): the call is ended with a BYE.
    pub(super) fn on_no_ack(&mut self, index: usize, tag: &str) {
        let Some(number) = self.servers[index].call else { return };
        let is_initial = self.servers[index].request.to_tag().is_none();
        let call = self.find_call(number);
        let spot = Spot { call: number, dialog: call.current };
        let is_current = call.dialog().local_tag == tag;
        match call.state {
            State::Answered if is_initial && is_current => {
                self.send_bye(spot);
                self.over(number, End::NoAck);
            }
            State::Up if !is_initial => self.send_bye(spot),
            _ => {}
        }
    }

    /// RFC 3261 §9.2: the CANCEL is answered 200 where its INVITE is known, and the INVITE 487 where it still waits.
    pub(super) fn on_cancel(&mut self, index: usize, cancel: &Message) {
        let key = BranchKey::of(cancel);
        let Some(invite) = self.servers.iter().position(|server| server.has_key_of(cancel, key, "INVITE")) else {
            return self.respond(index, 481, "");
        };
        let number = self.servers[invite].call;
        let tag = number.map(|number| self.find_call(number).dialog().local_tag.clone()).unwrap_or_default();
        self.respond(index, 200, &tag);
        if let (true, Some(spot)) = (self.servers[invite].is_open_reinvite(), self.servers[invite].spot) {
            self.dialog(spot).talk.roll_back();
            return self.respond(invite, 487, "");
        }
        let waiting = number.filter(|number| self.find_call(*number).state == State::Incoming);
        if let Some(number) = waiting.filter(|number| !self.swallows_cancel(*number)) {
            self.refuse(number, invite, 487, End::Cancelled);
        }
    }

    pub(super) fn on_bye(&mut self, index: usize, request: &Message) {
        let Some(spot) = self.spot_of(request) else { return self.respond(index, 481, "") };
        self.note_cseq(spot, request);
        let (state, current) = (self.find_call(spot.call).state, self.find_call(spot.call).current);
        if matches!(state, State::Over(_)) || self.dialog(spot).stage == Stage::Gone {
            return self.respond(index, 481, "");
        }
        if !self.plays(spot.call, Misbehaviour::NoByeAnswer) {
            self.respond(index, 200, "");
        }
        if spot.dialog != current && self.dialog(spot).stage == Stage::Confirmed {
            // the branch of a fork that lost
            return self.dialog(spot).stage = Stage::Gone;
        }
        let invite = self.invite_of(spot.call);
        match (state, invite) {
            (State::Incoming, Some(invite)) => self.refuse(spot.call, invite, 487, End::PeerHungUp),
            _ => {
                // no more resends of a 2xx whose call is gone
                if let Some(invite) = invite {
                    self.servers[invite].confirm_all();
                }
                self.over(spot.call, End::PeerHungUp);
            }
        }
    }
}
