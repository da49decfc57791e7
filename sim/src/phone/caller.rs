//! The calling side, and how either side ends a call.

use super::call::{Call, State};
use super::dialog::{Spot, Stage};
use super::exchange::Purpose;
use super::message::{Message, Text, address_of};
use super::misbehave::{Misbehaviour, Moment};
use super::reliable::{OPTION, Reliability, lists};
use super::script::X_OP;
use super::sdp::{Session, of_message};
use super::{End, Notice, Phone, Todo};
use bytes::Bytes;
use crosspoint_core::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// What the phone understands.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, INFO";
/// What a phone understands that does RFC 3262.
const ALLOW_MORE: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, INFO, PRACK, UPDATE, REFER, NOTIFY, SUBSCRIBE";

impl Phone {
    /// Calls a user of the switch; the call's number.
    pub fn call(&mut self, now: Instant, target: &str) -> u32 {
        self.call_with(now, target, &[])
    }

    /// The same, with these headers in the INVITE besides.
    pub fn call_with(&mut self, now: Instant, target: &str, headers: &[(&str, &str)]) -> u32 {
        self.call_for(now, 0, target, headers)
    }

    /// The same for an op of a scenario: its [`super::Script`] says how the call goes, and its INVITE names the op in a
    /// header `X-Op`.
    pub fn call_for(&mut self, now: Instant, op: u64, target: &str, headers: &[(&str, &str)]) -> u32 {
        self.tick(now);
        let to = match target.contains('@') {
            true => format!("sip:{target}"),
            false => format!("sip:{target}@{}", self.settings.domain),
        };
        let headers: Vec<(&str, String)> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.place(op, &to, &headers)
    }

    /// Places a call to a URI for this op, or for none, with further headers in its INVITE.
    pub(super) fn place(&mut self, op: u64, to: &str, headers: &[(&str, String)]) -> u32 {
        let number = self.next_call_number();
        let (call_id, tag) = (self.token(), self.token());
        let first = Session { direction: self.settings.offers, ..self.first_description(number) };
        let mut call = Call::outgoing(number, call_id, tag, &self.own_uri(), to, first);
        call.ends_at = self.longest_call();
        (call.op, call.script) = (op, self.script_for(op));
        let reliability = call.script.reliability.unwrap_or(self.settings.reliability);
        let more = if reliability == Reliability::Unsupported { ALLOW } else { ALLOW_MORE };
        let more = Text::Fixed(more);
        let mut invite = call.request(0, "INVITE", 1).with("Contact", self.contact()).with("Allow", more);
        match reliability {
            Reliability::Unsupported => {}
            Reliability::Supported => invite = invite.with("Supported", OPTION),
            Reliability::Required => invite = invite.with("Require", OPTION),
        }
        for (name, value) in headers {
            invite = invite.with(name, value.clone());
        }
        if op > 0 {
            invite = invite.with(X_OP, op.to_string());
        }
        if call.script.makes_offer.unwrap_or(self.settings.makes_offer) {
            let wanted = call.wanted.clone();
            invite = invite.with_sdp(call.dialog_mut().talk.offer(wanted, false));
        }
        call.dialog_mut().talk.may_be_overtaken = !self.settings.crossing_grace.is_zero();
        call.seed = Some(call.dialog().clone());
        self.calls.push(call);
        let to = address_of(to).filter(|_| self.settings.is_direct).unwrap_or(self.settings.server);
        self.send_request(invite, to, Purpose::Invite(number), 0);
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
        if self.calls.get(number).is_some() {
            self.end_call(number);
        }
    }

    pub(super) fn next_call_number(&mut self) -> u32 {
        self.calls_made += 1;
        self.calls_made
    }

    /// The next request inside a dialog; Via comes on sending.
    pub(super) fn next_request(&mut self, spot: Spot, method: &str) -> Message {
        let call = self.find_call(spot.call);
        let dialog = &mut call.dialogs[spot.dialog];
        dialog.local_cseq += 1;
        let cseq = dialog.local_cseq;
        call.request(spot.dialog, method, cseq)
    }

