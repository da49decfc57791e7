//! Whom a request is for.
//!
//! The order matters: the transaction first (retransmissions, CANCEL, ACK), then the dialog, so that nothing inside a
//! dialog is ever challenged again; only then, for what is new, the checks of RFC 3261 §8.2, the credentials and the
//! method.

use super::{Switch, Verdict};
use crate::auth::{ChallengeCode, Outcome, Secret};
use crate::call::headers::ALLOW;
use crate::call::{Identity, Incoming, identity, options};
use crate::config::{Config, Gateway};
use crate::counters::DropReason;
use crate::cx::Cx;
use crate::dialog::Tag;
use crate::dns::Peers;
use crate::event::Event;
use crate::input::Flow;
use crate::sip::{Message, Method, Scheme, Uri, Writer};
use crate::transaction::{Received, Reply, ServerId, Transactions};

/// A request that has passed the sanity step.
pub(super) fn request(switch: &mut Switch, flow: Flow, message: &Message<'_>) -> Verdict {
    match switch.transactions.receive_request(&mut switch.cx, message, flow) {
        Received::Absorbed => Verdict::Accepted,
        Received::Refused => Verdict::Shed,
        Received::Ack => {
            let (calls, desk) = switch.desk();
            match calls.on_ack(desk, message) {
                true => Verdict::Accepted,
                false => Verdict::Dropped(DropReason::StrayAck),
            }
        }
        Received::Cancel { invite } => {
            if let Some(owner) = switch.transactions.server(invite).and_then(|server| server.owner()) {
                let (calls, desk) = switch.desk();
                calls.on_cancel(desk, owner, invite, message);
            }
            Verdict::Accepted
        }
        Received::New(server) => {
            new_request(switch, flow, message, server);
            Verdict::Accepted
        }
    }
}

fn new_request(switch: &mut Switch, flow: Flow, message: &Message<'_>, server: ServerId) {
    if message.to().is_ok_and(|to| to.tag().is_some()) {
        let (calls, desk) = switch.desk();
        match calls.dialog_of(message) {
            Some(dialog) => calls.on_request(desk, dialog, message, flow, server),
            None => refuse(desk.cx, desk.transactions, server, 481, b""),
        }
        return;
    }
    let Switch { cx, transactions, peers, .. } = switch;
    let method = message.method().expect("only requests make server transactions");
    if let Some((status, lines)) = defect(cx, message, method) {
        return refuse(cx, transactions, server, status, &lines);
    }
    match method {
        Method::Register => register(switch, flow, message, server),
        Method::Options if !is_to_somebody(cx, peers, flow, message) => options(cx, transactions, server),
        Method::Invite | Method::Message | Method::Options | Method::Other(_) => {
            outside(switch, flow, message, server, method);
        }
        Method::Bye => answer(cx, transactions, server, 481, b""),
        _ => {
            let tag: Tag = cx.rng.ids.token();
            not_allowed(cx, transactions, server, method, &tag);
        }
    }
}

/// What RFC 3261 §8.2 has a server refuse before it looks at the method.
fn defect(cx: &Cx, message: &Message<'_>, method: Method<'_>) -> Option<(u16, Vec<u8>)> {
    let uri = Uri::parse(message.uri()?).ok()?;
    if !matches!(uri.scheme, Scheme::Sip | Scheme::Sips | Scheme::Tel) {
        return Some((416, Vec::new()));
    }
    let unsupported = options::unsupported(message);
    if !unsupported.is_empty() {
        return Some((420, [b"Unsupported: ", &unsupported[..], b"\r\n"].concat()));
    }
    // §16.3 step 3; what the switch answers itself is not forwarded, however far it has come.
    let is_forwarded = matches!(method, Method::Invite | Method::Message | Method::Other(_));
    if is_forwarded && message.max_forwards() == Ok(Some(0)) {
        return Some((483, Vec::new()));
    }
    if method == Method::Register && !is_our_host(cx, uri.host) {
        return Some((404, Vec::new()));
    }
    None
}

