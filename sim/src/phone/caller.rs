//! The calling side, and what either side does inside an established call.

use super::call::{Call, State};
use super::exchange::{Purpose, via};
use super::message::Message;
use super::rtp::Media;
use super::sdp::{Direction, Session};
use super::{End, Notice, Phone, Todo};
use crosspoint_core::time::Instant;

impl Phone {
    /// Calls a user of the switch; the call's number.
    pub fn call(&mut self, now: Instant, target: &str) -> u32 {
        self.tick(now);
        let number = self.next_call_number();
        let (call_id, tag) = (self.token(), self.token());
        let to = format!("sip:{target}@{}", self.settings.domain);
        let call = Call::outgoing(number, call_id, tag, &self.own_uri(), &to, self.first_description());
        let invite =
            call.request("INVITE", 1).with("Contact", self.contact()).with("Allow", ALLOW).with_sdp(call.ours.write());
        self.calls.push(call);
        self.send_request(invite, self.settings.server, Purpose::Invite(number), 0);
        number
    }

    /// Ends the current call in the way its state demands: CANCEL, refusal, BYE. A no-op without one.
    pub fn hang_up(&mut self, now: Instant) {
        self.tick(now);
        if let Some(number) = self.current_call().map(|call| call.number) {
            self.end_call(number);
        }
    }

    /// Ends this call, as [`Phone::hang_up`] does the current one. A no-op where it is over, or there is none.
    pub fn hang_up_call(&mut self, now: Instant, number: u32) {
        self.tick(now);
        if self.calls.iter().any(|call| call.number == number) {
            self.end_call(number);
        }
    }

    /// Puts the far side on hold, with a re-INVITE. A no-op unless a call is up.
    pub fn hold(&mut self, now: Instant) {
        self.reinvite(now, Direction::SendOnly);
    }

    /// Takes the far side off hold. A no-op unless a call is up.
    pub fn resume(&mut self, now: Instant) {
        self.reinvite(now, Direction::SendRecv);
    }

    /// Sends INFO, MESSAGE or OPTIONS inside the current call. A no-op unless it is up.
    pub fn send_within(&mut self, now: Instant, method: &str, body: &str) {
        self.tick(now);
        let Some(number) = self.call_that_is_up() else { return };
        let call = self.find_call(number);
        call.local_cseq += 1;
        let mut request = call.request(method, call.local_cseq);
        if !body.is_empty() {
            request = request.with("Content-Type", "text/plain");
            body.clone_into(&mut request.body);
        }
        self.send_within_call(number, request, Purpose::Within(number));
    }

    fn reinvite(&mut self, now: Instant, direction: Direction) {
        self.tick(now);
        let Some(number) = self.call_that_is_up() else { return };
        let contact = self.contact();
        let call = self.find_call(number);
        call.local_cseq += 1;
        call.ours = Session { direction, version: call.ours.version + 1, ..call.ours };
        let request = call.request("INVITE", call.local_cseq).with("Contact", contact).with_sdp(call.ours.write());
        self.send_within_call(number, request, Purpose::Reinvite(number));
    }

    fn call_that_is_up(&self) -> Option<u32> {
        self.current_call().filter(|call| call.state == State::Up).map(|call| call.number)
    }

    pub(super) fn next_call_number(&self) -> u32 {
        u32::try_from(self.calls.len()).expect("a phone makes fewer than 2^32 calls") + 1
    }

    pub(super) fn first_description(&self) -> Session {
        Session { audio: self.settings.audio, direction: Direction::SendRecv, version: 1 }
    }

    pub(super) fn send_within_call(&mut self, number: u32, request: Message, purpose: Purpose) {
        let to = self.next_hop(number);
        self.send_request(request, to, purpose, 0);
    }

    fn next_hop(&mut self, number: u32) -> std::net::SocketAddr {
        let (hop, server) = (self.find_call(number).next_hop(), self.settings.server);
        if hop.is_none() {
            let target = self.find_call(number).remote_target.clone();
            self.violation(format!("the far side's target {target} is no address"));
        }
        hop.unwrap_or(server)
    }

    /// Ends a call as soon as the protocol allows it (RFC 3261 §9.1, §15).
    pub(super) fn end_call(&mut self, number: u32) {
        let call = self.find_call(number);
        match call.state {
            State::Calling | State::Answered => call.wants_end = true,
            State::Proceeding if !call.wants_end => {
                call.wants_end = true;
                self.send_cancel(number);
            }
            State::Incoming => self.reject_call(number, 603),
            State::Up => self.send_bye(number),
            State::Proceeding | State::Ending | State::Over(_) => {}
        }
    }

    pub(super) fn send_bye(&mut self, number: u32) {
        let call = self.find_call(number);
        (call.state, call.media) = (State::Ending, None);
        call.local_cseq += 1;
        let bye = call.request("BYE", call.local_cseq);
        self.send_within_call(number, bye, Purpose::Bye(number));
    }

    /// CANCEL is the INVITE's twin: same Request-URI, branch, From, To, Call-ID and CSeq number (RFC 3261 §9.1).
    fn send_cancel(&mut self, number: u32) {
        let now = self.now;
        let pending = |c: &&mut super::Client| c.purpose == Purpose::Invite(number) && c.finished.is_none();
        let Some(invite) = self.clients.iter_mut().find(pending) else { return };
        invite.expect_end(now);
        let (request, to) = (twin(&invite.request, "CANCEL"), invite.to);
        let client = super::Client::new(now, request, to, Purpose::Cancel, 0);
        self.out.push_back((to, client.bytes()));
        self.clients.push(client);
    }

