//! What a call holds of the relay.

use super::{Call, Step};
use crate::media::MediaReport;
use crate::relays::Granted;

impl Call {
    /// Ports that it has asked for are open, or not to be had.
    pub(super) fn on_granted(&mut self, step: &mut Step<'_>, granted: Granted) {
        step.relays.release(step.cx, granted.lease);
    }

    /// A media shard tells something of a session of this call.
    pub(super) fn on_media_report(&mut self, _step: &mut Step<'_>, _report: &MediaReport) {}
}
