//! From an INVITE to a call, or to a refusal with its reason.

use super::record::{self, Refusal};
use super::{Call, Calls, End, Exchange, FIRST_INVITE, Leg, LegState, Policy, Side, Times, headers, owner, reply};
use crate::cdr::{EndDirection, EndReason};
use crate::cx::Cx;
use crate::dialog::{Dialog, Tag, without_tag};
use crate::event::Event;
use crate::input::Flow;
use crate::limits;
use crate::registrar::Registrar;
use crate::routing::{self, Destination, Route};
use crate::sdp;
use crate::sip::{Message, NameAddr, Params, Scheme, Uri, escape_user};
use crate::timers::{CallTimer, TimerKey};
use crate::transaction::{Kind, NewRequest, Reply, ServerId, Transactions};
use bytes::Bytes;

/// Who calls, as the switch has established it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The calling user as the callee is to see it.
    pub number: String,
    /// The mapping gateway the call comes from; empty for a phone.
    pub gateway: String,
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
    pub fn start(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        registrar: &Registrar,
        incoming: Incoming<'_>,
    ) {
        let Incoming { message, flow, server, identity } = incoming;
        let to_tag: Tag = cx.rng.ids.token();
        let callee_in = message.uri().and_then(called_number).unwrap_or_default();
        if self.calls.len() >= limits::CALLS {
            let busy = Reply { status: 503, reason: None, to_tag: &to_tag, headers: b"Retry-After: 5\r\n", body: b"" };
            return transactions.respond(cx, server, busy);
        }
        self.next_number += 1;
        let number = self.next_number;
        cx.counters.calls_started += 1;
        let caller_in = user_of(message);
        cx.emit(Event::CallStarted {
            call: number,
            caller: caller_in.clone(),
            callee: callee_in.clone(),
            source: flow.remote,
        });
        // The caller stops resending; what comes next may take its time (RFC 3261 §16.2).
        reply(cx, transactions, server, 100, b"");
        let route = routing::choose(&cx.config, registrar, &self.load, cx.now, &callee_in);
        let refusal = |status, reason| Refusal {
            number,
            caller_in: &caller_in,
            callee_in: &callee_in,
            identity,
            flow,
            message,
            status,
            reason,
        };
        let (destination, rule) = match route {
            Route::To { destination, rule } => (destination, rule),
            Route::Refused { status, reason, rule } => {
                cx.emit(Event::RouteDecided { call: number, rule, result: format!("refused: {status}") });
                reply(cx, transactions, server, status, &to_tag);
                return record::refused(cx, refusal(status, reason));
            }
        };
        cx.emit(Event::RouteDecided { call: number, rule, result: destination.describe() });
        let Some(caller) = Dialog::as_server(message, flow, to_tag) else {
            reply(cx, transactions, server, 400, &to_tag);
            return record::refused(cx, refusal(400, EndReason::ProtocolError));
        };
        let call = Call {
            number,
            caller: leg(caller, &identity.gateway, codec(message)),
            callee: leg(callee_dialog(cx, message, identity, &destination), &destination.gateway, String::new()),
            caller_in,
            caller_out: identity.number.clone(),
            callee_in,
            source: flow,
            destination,
            route_rule: rule.into(),
            exchanges: Vec::with_capacity(1),
            next_exchange: FIRST_INVITE + 1,
            policy: policy(cx),
            times: Times { invite: cx.now.wall, ring: None, answer: None, answer_mono: None },
            timer: None,
            farewell: Box::default(),
            end: None,
        };
        self.invite(cx, transactions, call, incoming);
    }

    /// Sends the callee its INVITE and takes the call in.
    fn invite(&mut self, cx: &mut Cx, transactions: &mut Transactions, call: Call, incoming: Incoming<'_>) {
        let Incoming { message, server, .. } = incoming;
        let id = self.calls.insert(call);
        let call = self.calls.get_mut(id).expect("just inserted");
        let (bytes, branch) = forward(cx, &mut call.callee.dialog, message, "INVITE");
        let new = NewRequest { flow: call.callee.dialog.flow, kind: Kind::Invite, branch, bytes };
        let Some(client) = transactions.request(cx, new, owner(id, FIRST_INVITE)) else {
            let mut call = self.calls.remove(id).expect("just inserted");
            reply(cx, transactions, server, 503, &call.caller.dialog.local_tag);
            call.end = Some(End { reason: EndReason::Capacity, direction: EndDirection::Server, status: 503 });
            return record::of_call(cx, &call);
        };
        transactions.adopt(server, owner(id, FIRST_INVITE), call.caller.dialog.local_tag);
        call.exchanges.push(Exchange {
            id: FIRST_INVITE,
            from: Side::Caller,
            is_invite: true,
            server_cseq: call.caller.dialog.remote_cseq.unwrap_or(0),
            client_cseq: call.callee.dialog.local_cseq,
            server,
            client,
            is_answered: false,
            is_cancelled: false,
            new_target: None,
        });
        let deadline = cx.now.mono + call.policy.invite;
        call.timer = Some(cx.timers.arm(deadline, TimerKey::Call(id.to_bits(), CallTimer::Progress)));
        self.by_tag.insert(call.caller.dialog.local_tag, (id, Side::Caller));
        self.by_tag.insert(call.callee.dialog.local_tag, (id, Side::Callee));
        call.uses().iter().for_each(|used| self.load.add(used));
    }
}