    pub(super) fn on_provisional(&mut self, number: u32, status: u16, response: &Message) {
        let call = self.find_call(number);
        if !matches!(call.state, State::Calling | State::Proceeding) {
            return;
        }
        let is_first = call.state == State::Calling;
        call.state = State::Proceeding;
        let wants_end = call.wants_end;
        if status > 100 {
            call.learn(response);
            self.tell(Notice::Ringing { call: number });
        }
        if is_first && wants_end {
            self.send_cancel(number);
        }
    }

    /// A 2xx: acknowledge it, and talk, or hang up where the call was cancelled meanwhile.
    pub(super) fn on_answer(&mut self, number: u32, index: usize, response: &Message) {
        let now = self.now;
        let ssrc = self.stream.next_u64() as u32;
        let call = self.find_call(number);
        call.learn(response);
        let was_over = call.is_over();
        call.final_status = response.status();
        if !was_over {
            (call.state, call.was_answered) = (State::Up, true);
            if let Ok(theirs) = Session::read(&response.body) {
                call.media = Some(Media::new(now, theirs.audio, call.ours.direction, ssrc));
            }
        }
        let wants_end = call.wants_end;
        self.acknowledge_2xx(number, index, response);
        if was_over {
            return;
        }
        self.tell(Notice::Answered { call: number });
        match (wants_end, self.settings.hang_up_after) {
            (true, _) => self.send_bye(number),
            (false, Some(after)) => self.later(after, Todo::HangUp(number)),
            (false, None) => {}
        }
    }

    pub(super) fn on_reinvite_answer(&mut self, number: u32, index: usize, response: &Message) {
        let now = self.now;
        let call = self.find_call(number);
        call.learn(response);
        let direction = call.ours.direction;
        if let (Some(media), Ok(theirs)) = (&mut call.media, Session::read(&response.body)) {
            media.redirect(now, theirs.audio, direction);
        }
        self.acknowledge_2xx(number, index, response);
        self.tell(Notice::Replied { method: "INVITE".to_owned(), status: response.status() });
    }

    /// The ACK of a 2xx is a request of its own (RFC 3261 §13.2.2.4), with the INVITE's CSeq number and credentials.
    fn acknowledge_2xx(&mut self, number: u32, index: usize, response: &Message) {
        if !self.settings.acknowledges {
            return;
        }
        let to = self.next_hop(number);
        let branch = format!("z9hG4bK{}", self.token());
        let invite = self.clients[index].request.clone();
        let cseq = invite.cseq().map_or(0, |(number, _)| number);
        let mut ack = self.find_call(number).request("ACK", cseq);
        ack.headers.insert(0, ("Via".to_owned(), via(self.settings.local, &branch)));
        for name in ["Authorization", "Proxy-Authorization"] {
            if let Some(value) = invite.get(name) {
                ack.set(name, value);
            }
        }
        let bytes = ack.to_bytes();
        let tag = response.to_tag().unwrap_or_default().to_owned();
        self.clients[index].ack = Some((to, bytes.clone(), tag));
        self.out.push_back((to, bytes));
    }

    /// The ACK of a refusal is part of the INVITE's transaction (RFC 3261 §17.1.1.3).
    pub(super) fn acknowledge_refusal(&mut self, index: usize, response: &Message) {
        let client = &self.clients[index];
        let mut ack = twin(&client.request, "ACK");
        ack.set("To", response.get("To").unwrap_or_default());
        let (to, bytes) = (client.to, ack.to_bytes());
        let tag = response.to_tag().unwrap_or_default().to_owned();
        self.clients[index].ack = Some((to, bytes.clone(), tag));
        self.out.push_back((to, bytes));
    }

    /// An answer to what has been answered: a final one to an INVITE is acknowledged again.
    pub(super) fn on_late_response(&mut self, index: usize, status: u16, response: &Message) {
        let client = &self.clients[index];
        if !client.is_invite() || status < 200 {
            return;
        }
        match &client.ack {
            Some((to, bytes, tag)) if response.to_tag() == Some(tag) => self.out.push_back((*to, bytes.clone())),
            Some(_) => self.violation(format!("a second final answer {status} to one INVITE, with another To tag")),
            None => {}
        }
    }

    /// The call is over, once.
    pub(super) fn over(&mut self, number: u32, how: End) {
        let call = self.find_call(number);
        if !call.is_over() {
            (call.state, call.media) = (State::Over(how), None);
            self.tell(Notice::Ended { call: number, how });
        }
    }
}

/// What the phone understands.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, INFO";

/// A CANCEL or a refusal's ACK made from its INVITE.
fn twin(invite: &Message, method: &str) -> Message {
    let number = invite.cseq().map_or(0, |(number, _)| number);
    let mut request = Message::request(method, invite.uri().unwrap_or_default());
    for name in ["Via", "Max-Forwards", "Route", "From", "To", "Call-ID"] {
        for value in invite.all(name) {
            request = request.with(name, value);
        }
    }
    request.with("CSeq", format!("{number} {method}"))
}