    pub(super) fn send_within_call(&mut self, spot: Spot, request: Message, purpose: Purpose) {
        let to = self.next_hop(spot);
        self.send_request(request, to, purpose, 0);
    }

    fn next_hop(&mut self, spot: Spot) -> SocketAddr {
        let (hop, server) = (self.dialog(spot).next_hop(), self.settings.server);
        if hop.is_none() {
            let target = self.dialog(spot).remote_target.clone();
            self.violation(format!("the far side's target {target} is no address"));
        }
        hop.unwrap_or(server)
    }

    /// The CSeq number under which the INVITE of this call went out last.
    pub(super) fn invite_cseq(&self, number: u32) -> u32 {
        let invite = self.clients.iter().rev().find(|client| client.purpose == Purpose::Invite(number));
        invite.and_then(|invite| invite.request.cseq()).map_or(0, |(number, _)| number)
    }

    /// Ends a call as soon as the protocol allows it (RFC 3261 §9.1, §15).
    pub(super) fn end_call(&mut self, number: u32) {
        let call = self.find_call(number);
        let spot = Spot { call: number, dialog: call.current };
        match call.state {
            State::Calling | State::Answered => call.wants_end = true,
            State::Proceeding if !call.wants_end => {
                call.wants_end = true;
                self.cancel_invite(number);
            }
            State::Incoming => self.reject_call(number, 603),
            State::Up => self.send_bye(spot),
            State::Proceeding | State::Ending | State::Over(_) => {}
        }
    }

    pub(super) fn send_bye(&mut self, spot: Spot) {
        self.drop_changes(spot);
        let now = self.now;
        let call = self.find_call(spot.call);
        if spot.dialog == call.current {
            call.state = State::Ending;
            call.left_at.get_or_insert((now, true));
        }
        if self.find_call(spot.call).current == spot.dialog {
            self.fall_silent(spot.call);
        }
        let bye = self.next_request(spot, "BYE");
        let bye = self.with_reason(bye);
        self.send_within_call(spot, bye, Purpose::Bye(spot));
        self.misbehave(Moment::Ending, spot);
    }

    /// Says why it ends the call (RFC 3326), where the settings do.
    fn with_reason(&self, request: Message) -> Message {
        match &self.settings.reason {
            Some(reason) => request.with("Reason", reason.clone()),
            None => request,
        }
    }

    pub(super) fn on_bye_answer(&mut self, spot: Spot) {
        self.dialog(spot).stage = Stage::Gone;
        if self.find_call(spot.call).current == spot.dialog {
            self.over(spot.call, End::HungUp);
        }
    }

    fn cancel_invite(&mut self, number: u32) {
        let is_cancelled =
            |branch: &str| self.clients.iter().any(|c| c.purpose == Purpose::Cancel && c.request.branch() == branch);
        let pending = |c: &super::Client| {
            c.purpose == Purpose::Invite(number) && c.finished.is_none() && !is_cancelled(c.request.branch())
        };
        if let Some(index) = self.clients.iter().position(pending) {
            self.send_cancel(index);
        }
    }

    pub(super) fn send_cancel(&mut self, index: usize) {
        let now = self.now;
        self.clients[index].expect_end(now);
        self.send_cancel_of(index);
    }

    /// CANCEL is the INVITE's twin: same Request-URI, branch, From, To, Call-ID and CSeq number (RFC 3261 §9.1).
    pub(super) fn send_cancel_of(&mut self, index: usize) {
        let now = self.now;
        let invite = &self.clients[index];
        let (request, to) = (twin(&invite.request, "CANCEL"), invite.to);
        let request = self.with_reason(request);
        let client = super::Client::new(now, request, to, Purpose::Cancel, 0);
        self.out.push_back((to, client.bytes()));
        self.clients.push(client);
    }

