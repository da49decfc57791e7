//! Every call of a phone, past ones too: those that live are found without a walk over the rest.

use super::call::Call;

/// Calls in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Calls {
    all: Vec<Call>,
    /// All before it are over.
    first_live: usize,
}

impl Calls {
    pub(super) fn push(&mut self, call: Call) {
        self.all.push(call);
    }

    pub(super) fn all(&self) -> &[Call] {
        &self.all
    }

    pub(super) fn clear(&mut self) {
        (self.all, self.first_live) = Default::default();
    }

    pub(super) fn get(&self, number: u32) -> Option<&Call> {
        self.all.binary_search_by_key(&number, |call| call.number).ok().map(|at| &self.all[at])
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Call> {
        self.all.binary_search_by_key(&number, |call| call.number).ok().map(|at| &mut self.all[at])
    }

    /// Those that are not over.
    pub(super) fn live(&self) -> impl DoubleEndedIterator<Item = &Call> + Clone {
        self.all[self.first_live..].iter().filter(|call| !call.is_over())
    }

    /// The same, to change.
    pub(super) fn live_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Call> {
        while self.all.get(self.first_live).is_some_and(Call::is_over) {
            self.first_live += 1;
        }
        self.all[self.first_live..].iter_mut().filter(|call| !call.is_over())
    }
}
