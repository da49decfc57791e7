//! What a gateway does that a phone does not: it demands credentials, refuses by script, and takes registrations.

use super::digest::{self, Account};
use super::message::{Message, uri_of};
use super::{Notice, Phone, Script};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How a gateway behaves; the default demands nothing and answers as the phone does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trunk {
    /// Whether it challenges.
    pub demand: Option<Demand>,
    /// What becomes of the calls that come in, one after another; those beyond the end are answered as the settings say.
    pub outcomes: Vec<Outcome>,
    /// The status with which it answers OPTIONS; none: it does not answer.
    pub answers_options: Option<u16>,
    /// Whether it takes REGISTER; for how long, in seconds.
    pub registers_s: Option<u32>,
}

impl Default for Trunk {
    fn default() -> Trunk {
        Trunk { demand: None, outcomes: Vec::new(), answers_options: Some(200), registers_s: None }
    }
}

/// A demand for credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// 401 or 407.
    pub status: u16,
    /// The realm it names.
    pub realm: String,
    /// The user it lets in.
    pub user: String,
    /// With this password.
    pub password: String,
    /// The methods it lets nobody send without.
    pub methods: Vec<String>,
    /// The first right answer meets `stale=true` and another nonce.
    pub is_stale_once: bool,
}

impl Demand {
    /// A 407 for INVITE, and nothing more.
    pub fn new(user: &str, password: &str) -> Demand {
        Demand {
            status: 407,
            realm: "trunk.example.net".to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            methods: vec!["INVITE".to_owned()],
            is_stale_once: false,
        }
    }
}

/// What becomes of one call that comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As the settings say.
    Usual,
    /// Refused.
    Refuse {
        /// 300 to 699.
        status: u16,
        /// Retry-After, in seconds.
        #[serde(default)]
        retry_after_s: Option<u32>,
        /// Contact values, where it redirects.
        #[serde(default)]
        contacts: Vec<String>,
    },
    /// Nothing is ever said.
    Silence,
}

/// Nonces and refused credentials kept; those before are as good as never seen.
const KEPT: usize = 256;

fn keep(list: &mut VecDeque<String>, text: String) {
    if list.len() == KEPT {
        list.pop_front();
    }
    list.push_back(text);
}

/// What the gateway keeps in mind.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Calls that came in so far.
    attempts: usize,
    nonces: VecDeque<String>,
    /// Credentials that were refused: nobody should come with the same again.
    refused: VecDeque<String>,
    was_stale: bool,
}

impl Phone {
    /// Challenges a request that has no right credentials; whether it did.
    pub(super) fn demand_credentials(&mut self, index: usize, request: &Message) -> bool {
        let Some(demand) = self.settings.trunk.demand.clone() else { return false };
        let method = request.method().unwrap_or_default();
        if !demand.methods.iter().any(|name| name == method) {
            return false;
        }
        let (asks, answers) = match demand.status {
            401 => ("WWW-Authenticate", "Authorization"),
            _ => ("Proxy-Authenticate", "Proxy-Authorization"),
        };
        let mut is_stale = false;
        if let Some(value) = request.get(answers) {
            let account = Account { user: &demand.user, password: &demand.password };
            let is_known = self.trunk.nonces.iter().rev().any(|nonce| digest::has_nonce(value, nonce));
            if is_known && digest::is_right(value, account, method) {
                is_stale = demand.is_stale_once && !std::mem::replace(&mut self.trunk.was_stale, true);
                if !is_stale {
                    return false;
                }
            }
            if self.trunk.refused.iter().any(|refused| refused == value) {
                self.violation(format!("{method}: the same rejected credentials again"));
            }
            keep(&mut self.trunk.refused, value.to_owned());
        }
        let nonce = self.token();
        let stale = if is_stale { ", stale=true" } else { "" };
        let challenge =
            format!("Digest realm=\"{}\", nonce=\"{nonce}\", qop=\"auth\", algorithm=MD5{stale}", demand.realm);
        keep(&mut self.trunk.nonces, nonce);
        let response = self.response(index, demand.status, "").with(asks, challenge);
        self.send_response(index, demand.status, &response);
        true
    }

    /// Plays what the call's script has for it, else the gateway's; false where it is taken as usual.
    pub(super) fn play_outcome(&mut self, index: usize, script: &Script) -> bool {
        let outcome = script.outcome.clone().or(self.settings.trunk.outcomes.get(self.trunk.attempts).cloned());
        self.trunk.attempts += 1;
        match outcome {
            None | Some(Outcome::Usual) => false,
            Some(Outcome::Silence) => true,
            Some(Outcome::Refuse { status, retry_after_s, contacts }) => {
                let mut refusal = self.response(index, status, "");
                if let Some(seconds) = retry_after_s {
                    refusal = refusal.with("Retry-After", seconds.to_string());
                }
                for contact in contacts {
                    refusal = refusal.with("Contact", contact);
                }
                self.send_response(index, status, &refusal);
                true
            }
        }
    }

    /// How many calls have come in, challenges not counted.
    pub fn attempts(&self) -> usize {
        self.trunk.attempts
    }

    /// Takes a registration (RFC 3261 §10.3), where the gateway does.
    pub(super) fn on_register(&mut self, index: usize, request: &Message) {
        let Some(longest_s) = self.settings.trunk.registers_s else { return self.respond(index, 405, "") };
        let asked: Option<u32> = request.get("Expires").and_then(|value| value.parse().ok());
        let granted = asked.unwrap_or(longest_s).min(longest_s);
        let mut response = self.response(index, 200, "");
        for contact in request.list("Contact").into_iter().filter(|_| granted > 0) {
            response = response.with("Contact", format!("<{}>;expires={granted}", uri_of(contact)));
        }
        self.send_response(index, 200, &response);
        self.tell(Notice::Received { method: "REGISTER".to_owned(), body: String::new() });
    }
}
