//! Who hears whom in calm.

use crate::phone::{Call, Phone, Rtcp, Settings, Speech, State};
use crate::world::SWITCH;

/// In a call in calm both speak at once, and again before it ends, with reports in one way after the other.
pub(super) fn probe_speech(number: u64) -> Speech {
    Speech {
        burst: Some(10),
        pause_ms: 1000,
        rtcp: [Rtcp::Next, Rtcp::Named, Rtcp::Muxed][(number % 3) as usize],
        is_asymmetric: false,
        renews_source: false,
        trails_ms: 0,
        is_named: true,
    }
}

/// The call of this op where it is up and relayed, and this end of it hears nothing of the other, or gets no report.
pub(super) fn deaf_call(phone: &Phone, op: u64) -> Option<(&Call, &'static str)> {
    let call = phone.call_of(op).filter(|call| call.state() == State::Up)?;
    call.agreed().filter(|agreed| agreed.peer_audio().ip() == SWITCH.ip())?;
    match (phone.voices().heard_in(call.number()), phone.voices().is_reported_in(call.number())) {
        (0, _) => Some((call, "hears nothing")),
        (_, false) => Some((call, "gets no RTCP")),
        (_, true) => None,
    }
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

    /// How somebody is deaf in a relayed call whose shard stands still for so long, and whose sides have RTCP in this way.
    fn deafness(stalled_ms: u64, rtcp: Rtcp) -> Option<&'static str> {
        let mut world = World::of_config(
            7,
            &format!(
                "[switch]\ndomain = \"{DOMAIN}\"\n[[listen]]\ntransport = \"udp\"\nbind = \"{SWITCH}\"\n[parameters]\n\
                 SS_MEDIAPROXYMODE = \"On\"\n[[phone]]\nusers = \"u1..u2\"\npassword = \"{PASSWORD}\"\n"
            ),
        );
        for name in ["u1", "u2"] {
            world.add_phone(7, name, |settings| talk(settings, Some(Speech { rtcp, ..probe_speech(0) })));
        }
        world.register_all();
        world.stall_shard(0, ms(stalled_ms));
        world.act("u1", |phone, now| {
            phone.call_for(now, 9, "u2", &[]);
        });
        world.run_for(ms(5000));
        ["u1", "u2"].iter().find_map(|name| deaf_call(world.phone(name), 9)).map(|(_, how)| how)
    }

    #[test]
    fn who_hears_nothing_in_a_relayed_call_is_told() {
        assert_eq!(deafness(0, Rtcp::Named), None);
        assert_eq!(deafness(10_000, Rtcp::Named), Some("hears nothing"));
        assert_eq!(deafness(0, Rtcp::Off), Some("gets no RTCP"));
    }
}
