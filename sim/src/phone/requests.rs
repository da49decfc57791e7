//! Requests out and in, and the answers to those that come in.

use super::dialog::Spot;
use super::exchange::{self, BranchKey, Client, Purpose, Server};
use super::message::Message;
use super::misbehave::Moment;
use super::{Phone, strict};
use std::net::SocketAddr;
use std::sync::Arc;

impl Phone {
    /// Begins a request: gives it a branch of its own and sends it until it is answered.
    pub(super) fn send_request(&mut self, mut request: Message, to: SocketAddr, purpose: Purpose, rounds: u8) {
        request = request.with_first("Via", self.new_via());
        let begun = match purpose {
            Purpose::Invite(number) => Some(number),
            _ => None,
        };
        let bad = begun.and_then(|number| self.bad_credentials(number, &request));
        if let Some((name, value)) = bad.or_else(|| self.credentials_again(&request)) {
            request.set(name, value);
        }
        begun.into_iter().for_each(|number| self.spoil(number, &mut request));
        let client = Client::new(self.now, request, to, purpose, rounds);
        self.out.push_back((to, client.bytes()));
        self.clients.push(client);
        if let Some(call) = begun {
            self.misbehave(Moment::Inviting, Spot { call, dialog: 0 });
        }
    }

    pub(super) fn on_request(&mut self, from: SocketAddr, mut request: Message) {
        for wrong in strict::request(&request, from, &self.settings) {
            self.fault(wrong);
        }
        let method = request.method().unwrap_or_default().to_owned();
        if method == "ACK" {
            return self.on_ack(&request);
        }
        let key = BranchKey::of(&request);
        if let Some(server) = self.servers.iter().find(|server| server.has_key_of(&request, key, &method)) {
            self.out.extend(server.repeat());
            return;
        }
        exchange::fill_rport(&mut request, from);
        let request = Arc::new(request);
        self.servers.push(Server::new(self.now, request.clone(), key, from));
        let index = self.servers.len() - 1;
        if self.demand_credentials(index, &request) {
            return;
        }
        match method.as_str() {
            "INVITE" => self.on_invite(index, &request),
            "CANCEL" => self.on_cancel(index, &request),
            "BYE" => self.on_bye(index, &request),
            "PRACK" => self.on_prack(index, &request),
            "UPDATE" => self.on_update(index, &request),
            "REFER" => self.on_refer(index, &request),
            "NOTIFY" => self.on_notify(index, &request),
            "SUBSCRIBE" => self.on_subscribe(index, &request),
            "REGISTER" => self.on_register(index, &request),
            _ => self.on_other(index, &request),
        }
    }

    /// Answers a request. `tag` goes into To where it has none; empty: a fresh one.
    pub(super) fn respond(&mut self, index: usize, status: u16, tag: &str) {
        let response = self.response(index, status, tag);
        self.send_response(index, status, &response);
    }

    pub(super) fn response(&mut self, index: usize, status: u16, tag: &str) -> Message {
        let fresh = if tag.is_empty() { self.token() } else { tag.to_owned() };
        let request = &self.servers[index].request;
        let mut response = Message::response(request, status);
        if status > 100 && request.to_tag().is_none() {
            let to = request.get("To").unwrap_or_default();
            response.set("To", format!("{to};tag={fresh}"));
        }
        response
    }

    pub(super) fn send_response(&mut self, index: usize, status: u16, response: &Message) {
        let out = self.servers[index].answer(self.now, response, status);
        self.out.push_back(out);
    }
}
