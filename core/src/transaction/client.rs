//! The non-INVITE client machine: RFC 3261 §17.1.2.

use super::uac::{ClientAction as Do, ClientEvent as On, ClientTell as Tell};
use crate::timers::TransactionTimer as Timer;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// No answer yet; the request is resent.
    Trying,
    /// A provisional answer came; the request is still resent, every T2.
    Proceeding,
    /// The final answer came; further copies of it are absorbed.
    Completed,
    Terminated,
}

impl State {
    pub(super) const START: (State, &[Do]) = (State::Trying, &[Do::Send, Do::Start(Timer::E), Do::Start(Timer::F)]);

    pub(super) fn on(self, event: On) -> (State, &'static [Do]) {
        use State::*;
        match (self, event) {
            (Trying | Proceeding, On::Fired(Timer::E)) => (self, &[Do::Resend, Do::Start(Timer::E)]),
            (Trying | Proceeding, On::Fired(Timer::F)) => (Terminated, &[Do::Tell(Tell::Timeout)]),
            (Trying, On::Undelivered) => (Terminated, &[Do::Tell(Tell::Undelivered)]),
            // timer E runs on as it is: only its next wait is T2
            (Trying | Proceeding, On::Provisional) => (Proceeding, &[Do::Tell(Tell::Answer)]),
            (Trying | Proceeding, On::Success | On::Failure) => (
                Completed,
                &[Do::Stop(Timer::E), Do::Stop(Timer::F), Do::Forget, Do::Start(Timer::K), Do::Tell(Tell::Answer)],
            ),
            (Completed, On::Fired(Timer::K)) => (Terminated, &[]),
            _ => (self, &[]),
        }
    }

    pub(super) fn is_unanswered(self) -> bool {
        self == State::Trying
    }

    pub(super) fn has_final(self) -> bool {
        matches!(self, State::Completed | State::Terminated)
    }

    pub(super) fn is_terminated(self) -> bool {
        self == State::Terminated
    }
}
