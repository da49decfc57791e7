//! The journal of registrations against the registrar: a restart knows what the switch has told, and nothing else.

use super::{Found, Violation};
use crosspoint_core::binding::BindingRecord;
use crosspoint_core::event::Event;
use crosspoint_core::time::{Instant, UnixMicros};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Journal entries are in microseconds, REGISTER grants whole seconds.
const TOLERANCE: Duration = Duration::from_secs(1);

/// Address-of-record, contact, instance and reg-id.
type Name = (String, String, String, u32);

/// What was told of one binding.
#[derive(Debug)]
struct Told {
    at: Instant,
    /// Of its registration.
    call_id: String,
    expires_at: UnixMicros,
    /// The end, by the monotonic clock, which the wall clock's jumps leave alone.
    ends: Instant,
}

/// The bindings, as far as events tell of them.
#[derive(Debug, Default)]
pub(super) struct Journal {
    told: BTreeMap<Name, Told>,
    /// When bindings were last told to be no more.
    ended: BTreeMap<Name, Instant>,
    /// What a crash may or may not have taken back.
    unsure: BTreeSet<Name>,
}

fn name_of(binding: &BindingRecord) -> Name {
    (binding.aor.clone(), binding.contact.clone(), binding.instance.clone(), binding.reg_id)
}

/// When a binding ends, where it is `now` by one clock and `wall` by the other.
fn end(now: Instant, wall: UnixMicros, expires_at: UnixMicros) -> Instant {
    now + Duration::from_micros(expires_at.0.saturating_sub(wall.0))
}

impl Journal {
    pub(super) fn event(&mut self, now: Instant, wall: UnixMicros, event: &Event) {
        let Event::BindingChanged { binding, .. } = event else { return };
        let name = name_of(binding);
        self.unsure.remove(&name);
        if binding.expires_at == BindingRecord::ENDED {
            self.told.remove(&name);
            self.ended.insert(name, now);
        } else {
            let (expires_at, ends) = (binding.expires_at, end(now, wall, binding.expires_at));
            self.told.insert(name, Told { at: now, call_id: binding.call_id.clone(), expires_at, ends });
        }
        self.ended.retain(|_, at| now.since(*at) < Duration::from_secs(60));
    }

    /// What was told within `lost` may not have reached the disk; the rest is restored by the wall clock.
    pub(super) fn crashed(&mut self, now: Instant, wall: UnixMicros, lost: Duration) {
        let recent = |at: Instant| now.since(at) <= lost;
        let changed = self.told.iter().filter(|(_, told)| recent(told.at)).map(|(name, _)| name);
        let ended = self.ended.iter().filter(|(_, at)| recent(**at)).map(|(name, _)| name);
        self.unsure.extend(changed.chain(ended).cloned());
        self.ended.clear();
        self.told.retain(|_, told| told.expires_at > wall);
        for told in self.told.values_mut() {
            told.ends = end(now, wall, told.expires_at);
        }
    }

    /// The registrar has these bindings now, all it has; its clocks may be off by `slack`.
    pub(super) fn compare(
        &self,
        now: Instant,
        wall: UnixMicros,
        bindings: &[BindingRecord],
        slack: Duration,
        found: &mut Found,
    ) {
        let slack = slack + TOLERANCE;
        let mut tell = |(aor, contact, ..): &Name, call_id: &str, wrong: &str| {
            found.add(Violation::new("journal", format!("{contact} of {aor} {wrong}")).of_call(call_id));
        };
        let held: BTreeMap<Name, (Instant, &str)> = bindings
            .iter()
            .map(|binding| (name_of(binding), (end(now, wall, binding.expires_at), binding.call_id.as_str())))
            .collect();
        for (name, (ends, call_id)) in held.iter().filter(|(name, _)| !self.unsure.contains(*name)) {
            match self.told.get(name) {
                None => tell(name, call_id, "is registered, and was not told"),
                Some(told) if told.ends + slack < *ends || *ends + slack < told.ends => {
                    let (held, told) = (ends.as_millis(), told.ends.as_millis());
                    tell(name, call_id, &format!("ends at {held} ms, and {told} was told"));
                }
                Some(_) => {}
            }
        }
        let is_lost = |(name, told): &(&Name, &Told)| {
            told.ends > now + slack && !held.contains_key(*name) && !self.unsure.contains(*name)
        };
        for (name, told) in self.told.iter().filter(is_lost) {
            tell(name, &told.call_id, "was told, and is not registered");
        }
    }
}
