//! From the printed message to the one that is sent: everything that is changed, and why.
//!
//! | what | becomes | because |
//! |---|---|---|
//! | lines of dots; a URI broken over two lines; a `>` behind a tag; an URI without scheme | left out, joined, taken away, `sip:` | the RFC shortened or broke the line for print, or misprinted it |
//! | `sips:`, `Via: SIP/2.0/TLS`, `TCP`, `WSS`, `transport=` | `sip:`, `UDP`, nothing | the switch speaks UDP here |
//! | Content-Length, and Content-Type of a body that is not printed | the true length, nothing | "Alice's SDP not shown" |
//! | the host in a REGISTER's Request-URI | the switch's domain | the RFC's registrar has a name of its own |
//! | credentials of what is not an ACK or CANCEL | computed for the switch's nonce | the printed hash is for a printed nonce |
//! | Via, From, To, Call-ID, CSeq of a response | those of the request that the switch sent | its leg is a dialog and a transaction of its own |
//! | Record-Route of a response, Route inside a dialog | nothing, unless the flow keeps its proxies | the switch stands for the RFC's proxies and inserts no route |
//! | Request-URI, From, To, Call-ID of a request inside a dialog | those of the sender's dialog with the switch | likewise |
//! | CSeq of what follows a request that was sent again, of an ACK, of a CANCEL | the next one, the INVITE's | the numbers have gone on |
//! | Via and To of an ACK for a refusal, Via of a CANCEL | those of the INVITE, and of what refused it | RFC 3261 §17.1.1.3, §9.1; the tag is the switch's |
//! | branch and CSeq of `F1+`, credentials | the next ones | the RFC's server takes at once what ours challenges first (RFC 3261 §22.2) |
//! | Via, From, To, Call-ID, CSeq, Max-Forwards, Contact that are not printed | the least that RFC 3261 §8.1.1 demands | the RFC shows only what its section is about |
//!
//! Everything else is sent as printed: From and To outside dialogs, tags of one's own, CSeq, branches, Contact, Route and
//! Max-Forwards of a first request, unknown headers and bodies.

use crate::peer::Peer;
use crate::script::Mark;
use crate::text::Text;
use crosspoint_sim::phone::message::Message;

/// What the flow says about the switch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'f> {
    /// Its domain.
    pub(crate) domain: &'f str,
    /// Whether Record-Route stays as printed.
    pub(crate) keeps_routes: bool,
}

/// The message as `peer` sends it now.
pub(crate) fn adapt(mut text: Text, peer: &mut Peer, mark: Mark, setting: Setting<'_>) -> Text {
    printable(&mut text);
    match text.method() {
        None => answer(&mut text, peer, setting),
        Some("ACK") => acknowledge(&mut text, peer),
        Some("CANCEL") => cancel(&mut text, peer),
        Some("REGISTER") => text.set_uri(&format!("sip:{}", setting.domain)),
        Some(_) if is_inside(&text, peer) => inside(&mut text, peer),
        Some(_) => {}
    }
    if text.method().is_some() {
        complete(&mut text, peer, mark, setting);
        if mark == Mark::Again {
            again(&mut text);
        }
        sign(&mut text, peer, mark, setting);
    }
    measure(&mut text);
    text
}

/// What holds for a message that is compared too.
pub(crate) fn printable(text: &mut Text) {
    repair_print(text);
    over_udp(text);
}

fn repair_print(text: &mut Text) {
    let is_dots = |line: &str| !line.is_empty() && line.chars().all(|c| c == '.' || c == ' ');
    text.edit_all(|raw| raw.split("\r\n").filter(|line| !is_dots(line)).collect::<Vec<_>>().join("\r\n"));
    text.edit("Contact", |raw| {
        let is_broken = raw.split("\r\n").next().is_some_and(|line| line.contains('<') && !line.contains('>'));
        let joined = raw.split("\r\n").map(str::trim).collect::<String>();
        let raw = if is_broken { joined } else { raw.to_owned() };
        raw.replace(";\r\n ;", "\r\n ;")
    });
    text.edit("From", |raw| match raw.rsplit_once(";tag=") {
        Some((_, tag)) if tag.ends_with('>') => raw[..raw.len() - 1].to_owned(),
        _ => raw.to_owned(),
    });
    if text.method().is_some() && text.uri().contains('@') && !text.uri().contains(':') {
        let uri = format!("sip:{}", text.uri());
        text.set_uri(&uri);
    }
}

fn over_udp(text: &mut Text) {
    text.edit_all(|raw| {
        let raw = raw.replace("sips:", "sip:");
        let raw = ["TLS", "TCP", "WSS"]
            .iter()
            .fold(raw, |raw, transport| raw.replace(&format!("SIP/2.0/{transport} "), "SIP/2.0/UDP "));
        ["tcp", "ws", "udp"].iter().fold(raw, |raw, transport| raw.replace(&format!(";transport={transport}"), ""))
    });
    // the port of the transport that is not spoken
    text.edit("Via", |raw| raw.replace(":5061", ":5060"));
}

/// A response: of the request that it answers on this peer's own leg.
fn answer(text: &mut Text, peer: &Peer, setting: Setting<'_>) {
    let request = peer.to_answer(text.cseq_method().as_deref(), text.value("Call-ID").as_deref()).clone();
    text.set_all("Via", request.all("Via"));
    let printed_tag = text.tag("To");
    for name in ["From", "To", "Call-ID", "CSeq"] {
        text.set(name, request.get(name).expect("the switch's requests have been checked"));
    }
    let is_trying = text.start.starts_with("SIP/2.0 100");
    if request.to_tag().is_none() && !is_trying {
        let nth = peer.received.iter().position(|message| *message == request);
        let tag = printed_tag.unwrap_or_else(|| format!("{}-{}", peer.name, nth.unwrap_or_default()));
        let to = format!("{};tag={tag}", request.get("To").expect("checked"));
        text.set("To", &to);
    }
    if !setting.keeps_routes {
        text.remove("Record-Route");
    }
    let makes_dialog = request.method() == Some("INVITE") && !is_trying && &*text.start < "SIP/2.0 3";
    if makes_dialog {
        text.supply("Contact", || peer.contact());
    }
}

