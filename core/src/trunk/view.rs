//! What an operator sees of a gateway.

use super::registration::Registration;
use super::{Trunk, Trunks};
use crate::config::GatewayAuth;
use crate::time::{Instant, Now};
use serde::Serialize;

/// One gateway, for the command `trunks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrunkView {
    /// Its name.
    pub gateway: String,
    /// Whether calls go to it as far as its state is concerned; its capacity and prefixes decide besides.
    pub usable: bool,
    /// Why not.
    pub rule: Option<&'static str>,
    /// Until when not, Unix milliseconds; none where nobody knows.
    pub until_ms: Option<u64>,
    /// `up`, `down`, or `unwatched` where no OPTIONS are sent.
    pub health: &'static str,
    /// Milliseconds that the last answer to OPTIONS took.
    pub ping_rtt_ms: Option<u64>,
    /// `none` where we do not register, `waiting`, `asking`, `registered`, `stopped`.
    pub registration: &'static str,
    /// Until when the registration stands, Unix milliseconds.
    pub registered_until_ms: Option<u64>,
    /// Why the last attempt to register failed.
    pub registration_fault: Option<String>,
    /// Calls under way through it.
    pub calls: u32,
}

impl Trunks {
    /// Every gateway, by name. `calls` gives the calls under way through one.
    pub fn view(&self, now: Now, calls: impl Fn(&str) -> u32) -> Vec<TrunkView> {
        let known = self.by_name.values().filter_map(|id| self.trunks.get(*id));
        known.map(|trunk| self.view_of(trunk, now, calls(&trunk.gateway.name))).collect()
    }

    fn view_of(&self, trunk: &Trunk, now: Now, calls: u32) -> TrunkView {
        let usable = self.usable(&trunk.gateway.name, now);
        let registration = trunk.registration.and_then(|id| self.registrations.get(id));
        let wall = |at: Instant| now.wall.plus(at.since(now.mono)).as_millis();
        TrunkView {
            gateway: trunk.gateway.name.clone(),
            usable: usable.is_ok(),
            rule: usable.err().map(|unusable| unusable.rule.name()),
            until_ms: usable.err().and_then(|unusable| unusable.until).map(wall),
            health: match (trunk.gateway.ping.every_s, trunk.health.is_down()) {
                (0, _) => "unwatched",
                (_, true) => "down",
                (_, false) => "up",
            },
            ping_rtt_ms: trunk.health.rtt_ms(),
            registration: match (&trunk.gateway.auth, registration) {
                (GatewayAuth::Register { .. }, Some(registration)) => registration.state(now.mono),
                (GatewayAuth::Register { .. }, None) => "stopped",
                _ => "none",
            },
            registered_until_ms: registration.and_then(|known| known.bound_until(now.mono)).map(wall),
            registration_fault: registration.and_then(Registration::fault).map(str::to_owned),
            calls,
        }
    }
}
