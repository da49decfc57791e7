//! How a call's media goes: the decision, the ports and sessions of the relay, and the descriptions that lead there.
//!
//! Each attempt decides for itself, just before its INVITE goes out (behaviour 1(a), "When"), and where it relays it holds
//! its own ports. The legs of all its branches share them: what a callee's To-tag said last of its media is kept with the
//! branch, and the one that speaks, in the end the one that answers, is who the relay sends to (user-pains 8).
//!
//! | file | what |
//! |---|---|
//! | `decide` | relay or direct, upon which facts |
//! | `open` | ports: asked for, waited for, given back |
//! | `speak` | a description passes from leg to leg: read, rewritten, told to the shard |
//! | `description` | what is kept of one stream of a description, and the plan of a leg that follows |
//! | `ring` | ringback that the switch plays to the caller |
//! | `station` | a leg whose other end is the switch itself |
//! | `announce` | the caller hears why its call fails |
//! | `own` | the early dialogs in which it hears the switch's ringback or an announcement |
//! | `report` | what shards tell: where media goes, silence, the statistics of the CDR |

mod announce;
mod decide;
mod description;
mod open;
mod own;
mod report;
mod ring;
mod speak;
mod station;

pub use announce::{Announcement, Ending};
pub(super) use decide::evidence;
pub use description::Description;
pub(super) use open::Opening;
pub(super) use open::description;
pub(super) use own::ALLOW;
pub use own::OwnDialog;
pub use report::Closing;
pub use ring::Ring;
pub(super) use speak::{Role, Spot, View};
pub use station::Station;

use super::{Call, Destination, Side};
use crate::config::MediaWatch;
use crate::media::{Decision, Facts, Kind, LegPlan, Move, Outcome, Party, SessionId};
use crate::ports::{LeaseId, Shard};
use crate::relays::Held;
use crate::sdp::PayloadMap;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::net::SocketAddr;

/// How the media of an attempt goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Media {
    /// What was decided, once it was.
    pub decided: Option<Box<Decided>>,
    /// What is watched in the media of the caller and of the callee.
    pub watches: [MediaWatch; 2],
    /// What it holds of the relay; none where media is direct.
    pub relayed: Option<Box<Relayed>>,
}

/// A decision with what it was made upon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Relay or direct, and by which rule.
    pub decision: Decision,
    /// The facts.
    pub facts: Facts,
}

/// What an attempt holds of the relay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Relayed {
    /// Both legs are there.
    pub shard: Shard,
    /// By their `m=` lines.
    pub streams: Vec<Stream>,
    /// The branch whose callee spoke last.
    pub speaker: Option<u8>,
    /// What the caller hears while the callee rings.
    pub ring: Ring,
}

/// One stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stream {
    /// The caller's side, the callee's side; none while the stream is refused, or not of datagrams.
    pub ports: Option<[Port; 2]>,
    /// What the shard has of it.
    pub session: Option<SessionId>,
    /// In the order of [`Side::BOTH`].
    pub legs: [StreamLeg; 2],
}

/// The port of one leg, or its pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Port {
    /// It was asked for.
    Waiting(LeaseId),
    /// It is open.
    Held(Held),
}

/// One leg of a stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StreamLeg {
    /// What its peer has said and the other one has answered, or answered itself.
    pub agreed: Option<Description>,
    /// What its peer offers, until the answer.
    pub offered: Option<Box<Description>>,
    /// What the numbers in its peer's packets become.
    pub packets: PayloadMap,
    /// The same under the description that it was last shown, which takes effect with the answer.
    pub packets_shown: PayloadMap,
    /// What the shard was told last.
    pub told: Option<Told>,
    /// Where the shard sends its RTP, and why, where a packet has moved it.
    pub moved: Option<Move>,
}

/// Enough of a plan to know whether another one differs, and from where the leg is to be learned: calls are many, and the
/// shard has the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where its peer's description says that it is.
    pub signalled: Option<SocketAddr>,
    kind: Kind,
    digest: u64,
}

impl Told {
    fn of(plan: &LegPlan) -> Told {
        let mut hasher = SipHasher13::new();
        hasher.write(&postcard::to_stdvec(plan).expect("a plan is plain data"));
        Told { signalled: plan.signalled, kind: plan.kind, digest: hasher.finish() }
    }

    /// Whether its peer is still in the same place, and speaks the same kind of datagrams.
    fn is_where(&self, other: &Told) -> bool {
        (self.signalled, self.kind) == (other.signalled, other.kind)
    }
}

impl Port {
    fn lease(self) -> LeaseId {
        match self {
            Port::Waiting(lease) => lease,
            Port::Held(held) => held.lease,
        }
    }

    fn held(self) -> Option<Held> {
        match self {
            Port::Waiting(_) => None,
            Port::Held(held) => Some(held),
        }
    }
}

impl Stream {
    /// Media does not flow both ways.
    fn is_held(&self) -> bool {
        self.legs.iter().any(|leg| leg.described().is_some_and(Description::is_held))
    }

    /// Both its ports, once both are open.
    fn held(&self) -> Option<[Held; 2]> {
        let [caller, callee] = self.ports?;
        Some([caller.held()?, callee.held()?])
    }
}

impl StreamLeg {
    /// What holds now of its peer's media: what was agreed, before that what it offers.
    fn described(&self) -> Option<&Description> {
        self.agreed.as_ref().or(self.offered.as_deref())
    }
}

impl Call {
    /// `relay` or `direct` and the rule, as records have them; empty before that is decided. Where the switch is the other
    /// end there was nothing to decide, and the rule is `N1`.
    pub(super) fn media_names(&self, to: Option<&Destination>) -> (&'static str, &'static str) {
        match to.and_then(|to| to.media) {
            Some((outcome, rule)) => (outcome.name(), rule.id()),
            None if self.answering.is_some() => (Outcome::Relay.name(), "N1"),
            None => ("", ""),
        }
    }
}

impl Side {
    /// The same side of a session.
    pub(super) fn party(self) -> Party {
        match self {
            Side::Caller => Party::Caller,
            Side::Callee => Party::Callee,
        }
    }
}
