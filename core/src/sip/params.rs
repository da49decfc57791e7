//! Parameters behind a value or inside a URI: `;name=value;flag`.

use super::chars::{is_in_param_name, is_in_param_value, is_lws, is_token_char, quoted_len, split_while, trim_start};
use memchr::memchr2;

/// Parameters, read when asked for. Empty, or begins with `;`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'m> {
    raw: &'m [u8],
}

impl<'m> Params<'m> {
    pub(super) const NONE: Params<'static> = Params { raw: b"" };

    /// The parameters of this text, which begins with `;` or is empty.
    pub(crate) fn of(raw: &'m [u8]) -> Params<'m> {
        Params { raw }
    }

    /// The parameters as written, from the first `;` on.
    pub fn as_bytes(&self) -> &'m [u8] {
        self.raw
    }

    /// The first parameter of this name (in any case): its value as written, quotes included; empty for a flag.
    pub fn get(&self, name: &str) -> Option<&'m [u8]> {
        self.iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.unwrap_or(b""))
    }

    /// As [`Params::get`], without the quotes around a quoted string. Its escapes stay as they are.
    pub fn get_unquoted(&self, name: &str) -> Option<&'m [u8]> {
        let value = self.get(name)?;
        Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
    }

    /// Whether there is a parameter of this name, with a value or as a flag.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Every parameter with a name, in order: the name, and the value as written if there is a `=`.
    pub fn iter(&self) -> ParamsIter<'m> {
        ParamsIter { rest: self.raw }
    }

    /// What breaks the grammar (RFC 3261 §25.1 `generic-param`), which [`Params::iter`] passes over.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let mut rest = self.raw;
        while !rest.is_empty() {
            let Some(behind) = rest.strip_prefix(b";") else { return Some("text behind a parameter's value") };
            let (name, behind) = split_while(trim_start(behind), is_token_char);
            if name.is_empty() {
                return Some("a parameter without a name");
            }
            rest = trim_start(behind);
            let Some(behind) = rest.strip_prefix(b"=") else { continue };
            let behind = trim_start(behind);
            rest = match behind {
                [b'"', ..] => match quoted_len(behind) {
                    Some(length) => &behind[length..],
                    None => return Some("a quoted string that does not end"),
                },
                _ => split_while(behind, |byte| !is_lws(byte) && !matches!(byte, b';' | b',' | b'"' | b'<' | b'>')).1,
            };
            rest = trim_start(rest);
        }
        None
    }
}

/// Iterator over [`Params`].
#[derive(Clone, Debug)]
pub struct ParamsIter<'m> {
    rest: &'m [u8],
}

impl<'m> Iterator for ParamsIter<'m> {
    type Item = (&'m [u8], Option<&'m [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.rest.iter().position(|&byte| is_in_param_value(byte))?;
            let (name, behind) = split_while(&self.rest[start..], is_in_param_name);
            let behind = trim_start(behind);
            let (value, behind) = match behind {
                [b'=', behind @ ..] => {
                    let (value, behind) = split_value(trim_start(behind));
                    (Some(value), behind)
                }
                _ => (None, behind),
            };
            self.rest = from_semicolon(behind);
            if !name.is_empty() {
                return Some((name, value));
            }
        }
    }
}

/// Splits behind the value that `bytes` begins with: a quoted string, or all up to white space or `;`.
fn split_value(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.first() {
        Some(b'"') => bytes.split_at(quoted_len(bytes).unwrap_or(bytes.len())),
        _ => split_while(bytes, is_in_param_value),
    }
}

/// From the next separating `;` on.
fn from_semicolon(mut bytes: &[u8]) -> &[u8] {
    loop {
        if let [] | [b';', ..] = bytes {
            return bytes;
        }
        bytes = match memchr2(b';', b'"', bytes) {
            None => return &[],
            Some(at) if bytes[at] == b';' => return &bytes[at..],
            Some(at) => match quoted_len(&bytes[at..]) {
                None => return &[],
                Some(length) => &bytes[at + length..],
            },
        }
    }
}

/// A `qvalue` in thousandths (RFC 3261 §25.1: 0 or 1, and at most three decimals); `None` where it is none.
pub fn q_permille(text: &[u8]) -> Option<u16> {
    let (whole, decimals) = match text.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &b""[..]),
    };
    if !(whole == b"0" || whole == b"1") || decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let thousandths = (0..3).fold(u16::from(whole == b"1"), |value, place| {
        value * 10 + decimals.get(place).map_or(0, |digit| u16::from(digit - b'0'))
    });
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_flags_and_white_space_are_read() {
        let params = Params::of(b" ;  tag  =\r\n 98asjd8;lr ; Q = 0.33;e=");
        assert_eq!(params.get("TAG"), Some(&b"98asjd8"[..]));
        assert_eq!(params.get("lr"), Some(&b""[..]));
        assert_eq!(params.get("q"), Some(&b"0.33"[..]));
        assert_eq!(params.get("e"), Some(&b""[..]));
        assert!(!params.has("98asjd8") && !params.has("r"));
        let all: Vec<_> = params.iter().collect();
        assert_eq!(all[1], (&b"lr"[..], None));
        assert_eq!(all[3], (&b"e"[..], Some(&b""[..])));
    }

    #[test]
    fn a_quoted_value_hides_its_semicolons() {
        let params = Params::of(br#";a="x;tag=evil\";tag=worse";+sip.instance="<urn:uuid:1>";tag=good"#);
        assert_eq!(params.get("tag"), Some(&b"good"[..]));
        assert_eq!(params.get("+sip.instance"), Some(&b"\"<urn:uuid:1>\""[..]));
        assert_eq!(params.get_unquoted("+sip.instance"), Some(&b"<urn:uuid:1>"[..]));
        assert_eq!(params.get_unquoted("tag"), Some(&b"good"[..]));
        assert_eq!(params.fault(), None);
    }

    #[test]
    fn faults_are_named() {
        for (raw, fault) in [
            (&b";;a"[..], "a parameter without a name"),
            (b";a;", "a parameter without a name"),
            (b";=b", "a parameter without a name"),
            (b";a=\"b", "a quoted string that does not end"),
            (b";a=b c", "text behind a parameter's value"),
            (b";a=\"b\"c", "text behind a parameter's value"),
            (b";a=b,c", "text behind a parameter's value"),
            (b" x;a", "text behind a parameter's value"),
        ] {
            assert_eq!(Params::of(raw).fault(), Some(fault), "{raw:?}");
        }
        for raw in [&b""[..], b";a", b";a=b;c", b"; a = b ; c = [2001:db8::1]", b";a=\"b\\\"\""] {
            assert_eq!(Params::of(raw).fault(), None, "{raw:?}");
        }
    }

    #[test]
    fn broken_parameters_end() {
        for raw in [&b";a=\""[..], b";=;=;", b"=;=", b";a \"", b";;;;", b";a=b \"c;d=e\" ;f"] {
            let _ = Params::of(raw).iter().count();
        }
        assert_eq!(Params::of(b";a=b \"c;d=e\" ;f").get("d"), None);
    }

    #[test]
    fn q_values_in_thousandths() {
        let cases: &[(&str, Option<u16>)] = &[
            ("1", Some(1000)),
            ("1.0", Some(1000)),
            ("1.", Some(1000)),
            ("0", Some(0)),
            ("0.5", Some(500)),
            ("0.05", Some(50)),
            ("0.123", Some(123)),
            ("1.001", None),
            ("0.1234", None),
            (".5", None),
            ("2", None),
            ("-1", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(q_permille(text.as_bytes()), *expected, "{text}");
        }
    }
}
