//! How many calls are under way, by what they take up.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a call, or one of its attempts, takes up as long as it lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// It is one of the switch's calls.
    pub is_call: bool,
    /// Phones in it, by user; one that stands here twice counts twice.
    pub phones: Vec<String>,
    /// The gateway it goes through.
    pub gateway: String,
    /// The group of that gateway.
    pub group: String,
    /// For whom lines of that gateway may be reserved that this call takes: the mapping gateway that it comes from, and
    /// its group.
    pub holders: Vec<String>,
}

/// Calls under way: in all, and by phone, gateway, group and reservation. Nothing that is not in use takes memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    calls: u32,
    phones: Counts,
    gateways: Counts,
    groups: Counts,
    /// Calls of each holder through each gateway.
    held: BTreeMap<String, Counts>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts(BTreeMap<String, u32>);

impl Counts {
    fn of(&self, name: &str) -> u32 {
        self.0.get(name).copied().unwrap_or(0)
    }

    fn add(&mut self, name: &str) {
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None if name.is_empty() => {}
            None => {
                self.0.insert(name.to_owned(), 1);
            }
        }
    }

    fn remove(&mut self, name: &str) {
        if name.is_empty() {
            return;
        }
        let count = self.0.get_mut(name).expect("a use is removed once for each time it was added");
        *count -= 1;
        if *count == 0 {
            self.0.remove(name);
        }
    }
}

impl Load {
    /// This is taken up from now on.
    pub fn add(&mut self, used: &Use) {
        self.calls += u32::from(used.is_call);
        used.phones.iter().for_each(|phone| self.phones.add(phone));
        self.gateways.add(&used.gateway);
        self.groups.add(&used.group);
        if !used.holders.is_empty() {
            let held = self.held.entry(used.gateway.clone()).or_default();
            used.holders.iter().for_each(|holder| held.add(holder));
        }
    }

    /// This is free again.
    ///
    /// # Panics
    /// Where it was not added before.
    pub fn remove(&mut self, used: &Use) {
        let calls = self.calls.checked_sub(u32::from(used.is_call));
        self.calls = calls.expect("a use is removed once for each time it was added");
        used.phones.iter().for_each(|phone| self.phones.remove(phone));
        self.gateways.remove(&used.gateway);
        self.groups.remove(&used.group);
        if let Some(held) = self.held.get_mut(&used.gateway) {
            used.holders.iter().for_each(|holder| held.remove(holder));
            if held.0.is_empty() {
                self.held.remove(&used.gateway);
            }
        }
    }

    /// Calls of the switch.
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// Calls of this phone, in and out.
    pub fn of_phone(&self, user: &str) -> u32 {
        self.phones.of(user)
    }

    /// Calls from and to this gateway.
    pub fn of_gateway(&self, name: &str) -> u32 {
        self.gateways.of(name)
    }

    /// Calls from and to the gateways of this group.
    pub fn of_group(&self, name: &str) -> u32 {
        self.groups.of(name)
    }

    /// Calls of this holder through this gateway.
    pub fn held(&self, gateway: &str, holder: &str) -> u32 {
        self.held.get(gateway).map_or(0, |held| held.of(holder))
    }

    /// Whether nothing is under way: an oracle asks when the last call has gone.
    pub fn is_empty(&self) -> bool {
        *self == Load::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Load, Use};

    /// A use out of few names, so that they meet.
    fn any_use(seed: u32) -> Use {
        let name = |shift: u32| ["", "a", "b", "c"][(seed >> shift) as usize & 3].to_owned();
        let gateway = name(0);
        let holders = if gateway.is_empty() { Vec::new() } else { vec![name(2)] };
        Use { is_call: seed & 1 == 1, phones: vec![name(4), name(6)], gateway, group: name(8), holders }
    }

    quickcheck::quickcheck! {
        fn what_is_added_and_removed_leaves_nothing(seeds: Vec<u32>, turn: usize) -> bool {
            let mut uses: Vec<Use> = seeds.into_iter().map(any_use).collect();
            let mut load = Load::default();
            uses.iter().for_each(|used| load.add(used));
            let calls = uses.iter().filter(|used| used.is_call).count();
            let phones = uses.iter().flat_map(|used| &used.phones).filter(|phone| *phone == "a").count();
            let counted = load.calls() as usize == calls && load.of_phone("a") as usize == phones;
            let turn = turn % uses.len().max(1);
            uses.rotate_left(turn);
            uses.iter().for_each(|used| load.remove(used));
            counted && load.is_empty()
        }
    }

    #[test]
    #[should_panic(expected = "once for each time")]
    fn what_was_not_added_cannot_be_removed() {
        Load::default().remove(&Use { gateway: "a".to_owned(), ..Use::default() });
    }
}
