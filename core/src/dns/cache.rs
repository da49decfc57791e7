//! What nameservers have said, for as long as it counts.

use super::records::{Found, Question};
use crate::handle::Table;
use crate::limits;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// The answer to a question, and until when it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) found: Found,
    pub(super) until: Instant,
}

/// Bounded by [`limits::DNS_CACHE`]: when full, what runs out first is forgotten.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cache {
    known: Table<Question, Known>,
    by_expiry: BTreeSet<(Instant, Question)>,
}

impl Cache {
    pub(super) fn new(key: (u64, u64)) -> Cache {
        Cache { known: Table::new(key), by_expiry: BTreeSet::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn get(&self, now: Instant, question: &Question) -> Option<&Known> {
        self.known.get(question).filter(|known| known.until > now)
    }

    /// Takes in an answer that counts for this many seconds by its nameserver's word, and for a time within our bounds.
    pub(super) fn insert(&mut self, now: Instant, question: Question, found: Found, ttl_s: u32) {
        let most_s = match found {
            Found::Nothing(_) => limits::DNS_NEGATIVE_TTL_MAX_S,
            _ => limits::DNS_TTL_MAX_S,
        };
        let until = now + Duration::from_secs(ttl_s.clamp(limits::DNS_TTL_MIN_S, most_s).into());
        let replaced = self.known.insert(question.clone(), Known { found, until });
        if let Some(replaced) = replaced {
            self.by_expiry.remove(&(replaced.until, question.clone()));
        }
        self.by_expiry.insert((until, question));
        while self.known.len() > limits::DNS_CACHE {
            let (_, first) = self.by_expiry.pop_first().expect("every answer stands in both");
            self.known.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, Question};
    use crate::dns::records::{Found, Kind};
    use crate::limits;
    use crate::time::Instant;

    #[test]
    fn a_full_cache_forgets_what_runs_out_first() {
        let mut cache = Cache::new((1, 2));
        let question = |i: usize| Question { name: format!("h{i}").into(), kind: Kind::A };
        let ttl_s = |i: usize| limits::DNS_TTL_MIN_S + u32::from(i != 7);
        for i in 0..=limits::DNS_CACHE {
            cache.insert(Instant::EPOCH, question(i), Found::Addresses(Vec::new()), ttl_s(i));
        }
        assert_eq!((cache.len(), cache.by_expiry.len()), (limits::DNS_CACHE, limits::DNS_CACHE));
        assert!(cache.get(Instant::EPOCH, &question(7)).is_none());
        assert!(cache.get(Instant::EPOCH, &question(8)).is_some());
        cache.insert(Instant::EPOCH, question(8), Found::Addresses(Vec::new()), 100);
        assert_eq!((cache.len(), cache.by_expiry.len()), (limits::DNS_CACHE, limits::DNS_CACHE));
    }
}
