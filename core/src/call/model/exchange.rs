//! A request that passes through a dialog of a call, or that the switch sends there itself.

use super::Side;
use crate::input::Flow;
use crate::timers::TimerId;
use crate::transaction::{ClientId, ServerId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a request is to the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// INVITE inside a dialog, or the first one once it is answered and awaits its ACK.
    Invite,
    /// UPDATE.
    Update,
    /// PRACK.
    Prack,
    /// BYE.
    Bye,
    /// A request that begins or renews a subscription: REFER, SUBSCRIBE.
    Subscribe,
    /// NOTIFY that ends its subscription.
    LastNotify,
    /// Everything else.
    Other,
}

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExchangeState {
    /// Its final answer is still to come.
    Asked,
    /// It met a request of its peer (491) and goes out again when the timer says (RFC 3261 §14.1).
    Crossed {
        /// When.
        timer: TimerId,
    },
    /// An INVITE whose 2xx has been passed back and that awaits its ACK.
    Answered,
}

/// Whose request an exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// The other leg's peer's.
    Peer {
        /// The transaction to answer.
        server: ServerId,
        /// Its CSeq number on the leg it came in on.
        cseq: u32,
    },
    /// The switch's own.
    Switch,
}

/// A request that went out inside a dialog.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// Its number within the call: [`crate::transaction::Owner::role`] of both transactions.
    pub id: u8,
    /// The branch whose dialogs it is in.
    pub branch: u8,
    /// What it is.
    pub kind: Kind,
    /// Which leg it went out on.
    pub to: Side,
    /// Whose it is.
    pub origin: Origin,
    /// How far it is.
    pub state: ExchangeState,
    /// CSeq number on the leg it went out on.
    pub client_cseq: u32,
    /// The transaction that awaits the answer.
    pub client: ClientId,
    /// The request as sent, to be sent again with credentials or after a crossing.
    pub sent: Bytes,
    /// The credentials that it carries: whole header lines, which an ACK repeats (RFC 3261 §13.2.2.4).
    pub credentials: Box<[u8]>,
    /// Whether it carries an offer.
    pub has_offer: bool,
    /// Whether a CANCEL was passed on.
    pub is_cancelled: bool,
    /// How often it met a request of its peer.
    pub crossings: u8,
    /// The Contact that it carried: the leg's target once the answer is 2xx (RFC 3261 §12.2.2).
    pub new_target: Option<NewTarget>,
}

impl Exchange {
    /// Which leg the request came in on; none for the switch's own.
    pub fn from(&self) -> Option<Side> {
        match self.origin {
            Origin::Peer { .. } => Some(self.to.other()),
            Origin::Switch => None,
        }
    }

    /// The transaction to answer; none for the switch's own.
    pub fn server(&self) -> Option<ServerId> {
        match self.origin {
            Origin::Peer { server, .. } => Some(server),
            Origin::Switch => None,
        }
    }
}

/// A target that waits for its request's 2xx.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTarget {
    /// The Contact URI.
    pub uri: Box<[u8]>,
    /// Where it leads.
    pub flow: Flow,
}
