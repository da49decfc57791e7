//! What a running switch would decide, and why.

use super::Switch;
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
}
