//! What must hold for every message that leaves the switch, whatever the flow. It is judged from what the peers have
//! sent and received alone, by the simulator's reader of SIP and the page `docs/headers.md`: nothing of the core is
//! asked.

use crate::peer::Peer;
use crate::stage::leads_to;
use crosspoint_sim::phone::message::{Message, address_of, param, uri_of};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

/// Header names of `docs/headers.md`, by what becomes of them.
pub(crate) struct Page {
    /// In a section `Passed byte for byte`.
    passed: BTreeSet<String>,
    /// In a section `Left out`.
    left_out: BTreeSet<String>,
    /// In any other section.
    own: BTreeSet<String>,
}

impl Page {
    /// Reads the page.
    pub(crate) fn read() -> Page {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/headers.md");
        let text = std::fs::read_to_string(path).expect("docs/headers.md is there");
        let mut page = Page { passed: BTreeSet::new(), left_out: BTreeSet::new(), own: BTreeSet::new() };
        for section in text.split("\n## ").skip(1) {
            let (title, rest) = section.split_once('\n').expect("a section has a table");
            let rows = rest.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
            let names = rows.flat_map(|names| names.split(',')).map(|name| name.trim().to_ascii_lowercase());
            match title {
                "Passed byte for byte" => page.passed.extend(names),
                "Left out" => page.left_out.extend(names),
                title if title.starts_with("Options") => {}
                _ => page.own.extend(names),
            }
        }
        assert!(page.passed.contains("subject") && page.left_out.contains("path") && page.own.contains("via"));
        page
    }

    /// Whether a header passes as it is: listed so, or not known to the switch at all.
    fn passes(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.passed.contains(&name) || !(self.left_out.contains(&name) || self.own.contains(&name))
    }

    fn is_left_out(&self, name: &str) -> bool {
        self.left_out.contains(&name.to_ascii_lowercase())
    }
}

/// A message on its way out, and what is known when it leaves.
pub(crate) struct Leaving<'a> {
    /// The message.
    pub(crate) message: &'a Message,
    /// To whom.
    pub(crate) to: &'a Peer,
    /// The others.
    pub(crate) others: &'a [&'a Peer],
    /// What the switch has been sent just now, and whether by `to` itself.
    pub(crate) cause: Option<(&'a Message, bool)>,
    /// The switch's socket.
    pub(crate) switch: SocketAddr,
    /// The domain, which is no secret.
    pub(crate) domain: &'a str,
}

/// What is wrong with a message that leaves, in words.
pub(crate) fn wrongs(page: &Page, leaving: &Leaving<'_>) -> Vec<String> {
    let mut wrong = shape(leaving.message);
    wrong.extend(match leaving.message.method() {
        Some(method) => request(leaving, method),
        None => response(leaving),
    });
    wrong.extend(contact(leaving));
    wrong.extend(topology(page, leaving));
    wrong.extend(body(leaving));
    if let Some(carried) = carried(leaving) {
        wrong.extend(carried_on(page, leaving, carried));
    }
    wrong
}

/// The other side's message that this one carries on.
fn carried<'a>(leaving: &Leaving<'a>) -> Option<&'a Message> {
    let (cause, by_hearer) = leaving.cause?;
    let (out, same_cseq) = (leaving.message, cause.cseq()?.1 == leaving.message.cseq()?.1);
    let is_same = match (cause.method(), out.method()) {
        (Some(came), Some(goes)) => came == goes,
        (None, None) => same_cseq && cause.status() == out.status(),
        _ => false,
    };
    (is_same && !by_hearer).then_some(cause)
}

/// RFC 3261 §8.1.1: what no message is one without.
fn shape(out: &Message) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in ["From", "To", "Call-ID", "CSeq"] {
        if out.all(name).count() != 1 {
            wrong.push(format!("{} headers {name}", out.all(name).count()));
        }
    }
    if out.from_tag().is_none_or(str::is_empty) {
        wrong.push("no tag in From".to_owned());
    }
    if out.body.is_empty() != out.get("Content-Type").is_none() {
        wrong.push("Content-Type and a body do not go without each other".to_owned());
    }
    if out.all("Content-Length").count() != 1 {
        wrong.push("not one Content-Length".to_owned());
    }
    wrong
}

