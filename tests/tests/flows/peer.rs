//! One of those whom the switch talks to: what it has heard and said, and what follows for its next message.

use crate::script::{Kind, Person};
use crosspoint_sim::phone::digest::{Account, Algorithm, Challenge};
use crosspoint_sim::phone::message::{Message, param, uri_of};
use std::net::SocketAddr;

/// The password of every phone.
pub(crate) const PASSWORD: &str = "zanzibar";

/// A dialog with the switch, as this side sees it.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    /// The Call-ID that the RFC prints for it; the switch's own leg has another.
    printed_call_id: Option<String>,
    /// Its Call-ID.
    pub(crate) call_id: String,
    /// From of this side's requests.
    pub(crate) local: String,
    /// To of this side's requests.
    pub(crate) remote: String,
    /// Request-URI of this side's requests.
    pub(crate) target: String,
    /// CSeq number of this side's last request but ACK.
    pub(crate) own_cseq: u32,
    /// CSeq number of this side's last INVITE.
    pub(crate) invite_cseq: u32,
}

impl Dialog {
    /// What this side writes into Replaces for somebody who is to take its place (RFC 3891 §3): To is the far side.
    pub(crate) fn replaces(&self) -> String {
        let tag = |value| param(value, "tag").unwrap_or_default();
        format!("{};to-tag={};from-tag={}", self.call_id, tag(&self.remote), tag(&self.local))
    }

    /// What the other side writes into Replaces for somebody whom it sends here: To is this side.
    pub(crate) fn replaced_here(&self) -> String {
        let tag = |value| param(value, "tag").unwrap_or_default();
        format!("{};to-tag={};from-tag={}", self.call_id, tag(&self.local), tag(&self.remote))
    }
}

/// A scripted peer.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its name in the script.
    pub(crate) name: &'static str,
    /// The user part of its addresses.
    pub(crate) user: &'static str,
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// What it is to the switch.
    pub(crate) kind: Kind,
    /// What it has sent.
    pub(crate) sent: Vec<Message>,
    /// What it has received.
    pub(crate) received: Vec<Message>,
    dialogs: Vec<Dialog>,
    challenge: Option<Challenge>,
    counted: u32,
}

impl Peer {
    /// One that has said nothing yet.
    pub(crate) fn new(person: &Person) -> Peer {
        let address = format!("{}:5060", person.address);
        let address = person.address.parse().or_else(|_| address.parse()).expect("an address, with or without port");
        let Person { name, user, kind, .. } = *person;
        Peer { name, user, address, kind, sent: vec![], received: vec![], dialogs: vec![], challenge: None, counted: 0 }
    }

    /// A number for what must be new.
    pub(crate) fn count(&mut self) -> u32 {
        self.counted += 1;
        self.counted
    }

    /// The last number that [`Peer::count`] gave.
    pub(crate) fn counted(&self) -> u32 {
        self.counted
    }

    /// Its own Contact, where the RFC prints none.
    pub(crate) fn contact(&self) -> String {
        match self.kind {
            Kind::Phone(contact) if !contact.is_empty() => format!("<{contact}>"),
            _ => format!("<sip:{}@{}>", self.user, self.address),
        }
    }

    /// Its answer to the last challenge.
    pub(crate) fn credentials(&mut self, method: &str, uri: &str, is_wrong: bool) -> Option<String> {
        let account = Account { user: self.user, password: if is_wrong { "guess" } else { PASSWORD } };
        Some(self.challenge.as_mut()?.answer(account, method, uri, "0a4f113b").1)
    }

    /// The request that a response of this method, and of this printed Call-ID where the dialog is known, answers.
    pub(crate) fn to_answer(&self, method: Option<&str>, printed_call_id: Option<&str>) -> &Message {
        let known = self.dialog(printed_call_id).map(|dialog| dialog.call_id.as_str());
        let asks = |message: &&Message| match (message.method(), method) {
            (Some(asked), Some(method)) => asked == method,
            (Some(asked), None) => asked != "ACK",
            (None, _) => false,
        };
        let is_done = |asked: &Message| {
            let is_answer =
                |m: &&Message| m.status() >= Some(200) && m.branch() == asked.branch() && m.cseq() == asked.cseq();
            self.sent.iter().any(|m| is_answer(&m))
        };
        let mut all = self.received.iter().rev().filter(asks).filter(|asked| !is_done(asked));
        let in_dialog = all.clone().find(|message| Some(message.call_id()) == known);
        let found = in_dialog.or_else(|| all.next());
        found.unwrap_or_else(|| panic!("{} has nothing to answer with a response to {method:?}", self.name))
    }

    /// The dialog that the RFC prints this Call-ID for; the latest where it prints none, or one that is only printed.
    pub(crate) fn dialog(&self, printed_call_id: Option<&str>) -> Option<&Dialog> {
        let named = |dialog: &&Dialog| {
            printed_call_id.is_some_and(|id| dialog.printed_call_id.as_deref() == Some(id) || dialog.call_id == id)
        };
        self.dialogs.iter().rev().find(named).or_else(|| self.dialogs.last())
    }

    /// RAck for the last reliable answer it has received (RFC 3262 §7.2).
    pub(crate) fn rack(&self) -> String {
        let last = self.received.iter().rev().find_map(|message| Some((message.get("RSeq")?, message.get("CSeq")?)));
        let (rseq, cseq) = last.expect("a reliable answer has come");
        format!("{rseq} {cseq}")
    }

