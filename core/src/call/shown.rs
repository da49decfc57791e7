//! Who is shown to whom: the parties of a call, as `identity` wants them.

use super::identity::{Party, policy_of};
use super::{Branch, Call, CallingParty, Side};
use crate::config::{Config, IdentityPolicy};
use crate::routing::Way;
use crate::sip::{Message, Writer};

/// The caller as the callee of a way is to see it.
pub(super) fn caller<'a>(
    config: &'a Config,
    calling: &'a CallingParty,
    message: &'a Message<'a>,
    way: &'a Way,
    own: &'a [&'a str],
) -> Party<'a> {
    Party {
        message,
        source: policy_of(config, &calling.gateway, &calling.user),
        own,
        number: &way.caller,
        target: policy_of(config, &way.gateway, &way.user),
        domain: &config.domain,
    }
}

impl CallingParty {
    /// The numbers that are the caller's own by configuration; none of a gateway's, which speaks for many.
    pub(super) fn own(&self) -> Vec<&str> {
        match self.gateway.is_empty() {
            true => vec![&self.user, &self.number],
            false => Vec::new(),
        }
    }
}

impl Call {
    /// Writes who the peer of this side is into a message for the other side.
    pub(super) fn write_party(
        &self,
        config: &Config,
        branch: &Branch,
        side: Side,
        message: &Message<'_>,
        writer: &mut Writer,
    ) {
        let way = self.attempts.iter().find(|attempt| attempt.id == branch.attempt).map(|attempt| &attempt.way);
        let caller = policy_of(config, &self.calling.gateway, &self.calling.user);
        let callee = way.map_or(IdentityPolicy::PHONE, |way| policy_of(config, &way.gateway, &way.user));
        let of_caller = self.calling.own();
        let of_callee = way.map_or("", |way| &way.user);
        let party = match side {
            Side::Caller => Party {
                message,
                source: caller,
                own: &of_caller,
                number: way.map_or(&*self.calling.number, |way| &way.caller),
                target: callee,
                domain: &config.domain,
            },
            Side::Callee => Party {
                message,
                source: callee,
                own: &[of_callee],
                number: &self.callee_in,
                target: caller,
                domain: &config.domain,
            },
        };
        party.write(writer);
    }
}
