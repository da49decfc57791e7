//! Requests outside any dialog that pass through: MESSAGE (RFC 3428), and OPTIONS to a user behind the switch.

use super::start::{callee_dialog, forward};
use super::{Calls, Incoming, ROLE_PASSING, reply};
use crate::cx::Cx;
use crate::dialog::Tag;
use crate::handle::Handle;
use crate::registrar::Registrar;
use crate::routing::{self, Route};
use crate::sip::{Message, Writer};
use crate::transaction::{Kind, NewRequest, Owner, Party, Reply, ServerId, Transactions};
use serde::{Deserialize, Serialize};

/// One request under way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Passing {
    /// The transaction to answer.
    server: ServerId,
    /// Our tag in the answer.
    tag: Tag,
}

impl Calls {
    /// Sends the request on to whom it is for, or refuses it.
    pub fn pass(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        registrar: &Registrar,
        incoming: Incoming<'_>,
    ) {
        let Incoming { message, server, identity, .. } = incoming;
        let tag: Tag = cx.rng.ids.token();
        let number = message.uri().and_then(super::start::called_number).unwrap_or_default();
        let destination = match routing::choose(&cx.config, registrar, &self.load, cx.now, &number) {
            Route::To { destination, .. } => destination,
            Route::Refused { status, .. } => return reply(cx, transactions, server, status, &tag),
        };
        let mut dialog = callee_dialog(cx, message, identity, &destination);
        let method = message.method().expect("requests have one");
        let name = std::str::from_utf8(method.as_bytes()).expect("a method that passes is one of the known ones");
        let (bytes, branch) = forward(cx, &mut dialog, message, name);
        let id: Handle<Passing> = self.passing.insert(Passing { server, tag });
        let owner = Owner { party: Party::Call, id: id.to_bits(), role: ROLE_PASSING };
        let new = NewRequest { flow: dialog.flow, kind: Kind::Other, branch, bytes };
        if transactions.request(cx, new, owner).is_none() {
            self.passing.remove(id);
            reply(cx, transactions, server, 503, &tag);
        }
    }

    /// The answer to a request that passed through.
    pub(super) fn on_passing_answer(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        from: Owner,
        message: &Message<'_>,
        status: u16,
    ) {
        if status < 200 {
            return;
        }
        let Some(passing) = self.passing.remove(Handle::from_bits(from.id)) else { return };
        let mut lines = Writer::lines();
        super::headers::copy(message, &cx.config.domain, &mut lines);
        let (reason, headers) = (message.reason(), lines.as_bytes());
        let Some(flow) = transactions.server(passing.server).map(|server| server.flow()) else { return };
        let body = super::start::body(cx, flow, message);
        let reply = Reply { status, reason, to_tag: &passing.tag, headers, body: &body };
        transactions.respond(cx, passing.server, reply);
    }

    /// No answer came. A timeout is passed over in silence (RFC 4320 §4.2); an undeliverable request is not.
    pub(super) fn on_passing_silence(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        from: Owner,
        status: u16,
    ) {
        let Some(passing) = self.passing.remove(Handle::from_bits(from.id)) else { return };
        if status != 408 {
            reply(cx, transactions, passing.server, status, &passing.tag);
        }
    }
}
