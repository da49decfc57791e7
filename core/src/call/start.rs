//! From an INVITE to a call, or to a refusal with its reason.

use super::media::{self, Ending, View};
use super::replaces::Replacement;
use super::{
    Attempt, Call, CallingParty, Calls, Desk, End, Ingress, Numbers, ROLE_INGRESS, ReliableWish, Step, Times, headers,
    options, record, reliable, shown,
};
use crate::cdr::{EndDirection, EndReason};
use crate::cx::Cx;
use crate::dialog::{Dialog, MAX_FORWARDS, Parties, Tag};
use crate::event::Event;
use crate::input::Flow;
use crate::limits;
use crate::registrar::Registrar;
use crate::routing::{self, Facts, Load, Plan, Refusal, Rel100, Rule, Way};
use crate::sdp::{self, NewOrigin, Rewrite, Version};
use crate::sip::{Message, Name, Scheme, Uri, Writer, escape_user};
use crate::transaction::{Branch, Owner, Party, Reply, ServerId};
use crate::trunk::Trunks;
use bytes::Bytes;
use std::borrow::Cow;

/// Who calls, as the switch has established it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The calling user as the callee is to see it.
    pub number: String,
    /// The phone's user name; empty for a gateway.
    pub user: String,
    /// The mapping gateway the call comes from; empty for a phone.
    pub gateway: String,
}

impl Identity {
    /// The calling party of a request.
    pub(super) fn calling(&self, message: &Message<'_>, source: Flow) -> CallingParty {
        let Identity { number, user, gateway } = self.clone();
        CallingParty { number_in: user_of(message), number, user, gateway, source }
    }
}

/// A request outside any dialog that may go on.
#[derive(Clone, Copy)]
pub struct Incoming<'m> {
    /// The request.
    pub message: &'m Message<'m>,
    /// Where it came from.
    pub flow: Flow,
    /// The transaction to answer.
    pub server: ServerId,
    /// Who sent it.
    pub identity: &'m Identity,
}

/// The called number that a Request-URI names: its user part, unescaped; for `tel:` the number without its visual
/// separators (RFC 3966 §5.1.1).
pub fn called_number(uri: &[u8]) -> Option<String> {
    let uri = Uri::parse(uri).ok()?;
    let user = uri.user_unescaped();
    match uri.scheme {
        Scheme::Sip | Scheme::Sips if !user.is_empty() => Some(String::from_utf8_lossy(&user).into_owned()),
        Scheme::Tel => {
            let digits = user.iter().filter(|b| !b"-.()".contains(b)).copied().collect();
            String::from_utf8(digits).ok()
        }
        _ => None,
    }
}

impl Calls {
    /// Takes a new INVITE: routes it and calls the callee, or refuses it.
    pub fn start(&mut self, mut desk: Desk<'_>, incoming: Incoming<'_>) {
        let Incoming { message, flow, server, identity } = incoming;
        let to_tag: Tag = desk.cx.rng.ids.token();
        if self.calls.len() >= limits::CALLS {
            let busy = Reply { headers: b"Retry-After: 5\r\n", ..Reply::new(503, &to_tag) };
            return desk.transactions.respond(desk.cx, server, busy);
        }
        self.next_number += 1;
        let new = New {
            number: self.next_number,
            calling: identity.calling(message, flow),
            callee_in: message.uri().and_then(called_number).unwrap_or_default(),
            to_tag,
        };
        desk.cx.counters.calls_started += 1;
        desk.cx.emit(Event::CallStarted {
            call: new.number,
            caller: new.calling.number_in.clone(),
            callee: new.callee_in.clone(),
            source: flow.remote,
        });
        // The caller stops resending; what comes next may take its time (RFC 3261 §16.2).
        desk.transactions.respond(desk.cx, server, Reply::new(100, b""));
        let Some(dialog) = Dialog::as_server(message, flow, to_tag) else {
            let refusal = Refusal::new(Rule::RouteNone, 400, EndReason::ProtocolError);
            return refuse(&mut desk, &new, incoming, &refusal, &[]);
        };
        let (plan, replaces) = match self.replaced(&desk, message, &new) {
            Ok(None) => (self.plan(&desk, &new), Box::default()),
            Ok(Some(Replacement { way, line })) => (Plan { ways: vec![way], ..Plan::default() }, line.into()),
            Err(status) => {
                let refusal = Refusal::new(Rule::RouteReplaces, status, EndReason::NotFound);
                return refuse(&mut desk, &new, incoming, &refusal, &[]);
            }
        };
        match plan.refusal {
            // nothing is to be heard of it
            Some(refusal) if desk.cx.config.tones.announcement(refusal.reason).is_none() => {
                refuse(&mut desk, &new, incoming, &refusal, &in_words(&plan));
            }
            _ => self.take_in(desk, new, incoming, dialog, plan, replaces),
        }
    }

