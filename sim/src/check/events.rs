//! No denied event: what the switch tells of refusals, drops and failures is a violation, unless the world declares it
//! lawful.

use super::{Found, Violation};
use crosspoint_core::counters::DropReason;
use crosspoint_core::event::Event;
use std::collections::BTreeSet;

/// What a world may declare lawful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lawful {
    /// Credentials are refused: somebody here has wrong ones.
    RefusedCredentials,
    /// Inputs are dropped for this reason.
    Drops(DropReason),
    /// Gateways are found down, are held back, or refuse our registration.
    TrunkTrouble,
    /// The host name of a gateway leads nowhere.
    UnlocatedGateway,
    /// Calls get no media ports: the system refuses them, is late with them, or has none left.
    PortTrouble,
    /// Somebody is cut off for a while: by a partition, or by a translator that forgets. What was said to them then may
    /// have been lost to the last copy.
    CutOff,
    /// Nobody looks: any event will do.
    AnyEvent,
}

/// What was declared.
#[derive(Debug, Default)]
pub(super) struct Events {
    lawful: BTreeSet<Lawful>,
}

impl Events {
    pub(super) fn permit(&mut self, lawful: Lawful) {
        self.lawful.insert(lawful);
    }

    pub(super) fn is_lawful(&self, lawful: Lawful) -> bool {
        self.lawful.contains(&lawful)
    }

    pub(super) fn event(&self, event: &Event, found: &mut Found) {
        let Some(needed) = permission_for(event) else { return };
        if !self.lawful.contains(&needed) && !self.lawful.contains(&Lawful::AnyEvent) {
            found.add(Violation::new("denied-event", format!("the switch tells {event:?}")));
        }
    }
}

/// What has to be lawful for this event; none for those that are lawful everywhere.
fn permission_for(event: &Event) -> Option<Lawful> {
    match event {
        Event::AuthFailed { .. } => Some(Lawful::RefusedCredentials),
        // a BYE overtakes an ACK, an answer comes after its transaction
        Event::Dropped { reason: DropReason::StrayAck | DropReason::StrayResponse, .. } => None,
        Event::Dropped { reason, .. } => Some(Lawful::Drops(*reason)),
        Event::TrunkChanged { state: "down" | "held" | "registration-failed" | "registration-stopped", .. } => {
            Some(Lawful::TrunkTrouble)
        }
        Event::PortsRefused { .. } => Some(Lawful::PortTrouble),
        Event::GatewayLocated { rule, .. } if *rule != "dns.resolved" => Some(Lawful::UnlocatedGateway),
        _ => None,
    }
}
