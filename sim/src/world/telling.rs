//! What the phones heard, in the few words of a ladder.

use super::members::Member;

/// What a phone has heard; none where it heard nothing.
pub(super) fn audio(member: &Member) -> Option<String> {
    let audio = member.phone.audio();
    (audio.received > 0).then(|| format!("{} heard {} packets", member.name, audio.received))
}
