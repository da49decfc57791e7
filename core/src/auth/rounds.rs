//! How often one exchange has been challenged (SS_SIP_AUTHENTICATION_RETRY).

use crate::handle::Table;
use crate::limits;
use crate::sip::{Message, Name};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use std::collections::VecDeque;
use std::hash::Hasher;
use std::net::IpAddr;
use std::time::Duration;

/// Challenges in progress, by Call-ID and source. One that is accepted leaves at once, the others when the time of an
/// exchange is over or newer ones need the room: forgetting allows a client more rounds, never fewer.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Rounds {
    hash_key: (u64, u64),
    exchanges: Table<u64, Exchange>,
    /// Every exchange in the order in which they began; one that was accepted stays here until its time is over.
    begun: VecDeque<(u64, Instant)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Exchange {
    /// The requests that were challenged, each once; no more than were allowed, and one.
    requests: Vec<u64>,
    since: Instant,
}

/// A request among those of an exchange.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    exchange: u64,
    request: u64,
}

/// Who knows the key can choose Call-IDs that count together, so it does not print.
impl std::fmt::Debug for Rounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rounds({})", self.len())
    }
}

impl Rounds {
    pub(super) fn new(key: (u64, u64)) -> Rounds {
        Rounds { hash_key: key, exchanges: Table::new(key), begun: VecDeque::new() }
    }

    /// Which exchange a request belongs to, and which request of it this is. One that is sent again, since its challenge
    /// was lost, is the same; one with other credentials is not, whatever its branch.
    pub(super) fn place(&self, message: &Message<'_>, source: IpAddr) -> Place {
        let branch = message.via().ok().and_then(|via| via.branch()).unwrap_or_default();
        let credentials = message.fields(Name::Authorization).chain(message.fields(Name::ProxyAuthorization));
        self.place_of(message.call_id().unwrap_or_default(), source, [branch].into_iter().chain(credentials))
    }

    fn place_of<'m>(&self, call_id: &[u8], source: IpAddr, request: impl Iterator<Item = &'m [u8]>) -> Place {
        let mut hasher = SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1);
        match source {
            IpAddr::V4(ip) => hasher.write(&ip.octets()),
            IpAddr::V6(ip) => hasher.write(&ip.octets()),
        }
        hasher.write(call_id);
        let exchange = hasher.finish();
        for part in request {
            hasher.write(part);
            hasher.write(&(part.len() as u64).to_le_bytes());
        }
        Place { exchange, request: hasher.finish() }
    }

    /// Counts one challenge more, unless this request has had one; false where there have been `most` already. An
    /// exchange is forgotten after `window`.
    pub(super) fn another(&mut self, place: Place, most: u32, window: Duration, now: Instant) -> bool {
        self.forget(window, now);
        let Place { exchange, request } = place;
        let is_in_time = |known: &&mut Exchange| now.since(known.since) <= window;
        if let Some(known) = self.exchanges.get_mut(&exchange).filter(is_in_time) {
            let most = most as usize;
            if known.requests.len() <= most && !known.requests.contains(&request) {
                known.requests.push(request);
            }
            return known.requests.len() <= most;
        }
        self.exchanges.insert(exchange, Exchange { requests: vec![request], since: now });
        self.begun.push_back((exchange, now));
        most > 0
    }

    /// The exchange ended well.
    pub(super) fn done(&mut self, place: Place) {
        self.exchanges.remove(&place.exchange);
    }

    fn forget(&mut self, window: Duration, now: Instant) {
        // two for every one that may come, so that the table shrinks back after a rush
        for _ in 0..2 {
            let Some(&(exchange, since)) = self.begun.front() else { return };
            if self.begun.len() < limits::AUTH_EXCHANGES && now.since(since) <= window {
                return;
            }
            self.begun.pop_front();
            if self.exchanges.get(&exchange).is_some_and(|known| known.since == since) {
                self.exchanges.remove(&exchange);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.exchanges.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn place(request: u64) -> Place {
        Place { exchange: 9, request }
    }

    fn seconds(s: u64) -> Instant {
        Instant::from_micros(s * 1_000_000)
    }

    #[test]
    fn the_seventh_challenge_of_an_exchange_is_refused_until_its_time_is_over() {
        let mut rounds = Rounds::new((1, 2));
        for request in 0..6 {
            assert!(rounds.another(place(request), 6, WINDOW, seconds(1)));
        }
        assert!(!rounds.another(place(6), 6, WINDOW, seconds(61)));
        assert!(rounds.another(place(7), 6, WINDOW, seconds(62)));
    }

    /// Found by the swarm: who does not hear the challenges sends one request seven times, and was refused for it.
    #[test]
    fn a_request_that_is_sent_again_begins_no_other_round() {
        let mut rounds = Rounds::new((1, 2));
        for _ in 0..7 {
            assert!(rounds.another(place(1), 1, WINDOW, seconds(1)));
        }
        assert!(!rounds.another(place(2), 1, WINDOW, seconds(1)));
        assert!(!rounds.another(place(2), 1, WINDOW, seconds(1)), "refused once, refused again");
    }

    /// Found by the swarm: copies of two requests that take turns, as of two refreshes whose challenges are all lost.
    #[test]
    fn requests_that_take_turns_count_once_each() {
        let mut rounds = Rounds::new((1, 2));
        for request in [1, 2, 1, 2, 1, 2, 1, 2] {
            assert!(rounds.another(place(request), 2, WINDOW, seconds(1)));
        }
    }

    /// Found by the swarm: entries of others, still waiting to be cleared away, kept it beyond its time.
    #[test]
    fn an_exchange_is_over_in_its_time_however_many_stand_before_it() {
        let mut rounds = Rounds::new((1, 2));
        for exchange in 100..110 {
            assert!(rounds.another(Place { exchange, request: 1 }, 1, WINDOW, seconds(1)));
        }
        assert!(rounds.another(place(1), 1, WINDOW, seconds(2)));
        assert!(!rounds.another(place(2), 1, WINDOW, seconds(3)));
        assert!(rounds.another(place(3), 1, WINDOW, seconds(200)));
    }

    #[test]
    fn success_begins_anew_and_an_old_entry_in_the_order_harms_nobody() {
        let mut rounds = Rounds::new((1, 2));
        assert!(rounds.another(place(1), 1, WINDOW, seconds(1)));
        rounds.done(place(1));
        assert!(rounds.another(place(2), 1, WINDOW, seconds(30)));
        // the first entry's time is over, the second's is not
        assert!(!rounds.another(place(3), 1, WINDOW, seconds(70)));
    }

    #[test]
    fn the_table_stays_bounded_under_a_flood_of_call_ids() {
        let mut rounds = Rounds::new((1, 2));
        let source = "192.0.2.1".parse().unwrap();
        for n in 0..limits::AUTH_EXCHANGES as u32 + 1000 {
            let place = rounds.place_of(&n.to_le_bytes(), source, [&b"z9hG4bKx"[..]].into_iter());
            rounds.another(place, 6, WINDOW, seconds(1));
        }
        assert!(rounds.len() <= limits::AUTH_EXCHANGES && rounds.begun.len() <= limits::AUTH_EXCHANGES);
    }
}