    pub(super) fn on_provisional(&mut self, number: u32, index: usize, status: u16, response: &Message) {
        let call = self.find_call(number);
        if !matches!(call.state, State::Calling | State::Proceeding) {
            return;
        }
        let is_first = call.state == State::Calling;
        call.state = State::Proceeding;
        let wants_end = call.wants_end;
        if status > 100 && self.hear(number, index, response) {
            self.tell(Notice::Ringing { call: number });
            self.report_transfer(number, status);
        }
        if is_first && wants_end {
            self.cancel_invite(number);
        }
    }

    /// Takes a provisional answer into its dialog; false where it has been heard before, or is out of order.
    fn hear(&mut self, number: u32, index: usize, response: &Message) -> bool {
        let had_offer = of_message(&self.clients[index].request).is_some();
        let call = self.find_call(number);
        let spot = Spot { call: number, dialog: call.dialog_for(response) };
        call.current = spot.dialog;
        if lists(response, "Require") {
            return self.on_reliable(spot, had_offer, response);
        }
        if response.get("RSeq").is_some() {
            self.violation("RSeq without Require: 100rel".to_owned());
        }
        if let Some(sdp) = of_message(response).filter(|_| had_offer) {
            match self.dialog(spot).talk.on_preview(sdp) {
                Ok(theirs) => self.preview_media(number, &theirs),
                Err(wrong) => self.complain("1xx", wrong),
            }
        }
        true
    }

    /// A 2xx: acknowledge it, and talk, or hang up where the call was cancelled meanwhile.
    pub(super) fn on_answer(&mut self, number: u32, index: usize, response: &Message) {
        let now = self.now;
        let call = self.find_call(number);
        call.answered_at.get_or_insert(now);
        let was_over = call.is_over();
        let spot = Spot { call: number, dialog: call.dialog_for(response) };
        call.final_status = response.status();
        if !was_over {
            call.current = spot.dialog;
            (call.state, call.was_answered) = (State::Up, true);
            call.dialogs.iter_mut().for_each(|dialog| dialog.stage = Stage::Gone);
            call.dialogs[spot.dialog].stage = Stage::Confirmed;
        }
        self.check_debts(spot);
        let body = self.take_final_description(spot, index, response);
        if !was_over && self.plays(number, Misbehaviour::ByeBeforeAck) {
            self.send_bye(spot);
        }
        self.acknowledge_2xx(spot, index, response, body);
        if was_over {
            return;
        }
        self.sync_media(spot);
        self.tell(Notice::Answered { call: number });
        self.report_transfer(number, 200);
        self.misbehave(Moment::Confirmed, spot);
        // nothing was agreed on: there is nothing to talk in
        let is_mute = self.dialog(spot).talk.agreed().is_none();
        let (wants_end, after) = (self.find_call(number).wants_end || is_mute, self.hang_up_after_in(number));
        match (wants_end, after) {
            (true, _) => self.end_call(number),
            (false, Some(after)) => self.later(after, Todo::HangUp(number)),
            (false, None) => {}
        }
    }

    /// What the 2xx of an INVITE describes: the answer, the offer, or nothing new. What the ACK is to say to it.
    fn take_final_description(&mut self, spot: Spot, index: usize, response: &Message) -> Option<String> {
        let had_offer = of_message(&self.clients[index].request).is_some();
        let talk = &mut self.dialog(spot).talk;
        match (talk.agreed().is_some(), of_message(response)) {
            (true, Some(again)) => {
                let wrong = talk.on_repeated(again);
                self.complain("200 to INVITE after a reliable 1xx", wrong);
                None
            }
            (true, None) => None,
            (false, Some(answer)) if had_offer => {
                let wrong = talk.on_answer(answer);
                self.complain("200 to INVITE", wrong);
                None
            }
            (false, Some(_)) => self.take_offer(spot, response),
            (false, None) => {
                talk.roll_back();
                self.violation("200 to INVITE: no SDP where there must be one".to_owned());
                None
            }
        }
    }

