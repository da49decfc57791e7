//! The sanity step: what must hold of a message before any state is touched.

use super::chars::is_lws;
use super::message::{Message, Start};
use super::method::Method;
use super::names::Name;
use super::uri::Uri;
use super::values::{COOKIE, Contacts, NameAddr};

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Defect {
    /// The status of the answer that is due; `None`: drop it, as a response, an ACK, or a request without a Via.
    pub status: Option<u16>,
    /// A stable name, such as `sip.cseq-method-mismatch`.
    pub reason: &'static str,
}

/// The names that may occur once only, as bits of [`super::scan::Index::repeated`].
const SINGLES: u128 = {
    let mut bits = 0;
    let mut at = 0;
    while at < Name::ALL.len() {
        if Name::ALL[at].is_single() {
            bits |= 1 << Name::ALL[at] as u32;
        }
        at += 1;
    }
    bits
};

/// Checks what every message must keep to, and every request of its method. Headers that nobody may ever ask for are
/// left alone (RFC 3261 §8.2.2).
///
/// # Errors
/// The first defect found, with the status that answers it.
pub fn check(message: &Message<'_>) -> Result<(), Defect> {
    find_defect(message).map_err(|(status, reason)| {
        // A response is never answered, nor is an ACK (RFC 3261 §17.1.1.3), whatever else is wrong with it.
        let is_ack =
            message.method() == Some(Method::Ack) || message.cseq().is_ok_and(|cseq| cseq.method == Method::Ack);
        let is_answered = message.status().is_none() && !is_ack && message.value(Name::Via).is_some();
        Defect { status: is_answered.then_some(status), reason }
    })
}

type Finding = Result<(), (u16, &'static str)>;

fn find_defect(message: &Message<'_>) -> Finding {
    if let Some(Defect { status, reason }) = message.fault {
        return Err((status.unwrap_or(400), reason));
    }
    singles(message)?;
    via(message)?;
    addresses(message)?;
    if message.value(Name::CallId).is_none() {
        return Err((400, "sip.call-id-missing"));
    }
    message.call_id().map_err(|_| (400, "sip.call-id"))?;
    cseq(message)?;
    message.max_forwards().map_err(|_| (400, "sip.max-forwards"))?;
    contacts(message)?;
    match message.start() {
        Start::Request { method, uri } => request(message, method, uri),
        Start::Response { .. } => Ok(()),
    }
}

/// Headers that may occur once, and are not repeated word for word.
fn singles(message: &Message<'_>) -> Finding {
    if message.index.repeated() & SINGLES == 0 {
        return Ok(());
    }
    for name in Name::ALL.iter().copied().filter(|name| name.is_single() && message.index.is_repeated(*name)) {
        let mut values = message.fields(name);
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            return Err((400, "sip.repeated-header"));
        }
    }
    Ok(())
}

/// The topmost Via; those below are others' to judge (RFC 4475 §3.1.1.10).
fn via(message: &Message<'_>) -> Finding {
    if message.value(Name::Via).is_none() {
        return Err((400, "sip.via-missing"));
    }
    let via = message.via().map_err(|_| (400, "sip.via"))?;
    if via.params.fault().is_some() {
        return Err((400, "sip.via"));
    }
    match via.branch() {
        // RFC 4475 §3.2.1: the bare cookie would be everybody's transaction.
        Some(branch) if branch.is_empty() || branch == COOKIE => Err((400, "sip.branch-empty")),
        _ => Ok(()),
    }
}

fn addresses(message: &Message<'_>) -> Finding {
    if message.value(Name::From).is_none() {
        return Err((400, "sip.from-missing"));
    }
    if message.value(Name::To).is_none() {
        return Err((400, "sip.to-missing"));
    }
    let is_sound = |address: Result<NameAddr<'_>, _>| {
        address.is_ok_and(|address| {
            let tags = address.params.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"tag")).count();
            tags <= 1 && is_sound_address(&address)
        })
    };
    if !is_sound(message.from()) {
        return Err((400, "sip.from"));
    }
    if !is_sound(message.to()) {
        return Err((400, "sip.to"));
    }
    Ok(())
}

fn is_sound_address(address: &NameAddr<'_>) -> bool {
    address.params.fault().is_none() && Uri::parse(address.uri).is_ok()
}

fn cseq(message: &Message<'_>) -> Finding {
    if message.value(Name::CSeq).is_none() {
        return Err((400, "sip.cseq-missing"));
    }
    let cseq = message.cseq().map_err(|_| (400, "sip.cseq"))?;
    match message.method() {
        Some(method) if method != cseq.method => Err((400, "sip.cseq-method-mismatch")),
        _ => Ok(()),
    }
}

