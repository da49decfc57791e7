//! An INVITE that takes the place of a call (RFC 3891).

use super::call::{Call, State};
use super::dialog::{Spot, Stage};
use super::message::Message;
use super::{End, Phone};

/// What a Replaces header names, told from the side that gets it: the to-tag is ours.
struct Named<'a> {
    call_id: &'a str,
    to_tag: &'a str,
    from_tag: &'a str,
    is_early_only: bool,
}

fn read(value: &str) -> Option<Named<'_>> {
    let mut parts = value.split(';').map(str::trim);
    let call_id = parts.next()?;
    let (mut to_tag, mut from_tag, mut is_early_only) = (None, None, false);
    for part in parts {
        match part.split_once('=') {
            Some(("to-tag", tag)) => to_tag = Some(tag),
            Some(("from-tag", tag)) => from_tag = Some(tag),
            None if part == "early-only" => is_early_only = true,
            _ => {}
        }
    }
    Some(Named { call_id, to_tag: to_tag?, from_tag: from_tag?, is_early_only })
}

impl Phone {
    /// The dialog that this INVITE replaces, where it is to replace one; the status to refuse it with (RFC 3891 §3).
    pub(super) fn replaced_by(&self, invite: &Message) -> Result<Option<Spot>, u16> {
        let values: Vec<&str> = invite.all("Replaces").collect();
        let value = match values[..] {
            [] => return Ok(None),
            [one] => one,
            _ => return Err(400),
        };
        let Named { call_id, to_tag, from_tag, is_early_only } = read(value).ok_or(400_u16)?;
        let is_it = |call: &&Call| call.call_id == call_id && call.state != State::Over(End::Rebooted);
        let mut found = self.calls.all().iter().filter(is_it).flat_map(|call| {
            let at = call.dialogs.iter().position(|dialog| dialog.has_tags(to_tag, from_tag));
            at.map(|dialog| (call, dialog))
        });
        let (Some((call, dialog)), None) = (found.next(), found.next()) else { return Err(481) };
        let spot = Spot { call: call.number, dialog };
        match (call.state, call.dialogs[dialog].stage) {
            (State::Over(_) | State::Ending, _) | (_, Stage::Gone) => Err(603),
            (_, Stage::Confirmed) if is_early_only => Err(486),
            (_, Stage::Early) if !call.outgoing => Err(481),
            _ => Ok(Some(spot)),
        }
    }
}
