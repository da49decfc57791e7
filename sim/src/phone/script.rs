//! How one call is to go, apart from how the phone is: what a scenario writes down for each of its ops.
//!
//! ```
//! use crosspoint_sim::phone::{Answering, Reliability, Script};
//! use std::time::Duration;
//!
//! let ring = Duration::from_millis(100);
//! let script = Script {
//!     answering: Some(Answering::Answer { ring_after: ring, after: 2 * ring }),
//!     reliability: Some(Reliability::Supported),
//!     ..Script::default()
//! };
//! let text = "reliability = \"supported\"\n\n[answering.answer]\nring_after_ms = 100\nafter_ms = 200\n";
//! assert_eq!(toml::from_str::<Script>(text).unwrap(), script);
//! ```

use super::callee::Provisional;
use super::change::{Change, Hold};
use super::fork::Branch;
use super::message::Message;
use super::misbehave::Misbehaviour;
use super::reliable::Reliability;
use super::settings::Answering;
use super::trunk::Outcome;
use super::{Call, Phone, within};
use crosspoint_core::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The header in which an INVITE says for which op of a scenario it is. A back-to-back user agent passes on what it does
/// not know, so it reaches the callee.
pub const X_OP: &str = "X-Op";

/// The op of an INVITE; 0 where it names none.
pub(super) fn op_of(invite: &Message) -> u64 {
    invite.get(X_OP).and_then(|op| op.parse().ok()).unwrap_or(0)
}

/// How one call goes at one phone, whether it places the call or is called. Whatever is none is as
/// [`super::Settings`] say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// What the callee does with it; [`Answering::Silent`] says nothing to this INVITE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answering: Option<Answering>,
    /// How the callee rings: 180, 183 or another 1xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rings_with: Option<u16>,
    /// The callee rings with a description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_media: Option<bool>,
    /// Whether this side does RFC 3262.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
    /// So long after a reliable provisional answer the caller's PRACK goes out, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prack_after_ms: Option<u64>,
    /// The caller's PRACK makes another offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offers_in_prack: Option<bool>,
    /// The caller's INVITE has an offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub makes_offer: Option<bool>,
    /// The callee changes the session before it has the ACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offers_before_ack: Option<bool>,
    /// This side hangs up so long after the answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang_up_after_ms: Option<u64>,
    /// So long this side thinks about a re-INVITE, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers_changes_after_ms: Option<u64>,
    /// This side refuses re-INVITE and UPDATE with this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refuses_changes: Option<u16>,
    /// What becomes of the call at a gateway; [`Outcome::Usual`] and none: what [`Script::answering`] says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What this side does wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub misbehaviours: Vec<Misbehaviour>,
    /// The branches of a fork before the callee, played in the place of [`Script::answering`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Branch>,
}

/// Calls by the op of a scenario.
impl Phone {
    /// Sets how the call of this op goes here, or with 0 every call that is of no op. It counts for calls that begin from
    /// now on.
    pub fn expect(&mut self, op: u64, script: Script) {
        self.has_rogues |= !script.misbehaviours.is_empty();
        self.scripts.insert(op, Box::new(script));
    }

    /// Forgets what [`Phone::expect`] was told of this op; calls that have begun go on as they were told.
    pub fn expect_no_more(&mut self, op: u64) {
        self.scripts.remove(&op);
    }

    /// The call of this op: the latest that is not over, else the latest.
    pub fn call_of(&self, op: u64) -> Option<&Call> {
        let mut found = self.calls.all().iter().rev().filter(|call| call.op == op);
        let latest = found.clone().next();
        found.find(|call| !call.is_over()).or(latest)
    }

    /// Ends the call of this op as its state demands. A no-op without one; so are all below.
    pub fn hang_up_op(&mut self, now: Instant, op: u64) {
        self.in_call(now, op, Phone::end_call);
    }

    /// Sends 180 for the call of this op, or what its script says instead.
    pub fn ring_op(&mut self, now: Instant, op: u64) {
        self.in_call(now, op, Phone::ring_call);
    }

    /// Answers the call of this op.
    pub fn answer_op(&mut self, now: Instant, op: u64) {
        self.in_call(now, op, Phone::answer_call);
    }

    /// Refuses the call of this op, with a status of 300 to 699.
    pub fn reject_op(&mut self, now: Instant, op: u64, status: u16) {
        self.in_call(now, op, |phone, number| phone.reject_call(number, status));
    }

