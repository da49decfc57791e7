//! A call that takes another's place (RFC 3891).
//!
//! Who is asked by REFER to replace a dialog knows it by the identifiers of a leg of ours. The INVITE goes to the peer of
//! the other leg of that call, with that leg's identifiers in Replaces; the peer itself puts the new dialog into the old
//! one's place and ends the old one, whose call then ends here.

use super::start::New;
use super::{Calls, Desk, Side};
use crate::routing::{self, Hop, Rule, Target, Way};
use crate::sip::{Message, Name, Params};

/// Where a call with Replaces goes.
pub(super) struct Replacement {
    /// To the peer of the dialog that it replaces.
    pub(super) way: Way,
    /// The Replaces header that this peer understands.
    pub(super) line: Vec<u8>,
}

impl Calls {
    /// The way of a call that takes another's place; none where it does not ask for that.
    ///
    /// # Errors
    /// The status to refuse it with.
    pub(super) fn replaced(
        &self,
        desk: &Desk<'_>,
        message: &Message<'_>,
        new: &New,
    ) -> Result<Option<Replacement>, u16> {
        let mut values = message.fields(Name::Replaces);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(400); // RFC 3891 §3: one at most
        }
        let (call_id, params) = match value.iter().position(|&byte| byte == b';') {
            Some(at) => (value[..at].trim_ascii(), Params::of(&value[at..])),
            None => return Err(400),
        };
        let (Some(to_tag), Some(from_tag)) = (params.get("to-tag"), params.get("from-tag")) else { return Err(400) };
        // To-tag is that of whoever has the dialog with the writer (RFC 3891 §3): ours.
        let dialog = self.find_dialog(call_id, to_tag, from_tag).ok_or(481_u16)?;
        let (call, branch, side) = self.look(dialog).ok_or(481_u16)?;
        if call.end.is_some() || call.answering.is_some() {
            return Err(603); // RFC 3891 §3: a dialog that has ended; the switch itself is not to be had either
        }
        let far = side.other();
        let leg = &branch.leg(far).dialog;
        let early_only = if params.has("early-only") { ";early-only" } else { "" };
        let line = [
            b"Replaces: ",
            leg.parties.call_id(),
            b";to-tag=",
            &leg.remote_tag,
            b";from-tag=",
            &leg.local_tag,
            early_only.as_bytes(),
            b"\r\n",
        ]
        .concat();
        let (number, gateway) = match far {
            Side::Caller => (call.calling.number_in.clone(), call.calling.gateway.clone()),
            Side::Callee => {
                let to = call.destination();
                let to = to.as_deref();
                let gateway = to.map(|to| to.gateway.clone()).unwrap_or_default();
                (to.map_or_else(|| call.callee_in.clone(), |to| to.number.clone()), gateway)
            }
        };
        let policy = self.with_facts(desk, |facts| routing::policy(facts, &new.calling.caller(), &gateway));
        let way = Way {
            rule: Rule::RouteReplaces,
            gateway,
            user: String::new(),
            targets: vec![Target { hop: Hop::Flow(leg.flow), uri: leg.target.clone(), routes: leg.routes.clone() }],
            number,
            caller: new.calling.number.clone(),
            round: 0,
            policy,
            uses: Default::default(),
        };
        Ok(Some(Replacement { way, line }))
    }
}
