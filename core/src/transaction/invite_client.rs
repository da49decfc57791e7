//! The INVITE client machine: RFC 3261 §17.1.1 as RFC 6026 §8.4 corrects it, with CANCEL (§9.1) built in.
//!
//! A CANCEL may go out only after a provisional answer, so the wish to cancel is a state.

use super::uac::{ClientAction as Do, ClientEvent as On, ClientTell as Tell};
use crate::timers::TransactionTimer as Timer;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// No answer yet; the INVITE is resent.
    Calling,
    /// No answer yet, and the user wants it cancelled.
    Abandoned,
    /// A provisional answer came. Nothing but the user limits how long this lasts.
    Proceeding,
    /// The CANCEL is out; a final answer is due within 64 T1 (§9.1).
    Cancelling,
    /// A 2xx came; more of them may, and all are the user's (RFC 6026).
    Accepted,
    /// A failure came and its ACK is out; the ACK is sent again when the failure is.
    Completed,
    Terminated,
}

impl State {
    pub(super) const START: (State, &[Do]) = (State::Calling, &[Do::Send, Do::Start(Timer::A), Do::Start(Timer::B)]);

    pub(super) fn on(self, event: On) -> (State, &'static [Do]) {
        use State::*;
        match (self, event) {
            (Calling | Abandoned, On::Fired(Timer::A)) => (self, &[Do::Resend, Do::Start(Timer::A)]),
            (Calling | Abandoned, On::Fired(Timer::B)) => (Terminated, &[Do::Tell(Tell::Timeout)]),
            (Calling | Abandoned, On::Undelivered) => (Terminated, &[Do::Tell(Tell::Undelivered)]),
            (Calling, On::Provisional) => {
                (Proceeding, &[Do::Stop(Timer::A), Do::Stop(Timer::B), Do::Tell(Tell::Answer)])
            }
            (Abandoned, On::Provisional) => (
                Cancelling,
                &[Do::Stop(Timer::A), Do::Stop(Timer::B), Do::SendCancel, Do::Start(Timer::B), Do::Tell(Tell::Answer)],
            ),
            (Proceeding | Cancelling, On::Provisional) => (self, &[Do::Tell(Tell::Answer)]),
            (Calling, On::Cancel) => (Abandoned, &[]),
            (Proceeding, On::Cancel) => (Cancelling, &[Do::SendCancel, Do::Start(Timer::B)]),
            (Cancelling, On::Fired(Timer::B)) => (Terminated, &[Do::Tell(Tell::Timeout)]),
            (Calling | Abandoned | Proceeding | Cancelling, On::Success) => (
                Accepted,
                &[Do::Stop(Timer::A), Do::Stop(Timer::B), Do::Forget, Do::Start(Timer::M), Do::Tell(Tell::Answer)],
            ),
            (Calling | Abandoned | Proceeding | Cancelling, On::Failure) => (
                Completed,
                &[Do::Stop(Timer::A), Do::Stop(Timer::B), Do::SendAck, Do::Start(Timer::D), Do::Tell(Tell::Answer)],
            ),
            (Accepted, On::Success) => (Accepted, &[Do::Tell(Tell::Answer)]),
            (Accepted, On::Fired(Timer::M)) => (Terminated, &[Do::Tell(Tell::Settled)]),
            (Completed, On::Failure) => (Completed, &[Do::Resend]),
            (Completed, On::Fired(Timer::D)) => (Terminated, &[]),
            _ => (self, &[]),
        }
    }

    pub(super) fn is_unanswered(self) -> bool {
        matches!(self, State::Calling | State::Abandoned)
    }

    pub(super) fn has_final(self) -> bool {
        matches!(self, State::Accepted | State::Completed | State::Terminated)
    }

    pub(super) fn is_terminated(self) -> bool {
        self == State::Terminated
    }
}
