//! How the bindings change: what a REGISTER decided, what has ended, what a journal tells.

use super::binding::{Binding, Facts};
use super::plan::Step;
use super::request::{Request, Wish};
use super::text::Parts;
use super::{BindingRecord, Registrar};
use crate::cx::Cx;
use crate::event::Event;
use crate::handle::Handle;
use crate::input::Flow;
use crate::limits;
use std::time::Duration;

/// The longest life that SS_ENDPOINT_EXPIRE can grant; a record that claims more was written under a wrong clock.
const LONGEST_LIFE: Duration = Duration::from_secs(604_800);

impl Registrar {
    /// Makes the changes that were planned.
    pub(super) fn commit(&mut self, cx: &mut Cx, request: &Request<'_>, steps: &[Step], flow: Flow, aor: &str) {
        let facts = |cx: &Cx, place: usize| {
            let Wish::Each(all) = &request.wish else { panic!("only a list of contacts plans to bind one of them") };
            let wanted = &all[place];
            Facts {
                parts: Parts {
                    aor: aor.as_bytes(),
                    contact: wanted.uri,
                    call_id: request.call_id,
                    path: &request.path,
                    instance: wanted.instance,
                },
                flow,
                behind_nat: request.behind_nat,
                cseq: request.cseq,
                reg_id: wanted.reg_id,
                q_permille: wanted.q_permille,
                expires: cx.now.mono + Duration::from_secs(wanted.expires_s.into()),
            }
        };
        for step in steps {
            match *step {
                Step::Remove(handle) => self.end(cx, handle, "unregistered"),
                Step::Add(place) => {
                    let binding = Binding::new(facts(cx, place), cx.now.wall);
                    emit(cx, binding.record(cx.now), "registered");
                    self.link(aor.as_bytes(), binding);
                }
                Step::Update(handle, place) => self.refresh(cx, handle, facts(cx, place)),
            }
        }
    }

    fn refresh(&mut self, cx: &mut Cx, handle: Handle<Binding>, facts: Facts<'_>) {
        let now = cx.now;
        self.change(handle, |binding| {
            if !binding.has_name_of(&facts) {
                // The journal knows bindings by name: the old name ends, the new one begins.
                emit(cx, binding.end_record(now), "replaced");
            }
            binding.update(facts, binding.next_version(now));
            emit(cx, binding.record(now), "refreshed");
        });
    }

    /// Takes a binding from the journal of an earlier run. Records may come in any order and more than once: of one
    /// binding the latest version counts. An end ends what is older than it and is then forgotten, so it must not come
    /// before what it ends. Tells nothing, since the journal has it.
    ///
    /// Passed over: what has expired, what names a socket that is no longer configured, what exceeds a limit.
    pub fn restore(&mut self, cx: &mut Cx, record: BindingRecord) {
        let left_us = record.expires_at.0.saturating_sub(cx.now.wall.0);
        let facts = Facts {
            parts: Parts {
                aor: record.aor.as_bytes(),
                contact: record.contact.as_bytes(),
                call_id: record.call_id.as_bytes(),
                path: record.path.as_bytes(),
                instance: record.instance.as_bytes(),
            },
            flow: record.flow,
            behind_nat: record.behind_nat,
            cseq: record.cseq,
            reg_id: record.reg_id,
            q_permille: record.q_permille.min(1000),
            expires: cx.now.mono + Duration::from_micros(left_us).min(LONGEST_LIFE),
        };
        let is_usable = left_us > 0
            && facts.parts.len() <= limits::BINDING_TEXT_BYTES
            && usize::from(record.flow.socket.0) < cx.config.listen.len();
        let chain: Vec<_> = self.chain(facts.parts.aor).collect();
        match chain.iter().find(|(_, binding)| binding.has_name_of(&facts)).copied() {
            Some((_, known)) if known.updated_at > record.updated_at => {}
            Some((handle, _)) if is_usable => self.change(handle, |known| known.update(facts, record.updated_at)),
            Some((handle, known)) if known.updated_at < record.updated_at => drop(self.unlink(handle)),
            Some(_) => {}
            None if is_usable && chain.len() < limits::CONTACTS_PER_AOR && self.len() < limits::BINDINGS => {
                self.link(facts.parts.aor, Binding::new(facts, record.updated_at));
            }
            None => {}
        }
        self.set_timer(cx);
    }

    /// Ends a binding, and says how.
    pub(super) fn end(&mut self, cx: &mut Cx, handle: Handle<Binding>, change: &'static str) {
        let binding = self.unlink(handle);
        emit(cx, binding.end_record(cx.now), change);
    }

    /// Takes in a binding as the first of its address-of-record.
    fn link(&mut self, aor: &[u8], mut binding: Binding) {
        let expires = binding.expires;
        self.text_bytes += binding.text.len();
        let head = self.heads.get_mut(aor);
        binding.next = head.as_deref().copied();
        let handle = self.bindings.insert(binding);
        match head {
            Some(head) => *head = handle,
            None => {
                self.heads.insert(aor.into(), handle);
            }
        }
        self.expiries.insert((expires, handle));
    }

    /// Takes a binding out of the slab, the chain and the expiries.
    fn unlink(&mut self, handle: Handle<Binding>) -> Binding {
        let binding = self.bindings.remove(handle).expect("only bindings that are there end");
        self.text_bytes -= binding.text.len();
        self.expiries.remove(&(binding.expires, handle));
        let aor = binding.text.parts().aor;
        let head = self.heads.get_mut(aor).expect("a binding stands in the chain of its address-of-record");
        if *head == handle {
            match binding.next {
                Some(next) => *head = next,
                None => drop(self.heads.remove(aor)),
            }
            return binding;
        }
        let mut at = *head;
        loop {
            let before = self.bindings.get_mut(at).expect("a chain names only bindings that are there");
            match before.next.expect("the chain of an address-of-record holds each of its bindings") {
                next if next == handle => {
                    before.next = binding.next;
                    return binding;
                }
                next => at = next,
            }
        }
    }

    /// Changes a binding, and its place among the expiries.
    fn change(&mut self, handle: Handle<Binding>, with: impl FnOnce(&mut Binding)) {
        let binding = self.bindings.get_mut(handle).expect("only bindings that are there change");
        let before = binding.expires;
        self.text_bytes -= binding.text.len();
        with(binding);
        self.text_bytes += binding.text.len();
        if before != binding.expires {
            self.expiries.remove(&(before, handle));
            self.expiries.insert((binding.expires, handle));
        }
    }
}

fn emit(cx: &mut Cx, binding: BindingRecord, change: &'static str) {
    cx.emit(Event::BindingChanged { binding, change });
}
