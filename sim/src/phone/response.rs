//! What answers to the phone's requests lead to, challenges included.

use super::digest::{Account, Challenge};
use super::exchange::{BranchKey, Purpose};
use super::message::Message;
use super::settings::End;
use super::{CHALLENGE_ROUNDS, Notice, Phone, strict};
use std::net::SocketAddr;

impl Phone {
    /// Credentials on the nonce of an earlier challenge, where the phone does so and a challenge is to be expected.
    pub(super) fn credentials_again(&mut self, request: &Message) -> Option<(&'static str, String)> {
        let is_inside = request.to_tag().is_some();
        let has_them = request.get("Authorization").or(request.get("Proxy-Authorization")).is_some();
        (self.settings.reuse_nonce && !is_inside && !has_them && request.method() != Some("CANCEL")).then_some(())?;
        self.credentials(request)
    }

    pub(super) fn credentials(&mut self, request: &Message) -> Option<(&'static str, String)> {
        let cnonce = self.token();
        let account = Account { user: &self.settings.user, password: &self.settings.password };
        let (method, uri) = (request.method()?, request.uri()?);
        Some(self.challenge.as_mut()?.answer(account, method, uri, &cnonce))
    }

    pub(super) fn on_response(&mut self, from: SocketAddr, status: u16, response: &Message) {
        let key = BranchKey::of(response);
        let Some(index) = self.clients.iter().rposition(|client| client.is_answered_by(response, key)) else {
            return self.stray(format!("{status} to a request that was never sent: {:?}", response.get("CSeq")));
        };
        for wrong in strict::response(&self.clients[index].request, response, from, &self.settings) {
            self.fault(wrong);
        }
        self.note_where_seen(response);
        if let Purpose::Invite(number) = self.clients[index].purpose {
            self.check_bad_credentials(number, index, status);
        }
        let client = &mut self.clients[index];
        if client.finished.is_some() {
            return self.on_late_response(index, status, response);
        }
        if status < 200 {
            client.proceed();
            if let Purpose::Invite(call) = client.purpose {
                self.on_provisional(call, index, status, response);
            }
            return;
        }
        client.finish(self.now);
        let is_invite = client.is_invite();
        let purpose = client.purpose.clone();
        if is_invite && status >= 300 {
            self.acknowledge_refusal(index, response);
        }
        if matches!(status, 401 | 407) && self.answer_challenge(index, status, response) {
            return;
        }
        if status >= 300 {
            return self.on_failure(purpose, index, Some(response));
        }
        match purpose {
            Purpose::Register => self.on_registered(response),
            Purpose::Invite(call) => self.on_answer(call, index, response),
            Purpose::Reinvite(spot) | Purpose::Update(spot) => self.on_change_answer(spot, index, response),
            Purpose::Prack(spot) => self.on_prack_answer(spot, response),
            Purpose::Bye(spot) => self.on_bye_answer(spot),
            Purpose::Rogue(spot) if is_invite => self.acknowledge_2xx(spot, index, response, None),
            Purpose::Cancel | Purpose::Rogue(_) => {}
            Purpose::Within(_) | Purpose::Outside => {
                let method = self.clients[index].request.method().unwrap_or_default().to_owned();
                self.tell(Notice::Replied { method, status: Some(status) });
            }
        }
    }

    /// The request failed with this answer, or was never answered.
    pub(super) fn on_failure(&mut self, purpose: Purpose, index: usize, response: Option<&Message>) {
        let status = response.and_then(Message::status);
        match purpose {
            Purpose::Register => {
                self.after_failed_registering(response);
                self.tell(Notice::RegisterFailed { status });
            }
            Purpose::Invite(call) => {
                let was_cancelled = self.find_call(call).wants_end && status == Some(487);
                self.find_call(call).final_status = status;
                let how = match status {
                    Some(_) if was_cancelled => End::Cancelled,
                    Some(status) => End::Refused(status),
                    // RFC 3261 §9.1: what was cancelled and is not answered for 64*T1 is over all the same
                    None if self.find_call(call).wants_end => End::Cancelled,
                    None => End::TimedOut,
                };
                self.over(call, how);
            }
            Purpose::Bye(spot) => self.on_bye_answer(spot),
            Purpose::Reinvite(spot) | Purpose::Update(spot) => self.on_change_failure(spot, index, response),
            Purpose::Prack(spot) => self.on_prack_failure(spot, status),
            Purpose::Within(spot) => {
                let method = self.clients[index].request.method().unwrap_or_default().to_owned();
                self.tell(Notice::Replied { method, status });
                // RFC 3261 §12.2.1.2: these two, and no answer at all, end the dialog
                if matches!(status, None | Some(408 | 481)) {
                    self.end_call(spot.call);
                }
            }
            Purpose::Cancel | Purpose::Rogue(_) => {}
            Purpose::Outside => {
                let method = self.clients[index].request.method().unwrap_or_default().to_owned();
                self.tell(Notice::Replied { method, status });
            }
        }
    }

    /// Sends the request again with credentials (RFC 3261 §22.2); false where that would be no use.
    fn answer_challenge(&mut self, index: usize, status: u16, response: &Message) -> bool {
        let header = if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        let values: Vec<&str> = response.all(header).collect();
        let client = &self.clients[index];
        let (rounds, to, purpose) = (client.rounds + 1, client.to, client.purpose.clone());
        let mut request = client.request.clone();
        let was_answered = request.get("Authorization").or(request.get("Proxy-Authorization")).is_some();
        let is_stale = values.iter().any(|value| value.to_ascii_lowercase().contains("stale=true"));
        // a wrong password does not become right by saying it again
        if rounds > CHALLENGE_ROUNDS || (was_answered && !is_stale && !self.settings.reuse_nonce) {
            return false;
        }
        let Some(challenge) = Challenge::choose(status, &values, self.settings.algorithm) else { return false };
        if was_answered && rounds > 1 && !is_stale {
            return false;
        }
        self.challenge = Some(challenge);
        let Some(method) = request.cseq().map(|(_, method)| method.to_owned()) else { return false };
        for header in ["Via", "Authorization", "Proxy-Authorization"] {
            request.remove(header);
        }
        let number = self.next_number(&purpose, &request);
        request.set("CSeq", format!("{number} {method}"));
        if let Some((name, value)) = self.credentials(&request) {
            request.set(name, value);
        }
        self.send_request(request, to, purpose, rounds);
        true
    }

    /// The CSeq number of a request that is sent again under another one.
    fn next_number(&mut self, purpose: &Purpose, request: &Message) -> u32 {
        let next = request.cseq().map_or(1, |(number, _)| number + 1);
        match purpose {
            Purpose::Register => self.registration.cseq = next,
            Purpose::Invite(number) => {
                let call = self.find_call(*number);
                call.dialogs.iter_mut().chain(&mut call.seed).for_each(|dialog| dialog.local_cseq = next);
            }
            Purpose::Cancel | Purpose::Outside => {}
            Purpose::Reinvite(spot)
            | Purpose::Update(spot)
            | Purpose::Prack(spot)
            | Purpose::Bye(spot)
            | Purpose::Within(spot)
            | Purpose::Rogue(spot) => {
                // others may have gone out meanwhile
                let dialog = self.dialog(*spot);
                dialog.local_cseq += 1;
                return dialog.local_cseq;
            }
        }
        next
    }
}