    /// Takes a call in, and begins with its first round, or with the announcement that it has none.
    fn take_in(
        &mut self,
        desk: Desk<'_>,
        new: New,
        incoming: Incoming<'_>,
        dialog: Dialog,
        plan: Plan,
        replaces: Box<[u8]>,
    ) {
        let mut ingress = ingress(incoming.message, incoming.server, dialog);
        let gateway = desk.cx.config.gateways.find(&new.calling.gateway);
        if ingress.reliable == ReliableWish::Supported && gateway.is_some_and(|one| one.rules.rel100 == Rel100::Off) {
            ingress.reliable = ReliableWish::None;
        }
        let story = in_words(&plan);
        let call = Call {
            number: new.number,
            ingress,
            calling: new.calling,
            callee_in: new.callee_in,
            ways: plan.ways.into(),
            attempts: Vec::with_capacity(1),
            branches: Vec::with_capacity(1),
            winner: None,
            ended: Vec::new(),
            exchanges: Vec::with_capacity(1),
            next: Numbers::default(),
            tried: 0,
            redirects: 0,
            failed: Vec::new(),
            uses: Some(plan.uses).filter(|_| plan.refusal.is_none()),
            replaces,
            story,
            to: None,
            precision_ms: desk.cx.config.parameters.hold_time_precision_ms(),
            times: Times { invite: desk.cx.now.wall, ring: None, answer: None, answer_mono: None },
            timer: None,
            farewell: Box::default(),
            frozen: None,
            end: None,
            listen_timer: None,
            closing: None,
            answering: None,
            announcement: None,
            own: Vec::new(),
        };
        let id = self.calls.insert(call);
        let owner = Owner { party: Party::Call, id: id.to_bits(), role: ROLE_INGRESS };
        desk.transactions.adopt(incoming.server, owner, new.to_tag);
        self.step(desk, id, |call, step| {
            if let Some(refusal) = plan.refusal {
                return call.refuse_unrouted(step, &refusal);
            }
            step.load.add(call.uses.as_ref().expect("a new call takes up what its plan says"));
            match plan.station {
                Some((number, program)) => call.answer_itself(step, number, program),
                None => call.advance_with(step, incoming.message),
            }
        });
    }

    /// Where a call may go, by the facts of this moment.
    fn plan(&self, desk: &Desk<'_>, new: &New) -> Plan {
        self.with_facts(desk, |facts| routing::plan(facts, &new.calling.caller(), &new.callee_in))
    }

    /// What routing asks for, as it is now.
    pub(super) fn with_facts<R>(&self, desk: &Desk<'_>, ask: impl FnOnce(&Facts<'_>) -> R) -> R {
        with_facts(desk.cx, desk.registrar, desk.trunks, &self.load, ask)
    }
}

impl Step<'_> {
    /// What routing asks for, as it is now.
    pub(super) fn with_facts<R>(&self, ask: impl FnOnce(&Facts<'_>) -> R) -> R {
        with_facts(self.cx, self.registrar, self.trunks, self.load, ask)
    }

    /// Why a way that was found when the call began can no longer be tried; none where it can.
    pub(super) fn recheck(&self, calling: &CallingParty, way: &Way) -> Option<String> {
        self.with_facts(|facts| routing::recheck(facts, &calling.caller(), way)).err().map(|why| why.to_string())
    }
}

