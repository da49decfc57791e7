//! Typed views of header values. Each borrows; none unescapes or copies.

use super::chars::{is_token_char, number, quoted_len, split_while, trim, trim_end, trim_start};
use super::host::HostPort;
use super::method::Method;
use super::names::Name;
use super::params::Params;
use memchr::memchr;

/// Why a header's value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", header.as_str())]
pub struct ValueError {
    /// The header.
    pub header: Name,
    /// What is wrong, in words.
    pub reason: &'static str,
}

/// From, To, Contact, Route and their like: `"display" <uri>;params` or `uri;params`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'m> {
    /// The display name as written, quotes included; empty where there is none.
    pub display: &'m [u8],
    /// The URI as written, without `<>`; see [`crate::sip::Uri::parse`].
    pub uri: &'m [u8],
    /// The header's parameters, not the URI's.
    pub params: Params<'m>,
}

impl<'m> NameAddr<'m> {
    /// Reads one value. A quoted display name is passed over as one piece, so nothing in it is ever taken for the URI.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(value: &'m [u8]) -> Result<NameAddr<'m>, &'static str> {
        let value = trim(value);
        let (display, behind) = match value.first() {
            None => return Err("no address"),
            Some(b'<') => (&value[..0], value),
            Some(b'"') => {
                let (quoted, behind) = value.split_at(quoted_len(value).ok_or("a display name that does not end")?);
                (quoted, trim_start(behind))
            }
            Some(_) => {
                // An unquoted display name is tokens (§25.1); octets above 127 and other harmless ones are let pass.
                let end = value.iter().position(|byte| b"<>:;,\"@?".contains(byte)).unwrap_or(value.len());
                if value.get(end) != Some(&b'<') {
                    return NameAddr::without_brackets(value);
                }
                let (display, behind) = value.split_at(end);
                (trim_end(display), behind)
            }
        };
        let behind = behind.strip_prefix(b"<").ok_or("text between the display name and the URI")?;
        let end = memchr(b'>', behind).ok_or("a < without >")?;
        let params = trim_start(&behind[end + 1..]);
        if !matches!(params, [] | [b';', ..]) {
            return Err("text behind the >");
        }
        Ok(NameAddr { display, uri: &behind[..end], params: Params::of(params) })
    }

    /// A bare URI. It may hold no `;`, `,` or `?` (RFC 3261 §20.10), so what stands behind a `;` is the header's.
    fn without_brackets(value: &'m [u8]) -> Result<NameAddr<'m>, &'static str> {
        let (uri, params) = value.split_at(memchr(b';', value).unwrap_or(value.len()));
        if uri.iter().any(|byte| b",?<>\"".contains(byte)) {
            return Err("a URI with , or ? but without <>");
        }
        Ok(NameAddr { display: b"", uri: trim_end(uri), params: Params::of(params) })
    }

    /// The tag.
    pub fn tag(&self) -> Option<&'m [u8]> {
        self.params.get("tag")
    }
}

/// One Via value (RFC 3261 §20.42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'m> {
    /// `UDP`, `TCP`, or any other token.
    pub transport: &'m [u8],
    /// The host of sent-by, an IPv6 one in its brackets.
    pub host: &'m [u8],
    /// The port of sent-by, 1 to 65535.
    pub port: Option<u16>,
    /// Its parameters.
    pub params: Params<'m>,
}

impl<'m> Via<'m> {
    /// Reads one value, with white space wherever the grammar allows it.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(value: &'m [u8]) -> Result<Via<'m>, &'static str> {
        let behind = trim_start(value);
        let behind = match behind.strip_prefix(b"SIP/2.0/") {
            Some(behind) => behind,
            None => {
                let (name, behind) = slashed(behind)?;
                let (version, behind) = slashed(behind)?;
                if !name.eq_ignore_ascii_case(b"SIP") || version != b"2.0" {
                    return Err("a protocol that is not SIP/2.0");
                }
                behind
            }
        };
        let (transport, behind) = split_while(trim_start(behind), is_token_char);
        let sent_by = trim_start(behind);
        if transport.is_empty() || sent_by.len() == behind.len() {
            return Err("no transport, or nothing behind it");
        }
        let found = HostPort::parse(sent_by, true)?;
        let params = trim(found.rest);
        if !matches!(params, [] | [b';', ..]) {
            return Err("text behind the sent-by");
        }
        Ok(Via { transport, host: found.host, port: found.port, params: Params::of(params) })
    }

    /// The branch, cookie included.
    pub fn branch(&self) -> Option<&'m [u8]> {
        self.params.get("branch")
    }

    /// Whether the branch begins with the cookie of RFC 3261 §8.1.1.7 and goes on behind it.
    pub fn has_cookie(&self) -> bool {
        self.branch().is_some_and(|branch| branch.len() > COOKIE.len() && branch.starts_with(COOKIE))
    }

    /// The `rport` parameter (RFC 3581): empty where it only asks for one.
    pub fn rport(&self) -> Option<&'m [u8]> {
        self.params.get("rport")
    }

    /// The `received` parameter (RFC 3261 §18.2.1).
    pub fn received(&self) -> Option<&'m [u8]> {
        self.params.get("received")
    }
}

/// What the branch of every client since RFC 3261 begins with (§8.1.1.7).
pub const COOKIE: &[u8] = b"z9hG4bK";

/// A token and the slash behind it.
fn slashed(text: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let (token, behind) = split_while(trim_start(text), is_token_char);
    let behind = trim_start(behind).strip_prefix(b"/").ok_or("no protocol/version/transport")?;
    Ok((token, behind))
}

