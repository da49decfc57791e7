//! URIs: `sip:`, `sips:`, `tel:`, and whatever else stands where a URI may stand.

use super::chars::{is_banned_in_uri, is_in_uri_params, is_in_user, split_while};
use super::host::{HostPort, host_ip, same_host};
use super::params::Params;
use memchr::memchr;
use std::borrow::Cow;
use std::net::IpAddr;

/// A URI's scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme<'m> {
    /// RFC 3261 §19.1.
    Sip,
    /// RFC 3261 §19.1, over TLS all the way.
    Sips,
    /// RFC 3966: a telephone number.
    Tel,
    /// Any other, as written.
    Other(&'m [u8]),
}

/// A URI taken apart. Nothing is unescaped: what is cut out of a part stays inside that part (RFC 4475 §3.1.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'m> {
    /// The scheme.
    pub scheme: Scheme<'m>,
    /// The user part as written, which may hold `;` and `?`; of a `tel:` URI the number. `None` where it is empty.
    pub user: Option<&'m [u8]>,
    /// What stands between a `:` in the user information and the `@`.
    pub password: Option<&'m [u8]>,
    /// Host name or address, an IPv6 one in its brackets; empty unless the scheme is `sip` or `sips`.
    pub host: &'m [u8],
    /// 1 to 65535, where given.
    pub port: Option<u16>,
    /// The URI's own parameters.
    pub params: Params<'m>,
    /// What stands behind the `?`.
    pub headers: &'m [u8],
    /// All behind the scheme's colon, as written.
    pub opaque: &'m [u8],
}

const BANNED: &str = "white space, a control, a quote or <> inside a URI";

/// Parameters that must be in both URIs or in neither (RFC 3261 §19.1.4: the first four by rule, `transport` by example).
const DECISIVE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

impl<'m> Uri<'m> {
    /// Takes a URI apart. The text is the URI alone: no `<>`, no white space.
    ///
    /// # Errors
    /// Says what is wrong. An unknown scheme is not wrong, nor are octets above 127, which the grammar wants escaped.
    pub fn parse(text: &'m [u8]) -> Result<Uri<'m>, &'static str> {
        let (scheme, opaque) = split_scheme(text)?;
        if opaque.is_empty() {
            return Err("a URI of a scheme only");
        }
        match scheme {
            Scheme::Sip | Scheme::Sips => Uri::with_address(scheme, opaque),
            _ if opaque.iter().any(|&byte| is_banned_in_uri(byte)) => Err(BANNED),
            Scheme::Tel => Uri::with_number(opaque),
            Scheme::Other(_) => Ok(Uri { scheme, opaque, ..Uri::EMPTY }),
        }
    }

