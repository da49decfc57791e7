//! Offer and answer on one leg (RFC 3264, RFC 6337): who owes an answer.
//!
//! The switch passes descriptions from leg to leg and makes none of its own, so the machine of a leg says one thing: which
//! side's offer is open. From that follows whether another offer may come in (RFC 3261 §14.2, RFC 3311 §5.2) or go out.
//!
//! | where SDP stands | what it is |
//! |---|---|
//! | INVITE, UPDATE, re-INVITE | an offer |
//! | 2xx or reliable 1xx to an INVITE with an offer | its answer |
//! | unreliable 1xx | a preview of the answer; decides nothing |
//! | first 2xx or reliable 1xx to an INVITE without | an offer, answered in the ACK, or the PRACK |
//! | PRACK while such an offer is open | its answer |
//! | PRACK otherwise | an offer, answered in its 2xx |
//! | 2xx to UPDATE or PRACK | the answer |
//! | a failure | takes the request's offer back |

use super::Leg;
use crate::sdp;
use crate::sip::Message;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Whose offer is open on a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Open {
    /// Nobody's.
    #[default]
    None,
    /// The peer's: the switch owes an answer.
    Peers,
    /// The switch's: the peer owes an answer.
    Ours,
}

/// The machine of one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    open: Open,
    /// Whether an offer was ever answered.
    is_agreed: bool,
}

impl Leg {
    /// Keeps the offer that an answer to an INVITE without one brings: if nobody else answers it, the switch has to.
    pub(super) fn keep_offer(&mut self, answer: &Message<'_>) {
        if self.session.open() == Open::Peers && answer.is_sdp() {
            self.open_offer = Bytes::copy_from_slice(answer.body());
        }
    }

    /// The answer that refuses the offer which nobody has answered; none where none is open.
    pub(super) fn refuse_offer(&mut self, address: IpAddr) -> Option<Vec<u8>> {
        let offer = std::mem::take(&mut self.open_offer);
        let is_open = self.session.open() == Open::Peers && !offer.is_empty();
        self.session.agree();
        is_open.then(|| sdp::refuse(&offer, address))
    }
}

impl Session {
    /// Whose offer is open.
    pub fn open(self) -> Open {
        self.open
    }

    /// Whether a session has been agreed on.
    pub fn is_agreed(self) -> bool {
        self.is_agreed
    }

    /// An offer has come from the peer.
    pub fn offered(&mut self) {
        self.open = Open::Peers;
    }

    /// An offer has gone to the peer.
    pub fn offers(&mut self) {
        self.open = Open::Ours;
    }

    /// The open offer has its answer.
    pub fn agree(&mut self) {
        self.is_agreed |= self.open != Open::None;
        self.open = Open::None;
    }

    /// The open offer was refused or withdrawn: what was agreed before holds on.
    pub fn withdraw(&mut self) {
        self.open = Open::None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_offer_leaves_the_session_as_it_was() {
        let mut session = Session::default();
        session.offers();
        assert_eq!(session.open(), Open::Ours);
        session.withdraw();
        assert_eq!((session.open(), session.is_agreed()), (Open::None, false));
        session.offered();
        session.agree();
        assert_eq!((session.open(), session.is_agreed()), (Open::None, true));
        session.offers();
        session.withdraw();
        assert!(session.is_agreed());
    }
}
