//! The registrar (RFC 3261 §10): who can be reached where.
//!
//! A binding is one contact of one address-of-record. The bindings of one address-of-record are a chain through the
//! slab, at most [`limits::CONTACTS_PER_AOR`] long, whose head the table knows; every binding stands once in the ordered
//! set of expiries, and one timer waits for the head of that set. Every change leaves as
//! [`crate::event::Event::BindingChanged`], which the journal keeps and [`Registrar::restore`] takes back after a restart.

mod answer;
mod binding;
mod change;
mod date;
mod plan;
mod request;
#[cfg(test)]
mod tests;
mod text;

pub use crate::binding::BindingRecord;
pub use answer::Answer;
pub use request::MIN_EXPIRES_S;

use crate::cx::Cx;
use crate::handle::{Handle, Slab, Table};
use crate::input::Flow;
use crate::limits;
use crate::nat::Evidence;
use crate::sip::{Message, Uri};
use crate::time::{Instant, Now};
use crate::timers::{TimerId, TimerKey};
use answer::{refusal, whole_seconds_left};
use binding::Binding;
use plan::{Step, plan};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// Where one contact of an address-of-record is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The Request-URI for it: the Contact URI without the headers that may stand in it.
    pub contact: &'a [u8],
    /// The way to it: over the proxy its REGISTER came through where there is a path, else to its Contact, or to the
    /// observed source where only that can be reached.
    pub flow: Flow,
    /// Route values in order, comma-separated; empty where there are none (RFC 3327).
    pub path: &'a [u8],
    /// `+sip.instance` without quotes, the same over all flows to one phone (RFC 5626); empty where there is none.
    pub instance: &'a [u8],
    /// Preference in thousandths, 0 to 1000.
    pub q_permille: u16,
}

/// The bindings of one switch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registrar {
    bindings: Slab<Binding>,
    /// The first binding of each address-of-record that has one.
    heads: Table<Box<[u8]>, Handle<Binding>>,
    expiries: BTreeSet<(Instant, Handle<Binding>)>,
    /// Waits for the head of `expiries`.
    timer: Option<TimerId>,
    /// Sum of the texts of all bindings, in bytes.
    text_bytes: usize,
}

impl Registrar {
    /// A registrar without bindings, whose table hashes under this key (see [`crate::rng::table_key`]).
    pub fn new(table_key: (u64, u64)) -> Registrar {
        Registrar {
            bindings: Slab::default(),
            heads: Table::new(table_key),
            expiries: BTreeSet::new(),
            timer: None,
            text_bytes: 0,
        }
    }

    /// Handles an authenticated REGISTER for the address-of-record whose user part, unescaped, is `aor`: steps 5 to 8 of
    /// RFC 3261 §10.3, all or nothing. `flow` is where it came from.
    ///
    /// Bounded by the length of the message and [`limits::CONTACTS_PER_REGISTER`] times
    /// [`limits::CONTACTS_PER_AOR`] comparisons of contacts.
    pub fn register(&mut self, cx: &mut Cx, message: &Message<'_>, flow: Flow, aor: &str) -> Answer {
        let answer = self.try_register(cx, message, flow, aor).unwrap_or_else(|refusal| refusal);
        self.set_timer(cx);
        answer
    }

    fn try_register(&mut self, cx: &mut Cx, message: &Message<'_>, flow: Flow, aor: &str) -> Result<Answer, Answer> {
        let request = request::read(message, flow, aor, cx.config.parameters.endpoint_expire())?;
        self.expire_chain(cx, aor.as_bytes());
        let chain: Vec<_> = self.chain(aor.as_bytes()).collect();
        let steps = plan(&request, &chain)?;
        self.check_room(cx, &chain, &steps)?;
        self.commit(cx, &request, &steps, flow, aor);
        Ok(answer::success(cx.now, &request.path, self.ranked(aor.as_bytes(), cx.now).into_iter()))
    }