/// The CSeq header (RFC 3261 §20.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'m> {
    /// Below 2^31 (§8.1.1.5).
    pub number: u32,
    /// The method.
    pub method: Method<'m>,
}

impl<'m> CSeq<'m> {
    /// Reads the value.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(value: &'m [u8]) -> Result<CSeq<'m>, &'static str> {
        let (digits, behind) = split_while(trim(value), |byte| byte.is_ascii_digit());
        let number = number(digits, i32::MAX as u32).ok_or("no number below 2^31")?;
        let method = trim_start(behind);
        if method.len() == behind.len() || !method.iter().all(|&byte| is_token_char(byte)) {
            return Err("no method behind the number");
        }
        Ok(CSeq { number, method: Method::of(method) })
    }
}

/// The Contact headers of a message together.
#[derive(Clone, Copy, Debug)]
pub enum Contacts<'m> {
    /// There is none.
    None,
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// Addresses.
    List(ContactList<'m>),
}

/// The addresses of all Contact headers, in order.
#[derive(Clone, Copy, Debug)]
pub struct ContactList<'m> {
    pub(super) message: super::Message<'m>,
}

impl<'m> ContactList<'m> {
    /// Reads one after the other.
    pub fn iter(&self) -> impl Iterator<Item = Result<NameAddr<'m>, ValueError>> + use<'m> {
        let parse = |value| if value == b"*" { Err("* beside another") } else { NameAddr::parse(value) };
        self.message
            .list(Name::Contact)
            .map(move |value| parse(value).map_err(|reason| ValueError { header: Name::Contact, reason }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> NameAddr<'_> {
        NameAddr::parse(text.as_bytes()).unwrap_or_else(|reason| panic!("{text}: {reason}"))
    }

    #[test]
    fn a_quoted_display_name_is_never_the_uri() {
        let address = address(r#""\"<sip:evil>;tag=evil\"" <sip:good@x>;tag=good"#);
        assert_eq!(address.display, br#""\"<sip:evil>;tag=evil\"""#);
        assert_eq!(address.uri, b"sip:good@x");
        assert_eq!(address.tag(), Some(&b"good"[..]));
    }

    #[test]
    fn addresses_of_every_form_are_read() {
        let bare = address("sip:vivekg@chair.example ;   tag    = 1918181833n");
        assert_eq!((bare.display, bare.uri), (&b""[..], &b"sip:vivekg@chair.example"[..]));
        assert_eq!(bare.tag(), Some(&b"1918181833n"[..]));
        let tight = address("caller<sip:caller@example.com;lr>;tag=323");
        assert_eq!((tight.display, tight.uri), (&b"caller"[..], &b"sip:caller@example.com;lr"[..]));
        assert_eq!(tight.tag(), Some(&b"323"[..]));
        let latin = NameAddr::parse(b"J\xf6rg M. <sip:j@x>").map(|address| address.display);
        assert_eq!(latin, Ok(&b"J\xf6rg M."[..]));
        let folded = address("\"a\\\\\"\r\n\t<sip:x@y>\r\n ;\r\n tag=1");
        assert_eq!((folded.uri, folded.tag()), (&b"sip:x@y"[..], Some(&b"1"[..])));
        assert_eq!(address("<sip:x;tag=uri>").tag(), None);
    }

    #[test]
    fn broken_addresses_are_refused() {
        for text in [
            "",
            r#""Mr. J. User <sip:j.user@example.com>"#,
            "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "<sip:a@b",
            "<sip:a@b> tag=1",
            "<sip:a@b>, <sip:c@d>",
            r#""a" sip:a@b"#,
            r#""a" b <sip:a@b>"#,
            r#"a "b" <sip:a@b>"#,
            "sip:a@b <sip:c@d>",
        ] {
            assert!(NameAddr::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn via_values_of_every_form_are_read() {
        let via = Via::parse(b"SIP / 2.0\r\n / UDP   first.example.com : 4000 ; rport;branch =\r\n z9hG4bKa7c6a8d")
            .expect("good");
        assert_eq!((via.transport, via.host, via.port), (&b"UDP"[..], &b"first.example.com"[..], Some(4000)));
        assert_eq!((via.branch(), via.rport()), (Some(&b"z9hG4bKa7c6a8d"[..]), Some(&b""[..])));
        assert!(via.has_cookie());
        let via =
            Via::parse(b"SIP/2.0/UDP [2001:db8::9:1]:6050;received=[2001:db8::9:255];branch=z9hG4bK").expect("good");
        assert_eq!((via.host, via.port), (&b"[2001:db8::9:1]"[..], Some(6050)));
        assert_eq!(via.received(), Some(&b"[2001:db8::9:255]"[..]));
        assert!(!via.has_cookie());
    }

    #[test]
    fn broken_via_values_are_refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/ x",
            "SIP/3.0/UDP x",
            "XIP/2.0/UDP x",
            "SIP/2.0/UDP x y",
            "SIP/2.0/UDP x:y",
            "UDP x",
        ] {
            assert!(Via::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn cseq_is_a_number_and_a_method() {
        assert_eq!(CSeq::parse(b"0009\r\n  INVITE"), Ok(CSeq { number: 9, method: Method::Invite }));
        assert_eq!(CSeq::parse(b"2147483647 X").map(|cseq| cseq.number), Ok(2147483647));
        for text in
            ["", "1", "INVITE", "1INVITE", "-1 INVITE", "2147483648 INVITE", "36893488147419103232 REGISTER", "1 A B"]
        {
            assert!(CSeq::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