/// Whether a host part means this switch: its domain, or the address of one of its sockets.
fn is_our_host(cx: &Cx, host: &[u8]) -> bool {
    let is_socket = |listen: &crate::config::Listen| {
        let ip = crate::sip::host_ip(host);
        ip == Some(listen.bind.ip()) || ip == Some(listen.advertise.ip())
    };
    host.eq_ignore_ascii_case(cx.config.domain.as_bytes()) || cx.config.listen.iter().any(is_socket)
}

/// Whether OPTIONS goes on to a user behind the switch: only for those who show who they are; the others hear from the
/// switch itself, and learn nothing about its users.
fn is_to_somebody(cx: &Cx, peers: &Peers, flow: Flow, message: &Message<'_>) -> bool {
    use crate::sip::Name;
    let is_known = peers.find(&cx.config, flow.remote).is_some();
    let has_credentials = message.value(Name::Authorization).or(message.value(Name::ProxyAuthorization)).is_some();
    let has_user = message.uri().is_some_and(|uri| Uri::parse(uri).is_ok_and(|uri| uri.user.is_some()));
    has_user && (is_known || has_credentials)
}

fn options(cx: &mut Cx, transactions: &mut Transactions, server: ServerId) {
    let tag: Tag = cx.rng.ids.token();
    let headers = concat_lines(&[("Allow", ALLOW), ("Accept", "application/sdp"), ("Accept-Language", "en")]);
    let reply = Reply { status: 200, reason: None, to_tag: &tag, headers: &headers, body: b"" };
    transactions.respond(cx, server, reply);
}

fn register(switch: &mut Switch, flow: Flow, message: &Message<'_>, server: ServerId) {
    let config = switch.cx.config.clone();
    let code = ChallengeCode::Unauthorized;
    let secret = |user: &str| phone_secret(&config, user);
    let Some(user) = authenticate(switch, flow, message, server, code, secret) else { return };
    let Switch { cx, transactions, registrar, .. } = switch;
    let aor = message.to().ok().and_then(|to| Uri::parse(to.uri).ok());
    let Some(aor) = aor.filter(|aor| matches!(aor.scheme, Scheme::Sip | Scheme::Sips) && is_our_host(cx, aor.host))
    else {
        return answer(cx, transactions, server, 404, b"");
    };
    if *aor.user_unescaped() != *user.as_bytes() {
        return answer(cx, transactions, server, 403, b""); // RFC 3261 §10.3 step 4
    }
    let registered = registrar.register(cx, message, flow, &user);
    if registered.status == 200 {
        cx.counters.registrations += 1;
    }
    answer(cx, transactions, server, registered.status, &registered.headers);
}

/// An INVITE, or a request that passes through, outside any dialog.
fn outside(switch: &mut Switch, flow: Flow, message: &Message<'_>, server: ServerId, method: Method<'_>) {
    if switch.is_draining && method == Method::Invite {
        return answer(&mut switch.cx, &mut switch.transactions, server, 503, b"Retry-After: 30\r\n");
    }
    let Some(identity) = identify(switch, flow, message, server) else { return };
    let incoming = Incoming { message, flow, server, identity: &identity };
    let (calls, desk) = switch.desk();
    match method {
        Method::Invite => calls.start(desk, incoming),
        _ => calls.pass(desk, incoming),
    }
}

/// Who sends this: a gateway by its address, where it is to show credentials by these as well, else a phone or a gateway
/// without an address by its credentials. Has answered where it is nobody.
fn identify(switch: &mut Switch, flow: Flow, message: &Message<'_>, server: ServerId) -> Option<Identity> {
    let config = switch.cx.config.clone();
    let by_address = switch.peers.find(&config, flow.remote);
    if let Some(gateway) =
        by_address.and_then(|place| config.gateways.get(place)).filter(|known| !known.is_challenged())
    {
        return Some(caller_at(gateway, message));
    }
    let code = match config.parameters.auth_code() {
        407 => ChallengeCode::ProxyAuthenticationRequired,
        _ => ChallengeCode::Unauthorized,
    };
    let user = authenticate(switch, flow, message, server, code, |user| caller_secret(&config, by_address, user))?;
    if let Some(gateway) = config.gateways.find_user(&user).and_then(|(place, _)| config.gateways.get(place)) {
        return Some(caller_at(gateway, message));
    }
    let caller_id = config.phones.find(&user).and_then(|phone| phone.caller_id.map(str::to_owned));
    Some(Identity { number: caller_id.unwrap_or_else(|| user.clone()), user, gateway: String::new() })
}

