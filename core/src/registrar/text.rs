//! The texts of one binding in one allocation: a hundred thousand phones pay for one pointer each, not for five.

use serde::{Deserialize, Serialize};

/// How many texts a binding has.
const PARTS: usize = 5;

/// The texts of a binding, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// User part of the address-of-record.
    pub(super) aor: &'a [u8],
    /// Contact URI.
    pub(super) contact: &'a [u8],
    /// Call-ID of the last REGISTER.
    pub(super) call_id: &'a [u8],
    /// Path values, comma-separated.
    pub(super) path: &'a [u8],
    /// `+sip.instance` without quotes.
    pub(super) instance: &'a [u8],
}

impl<'a> Parts<'a> {
    fn list(self) -> [&'a [u8]; PARTS] {
        [self.aor, self.contact, self.call_id, self.path, self.instance]
    }

    /// Bytes of all texts together.
    pub(super) fn len(self) -> usize {
        self.list().iter().map(|part| part.len()).sum()
    }
}

/// The texts of a binding, packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Text {
    bytes: Box<[u8]>,
    /// Where each text ends.
    ends: [u16; PARTS],
}

impl Text {
    /// Packs the texts; together they are at most [`crate::limits::BINDING_TEXT_BYTES`], which the caller has checked.
    pub(super) fn new(parts: Parts<'_>) -> Text {
        Text { bytes: parts.list().concat().into(), ends: ends(parts) }
    }

    /// Takes other texts, in place where they are as long as these: a refresh differs in nothing or in a few digits.
    pub(super) fn set(&mut self, parts: Parts<'_>) {
        let ends = ends(parts);
        if ends != self.ends {
            *self = Text::new(parts);
            return;
        }
        let mut rest = &mut *self.bytes;
        for part in parts.list() {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
    }

    /// Bytes of all texts together.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The texts.
    pub(super) fn parts(&self) -> Parts<'_> {
        let mut start = 0;
        let mut next = |end: u16| {
            let part = self.bytes.get(start..usize::from(end)).unwrap_or_default();
            start = usize::from(end);
            part
        };
        let [aor, contact, call_id, path, instance] = self.ends.map(&mut next);
        Parts { aor, contact, call_id, path, instance }
    }
}

fn ends(parts: Parts<'_>) -> [u16; PARTS] {
    let mut end = 0;
    parts.list().map(|part| {
        end += part.len();
        u16::try_from(end).expect("BINDING_TEXT_BYTES is below 2^16 and was checked")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn parts<'a>(texts: &'a [Vec<u8>; PARTS]) -> Parts<'a> {
        let [aor, contact, call_id, path, instance] = texts;
        Parts { aor, contact, call_id, path, instance }
    }

    fn five(list: Vec<Vec<u8>>) -> [Vec<u8>; PARTS] {
        let mut list = list.into_iter();
        [(); PARTS].map(|()| list.next().unwrap_or_default())
    }

    quickcheck! {
        fn what_is_set_is_what_is_read(first: Vec<Vec<u8>>, second: Vec<Vec<u8>>) -> bool {
            let (first, second) = (five(first), five(second));
            let mut text = Text::new(parts(&first));
            let is_first = text.parts() == parts(&first);
            text.set(parts(&second));
            is_first && text == Text::new(parts(&second)) && text.parts() == parts(&second)
        }
    }

    #[test]
    fn texts_of_the_same_lengths_stay_where_they_are() {
        let first = five(vec![b"1001".to_vec(), b"sip:1001@192.0.2.1:5060".to_vec(), b"abc".to_vec()]);
        let second = five(vec![b"1001".to_vec(), b"sip:1001@192.0.2.1:5061".to_vec(), b"abd".to_vec()]);
        let mut text = Text::new(parts(&first));
        let place = text.bytes.as_ptr();
        text.set(parts(&second));
        assert_eq!(text.bytes.as_ptr(), place);
        assert_eq!(text.parts(), parts(&second));
    }
}
