//! The non-INVITE server machine: RFC 3261 §17.2.2 with RFC 4320.
//!
//! The user has no say in provisional answers here: the layer sends the one 100 that RFC 4320 §4.1 asks for, when it is
//! due, and no other. A 408 is never sent (§4.2): whoever asked has given up by itself.

use super::uas::{ServerAction as Do, ServerEvent as On};
use crate::timers::TransactionTimer as Timer;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// No answer yet.
    Trying,
    /// A 100 is out.
    Proceeding,
    /// The final answer is out, and is sent again whenever the request comes again.
    Completed,
    Terminated,
}

impl State {
    pub(super) const START: (State, &[Do]) = (State::Trying, &[Do::Start(Timer::Trying)]);

    pub(super) fn on(self, event: On) -> (State, &'static [Do]) {
        use State::*;
        match (self, event) {
            (Trying, On::Fired(Timer::Trying)) => (Proceeding, &[Do::SendTrying, Do::Start(Timer::F)]),
            (Trying | Proceeding, On::Success | On::Failure) => {
                (Completed, &[Do::Stop(Timer::Trying), Do::Stop(Timer::F), Do::Send, Do::Start(Timer::J)])
            }
            (Trying | Proceeding, On::Challenge) => (Terminated, &[Do::Send]),
            (Proceeding | Completed, On::Request) => (self, &[Do::Resend]),
            (Proceeding, On::Fired(Timer::F)) => (Terminated, &[]),
            (Completed, On::Fired(Timer::J)) => (Terminated, &[]),
            _ => (self, &[]),
        }
    }

    pub(super) fn has_final(self) -> bool {
        matches!(self, State::Completed | State::Terminated)
    }

    pub(super) fn is_terminated(self) -> bool {
        self == State::Terminated
    }
}