    /// Changes the session of the call of this op, as [`Phone::change`] does.
    pub fn change_op(&mut self, now: Instant, op: u64, change: Change) {
        self.in_call(now, op, |phone, number| phone.change_call(number, change));
    }

    /// Puts the far side of the call of this op on hold.
    pub fn hold_op(&mut self, now: Instant, op: u64) {
        self.change_op(now, op, Change::hold(Hold::SendOnly));
    }

    /// Takes it off hold.
    pub fn resume_op(&mut self, now: Instant, op: u64) {
        self.change_op(now, op, Change::hold(Hold::Off));
    }

    /// Cancels the re-INVITE that is under way in the call of this op.
    pub fn cancel_change_op(&mut self, now: Instant, op: u64) {
        self.in_call(now, op, |phone, number| phone.cancel_change_of(|call| call == number));
    }

    /// Transfers the far side of the call of this op, blindly, as [`Phone::refer`] does.
    pub fn refer_op(&mut self, now: Instant, op: u64, target: &str) {
        self.in_call(now, op, |phone, number| {
            if let Some(spot) = within::up(phone.find_call(number)) {
                phone.refer_in(spot, target);
            }
        });
    }

    /// Transfers the far side of the call of this op to that of another op's, attended.
    pub fn refer_attended_op(&mut self, now: Instant, op: u64, other: u64) {
        let Some(other) = self.call_of(other).map(Call::number) else { return };
        self.in_call(now, op, |phone, number| phone.refer_attended(now, number, other));
    }

    /// Sends a request with a text in the call of this op, as [`Phone::send_within`] does.
    pub fn send_within_op(&mut self, now: Instant, op: u64, method: &str, body: &str) {
        self.in_call(now, op, |phone, number| {
            if let Some(spot) = within::up(phone.find_call(number)) {
                phone.send_text_in(spot, method, body);
            }
        });
    }

    fn in_call(&mut self, now: Instant, op: u64, act: impl FnOnce(&mut Phone, u32)) {
        self.tick(now);
        if let Some(number) = self.call_of(op).filter(|call| !call.is_over()).map(Call::number) {
            act(self, number);
        }
    }

    pub(super) fn script_for(&self, op: u64) -> Script {
        self.scripts.get(&op).map(|script| (**script).clone()).unwrap_or_default()
    }
}

/// What holds in a call: its script, else the settings.
impl Phone {
    pub(super) fn answering_in(&mut self, number: u32) -> Answering {
        self.find_call(number).script.answering.unwrap_or(self.settings.answering)
    }

    pub(super) fn ringing_in(&mut self, number: u32) -> Provisional {
        let script = &self.find_call(number).script;
        let (status, has_sdp) = (script.rings_with, script.early_media);
        Provisional {
            status: status.unwrap_or(self.settings.rings_with),
            has_sdp: has_sdp.unwrap_or(self.settings.early_media),
        }
    }

    pub(super) fn branches_in(&mut self, number: u32) -> Vec<Branch> {
        let branches = self.find_call(number).script.branches.clone();
        if branches.is_empty() { self.settings.branches.clone() } else { branches }
    }

    pub(super) fn reliability_in(&mut self, number: u32) -> Reliability {
        self.find_call(number).script.reliability.unwrap_or(self.settings.reliability)
    }

    pub(super) fn prack_after_in(&mut self, number: u32) -> Duration {
        let scripted = self.find_call(number).script.prack_after_ms;
        scripted.map_or(self.settings.prack_after, Duration::from_millis)
    }

    pub(super) fn offers_in_prack_in(&mut self, number: u32) -> bool {
        self.find_call(number).script.offers_in_prack.unwrap_or(self.settings.offers_in_prack)
    }

    pub(super) fn offers_before_ack_in(&mut self, number: u32) -> bool {
        self.find_call(number).script.offers_before_ack.unwrap_or(self.settings.offers_before_ack)
    }

    pub(super) fn hang_up_after_in(&mut self, number: u32) -> Option<Duration> {
        let scripted = self.find_call(number).script.hang_up_after_ms;
        scripted.map(Duration::from_millis).or(self.settings.hang_up_after)
    }

    pub(super) fn answers_changes_after_in(&mut self, number: u32) -> Duration {
        let scripted = self.find_call(number).script.answers_changes_after_ms;
        scripted.map_or(self.settings.answers_changes_after, Duration::from_millis)
    }

    pub(super) fn refuses_changes_in(&mut self, number: u32) -> Option<u16> {
        self.find_call(number).script.refuses_changes.or(self.settings.refuses_changes)
    }
}