impl CallingParty {
    /// As routing sees it.
    pub(super) fn caller(&self) -> routing::Caller<'_> {
        let CallingParty { number, user, gateway, source, .. } = self;
        routing::Caller { number, user, gateway, source: Some(*source) }
    }
}

fn with_facts<R>(cx: &Cx, registrar: &Registrar, trunks: &Trunks, load: &Load, ask: impl FnOnce(&Facts<'_>) -> R) -> R {
    let trunks = |gateway: &str| trunks.usable(gateway, cx.now).err();
    ask(&Facts { config: &cx.config, registrar, load, trunks: &trunks, now: cx.now })
}

/// A call before it is one.
pub(super) struct New {
    pub(super) number: u64,
    pub(super) calling: CallingParty,
    pub(super) callee_in: String,
    pub(super) to_tag: Tag,
}

/// What each rule said to each candidate.
fn in_words(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(ToString::to_string).collect()
}

/// Refuses an INVITE that leads nowhere, and writes its CDR.
fn refuse(desk: &mut Desk<'_>, new: &New, incoming: Incoming<'_>, refusal: &Refusal, story: &[String]) {
    desk.cx.emit(refused(new.number, refusal));
    let retry_after = retry_after(refusal);
    let reply = Reply { headers: retry_after.as_bytes(), ..Reply::new(refusal.status, &new.to_tag) };
    desk.transactions.respond(desk.cx, incoming.server, reply);
    record::refused(desk.cx, new, incoming.message, refusal, story);
}

fn refused(call: u64, refusal: &Refusal) -> Event {
    Event::RouteDecided { call, rule: refusal.rule.name(), result: format!("refused: {}", refusal.status) }
}

fn retry_after(refusal: &Refusal) -> String {
    refusal.retry_after_s.map(|s| format!("Retry-After: {s}\r\n")).unwrap_or_default()
}

impl Call {
    /// It leads nowhere.
    fn refuse_unrouted(&mut self, step: &mut Step<'_>, refusal: &Refusal) {
        step.cx.emit(refused(self.number, refusal));
        let end = End { reason: refusal.reason, direction: EndDirection::Server, status: refusal.status };
        self.refuse(step, Ending { end, message: Bytes::new(), lines: retry_after(refusal) });
    }
}

/// What the INVITE of an attempt is made of.
#[derive(Clone, Copy)]
pub(super) struct Invitation<'a> {
    pub(super) invite: &'a Message<'a>,
    pub(super) ingress: &'a Ingress,
    pub(super) calling: &'a CallingParty,
    pub(super) replaces: &'a [u8],
    /// The relay as the callee is to see it.
    pub(super) view: Option<&'a View>,
}

/// The INVITE that carries the caller's to the callee of an attempt.
pub(super) fn callee_invite(cx: &mut Cx, attempt: &mut Attempt, with: Invitation<'_>) -> (Bytes, Branch) {
    let mut lines = Writer::lines();
    shown::caller(&cx.config, with.calling, with.invite, &attempt.way, &with.calling.own()).write(&mut lines);
    // Without an offer the callee's would have to be answered in a PRACK, which a caller that knows none cannot send.
    let offers_reliable = match attempt.way.policy.rel100 {
        Rel100::Auto => with.ingress.reliable != ReliableWish::None,
        Rel100::On => with.ingress.has_offer || with.ingress.reliable != ReliableWish::None,
        Rel100::Off => false,
    };
    if offers_reliable {
        lines.header("Supported", options::RELIABLE);
    }
    lines.raw(with.replaces);
    forward(cx, &mut attempt.dialog, with.invite, "INVITE", lines.as_bytes(), with.view)
}

fn ingress(message: &Message<'_>, server: ServerId, dialog: Dialog) -> Ingress {
    let evidence = media::evidence(message, dialog.flow);
    Ingress {
        invite: Bytes::copy_from_slice(message.bytes()),
        server,
        dialog,
        is_tag_used: false,
        is_answered: false,
        has_rung: false,
        has_offer: has_session(message),
        reliable: reliable::wish(message),
        codec: codec(message),
        evidence,
    }
}

/// Whether a message carries a session description, also as a part of its body.
pub(super) fn has_session(message: &Message<'_>) -> bool {
    media::description(message).is_some()
}

