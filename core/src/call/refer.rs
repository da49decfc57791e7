//! REFER and its subscription (RFC 3515), and subscriptions inside dialogs (RFC 6665).
//!
//! A REFER passes to the peer that it is for; the call that this peer then makes comes through the switch like any other.
//! So a Refer-To that names a socket of ours must name one that this peer can reach. A subscription outlives the call it
//! began in (RFC 5057 §4.1): the dialogs stay until its last NOTIFY has passed.

use super::{Branch, Call, Exchange, Kind, Origin, Side, Step};
use crate::cx::Cx;
use crate::limits;
use crate::sip::{Index, Message, Method, Name, NameAddr, Params, Scanned, Uri, Writer, scan};
use crate::timers::CallTimer;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the dialogs of a call that is over stay for a subscription: longer than a transferred call rings.
const LINGER: Duration = Duration::from_secs(180);

/// A subscription inside a call's dialogs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Who subscribed.
    from: Side,
    /// The event package.
    package: Box<[u8]>,
    /// CSeq number of the REFER or SUBSCRIBE on the subscriber's leg, and on the other: for REFER the `id` of its events.
    ids: (u32, u32),
}

/// The package of an Event header, or the first word of one like it.
fn package(event: &[u8]) -> &[u8] {
    event.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii()
}

/// The `id` of an Event header that names a REFER by its CSeq number (RFC 3515 §2.4.6).
fn refer_id(event: &[u8]) -> Option<u32> {
    let params = Params::of(&event[package(event).len()..]);
    let is_refer = package(event).eq_ignore_ascii_case(b"refer");
    std::str::from_utf8(params.get("id")?).ok()?.parse().ok().filter(|_| is_refer)
}

/// Whether this is a NOTIFY.
pub(super) fn is_notify(message: &Message<'_>) -> bool {
    message.method() == Some(Method::Notify)
}

/// Whether this NOTIFY is the last of its subscription (RFC 6665 §4.1.2.3).
pub(super) fn is_last(message: &Message<'_>) -> bool {
    let state = message.value(Name::SubscriptionState).map(package);
    state.is_some_and(|state| state.eq_ignore_ascii_case(b"terminated"))
}

/// What the switch writes of a REFER or SUBSCRIBE that goes on to the other leg.
pub(super) fn lines(cx: &Cx, branch: &Branch, from: Side, message: &Message<'_>) -> Vec<u8> {
    let mut lines = Writer::lines();
    let far = &branch.leg(from.other()).dialog;
    let ours = cx.config.listen[usize::from(far.flow.socket.0)].advertise;
    for header in message.headers().filter(|header| header.name == Name::ReferTo) {
        let Some((before, uri, after)) = split(header.value) else {
            lines.pass(&header);
            continue;
        };
        let names_us = |uri: &Uri<'_>| {
            let ip = uri.host_ip();
            cx.config.listen.iter().any(|listen| Some(listen.advertise.ip()) == ip || Some(listen.bind.ip()) == ip)
        };
        match Uri::parse(uri).ok().filter(names_us).and_then(|parsed| with_host(uri, &parsed, ours)) {
            Some(uri) => {
                lines.raw(b"Refer-To: ").raw(before).raw(&uri).raw(after).raw(b"\r\n");
            }
            None => {
                lines.pass(&header);
            }
        }
    }
    lines.as_bytes().to_vec()
}

/// A name-addr or addr-spec in what stands before its URI, the URI, and what stands after.
fn split(value: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let uri = NameAddr::parse(value).ok()?.uri;
    let start = uri.as_ptr() as usize - value.as_ptr() as usize;
    Some((&value[..start], uri, &value[start + uri.len()..]))
}

/// The URI with our address in the place of its host and port.
fn with_host(uri: &[u8], parsed: &Uri<'_>, ours: std::net::SocketAddr) -> Option<Vec<u8>> {
    let start = parsed.host.as_ptr() as usize - uri.as_ptr() as usize;
    let rest = &uri[start + parsed.host.len()..];
    let port_end = match rest.strip_prefix(b":") {
        Some(port) => 1 + port.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        None => 0,
    };
    let mut writer = Writer::lines();
    writer.raw(&uri[..start]).address(ours).raw(&rest[port_end..]);
    Some(writer.as_bytes().to_vec())
}

