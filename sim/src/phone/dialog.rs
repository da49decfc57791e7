//! One dialog of a call (RFC 3261 §12). A call that forks has several, until one is answered.

use super::change::Changes;
use super::message::{Message, address_of, uri_of};
use super::offer::Negotiation;
use super::reliable::{Heard, Unacknowledged};
use super::sdp::Session;
use std::net::SocketAddr;

/// How far a dialog has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// No 2xx yet.
    Early,
    /// A 2xx was sent or received.
    Confirmed,
    /// Ended, or never answered.
    Gone,
}

/// Which dialog of which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) call: u32,
    pub(super) dialog: usize,
}

/// A dialog, live or past.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub(super) stage: Stage,
    pub(super) local_tag: String,
    pub(super) remote_tag: String,
    pub(super) remote_target: String,
    pub(super) routes: Vec<String>,
    pub(super) local_cseq: u32,
    pub(super) remote_cseq: u32,
    pub(super) talk: Negotiation,
    /// What was heard reliably, at the caller.
    pub(super) heard: Heard,
    /// What was said reliably, at the callee.
    pub(super) unacknowledged: Unacknowledged,
    pub(super) changes: Changes,
    /// What a branch of a fork would describe, where that differs from the call's.
    pub(super) wanted: Option<Session>,
}

impl Dialog {
    /// A dialog of which only our side is known.
    pub(super) fn new(local_tag: String, remote_target: &str) -> Dialog {
        Dialog {
            stage: Stage::Early,
            local_tag,
            remote_tag: String::new(),
            remote_target: remote_target.to_owned(),
            routes: Vec::new(),
            local_cseq: 0,
            remote_cseq: 0,
            talk: Negotiation::new(),
            heard: Heard::default(),
            unacknowledged: Unacknowledged::default(),
            changes: Changes::default(),
            wanted: None,
        }
    }

    /// What a response makes known of the far side (RFC 3261 §12.1.2): its tag, its target, the route set reversed.
    pub(super) fn learn(&mut self, response: &Message) {
        if let Some(tag) = response.to_tag() {
            self.remote_tag = tag.to_owned();
        }
        self.learn_target(response);
        let routes = response.list("Record-Route");
        if !routes.is_empty() {
            self.routes = routes.into_iter().rev().map(str::to_owned).collect();
        }
    }

    /// The far side's target as a message of it says (RFC 3261 §12.2.2).
    pub(super) fn learn_target(&mut self, message: &Message) {
        if let Some(contact) = message.get("Contact") {
            self.remote_target = uri_of(contact).to_owned();
        }
    }

    /// Where requests inside the dialog go: the first route, else the target. None where that is no address.
    pub(super) fn next_hop(&self) -> Option<SocketAddr> {
        address_of(self.routes.first().map_or(&self.remote_target, |route| uri_of(route)))
    }

    /// Whether these tags are this dialog's, told from our side.
    pub(super) fn has_tags(&self, local: &str, remote: &str) -> bool {
        self.local_tag == local && self.remote_tag == remote
    }
}
