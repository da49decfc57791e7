//! Where a gateway is: its peers in their order, and of one that is named by host the places where the name leads, in the
//! order of RFC 3263 §4.3. A search gives them one by one.

use super::Lent;
use crate::config::Gateway;
use crate::dns::{Answer, Name};
use crate::input::Flow;
use crate::transaction::{Owner, Party};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Lookups are told apart by a count that fits in [`Owner::role`] beside who asks. A gateway has one lookup at a time, and
/// an abandoned one is answered within [`crate::limits::DNS_LOOKUP_S`]: only 128 reloads in that time would confuse two.
const TICKETS: u8 = 128;

/// Where a request can be sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) flow: Flow,
    /// As it stands in the Request-URI: the peer's own address or name.
    pub(super) host: String,
}

/// The way through the places of a gateway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Search {
    /// How many peers have been looked at.
    begun: usize,
    /// Where the last of them may be reached besides.
    places: VecDeque<Place>,
    ticket: u8,
    is_waiting: bool,
    /// Which name led nowhere since the last place, and why.
    fault: Option<String>,
}

/// What a search comes to next.
pub(super) enum Next {
    Place(Place),
    /// A name is being looked up.
    Later,
    /// There are no more.
    Nowhere,
}

impl Search {
    /// From the first peer on; what was being looked up is not waited for.
    pub(super) fn restart(&mut self) {
        *self = Search { ticket: self.ticket, ..Search::default() };
    }

    /// This place and no other.
    pub(super) fn restart_at(&mut self, place: Place) {
        *self = Search { ticket: self.ticket, begun: usize::MAX, places: VecDeque::from([place]), ..Search::default() };
    }

    /// This place once more, before those that are left.
    pub(super) fn put_back(&mut self, place: Place) {
        self.places.push_front(place);
    }

    /// The next place. `id` and `role` say who is to get the answer where a name has to be looked up.
    pub(super) fn next(&mut self, lent: &mut Lent<'_>, gateway: &Gateway, id: u64, role: u8) -> Next {
        loop {
            if let Some(place) = self.places.pop_front() {
                self.fault = None;
                return Next::Place(place);
            }
            let Some(peer) = gateway.peers.get(self.begun) else { return Next::Nowhere };
            self.begun += 1;
            let ticket = (self.ticket + 1) % TICKETS;
            let owner = Owner { party: Party::Trunk, id, role: role | ticket << 1 };
            match lent.resolver.resolve(lent.cx, &Name::from(peer), owner) {
                Some(answer) => self.take(gateway, answer),
                None => {
                    (self.ticket, self.is_waiting) = (ticket, true);
                    return Next::Later;
                }
            }
        }
    }

    /// The answer for this owner is there. Whether it is the one that is waited for.
    pub(super) fn on_resolved(&mut self, gateway: &Gateway, owner: Owner, answer: Answer) -> bool {
        let is_awaited = self.is_waiting && owner.role >> 1 == self.ticket;
        if is_awaited {
            self.is_waiting = false;
            self.take(gateway, answer);
        }
        is_awaited
    }

    fn take(&mut self, gateway: &Gateway, answer: Answer) {
        let peer = gateway.peers.get(self.begun - 1).expect("a peer was looked at, and a change of peers restarts");
        let host = || peer.target().map_or_else(|| Name::from(peer).to_string(), |address| address.to_string());
        match answer {
            Ok(set) => self.places.extend(set.flows().map(|flow| Place { flow, host: host() })),
            Err(failure) => self.fault = Some(format!("{}: {}", host(), failure.name())),
        }
    }

    /// Which name led nowhere after the last place, and why.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }
}
