//! Octet classes of RFC 3261 §25.1 and the small readers that every value needs.

/// May stand in a token: methods, header names, parameter names, tags.
const TOKEN: u16 = 1;
/// May stand in a host name or an IPv4 address. `_` is in no grammar but in many names.
const HOST: u16 = 2;
/// May stand inside the brackets of an IPv6 reference.
const IPV6: u16 = 4;
/// Can stand in no URI of any scheme (RFC 3986 §2): blanks, controls, `"`, `<`, `>`.
const NOT_URI: u16 = 8;
/// Linear white space, line ends of folds included.
const LWS: u16 = 16;
/// Ends a parameter's name: white space, `;`, `=`.
const NAME_END: u16 = 32;
/// Ends a parameter's unquoted value: white space, `;`.
const VALUE_END: u16 = 64;
/// Ends the user or the password of a URI: `:`, `@`.
const USER_END: u16 = 128;
/// Ends the parameters of a URI: `?`.
const PARAMS_END: u16 = 256;

static CLASSES: [u16; 256] = classes();

const fn classes() -> [u16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let byte = octet as u8;
        if byte.is_ascii_alphanumeric() || contains(b"-.!%*_+`'~", byte) {
            table[octet] |= TOKEN;
        }
        if byte.is_ascii_alphanumeric() || contains(b"-._", byte) {
            table[octet] |= HOST;
        }
        if byte.is_ascii_hexdigit() || contains(b":.", byte) {
            table[octet] |= IPV6;
        }
        if byte.is_ascii_control() || contains(b" \"<>", byte) {
            table[octet] |= NOT_URI;
        }
        if contains(b" \t\r\n", byte) {
            table[octet] |= LWS | NAME_END | VALUE_END;
        }
        if byte == b';' {
            table[octet] |= NAME_END | VALUE_END;
        }
        if byte == b'=' {
            table[octet] |= NAME_END;
        }
        if contains(b":@", byte) {
            table[octet] |= USER_END;
        }
        if byte == b'?' {
            table[octet] |= PARAMS_END;
        }
        octet += 1;
    }
    table
}

const fn contains(set: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

pub(super) fn is_token_char(byte: u8) -> bool {
    CLASSES[byte as usize] & TOKEN != 0
}

pub(super) fn is_host_char(byte: u8) -> bool {
    CLASSES[byte as usize] & HOST != 0
}

pub(super) fn is_ipv6_char(byte: u8) -> bool {
    CLASSES[byte as usize] & IPV6 != 0
}

pub(super) fn is_banned_in_uri(byte: u8) -> bool {
    CLASSES[byte as usize] & NOT_URI != 0
}

pub(super) fn is_in_user(byte: u8) -> bool {
    CLASSES[byte as usize] & (NOT_URI | USER_END) == 0
}

pub(super) fn is_in_uri_params(byte: u8) -> bool {
    CLASSES[byte as usize] & (NOT_URI | PARAMS_END) == 0
}

pub(super) fn is_in_param_name(byte: u8) -> bool {
    CLASSES[byte as usize] & NAME_END == 0
}

pub(super) fn is_in_param_value(byte: u8) -> bool {
    CLASSES[byte as usize] & VALUE_END == 0
}

pub(super) fn is_lws(byte: u8) -> bool {
    CLASSES[byte as usize] & LWS != 0
}

pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_char(byte))
}

/// Without the white space in front.
pub(super) fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_lws(*first)
    {
        bytes = rest;
    }
    bytes
}

/// Without the white space behind.
pub(super) fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_lws(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Without white space on either side.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(trim_start(bytes))
}

/// Splits before the first octet that is not of this kind.
pub(super) fn split_while(bytes: &[u8], is_kind: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().position(|&byte| !is_kind(byte)).unwrap_or(bytes.len()))
}

/// How long the quoted string is that `bytes` begins with, quotes included; `None` if it never ends. A backslash takes
/// the meaning from the octet behind it (RFC 3261 §25.1 `quoted-pair`).
pub(super) fn quoted_len(bytes: &[u8]) -> Option<usize> {
    debug_assert_eq!(bytes.first(), Some(&b'"'), "called at the opening quote");
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// The decimal number that `bytes` is, leading zeros allowed, if it is one and at most `max`.
pub(super) fn number(bytes: &[u8], max: u32) -> Option<u32> {
    if bytes.is_empty() {
        return None;
    }
    let mut number = 0u64;
    for &byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        number = number * 10 + u64::from(digit);
        // Below 2^32 before each step, so a step never overflows.
        if digit > 9 || number > u64::from(max) {
            return None;
        }
    }
    Some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_string_ends_at_the_first_quote_that_is_not_escaped() {
        assert_eq!(quoted_len(br#""a" b"#), Some(3));
        assert_eq!(quoted_len(br#""a\"b" c"#), Some(6));
        assert_eq!(quoted_len(br#""a\\" b"#), Some(5));
        assert_eq!(quoted_len(br#""a\""#), None);
        assert_eq!(quoted_len(br#""a\"#), None);
        assert_eq!(quoted_len(br#"""#), None);
    }

    #[test]
    fn numbers_neither_wrap_nor_bend() {
        assert_eq!(number(b"0068", 255), Some(68));
        assert_eq!(number(b"255", 255), Some(255));
        assert_eq!(number(b"256", 255), None);
        assert_eq!(number(b"4294967296", u32::MAX), None);
        assert_eq!(number(b"4294967295", u32::MAX), Some(u32::MAX));
        assert_eq!(number(b"99999999999999999999999999", u32::MAX), None);
        for junk in [&b""[..], b"-1", b"+1", b" 1", b"1 ", b"0x1", b"1e3"] {
            assert_eq!(number(junk, u32::MAX), None, "{junk:?}");
        }
    }

    #[test]
    fn white_space_is_trimmed_with_its_folds() {
        assert_eq!(trim(b" \r\n\t a b \r\n "), b"a b");
        assert_eq!(trim(b" \r\n "), b"");
    }
}
