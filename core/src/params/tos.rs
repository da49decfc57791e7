//! The type-of-service octet (behaviour 1(h)): its upper six bits are the DSCP (RFC 2474), the lower two are ECN's
//! (RFC 3168) and not ours to set.

use super::kind::Checked;

/// The bits of the octet that are the DSCP.
const DSCP_MASK: u8 = 0xfc;

/// Names of RFC 4594, RFC 3246 (EF), RFC 5865 (VOICE-ADMIT) and RFC 8622 (LE) that are not formed by a rule.
const NAMES: [(&str, u8); 6] = [("EF", 46), ("BE", 0), ("DF", 0), ("DEFAULT", 0), ("VOICE-ADMIT", 44), ("LE", 1)];

/// Checks a name or a number.
pub(super) fn parse(text: &str) -> Result<Checked, String> {
    let refused = || "must be 0x00 to 0xff, 0 to 255, or a name such as EF, CS5, AF41".to_owned();
    let octet = named(text).or_else(|| number(text)).ok_or_else(refused)?;
    let masked = octet & DSCP_MASK;
    let warning = (masked != octet)
        .then(|| format!("{octet:#04x} sets ECN bits (RFC 3168), which are not ours; taken as {masked:#04x}"));
    Ok(Checked { text: format!("{masked:#04x}"), warning })
}

/// The octet of a name: class selectors (RFC 2474), assured forwarding (RFC 2597), or one of [`NAMES`].
fn named(text: &str) -> Option<u8> {
    let name = text.to_ascii_uppercase();
    let dscp = match name.as_bytes() {
        [b'C', b'S', class @ b'0'..=b'7'] => (class - b'0') * 8,
        [b'A', b'F', class @ b'1'..=b'4', drop @ b'1'..=b'3'] => (class - b'0') * 8 + (drop - b'0') * 2,
        _ => NAMES.iter().find(|(known, _)| *known == name)?.1,
    };
    Some(dscp << 2)
}

/// The octet of a number: hexadecimal with `0x`, else decimal.
pub(super) fn number(text: &str) -> Option<u8> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None => (text, 10),
    };
    let all_digits = digits.chars().all(|c| c.is_digit(radix));
    if all_digits { u8::from_str_radix(digits, radix).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// The values of RFC 4594 figure 3, shifted into the octet.
    #[test]
    fn names_and_numbers() {
        for (written, octet) in [
            ("EF", "0xb8"),
            ("ef", "0xb8"),
            ("CS0", "0x00"),
            ("BE", "0x00"),
            ("CS1", "0x20"),
            ("CS5", "0xa0"),
            ("CS7", "0xe0"),
            ("AF11", "0x28"),
            ("AF41", "0x88"),
            ("AF43", "0x98"),
            ("0xa0", "0xa0"),
            ("0XA0", "0xa0"),
            ("160", "0xa0"),
            ("0", "0x00"),
        ] {
            let checked = parse(written).expect(written);
            assert_eq!((checked.text.as_str(), checked.warning), (octet, None), "{written}");
        }
        for refused in ["", "256", "0x", "0x100", "CS8", "AF44", "AF51", "+1", "-1", "EF "] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn ecn_bits_are_masked_and_told() {
        let checked = parse("0xa3").expect("in range");
        assert_eq!(checked.text, "0xa0");
        assert_eq!(
            checked.warning.as_deref(),
            Some("0xa3 sets ECN bits (RFC 3168), which are not ours; taken as 0xa0")
        );
    }
}
