//! Requests outside any dialog that pass through: MESSAGE (RFC 3428), OPTIONS to a user behind the switch, and methods the
//! switch does not know.

use super::attempt::login;
use super::start::{body, called_number, callee_dialog, forward};
use super::{Calls, Desk, Incoming, ROLE_PASSING, headers, shown};
use crate::auth::client::Client;
use crate::dialog::{Dialog, Tag};
use crate::dns;
use crate::handle::Handle;
use crate::input::Flow;
use crate::limits;
use crate::routing::{self, Facts, Hop, Load};
use crate::sip::{Index, Message, Name, Scanned, Writer, scan};
use crate::transaction::{Kind, NewRequest, Owner, Party, Reply, ServerId, resend};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// One request under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passing {
    /// The transaction to answer.
    server: ServerId,
    /// Our tag in the answer.
    tag: Tag,
    /// The gateway that it goes to; empty for a phone.
    gateway: String,
    /// What it is sent with.
    dialog: Dialog,
    /// Header lines that the switch writes: who sent it, above all.
    sender: Box<[u8]>,
    /// The request: as received while its name is looked up, then as sent.
    request: Bytes,
    /// What has been answered to challenges.
    auth: Option<Box<Client>>,
}

impl Calls {
    /// Sends the request on to whom it is for, or refuses it.
    pub fn pass(&mut self, desk: Desk<'_>, incoming: Incoming<'_>) {
        let Incoming { message, server, identity, flow } = incoming;
        let Desk { cx, transactions, registrar, trunks, relays, resolver } = desk;
        let tag: Tag = cx.rng.ids.token();
        let number = message.uri().and_then(called_number).unwrap_or_default();
        let now = cx.now;
        let why_not = |gateway: &str| trunks.usable(gateway, now).err();
        // No call, so no limit counts.
        let idle = Load::default();
        let facts = Facts { config: &cx.config, registrar, load: &idle, trunks: &why_not, now };
        let caller = routing::Caller {
            number: &identity.number,
            user: &identity.user,
            gateway: &identity.gateway,
            source: Some(flow),
        };
        let plan = routing::plan(&facts, &caller, &number);
        let (Some(mut way), true) = (plan.ways.into_iter().next(), self.passing.len() < limits::PASSING) else {
            let status = plan.refusal.map_or(503, |refusal| refusal.status);
            return transactions.respond(cx, server, Reply::new(status, &tag));
        };
        let target = way.targets.swap_remove(0);
        let calling = identity.calling(message, flow);
        let mut dialog = callee_dialog(cx, message, &way, &calling);
        dialog.target = target.uri;
        dialog.routes = target.routes;
        let mut sender = Writer::lines();
        shown::caller(&cx.config, &calling, message, &way, &calling.own()).write(&mut sender);
        message.headers().filter(|header| header.name == Name::Event).for_each(|header| {
            sender.pass(&header);
        });
        let sender = sender.as_bytes().into();
        let request = Bytes::copy_from_slice(message.bytes());
        let id =
            self.passing.insert(Passing { server, tag, gateway: way.gateway, dialog, sender, request, auth: None });
        let owner = Owner { party: Party::Call, id: id.to_bits(), role: ROLE_PASSING };
        let found = match target.hop {
            Hop::Flow(flow) => Some(flow),
            Hop::Name(name) => match resolver.resolve(cx, &name, owner) {
                None => return,
                Some(answer) => answer.ok().and_then(|set| set.flows().next()),
            },
        };
        self.send_on(Desk { cx, transactions, registrar, trunks, relays, resolver }, id, found);
    }

    /// The name that a request waits for has been looked up.
    pub(super) fn on_passing_resolved(&mut self, desk: Desk<'_>, owner: Owner, answer: dns::Answer) {
        let found = answer.ok().and_then(|set| set.flows().next());
        self.send_on(desk, Handle::from_bits(owner.id), found);
    }

    /// Sends a request on to this address; without one it is refused.
    fn send_on(&mut self, desk: Desk<'_>, id: Handle<Passing>, found: Option<Flow>) {
        let Some(passing) = self.passing.get_mut(id) else { return };
        let Some(flow) = found else { return self.refuse_passing(desk, id, 503) };
        passing.dialog.flow = flow;
        let received = std::mem::take(&mut passing.request);
        let mut index = Index::default();
        let Ok(Scanned::Message(message)) = scan(&received, &mut index) else {
            panic!("a request that passes through has been read before");
        };
        let method = String::from_utf8_lossy(message.method().expect("requests have one").as_bytes()).into_owned();
        let (bytes, branch) = forward(desk.cx, &mut passing.dialog, &message, &method, &passing.sender, None);
        self.send_passing(desk, id, bytes, branch);
    }

    fn send_passing(&mut self, desk: Desk<'_>, id: Handle<Passing>, bytes: Bytes, branch: Tag) {
        let Some(passing) = self.passing.get_mut(id) else { return };
        passing.request = bytes.clone();
        let owner = Owner { party: Party::Call, id: id.to_bits(), role: ROLE_PASSING };
        let new = NewRequest { flow: passing.dialog.flow, kind: Kind::Other, branch, bytes };
        if desk.transactions.request(desk.cx, new, owner).is_none() {
            self.refuse_passing(desk, id, 503);
        }
    }

    fn refuse_passing(&mut self, desk: Desk<'_>, id: Handle<Passing>, status: u16) {
        if let Some(passing) = self.passing.remove(id) {
            desk.transactions.respond(desk.cx, passing.server, Reply::new(status, &passing.tag));
        }
    }

    /// The answer to a request that passed through.
    pub(super) fn on_passing_answer(&mut self, desk: Desk<'_>, from: Owner, message: &Message<'_>, status: u16) {
        let id = Handle::from_bits(from.id);
        if status < 200 {
            return;
        }
        let Some(passing) = self.passing.get_mut(id) else { return };
        if matches!(status, 401 | 407) {
            let config = desk.cx.config.clone();
            let lines = login(&config, &passing.gateway).and_then(|login| {
                let client = passing.auth.get_or_insert_with(Box::default);
                let method = message.cseq().ok()?.method;
                let method = std::str::from_utf8(method.as_bytes()).ok()?;
                client.answer(desk.cx, message, method, &passing.dialog.target, b"", &login).ok()
            });
            let Some(lines) = lines else { return self.refuse_passing(desk, id, 503) };
            passing.dialog.local_cseq += 1;
            let branch: Tag = desk.cx.rng.ids.token();
            let bytes = resend(&passing.request, &branch, passing.dialog.local_cseq, &lines);
            return self.send_passing(desk, id, bytes, branch);
        }
        let Some(mut passing) = self.passing.remove(id) else { return };
        let Desk { cx, transactions, .. } = desk;
        let mut lines = Writer::lines();
        headers::copy(message, &cx.config.domain, &mut lines);
        let (reason, headers) = (message.reason(), lines.as_bytes());
        let body = body(cx, &mut passing.dialog, message, None);
        let reply = Reply { status, reason, to_tag: &passing.tag, headers, body: &body };
        transactions.respond(cx, passing.server, reply);
    }

    /// No answer came. A timeout is passed over in silence (RFC 4320 §4.2); an undeliverable request is not.
    pub(super) fn on_passing_silence(&mut self, desk: Desk<'_>, from: Owner, status: u16) {
        let id = Handle::from_bits(from.id);
        if status == 408 {
            self.passing.remove(id);
        } else {
            self.refuse_passing(desk, id, status);
        }
    }
}
