//! What a strict user agent minds in the messages it gets. Each function gives what is wrong, in words.

use super::call::tag_of;
use super::exchange::has_rport_filled;
use super::message::{Message, address_of, uri_of, user_of};
use super::settings::Settings;
use std::net::SocketAddr;

/// The headers without which no message is one (RFC 3261 §8.1.1), each but Via exactly once.
const ONCE: [&str; 4] = ["From", "To", "Call-ID", "CSeq"];

fn common(message: &Message) -> Vec<String> {
    let mut wrong: Vec<String> = ONCE
        .iter()
        .filter_map(|name| match message.all(name).count() {
            1 => None,
            count => Some(format!("{count} {name} headers")),
        })
        .collect();
    // the far end of a leg is the switch itself: there is one hop
    let vias = message.values("Via").count();
    if vias != 1 {
        wrong.push(format!("{vias} Via values, not one"));
    }
    if message.cseq().is_none() {
        wrong.push("CSeq is not a number and a method".to_owned());
    }
    if message.from_tag().is_none() {
        wrong.push("no tag in From".to_owned());
    }
    if !message.body.is_empty() && message.get("Content-Type").is_none() {
        wrong.push("a body without Content-Type".to_owned());
    }
    wrong
}

fn contact(message: &Message, from: SocketAddr) -> Option<String> {
    let contacts = message.list("Contact");
    match contacts[..] {
        [one] if address_of(uri_of(one)) == Some(from) => None,
        [one] => Some(format!("Contact {one} does not lead to {from}, where the message came from")),
        _ => Some(format!("{} Contact values, not one", contacts.len())),
    }
}

/// A request from the switch to the phone of these settings.
pub(super) fn request(request: &Message, from: SocketAddr, settings: &Settings) -> Vec<String> {
    let Settings { user, local, takes_any_number, .. } = settings;
    let mut wrong = common(request);
    let method = request.method().unwrap_or_default();
    if request.cseq().is_some_and(|(_, m)| m != method) {
        wrong.push("the CSeq method is not the method".to_owned());
    }
    // RFC 3261 §8.1.1.7
    if !request.branch().starts_with("z9hG4bK") {
        wrong.push(format!("branch {:?} without the magic cookie", request.branch()));
    }
    if request.get("Max-Forwards").and_then(|v| v.parse::<u8>().ok()).is_none() {
        wrong.push("no Max-Forwards".to_owned());
    }
    // a registrar calls the Contact as registered, and a peer in a dialog the Contact it was given
    let uri = request.uri().unwrap_or_default();
    // a trunk is called by its host name too
    let is_here = address_of(uri).map_or(*takes_any_number, |address| address == *local);
    if settings.behind_alg {
        // what it says is what the ALG wrote into the Contact
    } else if !is_here || !(*takes_any_number || user_of(uri) == user) {
        wrong.push(format!("Request-URI {uri} is not the Contact <sip:{user}@{local}>"));
    }
    if let ("INVITE" | "UPDATE", false) = (method, settings.behind_alg) {
        wrong.extend(contact(request, from));
    }
    let name = |w| format!("{method}: {w}");
    wrong.into_iter().map(name).collect()
}

/// A response to this request of ours.
pub(super) fn response(request: &Message, response: &Message, from: SocketAddr, settings: &Settings) -> Vec<String> {
    let mut wrong = common(response);
    let status = response.status().unwrap_or_default();
    for name in ["Call-ID", "CSeq"] {
        if request.get(name) != response.get(name) {
            wrong.push(format!("{name} is {:?}, not ours", response.get(name)));
        }
    }
    if tag_of(request.get("From")) != tag_of(response.get("From")) {
        wrong.push("the From tag is not ours".to_owned());
    }
    let sent_to = tag_of(request.get("To"));
    if !sent_to.is_empty() && sent_to != tag_of(response.get("To")) {
        wrong.push("the To tag is not the dialog's".to_owned());
    }
    // RFC 3261 §8.2.6.2
    if status > 100 && response.to_tag().is_none() {
        wrong.push("no tag in To".to_owned());
    }
    let via = response.top_via().unwrap_or_default();
    if !settings.behind_alg && response.sent_by() != request.sent_by() {
        wrong.push(format!("Via {via} is not ours"));
    }
    if !has_rport_filled(via) {
        wrong.push("rport is not filled in".to_owned());
    }
    let method = request.method().unwrap_or_default();
    if method == "INVITE" && (200..300).contains(&status) && !settings.behind_alg {
        wrong.extend(contact(response, from));
    }
    let name = |w| format!("{status} to {method}: {w}");
    wrong.into_iter().map(name).collect()
}
