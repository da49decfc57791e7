//! What is told of a trunk.

use crate::cx::Cx;
use crate::event::Event;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Why calls do not go to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// It does not answer OPTIONS.
    Down,
    /// It gave a Retry-After.
    RetryAfter,
    /// Calls need our registration, and there is none.
    NotRegistered,
}

impl Rule {
    /// The id of the rule.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Down => "trunk.down",
            Rule::RetryAfter => "trunk.retry-after",
            Rule::NotRegistered => "trunk.not-registered",
        }
    }
}

/// A gateway that no calls go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusable {
    /// Why.
    pub rule: Rule,
    /// When that ends, or is tried to be ended; none where nobody knows.
    pub until: Option<Instant>,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Up,
    Down,
    Held,
    Released,
    Registered,
    Unregistered,
    Expired,
    RegistrationFailed,
    CredentialsRejected,
}

impl Change {
    /// The state the trunk is in now, and the rule that says so.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Change::Up => ("up", "trunk.up"),
            Change::Down => ("down", Rule::Down.name()),
            Change::Held => ("held", Rule::RetryAfter.name()),
            Change::Released => ("released", "trunk.retry-after-over"),
            Change::Registered => ("registered", "trunk.registered"),
            Change::Unregistered => ("unregistered", "trunk.unregistered"),
            Change::Expired => ("unregistered", "trunk.registration-expired"),
            Change::RegistrationFailed => ("registration-failed", "trunk.registration-failed"),
            Change::CredentialsRejected => ("registration-stopped", "trunk.credentials-rejected"),
        }
    }
}

pub(super) fn tell(cx: &mut Cx, gateway: &str, change: Change, detail: String) {
    let (state, rule) = change.names();
    cx.emit(Event::TrunkChanged { gateway: gateway.to_owned(), state, rule, detail });
}
