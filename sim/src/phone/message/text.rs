//! A piece of text that shares what it was cut from.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A piece of a text; its clones share it.
#[derive(Clone)]
pub enum Text {
    /// As it stands in the code.
    Fixed(&'static str),
    /// From one octet of a shared text to another.
    Shared {
        /// The text.
        whole: Arc<str>,
        /// The first octet.
        from: u32,
        /// Behind the last one.
        to: u32,
    },
}

impl Text {
    /// A piece of this text, which must have been cut from it.
    pub(super) fn part(&self, piece: &str) -> Text {
        match self {
            Text::Fixed(_) => piece.into(),
            Text::Shared { whole, .. } => {
                let from = piece.as_ptr() as usize - whole.as_ptr() as usize;
                Text::Shared { whole: whole.clone(), from: octets(from), to: octets(from + piece.len()) }
            }
        }
    }
}

fn octets(count: usize) -> u32 {
    u32::try_from(count).expect("a message has less than 2^32 octets")
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Fixed(text) => text,
            Text::Shared { whole, from, to } => &whole[*from as usize..*to as usize],
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::Shared { whole: text.into(), from: 0, to: octets(text.len()) }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        text.as_str().into()
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Text {
        text.as_str().into()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
