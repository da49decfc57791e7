//! The called side.

use super::call::{Call, State};
use super::caller::ALLOW;
use super::message::Message;
use super::rtp::Media;
use super::sdp::Session;
use super::{Answering, End, Notice, Phone, Todo};
use crosspoint_core::time::Instant;
use std::time::Duration;

impl Phone {
    /// Sends 180 for the call that is coming in. A no-op without one.
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
        self.calls.iter().rev().find(|call| call.state == State::Incoming).map(|call| call.number)
    }

    fn invite_of(&self, number: u32) -> Option<usize> {
        self.servers.iter().position(|server| server.call == Some(number))
    }

    pub(super) fn on_invite(&mut self, index: usize, request: &Message) {
        if request.to_tag().is_some() {
            return self.on_reinvite(index, request);
        }
        let busy = self.calls.iter().filter(|call| !call.is_over()).count() >= self.settings.lines;
        if busy {
            return self.respond(index, 486, "");
        }
        let number = self.next_call_number();
        let tag = self.token();
        self.calls.push(Call::incoming(number, request, tag, self.first_description()));
        self.servers[index].call = Some(number);
        self.tell(Notice::Incoming { call: number, from: Phone::caller_of(request) });
        match self.settings.answering {
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

    /// At once where the delay is nothing, so that no extra turn is needed.
    fn soon(&mut self, after: Duration, todo: Todo) {
        match (after.is_zero(), todo) {
            (true, Todo::Ring(number)) => self.ring_call(number),
            (true, Todo::Answer(number)) => self.answer_call(number),
            (true, Todo::Reject(number, status)) => self.reject_call(number, status),
            _ => self.later(after, todo),
        }
    }

    pub(super) fn ring_call(&mut self, number: u32) {
        if let (State::Incoming, Some(index)) = (self.find_call(number).state, self.invite_of(number)) {
            let tag = self.find_call(number).local_tag.clone();
            let ringing = self.response(index, 180, &tag).with("Contact", self.contact());
            self.send_response(index, 180, &ringing);
        }
    }

    pub(super) fn answer_call(&mut self, number: u32) {
        let (State::Incoming, Some(index)) = (self.find_call(number).state, self.invite_of(number)) else { return };
        let now = self.now;
        let ssrc = self.stream.next_u64() as u32;
        let offer = Session::read(&self.servers[index].request.body);
        let call = self.find_call(number);
        (call.state, call.final_status) = (State::Answered, Some(200));
        if let Ok(theirs) = offer {
            call.ours.direction = theirs.direction.answered();
            call.media = Some(Media::new(now, theirs.audio, call.ours.direction, ssrc));
        }
        self.send_200(index, number);
    }

    fn send_200(&mut self, index: usize, number: u32) {
        let call = self.find_call(number);
        let (tag, sdp) = (call.local_tag.clone(), call.ours.write());
        let answer = self.response(index, 200, &tag).with("Contact", self.contact()).with("Allow", ALLOW).with_sdp(sdp);
        self.send_response(index, 200, &answer);
    }

    pub(super) fn reject_call(&mut self, number: u32, status: u16) {
        if let (State::Incoming, Some(index)) = (self.find_call(number).state, self.invite_of(number)) {
            self.refuse(number, index, status, End::Refused(status));
        }
    }

    fn refuse(&mut self, number: u32, index: usize, status: u16, how: End) {
        let call = self.find_call(number);
        call.final_status = Some(status);
        let tag = call.local_tag.clone();
        self.respond(index, status, &tag);
        self.over(number, how);
    }

    /// A change of the session: agreed to, unless a change of our own is under way (RFC 3261 §14.2).
    fn on_reinvite(&mut self, index: usize, request: &Message) {
        let Some(number) = self.calls.iter().find(|call| call.owns(request)).map(|call| call.number) else {
            return self.respond(index, 481, "");
        };
        let is_changing = self.clients.iter().any(|client| {
            client.finished.is_none() && matches!(client.purpose, super::Purpose::Reinvite(n) if n == number)
        });
        let now = self.now;
        let cseq = request.cseq().map_or(0, |(number, _)| number);
        let call = self.find_call(number);
        let is_old = cseq <= call.remote_cseq;
        call.remote_cseq = call.remote_cseq.max(cseq);
        match (call.state, is_changing, is_old) {
            (State::Up, false, false) => {}
            (State::Up, true, _) => return self.respond(index, 491, ""),
            // RFC 3261 §12.2.2: a lower CSeq than the dialog's is answered 500
            (State::Up | State::Answered, ..) => return self.respond(index, 500, ""),
            _ => return self.respond(index, 481, ""),
        }
        call.learn_target(request);
        if let Ok(theirs) = Session::read(&request.body) {
            let direction = theirs.direction.answered();
            if direction != call.ours.direction {
                call.ours = Session { direction, version: call.ours.version + 1, ..call.ours };
            }
            if let Some(media) = &mut call.media {
                media.redirect(now, theirs.audio, direction);
            }
        }
        self.send_200(index, number);
    }

    pub(super) fn on_ack(&mut self, ack: &Message) {
        let refused = |s: &&mut super::Server| s.has_key_of(ack, "INVITE") && s.status >= 300;
        if let Some(server) = self.servers.iter_mut().find(refused) {
            return server.confirm();
        }
        let Some(server) = self.servers.iter_mut().find(|server| server.has_2xx_for(ack)) else {
            return self.violation(format!("ACK to nothing: CSeq {:?}", ack.get("CSeq")));
        };
        server.confirm();
        let Some(number) = server.call else { return };
        let call = self.find_call(number);
        if ack.to_tag() != Some(&call.local_tag) {
            return self.violation("ACK: the To tag is not the dialog's".to_owned());
        }
        if call.state != State::Answered {
            return;
        }
        (call.state, call.was_answered) = (State::Up, true);
        let wants_end = call.wants_end;
        self.tell(Notice::Answered { call: number });
        match (wants_end, self.settings.hang_up_after) {
            (true, _) => self.send_bye(number),
            (false, Some(after)) => self.later(after, Todo::HangUp(number)),
            (false, None) => {}
        }
    }

    /// 64*T1 went by without an ACK (RFC 3261 §13.3.1.4): the call is ended with a BYE.
    pub(super) fn on_no_ack(&mut self, index: usize) {
        let Some(number) = self.servers[index].call else { return };
        if self.find_call(number).state == State::Answered {
            self.send_bye(number);
            self.over(number, End::NoAck);
        }
    }

    /// RFC 3261 §9.2: the CANCEL is answered 200 where its INVITE is known, and the INVITE 487 where it still waits.
    pub(super) fn on_cancel(&mut self, index: usize, cancel: &Message) {
        let Some(invite) = self.servers.iter().position(|server| server.has_key_of(cancel, "INVITE")) else {
            return self.respond(index, 481, "");
        };
        let number = self.servers[invite].call;
        let tag = number.map(|number| self.find_call(number).local_tag.clone()).unwrap_or_default();
        self.respond(index, 200, &tag);
        if let Some(number) = number.filter(|number| self.find_call(*number).state == State::Incoming) {
            self.refuse(number, invite, 487, End::Cancelled);
        }
    }

    pub(super) fn on_bye(&mut self, index: usize, request: &Message) {
        let Some(number) = self.calls.iter().find(|call| call.owns(request)).map(|call| call.number) else {
            return self.respond(index, 481, "");
        };
        match self.find_call(number).state {
            State::Over(_) => self.respond(index, 481, ""),
            State::Incoming => {
                self.respond(index, 200, "");
                if let Some(invite) = self.invite_of(number) {
                    self.refuse(number, invite, 487, End::PeerHungUp);
                }
            }
            _ => {
                self.respond(index, 200, "");
                // no more resends of a 2xx whose call is gone
                if let Some(invite) = self.invite_of(number) {
                    self.servers[invite].confirm();
                }
                self.over(number, End::PeerHungUp);
            }
        }
    }
}
