//! Every call of a phone, past ones too: those that live are found without a walk over the rest.

use super::call::{Call, State};
use super::settings::End;

/// Calls in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Calls {
    all: Vec<Call>,
    /// All before it are over.
    first_live: usize,
    /// All before it were over when [`Calls::forget`] was last called.
    first_fresh: usize,
}

impl Calls {
    pub(super) fn push(&mut self, call: Call) {
        self.all.push(call);
    }

    pub(super) fn all(&self) -> &[Call] {
        &self.all
    }

    pub(super) fn clear(&mut self) {
        *self = Calls::default();
    }

    /// Forgets calls that were over when this was last called, but those that never got an answer.
    pub(super) fn forget(&mut self) {
        let old = self.all.drain(..self.first_fresh);
        let kept: Vec<Call> = old.filter(|call| call.state() == State::Over(End::TimedOut)).collect();
        self.all.splice(..0, kept);
        self.all.shrink_to_fit();
        self.first_live = 0;
        self.pass_over();
        self.first_fresh = self.first_live;
    }

    fn pass_over(&mut self) {
        while self.all.get(self.first_live).is_some_and(Call::is_over) {
            self.first_live += 1;
        }
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
        self.pass_over();
        self.all[self.first_live..].iter_mut().filter(|call| !call.is_over())
    }
}