/// The dialog towards the callee, before it has answered: nothing of the caller's addresses in it.
pub(super) fn callee_dialog(cx: &mut Cx, message: &Message<'_>, way: &Way, calling: &CallingParty) -> Dialog {
    let local = shown::caller(&cx.config, calling, message, way, &calling.own()).from();
    let remote = ["<sip:", &escape_user(&way.number), "@", &cx.config.domain, ">"].concat();
    let call_id: [u8; 24] = cx.rng.ids.token();
    let parties = Parties::new(&call_id, &local, remote.as_bytes());
    Dialog::as_client(parties, cx.rng.ids.token(), calling.source)
}

/// The request that carries `message` on in another dialog: the dialog's head, what passes of the headers, these lines,
/// the body.
pub(super) fn forward(
    cx: &mut Cx,
    dialog: &mut Dialog,
    message: &Message<'_>,
    method: &str,
    lines: &[u8],
    view: Option<&View>,
) -> (Bytes, Branch) {
    let hops = message.max_forwards().ok().flatten().unwrap_or(MAX_FORWARDS);
    let (mut writer, branch) = dialog.request(cx, method, hops.saturating_sub(1));
    headers::copy(message, &cx.config.domain, &mut writer);
    if method == "INVITE" {
        allow(message, &mut writer);
    }
    writer.raw(lines);
    (finish(cx, dialog, writer, message, view), branch)
}

/// Allow as the other leg is to see it: what the peer behind the switch says, else what the switch carries.
pub(super) fn allow(message: &Message<'_>, writer: &mut Writer) {
    let mut said = message.headers().filter(|header| header.name == Name::Allow).peekable();
    if said.peek().is_none() {
        writer.header("Allow", headers::ALLOW);
    }
    for header in said {
        writer.pass(&header);
    }
}

/// Ends a message with the body of another, as it goes out on this leg.
pub(super) fn finish(
    cx: &Cx,
    dialog: &mut Dialog,
    writer: Writer,
    message: &Message<'_>,
    view: Option<&View>,
) -> Bytes {
    writer.finish(&body(cx, dialog, message, view))
}

/// The body for a leg: a session description's origin is made our own, and counted on this leg, and its media leads where
/// `view` says; everything else passes.
pub(super) fn body<'m>(cx: &Cx, dialog: &mut Dialog, message: &Message<'m>, view: Option<&View>) -> Cow<'m, [u8]> {
    let body = message.body();
    let Some(description) = media::description(message) else {
        return body.into();
    };
    let new = described(cx, dialog, description, view);
    if description.len() == body.len() {
        return new.into();
    }
    let at = sdp::offset_in(description, body);
    [&body[..at], &new, &body[at + description.len()..]].concat().into()
}

/// A session description as it goes out on this leg: its origin is our own, its version one more than the last where it
/// says something else (RFC 3264 §8).
pub(super) fn described(cx: &Cx, dialog: &mut Dialog, description: &[u8], view: Option<&View>) -> Vec<u8> {
    let mut relayed = Vec::new();
    let description = match view {
        None => description,
        Some(view) => {
            relayed.reserve(description.len() + 16);
            sdp::rewrite(description, &Rewrite { relay: Some(view.relay()), ..Rewrite::default() }, &mut relayed);
            &relayed
        }
    };
    let version = Version::next(dialog.described, description);
    dialog.described = Some(version);
    let address = cx.config.listen[usize::from(dialog.flow.socket.0)].advertise.ip();
    let origin = NewOrigin { address, session: Some((version.id, version.version)) };
    let mut out = Vec::with_capacity(description.len() + 16);
    sdp::rewrite(description, &Rewrite { origin: Some(origin), ..Rewrite::default() }, &mut out);
    out
}

/// The first codec of the session description that a message carries, also as a part of its body; empty without one.
pub(super) fn codec(message: &Message<'_>) -> String {
    media::description(message).and_then(sdp::first_codec).unwrap_or_default()
}

/// The user part of From: who the caller says it is.
pub(super) fn user_of(message: &Message<'_>) -> String {
    let user = message.from().ok().and_then(|from| called_number(from.uri));
    user.unwrap_or_default()
}