/// The dialog towards the callee, before it has answered: nothing of the caller's addresses in it.
pub(super) fn callee_dialog(cx: &mut Cx, message: &Message<'_>, identity: &Identity, to: &Destination) -> Dialog {
    let domain = &cx.config.domain;
    let own_uri = format!("sip:{}@{domain}", escape_user(&identity.number));
    let display = message.from().map_or(&b""[..], |from| from.display);
    let local = without_tag(&NameAddr { display, uri: own_uri.as_bytes(), params: Params::of(b"") });
    let remote = format!("<sip:{}@{domain}>", escape_user(&to.number));
    Dialog {
        call_id: cx.rng.ids.token::<24>().into(),
        local_tag: cx.rng.ids.token(),
        remote_tag: Box::default(),
        local,
        remote: remote.into_bytes().into(),
        target: to.uri.clone(),
        routes: to.routes.clone(),
        local_cseq: 0,
        remote_cseq: None,
        flow: to.flow,
        last_ack: None,
    }
}

/// The request that carries `message` on in another dialog: the dialog's head, what passes of the headers, the body.
pub(super) fn forward(
    cx: &mut Cx,
    dialog: &mut Dialog,
    message: &Message<'_>,
    method: &str,
) -> (Bytes, crate::transaction::Branch) {
    let hops = message.max_forwards().ok().flatten().unwrap_or(crate::dialog::MAX_FORWARDS);
    let (mut writer, branch) = dialog.request(cx, method, hops.saturating_sub(1));
    headers::copy(message, &cx.config.domain, &mut writer);
    if method == "INVITE" {
        writer.header("Allow", headers::ALLOW);
    }
    (finish(cx, dialog.flow, writer, message), branch)
}

/// Ends a message with the body of another, the session description's origin made our own.
pub(super) fn finish(cx: &Cx, flow: Flow, writer: crate::sip::Writer, message: &Message<'_>) -> Bytes {
    writer.finish(&body(cx, flow, message))
}

/// The body for the other leg.
pub(super) fn body<'m>(cx: &Cx, flow: Flow, message: &Message<'m>) -> std::borrow::Cow<'m, [u8]> {
    let advertise = cx.config.listen[usize::from(flow.socket.0)].advertise.ip();
    if !message.is_sdp() {
        return message.body().into();
    }
    let mut out = Vec::with_capacity(message.body().len() + 16);
    sdp::rewrite(message.body(), &sdp::Rewrite::hiding(advertise), &mut out);
    out.into()
}

fn leg(dialog: Dialog, gateway: &str, codec: String) -> Leg {
    Leg { state: LegState::Inviting, dialog, gateway: gateway.to_owned(), codec }
}

/// The first codec of the session description that a message carries, also as a part of its body; empty without one.
pub(super) fn codec(message: &Message<'_>) -> String {
    let description = message.content_type().and_then(|kind| sdp::find_sdp(kind, message.body()));
    description.and_then(sdp::first_codec).unwrap_or_default()
}

/// The user part of From: who the caller says it is.
pub(super) fn user_of(message: &Message<'_>) -> String {
    let user = message.from().ok().and_then(|from| called_number(from.uri));
    user.unwrap_or_default()
}

fn policy(cx: &Cx) -> Policy {
    let parameters = &cx.config.parameters;
    Policy {
        invite: parameters.timeout_invite(),
        trying: parameters.timeout_trying(),
        progress: parameters.timeout_session_progress(),
        progress_sdp: parameters.timeout_session_progress_sdp(),
        ringing: parameters.timeout_ringing(),
        max_talk: parameters.max_talk(),
        precision_ms: parameters.hold_time_precision_ms(),
    }
}