    /// The current bindings of an address-of-record, best first: by q, then the most recently refreshed; at most
    /// [`limits::CONTACTS_PER_AOR`].
    pub fn lookup(&self, aor: &[u8], now: Now) -> impl Iterator<Item = Target<'_>> {
        self.ranked(aor, now).into_iter().map(|binding| {
            let parts = binding.text.parts();
            Target {
                contact: without_headers(parts.contact),
                flow: binding.way(),
                path: parts.path,
                instance: parts.instance,
                q_permille: binding.q_permille,
            }
        })
    }

    /// Where the device of the best binding of an address-of-record was seen, and what its REGISTER showed of an address
    /// translator on the way.
    pub fn seen(&self, aor: &[u8], now: Now) -> Option<(Flow, Evidence)> {
        self.ranked(aor, now).first().map(|binding| (binding.flow, binding.evidence()))
    }

    /// What the REGISTERs of an address-of-record showed of an address translator that came from this host, or whose
    /// device is reached at this address.
    pub fn evidence_at(&self, aor: &[u8], remote: SocketAddr, now: Now) -> Evidence {
        let bindings = self.ranked(aor, now).into_iter();
        let is_there = |binding: &&Binding| binding.flow.remote.ip() == remote.ip() || binding.way().remote == remote;
        bindings.filter(is_there).fold(Evidence::default(), |all, binding| all.and(binding.evidence()))
    }

    /// [`TimerKey::BindingExpiry`] has fired: ends the bindings whose time is up, at most
    /// [`limits::EXPIRIES_PER_TIMER`], and waits for the next.
    pub fn fire(&mut self, cx: &mut Cx) {
        self.timer = None;
        for _ in 0..limits::EXPIRIES_PER_TIMER {
            match self.expiries.first() {
                Some((at, handle)) if *at <= cx.now.mono => self.end(cx, *handle, "expired"),
                _ => break,
            }
        }
        self.set_timer(cx);
    }

    /// How many bindings there are.
    pub fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Timers armed here: one, as long as anybody is registered.
    pub fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// At most `limit` bindings from the cursor `after` on, and the cursor for the next call, if there are more. A
    /// binding that stays is told exactly once however many change between the calls.
    pub fn page(&self, now: Now, after: Option<u64>, limit: usize) -> (Vec<BindingRecord>, Option<u64>) {
        let start = after.map_or(0, |index| usize::try_from(index).unwrap_or(usize::MAX).saturating_add(1));
        let mut rest = self.bindings.iter_from(start);
        let mut last = after;
        let records = rest.by_ref().take(limit).map(|(handle, binding)| {
            last = u64::try_from(handle.index()).ok();
            binding.record(now)
        });
        let records = records.collect();
        (records, rest.next().and(last))
    }

    /// Bytes that the bindings take, estimated: a slab slot with a third to spare, an entry of the expiries and of the
    /// table at their usual fill, the text and the key with what an allocator adds. `core/tests/binding_memory.rs` has
    /// the figure counted.
    pub fn memory_bytes(&self) -> usize {
        const SLOT: usize = (size_of::<Binding>() + 8) * 4 / 3;
        const EXPIRY: usize = 2 * size_of::<(Instant, Handle<Binding>)>();
        const ENTRY: usize = 2 * size_of::<(Box<[u8]>, Handle<Binding>)>();
        const ALLOCATIONS: usize = 2 * 16;
        self.len() * (SLOT + EXPIRY + ENTRY + ALLOCATIONS) + self.text_bytes
    }

    /// The bindings of an address-of-record, those whose time is up included.
    fn chain(&self, aor: &[u8]) -> impl Iterator<Item = (Handle<Binding>, &Binding)> {
        let head = self.heads.get(aor).map(|head| (*head, self.at(*head)));
        std::iter::successors(head, |(_, binding)| binding.next.map(|next| (next, self.at(next))))
    }

    fn at(&self, handle: Handle<Binding>) -> &Binding {
        self.bindings.get(handle).expect("a chain, the table and the expiries name only bindings that are")
    }

    fn ranked(&self, aor: &[u8], now: Now) -> Vec<&Binding> {
        let chain = self.chain(aor).map(|(_, binding)| binding);
        let mut current: Vec<&Binding> = chain.filter(|binding| binding.expires > now.mono).collect();
        // Contacts of one REGISTER are equally recent: their text decides, so that a restart changes nothing.
        let rank = |binding: &Binding| (Reverse(binding.q_permille), Reverse(binding.updated_at));
        current.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.text.parts().contact.cmp(b.text.parts().contact)));
        current
    }

    /// Ends the bindings of this address-of-record whose time is up but whose timer has not fired yet.
    fn expire_chain(&mut self, cx: &mut Cx, aor: &[u8]) {
        let chain = self.chain(aor);
        let due: Vec<_> =
            chain.filter(|(_, binding)| binding.expires <= cx.now.mono).map(|(handle, _)| handle).collect();
        for handle in due {
            self.end(cx, handle, "expired");
        }
    }

    /// Refuses what would not fit, with the time after which it may (RFC 3261 §21.5.4).
    fn check_room(&self, cx: &mut Cx, chain: &[(Handle<Binding>, &Binding)], steps: &[Step]) -> Result<(), Answer> {
        let added = steps.iter().filter(|step| matches!(step, Step::Add(_))).count();
        let removed = steps.iter().filter(|step| matches!(step, Step::Remove(_))).count();
        if added == 0 {
            return Ok(());
        }
        if chain.len() + added - removed > limits::CONTACTS_PER_AOR {
            let first_end = chain.iter().map(|(_, binding)| whole_seconds_left(binding, cx.now)).min();
            return Err(refusal(503, format_args!("Retry-After: {}\r\n", first_end.unwrap_or(1))));
        }
        if self.len() + added - removed > limits::BINDINGS {
            // Spread, so that those refused together do not come back together.
            let wait_s = 60 + cx.rng.jitter.below(60);
            return Err(refusal(503, format_args!("Retry-After: {wait_s}\r\n")));
        }
        Ok(())
    }

    /// Arms the one timer for the earliest expiry.
    fn set_timer(&mut self, cx: &mut Cx) {
        let earliest = self.expiries.first().map(|(at, _)| *at);
        if self.timer.map(TimerId::at) != earliest {
            cx.timers.cancel(&mut self.timer);
            self.timer = earliest.map(|at| cx.timers.arm(at, TimerKey::BindingExpiry));
        }
    }
}

/// The URI as a Request-URI: headers have no place there (RFC 3261 §19.1.1, table 1).
fn without_headers(uri: &[u8]) -> &[u8] {
    let headers = Uri::parse(uri).map_or(0, |uri| uri.headers.len());
    let bare = &uri[..uri.len() - headers];
    bare.strip_suffix(b"?").unwrap_or(bare)
}