    /// The ACK of a 2xx is a request of its own (RFC 3261 §13.2.2.4), with the INVITE's CSeq number and credentials.
    pub(super) fn acknowledge_2xx(&mut self, spot: Spot, index: usize, response: &Message, body: Option<String>) {
        let is_first = matches!(self.clients[index].purpose, Purpose::Invite(_));
        let after = if is_first { self.acks_after(spot.call) } else { vec![Duration::ZERO] };
        if !self.settings.acknowledges {
            return;
        }
        let to = self.next_hop(spot);
        let invite = self.clients[index].request.clone();
        let cseq = invite.cseq().map_or(0, |(number, _)| number);
        let mut ack = self.find_call(spot.call).request(spot.dialog, "ACK", cseq);
        ack = ack.with_first("Via", self.new_via());
        for name in ["Authorization", "Proxy-Authorization"] {
            if let Some(value) = invite.get(name) {
                ack.set(name, value);
            }
        }
        if let Some(body) = body {
            ack = ack.with_sdp(body);
        }
        for after in after {
            match after.is_zero() {
                true => self.keep_ack(index, to, &ack, response),
                false => self.later(after, Todo::Send(to, ack.to_bytes().into())),
            }
        }
        let now = self.now;
        self.dialog(spot).changes.acked_at = Some(now);
    }

    /// The ACK of a refusal is part of the INVITE's transaction (RFC 3261 §17.1.1.3).
    pub(super) fn acknowledge_refusal(&mut self, index: usize, response: &Message) {
        let client = &self.clients[index];
        let mut ack = twin(&client.request, "ACK");
        ack.set("To", response.get("To").unwrap_or_default());
        self.keep_ack(index, client.to, &ack, response);
    }

    fn keep_ack(&mut self, index: usize, to: SocketAddr, ack: &Message, response: &Message) {
        let bytes = Bytes::from(ack.to_bytes());
        let tag = response.to_tag().unwrap_or_default().to_owned();
        self.clients[index].acks.push((to, bytes.clone(), tag));
        self.out.push_back((to, bytes));
    }

    /// An answer to what has been answered: a final one to an INVITE is acknowledged again.
    pub(super) fn on_late_response(&mut self, index: usize, status: u16, response: &Message) {
        let client = &self.clients[index];
        if !client.is_invite() || status < 200 || client.acks.is_empty() {
            return;
        }
        let again = client.acks.iter().find(|(_, _, tag)| response.to_tag() == Some(tag));
        if let Some((to, bytes, _)) = again {
            return self.out.push_back((*to, bytes.clone()));
        }
        if !(self.settings.may_fork || self.settings.doubts.restarts) {
            self.violation(format!("a second final answer {status} to one INVITE, with another To tag"));
        }
        match client_call(&self.clients[index].purpose) {
            Some(number) if status < 300 => self.release_branch(number, index, response),
            _ => {}
        }
    }

    /// A further branch of a fork has answered: it is acknowledged and hung up (RFC 3261 §13.2.2.4).
    fn release_branch(&mut self, number: u32, index: usize, response: &Message) {
        let call = self.find_call(number);
        let current = call.current;
        let spot = Spot { call: number, dialog: call.dialog_for(response) };
        self.find_call(number).current = current;
        self.dialog(spot).stage = Stage::Confirmed;
        let body = self.take_final_description(spot, index, response);
        self.acknowledge_2xx(spot, index, response, body);
        self.send_bye(spot);
    }

    /// The call is over, once.
    pub(super) fn over(&mut self, number: u32, how: End) {
        let now = self.now;
        let call = self.find_call(number);
        if call.is_over() {
            return;
        }
        call.left_at.get_or_insert((now, false));
        let spot = Spot { call: number, dialog: call.current };
        call.state = State::Over(how);
        call.wants_answer = false;
        self.fall_silent(number);
        self.drop_changes(spot);
        self.find_call(number).dialogs.iter_mut().for_each(|dialog| dialog.stage = Stage::Gone);
        self.tell(Notice::Ended { call: number, how });
        let status = match how {
            End::Refused(status) => status,
            End::TimedOut => 408,
            _ => 487,
        };
        self.report_transfer(number, status);
        self.misbehave(Moment::Over, spot);
    }
}

fn client_call(purpose: &Purpose) -> Option<u32> {
    match purpose {
        Purpose::Invite(number) => Some(*number),
        _ => None,
    }
}

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