impl Branch {
    /// A REFER or SUBSCRIBE was accepted with this answer.
    pub(super) fn subscribed(&mut self, exchange: &Exchange, answer: &Message<'_>) {
        let declined = answer.value(Name::ReferSub).is_some_and(|value| value.eq_ignore_ascii_case(b"false"));
        let ended = answer.expires().ok().flatten() == Some(0);
        let Origin::Peer { cseq, .. } = exchange.origin else { return };
        if declined || ended || self.subscriptions.len() >= limits::SUBSCRIPTIONS_PER_CALL {
            return;
        }
        let from = exchange.to.other();
        let mut index = Index::default();
        let Ok(Scanned::Message(request)) = scan(&exchange.sent, &mut index) else { return };
        let is_refer = request.method() == Some(Method::Refer);
        let package = if is_refer { b"refer" } else { request.value(Name::Event).map_or(&b""[..], package) };
        let known = self.subscriptions.iter().any(|one| one.from == from && *one.package == *package);
        if is_refer || !known {
            self.subscriptions.push(Subscription { from, package: package.into(), ids: (cseq, exchange.client_cseq) });
        }
    }

    /// The last NOTIFY of a subscription has gone out.
    pub(super) fn unsubscribed(&mut self, exchange: &Exchange) {
        let mut index = Index::default();
        let Ok(Scanned::Message(notify)) = scan(&exchange.sent, &mut index) else { return };
        let event = notify.value(Name::Event).unwrap_or_default();
        let id = refer_id(event);
        let is_it = |one: &Subscription| {
            let is_its = one.package.eq_ignore_ascii_case(package(event)) && id.is_none_or(|id| one.ids.0 == id);
            one.from == exchange.to && is_its
        };
        if let Some(at) = self.subscriptions.iter().position(is_it) {
            self.subscriptions.remove(at);
        }
    }
}

impl Call {
    /// The Event line of a request that goes from this side to the other: a REFER's events have its CSeq number on that
    /// leg.
    pub(super) fn event_line(&self, branch_id: u8, from: Side, message: &Message<'_>, lines: &mut Writer) {
        let Some(header) = message.headers().find(|header| header.name == Name::Event) else { return };
        let of_branch = self.branch(branch_id).map(|branch| &branch.subscriptions[..]).unwrap_or_default();
        let under_way = self.exchanges.iter().filter_map(|exchange| match exchange.origin {
            Origin::Peer { cseq, .. } if exchange.kind == Kind::Subscribe && exchange.branch == branch_id => {
                Some((exchange.to.other(), (cseq, exchange.client_cseq)))
            }
            _ => None,
        });
        let mut all = of_branch.iter().map(|one| (one.from, one.ids)).chain(under_way);
        let mapped = refer_id(header.value).and_then(|id| {
            all.find_map(|(subscriber, (theirs, ours))| match subscriber == from {
                true => (theirs == id).then_some(ours),
                false => (ours == id).then_some(theirs),
            })
        });
        match mapped {
            Some(id) => lines.header_fmt("Event", format_args!("refer;id={id}")),
            None => lines.pass(&header),
        };
    }

    /// The call is over; its dialogs stay for their subscriptions, those too that are accepted only now.
    pub(super) fn linger(&mut self, step: &mut Step<'_>) {
        let lingering: Vec<u8> = (self.branches.iter())
            .filter(|branch| !branch.subscriptions.is_empty() && branch.linger_timer.is_none())
            .map(|branch| branch.id)
            .collect();
        for id in lingering {
            let timer = step.arm(LINGER, CallTimer::Linger(id));
            self.branch_mut(id).expect("just listed").linger_timer = Some(timer);
        }
    }

    /// A subscription has lasted long enough after the end of its call.
    pub(super) fn on_linger_timer(&mut self, branch_id: u8) {
        let Some(branch) = self.branch_mut(branch_id) else { return };
        branch.linger_timer = None;
        branch.subscriptions.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::refer_id;

    #[test]
    fn only_a_refers_event_has_the_number_of_a_request_for_its_id() {
        assert_eq!(refer_id(b"refer;id=93809824"), Some(93_809_824));
        assert_eq!(refer_id(b"Refer ; id=7"), Some(7));
        assert_eq!(refer_id(b"refer"), None);
        assert_eq!(refer_id(b"dialog;id=7"), None);
        assert_eq!(refer_id(b"refer;id=x"), None);
    }
}