    /// To of the early dialog of this number, from 1, in the order in which they began.
    pub(crate) fn nth_early(&self, number: usize) -> &str {
        let is_early = |message: &&Message| matches!(message.status(), Some(101..200)) && message.to_tag().is_some();
        let mut found: Vec<&str> = Vec::new();
        for to in self.received.iter().filter(is_early).filter_map(|message| message.get("To")) {
            if !found.contains(&to) {
                found.push(to);
            }
        }
        let at = number.checked_sub(1).and_then(|at| found.get(at));
        at.unwrap_or_else(|| panic!("{} has no early dialog {number}", self.name))
    }

    /// Its dialog of this number, from 1, in the order in which they began.
    pub(crate) fn nth_dialog(&self, number: usize) -> &Dialog {
        let found = number.checked_sub(1).and_then(|at| self.dialogs.get(at));
        found.unwrap_or_else(|| panic!("{} has no dialog {number}", self.name))
    }

    /// The last request of this method that it sent.
    pub(crate) fn last_sent(&self, method: &str) -> Option<&Message> {
        self.sent.iter().rev().find(|message| message.method() == Some(method))
    }

    /// Its last INVITE and the refusal it got, where it did.
    pub(crate) fn refused_invite(&self, printed_call_id: Option<&str>) -> Option<(&Message, &Message)> {
        let dialog = self.dialog(printed_call_id)?;
        let is_invite = |m: &&Message| m.method() == Some("INVITE") && m.call_id() == dialog.call_id;
        let invite = self.sent.iter().rev().find(is_invite)?;
        let is_refusal = |m: &&Message| m.branch() == invite.branch() && m.status().is_some_and(|status| status >= 300);
        Some((invite, self.received.iter().rev().find(is_refusal)?))
    }

    /// It has sent this; the RFC prints that Call-ID for it.
    pub(crate) fn has_sent(&mut self, message: &Message, printed_call_id: Option<String>) {
        self.sent.push(message.clone());
        let header = |name: &str| message.get(name).unwrap_or_default().to_owned();
        let cseq = message.cseq().map_or(0, |(number, _)| number);
        let new = match (message.method(), message.status()) {
            (Some("ACK" | "CANCEL" | "REGISTER" | "OPTIONS" | "MESSAGE"), _) | (None, Some(..=100)) => return,
            (Some(method), _) => {
                if let Some(dialog) = self.of_call_mut(message.call_id()).filter(|_| message.to_tag().is_some()) {
                    dialog.own_cseq = cseq;
                    dialog.invite_cseq = if method == "INVITE" { cseq } else { dialog.invite_cseq };
                    return;
                }
                let target = message.uri().unwrap_or_default().to_owned();
                (header("From"), header("To"), target, cseq)
            }
            (None, _) => {
                let request =
                    self.received.iter().rev().find(|m| m.method().is_some() && m.branch() == message.branch());
                let request = request.expect("it answers what it has received");
                let makes_dialog = request.to_tag().is_none() && matches!(request.method(), Some("INVITE"));
                if !makes_dialog {
                    return;
                }
                let target = uri_of(request.get("Contact").unwrap_or_default()).to_owned();
                (header("To"), header("From"), target, 0)
            }
        };
        let (local, remote, target, own_cseq) = new;
        let call_id = message.call_id().to_owned();
        self.dialogs.retain(|dialog| dialog.call_id != call_id);
        self.dialogs.push(Dialog { printed_call_id, call_id, local, remote, target, own_cseq, invite_cseq: own_cseq });
    }

    /// It has received this.
    pub(crate) fn has_received(&mut self, message: Message) {
        if matches!(message.status(), Some(401 | 407)) {
            let values: Vec<&str> = message.all("WWW-Authenticate").chain(message.all("Proxy-Authenticate")).collect();
            let status = message.status().unwrap_or_default();
            self.challenge = Challenge::choose(status, &values, Algorithm::Md5).or(self.challenge.take());
        }
        let is_final_2xx_or_early = message.status().is_some_and(|status| (101..300).contains(&status));
        let target = message.get("Contact").map(|contact| uri_of(contact).to_owned());
        let is_refresh = matches!(message.method(), Some("INVITE" | "UPDATE"));
        let makes_dialog =
            is_final_2xx_or_early && matches!(message.cseq(), Some((_, "INVITE" | "SUBSCRIBE" | "REFER")));
        let (to, tag) = (message.get("To").unwrap_or_default().to_owned(), message.to_tag().is_some());
        if let Some(dialog) = self.of_call_mut(message.call_id()) {
            if makes_dialog && tag {
                dialog.remote = to;
            }
            if let Some(target) = target.filter(|_| is_refresh || makes_dialog) {
                dialog.target = target;
            }
        }
        self.received.push(message);
    }

    /// Its dialogs, in the order in which they began.
    pub(crate) fn dialogs(&self) -> &[Dialog] {
        &self.dialogs
    }

    /// The dialog of this Call-ID.
    pub(crate) fn of_call(&self, call_id: &str) -> Option<&Dialog> {
        self.dialogs.iter().rev().find(|dialog| dialog.call_id == call_id)
    }

    fn of_call_mut(&mut self, call_id: &str) -> Option<&mut Dialog> {
        self.dialogs.iter_mut().rev().find(|dialog| dialog.call_id == call_id)
    }
}
