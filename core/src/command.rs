//! What comes out of the switch, in one ordered stream.

use crate::event::Event;
use crate::input::Flow;
use bytes::Bytes;
use serde::Serialize;

/// One thing for the driver to do. Owned and small: see the `size_of` test in this file.
#[derive(Clone, Debug, Serialize)]
pub enum Command {
    /// Send this datagram.
    Send {
        /// From which socket, to where.
        flow: Flow,
        /// The datagram. Cloned by reference count from what the transaction keeps for resending.
        bytes: Bytes,
    },
    /// Tell the world: CDR, registration, decision, configuration.
    Emit(Box<Event>),
    /// The drain is over: nothing is left to do, the process may end.
    Halt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stays_small() {
        assert!(size_of::<Command>() <= 96, "{} bytes", size_of::<Command>());
    }
}
