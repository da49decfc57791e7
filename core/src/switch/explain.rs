//! What a running switch would decide, and why.

use super::Switch;
use crate::media::{self, Seen};
use crate::routing::{Caller, Explanation, Facts, endpoint, explain};

impl Switch {
    /// How a call from this endpoint to this number would find its way now.
    ///
    /// # Errors
    /// There is no such endpoint; says which there is.
    pub fn explain_route(&self, from: &str, number: Option<&str>, callee: &str) -> Result<Explanation, String> {
        let caller = endpoint(&self.cx.config, from)?;
        let caller = Caller { number: number.unwrap_or(caller.number), ..caller };
        let trunks = |gateway: &str| self.trunks.usable(gateway, self.cx.now).err();
        let facts = Facts {
            config: &self.cx.config,
            registrar: &self.registrar,
            load: self.calls.load(),
            trunks: &trunks,
            now: self.cx.now,
        };
        Ok(explain(&facts, &caller, callee))
    }

    /// Whether the media of a call between these endpoints would be relayed now: phones are where they are registered,
    /// unless `seen` knows better of caller and callee.
    ///
    /// # Errors
    /// There is no such endpoint; says which there is.
    pub fn explain_media(&self, endpoints: [&str; 2], seen: [Seen; 2]) -> Result<media::Explanation, String> {
        media::explain(&self.cx.config, endpoints, seen, |user| {
            let (flow, evidence) = self.registrar.seen(user.as_bytes(), self.cx.now)?;
            Some(Seen { source: Some(flow.remote.ip()), socket: Some(flow.socket), evidence })
        })
    }
}