fn request(leaving: &Leaving<'_>, method: &str) -> Vec<String> {
    let (out, to) = (leaving.message, leaving.to);
    let mut wrong = Vec::new();
    let vias = out.list("Via");
    let sent_by = format!("SIP/2.0/UDP {};", leaving.switch);
    if !(vias.len() == 1 && vias[0].starts_with(&sent_by) && out.branch().starts_with("z9hG4bK")) {
        wrong.push(format!("not one Via of the switch but {vias:?}"));
    }
    if out.cseq().is_none_or(|(_, named)| named != method) {
        wrong.push("CSeq names another method".to_owned());
    }
    let hops = out.get("Max-Forwards").and_then(|hops| hops.parse::<u8>().ok());
    if hops.is_none_or(|hops| hops > 70) {
        wrong.push(format!("Max-Forwards {:?}", out.get("Max-Forwards")));
    }
    match method {
        "CANCEL" => wrong.extend(same_as_invite(leaving, out.get("To"))),
        "ACK" if is_refused(leaving) => wrong.extend(same_as_invite(leaving, refusal_to(leaving))),
        _ if out.to_tag().is_some() => wrong.extend(in_dialog(leaving, method)),
        _ => wrong.extend(new_identifiers(leaving)),
    }
    // RFC 3891: the dialog to replace is one that the hearer has
    for replaces in out.all("Replaces") {
        if !to.dialogs().iter().any(|dialog| replaces.starts_with(&dialog.replaced_here())) {
            wrong.push(format!("Replaces {replaces}, which is no dialog of {}", to.name));
        }
    }
    // RFC 3262 §7.2: a PRACK names the answer that it is for
    let named = |m: &Message| Some(format!("{} {}", m.get("RSeq")?, m.get("CSeq")?));
    if method == "PRACK" && !to.sent.iter().filter_map(named).any(|named| Some(&*named) == out.get("RAck")) {
        wrong.push(format!("RAck {:?} names no answer of {}", out.get("RAck"), to.name));
    }
    let known: BTreeSet<&str> = to.sent.iter().flat_map(routes_of).collect();
    for route in out.list("Route").into_iter().filter(|route| !known.contains(uri_of(route))) {
        wrong.push(format!("Route {route}, which this side never named"));
    }
    wrong
}

/// URIs that a peer named as routes to itself; a strict router's place is taken by the Contact (RFC 3261 §12.2.1.1).
fn routes_of(message: &Message) -> impl Iterator<Item = &str> {
    ["Record-Route", "Path", "Contact"].into_iter().flat_map(|name| message.list(name)).map(uri_of)
}

fn last_invite<'a>(leaving: &Leaving<'a>) -> Option<&'a Message> {
    let out = leaving.message;
    let is_it = |m: &&Message| m.method() == Some("INVITE") && m.branch() == out.branch();
    leaving.to.received.iter().rev().find(is_it)
}

/// Whether the ACK is for a refusal: then it has the INVITE's branch, or should have (RFC 3261 §17.1.1.3).
fn is_refused(leaving: &Leaving<'_>) -> bool {
    refusal_to(leaving).is_some()
}

/// To of the last answer that the hearer gave to the INVITE of this CSeq number, where it was a refusal.
fn refusal_to<'a>(leaving: &Leaving<'a>) -> Option<&'a str> {
    let out = leaving.message;
    let number = out.cseq()?.0;
    let is_answer =
        |m: &&Message| m.status() >= Some(200) && m.cseq() == Some((number, "INVITE")) && m.call_id() == out.call_id();
    let answer = leaving.to.sent.iter().rev().find(is_answer)?;
    (answer.status() >= Some(300)).then(|| answer.get("To"))?
}

/// A CANCEL, or the ACK for a refusal: hop by hop, in the INVITE's transaction (RFC 3261 §9.1, §17.1.1.3).
fn same_as_invite(leaving: &Leaving<'_>, to: Option<&str>) -> Vec<String> {
    let out = leaving.message;
    let Some(invite) = last_invite(leaving) else {
        return vec!["not in the transaction of any INVITE that was sent there".to_owned()];
    };
    let mut wrong = Vec::new();
    for name in ["From", "Call-ID", "Via"] {
        if out.get(name) != invite.get(name) {
            wrong.push(format!("{name} is not the INVITE's {:?}", invite.get(name)));
        }
    }
    if out.method() == Some("CANCEL") && out.get("To") != invite.get("To") {
        wrong.push("To is not the INVITE's".to_owned());
    }
    if out.get("To") != to {
        wrong.push(format!("To is not the refusal's {to:?}"));
    }
    if out.uri() != invite.uri() || out.list("Route") != invite.list("Route") {
        wrong.push("Request-URI or Route is not the INVITE's".to_owned());
    }
    if out.cseq().map(|(number, _)| number) != invite.cseq().map(|(number, _)| number) {
        wrong.push("CSeq number is not the INVITE's".to_owned());
    }
    wrong
}

