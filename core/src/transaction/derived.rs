//! The two requests that the layer builds itself, from the INVITE it has sent: CANCEL, and the ACK of a failure.

use crate::sip::{Index, Name, Scanned, Writer, scan};
use bytes::Bytes;

/// The ACK of a response in 300..=699 with this To (RFC 3261 §17.1.1.3).
pub(super) fn ack(invite: &[u8], to: &[u8]) -> Bytes {
    derive(invite, "ACK", Some(to))
}

/// The CANCEL of this INVITE (RFC 3261 §9.1).
pub(super) fn cancel(invite: &[u8]) -> Bytes {
    derive(invite, "CANCEL", None)
}

/// Both have the INVITE's Request-URI, top Via, From, Call-ID, CSeq number and Route; only the To may differ.
fn derive(invite: &[u8], method: &str, to: Option<&[u8]>) -> Bytes {
    let mut index = Index::default();
    let Ok(Scanned::Message(invite)) = scan(invite, &mut index) else {
        panic!("the INVITE that was given to the transaction layer is no SIP message");
    };
    let number = invite.cseq().expect("the INVITE that was given to the transaction layer has a CSeq").number;
    let field = |name| invite.value(name).unwrap_or_default();

    let mut request = Writer::request(method.as_bytes(), invite.uri().unwrap_or_default());
    request.header("Via", invite.list(Name::Via).next().unwrap_or_default()).header("Max-Forwards", "70");
    for route in invite.fields(Name::Route) {
        request.header("Route", route);
    }
    request
        .header("From", field(Name::From))
        .header("To", to.unwrap_or(field(Name::To)))
        .header("Call-ID", field(Name::CallId))
        .header_fmt("CSeq", format_args!("{number} {method}"));
    request.finish(b"")
}
