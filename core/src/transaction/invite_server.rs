//! The INVITE server machine: RFC 3261 §17.2.1 as RFC 6026 §8.7 corrects it.
//!
//! RFC 6026 leaves the resending of a 2xx to the user; here timer G does it, until the user has seen the ACK.

use super::uas::{ServerAction as Do, ServerEvent as On, ServerTell as Tell};
use crate::timers::TransactionTimer as Timer;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// No final answer yet. Nothing but the user limits how long this lasts.
    Proceeding,
    /// A 2xx is out and is resent until the user says that its ACK has come.
    Accepted,
    /// The ACK of the 2xx has come; INVITEs still in the network are absorbed.
    Acknowledged,
    /// A failure is out and is resent until its ACK comes.
    Completed,
    /// The ACK of the failure has come; further copies of it are absorbed.
    Confirmed,
    Terminated,
}

impl State {
    pub(super) const START: (State, &[Do]) = (State::Proceeding, &[]);

    pub(super) fn on(self, event: On) -> (State, &'static [Do]) {
        use State::*;
        match (self, event) {
            (Proceeding, On::Provisional) => (Proceeding, &[Do::Send]),
            (Proceeding, On::Success) => (Accepted, &[Do::Send, Do::Start(Timer::G), Do::Start(Timer::L)]),
            (Proceeding, On::Failure | On::RequestTimeout) => {
                (Completed, &[Do::Send, Do::Start(Timer::G), Do::Start(Timer::H)])
            }
            (Proceeding, On::Challenge) => (Terminated, &[Do::Send]),
            (Proceeding | Completed, On::Request) => (self, &[Do::Resend]),
            (Accepted | Completed, On::Fired(Timer::G)) => (self, &[Do::Resend, Do::Start(Timer::G)]),
            (Accepted, On::Acknowledged) => (Acknowledged, &[Do::Stop(Timer::G), Do::Forget]),
            (Accepted, On::Fired(Timer::L)) => (Terminated, &[Do::Tell(Tell::NoAck)]),
            (Acknowledged, On::Fired(Timer::L)) => (Terminated, &[]),
            (Completed, On::Ack) => {
                (Confirmed, &[Do::Stop(Timer::G), Do::Stop(Timer::H), Do::Forget, Do::Start(Timer::I)])
            }
            (Completed, On::Fired(Timer::H)) => (Terminated, &[Do::Tell(Tell::NoAck)]),
            (Confirmed, On::Fired(Timer::I)) => (Terminated, &[]),
            // an ACK with the INVITE's own branch that acknowledges no failure: the dialog's, if anyone's (RFC 6026 §7.1)
            (Proceeding | Accepted | Acknowledged, On::Ack) => (self, &[Do::Tell(Tell::Ack)]),
            _ => (self, &[]),
        }
    }

    pub(super) fn has_final(self) -> bool {
        self != State::Proceeding
    }

    pub(super) fn is_terminated(self) -> bool {
        self == State::Terminated
    }
}