    const EMPTY: Uri<'static> = Uri {
        scheme: Scheme::Sip,
        user: None,
        password: None,
        host: b"",
        port: None,
        params: Params::NONE,
        headers: b"",
        opaque: b"",
    };

    /// The parts of a SIP URI. The first `@` ends the user information: a second one can only be a fault, or stand
    /// unescaped behind the address.
    fn with_address(scheme: Scheme<'m>, opaque: &'m [u8]) -> Result<Uri<'m>, &'static str> {
        let (text, mut behind) = split_while(opaque, is_in_user);
        let (mut user, mut password, mut address) = (None, None, opaque);
        if let [b':', text @ ..] = behind {
            let length = text.iter().position(|&byte| byte == b'@' || is_banned_in_uri(byte)).unwrap_or(text.len());
            let (text, rest) = text.split_at(length);
            (password, behind) = (Some(text), rest);
        }
        if let [b'@', behind @ ..] = behind {
            address = behind;
            user = Some(text).filter(|user| !user.is_empty());
        } else {
            password = None;
        }
        let HostPort { host, port, rest } = HostPort::parse(address, false)?;
        let (params, headers) = split_while(rest, is_in_uri_params);
        if !matches!(params, [] | [b';', ..]) {
            return Err("text behind a URI's host and port");
        }
        let headers = match headers {
            [] => headers,
            [b'?', headers @ ..] if !headers.iter().any(|&byte| is_banned_in_uri(byte)) => headers,
            _ => return Err(BANNED),
        };
        Ok(Uri { scheme, user, password, host, port, params: Params::of(params), headers, opaque })
    }

    fn with_number(opaque: &'m [u8]) -> Result<Uri<'m>, &'static str> {
        let (number, params) = opaque.split_at(memchr(b';', opaque).unwrap_or(opaque.len()));
        if number.is_empty() {
            return Err("a tel URI without a number");
        }
        Ok(Uri { scheme: Scheme::Tel, user: Some(number), params: Params::of(params), opaque, ..Uri::EMPTY })
    }

    /// Whether the scheme is `sip` or `sips`.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The user part with its `%` escapes resolved; empty where there is none. Never to be taken apart again.
    pub fn user_unescaped(&self) -> Cow<'m, [u8]> {
        unescape(self.user.unwrap_or_default())
    }

    /// The number or name that it calls: its user part, unescaped; of `tel:` the number without its visual separators
    /// (RFC 3966 §5.1.1). `None` where there is none.
    pub fn number(&self) -> Option<String> {
        let user = self.user_unescaped();
        match self.scheme {
            Scheme::Sip | Scheme::Sips if !user.is_empty() => Some(String::from_utf8_lossy(&user).into_owned()),
            Scheme::Tel => String::from_utf8(user.iter().filter(|b| !b"-.()".contains(b)).copied().collect()).ok(),
            _ => None,
        }
    }

    /// The host as an address, if it is one.
    pub fn host_ip(&self) -> Option<IpAddr> {
        host_ip(self.host)
    }

    /// Whether both name the same resource: RFC 3261 §19.1.4; for `tel:` RFC 3966 §4; else the same octets.
    ///
    /// What is written alike matches, even where it breaks the rules that the comparison rests on: a phone that repeats
    /// a parameter still refreshes its own binding.
    pub fn matches(&self, other: &Uri<'_>) -> bool {
        self == other
            || match (self.scheme, other.scheme) {
                (Scheme::Sip, Scheme::Sip) | (Scheme::Sips, Scheme::Sips) => self.matches_sip(other),
                (Scheme::Tel, Scheme::Tel) => {
                    let number = |uri: &Uri<'_>| -> Vec<u8> {
                        let user = uri.user.unwrap_or_default();
                        user.iter().filter(|byte| !b"-.()".contains(byte)).map(u8::to_ascii_lowercase).collect()
                    };
                    number(self) == number(other)
                        && params_within(self, other, |_| true)
                        && params_within(other, self, |_| true)
                }
                (Scheme::Other(a), Scheme::Other(b)) => a.eq_ignore_ascii_case(b) && self.opaque == other.opaque,
                _ => false,
            }
    }

    fn matches_sip(&self, other: &Uri<'_>) -> bool {
        let decisive = |name: &[u8]| DECISIVE.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        self.user_unescaped() == other.user_unescaped()
            && self.password.map(unescape) == other.password.map(unescape)
            && same_host(self.host, other.host)
            && self.port == other.port
            && params_within(self, other, decisive)
            && params_within(other, self, decisive)
            && headers_within(self.headers, other.headers)
            && headers_within(other.headers, self.headers)
    }
}

/// Whether every parameter of `a` has the same value in `b`, or is not in `b` and not `required` there. Both work in
/// the square of the parameters, so only the first [`COMPARED`] count and longer lists never match
/// another spelling.
fn params_within(a: &Uri<'_>, b: &Uri<'_>, required: impl Fn(&[u8]) -> bool) -> bool {
    a.params.iter().nth(COMPARED).is_none()
        && a.params.iter().all(|(name, value)| {
            let name = unescape(name);
            let same = b.params.iter().take(COMPARED).find(|(given, _)| unescape(given).eq_ignore_ascii_case(&name));
            match same {
                None => !required(&name),
                Some((_, given)) => {
                    unescape(given.unwrap_or_default()).eq_ignore_ascii_case(&unescape(value.unwrap_or_default()))
                }
            }
        })
}