/// A request inside the dialog with this side: both tags, Call-ID and target are the dialog's, CSeq goes up.
fn in_dialog(leaving: &Leaving<'_>, method: &str) -> Vec<String> {
    let (out, to) = (leaving.message, leaving.to);
    let Some(dialog) = to.of_call(out.call_id()) else {
        return vec![format!("in no dialog that {} knows", to.name)];
    };
    let mut wrong = Vec::new();
    let same = |a: &str, b: &str| uri_of(a) == uri_of(b) && param(a, "tag") == param(b, "tag");
    for (name, expected) in [("From", &dialog.remote), ("To", &dialog.local)] {
        let value = out.get(name).unwrap_or_default();
        if !same(value, expected) {
            wrong.push(format!("{name} is {value}, the dialog says {expected}"));
        }
    }
    let number = out.cseq().map_or(0, |(number, _)| number);
    let of_leg = || to.received.iter().filter(|m| m.method().is_some() && m.call_id() == out.call_id());
    if method == "ACK" {
        let invites = || of_leg().filter(|m| m.method() == Some("INVITE"));
        if !invites().any(|invite| invite.cseq() == Some((number, "INVITE"))) {
            wrong.push("an ACK whose CSeq number is no INVITE's".to_owned());
        }
        if invites().any(|invite| invite.branch() == out.branch()) {
            wrong.push("the ACK for a 2xx is a transaction of its own".to_owned());
        }
    } else if of_leg().filter_map(Message::cseq).any(|(earlier, named)| named != "ACK" && earlier >= number) {
        wrong.push(format!("CSeq {number} does not go up"));
    }
    wrong
}

/// A request outside any dialog: Call-ID and tag are nobody else's.
fn new_identifiers(leaving: &Leaving<'_>) -> Vec<String> {
    let out = leaving.message;
    let is_known = |m: &&Message| m.call_id() == out.call_id() || m.from_tag() == out.from_tag();
    let everybody = leaving.others.iter().copied().chain([leaving.to]);
    // the switch asks again in the same call: after a challenge, say (RFC 3261 §22.2)
    let mut elsewhere = everybody.clone().flat_map(|peer| peer.sent.iter()).filter(|m| m.method().is_some());
    if elsewhere.any(|m| is_known(&m)) {
        return vec!["Call-ID or From tag is that of somebody's own request".to_owned()];
    }
    let mut others = leaving.others.iter().flat_map(|peer| peer.received.iter());
    match others.any(|m| m.call_id() == out.call_id()) {
        true => vec!["Call-ID is that of another leg".to_owned()],
        false => Vec::new(),
    }
}

/// A response: of a request that came from there, with its headers, and a tag of ours.
fn response(leaving: &Leaving<'_>) -> Vec<String> {
    let (out, to) = (leaving.message, leaving.to);
    let method = out.cseq().map_or("", |(_, method)| method);
    let is_asked = |m: &&Message| m.method() == Some(method) && m.branch() == out.branch();
    let Some(asked) = to.sent.iter().rev().find(is_asked) else {
        return vec!["answers nothing that came from there".to_owned()];
    };
    let mut wrong = Vec::new();
    for name in ["From", "Call-ID", "CSeq"] {
        if out.get(name) != asked.get(name) {
            wrong.push(format!("{name} is not the request's {:?}", asked.get(name)));
        }
    }
    let (vias, came) = (out.list("Via"), asked.list("Via"));
    if vias.len() != came.len() || vias[1..] != came[1..] || !is_via_of(vias[0], came[0], to.address) {
        wrong.push(format!("Via {vias:?} is not the request's {came:?}"));
    }
    // RFC 3261 §12.1.1: the peer learns its route set from the answer that makes the dialog
    let makes_dialog = method == "INVITE" && out.status().is_some_and(|status| (101..300).contains(&status));
    if out.list("Record-Route") != if makes_dialog { asked.list("Record-Route") } else { Vec::new() } {
        wrong.push(format!("Record-Route {:?} for {:?}", out.list("Record-Route"), asked.list("Record-Route")));
    }
    // RFC 3262 §3: reliable answers of a dialog are numbered without a gap
    let rseq = |m: &Message| m.get("RSeq").and_then(|rseq| rseq.parse::<u32>().ok());
    let of_dialog = |m: &&Message| m.call_id() == out.call_id() && m.to_tag() == out.to_tag() && m.cseq() == out.cseq();
    let earlier = to.received.iter().filter(of_dialog).filter_map(rseq).max();
    if rseq(out).is_some_and(|rseq| earlier.is_some_and(|earlier| rseq != earlier + 1)) {
        wrong.push(format!("RSeq {:?} after {earlier:?}", rseq(out)));
    }
    match (out.status(), asked.to_tag(), out.to_tag()) {
        (Some(100), None, _) => {}
        (_, Some(asked), Some(tag)) if asked == tag => {}
        (_, Some(asked), tag) => wrong.push(format!("To tag {tag:?} for {asked:?}")),
        (_, None, None) => wrong.push("no To tag".to_owned()),
        (_, None, Some(_)) => {}
    }
    wrong
}

