//! Comma-separated lists (RFC 3261 §7.3.1) whose commas may hide in quoted strings and between `<` and `>`.

use super::chars::{quoted_len, trim};
use memchr::{memchr, memchr3};

/// Iterator of [`split_list`]. What an unterminated quote or `<` opens reaches to the end.
struct Elements<'m> {
    rest: &'m [u8],
}

/// The non-empty elements of a comma-separated value, trimmed; see [`crate::sip::Message::list`] for those of a message.
pub fn split_list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    Elements { rest: value }
}

impl<'m> Iterator for Elements<'m> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<&'m [u8]> {
        while !self.rest.is_empty() {
            // Most values are one element, and the search for one octet is the cheapest.
            let end = memchr(b',', self.rest).and_then(|_| comma(self.rest)).unwrap_or(self.rest.len());
            let element = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// Where the first separating comma stands.
fn comma(value: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = value.get(at..)?;
        let found = memchr3(b',', b'"', b'<', rest)?;
        at += found;
        at += match rest[found] {
            b',' => return Some(at),
            b'"' => quoted_len(&rest[found..])?,
            _ => memchr(b'>', &rest[found..])? + 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(value: &str) -> Vec<&str> {
        split_list(value.as_bytes()).map(|element| std::str::from_utf8(element).expect("as given")).collect()
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        assert_eq!(
            elements(r#""Watson, Thomas" <sip:a,b@c>;q=1 ,	"x\",<" <sip:d>, e"#),
            [r#""Watson, Thomas" <sip:a,b@c>;q=1"#, r#""x\",<" <sip:d>"#, "e"]
        );
    }

    #[test]
    fn empty_elements_are_passed_over() {
        assert_eq!(elements(" , a,,b, "), ["a", "b"]);
        assert_eq!(elements(""), [""; 0]);
    }

    #[test]
    fn what_never_ends_is_one_element() {
        assert_eq!(elements(r#"a, "b, c"#), ["a", r#""b, c"#]);
        assert_eq!(elements("a, <b, c"), ["a", "<b, c"]);
    }
}