/// Whether every header of the one URI stands in the other with the same value.
fn headers_within(a: &[u8], b: &[u8]) -> bool {
    let parts = |headers| <[u8]>::split(headers, |&byte| byte == b'&').filter(|part: &&[u8]| !part.is_empty());
    let split = |part: &[u8]| {
        let (name, value) = part.split_at(memchr(b'=', part).unwrap_or(part.len()));
        (unescape(name).to_ascii_lowercase(), unescape(value).into_owned())
    };
    parts(a).nth(COMPARED).is_none()
        && parts(a).all(|part| parts(b).take(COMPARED).any(|given| split(given) == split(part)))
}

/// Most parameters and most headers of a URI that a comparison takes in; phones send some five.
const COMPARED: usize = 32;

fn split_scheme(text: &[u8]) -> Result<(Scheme<'_>, &[u8]), &'static str> {
    if let [b's', b'i', b'p', b':', opaque @ ..] = text {
        return Ok((Scheme::Sip, opaque));
    }
    let colon = memchr(b':', text).ok_or("a URI without a scheme")?;
    let (raw, opaque) = (&text[..colon], &text[colon + 1..]);
    let scheme = match raw.len() {
        3 if raw.eq_ignore_ascii_case(b"sip") => Scheme::Sip,
        4 if raw.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
        3 if raw.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
        // RFC 3986 §3.1.
        1.. if raw[0].is_ascii_alphabetic()
            && raw.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)) =>
        {
            Scheme::Other(raw)
        }
        _ => return Err("a URI's scheme that is none"),
    };
    Ok((scheme, opaque))
}

/// Resolves `%41`; a `%` without two hexadecimal digits stays as it is.
fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'%', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [first, behind @ ..] = rest {
        rest = behind;
        plain.push(*first);
        if *first == b'%'
            && let [high, low, behind @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            plain.pop();
            plain.push(high << 4 | low);
            rest = behind;
        }
    }
    Cow::Owned(plain)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

