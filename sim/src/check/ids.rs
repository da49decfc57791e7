//! Names off the wire by a 64-bit hash of theirs, and tables under it that forget what has ended.

use crosspoint_core::time::Instant;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

/// A name of the wire: a branch, a tag, a Call-ID, a whole datagram. Two of a world's names do not fall together: of
/// 10^6 names alive at once that happens once in 10^7 worlds.
pub(super) type Id = u64;

/// How long what has ended is kept: 64*T1, after which no side sends of it again (RFC 3261 §17), and a margin for what
/// is under way.
pub(super) const KEPT: Duration = Duration::from_secs(40);

/// FxHash's step over eight bytes at once, and an end that spreads it.
pub(super) fn id(text: &[u8]) -> Id {
    let mut chunks = text.chunks_exact(8);
    let mut hash = step(0x9e37_79b9_7f4a_7c15, text.len() as u64);
    for chunk in chunks.by_ref() {
        hash = step(hash, u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes")));
    }
    let rest = chunks.remainder().iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    let hash = step(hash, rest);
    hash ^ hash >> 32
}

/// One id of several.
pub(super) fn join(parts: &[Id]) -> Id {
    let hash = parts.iter().fold(0x243f_6a88_85a3_08d3, |hash, part| step(hash, *part));
    hash ^ hash >> 32
}

fn step(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// An id is a hash already.
#[derive(Default)]
pub(super) struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only ids are hashed");
    }

    fn write_u64(&mut self, id: u64) {
        // the map takes its control bits from the top and its place from the bottom: both are spread
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
    }
}

/// Values under ids; walked only in the order in which they came.
#[derive(Debug)]
pub(super) struct Ids<V> {
    map: HashMap<Id, V, BuildHasherDefault<Plain>>,
    /// When to look at each again whether it can be forgotten: in rising order, since every look is as far ahead.
    looks: VecDeque<(Instant, Id)>,
}

impl<V> Default for Ids<V> {
    fn default() -> Self {
        Ids { map: HashMap::default(), looks: VecDeque::new() }
    }
}

impl<V> Ids<V> {
    pub(super) fn get(&self, id: Id) -> Option<&V> {
        self.map.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut V> {
        self.map.get_mut(&id)
    }

    /// The value under this id, made where there is none.
    pub(super) fn entry(&mut self, now: Instant, id: Id, make: impl FnOnce() -> V) -> &mut V {
        self.map.entry(id).or_insert_with(|| {
            self.looks.push_back((now + KEPT, id));
            make()
        })
    }

    /// Forgets it now.
    pub(super) fn remove(&mut self, id: Id) {
        self.map.remove(&id);
    }

    pub(super) fn insert(&mut self, now: Instant, id: Id, value: V) {
        if self.map.insert(id, value).is_none() {
            self.looks.push_back((now + KEPT, id));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// The values in the order in which they came or were last looked at.
    pub(super) fn iter(&self) -> impl Iterator<Item = &V> {
        self.looks.iter().filter_map(|(_, id)| self.map.get(id))
    }

    pub(super) fn clear(&mut self) {
        self.map.clear();
        self.looks.clear();
    }

    /// Looks at what is due, and takes out what `can_go` says of.
    pub(super) fn forget(&mut self, now: Instant, mut can_go: impl FnMut(&mut V) -> bool) {
        while let Some((_, id)) = self.looks.front().copied().filter(|(at, _)| *at <= now) {
            self.looks.pop_front();
            let Some(value) = self.map.get_mut(&id) else { continue };
            if can_go(value) {
                self.map.remove(&id);
            } else {
                self.looks.push_back((now + KEPT, id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_that_differ_a_little_have_ids_that_differ() {
        let names = (0..50_000).map(|n| format!("z9hG4bK{n:016}"));
        let ids: BTreeSet<Id> = names.map(|name| id(name.as_bytes())).collect();
        assert_eq!(ids.len(), 50_000);
        assert!(id(b"a") != id(b"a\0") && id(b"") != id(b"\0") && join(&[1, 2]) != join(&[2, 1]));
    }

    #[test]
    fn what_may_go_is_forgotten_and_the_rest_is_looked_at_again() {
        let mut ids = Ids::default();
        let at = |s| Instant::EPOCH + Duration::from_secs(s);
        for n in 0..4_u64 {
            ids.insert(at(n), n, n);
        }
        ids.forget(at(39), |_| true);
        assert_eq!(ids.len(), 4);
        ids.forget(at(41), |n| *n == 1);
        assert_eq!(ids.iter().copied().collect::<Vec<_>>(), [2, 3, 0]);
        ids.forget(at(100), |_| true);
        assert_eq!((ids.len(), ids.looks.len()), (0, 0));
    }
}
