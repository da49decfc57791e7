//! The symbols of a text, each replaced in its place.

use super::key::{Context, Key, Kind};

/// Letters beyond ASCII that are exchanged with their like: runs of assigned letters of as many octets each.
const LETTERS: [(u32, u32); 9] = [
    (0xC0, 0x24F),
    (0x3B1, 0x3C9),
    (0x400, 0x481),
    (0x5D0, 0x5EA),
    (0x620, 0x64A),
    (0xE01, 0xE2E),
    (0x3041, 0x30FA),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
];

/// Gives every ASCII symbol of a text to `image` and puts in its place what comes back, which is of the same kind. With
/// `may_be_escaped` a `%` escape is the octet it stands for (RFC 3261 §19.1.2).
pub(super) fn each(text: &mut [u8], may_be_escaped: bool, mut image: impl FnMut(u8) -> u8) {
    let mut at = 0;
    while at < text.len() {
        if let Some(octet) = text.get(at..at + 3).filter(|_| may_be_escaped).and_then(escaped) {
            let new = image(octet);
            if new != octet {
                let digits = if text[at + 1..at + 3].iter().any(u8::is_ascii_lowercase) {
                    format!("{new:02x}")
                } else {
                    format!("{new:02X}")
                };
                text[at + 1..at + 3].copy_from_slice(digits.as_bytes());
            }
            at += 3;
        } else if text[at].is_ascii_control() {
            // a switch that answers a faulty message writes blanks for controls
            image(b' ');
            at += 1;
        } else {
            text[at] = image(text[at]);
            at += 1;
        }
    }
}

fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low] = text else { return None };
    let digit = |c: &u8| char::from(*c).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// What a letter becomes here; anything but an ASCII letter stays.
pub(super) fn letter(context: &Context, symbol: u8) -> u8 {
    let first = match symbol {
        b'a'..=b'z' => b'a',
        b'A'..=b'Z' => b'A',
        _ => return symbol,
    };
    first + context.exchange(b'a', 26, usize::from(symbol - first)) as u8
}

/// Replaces letters by letters and digits by digits, without regard to what they mean.
pub(super) fn scramble(key: &Key, kind: Kind, text: &mut [u8], may_be_escaped: bool) {
    let mut context = key.context(kind, 0);
    each(text, may_be_escaped, |symbol| {
        let image = match symbol {
            b'0'..=b'9' => b'0' + context.exchange(b'0', 10, usize::from(symbol - b'0')) as u8,
            _ => letter(&context, symbol),
        };
        context.push(symbol);
        image
    });
}

/// Replaces hexadecimal digits by such: a digit by a digit, a letter by a letter.
pub(super) fn scramble_hex(key: &Key, text: &mut [u8]) {
    let mut context = key.context(Kind::Hex, 0);
    each(text, false, |symbol| {
        let (first, count) = match symbol {
            b'0'..=b'9' => (b'0', 10),
            b'a'..=b'f' => (b'a', 6),
            b'A'..=b'F' => (b'A', 6),
            _ => (symbol, 1),
        };
        let image = first + context.exchange(first, count, usize::from(symbol - first)) as u8;
        context.push(symbol);
        image
    });
}

/// Replaces every octet of what is no text.
pub(super) fn scramble_binary(key: &Key, bytes: &mut [u8]) {
    let mut context = key.context(Kind::Binary, 0);
    for byte in bytes {
        let image = context.exchange(0, 256, usize::from(*byte)) as u8;
        context.push(*byte);
        *byte = image;
    }
}

/// Replaces letters beyond ASCII by others of the same script, wherever they stand in a text.
pub(super) fn scramble_letters(key: &Key, text: &mut [u8]) {
    let Ok(whole) = std::str::from_utf8(text) else { return };
    if whole.is_ascii() {
        return;
    }
    let image = |c: char| {
        let run = LETTERS.iter().find(|(first, last)| (*first..=*last).contains(&u32::from(c)));
        let Some((first, last)) = run else { return c };
        let (count, rank) = (last - first + 1, u32::from(c) - first);
        // a shift, since these alphabets are too long for a permutation each
        let shift = 1 + key.context(Kind::Word, *first as usize).exchange(0, 256, 0) as u32 % (count - 1);
        char::from_u32(first + (rank + shift) % count).unwrap_or(c)
    };
    let new: String = whole.chars().map(image).collect();
    text.copy_from_slice(new.as_bytes());
}