/// A gateway speaks for its callers: their number is what its From says, or where that is withheld what it asserts.
fn caller_at(gateway: &Gateway, message: &Message<'_>) -> Identity {
    let number = identity::calling_number(message, gateway.identity);
    Identity { number, user: String::new(), gateway: gateway.name.clone() }
}

/// The secret with which somebody at this address may call: at a gateway's address its own alone, elsewhere that of a phone
/// or of a gateway that may be anywhere.
fn caller_secret<'c>(config: &'c Config, by_address: Option<usize>, user: &str) -> Option<&'c Secret> {
    let gateway = config.gateways.find_user(user);
    match by_address {
        Some(place) => gateway.filter(|(known, _)| *known == place).map(|(_, secret)| secret),
        None => {
            let is_anywhere = |place| config.gateways.get(place).is_some_and(|gateway| gateway.peers.is_empty());
            let roaming = gateway.filter(|(place, _)| is_anywhere(*place)).map(|(_, secret)| secret);
            roaming.or_else(|| phone_secret(config, user))
        }
    }
}

fn phone_secret<'c>(config: &'c Config, user: &str) -> Option<&'c Secret> {
    config.phones.profile(user).map(|profile| &profile.secret)
}

/// The user whose credentials, of those that `secret` knows, the request carries. Has answered with a challenge or a refusal where there is none.
fn authenticate<'c>(
    switch: &mut Switch,
    flow: Flow,
    message: &Message<'_>,
    server: ServerId,
    code: ChallengeCode,
    secret: impl FnOnce(&str) -> Option<&'c Secret>,
) -> Option<String> {
    let Switch { cx, transactions, auth, .. } = switch;
    let config = cx.config.clone();
    let stale = match auth.verify(cx, message, flow, &config.domain, secret) {
        Outcome::Accepted { user } => return Some(user),
        Outcome::Challenge { stale, .. } => stale,
        Outcome::Refused { user, rule, again } => {
            cx.emit(Event::AuthFailed { user, source: flow.remote, rule });
            if !again {
                refuse(cx, transactions, server, 403, b"");
                return None;
            }
            false
        }
        Outcome::Exhausted => {
            refuse(cx, transactions, server, 403, b"");
            return None;
        }
        Outcome::Malformed(_) => {
            refuse(cx, transactions, server, 400, b"");
            return None;
        }
    };
    let lines = auth.challenge(cx, flow, &config.domain, code, stale);
    refuse(cx, transactions, server, code.status(), &lines);
    None
}

/// 405 with what is allowed for a method we know, 501 for one we do not (RFC 3261 §8.2.1).
pub(crate) fn not_allowed(
    cx: &mut Cx,
    transactions: &mut Transactions,
    server: ServerId,
    method: Method<'_>,
    to_tag: &[u8],
) {
    let status = if matches!(method, Method::Other(_)) { 501 } else { 405 };
    let headers = concat_lines(&[("Allow", ALLOW)]);
    transactions.respond(cx, server, Reply { status, reason: None, to_tag, headers: &headers, body: b"" });
}

/// Answers with a status, header lines and a tag of its own.
fn answer(cx: &mut Cx, transactions: &mut Transactions, server: ServerId, status: u16, headers: &[u8]) {
    let tag: Tag = cx.rng.ids.token();
    transactions.respond(cx, server, Reply { status, reason: None, to_tag: &tag, headers, body: b"" });
}

/// The same to somebody who has not shown who he is.
fn refuse(cx: &mut Cx, transactions: &mut Transactions, server: ServerId, status: u16, headers: &[u8]) {
    let tag: Tag = cx.rng.ids.token();
    transactions.refuse_stranger(cx, server, Reply { status, reason: None, to_tag: &tag, headers, body: b"" });
}

fn concat_lines(lines: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = Writer::lines();
    for (name, value) in lines {
        writer.header(name, value);
    }
    writer.as_bytes().to_vec()
}
