//! Generational slabs and keyed tables: where the core keeps things.
//!
//! A [`Slab`] gives out typed [`Handle`]s whose generation makes a stale handle find nothing, ever. A [`Table`] finds a
//! handle by a key off the wire; it is keyed by the seed, since senders choose Call-IDs and branches, and it cannot be
//! iterated, since a hash map's order is not ours to rely on. Ordered walks go through a slab (by index) or a B-tree.

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

/// Names one value in a [`Slab<T>`]. Plain data: two numbers.
pub struct Handle<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Handle<T> {
    /// The handle as one number, for a journal, a timer key or an API; see [`Handle::from_bits`].
    pub const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    /// The slot it names: see [`Slab::iter_from`].
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// The handle that [`Handle::to_bits`] gave this number for.
    pub const fn from_bits(bits: u64) -> Handle<T> {
        Handle { index: bits as u32, generation: (bits >> 32) as u32, of: PhantomData }
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Handle<T> {}
impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        self.to_bits() == other.to_bits()
    }
}
impl<T> Eq for Handle<T> {}
impl<T> PartialOrd for Handle<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Handle<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.to_bits().cmp(&other.to_bits())
    }
}
impl<T> Hash for Handle<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.to_bits().hash(state);
    }
}
impl<T> std::fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}
impl<T> Serialize for Handle<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_bits().serialize(serializer)
    }
}
impl<'de, T> Deserialize<'de> for Handle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Handle::from_bits)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Values behind generational handles. Insertion, look-up and removal are O(1); freed slots are reused last-freed first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the value in and names it.
    pub fn insert(&mut self, value: T) -> Handle<T> {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, value: None });
            u32::try_from(self.slots.len() - 1).expect("limits.rs keeps every slab far below 2^32 slots")
        });
        let slot = &mut self.slots[index as usize];
        slot.value = Some(value);
        Handle { index, generation: slot.generation, of: PhantomData }
    }

    /// The value, unless it has been removed.
    pub fn get(&self, handle: Handle<T>) -> Option<&T> {
        let slot = self.slots.get(handle.index as usize)?;
        (slot.generation == handle.generation).then_some(slot.value.as_ref()).flatten()
    }

    /// The value, unless it has been removed.
    pub fn get_mut(&mut self, handle: Handle<T>) -> Option<&mut T> {
        let slot = self.slots.get_mut(handle.index as usize)?;
        (slot.generation == handle.generation).then_some(slot.value.as_mut()).flatten()
    }

    /// Removes the value; its handle finds nothing from now on, even when the slot is reused.
    pub fn remove(&mut self, handle: Handle<T>) -> Option<T> {
        let slot = self.slots.get_mut(handle.index as usize)?;
        if slot.generation != handle.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(handle.index);
        Some(value)
    }

    /// All values, by rising slot index: an order that depends only on what was inserted and removed.
    pub fn iter(&self) -> impl Iterator<Item = (Handle<T>, &T)> {
        self.iter_from(0)
    }

    /// The values from slot `start` on, by rising slot index: for a walk in pages, since a value stays in its slot.
    pub fn iter_from(&self, start: usize) -> impl Iterator<Item = (Handle<T>, &T)> {
        let rest = self.slots.get(start..).unwrap_or_default();
        rest.iter().zip(start..).filter_map(|(slot, index)| {
            let handle = Handle { index: index as u32, generation: slot.generation, of: PhantomData };
            slot.value.as_ref().map(|value| (handle, value))
        })
    }
}

/// Hashes with SipHash-1-3 under the two keys of [`crate::rng::table_key`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Keyed(u64, u64);

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;
    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0, self.1)
    }
}

#[expect(clippy::disallowed_types, reason = "the one hash map: keyed by the seed, never iterated but to be sorted")]
type Map<K, V> = std::collections::HashMap<K, V, Keyed>;

/// A hash map keyed from the seed, without iteration.
#[derive(Clone)]
pub struct Table<K, V> {
    map: Map<K, V>,
}

impl<K: Eq + Hash, V> Table<K, V> {
    /// An empty table that hashes under `key` (see [`crate::rng::table_key`]).
    pub fn new(key: (u64, u64)) -> Self {
        Table { map: Map::with_hasher(Keyed(key.0, key.1)) }
    }

    /// How many entries it holds.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The value under this key.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.map.get(key)
    }

    /// The value under this key.
    pub fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.map.get_mut(key)
    }

    /// Puts the value under this key and returns the one it replaces.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.map.insert(key, value)
    }

    /// Takes the entry out.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.map.remove(key)
    }
}

impl<K, V> std::fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({})", self.map.len())
    }
}

/// As its keys and then its entries in rising key order, so that equal tables serialise to equal bytes.
impl<K: Ord + Serialize, V: Serialize> Serialize for Table<K, V> {
    #[expect(clippy::disallowed_methods, reason = "sorted before anything sees the order")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<(&K, &V)> = self.map.iter().collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
        (*self.map.hasher(), entries).serialize(serializer)
    }
}

impl<'de, K: Eq + Hash + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Table<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Eq + Hash + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Parts<K, V> {
            type Value = Table<K, V>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table's hash keys and its entries")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let missing = || serde::de::Error::custom("a table needs its hash keys and its entries");
                let keyed: Keyed = seq.next_element()?.ok_or_else(missing)?;
                let entries: Vec<(K, V)> = seq.next_element()?.ok_or_else(missing)?;
                let mut map = Map::with_capacity_and_hasher(entries.len(), keyed);
                map.extend(entries);
                Ok(Table { map })
            }
        }
        deserializer.deserialize_tuple(2, Parts(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn a_stale_handle_finds_nothing_in_a_reused_slot() {
        let mut slab = Slab::default();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }

    quickcheck! {
        fn handles_survive_their_bits(index: u32, generation: u32) -> bool {
            let bits = u64::from(generation) << 32 | u64::from(index);
            Handle::<u8>::from_bits(bits).to_bits() == bits
        }

        fn equal_tables_serialise_equally(entries: Vec<(u16, u8)>) -> bool {
            let mut forward = Table::new((1, 2));
            let mut backward = Table::new((1, 2));
            let unique: std::collections::BTreeMap<u16, u8> = entries.into_iter().collect();
            for (k, v) in &unique {
                forward.insert(*k, *v);
            }
            for (k, v) in unique.iter().rev() {
                backward.insert(*k, *v);
            }
            let bytes = postcard::to_stdvec(&forward).unwrap();
            let back: Table<u16, u8> = postcard::from_bytes(&bytes).unwrap();
            bytes == postcard::to_stdvec(&backward).unwrap() && unique.iter().all(|(k, v)| back.get(k) == Some(v))
        }
    }
}
