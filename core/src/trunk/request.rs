//! OPTIONS and REGISTER as they are written, and what is read from the answers.

use crate::cx::Cx;
use crate::dialog::{MAX_FORWARDS, Tag};
use crate::input::Flow;
use crate::sip::{COOKIE, Message, Name, NameAddr, Uri, Writer};
use crate::transaction::Branch;

/// What a request outside of dialogs begins with.
pub(super) struct Head<'a> {
    pub(super) flow: Flow,
    pub(super) method: &'a str,
    /// The Request-URI.
    pub(super) uri: &'a str,
    /// From without its tag, and To.
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) tag: Tag,
    pub(super) call_id: &'a [u8],
    pub(super) cseq: u32,
}

impl Head<'_> {
    pub(super) fn write(&self, cx: &mut Cx) -> (Writer, Branch) {
        let branch: Branch = cx.rng.ids.token();
        let listen = &cx.config.listen[usize::from(self.flow.socket.0)];
        let mut writer = Writer::request(self.method.as_bytes(), self.uri.as_bytes());
        writer
            .raw(b"Via: SIP/2.0/")
            .raw(listen.transport.via_name().as_bytes())
            .raw(b" ")
            .address(listen.advertise)
            .raw(b";branch=")
            .raw(COOKIE)
            .raw(&branch)
            .raw(b";rport\r\n")
            .header_fmt("Max-Forwards", format_args!("{MAX_FORWARDS}"))
            .header("From", [b"<", self.from.as_bytes(), b">;tag=", &self.tag].concat())
            .header("To", format!("<{}>", self.to))
            .header("Call-ID", self.call_id)
            .header_fmt("CSeq", format_args!("{} {}", self.cseq, self.method));
        (writer, branch)
    }
}

/// The seconds of a Retry-After (RFC 3261 §20.33); its comment and duration do not matter.
pub fn retry_after_s(message: &Message<'_>) -> Option<u32> {
    leading_number(message.value(Name::RetryAfter)?)
}

/// The seconds of Min-Expires in a 423 (RFC 3261 §10.3).
pub(super) fn min_expires_s(message: &Message<'_>) -> Option<u32> {
    leading_number(message.value(Name::MinExpires)?)
}

/// How long the registration of this Contact lasts (RFC 3261 §10.2.4): as its own parameter says, else Expires, else as
/// asked for. None where the answer lists contacts and ours is not among them, for then it is not registered.
pub(super) fn granted_s(message: &Message<'_>, contact: &str, asked_s: Option<u32>) -> Option<u32> {
    let ours = Uri::parse(contact.as_bytes()).expect("our own Contact is a URI");
    let mut contacts = message.list(Name::Contact).filter_map(|value| NameAddr::parse(value).ok()).peekable();
    let for_all = message.expires().ok().flatten().or(asked_s).unwrap_or(DEFAULT_EXPIRES_S);
    if contacts.peek().is_none() {
        return Some(for_all);
    }
    let is_ours = |known: &NameAddr<'_>| {
        let same = |uri: &Uri<'_>| uri.user == ours.user && uri.host == ours.host && uri.port == ours.port;
        Uri::parse(known.uri).is_ok_and(|uri| same(&uri))
    };
    let contact = contacts.find(is_ours)?;
    Some(contact.params.get("expires").and_then(leading_number).unwrap_or(for_all))
}

/// What a registrar that says nothing is taken to have given: its usual default (RFC 3261 §10.2).
const DEFAULT_EXPIRES_S: u32 = 3600;

fn leading_number(value: &[u8]) -> Option<u32> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    let digits = std::str::from_utf8(&value[..end]).ok().filter(|digits| !digits.is_empty())?;
    Some(digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Index, Scanned, scan};

    fn granted(lines: &str, asked_s: Option<u32>) -> Option<u32> {
        let text = format!("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n{lines}\r\n");
        let mut index = Index::default();
        let Ok(Scanned::Message(message)) = scan(text.as_bytes(), &mut index) else { panic!("{text}") };
        granted_s(&message, "sip:me@192.0.2.1:5060", asked_s)
    }

    #[test]
    fn the_life_of_our_own_contact_is_read() {
        let both = "Contact: <sip:me@192.0.2.9:5060>;expires=1, \"me\" <sip:me@192.0.2.1:5060;ob>;q=1;expires=70\r\n";
        for (lines, asked_s, expected) in [
            (both, None, Some(70)),
            ("Contact: <sip:me@192.0.2.1:5060>\r\nExpires: 50\r\n", Some(60), Some(50)),
            ("Contact: <sip:me@192.0.2.1:5060>\r\n", Some(60), Some(60)),
            ("Contact: <sip:you@192.0.2.1:5060>;expires=9\r\n", Some(60), None),
            ("Expires: 40\r\n", None, Some(40)),
            ("", None, Some(DEFAULT_EXPIRES_S)),
        ] {
            assert_eq!(granted(lines, asked_s), expected, "{lines}");
        }
    }

    #[test]
    fn seconds_stand_first() {
        assert_eq!(leading_number(b"120 (maintenance);duration=60"), Some(120));
        assert_eq!(leading_number(b"99999999999"), Some(u32::MAX));
        assert_eq!((leading_number(b""), leading_number(b"soon")), (None, None));
    }
}