/// A user name as it stands in a SIP URI: what RFC 3261 §25.1 does not let stand there is escaped.
pub fn escape_user(user: &str) -> Cow<'_, str> {
    let may_stand = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(byte);
    if user.bytes().all(|byte| may_stand(&byte)) {
        return Cow::Borrowed(user);
    }
    let escape = |byte: u8| match may_stand(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    Cow::Owned(user.bytes().map(escape).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri<'_> {
        Uri::parse(text.as_bytes()).unwrap_or_else(|reason| panic!("{text}: {reason}"))
    }

    #[test]
    fn a_uri_with_everything_comes_apart() {
        let uri = uri("sips:al%69ce:pw@[2001:db8::1]:5061;transport=tcp;lr?Subject=x&Replaces=a%40b");
        assert_eq!(uri.scheme, Scheme::Sips);
        assert_eq!(uri.user, Some(&b"al%69ce"[..]));
        assert_eq!(&*uri.user_unescaped(), b"alice");
        assert_eq!(uri.password, Some(&b"pw"[..]));
        assert_eq!(uri.host, b"[2001:db8::1]");
        assert_eq!(uri.host_ip(), "2001:db8::1".parse().ok());
        assert_eq!(uri.port, Some(5061));
        assert_eq!(uri.params.get("transport"), Some(&b"tcp"[..]));
        assert!(uri.params.has("lr"));
        assert_eq!(uri.headers, b"Subject=x&Replaces=a%40b");
    }

    #[test]
    fn escapes_never_move_a_border() {
        // RFC 4475 §3.1.1.3 and §3.1.1.9.
        let esc01 = uri("sip:sips%3Auser%40example.com@example.net");
        assert_eq!(&*esc01.user_unescaped(), b"sips:user@example.com");
        assert_eq!(esc01.host, b"example.net");
        let semiuri = uri("sip:user;par=u%40example.net@example.com");
        assert_eq!(semiuri.user, Some(&b"user;par=u%40example.net"[..]));
        assert_eq!(semiuri.params.iter().count(), 0);
        assert_eq!(&*uri("sip:null-%00-null@x").user_unescaped(), b"null-\0-null");
        assert_eq!(&*uri("sip:a%4@x").user_unescaped(), b"a%4");
    }

    #[test]
    fn headers_without_parameters_and_empty_users() {
        assert_eq!(uri("sip:x@h?Route=%3Csip:e%3E").headers, b"Route=%3Csip:e%3E");
        assert_eq!(uri("sip:@h").user, None);
        assert_eq!(uri("sip:h").user, None);
    }

    #[test]
    fn other_schemes_pass_whole() {
        let tel = uri("tel:+49-30-1234;phone-context=x");
        assert_eq!((tel.scheme, tel.user), (Scheme::Tel, Some(&b"+49-30-1234"[..])));
        assert_eq!(tel.params.get("phone-context"), Some(&b"x"[..]));
        let urn = uri("urn:service:sos");
        assert_eq!((urn.scheme, urn.opaque), (Scheme::Other(b"urn"), &b"service:sos"[..]));
        assert_eq!(uri("nobodyKnowsThisScheme:totallyopaquecontent").host, b"");
    }

    #[test]
    fn broken_uris_are_refused() {
        for text in [
            "",
            "sip",
            ":x",
            "sip:",
            "sip:@",
            "sip:u@",
            "<sip:u@h>",
            "sip:u@h; lr",
            "sip:u@h lr",
            " sip:u@h",
            "1p:x",
            "sip:u@h:",
            "sip:u@h:x",
            "sip:a@b@c",
            "sip:2001:db8::10",
            "sip:u@h\"",
            "sip:u\r\n@h",
            "sip:u@h/x",
            "tel:;x",
            "sip:u\0@h",
        ] {
            assert!(Uri::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_examples_of_rfc_3261_match() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("tel:+1-201-555-0123", "tel:+12015550123"),
            ("sip:u@[::1]", "SIP:u@[0:0:0:0:0:0:0:1]"),
        ] {
            assert!(uri(a).matches(&uri(b)) && uri(b).matches(&uri(a)), "{a} {b}");
        }
    }

    #[test]
    fn what_is_written_alike_matches_whatever_it_repeats() {
        let many: String = (0..=COMPARED).map(|n| format!(";p{n}")).collect();
        let headers: String = (0..=COMPARED).map(|n| format!("&h{n}=1")).collect();
        for text in ["sip:a@b;x=1;x=2", "sip:a@b;%78=1;x=2", &format!("sip:a@b{many}"), &format!("sip:a@b?{headers}")] {
            assert!(uri(text).matches(&uri(text)), "{text}");
            assert!(!uri(text).matches(&uri(&text.replacen("sip:a", "sip:c", 1))), "{text}");
        }
        assert!(!uri(&format!("sip:a@b{many}")).matches(&uri(&format!("sip:a@B{many}"))), "bounded work");
    }

    #[test]
    fn the_counter_examples_of_rfc_3261_do_not() {
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a@b", "sips:a@b"),
            ("sip:a@b", "sip:a:pw@b"),
            // RFC 4475 §3.1.1.4.
            ("sip:null-%00-null@example.com", "sip:null-%00@example.com"),
        ] {
            assert!(!uri(a).matches(&uri(b)) && !uri(b).matches(&uri(a)), "{a} {b}");
        }
    }
}
