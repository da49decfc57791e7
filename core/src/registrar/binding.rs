//! One contact of one address-of-record, as the registrar keeps it.

use super::BindingRecord;
use super::request::Wanted;
use super::text::{Parts, Text};
use crate::handle::Handle;
use crate::input::Flow;
use crate::nat::{self, Evidence};
use crate::sip::Uri;
use crate::time::{Instant, Now, UnixMicros};
use serde::{Deserialize, Serialize};

/// A binding, compact: `core/tests/binding_memory.rs` counts what it takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Binding {
    pub(super) text: Text,
    /// The next contact of the same address-of-record.
    pub(super) next: Option<Handle<Binding>>,
    pub(super) flow: Flow,
    pub(super) behind_nat: bool,
    pub(super) cseq: u32,
    /// 0 where there is none.
    pub(super) reg_id: u32,
    pub(super) q_permille: u16,
    pub(super) expires: Instant,
    /// Rises with every change: see [`BindingRecord::updated_at`].
    pub(super) updated_at: UnixMicros,
}

/// What a REGISTER, or the journal, says about one binding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) parts: Parts<'a>,
    pub(super) flow: Flow,
    pub(super) behind_nat: bool,
    pub(super) cseq: u32,
    pub(super) reg_id: u32,
    pub(super) q_permille: u16,
    pub(super) expires: Instant,
}

impl Binding {
    /// The binding of which these are the facts since `updated_at`.
    pub(super) fn new(facts: Facts<'_>, updated_at: UnixMicros) -> Binding {
        Binding {
            text: Text::new(facts.parts),
            next: None,
            flow: facts.flow,
            behind_nat: facts.behind_nat,
            cseq: facts.cseq,
            reg_id: facts.reg_id,
            q_permille: facts.q_permille,
            expires: facts.expires,
            updated_at,
        }
    }

    /// Takes on these facts.
    pub(super) fn update(&mut self, facts: Facts<'_>, updated_at: UnixMicros) {
        self.text.set(facts.parts);
        self.flow = facts.flow;
        self.behind_nat = facts.behind_nat;
        self.cseq = facts.cseq;
        self.reg_id = facts.reg_id;
        self.q_permille = facts.q_permille;
        self.expires = facts.expires;
        self.updated_at = updated_at;
    }

    /// Whether a Contact value of a REGISTER means this binding: by instance and reg-id where either has one (RFC 5626
    /// §6), else by URI (RFC 3261 §10.3 step 7).
    pub(super) fn is_named_by(&self, wanted: &Wanted<'_>) -> bool {
        let own = self.text.parts();
        if self.reg_id != 0 || wanted.reg_id != 0 {
            return self.reg_id == wanted.reg_id && own.instance == wanted.instance;
        }
        own.contact == wanted.uri || Uri::parse(own.contact).is_ok_and(|uri| uri.matches(&wanted.parsed))
    }

    /// Where requests for it go.
    pub(super) fn way(&self) -> Flow {
        let parts = self.text.parts();
        match Uri::parse(parts.contact) {
            Ok(uri) if parts.path.is_empty() => {
                Flow { remote: nat::reach(&uri, self.flow.remote, self.behind_nat), ..self.flow }
            }
            _ => self.flow,
        }
    }

    /// What its REGISTER showed of an address translator.
    pub(super) fn evidence(&self) -> Evidence {
        let contact = Uri::parse(self.text.parts().contact).ok().and_then(|uri| uri.host_ip());
        Evidence::of(self.behind_nat, contact, None, self.flow.remote.ip())
    }

    /// Whether the journal calls both by the same name.
    pub(super) fn has_name_of(&self, facts: &Facts<'_>) -> bool {
        let own = self.text.parts();
        own.contact == facts.parts.contact && own.instance == facts.parts.instance && self.reg_id == facts.reg_id
    }

    /// The version of a change made now: the wall clock may step back, versions do not.
    pub(super) fn next_version(&self, now: Now) -> UnixMicros {
        now.wall.max(UnixMicros(self.updated_at.0.saturating_add(1)))
    }

    /// The binding as a journal entry.
    pub(super) fn record(&self, now: Now) -> BindingRecord {
        let Parts { aor, contact, call_id, path, instance } = self.text.parts();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        BindingRecord {
            aor: text(aor),
            contact: text(contact),
            call_id: text(call_id),
            cseq: self.cseq,
            q_permille: self.q_permille,
            flow: self.flow,
            behind_nat: self.behind_nat,
            path: text(path),
            instance: text(instance),
            reg_id: self.reg_id,
            updated_at: self.updated_at,
            expires_at: now.wall.plus(self.expires.since(now.mono)),
        }
    }

    /// The journal entry that says that the binding is no more.
    pub(super) fn end_record(&self, now: Now) -> BindingRecord {
        BindingRecord { updated_at: self.next_version(now), expires_at: BindingRecord::ENDED, ..self.record(now) }
    }
}