/// Whether the top Via is the request's with `received` and `rport` as RFC 3261 §18.2.1 and RFC 3581 §4 have it.
fn is_via_of(via: &str, came: &str, source: SocketAddr) -> bool {
    let plain = |via: &str| -> Vec<String> {
        let parts = via.split(';').map(|part| part.trim().to_owned());
        parts.filter(|part| !part.starts_with("received") && !part.starts_with("rport")).collect()
    };
    let host = came.split([' ', ';']).nth(1).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let (ip, port) = (source.ip().to_string(), source.port().to_string());
    let received = param(via, "received").map(str::to_owned);
    let is_received = received == Some(ip.clone()) || (received.is_none() && host == ip);
    let is_rport = param(came, "rport").is_none() || param(via, "rport") == Some(&port);
    plain(via) == plain(came) && is_received && is_rport
}

/// Contact is the switch's own, and is there where a dialog or its target is made (RFC 3261 §8.1.1.8, table 2).
fn contact(leaving: &Leaving<'_>) -> Vec<String> {
    let out = leaving.message;
    let method = out.cseq().map_or("", |(_, method)| method);
    let contacts = out.list("Contact");
    let of_dialog = matches!(method, "INVITE" | "UPDATE" | "SUBSCRIBE" | "REFER" | "NOTIFY");
    let is_due = match out.status() {
        None => of_dialog,
        Some(status) => matches!(method, "INVITE" | "UPDATE" | "SUBSCRIBE") && (200..300).contains(&status),
    };
    let is_ours = |contact: &&str| address_of(uri_of(contact)) == Some(leaving.switch);
    match (out.status(), &contacts[..]) {
        (_, []) if is_due => vec!["no Contact".to_owned()],
        // a list of bindings, of other places
        (Some(_), _) if method == "REGISTER" || out.status().is_some_and(|status| status >= 300) => Vec::new(),
        (_, []) => Vec::new(),
        (_, [one]) if is_ours(one) => Vec::new(),
        (_, other) => vec![format!("Contact {other:?} does not lead to the switch")],
    }
}

/// Nothing of the other side's places and identifiers, but in what passes by design.
fn topology(page: &Page, leaving: &Leaving<'_>) -> Vec<String> {
    let out = leaving.message;
    let mut wrong = Vec::new();
    // the phones of one user are told of each other in the list of bindings
    for other in leaving.others.iter().filter(|other| other.user != leaving.to.user) {
        let mut tags: BTreeSet<&str> = other.sent.iter().filter_map(own_tag).collect();
        for tag in leaving.to.sent.iter().filter_map(own_tag) {
            tags.remove(tag);
        }
        for (name, tag) in [("From", out.from_tag()), ("To", out.to_tag())] {
            if tag.is_some_and(|tag| tags.contains(tag)) {
                wrong.push(format!("{name} has a tag of {}", other.name));
            }
        }
        let secrets = places(other, leaving.to, leaving.domain);
        // Refer-To comes back to the switch in what the referred one sends
        for (name, value) in out.headers.iter().filter(|(name, _)| !page.passes(name) && name != "Refer-To") {
            for secret in secrets.iter().filter(|secret| contains(value, secret)) {
                wrong.push(format!("{name}: {value} tells {secret} of {}", other.name));
            }
        }
    }
    wrong
}

/// The tag that the sender of a message put on its own side.
fn own_tag(message: &Message) -> Option<&str> {
    match message.method() {
        Some(_) => message.from_tag(),
        None => message.to_tag(),
    }
}

