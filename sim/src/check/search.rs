//! The search for a callee ends where one answers for all: RFC 3261 §21.6.

use super::ids::{Id, Ids, id, join};
use super::scan::{Method, Seen};
use super::{At, Found, Violation};

/// Calls by the operation that their INVITEs name in X-Op, which passes from leg to leg.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The operation of each leg of the switch, by its Call-ID.
    legs: Ids<Id>,
    /// Operations in which a leg was answered 6xx.
    refused: Ids<()>,
}

/// An INVITE outside of any dialog, of an operation.
fn operation(seen: &Seen<'_>) -> Option<Id> {
    (seen.method == Method::Invite && seen.tag_of_to().is_empty() && !seen.op.is_empty()).then(|| id(seen.op))
}

impl Search {
    /// A request came: a call anew is searched for anew.
    pub(super) fn request_came(&mut self, at: At, seen: &Seen<'_>) {
        if let Some(op) = operation(seen) {
            self.refused.remove(op);
        }
        self.legs.forget(at.now, |_| true);
        self.refused.forget(at.now, |()| true);
    }

    /// A response came.
    pub(super) fn response_came(&mut self, at: At, seen: &Seen<'_>) {
        if seen.method == Method::Invite
            && seen.status().is_some_and(|status| status >= 600)
            && let Some(op) = self.legs.get(join(&[seen.call(), u64::from(seen.cseq)])).copied()
        {
            self.refused.insert(at.now, op, ());
        }
    }

    /// A request leaves.
    pub(super) fn request_went(&mut self, at: At, seen: &Seen<'_>, found: &mut Found) {
        let Some(op) = operation(seen) else { return };
        if self.refused.get(op).is_some() {
            let text = format!("{} to {}: another leg was answered 6xx before", seen.name(), at.peer);
            found.add(Violation::new("search", text).of_call(&seen.call_id_text()));
        }
        self.legs.insert(at.now, join(&[seen.call(), u64::from(seen.cseq)]), op);
    }
}