fn contacts(message: &Message<'_>) -> Finding {
    // Nobody follows the Contact of a refusal other than a redirection, so there it does no harm.
    if message.value(Name::Contact).is_none() || message.status().is_some_and(|status| status >= 400) {
        return Ok(());
    }
    let is_sound = match message.contacts() {
        Err(_) => false,
        Ok(Contacts::None) => false,
        // RFC 3261 §10.2.2: only a REGISTER may mean all.
        Ok(Contacts::Star) => message.method() == Some(Method::Register),
        Ok(Contacts::List(list)) => {
            let mut addresses = list.iter().map(|address| address.is_ok_and(|address| is_sound_address(&address)));
            addresses.next() == Some(true) && addresses.all(|is_sound| is_sound)
        }
    };
    if is_sound { Ok(()) } else { Err((400, "sip.contact")) }
}

fn request(message: &Message<'_>, method: Method<'_>, uri: &[u8]) -> Finding {
    if uri.iter().any(|&byte| is_lws(byte)) {
        return Err((400, "sip.request-uri-blank"));
    }
    let parsed = Uri::parse(uri).map_err(|_| (400, "sip.request-uri"))?;
    // RFC 3261 §19.1.1 table 1: headers are not allowed in a Request-URI, and honouring one smuggles (RFC 4475 §3.1.2.11).
    if !parsed.headers.is_empty() {
        return Err((400, "sip.request-uri-headers"));
    }
    let missing = |name| message.value(name).is_none();
    match method {
        // RFC 3515 §2.4.2.
        Method::Refer if missing(Name::ReferTo) => Err((400, "sip.refer-to-missing")),
        // RFC 3262 §7.2.
        Method::Prack if missing(Name::RAck) => Err((400, "sip.rack-missing")),
        // RFC 6665 §8.2.1 makes it mandatory; RFC 3903 §6 names the status.
        Method::Subscribe | Method::Notify | Method::Publish if missing(Name::Event) => Err((489, "sip.event-missing")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Index, Scanned, scan};

    const GOOD: &str = "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
                        From: <sip:a@h>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: 1@h\r\nCSeq: 1 INVITE\r\n\
                        Max-Forwards: 70\r\nContact: <sip:a@h>\r\nContent-Length: 0\r\n\r\n";

    fn checked(text: &str) -> Result<(), Defect> {
        let mut index = Index::default();
        match scan(text.as_bytes(), &mut index) {
            Ok(Scanned::Message(message)) => check(&message),
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    /// The verdict on the good message with one piece of it replaced.
    fn with(from: &str, to: &str) -> Option<(Option<u16>, &'static str)> {
        assert!(GOOD.contains(from), "{from:?} is in the good message");
        checked(&GOOD.replacen(from, to, 1)).err().map(|defect| (defect.status, defect.reason))
    }

    #[test]
    fn a_sound_message_passes() {
        assert_eq!(checked(GOOD), Ok(()));
        for (from, to) in [
            ("Max-Forwards: 70\r\n", ""),
            (";branch=z9hG4bK1", ""),
            (";tag=1", ""),
            ("Contact: <sip:a@h>\r\n", ""),
            ("70", "255"),
            ("sip:bob@example.com SIP", "x-unknown:whatever SIP"),
            ("Call-ID: 1@h", "Call-ID: 1@h\r\ni: 1@h"),
            ("SIP/2.0\r\n", "sip/2.0\r\n"),
        ] {
            assert_eq!(with(from, to), None, "{to:?} for {from:?}");
        }
    }

    #[test]
    fn each_defect_has_its_status_and_name() {
        for (from, to, status, reason) in [
            ("SIP/2.0\r\n", "SIP/7.0\r\n", 505, "sip.version"),
            ("CSeq: 1 INVITE", "CSeq: 1 OPTIONS", 400, "sip.cseq-method-mismatch"),
            ("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE", 400, "sip.cseq"),
            ("CSeq: 1 INVITE\r\n", "", 400, "sip.cseq-missing"),
            ("Call-ID: 1@h\r\n", "", 400, "sip.call-id-missing"),
            ("Call-ID: 1@h", "Call-ID: 1 h", 400, "sip.call-id"),
            ("From: <sip:a@h>;tag=1\r\n", "", 400, "sip.from-missing"),
            ("To: <sip:bob@example.com>\r\n", "", 400, "sip.to-missing"),
            ("To: <", "To: \"x <", 400, "sip.to"),
            (";tag=1", ";tag=1;tag=2", 400, "sip.from"),
            (";tag=1", ";;tag=1", 400, "sip.from"),
            ("To: <sip:bob", "To: < sip:bob", 400, "sip.to"),
            ("z9hG4bK1", "z9hG4bK", 400, "sip.branch-empty"),
            ("z9hG4bK1", "", 400, "sip.branch-empty"),
            ("UDP h;", "UDP h;;", 400, "sip.via"),
            ("UDP h;", "UDP;", 400, "sip.via"),
            ("70", "256", 400, "sip.max-forwards"),
            ("70", "-1", 400, "sip.max-forwards"),
            ("Contact: <sip:a@h>", "Contact: <sip:a@h>;;", 400, "sip.contact"),
            ("Contact: <sip:a@h>", "Contact: sip:a@h?x=y", 400, "sip.contact"),
            ("Contact: <sip:a@h>", "Contact: *", 400, "sip.contact"),
            ("Contact: <sip:a@h>", "Contact: ", 400, "sip.contact"),
            ("Contact: <sip:a@h>", "Contact: *, <sip:a@h>", 400, "sip.contact"),
            ("Contact: <sip:a@h>", "Contact: <sip:a@h>, *", 400, "sip.contact"),
            ("sip:bob@example.com SIP", "<sip:bob@example.com> SIP", 400, "sip.request-uri"),
            ("sip:bob@example.com SIP", "sip:bob@example.com; lr SIP", 400, "sip.request-uri-blank"),
            ("sip:bob@example.com SIP", " sip:bob@example.com  SIP", 400, "sip.request-uri-blank"),
            ("sip:bob@example.com SIP", "sip:b@h?Route=x SIP", 400, "sip.request-uri-headers"),
            ("Call-ID: 1@h", "Call-ID: 1@h\r\ni: 2@h", 400, "sip.repeated-header"),
            ("Content-Length: 0", "Content-Length: 1", 400, "sip.content-length-too-long"),
            ("\r\n\r\n", "\r\n", 400, "sip.no-empty-line"),
        ] {
            assert_eq!(with(from, to), Some((Some(status), reason)), "{to:?} for {from:?}");
        }
    }

    #[test]
    fn methods_have_their_mandatory_headers() {
        for (method, status, reason) in [
            ("REFER", 400, "sip.refer-to-missing"),
            ("PRACK", 400, "sip.rack-missing"),
            ("SUBSCRIBE", 489, "sip.event-missing"),
            ("NOTIFY", 489, "sip.event-missing"),
            ("PUBLISH", 489, "sip.event-missing"),
        ] {
            let text = GOOD.replace("INVITE", method);
            assert_eq!(checked(&text), Err(Defect { status: Some(status), reason }), "{method}");
            let all = "r: <sip:c@d>\r\nRAck: 1 1 INVITE\r\no: presence\r\n\r\n";
            assert_eq!(checked(&text.replace("\r\n\r\n", &format!("\r\n{all}"))), Ok(()), "{method}");
        }
        assert_eq!(checked(&GOOD.replace("INVITE", "REGISTER").replace("Contact: <sip:a@h>", "Contact: *")), Ok(()));
    }

    #[test]
    fn nobody_answers_a_response_an_ack_or_what_has_no_via() {
        let response = GOOD.replace("INVITE sip:bob@example.com SIP/2.0", "SIP/2.0 200 OK");
        assert_eq!(checked(&response), Ok(()));
        let dropped = |text: &str| checked(text).map_err(|defect| (defect.status, defect.reason));
        assert_eq!(dropped(&response.replace("CSeq: 1", "CSeq: x")), Err((None, "sip.cseq")));
        assert_eq!(dropped(&response.replace("200", "20")), Err((None, "sip.status-code")));
        assert_eq!(dropped(&response.replace("Contact: <", "Contact: ")), Err((None, "sip.contact")));
        assert_eq!(dropped(&response.replace("Contact: <", "Contact: ").replace("200", "404")), Ok(()));
        let ack = GOOD.replace("INVITE", "ACK");
        assert_eq!(dropped(&ack.replace("70", "x")), Err((None, "sip.max-forwards")));
        assert_eq!(dropped(&ack.replacen("ACK", "\x01", 1)), Err((None, "sip.start-line")));
        assert_eq!(dropped(&GOOD.replace("Via", "Vix")), Err((None, "sip.via-missing")));
    }
}
