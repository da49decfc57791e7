//! What the switch did in one turn, in its order: whoever looks on sees inputs and what came of each.

use bytes::Bytes;
use crosspoint_core::command::Query;
use crosspoint_core::event::Event;
use crosspoint_core::input::Flow;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

/// One thing that it did.
#[derive(Debug)]
pub(super) enum Did {
    /// It took a datagram from its receive buffer.
    Took { from: SocketAddr, datagram: Bytes },
    /// It sent a datagram, and the system took it.
    Sent { flow: Flow, datagram: Bytes },
    /// It sent a datagram that the system did not take: as lost as on a wire, and the switch may be told.
    Refused { flow: Flow, datagram: Bytes, is_told: bool },
    /// It asked a nameserver.
    Asked(Query),
    /// It told something.
    Told(Event),
}

/// Where the two halves of the driver, what goes in and what comes out, write down what happens.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(Rc<RefCell<Vec<Did>>>);

impl Trace {
    /// One more thing happened.
    pub(super) fn add(&self, did: Did) {
        self.0.borrow_mut().push(did);
    }

    /// Everything since the last call; `empty` is written on from now on.
    pub(super) fn replace(&self, empty: Vec<Did>) -> Vec<Did> {
        self.0.replace(empty)
    }
}
