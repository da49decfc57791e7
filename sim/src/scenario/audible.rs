//! Who hears whom in calm.

use crate::phone::{Call, Phone, Rtcp, Settings, Speech, State};
use crate::world::SWITCH;

/// In a call in calm both speak at once, and again before it ends.
pub(super) const PROBE_SPEECH: Speech = Speech {
    burst: Some(10),
    pause_ms: 1000,
    rtcp: Rtcp::Off,
    is_asymmetric: false,
    renews_source: false,
    trails_ms: 0,
    is_named: true,
};
/// The call of this op where it is up and relayed, and this end of it hears nothing of the other.
pub(super) fn deaf_call(phone: &Phone, op: u64) -> Option<&Call> {
    let call = phone.call_of(op).filter(|call| call.state() == State::Up)?;
    let is_relayed = call.agreed().is_some_and(|agreed| agreed.peer_audio().ip() == SWITCH.ip());
    (is_relayed && phone.voices().heard_in(call.number()) == 0).then_some(call)
}

/// How somebody talks, and that it can be told who is heard.
pub(super) fn talk(settings: &mut Settings, speech: Option<Speech>) {
    settings.talks = speech.is_some();
    settings.speech = Speech { is_named: true, ..speech.unwrap_or_default() };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{DOMAIN, PASSWORD, World};
    use std::time::Duration;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Whether somebody is deaf in a relayed call, of two shards of which both stand still for so long.
    fn is_deaf(stalled_ms: u64) -> bool {
        let mut world = World::of_config(
            7,
            &format!(
                "[switch]\ndomain = \"{DOMAIN}\"\n[[listen]]\ntransport = \"udp\"\nbind = \"{SWITCH}\"\n[parameters]\n\
                 SS_MEDIAPROXYMODE = \"On\"\n[[phone]]\nusers = \"u1..u2\"\npassword = \"{PASSWORD}\"\n"
            ),
        );
        for name in ["u1", "u2"] {
            world.add_phone(7, name, |settings| talk(settings, Some(PROBE_SPEECH)));
        }
        world.register_all();
        world.stall_shard(0, ms(stalled_ms));
        world.act("u1", |phone, now| {
            phone.call_for(now, 9, "u2", &[]);
        });
        world.run_for(ms(5000));
        ["u1", "u2"].iter().any(|name| deaf_call(world.phone(name), 9).is_some())
    }

    #[test]
    fn who_hears_nothing_in_a_relayed_call_is_told() {
        assert!(!is_deaf(0) && is_deaf(10_000));
    }
}