/// Whether a request is inside a dialog: its To has a tag, or, where none is printed, the peer has a dialog.
fn is_inside(text: &Text, peer: &Peer) -> bool {
    match text.has("To") {
        true => text.tag("To").is_some(),
        false => peer.dialog(text.value("Call-ID").as_deref()).is_some() && text.uri() == "-",
    }
}

fn inside(text: &mut Text, peer: &Peer) {
    let dialog = peer.dialog(text.value("Call-ID").as_deref()).expect("it has spoken with the switch before");
    text.set_uri(&dialog.target);
    text.set("From", &dialog.local);
    // a tag of the switch's own is not printed: it names one of several early dialogs
    if !peer.received.iter().any(|message| message.to_tag().is_some() && message.to_tag() == text.tag("To").as_deref())
    {
        text.set("To", &dialog.remote);
    }
    text.set("Call-ID", &dialog.call_id);
    let method = text.method().expect("a request").to_owned();
    let printed = text.value("CSeq").and_then(|value| value.split(' ').next()?.parse().ok());
    let number = match method.as_str() {
        "ACK" => dialog.invite_cseq,
        _ => printed.unwrap_or(0).max(dialog.own_cseq + 1),
    };
    text.set("CSeq", &format!("{number} {method}"));
    text.remove("Route");
}

fn acknowledge(text: &mut Text, peer: &Peer) {
    match peer.refused_invite(text.value("Call-ID").as_deref()) {
        None => inside(text, peer),
        Some((invite, refusal)) => {
            same_transaction(text, invite, "ACK");
            text.set("To", refusal.get("To").expect("checked"));
        }
    }
}

fn cancel(text: &mut Text, peer: &Peer) {
    let invite = peer.last_sent("INVITE").expect("what is cancelled has been sent");
    same_transaction(text, invite, "CANCEL");
    text.supply("To", || invite.get("To").unwrap_or_default().to_owned());
}

/// What an ACK for a refusal and a CANCEL have in common with their INVITE.
fn same_transaction(text: &mut Text, invite: &Message, method: &str) {
    text.set("Via", invite.top_via().expect("it was sent"));
    text.set_uri(invite.uri().expect("it is a request"));
    let (number, _) = invite.cseq().expect("it was sent");
    text.set("CSeq", &format!("{number} {method}"));
    for name in ["From", "Call-ID"] {
        text.supply(name, || invite.get(name).unwrap_or_default().to_owned());
    }
}

/// What is not printed and must be there.
fn complete(text: &mut Text, peer: &mut Peer, mark: Mark, setting: Setting<'_>) {
    let method = text.method().expect("a request").to_owned();
    let n = if mark == Mark::Again { peer.counted() } else { peer.count() };
    text.supply("Via", || format!("SIP/2.0/UDP {};branch=z9hG4bK-{}-{n}", peer.address, peer.name));
    text.supply("From", || format!("<sip:{}@{}>;tag={}-{n}", peer.user, setting.domain, peer.name));
    let uri = text.uri().to_owned();
    text.supply("To", || format!("<{uri}>"));
    text.supply("Call-ID", || format!("{}-call-{n}", peer.name));
    text.supply("CSeq", || format!("{} {method}", peer.sent.len() + 1));
    text.supply("Max-Forwards", || "70".to_owned());
    if matches!(&*method, "INVITE" | "UPDATE" | "REFER" | "SUBSCRIBE" | "NOTIFY") {
        text.supply("Contact", || peer.contact());
    }
}

/// The request once more, after a challenge.
fn again(text: &mut Text) {
    text.edit("Via", |raw| raw.replacen(";branch=z9hG4bK", ";branch=z9hG4bKagain", 1));
    let cseq = text.value("CSeq").expect("completed");
    let (number, method) = cseq.split_once(' ').expect("number and method");
    let number: u32 = number.parse().expect("a number");
    text.set("CSeq", &format!("{} {method}", number + 1));
    text.supply("Authorization", String::new);
}

/// Answers the switch's challenge where the printed message answers the RFC's. Of several credentials those for the
/// switch's realm, else the first; the others stay as printed (RFC 3261 §22.3).
fn sign(text: &mut Text, peer: &mut Peer, mark: Mark, setting: Setting<'_>) {
    let method = text.method().expect("a request").to_owned();
    let Some(name) = ["Authorization", "Proxy-Authorization"].into_iter().find(|name| text.has(name)) else { return };
    if matches!(&*method, "ACK" | "CANCEL") {
        return;
    }
    let uri = text.uri().to_owned();
    let mut values = text.values(name);
    let ours = format!("realm=\"{}\"", setting.domain);
    let at = values.iter().position(|value| value.contains(&ours)).unwrap_or(0);
    match peer.credentials(&method, &uri, mark == Mark::Wrong) {
        Some(value) => values[at] = value,
        None => drop(values.remove(at)),
    }
    text.set_all(name, values.iter().map(String::as_str));
}

fn measure(text: &mut Text) {
    let length = text.body.len();
    if length == 0 {
        text.remove("Content-Type");
    }
    text.set("Content-Length", &length.to_string());
}