/// Hosts, addresses and Call-IDs of a peer's leg that it does not share with `hearer`, and that are no secret anyway.
fn places(peer: &Peer, hearer: &Peer, domain: &str) -> BTreeSet<String> {
    let of = |peer: &Peer| {
        let mut found = BTreeSet::from([peer.address.ip().to_string()]);
        for message in &peer.sent {
            found.insert(message.call_id().to_owned());
            for name in ["Contact", "Record-Route", "Route", "Path"] {
                found.extend(message.list(name).into_iter().filter_map(|value| host(uri_of(value))));
            }
            if message.method().is_some() {
                let sent_by = |via: &str| Some(via.split_whitespace().nth(1)?.split([';', ':']).next()?.to_owned());
                found.extend(message.list("Via").into_iter().filter_map(sent_by));
            }
        }
        found
    };
    let mut shared = of(hearer);
    // whom it calls it has named itself
    let named = |message: &Message| message.uri().and_then(host);
    shared.extend(hearer.sent.iter().filter_map(named));
    let is_secret = |place: &String| place.len() > 3 && !place.eq_ignore_ascii_case(domain) && !shared.contains(place);
    of(peer).into_iter().filter(is_secret).collect()
}

fn host(uri: &str) -> Option<String> {
    let rest = uri.split_once(':')?.1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    Some(rest.split([':', ';', '?', '>']).next()?.to_owned())
}

/// Whether a place stands in a value, not as a part of a longer name or number.
fn contains(value: &str, place: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    value
        .match_indices(place)
        .any(|(at, _)| !joins(value[..at].chars().next_back()) && !joins(value[at + place.len()..].chars().next()))
}

/// A body is that of another side's message, a session description's origin made our own.
fn body(leaving: &Leaving<'_>) -> Vec<String> {
    let out = leaving.message;
    if out.body.is_empty() {
        return Vec::new();
    }
    let bodies = leaving.others.iter().flat_map(|other| &other.sent).filter(|m| !m.body.is_empty());
    let kind = out.get("Content-Type");
    // one that leads to the switch is the relay's, or its own
    let is_relay = leads_to(&out.body, &leaving.switch.to_string());
    if !is_relay && !bodies.clone().any(|m| m.get("Content-Type") == kind && same_body(&m.body, &out.body)) {
        let sent: Vec<&str> = bodies.map(|m| m.body.as_str()).collect();
        return vec![format!("a body that nobody sent:\n{}\nsent were:\n{}", out.body, sent.join("\n"))];
    }
    let origin = out.body.lines().find(|line| line.starts_with("o="));
    let expected = format!(" IN IP4 {}", leaving.switch.ip());
    match origin.filter(|_| kind == Some("application/sdp")) {
        Some(origin) if !(origin.starts_with("o=- ") && origin.ends_with(&expected)) => {
            vec![format!("{origin} is not the switch's origin")]
        }
        _ => Vec::new(),
    }
}

/// Whether two bodies are the same but for `o=`.
pub(crate) fn same_body(a: &str, b: &str) -> bool {
    let plain = |body: &str| -> Vec<String> {
        let lines = body.split_inclusive('\n');
        lines.map(|line| if line.starts_with("o=") { "o=".to_owned() } else { line.to_owned() }).collect()
    };
    plain(a) == plain(b)
}

/// What holds between a message and the one that it carries on.
fn carried_on(page: &Page, leaving: &Leaving<'_>, came: &Message) -> Vec<String> {
    let out = leaving.message;
    let mut wrong = Vec::new();
    for (name, value) in &came.headers {
        let goes = out.headers.iter().any(|(n, v)| n == name && v == value);
        // a BYE, and a CANCEL, is the switch's own
        if page.passes(name) && !goes && !matches!(out.method(), Some("BYE" | "CANCEL" | "ACK")) {
            wrong.push(format!("{name}: {value} does not pass"));
        }
        if page.is_left_out(name) && goes {
            wrong.push(format!("{name}: {value} is not left out"));
        }
    }
    let hops = |message: &Message| message.get("Max-Forwards").and_then(|hops| hops.parse::<i32>().ok());
    match out.method() {
        // the switch's own (RFC 3261 §8.1.1.6)
        Some("ACK" | "BYE" | "CANCEL") | None => {}
        Some(_) if hops(out) == hops(came).map(|hops| hops - 1) => {}
        Some(_) => wrong.push(format!("Max-Forwards {:?} after {:?}", hops(out), hops(came))),
    }
    if out.method().is_none() && out.start != came.start {
        wrong.push(format!("{:?} is shown as {:?}", came.start, out.start));
    }
    wrong
}
